"""What the compiler asks the convolution kernels; loaded with them, when it asks.

The kernels describe a convolution by one tuple of sizes, their ``Shape``; here it is opaque.
"""

from __future__ import annotations

from typing import Any


def forward_shape(x_shape: Any, w_shape: Any, places: dict[str, Any]) -> Any:
    """The kernels' sizes of a convolution; `places` are its stride, padding, dilation, groups."""
    from deepdive.kernels.conv import _forward_shape

    return _forward_shape(
        tuple(x_shape),
        tuple(w_shape),
        tuple(places["stride"]),
        tuple(places["padding"]),
        tuple(places["dilation"]),
        places["groups"],
    )


def turned_shape(forward: Any) -> Any:
    """The sizes of the convolution that gives the input's gradient.

    Where the forward pass goes in steps, zeros are put between what it convolves: a stride of s
    costs s * s times the arithmetic this gradient needs, in one pass over the images.
    """
    from deepdive.kernels.conv import _shape

    f = forward
    sizes = (
        f.B,
        *(f.O, f.OH, f.OW),  # what it convolves: the gradient of the output
        *(f.C, f.H, f.W),  # what it makes
        f.groups,
    )
    above = (f.kh - 1) * f.dh - f.top
    before = (f.kw - 1) * f.dw - f.left
    return _shape(
        sizes,
        kernel=(f.kh, f.kw),
        stride=(1, 1),
        up=(f.sh, f.sw),
        padding=(above, before),
        dilation=(f.dh, f.dw),
    )


def taps(shape: Any) -> Any:
    """Where in a buffered image each tap reads, filled up to whole blocks of taps."""
    import numpy as np

    from deepdive.kernels.conv import _table
    from deepdive.kernels.conv_blocks import TAPS

    missing = shape.blocks * TAPS - shape.K
    return np.pad(_table(shape), (0, missing))


def room(shape: Any) -> dict[str, int]:
    """Memory the kernels need for these sizes, in floats."""
    from deepdive.kernels import entry

    return entry.room(shape)


def product_room() -> int:
    """Scratch memory of a matrix product, in floats."""
    from deepdive.kernels.gemm import WORK

    return WORK


def kernel_address(name: str) -> int:
    """Where a kernel of ``kernels/entry.py`` lies in memory."""
    from deepdive.kernels import entry

    found = getattr(entry, name)
    return int(found())


def runners() -> tuple[Any, Any]:
    """The kernels that run a program: on this thread, and on all."""
    from deepdive.kernels import runner

    return runner.alone, runner.together

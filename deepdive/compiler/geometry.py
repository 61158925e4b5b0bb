"""What the compiler asks the convolution kernels; loaded with them, when it asks."""

from __future__ import annotations

from typing import Any


def forward_shape(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """The kernels' sizes of a convolution."""
    from deepdive.kernels.conv import _forward_shape

    return _forward_shape(x, w, tuple(stride), tuple(padding), tuple(dilation), groups)


def turned_shape(forward: Any) -> Any:
    """The sizes of the convolution that gives the input's gradient, for stride 1."""
    from deepdive.kernels.conv import _shape

    f = forward
    padding = (f.kh - 1) * f.dh - f.top, (f.kw - 1) * f.dw - f.left
    sizes = (f.B, f.O, f.OH, f.OW, f.C, f.H, f.W, f.groups)
    return _shape(sizes, (f.kh, f.kw), (1, 1), (1, 1), padding, (f.dh, f.dw))


def taps(shape: Any) -> Any:
    """Where in a buffered image each tap reads."""
    import numpy as np

    from deepdive.kernels.conv import _table
    from deepdive.kernels.conv_blocks import TAPS

    return np.pad(_table(shape), (0, shape.blocks * TAPS - shape.K))


def room(shape: Any) -> dict[str, int]:
    """Memory the kernels need for these sizes, in floats."""
    from deepdive.kernels import entry

    return entry.room(shape)

"""Words that NumPy says, or a kernel where kernels are faster: measured once, remembered.

The first call on float32 numbers that is large enough to matter asks ``config.chooser`` which way
such calls go on this machine.  All of them go the same way, in this process and in the next one, so
that equal calls give equal bits – and because threads of two kinds hold each other up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepdive import config
from deepdive.errors import DeepDiveError

Way = Callable[..., Any]
LEAST = 1 << 18  # multiplications: from here on BLAS would start its threads
VECTOR = 28  # as if so many, where the right factor is a vector: there it starts them sooner
RATIONAL = 32  # operations of an error function
FLOAT32 = 11  # NumPy's number for it


class TwoWays:
    """A word with a second way.

    Args:
        name: the word.
        plain: NumPy's way, which takes all calls.
        work: the operations of a call; 0 for one that only the plain way takes.
    """

    def __init__(self, name: str, plain: Way, work: Callable[..., int]) -> None:
        self.name = name
        self.plain = plain
        self.work = work
        self.way: Way | None = None  # of large calls, once that was asked
        self.__doc__ = plain.__doc__

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not config.eager_kernels or self.work(*args) < LEAST:
            return self.plain(*args, **options)
        try:
            if self.way is None:
                self.way = config.chooser[0](self)
            return self.way(*args, **options)
        except DeepDiveError:  # the kernel takes less than the word
            return self.plain(*args, **options)

    def __repr__(self) -> str:
        return f"<word {self.name}>"


def product_work(x: Any, y: Any) -> int:
    """Multiplications of ``x @ y``, if both are float32, and `y` is one or as many as `x`."""
    axes = y.ndim
    work = x.size * (y.shape[-1] if axes > 1 else VECTOR)
    if work < LEAST or not _single(x, y) or x.ndim < 2 or not axes:
        return 0
    if axes > 2 and x.shape[:-2] != y.shape[:-2]:
        return 0
    return int(work)


def convolution_work(x: Any, w: Any, *rest: Any) -> int:
    """Multiplications of a convolution of float32 images, or of its input's gradient, about."""
    if not _single(x, w) or not _images(x):
        return 0
    pixels = x.size // x.shape[1]
    return int(pixels * w.size)


def correlation_work(x: Any, grad: Any, shape: Any, *rest: Any) -> int:
    """Multiplications of the gradient of a convolution's weight of that shape."""
    if not _single(x, grad) or not _images(grad):
        return 0
    pixels = grad.size // grad.shape[1]
    return int(pixels * math.prod(shape))


def rational_work(x: Any) -> int:
    """Operations of a rational approximation of float32 numbers."""
    return int(x.size * RATIONAL) if hasattr(x, "dtype") and _single(x, x) else 0


def _single(x: Any, y: Any) -> bool:
    return bool(x.dtype.num == FLOAT32 == y.dtype.num)


def _images(x: Any) -> bool:
    return bool(x.ndim == 4 and x.size)

"""Words that NumPy says, or a kernel where that is faster: measured once, remembered.

A product or convolution of float32 that is large enough to matter asks ``config.chooser`` which
way calls like it go.  The answer depends on shapes alone and is kept – here for the process, in the
cache folder for the next one – so that equal calls give equal bits, today and tomorrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepdive import config
from deepdive.errors import DeepDiveError

Way = Callable[..., Any]
LEAST = 1 << 18  # multiplications: from here on BLAS would start its threads


class TwoWays:
    """A word with a second way.

    Args:
        name: the word.
        plain: NumPy's way, which takes all calls.
        work: the multiplications of a call; 0 for one that only the plain way takes.
    """

    def __init__(self, name: str, plain: Way, work: Callable[..., int]) -> None:
        self.name = name
        self.plain = plain
        self.work = work
        self.ways: dict[Any, Way] = {}  # what a call is like → how it goes
        self.__doc__ = plain.__doc__

    def __call__(self, x: Any, y: Any, *rest: Any, **options: Any) -> Any:
        if options or not config.eager_kernels or self.work(x, y, *rest) < LEAST:
            return self.plain(x, y, *rest, **options)
        kind = likeness(x, y, *rest)
        way = self.ways.get(kind)
        try:
            if way is None:
                way = config.chooser[0](self, kind, (x, y, *rest))
                self.ways[kind] = way
            return way(x, y, *rest)
        except DeepDiveError:  # the kernel takes less than the word
            return self.plain(x, y, *rest)

    def __repr__(self) -> str:
        return f"<word {self.name}>"


def likeness(x: Any, y: Any, *rest: Any) -> tuple[Any, ...]:
    """What calls share that go the same way: layout, and all sizes to a factor of two.

    >>> import numpy as np
    >>> likeness(np.ones((64, 784)), np.ones((784, 128)))
    ((7, 10), True, (10, 8), True)
    """
    found: list[Any] = []
    for array in (x, y):
        found.append(_about(array.shape))
        found.append(array.flags.c_contiguous)
    found += map(_about, rest)
    return tuple(found)


def _about(sizes: Any) -> Any:
    """The binary digits of a whole number, or of each of several."""
    if isinstance(sizes, int):
        return sizes.bit_length()
    return tuple(map(int.bit_length, sizes))


def product_work(x: Any, y: Any) -> int:
    """Multiplications of ``x @ y``, if both are float32, matrices or as many of them."""
    if not _single(x, y) or x.ndim < 2 or y.ndim < 2:
        return 0
    if y.ndim > 2 and x.shape[:-2] != y.shape[:-2]:
        return 0
    return int(x.size * y.shape[-1])


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


def _single(x: Any, y: Any) -> bool:
    return all(array.dtype.num == FLOAT32 for array in (x, y))


def _images(x: Any) -> bool:
    return bool(x.ndim == 4 and x.size)


FLOAT32 = 11  # NumPy's number for it

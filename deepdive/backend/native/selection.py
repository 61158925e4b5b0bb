"""Indices: which elements of an array ``x[index]`` means.

Integers, slices, None and ``...`` only change offset, shape and strides: the result is a *view*.
Arrays of integers and masks name elements one by one: the result is a list of *places*.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from deepdive.backend.native.kernels import Places, Shape, crossed, positions, spread
from deepdive.backend.vocabulary.rules import broadcast_shapes
from deepdive.backend.vocabulary.rules_index import axes_taken


class Selection:
    """What an index selects from an array.

    Attributes:
        sizes, strides, offset: of the axes that slices and None leave.
        parts: the index arrays, each as (shape, how far from the offset its elements point).
        at: before which of the axes those of the index arrays come.
    """

    def __init__(self, x: Any, index: tuple[Any, ...]) -> None:
        self.sizes: list[int] = []
        self.strides: list[int] = []
        self.offset: int = x.offset
        self.parts: list[tuple[Shape, Any]] = []
        self.at = 0
        self._x = x
        self._axis = 0
        items = spelled_out(index, len(x.shape))
        joined = [i for i, item in enumerate(items) if not isinstance(item, (slice, type(None)))]
        for i, item in enumerate(items):
            if joined and i == joined[0]:
                self.at = len(self.sizes)
            self._take(item)
        if joined and joined[-1] - joined[0] >= len(joined):
            self.at = 0  # index arrays that are no neighbours: their axes come in front

    def _take(self, item: Any) -> None:
        """One part of the index, for the axes it answers for."""
        if item is None:
            self.sizes.append(1)
            self.strides.append(0)
        elif isinstance(item, bool):
            self.parts.append(((int(item),), [0] * item))
        elif not hasattr(item, "shape"):
            self._take_plain(item)
        elif item.dtype.kind == "b":
            for positions in item.nonzero():
                self._take_array((len(positions),), positions)
        else:
            self._take_array(item.shape, item.numbers())

    def _take_plain(self, item: Any) -> None:
        size, stride = self._x.shape[self._axis], self._x.strides[self._axis]
        self._axis += 1
        if isinstance(item, slice):
            found = range(*item.indices(size))
            self.offset += found.start * stride if found else 0
            self.sizes.append(len(found))
            self.strides.append(found.step * stride)
        else:
            self.offset += operator.index(item) % size * stride

    def _take_array(self, shape: Shape, numbers: Any) -> None:
        size, stride = self._x.shape[self._axis], self._x.strides[self._axis]
        self._axis += 1
        self.parts.append((shape, [number % size * stride for number in numbers]))

    @property
    def common(self) -> Shape:
        """The index arrays' shapes, broadcast together."""
        return broadcast_shapes("getitem", *(shape for shape, _ in self.parts))

    @property
    def shape(self) -> Shape:
        """The shape of ``x[index]``."""
        common = self.common if self.parts else ()
        return (*self.sizes[: self.at], *common, *self.sizes[self.at :])

    def places(self) -> Places:
        """Where the selected elements lie in the buffer, in row order."""
        if not self.parts:
            return positions(tuple(self.sizes), tuple(self.strides), self.offset)
        found: Places = [self.offset]
        axes = list(zip(self.sizes, self.strides, strict=True))
        for size, stride in axes[: self.at]:
            found = spread(found, size, stride)
        found = crossed(found, self._steps())
        for size, stride in axes[self.at :]:
            found = spread(found, size, stride)
        return found

    def apart(self) -> bool:
        """Whether strides alone tell that none is there twice: each passes all shorter ones."""
        reach = 0
        for stride, size in sorted(zip(map(abs, self.strides), self.sizes, strict=True)):
            if size > 1 and stride <= reach:
                return False
            reach += (size - 1) * stride
        return True

    def _steps(self) -> list[int]:
        """How far the index arrays, together, point from the offset."""
        common = self.common
        total = [0] * math.prod(common)
        for shape, steps in self.parts:
            for k, i in enumerate(repeated(shape, common)):
                total[k] += steps[i]
        return total


def repeated(shape: Shape, common: Shape) -> Places:
    """For each element of an array broadcast to `common`, its number in the array of `shape`."""
    own = (1,) * (len(common) - len(shape)) + shape
    found = [0]
    for size, wide in zip(own, common, strict=True):
        steps = range(size) if size == wide else [0] * wide
        found = [number * size + step for number in found for step in steps]
    return found


def spelled_out(index: tuple[Any, ...], ndim: int) -> list[Any]:
    """The index with slices in place of ``...``, and for the axes it does not mention."""
    items = list(index)
    rest = [slice(None)] * (ndim - sum(map(axes_taken, items)))
    dots = [i for i, item in enumerate(items) if item is Ellipsis]
    at = dots[0] if dots else len(items)
    items[at : at + len(dots)] = rest
    return items

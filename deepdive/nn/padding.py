"""Frames around lines, pictures and volumes."""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn import functional as F
from deepdive.nn.arguments import shown
from deepdive.nn.module import Module
from deepdive.ops.creation import as_tensor

Widths = int | tuple[int, ...]


class _Pad(Module):
    """A frame; `axes` is the number of spatial axes.

    Args:
        padding: the width on all sides, or (left, right, top, bottom, front, back) as far as there
            are axes; negative widths cut away.
    """

    axes: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Widths) -> None:
        n = 2 * self.axes
        given = (padding,) * n if isinstance(padding, int) else tuple(padding)
        if len(given) != n:
            raise ArgumentError(
                f"{type(self).__name__}: padding is a number, or {n} of them", got=padding
            )
        self.padding = given

    def forward(self, x: Any) -> Tensor:
        return F.pad(as_tensor(x), self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """A frame of one value.

    Args:
        padding: the width on all sides, or (left, right, top, bottom, front, back) as far as there
            are axes; negative widths cut away.
        value: what stands in the frame.
    """

    mode = "constant"

    def __init__(self, padding: Widths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, x: Any) -> Tensor:
        return F.pad(as_tensor(x), self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return shown(self, "padding", "value")


class _ZeroPad(_Pad):
    """A frame of zeros."""

    mode = "constant"


class _ReflectionPad(_Pad):
    """A frame that mirrors what is inside; the edge itself is not repeated."""

    mode = "reflect"


class _ReplicationPad(_Pad):
    """A frame that repeats the edge."""

    mode = "replicate"


class _CircularPad(_Pad):
    """A frame that goes on at the other end."""

    mode = "circular"


class ConstantPad1d(_ConstantPad):
    """A line (B, C, L) in a frame of one value."""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """A picture (B, C, H, W) in a frame of one value."""

    axes = 2


class ConstantPad3d(_ConstantPad):
    """A volume (B, C, D, H, W) in a frame of one value."""

    axes = 3


class ZeroPad1d(_ZeroPad):
    """A line (B, C, L) in a frame of zeros."""

    axes = 1


class ZeroPad2d(_ZeroPad):
    """A picture (B, C, H, W) in a frame of zeros."""

    axes = 2


class ZeroPad3d(_ZeroPad):
    """A volume (B, C, D, H, W) in a frame of zeros."""

    axes = 3


class ReflectionPad1d(_ReflectionPad):
    """A line (B, C, L) in a frame of mirrored numbers."""

    axes = 1


class ReflectionPad2d(_ReflectionPad):
    """A picture (B, C, H, W) in a frame of mirrored numbers."""

    axes = 2


class ReflectionPad3d(_ReflectionPad):
    """A volume (B, C, D, H, W) in a frame of mirrored numbers."""

    axes = 3


class ReplicationPad1d(_ReplicationPad):
    """A line (B, C, L) in a frame of the edge repeated."""

    axes = 1


class ReplicationPad2d(_ReplicationPad):
    """A picture (B, C, H, W) in a frame of the edge repeated."""

    axes = 2


class ReplicationPad3d(_ReplicationPad):
    """A volume (B, C, D, H, W) in a frame of the edge repeated."""

    axes = 3


class CircularPad1d(_CircularPad):
    """A line (B, C, L) in a frame of what stands at the other end."""

    axes = 1


class CircularPad2d(_CircularPad):
    """A picture (B, C, H, W) in a frame of what stands at the other end."""

    axes = 2


class CircularPad3d(_CircularPad):
    """A volume (B, C, D, H, W) in a frame of what stands at the other end."""

    axes = 3

"""Pooling: windows of a line or a picture, each replaced by one number."""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.core.tensor import Tensor
from deepdive.nn import functional as F
from deepdive.nn.arguments import per_axis, shown
from deepdive.nn.module import Module

Sizes = int | tuple[int, ...]


class _MaxPool(Module):
    """The largest of each window; the stride is the window's size unless given.

    With `return_indices` the places of the largest come along, for ``MaxUnpool``.
    """

    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode
        self.return_indices = return_indices
        for name in ("kernel_size", "stride", "padding", "dilation"):
            per_axis(self, name, getattr(self, name), self.axes, least=int(name != "padding"))

    def _way(self) -> tuple[Any, ...]:
        way = self.kernel_size, self.stride, self.padding, self.dilation
        return (*way, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "stride", "padding", "dilation", "ceil_mode")


class MaxPool1d(_MaxPool):
    """The largest of each window: (B, C, L) → (B, C, L')."""

    axes = 1

    def forward(self, x: Any) -> Any:
        return F.max_pool1d(x, *self._way())


class MaxPool2d(_MaxPool):
    """The largest of each window: (B, C, H, W) → (B, C, H', W')."""

    axes = 2

    def forward(self, x: Any) -> Any:
        return F.max_pool2d(x, *self._way())


class MaxPool3d(_MaxPool):
    """The largest of each window: (B, C, D, H, W) → (B, C, D', H', W')."""

    axes = 3

    def forward(self, x: Any) -> Any:
        return F.max_pool3d(x, *self._way())


class _AvgPool(Module):
    """The mean of each window; the stride is the window's size unless given."""

    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        for name in ("kernel_size", "stride", "padding"):
            per_axis(self, name, getattr(self, name), self.axes, least=int(name != "padding"))

    def _way(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "stride", "padding")


class AvgPool1d(_AvgPool):
    """The mean of each window: (B, C, L) → (B, C, L')."""

    axes = 1

    def forward(self, x: Any) -> Tensor:
        return F.avg_pool1d(x, *self._way())

    def extra_repr(self) -> str:
        names = ("kernel_size", "stride", "padding")
        return ", ".join(f"{n}={per_axis(self, n, getattr(self, n), 1)}" for n in names)


class _AvgPoolDivided(_AvgPool):
    """With a number to divide the sums by, in place of how many they are of."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def _way(self) -> tuple[Any, ...]:
        return (*super()._way(), self.divisor_override)


class AvgPool2d(_AvgPoolDivided):
    """The mean of each window: (B, C, H, W) → (B, C, H', W')."""

    axes = 2

    def forward(self, x: Any) -> Tensor:
        return F.avg_pool2d(x, *self._way())


class AvgPool3d(_AvgPoolDivided):
    """The mean of each window: (B, C, D, H, W) → (B, C, D', H', W')."""

    axes = 3

    def forward(self, x: Any) -> Tensor:
        return F.avg_pool3d(x, *self._way())

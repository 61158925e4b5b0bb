"""Pooling to a size asked for, by p-norms, and back to the places of the largest."""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.core.tensor import Tensor
from deepdive.nn import functional as F
from deepdive.nn.arguments import per_axis, shown
from deepdive.nn.module import Module

Sizes = int | tuple[int, ...]


class _Adaptive(Module):
    """Windows chosen so that `output_size` numbers result.

    Args:
        output_size: a number, or one for each axis; None keeps an axis as it is.
    """

    axes: ClassVar[int]

    def __init__(self, output_size: Any) -> None:
        n = self.axes
        given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * n
        per_axis(self, "output_size", [1 if size is None else size for size in given], n, least=1)
        self.output_size = output_size

    def extra_repr(self) -> str:
        return shown(self, "output_size")


class AdaptiveAvgPool1d(_Adaptive):
    """Means: (B, C, L) → (B, C, output_size)."""

    axes = 1

    def forward(self, x: Any) -> Tensor:
        return F.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(_Adaptive):
    """Means: ``(B, C, H, W)`` → ``(B, C, *output_size)``."""

    axes = 2

    def forward(self, x: Any) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveAvgPool3d(_Adaptive):
    """Means: ``(B, C, D, H, W)`` → ``(B, C, *output_size)``."""

    axes = 3

    def forward(self, x: Any) -> Tensor:
        return F.adaptive_avg_pool3d(x, self.output_size)


class _AdaptiveMax(_Adaptive):
    """The largest of windows chosen so that `output_size` numbers result.

    Args:
        output_size: a number, or one for each axis; None keeps an axis as it is.
        return_indices: give the places of the largest, too.
    """

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest: (B, C, L) → (B, C, output_size)."""

    axes = 1

    def forward(self, x: Any) -> Any:
        return F.adaptive_max_pool1d(x, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The largest: ``(B, C, H, W)`` → ``(B, C, *output_size)``."""

    axes = 2

    def forward(self, x: Any) -> Any:
        return F.adaptive_max_pool2d(x, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """The largest: ``(B, C, D, H, W)`` → ``(B, C, *output_size)``."""

    axes = 3

    def forward(self, x: Any) -> Any:
        return F.adaptive_max_pool3d(x, self.output_size, self.return_indices)


# --- p-norms -----------------------------------------------------------------------------------
class _LPPool(Module):
    """``(Σ x^p)^(1/p)`` over each window; the stride is the window's size unless given."""

    axes: ClassVar[int]

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        per_axis(self, "kernel_size", kernel_size, self.axes, least=1)
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def _way(self) -> tuple[Any, ...]:
        return self.norm_type, self.kernel_size, self.stride, self.ceil_mode

    def extra_repr(self) -> str:
        return shown(self, "norm_type", "kernel_size", "stride", "ceil_mode")


class LPPool1d(_LPPool):
    """p-norms of windows of (B, C, L)."""

    axes = 1

    def forward(self, x: Any) -> Tensor:
        return F.lp_pool1d(x, *self._way())


class LPPool2d(_LPPool):
    """p-norms of windows of (B, C, H, W)."""

    axes = 2

    def forward(self, x: Any) -> Tensor:
        return F.lp_pool2d(x, *self._way())


class LPPool3d(_LPPool):
    """p-norms of windows of (B, C, D, H, W)."""

    axes = 3

    def forward(self, x: Any) -> Tensor:
        return F.lp_pool3d(x, *self._way())


# --- back again --------------------------------------------------------------------------------
class _MaxUnpool(Module):
    """What a max pooling made smaller: the largest at their places, zeros elsewhere."""

    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
    ) -> None:
        n = self.axes
        self.kernel_size = per_axis(self, "kernel_size", kernel_size, n, least=1)
        stride = kernel_size if stride is None else stride
        self.stride = per_axis(self, "stride", stride, n, least=1)
        self.padding = per_axis(self, "padding", padding, n)

    def _way(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "stride", "padding")


class MaxUnpool1d(_MaxUnpool):
    """(B, C, L) and the places of :class:`MaxPool1d` → (B, C, L')."""

    axes = 1

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Tensor:
        return F.max_unpool1d(x, indices, *self._way(), output_size)


class MaxUnpool2d(_MaxUnpool):
    """(B, C, H, W) and the places of :class:`MaxPool2d` → (B, C, H', W')."""

    axes = 2

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Tensor:
        return F.max_unpool2d(x, indices, *self._way(), output_size)


class MaxUnpool3d(_MaxUnpool):
    """(B, C, D, H, W) and the places of :class:`MaxPool3d` → (B, C, D', H', W')."""

    axes = 3

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Tensor:
        return F.max_unpool3d(x, indices, *self._way(), output_size)

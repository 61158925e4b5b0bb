"""Convolutions: the same small weights at every place of a line, a picture or a volume."""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn import functional as F
from deepdive.nn.arguments import per_axis, sizes
from deepdive.nn.linear import start
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation

Sizes = int | tuple[int, ...]


class _Conv(Module):
    """What the convolutions share; `axes` is the number of spatial axes.

    Weights and biases start uniform in ``±1/√(in/groups · kernel)``, as in PyTorch.

    Args:
        kernel_size, stride, padding, dilation: a number, or one for each axis; padding may be
            ``"same"`` (the size stays) or ``"valid"`` (none).
        groups: parts of the channels that do not see each other.
        bias: whether there is one.
        init: how the weights start instead: a name of :mod:`deepdive.nn.init`, or a function.

    Raises:
        ArgumentError: for sizes that are no counts, or channels that `groups` does not divide.
    """

    axes: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        init: Any = None,
    ) -> None:
        sizes(self, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{type(self).__name__}: groups divides the channels in and out",
                got=f"{groups=}, {in_channels=}, {out_channels=}",
            )
        n = self.axes
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(self, "kernel_size", kernel_size, n, least=1)
        self.stride = per_axis(self, "stride", stride, n, least=1)
        named = isinstance(padding, str)
        self.padding: Any = padding if named else per_axis(self, "padding", padding, n)
        self.dilation = per_axis(self, "dilation", dilation, n, least=1)
        self.weight = Parameter(
            creation.empty(out_channels, in_channels // groups, *self.kernel_size)
        )
        self.bias = Parameter(creation.empty(out_channels)) if bias else None
        start(self.weight, self.bias, init)

    def _way(self) -> tuple[Any, ...]:
        way = (self.stride, self.padding, self.dilation, self.groups)
        return (self.weight, self.bias, *way)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        ones = (1,) * self.axes
        usual = {"padding": (0,) * self.axes, "dilation": ones, "groups": 1}
        for name, value in usual.items():
            if getattr(self, name) != value:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts if self.bias is not None else [*parts, "bias=False"])


class Conv1d(_Conv):
    """Along a line: (B, C, L) → (B, O, L')."""

    axes = 1

    def forward(self, x: Any) -> Tensor:
        return F.conv1d(x, *self._way())


class Conv2d(_Conv):
    """Over a picture: (B, C, H, W) → (B, O, H', W') with ``H' = ⌊(H + 2p - d(k-1) - 1)/s⌋ + 1``.

    >>> Conv2d(1, 4, 3).weight.shape
    (4, 1, 3, 3)
    """

    axes = 2

    def forward(self, x: Any) -> Tensor:
        return F.conv2d(x, *self._way())


class Conv3d(_Conv):
    """Through a volume: (B, C, D, H, W) → (B, O, D', H', W')."""

    axes = 3

    def forward(self, x: Any) -> Tensor:
        return F.conv3d(x, *self._way())

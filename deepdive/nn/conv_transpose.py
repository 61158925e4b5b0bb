"""Transposed convolutions: every number of the input adds a multiple of the kernel."""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn.arguments import per_axis
from deepdive.nn.conv import Sizes, described, grouped
from deepdive.nn.linear import start
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation


class _ConvTranspose(Module):
    """What the transposed convolutions share; `axes` is the number of spatial axes.

    Weights (in, out/groups, *kernel) and biases start uniform in ``±1/√(out/groups · kernel)``, as
    in PyTorch.  ``layer(x, output_size)`` chooses among the sizes that the stride maps to one.

    Args:
        kernel_size, stride, padding, output_padding, dilation: a number, or one for each axis.
        groups: parts of the channels that do not see each other.
        bias: whether there is one.
        init: how the weights start instead: a name of :mod:`deepdive.nn.init`, or a function.

    Raises:
        ArgumentError: for sizes that are no counts, channels that `groups` does not divide, or
            another `padding_mode` than ``"zeros"``.
    """

    axes: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        init: Any = None,
    ) -> None:
        grouped(self, in_channels, out_channels, groups)
        if padding_mode != "zeros":
            name = type(self).__name__
            raise ArgumentError(f"{name}: padding_mode", got=padding_mode, expected="'zeros'")
        n = self.axes
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(self, "kernel_size", kernel_size, n, least=1)
        self.stride = per_axis(self, "stride", stride, n, least=1)
        self.padding = per_axis(self, "padding", padding, n)
        self.output_padding = per_axis(self, "output_padding", output_padding, n)
        self.dilation = per_axis(self, "dilation", dilation, n, least=1)
        self.padding_mode = padding_mode
        self.weight = Parameter(
            creation.empty(in_channels, out_channels // groups, *self.kernel_size)
        )
        self.bias = Parameter(creation.empty(out_channels)) if bias else None
        start(self.weight, self.bias, init)

    def reset_parameters(self) -> None:
        """New first values, PyTorch's."""
        start(self.weight, self.bias, None)

    def _way(self, x: Any, output_size: Any) -> tuple[Any, ...]:
        more = self.output_padding
        if output_size is not None:
            more = self._added(x.shape[-self.axes :], tuple(output_size)[-self.axes :])
        way = (self.stride, self.padding, more, self.groups, self.dilation)
        return (x, self.weight, self.bias, *way)

    def _added(self, spatial: Any, wanted: Any) -> tuple[int, ...]:
        """The output_padding that makes the output as large as wanted."""
        added = []
        for axis, (n, m) in enumerate(zip(spatial, wanted, strict=True)):
            reach = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
            least = (n - 1) * self.stride[axis] - 2 * self.padding[axis] + reach
            if not least <= m < least + self.stride[axis]:
                raise ShapeError(
                    f"{type(self).__name__}: output_size {tuple(wanted)}",
                    got=f"{m} for axis {axis}",
                    expected=f"{least} … {least + self.stride[axis] - 1}",
                )
            added.append(m - least)
        return tuple(added)

    def extra_repr(self) -> str:
        none = (0,) * self.axes
        usual = {"padding": none, "dilation": (1,) * self.axes, "output_padding": none, "groups": 1}
        return described(self, usual)


class ConvTranspose1d(_ConvTranspose):
    """Along a line: (B, C, L) → (B, O, L')."""

    axes = 1

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        return F.conv_transpose1d(*self._way(x, output_size))


class ConvTranspose2d(_ConvTranspose):
    """Over a picture: (B, C, H, W) → (B, O, H', W') with
    ``H' = (H - 1) s - 2 p + d (k - 1) + output_padding + 1``.

    >>> ConvTranspose2d(4, 1, 3).weight.shape
    (4, 1, 3, 3)
    """

    axes = 2

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        return F.conv_transpose2d(*self._way(x, output_size))


class ConvTranspose3d(_ConvTranspose):
    """Through a volume: (B, C, D, H, W) → (B, O, D', H', W')."""

    axes = 3

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        return F.conv_transpose3d(*self._way(x, output_size))

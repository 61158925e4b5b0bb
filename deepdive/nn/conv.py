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
from deepdive.ops.creation import as_tensor

Sizes = int | tuple[int, ...]


FRAMES = ("zeros", "reflect", "replicate", "circular")


def grouped(layer: Any, in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse channels that are no counts, or that `groups` does not divide.

    Raises:
        ArgumentError: naming the layer and the numbers.
    """
    sizes(layer, in_channels=in_channels, out_channels=out_channels, groups=groups)
    if in_channels % groups or out_channels % groups:
        raise ArgumentError(
            f"{type(layer).__name__}: groups divides the channels in and out",
            got=f"{groups=}, {in_channels=}, {out_channels=}",
        )


def described(layer: Any, usual: dict[str, Any]) -> str:
    """A convolution in PyTorch's words: what is as usual is left out."""
    parts = [f"{layer.in_channels}, {layer.out_channels}"]
    parts += [f"kernel_size={layer.kernel_size}, stride={layer.stride}"]
    for name, value in usual.items():
        if getattr(layer, name, value) != value:
            parts.append(f"{name}={getattr(layer, name)}")
    if layer.bias is None:
        parts.append("bias=False")
    if layer.padding_mode != "zeros":
        parts.append(f"padding_mode={layer.padding_mode}")
    return ", ".join(parts)


class _Conv(Module):
    """What the convolutions share; `axes` is the number of spatial axes.

    Weights and biases start uniform in ``±1/√(in/groups · kernel)``, as in PyTorch.

    Args:
        kernel_size, stride, padding, dilation: a number, or one for each axis; padding may be
            ``"same"`` (the size stays) or ``"valid"`` (none).
        groups: parts of the channels that do not see each other.
        bias: whether there is one.
        padding_mode: what stands in the frame: ``"zeros"``, ``"reflect"``, ``"replicate"`` or
            ``"circular"``.
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
        padding_mode: str = "zeros",
        init: Any = None,
    ) -> None:
        grouped(self, in_channels, out_channels, groups)
        if padding_mode not in FRAMES:
            raise ArgumentError(
                f"{type(self).__name__}: padding_mode",
                got=repr(padding_mode),
                expected=", ".join(FRAMES),
            )
        n = self.axes
        self.padding_mode = padding_mode
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

    def reset_parameters(self) -> None:
        """New first values, PyTorch's."""
        start(self.weight, self.bias, None)

    def _framed(self, x: Any) -> tuple[Any, ...]:
        """The input and the arguments of the convolution; other frames than zeros are put on."""
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = F.pad(as_tensor(x), self._frame(), self.padding_mode), 0
        return (x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _frame(self) -> tuple[int, ...]:
        """The widths of the frame, last axis first."""
        widths: list[int] = []
        for axis in reversed(range(self.axes)):
            if self.padding == "same":
                reach = self.dilation[axis] * (self.kernel_size[axis] - 1)
                widths += [reach // 2, reach - reach // 2]
            else:
                width = 0 if self.padding == "valid" else self.padding[axis]
                widths += [width, width]
        return tuple(widths)

    def extra_repr(self) -> str:
        none = (0,) * self.axes
        usual = {"padding": none, "dilation": (1,) * self.axes, "output_padding": none, "groups": 1}
        return described(self, usual)


class Conv1d(_Conv):
    """Along a line: (B, C, L) → (B, O, L')."""

    axes = 1

    def forward(self, x: Any) -> Tensor:
        return F.conv1d(*self._framed(x))


class Conv2d(_Conv):
    """Over a picture: (B, C, H, W) → (B, O, H', W') with ``H' = ⌊(H + 2p - d(k-1) - 1)/s⌋ + 1``.

    >>> Conv2d(1, 4, 3).weight.shape
    (4, 1, 3, 3)
    """

    axes = 2

    def forward(self, x: Any) -> Tensor:
        return F.conv2d(*self._framed(x))


class Conv3d(_Conv):
    """Through a volume: (B, C, D, H, W) → (B, O, D', H', W')."""

    axes = 3

    def forward(self, x: Any) -> Tensor:
        return F.conv3d(*self._framed(x))

"""More activations as layers; the formulas stand with the functions they call.

`inplace` is accepted as PyTorch's; nothing is changed in place.
"""

from __future__ import annotations

from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn.activation import ReLU
from deepdive.nn.arguments import shown, sizes
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation


class CELU(Module):
    """``x`` where positive, else ``α (e^(x/α) - 1)``."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha, self.inplace = alpha, inplace

    def forward(self, x: Any) -> Tensor:
        return F.celu(x, self.alpha)

    def extra_repr(self) -> str:
        return shown(self, "alpha") + (", inplace=True" if self.inplace else "")


class SELU(ReLU):
    """``1.0507 · elu(x, 1.6733)``."""

    def forward(self, x: Any) -> Tensor:
        return F.selu(x)


class Mish(ReLU):
    """``x · tanh(softplus(x))``."""

    def forward(self, x: Any) -> Tensor:
        return F.mish(x)


class Hardsigmoid(ReLU):
    """``x/6 + 1/2`` limited to [0, 1]."""

    def forward(self, x: Any) -> Tensor:
        return F.hardsigmoid(x)

    def extra_repr(self) -> str:
        return ""


class Hardswish(Hardsigmoid):
    """``x · hardsigmoid(x)``."""

    def forward(self, x: Any) -> Tensor:
        return F.hardswish(x)


class Softsign(Module):
    """``x / (1 + |x|)``."""

    def forward(self, x: Any) -> Tensor:
        return F.softsign(x)


class Tanhshrink(Module):
    """``x - tanh x``."""

    def forward(self, x: Any) -> Tensor:
        return F.tanhshrink(x)


class Hardshrink(Module):
    """``x`` where ``|x| > λ``, else 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, x: Any) -> Tensor:
        return F.hardshrink(x, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Hardshrink):
    """``x`` brought nearer to 0 by λ, and 0 where ``|x| ≤ λ``."""

    def forward(self, x: Any) -> Tensor:
        return F.softshrink(x, self.lambd)


class Threshold(Module):
    """``x`` where it exceeds `threshold`, else `value`."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, x: Any) -> Tensor:
        return F.threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        return shown(self, "threshold", "value") + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """``x`` where positive, else ``w x``, w being learned (He et al. 2015).

    Args:
        num_parameters: one w for all, or one for each channel of (B, C, …).
        init: the first w.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        sizes(self, num_parameters=num_parameters)
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(creation.full((num_parameters,), float(init)))

    def forward(self, x: Any) -> Tensor:
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return shown(self, "num_parameters")


class RReLU(Module):
    """A leaky ReLU with random slopes while training, their middle else (Xu et al. 2015)."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        if lower > upper:
            raise ArgumentError("RReLU: lower exceeds upper", got=f"{lower} and {upper}")
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, x: Any) -> Tensor:
        return F.rrelu(x, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        return shown(self, "lower", "upper") + (", inplace=True" if self.inplace else "")


class GLU(Module):
    """``a · σ(b)`` for the halves a and b of the input along `dim`."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.glu(x, self.dim)

    def extra_repr(self) -> str:
        return shown(self, "dim")


class Softmax2d(Module):
    """The softmax over the channels of pictures, (B, C, H, W) or (C, H, W)."""

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: the input is {tuple(x.shape)}", expected="3 or 4 axes")
        return F.softmax(x, -3)

"""Activations as layers; the formulas stand with the functions they call."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import REGISTRY
from deepdive.core.tensor import Tensor
from deepdive.nn import functional as F
from deepdive.nn.arguments import shown
from deepdive.nn.module import Module

# The operators themselves: without the detour over PyTorch's other call forms
relu, softmax, log_softmax = (REGISTRY[name] for name in ("relu", "softmax", "log_softmax"))


class ReLU(Module):
    """``max(x, 0)``; `inplace` is accepted as PyTorch's, nothing is changed in place."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return relu(x)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU6(ReLU):
    """``min(max(x, 0), 6)``."""

    def forward(self, x: Any) -> Tensor:
        return F.relu6(x)


class LeakyReLU(Module):
    """``x`` where positive, else ``negative_slope · x``."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, x: Any) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return shown(self, "negative_slope") + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """``x`` where positive, else ``α (eˣ - 1)``."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha, self.inplace = alpha, inplace

    def forward(self, x: Any) -> Tensor:
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return shown(self, "alpha") + (", inplace=True" if self.inplace else "")


class GELU(Module):
    """``x Φ(x)`` with the Gaussian's distribution function; `approximate` may be ``"tanh"``."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Any) -> Tensor:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return shown(self, "approximate")


class SiLU(ReLU):
    """``x σ(x)``."""

    def forward(self, x: Any) -> Tensor:
        return F.silu(x)


class Softplus(Module):
    """``log(1 + e^βx) / β``; beyond `threshold` it is x."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = float(beta), float(threshold)

    def forward(self, x: Any) -> Tensor:
        return F.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return shown(self, "beta", "threshold")


class Sigmoid(Module):
    """``1 / (1 + e^-x)``."""

    def forward(self, x: Any) -> Tensor:
        return F.sigmoid(x)


class LogSigmoid(Module):
    """``log σ(x)``."""

    def forward(self, x: Any) -> Tensor:
        return F.logsigmoid(x)


class Tanh(Module):
    """``tanh x``."""

    def forward(self, x: Any) -> Tensor:
        return F.tanh(x)


class Hardtanh(Module):
    """``x`` limited to [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, x: Any) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return shown(self, "min_val", "max_val") + (", inplace=True" if self.inplace else "")


class Softmax(Module):
    """``e^x / Σ e^x`` along `dim`, the last axis unless given."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return softmax(x, self.dim)

    def extra_repr(self) -> str:
        return shown(self, "dim")


class LogSoftmax(Softmax):
    """``log softmax`` along `dim`, the last axis unless given."""

    def forward(self, x: Any) -> Tensor:
        return log_softmax(x, self.dim)


class Softmin(Softmax):
    """``softmax(-x)`` along `dim`, the last axis unless given."""

    def forward(self, x: Any) -> Tensor:
        return F.softmin(x, self.dim)

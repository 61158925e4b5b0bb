"""More activations: pieces of straight lines, gates, and the smooth ones made of others.

All but the random one are algebra on other operators, which gives their derivatives.  `inplace`
is PyTorch's and is accepted; nothing is changed in place.
"""

from __future__ import annotations

from typing import Any

from deepdive.core import random
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.activation import Elu, Hardtanh, LeakyRelu, Sigmoid, Softmax, Softplus
from deepdive.ops.elementwise import Where
from deepdive.ops.trigonometry import Tanh

# Klambauer et al. 2017, equation 14: with these, mean 0 and variance 1 stay so
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


# --- straight pieces ---------------------------------------------------------------------------
@derive("threshold", method=False)
def threshold(x: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where it exceeds `threshold`, else `value`."""
    return Where()(x > threshold, x, value)


@derive("hardshrink")
def hardshrink(x: Any, lambd: float = 0.5) -> Tensor:
    """``x`` where ``|x| > λ``, else 0."""
    return Where()(x.abs() > lambd, x, 0.0)


@derive("softshrink", method=False)
def softshrink(x: Any, lambd: float = 0.5) -> Tensor:
    """``x`` brought nearer to 0 by λ, and 0 where ``|x| ≤ λ``.

    Raises:
        ArgumentError: for a negative λ.
    """
    if lambd < 0:
        raise ArgumentError("softshrink: lambd is a distance, 0 or more", got=lambd)
    return Where()(x.abs() > lambd, x - x.sign() * lambd, 0.0)


@derive("tanhshrink", method=False)
def tanhshrink(x: Any) -> Tensor:
    """``x - tanh x``."""
    return x - Tanh()(x)  # type: ignore[no-any-return]


@derive("hardsigmoid", method=False)
def hardsigmoid(x: Any, inplace: bool = False) -> Tensor:
    """``x/6 + 1/2`` limited to [0, 1] (Howard et al. 2019)."""
    return Hardtanh(0.0, 6.0)(x + 3) / 6  # type: ignore[operator,no-any-return]


@derive("hardswish", method=False)
def hardswish(x: Any, inplace: bool = False) -> Tensor:
    """``x · hardsigmoid(x)`` (Howard et al. 2019)."""
    return x * hardsigmoid(x)  # type: ignore[no-any-return]


@derive("prelu")
def prelu(x: Any, weight: Any) -> Tensor:
    """``x`` where positive, else ``w x``; w is learned, one or one for each channel of (B, C, …).

    Raises:
        ShapeError: for a `weight` that has neither one number nor one for each channel.
    """
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.ndim > 1 or weight.numel() not in (1, channels):
        raise ShapeError(
            f"prelu: x is {tuple(x.shape)} and weight is {tuple(weight.shape)}",
            expected=f"(1,) or ({channels},)",
        )
    if weight.ndim and x.ndim > 1:
        weight = weight.reshape((-1, *(1 for _ in x.shape[2:])))
    elif weight.ndim and not x.ndim:
        weight = weight.reshape(())
    return Where()(x > 0, x, x * weight)


class RandomLeak(Operator):
    """``x`` where positive, else ``a x`` with a random slope for each element."""

    lower: float
    upper: float
    key: int
    counter: int

    def forward(self, xp, x):
        bits = xp.random_bits(self.key, self.counter, tuple(x.shape))
        share = xp.astype(bits, "float32") * (1 / 2**32)  # float16 does not reach so far
        slope = xp.astype(share * (self.upper - self.lower) + self.lower, x.dtype)
        slope = xp.where(x > 0, xp.ones((), x.dtype), slope)
        self.keep(slope=slope)
        return x * slope

    def backward(self, xp, grad, slope):
        return grad * slope


@derive("rrelu", method=False)
def rrelu(
    x: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """A leaky ReLU, its slope drawn from [lower, upper) while `training`, else their middle.

    Xu et al. 2015.

    Raises:
        ArgumentError: unless ``lower <= upper``.
    """
    if lower > upper:
        raise ArgumentError("rrelu: lower exceeds upper", got=f"{lower} and {upper}")
    if not training:
        return LeakyRelu((lower + upper) / 2)(x)
    key, counter = random.default_generator.draw()
    return RandomLeak(lower, upper, key, counter)(x)


# --- smooth ones -------------------------------------------------------------------------------
@derive("celu")
def celu(x: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, else ``α (e^(x/α) - 1)`` (Barron 2017).

    Raises:
        ArgumentError: for α = 0.
    """
    if not alpha:
        raise ArgumentError("celu: alpha divides, it cannot be 0", got=alpha)
    return Elu(1.0)(x / alpha) * alpha  # type: ignore[operator,no-any-return]


@derive("selu")
def selu(x: Any, inplace: bool = False) -> Tensor:
    """``1.0507 · elu(x, 1.6733)``, which keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return Elu(SELU_ALPHA)(x) * SELU_SCALE  # type: ignore[operator,no-any-return]


@derive("mish", method=False)
def mish(x: Any, inplace: bool = False) -> Tensor:
    """``x · tanh(softplus(x))`` (Misra 2019)."""
    return x * Tanh()(Softplus()(x))  # type: ignore[no-any-return]


@derive("softsign", method=False)
def softsign(x: Any) -> Tensor:
    """``x / (1 + |x|)``."""
    return x / (1 + x.abs())  # type: ignore[no-any-return]


@derive("glu", method=False)
def glu(x: Any, dim: int = -1) -> Tensor:
    """``a · σ(b)`` for the halves a and b of `x` along `dim` (Dauphin et al. 2017).

    Raises:
        ShapeError: for an odd extent.
    """
    if not x.ndim or x.shape[dim] % 2:
        raise ShapeError(f"glu: x is {tuple(x.shape)}", expected=f"an even extent along dim {dim}")
    a, b = x.chunk(2, dim)
    return a * Sigmoid()(b)  # type: ignore[no-any-return]


class GumbelNoise(Operator):
    """``x + g`` with ``g = -log(-log u)``, u uniform between 0 and 1."""

    key: int
    counter: int

    def forward(self, xp, x):
        bits = xp.random_bits(self.key, self.counter, tuple(x.shape))
        u = (xp.astype(bits, "float64") + 0.5) / 2**32  # float32 would round the largest up to 1
        return x - xp.astype(xp.log(-xp.log(u)), x.dtype)

    def backward(self, xp, grad):
        return grad


@derive("gumbel_softmax", method=False)
def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A random choice that has a gradient: ``softmax((logits + noise) / τ)`` (Jang et al. 2017).

    Args:
        hard: a single 1 forward, the gradient of the soft choice backward.
        eps: PyTorch's, without effect there and here.
    """
    key, counter = random.default_generator.draw()
    soft: Any = Softmax(dim)(GumbelNoise(key, counter)(logits) / tau)  # type: ignore[operator]
    if not hard:
        return soft  # type: ignore[no-any-return]
    index = soft.detach().argmax(dim, True)
    choice = creation.zeros_like(soft.detach()).scatter_add(  # type: ignore[attr-defined]
        dim, index, creation.ones(*index.shape, dtype=soft.dtype, device=soft.device)
    )
    return choice - soft.detach() + soft  # type: ignore[no-any-return]

"""Activations: the bends between layers, and the softmax family.

All are stable: no exponential of a large number is ever taken, in float32 neither.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError

GAUSS = 1 / math.sqrt(2 * math.pi)  # the normal density at 0
CUBIC = 0.044715  # Hendrycks & Gimpel 2016, eq. 2


@register
class Relu(Operator):
    """``max(x, 0)``; its slope at 0 is taken as 0."""

    def forward(self, xp, x):
        # An array of zeros, not the number: NumPy's loop over two arrays is twice as quick.
        return xp.maximum(x, xp.zeros(x.shape, x.dtype))

    def backward(self, xp, grad, out):
        return grad * (out > 0)


@register("leaky_relu")
class LeakyRelu(Operator):
    """``x`` where positive, ``negative_slope · x`` elsewhere."""

    negative_slope: float = 0.01

    def forward(self, xp, x):
        larger = xp.maximum if self.negative_slope <= 1 else xp.minimum
        return larger(x, x * self.negative_slope)

    def backward(self, xp, grad, x):
        slope = xp.astype(x > 0, grad.dtype) * (1 - self.negative_slope)
        slope += self.negative_slope
        return grad * slope


@register("elu")
class Elu(Operator):
    """``x`` where positive, ``α (eˣ - 1)`` elsewhere (Clevert et al. 2015)."""

    alpha: float = 1.0

    def forward(self, xp, x):
        return xp.where(x > 0, x, xp.expm1(xp.minimum(x, 0)) * self.alpha)

    def backward(self, xp, grad, x, out):
        return xp.where(x > 0, grad, grad * (out + self.alpha))


@register("gelu")
class Gelu(Operator):
    """``x Φ(x)`` with the normal distribution Φ (Hendrycks & Gimpel 2016).

    ``approximate="tanh"`` takes ``Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2``.

    Raises:
        ArgumentError: for another `approximate` than ``"none"`` and ``"tanh"``.
    """

    approximate: str = "none"

    def forward(self, xp, x):
        if self.approximate == "none":
            share = 0.5 * (1 + xp.erf(x * math.sqrt(0.5)))
        elif self.approximate == "tanh":
            share = 0.5 * (1 + xp.tanh(2 * GAUSS * (x + CUBIC * x * x * x)))
        else:
            raise ArgumentError(
                "gelu: unknown approximate", got=repr(self.approximate), expected="'none' or 'tanh'"
            )
        self.keep(share=share)
        return x * share

    def backward(self, xp, grad, x, share):
        if self.approximate == "none":
            slope = GAUSS * xp.exp(-0.5 * x * x)
        else:
            slope = 4 * GAUSS * share * (1 - share) * (1 + 3 * CUBIC * x * x)
        return grad * (share + x * slope)


@register("silu", "swish")
class Silu(Operator):
    """``x σ(x)`` with the sigmoid σ (Elfwing et al. 2017)."""

    def forward(self, xp, x):
        share = xp.sigmoid(x)
        self.keep(share=share)
        return x * share

    def backward(self, xp, grad, x, share):
        return grad * share * (1 + x * (1 - share))


@register
class Sigmoid(Operator):
    """``σ(x) = 1 / (1 + e⁻ˣ)``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.sigmoid(x)

    def backward(self, xp, grad, out):
        return grad * out * (1 - out)


@register("softplus")
class Softplus(Operator):
    """``log(1 + e^(βx)) / β``, a smooth relu; ``x`` itself where ``βx`` exceeds `threshold`."""

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, xp, x):
        z = x * self.beta
        smooth = (xp.log1p(xp.exp(-xp.abs(z))) + xp.maximum(z, 0)) / self.beta
        return xp.where(z > self.threshold, x, smooth)

    def backward(self, xp, grad, x):
        z = x * self.beta
        return xp.where(z > self.threshold, grad, grad * xp.sigmoid(z))


@register("logsigmoid")
class LogSigmoid(Operator):
    """``log σ(x) = min(x, 0) - log(1 + e^-|x|)``."""

    def forward(self, xp, x):
        return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))

    def backward(self, xp, grad, x):
        return grad * xp.sigmoid(-x)


@register("hardtanh")
class Hardtanh(Operator):
    """``x`` limited to [min_val, max_val]; the slope at the bounds is 0 (PyTorch's choice)."""

    min_val: float = -1.0
    max_val: float = 1.0

    def forward(self, xp, x):
        return xp.clip(x, self.min_val, self.max_val)

    def backward(self, xp, grad, x):
        return grad * xp.logical_and(x > self.min_val, x < self.max_val)


@derive("relu6")
def relu6(x: Tensor) -> Tensor:
    """``min(max(x, 0), 6)``."""
    return Hardtanh(0.0, 6.0)(x)


@register("softmax")
class Softmax(Operator):
    """``e^(x_i) / Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""

    promotes = "float"
    dim: int = -1

    def forward(self, xp, x):
        out = xp.exp(x - xp.max(x, axis=self.dim, keepdims=True))
        out /= xp.sum(out, axis=self.dim, keepdims=True)
        return out

    def backward(self, xp, grad, out):
        weighted = grad * out
        return weighted - out * xp.sum(weighted, axis=self.dim, keepdims=True)


@register("log_softmax", "logsoftmax")
class LogSoftmax(Operator):
    """``x_i - log Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""

    promotes = "float"
    dim: int = -1

    def forward(self, xp, x):
        out = x - xp.max(x, axis=self.dim, keepdims=True)
        out -= xp.log(xp.sum(xp.exp(out), axis=self.dim, keepdims=True))
        return out

    def backward(self, xp, grad, out):
        return grad - xp.exp(out) * xp.sum(grad, axis=self.dim, keepdims=True)


@derive("softmin")
def softmin(x: Any, dim: int = -1) -> Tensor:
    """``softmax(-x)`` along `dim`."""
    return Softmax(dim)(-x)

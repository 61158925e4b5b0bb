"""Special functions: the error function's relatives, the gamma function's, Bessel functions.

Values come from :mod:`deepdive.backend.extended_special`, which is written in core words; slopes
are other operators of this file, so derivatives of every order exist.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.backend import extended_special as words
from deepdive.core.operator import Operator, add_method, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.ops.arithmetic import floating
from deepdive.ops.elementwise import Clamp, Log, Log1p

ROOT_PI = math.sqrt(math.pi)


def slope_of(xp: Any, operator: Operator, x: Any) -> Any:
    """Another operator's value inside a ``backward``: of arrays, or of Tensors with history."""
    return operator(x) if isinstance(x, Tensor) else operator.forward(xp, x)


# --- the error function's relatives ------------------------------------------------------------
@register("erfc")
class Erfc(Operator):
    """``1 - erf(x)``, with all digits where that is tiny.

    >>> import deepdive as dd
    >>> dd.erfc(dd.tensor([0.0, 5.0]))
    tensor([1.0000e+00, 1.5375e-12])
    """

    promotes = "float"

    def forward(self, xp, x):
        return words.erfc(xp, x)

    def backward(self, xp, grad, x):
        return grad * (-2 / ROOT_PI) * xp.exp(-x * x)


@register("erfcx", method=False)
class Erfcx(Operator):
    """``e^(x²) erfc(x)``: the right tail of erfc without its underflow."""

    promotes = "float"

    def forward(self, xp, x):
        return words.erfcx(xp, x)

    def backward(self, xp, grad, x, out):
        return grad * (2 * x * out - 2 / ROOT_PI)


@register("erfinv")
class Erfinv(Operator):
    """The y with ``erf(y) = x``, for ``-1 ≤ x ≤ 1``; ±∞ at the ends, NaN beyond."""

    promotes = "float"
    domain = (-1.0, 1.0)

    def forward(self, xp, x):
        return words.erfinv(xp, x)

    def backward(self, xp, grad, out):
        return grad * (0.5 * ROOT_PI) * xp.exp(out * out)


@derive("ndtr", method=False)
def ndtr(x: Any) -> Tensor:
    """The normal distribution ``Φ(x) = ½ erfc(-x/√2)``, with all digits in both tails."""
    return 0.5 * Erfc()(x * -math.sqrt(0.5))


@register("ndtri", method=False)
class Ndtri(Operator):
    """The y with ``Φ(y) = x``: the normal distribution's quantile, for ``0 ≤ x ≤ 1``."""

    promotes = "float"
    domain = (0.0, 1.0)

    def forward(self, xp, x):
        return words.ndtri(xp, x)

    def backward(self, xp, grad, out):
        return grad * math.sqrt(2 * math.pi) * xp.exp(0.5 * out * out)


@register("log_ndtr", method=False)
class LogNdtr(Operator):
    """``log Φ(x)``, without underflow far to the left."""

    promotes = "float"

    def forward(self, xp, x):
        left, right = xp.minimum(x, 0.0), xp.maximum(x, 0.0)
        tail = xp.log(0.5 * words.erfcx(xp, left * -math.sqrt(0.5))) - 0.5 * left * left
        near = xp.log1p(-0.5 * words.erfc(xp, right * math.sqrt(0.5)))
        return xp.where(x < 0, tail, near)

    def backward(self, xp, grad, x):
        tail = slope_of(xp, Erfcx(), xp.minimum(x, 5.0) * -math.sqrt(0.5))
        # beyond 5 the scaled tail itself is e^(x²/2) (1 + Φ …): the density over 1 is exact there
        density = xp.exp(-0.5 * x * x) * math.sqrt(0.5 / math.pi)
        return grad * xp.where(x < 5.0, math.sqrt(2 / math.pi) / tail, density)


# --- the gamma function's relatives ------------------------------------------------------------
@register("lgamma", "gammaln")
class Lgamma(Operator):
    """``log |Γ(x)|``; ∞ at the poles 0, -1, -2, …

    >>> import deepdive as dd
    >>> dd.lgamma(dd.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """

    promotes = "float"

    def forward(self, xp, x):
        return words.lgamma(xp, x)

    def backward(self, xp, grad, x):
        return grad * slope_of(xp, Polygamma(0), x)


@register("polygamma", method=False)
class Polygamma(Operator):
    """The n-th derivative of the digamma function ``ψ(x) = d/dx log Γ(x)``.

    Raises:
        ArgumentError: for a negative or fractional n.
    """

    promotes = "float"
    n: int
    signature = "n, x"

    def forward(self, xp, x):
        if not isinstance(self.n, int) or self.n < 0:
            raise ArgumentError("polygamma: n counts derivatives", got=self.n, expected="0, 1, 2 …")
        return words.polygamma(xp, self.n, x)

    def backward(self, xp, grad, x):
        return grad * slope_of(xp, Polygamma(self.n + 1), x)


def _polygamma(x: Tensor, n: int) -> Tensor:
    """``x.polygamma(n)``: the method's first argument is x (see :class:`Polygamma`)."""
    return Polygamma(n)(x)


add_method("polygamma", _polygamma)


@derive("digamma", "psi")
def digamma(x: Any) -> Tensor:
    """``ψ(x) = d/dx log Γ(x)``.

    >>> import deepdive as dd
    >>> dd.digamma(dd.tensor([1.0]))
    tensor([-0.5772])
    """
    return Polygamma(0)(x)


@derive("mvlgamma", "multigammaln")
def mvlgamma(x: Any, p: int) -> Tensor:
    """``log π · p (p - 1) / 4 + Σ_{j<p} log Γ(x - j/2)``: the gamma function of p × p matrices."""
    if p < 1:
        raise ArgumentError("mvlgamma: p is a size", got=p, expected="1, 2, …")
    total = Lgamma()(x)
    for j in range(1, p):
        total = total + Lgamma()(x - 0.5 * j)
    return total + math.log(math.pi) * (p * (p - 1) / 4)


# --- modified Bessel functions of the first kind -----------------------------------------------
@register("i0")
class I0(Operator):
    """``I₀(x) = Σ (x/2)^(2k) / (k!)²``."""

    promotes = "float"

    def forward(self, xp, x):
        return words.bessel(xp, 0, x)

    def backward(self, xp, grad, x):
        return grad * slope_of(xp, I1(), x)


@register("i1", method=False)
class I1(Operator):
    """``I₁(x) = Σ (x/2)^(2k+1) / (k! (k+1)!)``, the slope of I₀."""

    promotes = "float"

    def forward(self, xp, x):
        return words.bessel(xp, 1, x)

    def backward(self, xp, grad, x, out):
        zero = x == 0
        ratio = xp.where(zero, 0.5, out / xp.where(zero, 1.0, x))
        return grad * (slope_of(xp, I0(), x) - ratio)


@register("i0e", method=False)
class I0e(Operator):
    """``e^-|x| I₀(x)``, which does not overflow."""

    promotes = "float"

    def forward(self, xp, x):
        return words.bessel_scaled(xp, 0, x)

    def backward(self, xp, grad, x, out):
        return grad * (slope_of(xp, I1e(), x) - xp.sign(x) * out)


@register("i1e", method=False)
class I1e(Operator):
    """``e^-|x| I₁(x)``, which does not overflow."""

    promotes = "float"

    def forward(self, xp, x):
        return words.bessel_scaled(xp, 1, x)

    def backward(self, xp, grad, x, out):
        zero = x == 0
        ratio = xp.where(zero, 0.5, out / xp.where(zero, 1.0, x))
        return grad * (slope_of(xp, I0e(), x) - xp.sign(x) * out - ratio)


# --- entropies and odds ------------------------------------------------------------------------
class _WeightedLog(Operator):
    """Base of ``x log y`` and ``x log(1 + y)``: 0 where x is, whatever y, unless y is NaN."""

    promotes = "float"
    shift = 0.0

    def forward(self, xp, x, y):
        if isinstance(y, (int, float)):
            y = xp.full((), float(y), x.dtype)
        silent = xp.logical_and(x == 0, y == y)
        return xp.where(silent, 0.0, x * self._log(xp, xp.where(silent, 1.0, y)))

    def backward(self, xp, grad, x, y):
        if isinstance(y, (int, float)):
            y = xp.full((), float(y), x.dtype)
        silent = xp.logical_and(x == 0, y <= -self.shift)
        log = self._log(xp, xp.where(silent, 1.0, y))
        return xp.where(silent, 0.0, grad * log), grad * x / (y + self.shift)

    def _log(self, xp, y):
        raise NotImplementedError


@register("xlogy")
class Xlogy(_WeightedLog):
    """``x log y``, and 0 where x is 0.

    >>> import deepdive as dd
    >>> dd.xlogy(dd.tensor([0.0, 2.0]), dd.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """

    def forward(self, xp, x, y):
        return super().forward(xp, x, y)

    def _log(self, xp, y):
        return xp.log(y)


@register("xlog1py", method=False)
class Xlog1py(_WeightedLog):
    """``x log(1 + y)``, and 0 where x is 0."""

    shift = 1.0

    def forward(self, xp, x, y):
        return super().forward(xp, x, y)

    def _log(self, xp, y):
        return xp.log1p(y)


@derive("entr", method=False)
def entr(x: Any) -> Tensor:
    """``-x log x``, an outcome's share of the entropy; 0 at 0, -∞ below."""
    x = x if isinstance(x, Tensor) else Tensor(x, requires_grad=False)
    below = (x < 0).detach()
    value = -Xlogy()(x, x)
    return value.masked_fill(below, -math.inf)


@derive("logit")
def logit(x: Any, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))``, the inverse of the sigmoid; `x` limited to [eps, 1 - eps] if given."""
    x = floating(x)
    z = x if eps is None else Clamp(eps, 1 - eps)(x)
    return Log()(z) - Log1p()(-z)

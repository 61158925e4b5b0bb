"""Circular and hyperbolic functions and their inverses; angles in radians."""

from __future__ import annotations

import math

from deepdive.core.operator import Operator, register


@register
class Sin(Operator):
    """``sin x``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.sin(x)

    def backward(self, xp, grad, x):
        return grad * xp.cos(x)


@register
class Cos(Operator):
    """``cos x``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.cos(x)

    def backward(self, xp, grad, x):
        return -grad * xp.sin(x)


@register
class Tan(Operator):
    """``tan x``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.tan(x)

    def backward(self, xp, grad, out):
        return grad * (1 + out * out)


@register("asin", "arcsin")
class Asin(Operator):
    """The angle in [-π/2, π/2] whose sine is x."""

    promotes = "float"
    domain = (-1.0, 1.0)

    def forward(self, xp, x):
        return xp.asin(x)

    def backward(self, xp, grad, x):
        return grad / xp.sqrt(1 - x * x)


@register("acos", "arccos")
class Acos(Operator):
    """The angle in [0, π] whose cosine is x."""

    promotes = "float"
    domain = (-1.0, 1.0)

    def forward(self, xp, x):
        return xp.acos(x)

    def backward(self, xp, grad, x):
        return -grad / xp.sqrt(1 - x * x)


@register("atan", "arctan")
class Atan(Operator):
    """The angle in (-π/2, π/2) whose tangent is x."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.atan(x)

    def backward(self, xp, grad, x):
        return grad / (1 + x * x)


@register
class Sinh(Operator):
    """``(eˣ - e⁻ˣ) / 2``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.sinh(x)

    def backward(self, xp, grad, x):
        return grad * xp.cosh(x)


@register
class Cosh(Operator):
    """``(eˣ + e⁻ˣ) / 2``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.cosh(x)

    def backward(self, xp, grad, x):
        return grad * xp.sinh(x)


@register
class Tanh(Operator):
    """``(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.tanh(x)

    def backward(self, xp, grad, out):
        return grad * (1 - out * out)


@register("asinh", "arcsinh")
class Asinh(Operator):
    """The inverse of sinh."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.asinh(x)

    def backward(self, xp, grad, x):
        return grad / xp.sqrt(x * x + 1)


@register("acosh", "arccosh")
class Acosh(Operator):
    """The inverse of cosh, for x ≥ 1."""

    promotes = "float"
    domain = (1.0, math.inf)

    def forward(self, xp, x):
        return xp.acosh(x)

    def backward(self, xp, grad, x):
        return grad / (xp.sqrt(x - 1) * xp.sqrt(x + 1))


@register("atanh", "arctanh")
class Atanh(Operator):
    """The inverse of tanh, for ``|x| < 1``."""

    promotes = "float"
    domain = (-1.0, 1.0)

    def forward(self, xp, x):
        return xp.atanh(x)

    def backward(self, xp, grad, x):
        return grad / (1 - x * x)

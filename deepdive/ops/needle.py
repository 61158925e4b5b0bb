"""Names of the Needle course: the operators its exercises use, where PyTorch has others.

An operator with parameters is made and applied: ``PowerScalar(3)(a)``.
"""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor
from deepdive.ops.creation import zeros
from deepdive.ops.shape import Cat


@register("power_scalar")
class PowerScalar(Operator):
    """x ** scalar, the exponent being a parameter of the operator.

    >>> import deepdive as dd
    >>> PowerScalar(3)(dd.tensor([1.0, 2.0]))
    tensor([1., 8.])
    """

    scalar: float

    def forward(self, xp, x):
        return xp.pow(x, self.scalar)

    def backward(self, xp, grad, x):
        return grad * (self.scalar * xp.pow(x, self.scalar - 1))


@register("add_scalar")
class AddScalar(Operator):
    """x + scalar."""

    scalar: float

    def forward(self, xp, x):
        return x + self.scalar

    def backward(self, xp, grad):
        return grad


@register("mul_scalar")
class MulScalar(Operator):
    """x · scalar."""

    scalar: float

    def forward(self, xp, x):
        return x * self.scalar

    def backward(self, xp, grad):
        return grad * self.scalar


@derive("negate")
def negate(x: Tensor) -> Tensor:
    """-x."""
    return -x  # type: ignore[operator,no-any-return]


@derive("summation")
def summation(x: Tensor, axes: Any = None) -> Tensor:
    """Σ x over the given axes, or over all."""
    return x.sum(axes)  # type: ignore[attr-defined,no-any-return]


@derive("dilate")
def dilate(x: Tensor, axes: Any, dilation: int) -> Tensor:
    """`dilation` zeros behind each element along each of `axes`: n becomes n · (dilation + 1).

    >>> import deepdive as dd
    >>> dilate(dd.tensor([1.0, 2.0]), (0,), 2)
    tensor([1., 0., 0., 2., 0., 0.])
    """
    out: Any = x
    for axis in (axes,) if isinstance(axes, int) else axes:
        axis %= x.ndim
        shape = tuple(out.shape)
        gap = zeros(
            *shape[: axis + 1], dilation, *shape[axis + 1 :], dtype=x.dtype, device=x.device
        )
        wide: Any = Cat(axis + 1)(out.unsqueeze(axis + 1), gap)
        out = wide.reshape(*shape[:axis], shape[axis] * (dilation + 1), *shape[axis + 1 :])
    return out  # type: ignore[no-any-return]

"""Questions about elements: infinite, close, equal."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import add_method, derive
from deepdive.core.tensor import Tensor
from deepdive.ops.arithmetic import as_tensor
from deepdive.ops.compare import IsNan


@derive("isposinf")
def isposinf(x: Any) -> Tensor:
    """True where x is ∞."""
    return as_tensor(x) == math.inf


@derive("isneginf")
def isneginf(x: Any) -> Tensor:
    """True where x is -∞."""
    return as_tensor(x) == -math.inf


@derive("isclose")
def isclose(
    x: Any,
    other: Any,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """``|x - other| ≤ atol + rtol |other|``; infinities are close to themselves alone."""
    x, other = as_tensor(x).detach(), as_tensor(other).detach()
    distance = abs(x * 1.0 - other)
    near: Any = (distance <= atol + rtol * abs(other)) & distance.isfinite()
    found: Any = near | (x == other)
    return found | (IsNan()(x) & IsNan()(other)) if equal_nan else found


def allclose(
    x: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Whether :func:`isclose` holds for all elements, as a Python bool."""
    return bool(isclose(x, other, rtol, atol, equal_nan).all().item())


def equal(x: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape and the same elements, as a Python bool."""
    same: Any = as_tensor(x) == other if tuple(x.shape) == tuple(other.shape) else None
    return same is not None and bool(same.all().item())


add_method("allclose", allclose)
add_method("equal", equal)

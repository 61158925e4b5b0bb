"""``gradient_check``: Needle's way to compare gradients with central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive.core.autograd.functional import grad
from deepdive.core.autograd.gradcheck import gradcheck
from deepdive.core.tensor import Tensor


def gradient_check(
    f: Callable[..., Tensor], *args: Any, tol: float = 1e-6, backward: bool = False, **kwargs: Any
) -> list[Any]:
    """The gradients of ``Σ f(*args, **kwargs)``, once they agree with central differences.

    Everything is computed in float64, whatever the dtype of `args`.

    Args:
        f: from tensors to a tensor.
        args: Tensors or arrays; floating ones are checked.
        tol: the allowed difference, absolute and relative.
        backward: whether the gradients come from a whole ``backward()``, not from :func:`grad`.

    Raises:
        GraphError: naming the input, the worst element and both numbers.

    >>> import deepdive as dd
    >>> [g.tolist() for g in gradient_check(lambda a, b: a * b, dd.tensor([2.0]), dd.tensor([3.0]))]
    [[3.0], [2.0]]
    """
    tensors = [_double(arg) for arg in args]

    def function(*given: Any) -> Tensor:
        return f(*given, **kwargs)

    gradcheck(function, tensors, atol=tol, rtol=tol)
    total: Any = function(*tensors).sum()  # type: ignore[attr-defined]
    inputs = [tensor for tensor in tensors if tensor.requires_grad]
    if not backward:
        return [part.numpy() for part in grad(total, inputs) if part is not None]
    total.backward()
    found: list[Any] = [tensor.grad for tensor in inputs]
    return [part.numpy() for part in found]


def _double(arg: Any) -> Tensor:
    data = Tensor(arg, requires_grad=False)
    if not data.is_floating_point():
        return data
    return Tensor(data, requires_grad=True, dtype="float64")

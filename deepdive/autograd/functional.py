"""Derivatives of functions in the older style: ``jacobian(f, inputs)`` gives the numbers at once.

As in ``torch.autograd.functional``: `inputs` is a Tensor or a tuple of them, and results are
nested accordingly.  :mod:`deepdive.func` has the same as functions of functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deepdive import config
from deepdive.core.autograd.engine import seed_of, walk
from deepdive.core.tensor import Tensor
from deepdive.core.transforms import derivatives
from deepdive.errors import ArgumentError, GraphError

Function = Callable[..., Any]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Fill ``.grad`` of all that several tensors were computed from, in one walk.

    Args:
        grad_tensors: a gradient per tensor; 1 for tensors of one element.

    >>> import deepdive as dd
    >>> x = dd.tensor(3.0, requires_grad=True)
    >>> backward([x * 2, x * x])
    >>> x.grad
    tensor(8.)
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if grad_tensors is None or isinstance(grad_tensors, Tensor):
        grad_tensors = [grad_tensors] * len(tensors)
    if len(grad_tensors) != len(tensors):
        raise ArgumentError(
            "backward: one gradient per tensor", got=len(grad_tensors), expected=len(tensors)
        )
    roots = []
    for tensor, gradient in zip(tensors, grad_tensors, strict=True):
        if tensor._node is None:
            raise GraphError("backward: a tensor tracks no gradient", got=repr(tensor))
        roots.append((tensor._node, seed_of(tensor, gradient, create_graph)))
    keep = create_graph if retain_graph is None else retain_graph
    walk(roots, retain_graph=keep, create_graph=create_graph)


def _listed(inputs: Any) -> tuple[Any, ...]:
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)


def _recorded(create_graph: bool) -> Any:
    """Without `create_graph` results have no history, whatever the inputs have."""
    return config.set_grad_enabled(create_graph)


def _values(inputs: Any, create_graph: bool) -> tuple[Any, ...]:
    values = _listed(inputs)
    return values if create_graph else tuple(x.detach() for x in values)


def _like(inputs: Any, values: Any) -> Any:
    return values[0] if isinstance(inputs, Tensor) else tuple(values)


def _argnums(inputs: Any) -> Any:
    return 0 if isinstance(inputs, Tensor) else tuple(range(len(inputs)))


def _demand_influence(func: Function, values: Any, strict: bool) -> None:
    """Refuse, if asked to, results that do not depend on every input.

    Raises:
        GraphError: naming the first input without influence.
    """
    if not strict:
        return
    with config.enable_grad():
        leaves = [x.detach().requires_grad_() for x in values]
        outs = _listed(func(*leaves))
    for k, out in enumerate(outs):
        reached = _nodes_behind(out)
        for i, leaf in enumerate(leaves):
            if leaf._node not in reached:
                raise GraphError(
                    f"strict: output {k} does not depend on input {i}",
                    fix="leave the input out, or strict=False, which gives zeros",
                )


def _nodes_behind(out: Tensor) -> set[Any]:
    seen: set[Any] = set()
    waiting = [out._node]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend(node.parents)
    return seen


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """``J[i, j] = ∂f_i / ∂x_j``, with the axes of the output first.

    Args:
        create_graph: give the result a history.
        strict: refuse outputs that do not depend on an input.
        vectorize: PyTorch's; all rows are always computed at once.
        strategy: ``"reverse-mode"``, or ``"forward-mode"`` for few inputs and many outputs.

    >>> import deepdive as dd
    >>> jacobian(lambda x: x**2, dd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ArgumentError(
            "jacobian: unknown strategy",
            got=repr(strategy),
            expected="'reverse-mode' or 'forward-mode'",
        )
    values = _values(inputs, create_graph)
    _demand_influence(func, values, strict)
    transform = derivatives.jacrev if strategy == "reverse-mode" else derivatives.jacfwd
    with _recorded(create_graph):
        return transform(func, _argnums(inputs))(*values)


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """``H[i, j] = ∂²f / ∂x_i ∂x_j`` of a function whose value is a number."""
    values = _values(inputs, create_graph)
    _demand_influence(func, values, strict)
    forward = outer_jacobian_strategy == "forward-mode"
    outer = derivatives.jacfwd if forward else derivatives.jacrev
    numbers = _argnums(inputs)
    with _recorded(create_graph):
        return outer(derivatives.jacrev(func, numbers), numbers)(*values)


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``f(x)`` and ``vᵀJ``; `v` may be left out where ``f(x)`` has one element."""
    values = _values(inputs, create_graph)
    _demand_influence(func, values, strict)
    with _recorded(create_graph):
        out, pull = derivatives.vjp(func, *values)
        seeds = _ones(out, v, "vjp")
        return out, _like(inputs, pull(seeds))


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``f(x)`` and ``J·v``; `v` may be left out where there is one input of one element."""
    values = _values(inputs, create_graph)
    _demand_influence(func, values, strict)
    tangents = _listed(_ones(inputs, v, "jvp"))
    with _recorded(create_graph):
        return derivatives.jvp(func, values, tangents)  # type: ignore[return-value]


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``f(x)`` and ``H·v``, H being the Hessian of a function whose value is a number."""
    values = _values(inputs, create_graph)
    _demand_influence(func, values, strict)
    tangents = _listed(_ones(inputs, v, "hvp"))
    with _recorded(create_graph):
        out, found = derivatives.hvp(func, values, tangents)
    return out, _like(inputs, found)


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``f(x)`` and ``vᵀH``, which is ``H·v``: the Hessian is symmetric."""
    return hvp(func, inputs, v, create_graph, strict)


def _ones(like: Any, v: Any, name: str) -> Any:
    if v is not None:
        return v
    if not isinstance(like, Tensor) or like.numel() != 1:
        raise ArgumentError(f"{name}: v can be left out for one Tensor of one element only")
    return derivatives._ones(like)

"""Derivatives as functions: grad, vjp, jvp, hvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core.autograd.engine import seed_of, walk
from deepdive.core.node import Node
from deepdive.core.tensor import Tensor, new_tensor, wrap
from deepdive.errors import GraphError


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`; no ``.grad`` is touched.

    Args:
        outputs: the tensor(s) to differentiate.
        inputs: the tensor(s) to differentiate by.
        grad_outputs: one gradient per output; 1 for outputs of one element.
        retain_graph: keep the graph for another pass (default: as `create_graph`).
        create_graph: record this pass, so that its result can be differentiated.
        allow_unused: give None for an input the outputs do not depend on.

    Returns:
        A tuple with one gradient per input.

    Raises:
        GraphError: for an input that tracks no gradient, or that is unused.

    >>> import deepdive as dd
    >>> x = dd.Tensor(3.0)
    >>> (first,) = grad(x**3, x, create_graph=True)
    >>> grad(first, x)
    (tensor(18.),)
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if not isinstance(grad_outputs, (tuple, list)):
        grad_outputs = [grad_outputs] * len(outputs)
    nodes = [_tracked(t, "inputs", i) for i, t in enumerate(inputs)]
    roots = [
        (_tracked(out, "outputs", i), seed_of(out, seed, create_graph))
        for i, (out, seed) in enumerate(zip(outputs, grad_outputs, strict=True))
    ]
    recorder = config.lazy_mode.get()
    if hasattr(recorder, "targets"):  # a vmap at work
        nodes = recorder.targets(nodes, [node for node, _ in roots])
    targets: dict[Node, Any] = dict.fromkeys(nodes)
    keep = create_graph if retain_graph is None else retain_graph
    walk(roots, retain_graph=keep, create_graph=create_graph, targets=targets)
    results = [targets[node] for node in nodes]
    unused = [i for i, result in enumerate(results) if result is None]
    if unused and not allow_unused:
        raise GraphError(
            f"grad: inputs[{unused[0]}] has no part in the outputs",
            fix="pass allow_unused=True to get None for it",
        )
    return tuple(r if r is None or isinstance(r, Tensor) else _result(r) for r in results)


def _result(array: Any) -> Tensor:
    if type(array) not in speakers.BY_TYPE:
        array = speakers.BY_DEVICE["cpu"].asarray(array)
    return wrap(array)


def _tracked(tensor: Tensor, role: str, i: int) -> Node:
    if tensor._node is None:
        raise GraphError(
            f"grad: {role}[{i}] tracks no gradient",
            got=repr(tensor),
            fix="make it with requires_grad=True",
        )
    return tensor._node


def _listed(values: Any) -> list[Tensor]:
    return list(values) if isinstance(values, (tuple, list)) else [values]


def _like(values: list[Any], single: bool) -> Any:
    return values[0] if single else tuple(values)


def _zeros_for_none(found: Any, leaves: list[Tensor]) -> list[Tensor]:
    pairs = zip(found, leaves, strict=True)
    return [_zeros_like(leaf) if part is None else part for part, leaf in pairs]


def _zeros_like(tensor: Tensor) -> Tensor:
    # not `data * 0`: that is NaN where data are infinite, and no array where they are 0-d
    return wrap(speakers.BY_TYPE[type(tensor._data)].zeros_like(tensor._data))


def _leaves(primals: Any) -> list[Tensor]:
    """Fresh leaves on the same arrays, or – where history must be kept – the tensors themselves."""
    leaves: list[Any] = []
    for value in _listed(primals):
        if isinstance(value, Tensor) and value.requires_grad:
            leaves.append(value * 1)
        else:
            leaf = new_tensor(Tensor)
            source = value if isinstance(value, Tensor) else Tensor(value, requires_grad=False)
            leaf._data = source._data
            leaf._node = leaf._grad = leaf._seed = leaf._skeleton = None
            leaves.append(leaf.requires_grad_())
    return leaves


def vjp(function: Callable[..., Tensor], primals: Any) -> tuple[Tensor, Callable[..., Any]]:
    """The value of ``function(*primals)`` and the map v → vᵀJ (vector–Jacobian product).

    >>> import deepdive as dd
    >>> out, pull = vjp(lambda x: x**2, dd.tensor([1.0, 2.0]))
    >>> pull(dd.tensor([1.0, 10.0]))
    tensor([ 2., 40.])
    """
    single = not isinstance(primals, (tuple, list))
    with config.enable_grad():
        leaves = _leaves(primals)
        out = function(*leaves)

    def pull(vector: Any, create_graph: bool = False) -> Any:
        found = grad(out, leaves, vector, True, create_graph, allow_unused=True)
        return _like(_zeros_for_none(found, leaves), single)

    return out, pull


def jvp(function: Callable[..., Tensor], primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """The value and Jv (Jacobian–vector product): forward mode, as the transpose of vjp.

    ``u ↦ uᵀJ`` is linear in u, so its own vjp in the direction v is Jv.

    >>> import deepdive as dd
    >>> jvp(lambda x: x**2, dd.tensor([1.0, 2.0]), dd.tensor([1.0, 10.0]))[1]
    tensor([ 2., 40.])
    """
    out, pull = vjp(function, primals)
    with config.enable_grad():
        dummy = _zeros_like(out).requires_grad_()
        pulled = _listed(pull(dummy, create_graph=True))
        used = [(p, t) for p, t in zip(pulled, _listed(tangents), strict=True) if p.requires_grad]
        if not used:
            return out.detach(), _zeros_like(out)
        (result,) = grad(
            [p for p, _ in used], dummy, [t for _, t in used], allow_unused=True, retain_graph=True
        )
    return out.detach(), _zeros_like(out) if result is None else result


def hvp(function: Callable[..., Tensor], primals: Any, tangents: Any) -> tuple[Tensor, Any]:
    """The value of a scalar function and Hv (Hessian–vector product), at the cost of two passes.

    >>> import deepdive as dd
    >>> hvp(lambda x: (x**3).sum(), dd.tensor([1.0, 2.0]), dd.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    single = not isinstance(primals, (tuple, list))
    with config.enable_grad():
        leaves = _leaves(primals)
        out = function(*leaves)
        first = grad(out, leaves, create_graph=True, allow_unused=True)
        pairs = [
            (g, t)
            for g, t in zip(first, _listed(tangents), strict=True)
            if g is not None and g.requires_grad
        ]
        found: Any = [None] * len(leaves)
        if pairs:
            found = grad([g for g, _ in pairs], leaves, [t for _, t in pairs], allow_unused=True)
    return out.detach(), _like(_zeros_for_none(found, leaves), single)

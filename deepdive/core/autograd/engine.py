"""Reverse-mode differentiation: one walk from the youngest node to the oldest.

Every node is younger than its parents.  A heap that always yields the youngest waiting node is
therefore a topological order: when a node comes up, all uses of its value have already sent
their gradients.  Each node is met once, and no recursion depth limits the graph.
"""

from __future__ import annotations

import sys
from functools import partial
from heapq import heappop, heappush
from typing import Any

from deepdive import config
from deepdive.backend.speakers import BY_DEVICE, BY_TYPE
from deepdive.core import mutation
from deepdive.core.node import FREED, Node
from deepdive.core.operator import TensorSpeaker, add_method, tensor_words
from deepdive.core.tensor import Tensor, array_of, wrap
from deepdive.errors import DeepDiveError, GraphError, OperatorError, ShapeError


def backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Fill ``.grad`` of every tensor this one was computed from (and is still held).

    Args:
        gradient: dL/d(this), of this tensor's shape; 1 for a tensor of one element.
        retain_graph: keep what the forward pass saved, for a second backward
            (default: as `create_graph`).
        create_graph: record the backward pass itself, for gradients of gradients.

    Raises:
        GraphError: if nothing here tracks gradients, the graph was freed, or the tensor has
            several elements and no `gradient` is given.
    """
    node = self._node
    if node is None:
        raise GraphError(
            "backward: this tensor tracks no gradient",
            fix="make its inputs with requires_grad=True, and compute outside no_grad()",
        )
    seed = seed_of(self, gradient, create_graph)
    if self._seed is not None:
        self._grad = self._seed = None
    keep = create_graph if retain_graph is None else retain_graph
    walk([(node, seed)], retain_graph=keep, create_graph=create_graph)


def seed_of(root: Tensor, gradient: Any, create_graph: bool) -> Any:
    """The gradient a walk starts with: given, set beforehand on ``root.grad``, or 1."""
    speaker = BY_TYPE[type(root._data)]
    node: Any = root._node
    if gradient is None and root._seed is None:
        if root._data.size != 1:
            raise GraphError(
                "backward: only a tensor of one element has a gradient of its own",
                got=f"shape {tuple(root.shape)}",
                fix="reduce it first (loss.mean().backward()), or pass gradient=…",
            )
        one = speaker.ones(root._data.shape, node.dtype)
        return wrap(one) if create_graph else one
    gradient = root._seed if gradient is None else gradient
    if not isinstance(gradient, Tensor):
        gradient = wrap(array_of(gradient, speaker))
    if tuple(gradient.shape) != tuple(root.shape):
        raise ShapeError(
            "backward: the gradient has the shape of the tensor",
            got=tuple(gradient.shape),
            expected=tuple(root.shape),
        )
    return gradient if create_graph else array_of(gradient, speaker)


def walk(
    roots: list[tuple[Node, Any]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: dict[Node, Any] | None = None,
) -> None:
    """Carry the gradients of `roots` back through the graph.

    With `targets` (a dict node → None) gradients are put there and ``.grad`` stays untouched,
    else every live tensor's ``.grad`` is filled.
    """
    wanted = None if targets is None else _leading_to(targets, [node for node, _ in roots])
    pending, heap = _started(roots)
    token = config.grad_mode.set(create_graph)
    try:
        while heap:
            _, node = heappop(heap)
            grad = pending.pop(node)
            if node.hooks:
                grad = _run_hooks(node, grad, create_graph)
            if targets is None:
                _accumulate(node, grad)
            elif node in targets:
                targets[node] = grad
            if node.operator is None:
                if node.hooks and targets is None:
                    _run_after(node)
                continue
            grads = gradients(node, grad, create_graph)
            if not retain_graph:
                _free(node)
            for parent, part in zip(node.parents, grads, strict=False):
                if parent is None or part is None or (wanted is not None and parent not in wanted):
                    continue
                if part.shape != parent.shape or part.dtype is not parent.dtype:
                    part = _fitted(part, parent, node)
                if parent in pending:
                    pending[parent] = pending[parent] + part
                else:
                    pending[parent] = part
                    heappush(heap, (-parent.index, parent))
            grad = grads = part = None  # a gradient nobody else holds can be given away
    finally:
        config.grad_mode.reset(token)


def _started(roots: list[tuple[Node, Any]]) -> tuple[dict[Node, Any], list[tuple[int, Node]]]:
    """The gradients the walk begins with, and the heap of nodes they wait at."""
    pending: dict[Node, Any] = {}
    for node, seed in roots:
        pending[node] = pending[node] + seed if node in pending else seed
    heap = sorted((-node.index, node) for node in pending)
    return pending, heap


def gradients(node: Node, grad: Any, create_graph: bool) -> Any:
    """The gradients of a node's inputs, one per parent.

    Raises:
        GraphError: if what the node saved was freed by an earlier backward or has changed.
    """
    operator = node.operator
    saved = node.saved
    if saved is FREED:
        raise GraphError(
            f"backward: the graph was already freed (at {node.name})",
            fix="call the first backward(retain_graph=True), or compute the loss again",
        )
    if mutation.latest > node.index:
        mutation.check_unchanged(node)
    if create_graph:
        xp: Any = words_on(grad.device)
        saved = _tensors_saved(node, xp)
    else:
        xp = BY_TYPE.get(type(grad)) or _speaker_of_scalar(grad)
        contract = operator.contract
        if contract is not None and contract.keeps:
            saved = saved[: len(contract.plan)]
    try:
        if config.watch is None:
            grads = operator.backward(xp, grad, *saved)
        else:
            if hasattr(config.watch, "at"):
                config.watch.at(node)
            grads = config.watch.backward(operator, operator.backward, (xp, grad, *saved))
    except DeepDiveError as error:
        error.where.append(f"backward of {operator!r}")
        raise
    if type(grads) is not tuple and not isinstance(grads, (tuple, list)):
        grads = (grads,)
    if len(grads) != len(node.parents):
        _check_count(node, grads)
    return grads


def _check_count(node: Node, grads: Any) -> None:
    """Fewer gradients than inputs are fine if the rest is not wanted."""
    expected = len(node.parents)
    if len(grads) > expected or any(p is not None for p in node.parents[len(grads) :]):
        raise OperatorError(
            f"backward of {node.name}: one gradient per input",
            got=f"{len(grads)} gradients",
            expected=f"{expected}, None where there is none",
        )


def _speaker_of_scalar(grad: Any) -> Any:
    """NumPy turns 0-d results into scalars; they are spoken for by the CPU's speaker."""
    return BY_DEVICE["cpu"]


def words_on(device: str) -> Any:
    """The words spoken with Tensors, those that create some on `device`."""
    if device == config.defaults.device:
        return tensor_words
    words = TensorSpeaker()
    words.__dict__.update(tensor_words.__dict__)
    for name in ("zeros", "ones", "full", "arange", "eye", "random_bits"):
        setattr(words, name, partial(getattr(tensor_words, name), device=device))
    return words


def _tensors_saved(node: Node, xp: Any) -> list[Any]:
    """What ``backward`` asks for as Tensors with history, for gradients of gradients.

    Inputs get their parent's node back; what ``forward`` kept is computed again, recorded.
    """
    operator = node.operator
    contract = operator.contract
    if contract is None:
        return list(node.saved)
    names = contract.inputs

    def revived(name: str, value: Any) -> Any:
        if name == "out":
            return _with_node(value, node)
        if name in names:
            if contract.variadic:
                return [_with_node(v, p) for v, p in zip(value, node.parents, strict=True)]
            return _with_node(value, node.parents[names.index(name)])
        return value

    count = len(contract.plan)
    saved = [revived(n, v) for n, v in zip(contract.asks, node.saved[:count], strict=True)]
    if not contract.keeps:
        return saved
    inputs = [_with_node(v, p) for v, p in zip(node.saved[count:], node.parents, strict=False)]
    with config.enable_grad():
        operator.forward(xp, *inputs)
    kept = operator.kept
    operator.kept = None
    return [kept[n] if n in contract.kept else v for n, v in zip(contract.asks, saved, strict=True)]


def _with_node(value: Any, node: Node | None) -> Any:
    if type(value) not in BY_TYPE:
        return value
    tensor = wrap(value)
    tensor._node = node
    return tensor


def _fitted(part: Any, parent: Node, node: Node) -> Any:
    """Undo broadcasting and cast to the input's dtype; any other wrong shape is an error."""
    if part.shape != parent.shape:
        part = unbroadcast(part, parent.shape, node.name)
    return _cast(part, parent.dtype)


def _cast(grad: Any, dtype: Any) -> Any:
    if grad.dtype == dtype:
        return grad
    return tensor_words.astype(grad, dtype) if isinstance(grad, Tensor) else grad.astype(dtype)


def unbroadcast(grad: Any, shape: tuple[int, ...], name: str) -> Any:
    """Sum `grad` over the axes along which a `shape` was broadcast.

    Raises:
        OperatorError: if `shape` cannot have been broadcast to the gradient's shape.
    """
    extra = len(grad.shape) - len(shape)
    tail = grad.shape[extra:] if extra >= 0 else ()
    fits = extra >= 0 and all(n in (m, 1) for n, m in zip(shape, tail, strict=True))
    if not fits:
        raise OperatorError(
            f"backward of {name}: a gradient of the wrong shape",
            got=tuple(grad.shape),
            expected=f"{tuple(shape)}, or a shape it broadcasts to",
        )
    if isinstance(grad, Tensor):
        xp: Any = tensor_words
    else:
        xp = BY_TYPE.get(type(grad)) or _speaker_of_scalar(grad)
    axes = list(range(extra))
    axes += [extra + i for i, n in enumerate(shape) if n == 1 and tail[i] != 1]
    if axes:
        grad = xp.sum(grad, axis=tuple(axes), keepdims=True)
    return xp.reshape(grad, tuple(shape))


def _run_hooks(node: Node, grad: Any, create_graph: bool) -> Any:
    """Show the gradient to each hook; what a hook returns takes its place.

    Raises:
        ShapeError: if that has another shape.
    """
    speaker = BY_TYPE.get(type(grad)) or _speaker_of_scalar(grad)
    for hook in list(node.hooks or ()):
        if type(hook) is AfterHook:
            continue
        shown = grad if isinstance(grad, Tensor) else wrap(speaker.asarray(grad))
        answer = hook(shown)
        if answer is None:
            continue
        grad = answer if isinstance(answer, Tensor) else wrap(array_of(answer, speaker))
        if tuple(grad.shape) != tuple(node.shape):
            raise ShapeError(
                "hook: what it returns takes the place of the gradient",
                got=tuple(grad.shape),
                expected=tuple(node.shape),
            )
        grad = _cast(grad if create_graph else grad._data, node.dtype)
    return grad


class AfterHook:
    """A function of a leaf, to be called when its gradient has been added up."""

    def __init__(self, function: Any) -> None:
        self.function = function


def _run_after(node: Node) -> None:
    leaf = node.output()
    for hook in list(node.hooks or ()):
        if type(hook) is AfterHook and leaf is not None:
            hook.function(leaf)


def _references(grad: Any) -> int:
    return sys.getrefcount(grad)


def _references_alone() -> int:
    """What :func:`_references` says of an object that only the walk holds.

    Measured, not counted: interpreters differ in how they pass arguments.
    """

    def accumulate(grad: Any) -> int:
        return _references(grad)

    grad = object()
    return accumulate(grad)


ALONE = _references_alone()


def _accumulate(node: Node, grad: Any) -> None:
    """Add `grad` to the ``.grad`` of the tensor this node made, if somebody still holds it."""
    tensor = node.output()
    if tensor is None:
        return
    held = tensor._grad
    if held is not None:
        old = held if isinstance(grad, Tensor) else getattr(held, "_data", held)
        if isinstance(grad, Tensor) and not isinstance(held, Tensor):
            old = wrap(held)
        tensor._grad = old + grad
        return
    if isinstance(grad, Tensor):
        tensor._grad = grad
        return
    speaker = BY_TYPE.get(type(grad))
    if speaker is None:
        grad = _speaker_of_scalar(grad).asarray(grad)
    elif _references(grad) > ALONE or speaker.owner(grad) is not grad:
        grad = speaker.copy(grad)  # somebody else may hold, and later change, this memory
    tensor._grad = grad


def _free(node: Node) -> None:
    """Drop what the node saved; the skeleton stays with tensors that are still held, to draw."""
    node.saved = FREED
    tensor = node.output()
    if tensor is not None and tensor._node is node:
        tensor._skeleton = node
        tensor._node = node.remains(tensor)


def _leading_to(targets: dict[Node, Any], roots: list[Node]) -> set[Node]:
    """The nodes from which some target can be reached: gradients need not flow elsewhere."""
    seen = set(roots)
    stack = list(roots)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    leading: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.index):  # parents come before children
        if node in targets or any(p in leading for p in node.parents if p is not None):
            leading.add(node)
    return leading


add_method("backward", backward)

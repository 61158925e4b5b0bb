"""Checkpoints: activations are computed again when the backward pass wants them, not kept.

Chen et al. 2016, "Training deep nets with sublinear memory cost".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deepdive import config
from deepdive.core import random
from deepdive.core.function import Context, StaticCall
from deepdive.core.node import Freed, Node, next_index
from deepdive.core.tensor import Tensor
from deepdive.core.transforms import trees
from deepdive.errors import ArgumentError, GraphError


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate values are not kept for the backward pass.

    They are computed a second time when the backward pass arrives there: a third more work, for
    the memory of the results alone.  Gradients are the same bits, of all orders, for arguments
    and for whatever else the function uses.  While a function is being compiled, the compiler
    decides what is kept, and this is a plain call.

    Args:
        use_reentrant: PyTorch's; both of its ways give what this one gives.
        preserve_rng_state: draw the same random numbers (dropout) the second time.

    Raises:
        GraphError: in the backward pass, if the function did something else the second time.

    >>> import deepdive as dd
    >>> x = dd.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: (x.exp() * x).sum(), x).backward()
    >>> x.grad
    tensor([ 5.4366, 22.1672])
    """
    if not config.grad_mode.get() or config.tracing.get() is not None:
        return function(*args, **kwargs)
    state = random.get_rng_state() if preserve_rng_state else None
    start = next_index()
    out = function(*args, **kwargs)
    nodes = _made_since(start, out)
    again = _Again(
        function, trees.mapped(_kept, (args, kwargs)), state, [_outline(node) for node in nodes]
    )
    again.nodes = nodes
    for node in nodes:
        _forget(node)
        node.hooks = [*(node.hooks or ()), again]
    return out


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **options: Any
) -> Any:
    """A chain of functions (or a Sequential), cut into `segments`, each under a checkpoint.

    Raises:
        ArgumentError: unless there are 1 … len(functions) segments.
    """
    parts: Sequence[Any] = list(
        functions.children() if hasattr(functions, "children") else functions
    )
    if not 1 <= segments <= len(parts):
        raise ArgumentError(
            "checkpoint_sequential: every segment has a function",
            got=f"{segments} segments of {len(parts)} functions",
        )
    size = len(parts) // segments
    for i in range(segments):
        last = i == segments - 1
        part = parts[i * size :] if last else parts[i * size : (i + 1) * size]
        input = checkpoint(_chain(part), input, **options)
    return input


def _chain(functions: Sequence[Any]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for function in functions:
            x = function(x)
        return x

    return run


class _Again:
    """What brings back the saved values of a checkpoint's nodes: a hook on each of them.

    The engine runs a node's hooks before it asks what the node saved.
    """

    def __init__(self, function: Any, inputs: Any, state: Any, outlines: list[Any]) -> None:
        self.function, self.inputs, self.state = function, inputs, state
        self.outlines = outlines
        self.nodes: list[Node] = []

    def __call__(self, grad: Any) -> None:
        if not self.nodes:
            return
        nodes, self.nodes = self.nodes, []
        now = random.get_rng_state()
        start = next_index()
        if self.state is not None:
            random.set_rng_state(self.state)
        try:
            with config.enable_grad():
                args, kwargs = trees.mapped(_fresh, self.inputs)
                out = self.function(*args, **kwargs)
        finally:
            random.set_rng_state(now)
        found = _made_since(start, out)
        if [_outline(node) for node in found] != self.outlines:
            raise GraphError(
                "checkpoint: the function did something else when it was run again",
                got=f"{len(found)} operators",
                expected=f"the {len(nodes)} operators of the first run",
                fix="make it depend on its arguments and on nothing that changes in between",
            )
        for node, twin in zip(nodes, found, strict=True):
            if node.saved is LATER:
                node.saved, node.operator = twin.saved, twin.operator
            node.hooks = [hook for hook in node.hooks or () if hook is not self] or None


class _Later(Freed):
    """What stands in ``saved`` until the function is run again."""


LATER = _Later()


class _Held:
    """An argument that is a Tensor: its values, without the history that the nodes have."""

    def __init__(self, tensor: Tensor, tracked: bool) -> None:
        self.tensor, self.tracked = tensor, tracked


def _kept(leaf: Any) -> Any:
    return _Held(leaf.detach(), leaf.requires_grad) if isinstance(leaf, Tensor) else leaf


def _fresh(leaf: Any) -> Any:
    """The argument once more, as a leaf: the graph of the second run ends there."""
    if not isinstance(leaf, _Held):
        return leaf
    tensor = leaf.tensor.detach()
    return tensor.requires_grad_() if leaf.tracked else tensor


def _made_since(start: int, out: Any) -> list[Node]:
    """The operators' nodes younger than `start` that lead to a result, the oldest first."""
    found: dict[int, Node] = {}
    stack = [leaf._node for leaf in trees.leaves(out) if isinstance(leaf, Tensor)]
    while stack:
        node = stack.pop()
        if node is None or node.index < start or node.index in found:
            continue
        if node.operator is not None:
            found[node.index] = node
            stack.extend(node.parents)
    return [found[index] for index in sorted(found)]


def _outline(node: Node) -> tuple[str, tuple[int, ...]]:
    return node.name, tuple(node.shape)


def _forget(node: Node) -> None:
    """Drop what a node saved; it is saved again later."""
    node.saved = LATER
    if isinstance(node.operator, StaticCall):
        call = node.operator
        node.operator = StaticCall(call.cls, Context(), call.positions, call.arity)

"""Backward, operator by operator: what each gets, what it does, what it passes on.

For learning and for looking; it walks as the engine does, with the engine's own parts, and leaves
``.grad`` and the graph as they were.
"""

from __future__ import annotations

import inspect
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from typing import Any

from deepdive.core.autograd.engine import gradients, seed_of, unbroadcast
from deepdive.core.host_values import as_array
from deepdive.core.tensor import Tensor
from deepdive.dash.graph import named
from deepdive.dash.picture_file import save_picture
from deepdive.dash.stepper_page import page
from deepdive.dash.steps import Step, Value
from deepdive.errors import GraphError


class Stepper:
    """The steps of ``loss.backward()``, the youngest operator first.

    Iterating gives the :class:`Step` s; :meth:`walk` shows them one by one in a terminal and
    :meth:`save` writes a page to click through, with the graph drawn beside.

    Args:
        loss: where to begin; a Tensor with a history that has not been freed.
        namespace: names for the tensors, usually ``locals()``.
        gradient: dL/d(loss), as for ``backward``.

    Raises:
        GraphError: if there is no history, or it was freed.

    >>> import deepdive as dd
    >>> x = dd.tensor([2.0, 3.0], requires_grad=True)
    >>> loss = (x * x).sum()
    >>> print(next(iter(Stepper(loss, {"x": x, "loss": loss}))))
    1. loss = Sum(v1)
       loss = 13.
       gets   dL/dloss = 1.
       | def backward(self, xp, grad, x_shape):
       |     return spread(xp, grad, self.dim, self.keepdim, x_shape)
       sends  dL/dv1 = [1. 1.]
    """

    def __init__(
        self, loss: Tensor, namespace: Mapping[str, Any] | None = None, gradient: Any = None
    ) -> None:
        if loss._node is None or loss._skeleton is not None:
            raise GraphError(
                "step through backward: this tensor has no history, or it was freed",
                fix="step before backward(), or call backward(retain_graph=True)",
            )
        self.loss = loss
        self.gradient = gradient
        self.namespace = dict(namespace or {})
        self._names: dict[Any, str] = {}
        self._known = {key: name for key, (name, _) in named(self.namespace).items()}

    def __iter__(self) -> Iterator[Step]:
        node: Any = self.loss._node
        pending = {node: seed_of(self.loss, self.gradient, False)}
        heap = [(-node.index, node)]
        number = 0
        while heap:
            _, node = heappop(heap)
            grad = pending.pop(node)
            if node.operator is None:
                continue
            number += 1
            sent = self._sent(node, grad)
            for parent, part in sent:
                if parent in pending:
                    pending[parent] = pending[parent] + part
                else:
                    pending[parent] = part
                    heappush(heap, (-parent.index, parent))
            result = Value(self._name(node), self._value(node), grad)
            inputs = [Value(self._name(p), self._value(p), part) for p, part in sent]
            yield Step(number, node.name, result, inputs, code_of(node.operator))

    def _sent(self, node: Any, grad: Any) -> list[tuple[Any, Any]]:
        parts = gradients(node, grad, create_graph=False)
        sent = []
        for parent, part in zip(node.parents, parts, strict=False):
            if parent is not None and part is not None:
                if part.shape != parent.shape:
                    part = unbroadcast(part, parent.shape, node.name)
                sent.append((parent, part))
        return sent

    def _name(self, node: Any) -> str:
        """The user's name for what a node made; ``v1``, ``v2`` … for what has none."""
        if node not in self._names:
            tensor = node.output()
            known = self._known.get(id(tensor)) if tensor is not None else None
            count = sum(name.startswith("v") for name in self._names.values())
            own = "loss" if node is self.loss._node else f"v{count + 1}"
            self._names[node] = known or own
        return self._names[node]

    def _value(self, node: Any) -> Any:
        tensor = node.output()
        return None if tensor is None else as_array(tensor)

    def walk(self, stream: Any = None) -> None:
        """Prints the steps; in a terminal each waits for Enter, and q ends."""
        out = stream or sys.stdout
        waits = stream is None and sys.stdin.isatty() and sys.stdout.isatty()
        for step in self:
            print(step, file=out)
            if waits and input("   Enter: next, q: end > ").strip().lower() == "q":
                return

    def save(self, path: str | os.PathLike[str] = "backward.html") -> str:
        """Writes a page with a step on each sheet; it needs no network. Returns the path."""
        return save_picture(path, page(self, self.loss, self.namespace).encode())


def code_of(operator: Any) -> str:
    """The lines of an operator's ``backward``; empty where there is no source."""
    try:
        lines = inspect.getsource(getattr(operator, "plain", type(operator)).backward)
    except (OSError, TypeError):
        return ""
    return textwrap.dedent(lines).strip()

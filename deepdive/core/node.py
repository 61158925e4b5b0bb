"""The recorded graph: one node per operation, and one per leaf.

A node holds its operator, its parent nodes, the arrays saved for backward, and a *weak* reference
to its output – never a Tensor.  So the graph has no cycles: it lives as long as a tensor made by
it, and is gone with the last one, without the garbage collector.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

next_index = itertools.count(1).__next__


class Freed:
    """What stands in `saved` once a backward pass has used and dropped the saved arrays."""

    def __repr__(self) -> str:
        return "<freed>"


FREED = Freed()


def _no_output() -> None:
    """The output of a node whose tensor has moved on to another node."""


class Node:
    """One step of the recorded computation.

    Attributes:
        operator: the operator instance; None for a leaf, which only collects its gradient.
        parents: a node per input of the operator, None where no gradient flows.
        saved: what the operator's ``backward`` asked for, in its order; FREED after use.
        shape, dtype: of the gradient that arrives here.
        output: a weak reference to the tensor this node made.
        index: grows with every node, so every node is younger than its parents; going backward
            from the youngest node therefore meets all uses of a value before the value itself.
        hooks: functions on the gradient that arrives here, or None.
    """

    __slots__ = ("dtype", "hooks", "index", "operator", "output", "parents", "saved", "shape")

    operator: Any
    parents: tuple[Node | None, ...]
    saved: Any
    output: Callable[[], Any]
    hooks: list[Any] | None

    def __init__(
        self,
        operator: Any,
        parents: Any,
        saved: Any,
        shape: tuple[int, ...],
        dtype: Any,
        tensor: Any,
    ) -> None:
        self.operator = operator
        self.parents = parents
        self.saved = saved
        self.shape = shape
        self.dtype = dtype
        self.output = weakref.ref(tensor)
        self.index = next_index()
        self.hooks = None

    @property
    def name(self) -> str:
        """The operator's name, ``"leaf"`` for a leaf."""
        return "leaf" if self.operator is None else self.operator.name

    def disown(self) -> None:
        """Forget the output: its tensor is about to get another node."""
        self.output = _no_output

    def own(self, tensor: Any) -> None:
        """Make `tensor` the output of this node."""
        self.output = weakref.ref(tensor)

    def remains(self, tensor: Any) -> Node:
        """A freed node without parents, for `tensor` to hold in place of this one.

        What is recorded on `tensor` later then holds nothing of the graph already walked
        (``total_loss += loss`` keeps a few bytes), yet a second backward can still be refused.
        """
        return Node(self.operator, (), FREED, self.shape, self.dtype, tensor)

    def __repr__(self) -> str:
        # PyTorch's spelling, which people know how to read
        return "<AccumulateGrad>" if self.operator is None else f"<{self.name}Backward0>"

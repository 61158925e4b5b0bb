"""Where the graph of the Tensors leads into a vmap and out of it: three nodes.

Inside, gradients are those of one sample, as Batched arrays.  :class:`Enter` and :class:`Leave`,
each the other's transpose, add and take off the samples' axis; :class:`Share` adds up what all
samples send to a Tensor they share.
"""

from __future__ import annotations

from typing import Any

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core.node import Node
from deepdive.core.operator import as_parents, tensor_words
from deepdive.core.tensor import Tensor, data_of, wrap
from deepdive.core.transforms.batched import Batched, Frame


class Crossing:
    """What the engine sees of an operator that is a way in or out."""

    contract = None
    name = public_name = "vmap"

    def __init__(self, frame: Frame, dim: int | None = 0) -> None:
        self.frame, self.dim = frame, dim

    def __repr__(self) -> str:
        return f"{type(self).__name__.lower()} of vmap({self.frame.size} samples)"


class Enter(Crossing):
    """An argument loses its axis of samples."""

    def backward(self, xp: Any, grad: Any) -> tuple[Any, ...]:
        """The gradients of all samples, side by side."""
        if isinstance(grad, Tensor):
            return (leave(self.frame, grad, self.dim),)
        return (side_by_side(self.frame, grad, self.dim),)


class Leave(Crossing):
    """A result gets its axis of samples."""

    def backward(self, xp: Any, grad: Any) -> tuple[Any, ...]:
        """Each sample's own gradient."""
        if isinstance(grad, Tensor):
            return (enter(self.frame, grad, self.dim),)
        return (apart(self.frame, grad, self.dim),)


class Share(Crossing):
    """A Tensor from outside is the same for all samples."""

    def backward(self, xp: Any, grad: Any) -> tuple[Any, ...]:
        """The sum of all samples' gradients."""
        if isinstance(grad, Tensor):
            every: Any = leave(self.frame, grad, 0)
            return (tensor_words.sum(every, axis=0),)
        lanes = side_by_side(self.frame, grad, 0)
        return (self.frame.call("sum", lanes, axis=0),)


def _entrance(frame: Frame, node: Node) -> Node:
    operator = Share(frame)
    outer = node if not isinstance(frame.tracer, Frame) else frame.tracer.parents([node])[0]
    made = Node(operator, (outer,), (), node.shape, node.dtype, operator)
    made.disown()
    return made


Frame.entrance = staticmethod(_entrance)


# --- arrays --------------------------------------------------------------------------------------
def apart(frame: Frame, array: Any, dim: int | None) -> Batched:
    """An array of all samples as one sample's; a single one (`dim` None) in equal shares."""
    if dim is None:
        return Batched(frame.spread(array * (1 / frame.size)), frame)
    rank = len(array.shape)
    place = dim % rank
    if place:
        rest = [i for i in range(rank) if i != place]
        array = frame.ordered(array, place, *rest)
    return Batched(array, frame)


def side_by_side(frame: Frame, array: Any, dim: int | None) -> Any:
    """One sample's array as that of all samples; what they share is repeated."""
    if type(array) is Batched and array.frame is None:
        array = array.array
    if dim is None:
        return array
    lanes = frame.spread(array)
    rank = len(lanes.shape)
    place = dim % rank
    if not place:
        return lanes
    order = list(range(1, rank))
    order.insert(place, 0)
    return frame.ordered(lanes, *order)


# --- tensors -------------------------------------------------------------------------------------
def enter(frame: Frame, x: Any, dim: int | None) -> Tensor:
    """A Tensor (or array) of all samples as one sample's, inside."""
    array = data_of(x) if isinstance(x, Tensor) else x
    return _recorded(x, Enter(frame, dim), wrap(apart(frame, array, dim)), None)


def leave(frame: Frame, x: Tensor, dim: int | None) -> Tensor:
    """A Tensor from inside as that of all samples, outside."""
    array = side_by_side(frame, x._data, dim)
    if type(array) not in speakers.BY_TYPE:
        array = speakers.BY_DEVICE["cpu"].asarray(array)
    return _recorded(x, Leave(frame, dim), wrap(array), frame)


def _recorded(x: Any, operator: Crossing, out: Tensor, frame: Frame | None) -> Tensor:
    """`out` with a node, where `x` has one."""
    node = getattr(x, "_node", None)
    if node is None or not config.grad_mode.get():
        return out
    if frame is not None:  # a Tensor from outside may have gone through untouched
        parents = frame.parents([node])
    else:
        parents = as_parents([node])
    shape = tuple(out.shape)
    dtype = dtypes.gradient_dtype(out.dtype)
    out._node = Node(operator, parents, (), shape, dtype, out)
    return out

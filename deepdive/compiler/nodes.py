"""Nodes: what a value asks of a loop – its iteration space, where it reads, where it writes."""

from __future__ import annotations

from typing import Any

from deepdive.compiler.expressions import MAPS, REDUCTIONS
from deepdive.compiler.graph import NUMBER, Value, typed
from deepdive.compiler.layout import Place, contiguous, spread
from deepdive.errors import GraphError

Shape = tuple[int, ...]
Places = dict[Value, Place]

CALLS = ("pack", "pack_turned", "convolve", "correlate")


class Unsupported(GraphError):
    """A value these loops cannot compute; the program is generated in NumPy instead."""


class Read:
    """An operand as a loop reads it: a base, an offset, a stride per axis of the loop."""

    __slots__ = ("base", "offset", "strides")

    def __init__(self, base: Value, offset: int, strides: Shape) -> None:
        self.base, self.offset, self.strides = base, offset, strides

    def same(self, other: Read) -> bool:
        """Whether both read the same element at every index."""
        return (self.base, self.offset, self.strides) == (other.base, other.offset, other.strides)


class Node:
    """A value to be computed, with its iteration space.

    Attributes:
        kind: "map", "reduce", "partial" (a sum over rows, per thread), "total" (of the partial
            sums) or "product".
        space: the extents looped over, those of 1 left out.
        reads: one per operand that is an array.
        store: where element by element the result goes.
        axes: the axes of `space` that a reduction sums over.
    """

    __slots__ = ("axes", "group", "item", "kind", "phase", "reads", "space", "store", "value")

    def __init__(self, value: Value, kind: str, space: Shape, axes: Shape = ()) -> None:
        self.value = value
        self.kind = kind
        self.space = space
        self.axes = axes
        self.reads: dict[Value, Read] = {}
        self.store = Read(value, 0, ())
        self.phase = 0
        self.group: Any = None
        self.item: Any = None

    @property
    def lead(self) -> int:
        """The extent of the outermost axis."""
        return self.space[0] if self.space else 1


def node_of(value: Value, places: Places) -> Node:
    if value.word in REDUCTIONS:
        return _reduction(value, places)
    if value.word == "matmul":
        return _product(value, places)
    if value.word == "reshape":
        return _copied(value, places)
    if value.word == "scatter":
        return _scatter(value, places)
    if value.word == "dealt":
        return _dealt(value, places)
    if value.word in CALLS:
        return _call(value, places)
    if value.word not in MAPS:
        raise Unsupported(f"no loop for the word {value.word!r}", got=typed(value))
    node = Node(value, "map", squeezed(value.shape))
    for operand in value.operands():
        if operand.dtype is NUMBER:
            continue
        place = places[operand]
        if value.word == "pick" and operand is value.arguments["x"]:
            node.reads[operand] = Read(place.base, place.offset, place.strides)
        elif value.word == "placed":
            node.reads[operand] = _shifted(value, place)
        elif value.word == "pick":  # the axes an index makes come first
            rest = len(value.arguments["x"].shape) - len(value.arguments["index"])
            shape = value.shape[: len(value.shape) - rest]
            strides = spread(place.strides, operand.shape, shape) + (0,) * rest
            node.reads[operand] = Read(place.base, place.offset, _kept(value.shape, strides))
        else:
            strides = spread(place.strides, operand.shape, value.shape)
            node.reads[operand] = Read(place.base, place.offset, _kept(value.shape, strides))
    node.store = Read(value, 0, _kept(value.shape, contiguous(value.shape)))
    return node


def _copied(value: Value, places: Places) -> Node:
    """A reshape that cannot be a view: the operand's elements in its own order."""
    x = value.arguments["x"]
    node = Node(value, "map", squeezed(x.shape))
    place = places[x]
    node.reads[x] = Read(place.base, place.offset, _kept(x.shape, place.strides))
    node.store = Read(value, 0, _kept(x.shape, contiguous(x.shape)))
    return node


def _scatter(value: Value, places: Places) -> Node:
    """Rows added up at rows named by numbers: each thread has a sum of its own."""
    x, index = value.arguments["x"], value.arguments["index"]
    node = Node(value, "reduce", squeezed(x.shape), tuple(range(len(squeezed(x.shape)))))
    for operand in (x, index):
        place = places[operand]
        strides = spread(place.strides, operand.shape, x.shape)
        node.reads[operand] = Read(place.base, place.offset, _kept(x.shape, strides))
    rest = contiguous(value.shape)[1:]
    lead = len(x.shape) - len(rest)
    node.store = Read(value, 0, _kept(x.shape, (0,) * lead + rest))
    return node


def _call(value: Value, places: Places) -> Node:
    """A kernel on whole images, or on a whole weight; its operands lie in row order."""
    images = value.word in ("convolve", "correlate")
    lead = value.arguments["x"].shape if images else (1,)
    node = Node(value, "call", lead)
    if value.word == "correlate":
        node = Node(value, "reduce", lead, (0,))
    for operand in value.operands():
        place = places[operand]
        if place.strides != contiguous(operand.shape):
            raise Unsupported("a convolution of a view", got=typed(operand))
        node.reads[operand] = Read(place.base, place.offset, place.strides)
    node.store = Read(value, 0, contiguous(value.shape))
    return node


def _dealt(value: Value, places: Places) -> Node:
    """Arrays of one shape dealt out to the places of windows side by side."""
    arrays = value.arguments["arrays"]
    shape = arrays[0].shape
    node = Node(value, "dealt", squeezed(shape))
    for operand in arrays:
        place = places[operand]
        node.reads[operand] = Read(place.base, place.offset, _kept(shape, place.strides))
    lead = len(shape) - len(value.arguments["size"])
    strides = contiguous(value.shape)
    steps = zip(strides[lead:], value.arguments["size"], strict=True)
    whole = (*strides[:lead], *(s * n for s, n in steps))
    node.store = Read(value, 0, _kept(shape, whole))
    return node


def _reduction(value: Value, places: Places) -> Node:
    x = value.arguments["x"]
    axis = value.arguments["axis"]
    rank = len(x.shape)
    axes = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    reduced = {a % rank for a in axes} if rank else set()
    names = [i for i, n in enumerate(x.shape) if n != 1]
    space = tuple(x.shape[i] for i in names)
    inner = tuple(position for position, i in enumerate(names) if i in reduced)
    node = Node(value, "reduce", space, inner)
    place = places[x]
    node.reads[x] = Read(place.base, place.offset, _kept(x.shape, place.strides))
    kept = tuple(1 if i in reduced else n for i, n in enumerate(x.shape))
    node.store = Read(value, 0, _kept(x.shape, spread(contiguous(kept), kept, x.shape)))
    return node


def _product(value: Value, places: Places) -> Node:
    x, y = value.arguments["x"], value.arguments["y"]
    if min(len(x.shape), len(y.shape)) < 2:
        raise Unsupported("a product with a vector", got=typed(value))
    node = Node(value, "product", value.shape)
    lead = value.shape[:-2]
    for operand, axes in ((x, -2), (y, -2)):
        place = places[operand]
        outer = spread(place.strides[:axes], operand.shape[:axes], lead)
        node.reads[operand] = Read(place.base, place.offset, outer + place.strides[axes:])
    node.store = Read(value, 0, contiguous(value.shape))
    return node


def _shifted(value: Value, place: Place) -> Read:
    """An operand read at the index minus the start of its place."""
    back = sum(s * n for s, n in zip(place.strides, value.arguments["starts"], strict=True))
    return Read(place.base, place.offset - back, _kept(value.shape, place.strides))


def squeezed(shape: Shape) -> Shape:
    """A shape without its extents of 1."""
    return tuple(n for n in shape if n != 1)


def _kept(shape: Shape, strides: Shape) -> Shape:
    return tuple(s for n, s in zip(shape, strides, strict=True) if n != 1)

"""Nodes: what a value asks of a loop – its iteration space, where it reads, where it writes.

For ``h + b`` with h of (64, 128) and b of (128,) the node says: loop over 64 × 128; at (i, j)
read element ``i * 128 + j`` of h and element ``i * 0 + j`` of b, write element ``i * 128 + j``.
Only strides are kept; broadcasting, transposing and slicing are nothing but other strides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from operator import mul
from typing import Any, NamedTuple

from deepdive.compiler.expressions import CASTS, MAPS, REDUCTIONS, VIRTUAL
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Value, reduced_axes, typed
from deepdive.compiler.layout import Place, Shape, contiguous, own, spread, view
from deepdive.errors import GraphError

Places = dict[Value, Place]

EXACT = 1 << 24  # up to here float32 holds every whole number
CALLS = ("pack", "pack_turned", "convolve", "correlate")  # kernels on whole images and weights


class Unsupported(GraphError):
    """A value these loops cannot compute: its word is called as it is, in NumPy."""


class Read(NamedTuple):
    """A place as a loop sees it: with a stride per axis of the loop."""

    base: Value
    offset: int
    strides: Shape


class Node:
    """A value to be computed, with its iteration space.

    Attributes:
        kind: "map", "reduce", "partial" (a sum over rows, per thread), "total" (of the partial
            sums), "product", "dealt" (several arrays stored alternately) or "call".
        space: the extents looped over, those of 1 left out.
        axes: the axes of `space` that a reduction sums over.
        reads: one per operand that is an array.
        store: where element by element the result goes.
        group, item, phase: where fusion put it: among which rows, in which loop, in which turn.
    """

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

    def work(self) -> float:
        """Roughly how many operations it is."""
        size = float(math.prod(self.space))
        if self.kind == "product":
            x = self.value.arguments["x"]
            size *= 2 * x.shape[-1]
        return size


def entered(value: Value, places: Places) -> Node | None:
    """Note the place of an array; its node, if it has to be computed and is no mere view.

    Raises:
        Unsupported: if the loops cannot say it: its dtype, its word, or this form of it.
    """
    dtype = value.dtype.name
    outside = value.word in (INPUT, CONSTANT)
    if dtype not in CASTS and not (outside and dtype == "uint8"):
        raise Unsupported(f"the loops compute in float32, not {dtype}", got=typed(value))
    place = view(value, places)
    places[value] = place or own(value)
    if outside or place is not None:
        return None
    if value.word in VIRTUAL or value.word == "random_bits":
        return None
    return node_of(value, places)


def node_of(value: Value, places: Places) -> Node:
    """The node of a value that is no view.

    Raises:
        Unsupported: if no loop and no kernel computes its word.
    """
    make = MAKERS.get(value.word)
    if make is not None:
        return make(value, places)
    if value.word == "stack":
        raise Unsupported("too many arrays for one loop", got=typed(value))
    if value.word not in MAPS:
        raise Unsupported(f"no loop for the word {value.word!r}", got=typed(value))
    return _map(value, places)


# --- strides --------------------------------------------------------------------------------------
def squeezed(shape: Shape) -> Shape:
    """A shape without its extents of 1.

    >>> squeezed((64, 1, 10))
    (64, 10)
    """
    return tuple(n for n in shape if n != 1)


def _kept(shape: Shape, strides: Shape) -> Shape:
    """The strides of the axes that are looped over: not those of extent 1."""
    return tuple(s for n, s in zip(shape, strides, strict=True) if n != 1)


def _read(place: Place, shape: Shape) -> Read:
    """Every element of a place in turn, by a loop over `shape`."""
    base, offset, strides = place
    return Read(base, offset, _kept(shape, strides))


def _spread_read(operand: Value, place: Place, shape: Shape) -> Read:
    """An operand repeated until it fills a loop over `shape`."""
    base, offset, strides = place
    filled = spread(strides, operand.shape, shape)
    return Read(base, offset, _kept(shape, filled))


def _store(value: Value, shape: Shape, strides: Shape | None = None) -> Read:
    """Where a loop over `shape` writes: one element after the other, or by other strides."""
    if strides is None:
        strides = contiguous(shape)
    return Read(value, 0, _kept(shape, strides))


def _arrays(value: Value) -> list[Value]:
    return [operand for operand in value.operands() if operand.dtype is not NUMBER]


def _refuse_virtual(value: Value, operands: Iterable[Value], places: Places) -> None:
    """Refuse what has to be read from memory, and is nowhere there.

    Raises:
        Unsupported: for zeros, ones and other numbers that loops write where they read them.
    """
    for operand in operands:
        if places[operand].base.word in VIRTUAL:
            raise Unsupported("no memory holds one of its operands", got=typed(value))


# --- one result per element -----------------------------------------------------------------------
def _map(value: Value, places: Places) -> Node:
    """One result per element of operands that broadcast."""
    node = Node(value, "map", squeezed(value.shape))
    for operand in _arrays(value):
        node.reads[operand] = _spread_read(operand, places[operand], value.shape)
    node.store = _store(value, value.shape)
    return node


def _pick(value: Value, places: Places) -> Node:
    """``x[index, …]``: the axes an index makes come first; x is read wherever the index says."""
    x = value.arguments["x"]
    index = value.arguments["index"]
    _refuse_virtual(value, [x], places)
    node = Node(value, "map", squeezed(value.shape))
    rest = len(x.shape) - len(index)
    made = value.shape[: len(value.shape) - rest]
    for operand in _arrays(value):
        base, offset, strides = places[operand]
        if operand is not x:
            along = spread(strides, operand.shape, made)
            strides = _kept(value.shape, along + (0,) * rest)
        node.reads[operand] = Read(base, offset, strides)
    node.store = _store(value, value.shape)
    return node


def _placed(value: Value, places: Places) -> Node:
    """An array among zeros, read at the index minus the start of its place."""
    if 0 in value.arguments["x"].shape:
        raise Unsupported("no loop for an empty array", got=typed(value))
    node = Node(value, "map", squeezed(value.shape))
    starts = value.arguments["starts"]
    for operand in _arrays(value):
        base, offset, strides = places[operand]
        back = sum(map(mul, strides, starts))
        shifted = Place(base, offset - back, strides)
        node.reads[operand] = _read(shifted, value.shape)
    node.store = _store(value, value.shape)
    return node


def _copied(value: Value, places: Places) -> Node:
    """A reshape that cannot be a view: the operand's elements in its own order."""
    x = value.arguments["x"]
    node = Node(value, "map", squeezed(x.shape))
    node.reads[x] = _read(places[x], x.shape)
    node.store = _store(value, x.shape)
    return node


def _dealt(value: Value, places: Places) -> Node:
    """Arrays of one shape dealt out to the places of windows side by side."""
    arrays = value.arguments["arrays"]
    size = value.arguments["size"]
    shape = arrays[0].shape
    _refuse_virtual(value, arrays, places)
    node = Node(value, "dealt", squeezed(shape))
    for operand in arrays:
        node.reads[operand] = _read(places[operand], shape)
    lead = len(shape) - len(size)
    strides = contiguous(value.shape)
    jumps = map(mul, strides[lead:], size)  # from one window to the next
    node.store = _store(value, shape, (*strides[:lead], *jumps))
    return node


# --- sums -----------------------------------------------------------------------------------------
def _reduction(value: Value, places: Places) -> Node:
    """A sum, maximum or minimum over axes: its result does not move along them."""
    x = value.arguments["x"]
    reduced = reduced_axes(value)
    looped = [axis for axis, extent in enumerate(x.shape) if extent != 1]
    axes = tuple(position for position, axis in enumerate(looped) if axis in reduced)
    rank = len(looped)
    innermost = tuple(range(rank - len(axes), rank))
    crosses = 0 in axes or axes != innermost
    if crosses and not _is_count(x):
        _refuse_integers(value)
    node = Node(value, "reduce", squeezed(x.shape), axes)
    node.reads[x] = _read(places[x], x.shape)
    result = tuple(1 if i in reduced else n for i, n in enumerate(x.shape))
    strides = spread(contiguous(result), result, x.shape)
    node.store = _store(value, x.shape, strides)
    return node


def _refuse_integers(value: Value) -> None:
    """Refuse a sum that threads share, where float32 may not hold it.

    Raises:
        Unsupported: for whole numbers.
    """
    if value.dtype.kind == "i":
        raise Unsupported("what threads sum, they sum in float32", got=typed(value))


def _is_count(x: Value) -> bool:
    """Whether the elements are 0 or 1, so that float32 counts them right."""
    if x.word == "astype":
        (x,) = x.operands()
    is_bool = x.dtype.kind == "b"
    return is_bool and x.size < EXACT


def _scatter(value: Value, places: Places) -> Node:
    """Rows added up at rows named by numbers: each thread has a sum of its own."""
    _refuse_integers(value)
    x = value.arguments["x"]
    space = squeezed(x.shape)
    node = Node(value, "reduce", space, tuple(range(len(space))))
    for operand in (x, value.arguments["index"]):
        node.reads[operand] = _spread_read(operand, places[operand], x.shape)
    row = contiguous(value.shape)[1:]
    lead = len(x.shape) - len(row)
    node.store = _store(value, x.shape, (0,) * lead + row)
    return node


# --- what kernels do ------------------------------------------------------------------------------
def _product(value: Value, places: Places) -> Node:
    """A matrix product; axes before the last two broadcast."""
    x, y = value.arguments["x"], value.arguments["y"]
    if min(len(x.shape), len(y.shape)) < 2:
        raise Unsupported("a product with a vector", got=typed(value))
    if any(array.dtype.name != "float32" for array in (x, y)):
        raise Unsupported("products of loops are in float32", got=typed(value))
    _refuse_virtual(value, (x, y), places)
    node = Node(value, "product", value.shape)
    lead = value.shape[:-2]
    for operand in (x, y):
        base, offset, strides = places[operand]
        outer = spread(strides[:-2], operand.shape[:-2], lead)
        node.reads[operand] = Read(base, offset, outer + strides[-2:])
    node.store = Read(value, 0, contiguous(value.shape))
    return node


def _call(value: Value, places: Places) -> Node:
    """A kernel on whole images, or on a whole weight; its operands lie in row order."""
    x = value.arguments["x"]
    if value.word == "correlate":
        node = Node(value, "reduce", x.shape, (0,))
    else:
        node = Node(value, "call", x.shape if value.word == "convolve" else (1,))
    _refuse_virtual(value, value.operands(), places)
    for operand in value.operands():
        place = places[operand]
        if place.strides != contiguous(operand.shape):
            raise Unsupported("a convolution of a view", got=typed(operand))
        node.reads[operand] = Read(*place)
    node.store = Read(value, 0, contiguous(value.shape))
    return node


MAKERS: dict[str, Callable[[Value, Places], Node]] = {
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(CALLS, _call),
    "matmul": _product,
    "reshape": _copied,
    "scatter": _scatter,
    "dealt": _dealt,
    "pick": _pick,
    "placed": _placed,
}

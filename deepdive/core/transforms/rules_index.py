"""How reading and writing at an index, windows and convolutions are said to a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

from deepdive.backend.vocabulary import rules_index
from deepdive.core.transforms.batched import Batched, Frame
from deepdive.core.transforms.saying import says
from deepdive.errors import GraphError

Shape = tuple[int, ...]


# --- x[index] ------------------------------------------------------------------------------------
class Place(NamedTuple):
    """An index into the array of all samples.

    Attributes:
        at: the index.
        order: brings the axes of what it reads into order: samples first, then as one sample has
            them; None if they are.
    """

    at: tuple[Any, ...]
    order: Shape | None


def place(lane: Frame, x: Any, index: Any) -> Place:
    """Where all samples' ``x[index]`` is, in the array of all samples (or the one they share)."""
    items = _items(lane, x, index)
    if not any(_is_list(lane, item) for item in items):
        return Place((*_all_samples(lane, x), *items), None)
    # beside an index array a plain number counts as one, too
    places = [i for i, item in enumerate(items) if _is_array(item) or type(item) is int]
    first, last = places[0], places[-1]
    together = places == [*range(first, last + 1)]
    before = first if together else 0  # axes of a sample's result in front of theirs
    kept = len(items) - len(places)
    rank = max(_rank(items[i]) for i in places)
    if any(lane.over(items[i]) for i in places):
        for i in places:
            items[i] = lane.lifted(items[i], rank)
        return _own_places(lane, x, items, before, kept, rank)
    if together or not lane.over(x):
        return Place((*_all_samples(lane, x), *items), None)
    behind = range(rank + 1, rank + 1 + kept)
    order = (rank, *range(rank), *behind)
    return Place((slice(None), *items), order)


def _own_places(
    lane: Frame,
    x: Any,
    items: list[Any],
    before: int,
    kept: int,
    rank: int,
) -> Place:
    """Every sample has an index of its own: what it reads has the index arrays' axes, (V, *rank),
    in front or where they stand.
    """
    if not lane.over(x):
        axes = range(kept + rank + 1)
        rest = [i for i in axes if i != before]
        return Place(tuple(items), (before, *rest))
    ones = (1,) * rank
    samples = lane.call("arange", lane.size)
    numbers = lane.shaped(samples, *ones)
    middle = rank + 1 + before
    front = range(rank + 1, middle)
    behind = range(middle, rank + 1 + kept)
    order = (0, *front, *range(1, rank + 1), *behind)
    return Place((numbers, *items), order)


def _all_samples(lane: Frame, x: Any) -> tuple[slice, ...]:
    return (slice(None),) if lane.over(x) else ()


def _is_array(item: Any) -> bool:
    return hasattr(item, "dtype") and hasattr(item, "shape")


def _is_list(lane: Frame, item: Any) -> bool:
    """Whether an item is an index array; NumPy takes a shared one of shape () for a number."""
    return _is_array(item) and (bool(item.shape) or lane.over(item))


def _rank(item: Any) -> int:
    if not _is_array(item):
        return 0
    return 1 if item.dtype.kind == "b" else len(item.shape)


def _items(lane: Frame, x: Any, index: Any) -> list[Any]:
    """The parts of an index; lists become arrays, ``...`` and what is not said become slices."""
    parts = list(index) if isinstance(index, tuple) else [index]
    taken = 0
    for i, part in enumerate(parts):
        if isinstance(part, list):
            part = parts[i] = lane.call("asarray", part)
        taken += _axes_taken(lane, part)
    free = [slice(None)] * (x.ndim - taken)
    gaps = [i for i, part in enumerate(parts) if part is Ellipsis]
    if not gaps:
        return parts + free
    gap = gaps[0]
    return parts[:gap] + free + parts[gap + 1 :]


def _axes_taken(lane: Frame, part: Any) -> int:
    """How many axes an item of an index stands for.

    Raises:
        GraphError: for a mask of which every sample has its own.
    """
    if part is None or part is Ellipsis:
        return 0
    if not _is_array(part) or part.dtype.kind != "b":
        return 1
    if lane.over(part):
        raise GraphError(
            "vmap: an index that is a mask has a result of another size for each sample",
            fix="use where(mask, x, y), or masked sums: (x * mask).sum()",
        )
    return len(part.shape)


@says("getitem")
def getitem(lane: Frame, name: str, x: Any, index: Any) -> Any:
    """What each sample reads; places of their own are read together, by one index."""
    there = place(lane, x, index)
    held = x.array if lane.over(x) else x
    out = lane.call(name, held, there.at)
    return out if there.order is None else lane.ordered(out, *there.order)


@says("setitem", "index_add")
def written(
    lane: Frame,
    name: str,
    x: Any,
    index: Any,
    values: Any,
) -> Any:
    """What each sample writes into a copy of its own."""
    if _is_own_mask(lane, index):
        return _where(lane, name, x, index, values)
    if not lane.over(x):
        x = Batched(lane.spread(x), lane)
    there = place(lane, x, index)
    if _is_array(values):
        shape = rules_index.getitem("getitem", x, index)
        values = lane.lifted(values, len(shape))
        if there.order is not None:
            values = lane.call("broadcast_to", values, (lane.size, *shape))
            values = lane.ordered(values, *_inverse(there.order))
    return lane.call(name, x.array, there.at, values)


def _is_own_mask(lane: Frame, index: Any) -> bool:
    """Whether the index is nothing but a mask, of which every sample has its own."""
    if isinstance(index, tuple) and len(index) == 1:
        index = index[0]
    return lane.over(index) and index.dtype.kind == "b"


def _where(
    lane: Frame,
    name: str,
    x: Any,
    index: Any,
    values: Any,
) -> Any:
    """``x[mask] = number``, which needs no positions.

    Raises:
        GraphError: for several values, which each sample would use in another number.
    """
    mask = index[0] if isinstance(index, tuple) else index
    if getattr(values, "shape", ()) or mask.ndim != x.ndim:
        _axes_taken(lane, mask)
    ones = (1,) * x.ndim
    if lane.over(values):
        values = lane.shaped(values.array, *ones)
    held = lane.lifted(x, x.ndim)
    filled = values if name == "setitem" else lane.call("add", held, values)
    if not hasattr(filled, "dtype"):
        filled = lane.call("asarray", filled, x.dtype)
    return lane.call("where", mask.array, filled, held)


def _inverse(order: Shape) -> list[int]:
    return [order.index(i) for i in range(len(order))]


@says("take_along_axis")
def taken(
    lane: Frame,
    name: str,
    x: Any,
    indices: Any,
    axis: int,
) -> Any:
    """One index per element, along an axis."""
    behind = axis % x.ndim + 1
    arrays = [lane.spread(each) for each in (x, indices)]
    return lane.call(name, *arrays, axis=behind)


@says("scatter_add")
def scattered(
    lane: Frame,
    name: str,
    x: Any,
    indices: Any,
    values: Any,
    axis: int,
) -> Any:
    """One place per element, along an axis."""
    behind = axis % x.ndim + 1
    arrays = [lane.spread(each) for each in (x, indices, values)]
    return lane.call(name, *arrays, axis=behind)


# --- windows -------------------------------------------------------------------------------------
@says("windows")
def windows(lane: Frame, name: str, x: Any, *way: Any) -> Any:
    """Over the last axes, whatever stands in front."""
    return lane.call(name, x.array, *way)


@says("overlap_add")
def overlap_add(lane: Frame, name: str, w: Any, shape: Any, *way: Any) -> Any:
    """The adjoint of :func:`windows`."""
    return lane.call(name, w.array, (lane.size, *shape), *way)


# --- convolutions: B images, C channels in G groups, O out channels, V samples -------------------
def _in_batch(lane: Frame, x: Any) -> Any:
    """(V, B, …) → (V·B, …)."""
    x = lane.spread(x)
    samples, batch, *rest = x.shape
    return lane.call("reshape", x, (samples * batch, *rest))


def _out_of_batch(lane: Frame, x: Any) -> Any:
    """(V·B, …) → (V, B, …)."""
    count, *rest = x.shape
    return lane.shaped(x, count // lane.size, *rest)


def _in_channels(lane: Frame, x: Any) -> Any:
    """(V, B, C, …) → (B, V·C, …)."""
    x = lane.spread(x)
    samples, batch, channels, *rest = x.shape
    spatial = range(2, len(x.shape))
    x = lane.ordered(x, 1, 0, *spatial)
    return lane.call("reshape", x, (batch, samples * channels, *rest))


def _out_of_channels(lane: Frame, x: Any) -> Any:
    """(B, V·C, …) → (V, B, C, …)."""
    batch, count, *rest = x.shape
    channels = count // lane.size
    x = lane.call("reshape", x, (batch, lane.size, channels, *rest))
    spatial = range(2, len(x.shape))
    return lane.ordered(x, 1, 0, *spatial)


@says("convolution")
def convolution(lane: Frame, name: str, x: Any, w: Any, *rest: Any) -> Any:
    """Samples become images, or – where the weights are their own – groups of channels."""
    if not lane.over(w):
        images = _in_batch(lane, x)
        out = lane.call(name, images, w, *rest)
        return _out_of_batch(lane, out)
    *way, groups = rest
    images = _in_channels(lane, x)
    kernels = _in_batch(lane, w)  # (V·O, C/G, …)
    out = lane.call(name, images, kernels, *way, lane.size * groups)
    return _out_of_channels(lane, out)


@says("convolution_input_grad")
def input_grad(
    lane: Frame,
    name: str,
    grad: Any,
    w: Any,
    x_shape: Shape,
    *rest: Any,
) -> Any:
    """As :func:`convolution`, from the result back to the images."""
    batch, channels, *spatial = x_shape
    if not lane.over(w):
        grads = _in_batch(lane, grad)
        shape = (lane.size * batch, channels, *spatial)
        out = lane.call(name, grads, w, shape, *rest)
        return _out_of_batch(lane, out)
    *way, groups = rest
    grads = _in_channels(lane, grad)
    kernels = _in_batch(lane, w)
    shape = (batch, lane.size * channels, *spatial)
    out = lane.call(name, grads, kernels, shape, *way, lane.size * groups)
    return _out_of_channels(lane, out)


@says("convolution_weight_grad")
def weight_grad(
    lane: Frame,
    name: str,
    x: Any,
    grad: Any,
    w_shape: Shape,
    *rest: Any,
) -> Any:
    """The gradient of each sample's weights: samples are groups of channels."""
    *way, groups = rest
    count, *reach = w_shape
    images = _in_channels(lane, x)
    grads = _in_channels(lane, grad)
    shape = (lane.size * count, *reach)
    out = lane.call(name, images, grads, shape, *way, lane.size * groups)
    return _out_of_batch(lane, out)

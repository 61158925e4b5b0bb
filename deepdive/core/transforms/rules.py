"""How words are said to a batch: elementwise words, reductions, shapes, the matrix product.

A rule gets the vmap (`lane`), the word, and its arguments; those of which every sample has its
own are Batched arrays with ``lane.over(x)``.  It gives the array of all samples, their axis first.
"""

from __future__ import annotations

from typing import Any

from deepdive.backend.vocabulary import rules, rules_shape
from deepdive.backend.vocabulary.rules import one_axis, shape_of, some_axes
from deepdive.core.transforms.batched import Batched, Frame
from deepdive.core.transforms.saying import OF_SHARED, says, says_all
from deepdive.errors import GraphError


# --- elementwise ---------------------------------------------------------------------------------
@says_all(rules.elementwise)
def elementwise(lane: Frame, name: str, *operands: Any) -> Any:
    """Operands of fewer axes get some of size 1 between the samples' axis and their own."""
    ranks = [len(shape_of(x)) for x in operands]
    rank = max(ranks)
    lifted = [lane.lifted(x, rank) for x in operands]
    return lane.call(name, *lifted)


@says("copy", "contiguous", "astype")
def unchanged(
    lane: Frame,
    name: str,
    x: Any,
    *dtype: Any,
) -> Any:
    """What minds no shape."""
    return lane.call(name, x.array, *dtype)


# --- reductions ----------------------------------------------------------------------------------
def _with_an_axis(lane: Frame, x: Any) -> Any:
    """The array inside; samples that are numbers get an axis of size 1."""
    return x.array if x.shape else lane.shaped(x.array, 1)


@says_all(rules.reduced, rules.chosen)
def reduced(
    lane: Frame,
    name: str,
    x: Any,
    axis: Any,
    keepdims: bool,
) -> Any:
    """The same axes, counted behind the samples' own."""
    if not x.shape:
        held = lane.shaped(x.array, 1)
        return lane.call(name, held, axis=(1,), keepdims=False)
    axes = some_axes(name, axis, x.shape)
    behind = tuple(a + 1 for a in axes)
    return lane.call(name, x.array, axis=behind, keepdims=keepdims)


@says_all(rules.located)
def located(
    lane: Frame,
    name: str,
    x: Any,
    axis: Any,
    keepdims: bool,
) -> Any:
    """Along one axis; along all they become one first."""
    if axis is not None and x.shape:
        behind = one_axis(name, axis, x.shape) + 1
        return lane.call(name, x.array, axis=behind, keepdims=keepdims)
    flat = lane.shaped(x.array, x.size)
    out = lane.call(name, flat, axis=1, keepdims=False)
    if not keepdims:
        return out
    ones = (1,) * x.ndim
    return lane.shaped(out, *ones)


@says("cumulative_sum", "cumulative_prod", "sort", "argsort")
def along(
    lane: Frame,
    name: str,
    x: Any,
    axis: int,
    *descending: bool,
) -> Any:
    """Along one axis, the shape staying as it is."""
    behind = one_axis(name, axis, x.shape or (1,)) + 1
    more = dict(zip(("descending",), descending, strict=False))
    held = _with_an_axis(lane, x)
    out = lane.call(name, held, axis=behind, **more)
    return out if x.shape else lane.shaped(out)


# --- the matrix product --------------------------------------------------------------------------
@says("matmul")
def matmul(lane: Frame, name: str, x: Any, y: Any) -> Any:
    """One product of stacks; vectors of samples with a matrix they share are one matrix."""
    shape = rules.matmul(name, x, y)
    ranks = x.ndim, y.ndim
    if ranks == (1, 2) and not lane.over(y):
        return lane.call(name, x.array, y)  # (V, k) @ (k, m)
    if ranks == (2, 1) and not lane.over(x):
        turned = lane.ordered(x, 1, 0)
        return lane.call(name, y.array, turned)
    row = (1, *x.shape) if x.ndim == 1 else x.shape
    column = (*y.shape, 1) if y.ndim == 1 else y.shape
    rank = max(len(row), len(column))
    left = _matrix(lane, x, row, rank)
    right = _matrix(lane, y, column, rank)
    product = lane.call(name, left, right)
    return lane.shaped(product, *shape)


def _matrix(
    lane: Frame,
    x: Any,
    shape: Any,
    rank: int,
) -> Any:
    """The array inside, a sample having `shape` and – where it has its own – `rank` axes."""
    if not lane.over(x):
        return x if x.shape == tuple(shape) else lane.call("reshape", x, tuple(shape))
    ones = (1,) * (rank - len(shape))
    wanted = (*ones, *shape)
    return x.array if x.shape == wanted else lane.shaped(x.array, *wanted)


# --- shape ---------------------------------------------------------------------------------------
@says("reshape", "expand_dims", "squeeze")
def reshaped(lane: Frame, name: str, x: Any, how: Any) -> Any:
    """The same elements of each sample in another shape."""
    rule = getattr(rules_shape, name)
    shape = rule(name, x, how)
    return lane.shaped(x.array, *shape)


@says("permute_dims")
def permuted(lane: Frame, name: str, x: Any, axes: Any) -> Any:
    """The samples' axis stays in front."""
    rank = max(x.ndim, 1)
    behind = [axis % rank + 1 for axis in axes]
    return lane.ordered(x.array, 0, *behind)


@says("broadcast_to")
def broadcast(lane: Frame, name: str, x: Any, shape: Any) -> Any:
    """To the shape of a sample."""
    shape = rules.as_tuple(shape)
    lifted = lane.lifted(x, len(shape))
    return lane.call(name, lifted, (lane.size, *shape))


@says("flip")
def flipped(lane: Frame, name: str, x: Any, axis: Any) -> Any:
    """The same axes, counted behind the samples' own."""
    axes = some_axes(name, axis, x.shape)
    behind = tuple(a + 1 for a in axes)
    return lane.call(name, x.array, axis=behind) if axes else x.array


@says("roll")
def rolled(
    lane: Frame,
    name: str,
    x: Any,
    shift: Any,
    axis: Any,
) -> Any:
    """Along the same axes; along all they become one first."""
    if axis is None:
        flat = lane.shaped(x.array, x.size)
        by = sum(rules.as_tuple(shift))
        out = lane.call(name, flat, by, axis=1)
        return lane.shaped(out, *x.shape)
    axes = rules.as_tuple(axis)
    behind = tuple(a % x.ndim + 1 for a in axes)
    place = behind if isinstance(axis, tuple) else behind[0]
    return lane.call(name, x.array, shift, axis=place)


@says("tril", "triu")
def triangle(lane: Frame, name: str, x: Any, k: int) -> Any:
    """Of the last two axes."""
    return lane.call(name, x.array, k)


@says("concat", "stack")
def joined(lane: Frame, name: str, arrays: Any, axis: int) -> Any:
    """Arrays joined along the next axis; what the samples share is repeated."""
    held = [lane.spread(x) for x in arrays]
    rank = len(shape_of(arrays[0]))
    rank += name == "stack"
    behind = axis % max(rank, 1) + 1
    return lane.call(name, held, axis=behind)


@says("pad")
def padded(
    lane: Frame,
    name: str,
    x: Any,
    widths: Any,
    value: float,
) -> Any:
    """Nothing is added to the samples' axis."""
    return lane.call(name, x.array, ((0, 0), *widths), value)


@says("nonzero")
def nonzero(lane: Frame, name: str, x: Any) -> Any:
    """Refused: samples would have results of different sizes."""
    raise GraphError(
        "vmap: nonzero, and an index that is a mask, have results of another size for each sample",
        fix="use where(condition, x, y), or masked sums: (x * mask).sum()",
    )


# --- random bits ---------------------------------------------------------------------------------
def random_bits(
    lane: Frame,
    name: str,
    key: Any,
    counter: Any,
    shape: Any,
) -> Any:
    """As the policy says: the same bits for all samples, or for each its own."""
    frames = [lane]
    while isinstance(frames[-1].tracer, Frame):
        frames.append(frames[-1].tracer)
    outermost = frames[-1]
    own = [each for each in reversed(frames) if each.randomness == "different"]
    sizes = [each.size for each in own]
    out = outermost.call(name, key, counter, (*sizes, *shape))
    for each in own:
        out = Batched(out, each)
    return out if own else Batched(out, None)


OF_SHARED["random_bits"] = random_bits

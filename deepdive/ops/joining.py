"""Joining, splitting and repeating: algebra on concatenation, slices and reshaping."""

from __future__ import annotations

import itertools
from typing import Any

from deepdive.backend.vocabulary.rules import broadcast_shapes as common_shape
from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.creation import as_tensor
from deepdive.ops.shape import BroadcastTo, Cat, ConstantPad, Reshape, Shape, axis_of, split


def listed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` are one call.

    >>> listed(((2, 3),)), listed((2, 3))
    ((2, 3), (2, 3))
    """
    if len(values) == 1 and isinstance(values[0], (tuple, list)):
        return tuple(values[0])
    return values


def at(axis: int, item: Any) -> tuple[Any, ...]:
    """The index that takes `item` along `axis` and everything before it."""
    return (*(slice(None),) * axis, item)


# --- at least so many axes ---------------------------------------------------------------------
def _each(
    function: Any,
    tensors: tuple[Any, ...],
) -> Any:
    """`function` of one tensor, or of each of several."""
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return function(as_tensor(tensors[0]))
    return tuple(function(as_tensor(x)) for x in listed(tensors))


def _at_least_1(x: Tensor) -> Any:
    return x if x.ndim else Reshape((1,))(x)


def _at_least_2(x: Tensor) -> Any:
    return x if x.ndim > 1 else Reshape((1, x.numel()))(x)


def _at_least_3(x: Tensor) -> Any:
    if x.ndim > 2:
        return x
    matrix = _at_least_2(x)
    return Reshape((*matrix.shape, 1))(matrix)


@derive("atleast_1d", method=False)
def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least one axis: a number becomes a vector of length 1."""
    return _each(_at_least_1, tensors)


@derive("atleast_2d", method=False)
def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two axes: a vector becomes one row."""
    return _each(_at_least_2, tensors)


@derive("atleast_3d", method=False)
def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three axes: a matrix (n, m) becomes (n, m, 1)."""
    return _each(_at_least_3, tensors)


# --- joining -----------------------------------------------------------------------------------
def _joined(
    name: str,
    tensors: Any,
    axis: int,
) -> Tensor:
    if not tensors:
        raise ArgumentError(f"{name}: no tensors", expected="at least one")
    return Cat(axis)(*tensors)


@derive("hstack", method=False)
def hstack(tensors: Any) -> Tensor:
    """Tensors side by side: along the second axis, vectors along their only one.

    >>> import deepdive as dd
    >>> hstack([dd.tensor([1, 2]), dd.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = [_at_least_1(as_tensor(x)) for x in tensors]
    return _joined("hstack", parts, 0 if parts and parts[0].ndim == 1 else 1)


@derive("vstack", "row_stack", method=False)
def vstack(tensors: Any) -> Tensor:
    """Tensors below each other: along the first axis, vectors as rows."""
    return _joined("vstack", [_at_least_2(as_tensor(x)) for x in tensors], 0)


@derive("dstack", method=False)
def dstack(tensors: Any) -> Tensor:
    """Tensors behind each other, along the third axis."""
    return _joined("dstack", [_at_least_3(as_tensor(x)) for x in tensors], 2)


@derive("column_stack", method=False)
def column_stack(tensors: Any) -> Tensor:
    """Tensors side by side, vectors as columns."""
    tensors = [as_tensor(x) for x in tensors]
    columns = [Reshape((x.numel(), 1))(x) if x.ndim < 2 else x for x in tensors]
    return _joined("column_stack", columns, 1)


@derive("block_diag", method=False)
def block_diag(*tensors: Any) -> Tensor:
    """The matrices along a diagonal, zeros around them."""
    blocks: list[Any] = [_at_least_2(as_tensor(x)) for x in tensors]
    width = sum(block.shape[1] for block in blocks)
    rows = []
    start = 0
    for block in blocks:
        end = start + block.shape[1]
        rows.append(ConstantPad(((0, 0), (start, width - end)))(block))
        start = end
    return _joined("block_diag", rows, 0)


# --- splitting ---------------------------------------------------------------------------------
@derive("tensor_split")
def tensor_split(
    input: Tensor,
    indices_or_sections: Any,
    dim: int = 0,
) -> tuple[Tensor, ...]:
    """`input` cut along `dim` into so many nearly equal parts, or before each of the indices.

    >>> import deepdive as dd
    >>> [len(part) for part in tensor_split(dd.arange(7), 3)]
    [3, 2, 2]
    >>> [len(part) for part in tensor_split(dd.arange(7), (1, 4))]
    [1, 3, 3]
    """
    axis = axis_of("tensor_split", dim, input)
    size = input.shape[axis]
    cuts = indices_or_sections
    if isinstance(cuts, Tensor):
        cuts = cuts.tolist()
    if isinstance(cuts, int):
        if cuts < 1:
            raise ArgumentError("tensor_split: the number of parts must be positive", got=cuts)
        short, longer = divmod(size, cuts)
        sizes = [short + (i < longer) for i in range(cuts)]
        cuts = list(itertools.accumulate(sizes))[:-1]
    bounds = zip((None, *cuts), (*cuts, None), strict=True)
    picked: Any = input
    return tuple(picked[at(axis, slice(low, high))] for low, high in bounds)


def _split_along(
    name: str,
    input: Tensor,
    cuts: Any,
    axis: int,
) -> tuple[Tensor, ...]:
    if input.ndim <= axis:
        raise ShapeError(f"{name}: too few axes", got=tuple(input.shape), expected=f"{axis + 1}")
    if isinstance(cuts, int) and (cuts < 1 or input.shape[axis] % cuts):
        raise ArgumentError(
            f"{name}: {cuts} equal parts of axis {axis}", got=f"extent {input.shape[axis]}"
        )
    return tensor_split(input, cuts, axis)


@derive("hsplit")
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Columns in parts: along the second axis, a vector along its only one."""
    return _split_along("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


@derive("vsplit")
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Rows in parts: along the first axis of at least two."""
    if input.ndim < 2:
        raise ShapeError("vsplit: at least two axes", got=tuple(input.shape))
    return _split_along("vsplit", input, indices_or_sections, 0)


@derive("dsplit")
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Parts along the third axis."""
    return _split_along("dsplit", input, indices_or_sections, 2)


@derive("split_with_sizes")
def split_with_sizes(
    input: Tensor,
    split_sizes: Any,
    dim: int = 0,
) -> tuple[Tensor, ...]:
    """`input` cut along `dim` into pieces of the sizes listed."""
    return split(input, list(split_sizes), dim)


# --- repeating ---------------------------------------------------------------------------------
def _repeated(
    x: Any,
    counts: tuple[int, ...],
) -> Tensor:
    """Each axis so many times over; axes that are missing stand in front."""
    shape = (*(1,) * (len(counts) - x.ndim), *x.shape)
    single: list[int] = []
    spread: list[int] = []
    for count, size in zip(counts, shape, strict=True):
        single += [1, size]
        spread += [count, size]
    wide = BroadcastTo(tuple(spread))(Reshape(tuple(single))(x))
    return Reshape(tuple(n * m for n, m in zip(counts, shape, strict=True)))(wide)


@derive("repeat")
def repeat(
    input: Tensor,
    *sizes: Any,
    repeats: Any = None,
) -> Tensor:
    """`input` so many times over along each axis; further axes are added in front.

    >>> import deepdive as dd
    >>> dd.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts = tuple(int(n) for n in listed(sizes if repeats is None else (repeats,)))
    if len(counts) < input.ndim or any(n < 0 for n in counts):
        raise ShapeError(
            "repeat: a count for each axis, none negative",
            got=counts,
            expected=f"at least {input.ndim} counts for shape {tuple(input.shape)}",
        )
    return _repeated(input, counts)


@derive("tile")
def tile(input: Tensor, *sizes: Any, dims: Any = None) -> Tensor:
    """As :func:`repeat`; where counts are missing in front they are 1."""
    counts = tuple(int(n) for n in listed(sizes if dims is None else (dims,)))
    return repeat(input, (*(1,) * (input.ndim - len(counts)), *counts))


@derive("repeat_interleave")
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along `dim` repeated in place: ``[a, b]`` twice is ``[a, a, b, b]``.

    `repeats` is a number, or one for each slice.  Without `dim` the elements of the flattened
    tensor are repeated; without `repeats` the input says how often to repeat each index.

    >>> import deepdive as dd
    >>> repeat_interleave(dd.tensor([5, 6]), dd.tensor([1, 2]))
    tensor([5, 6, 6])
    """
    if repeats is None:
        positions: Any = creation.arange(input.numel(), device=input.device)
        return repeat_interleave(positions, input, 0)
    if dim is None:
        input, dim = Reshape((input.numel(),))(input), 0
    axis = axis_of("repeat_interleave", dim, input)
    size = input.shape[axis]
    counts = repeats.tolist() if isinstance(repeats, Tensor) else repeats
    if isinstance(counts, (list, tuple)) and len(counts) == 1:
        counts = counts[0]
    if isinstance(counts, int):
        return _interleaved(input, counts, axis)
    if len(counts) != size:
        raise ShapeError(
            f"repeat_interleave: one count for each slice along axis {axis}",
            got=f"{len(counts)} counts",
            expected=f"{size}",
        )
    chosen = [i for i, count in enumerate(counts) for _ in range(count)]
    if output_size is not None and output_size != len(chosen):
        raise ArgumentError("repeat_interleave: output_size", got=output_size, expected=len(chosen))
    index = creation.zeros(0, dtype="int64", device=input.device)
    if chosen:
        index = creation.as_tensor(chosen, device=input.device)
    picked: Any = input
    return picked[at(axis, index)]  # type: ignore[no-any-return]


def _interleaved(input: Any, count: int, axis: int) -> Tensor:
    """Every slice equally often: a new axis, broadcast and merged."""
    lead, size, rest = input.shape[:axis], input.shape[axis], input.shape[axis + 1 :]
    wide = BroadcastTo((*lead, size, count, *rest))(Reshape((*lead, size, 1, *rest))(input))
    return Reshape((*lead, size * count, *rest))(wide)


# --- grids -------------------------------------------------------------------------------------
@derive("meshgrid", method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid: for vectors of n and m numbers two tensors (n, m).

    With ``indexing="xy"`` the first two axes are exchanged: (m, n).

    Raises:
        ArgumentError: for another `indexing`.
        ShapeError: for tensors of more than one axis.
    """
    if indexing not in ("ij", "xy"):
        raise ArgumentError("meshgrid: indexing", got=repr(indexing), expected="'ij' or 'xy'")
    vectors: list[Any] = [_at_least_1(as_tensor(x)) for x in listed(tensors)]
    if any(x.ndim > 1 for x in vectors):
        raise ShapeError("meshgrid: vectors or numbers", got=[tuple(x.shape) for x in vectors])
    shape: Shape = tuple(x.shape[0] for x in vectors)
    grids: list[Any] = []
    for axis, x in enumerate(vectors):
        column = tuple(n if i == axis else 1 for i, n in enumerate(shape))
        grids.append(BroadcastTo(shape)(Reshape(column)(x)))
    if indexing == "xy" and len(grids) > 1:
        grids = [grid.transpose(0, 1) for grid in grids]
    return tuple(grids)


@derive("cartesian_prod", method=False)
def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of one element of each vector, a row for each."""
    columns: list[Any] = [grid.reshape(grid.numel(), 1) for grid in _grids(tensors)]
    return columns[0].flatten() if len(columns) == 1 else Cat(1)(*columns)


def _grids(tensors: tuple[Any, ...]) -> Any:
    return meshgrid(*listed(tensors))


@derive("combinations")
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of `r` elements of a vector, in order, a row for each."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    index = creation.zeros(0, r, dtype="int64", device=input.device)
    if rows:
        index = creation.as_tensor(rows, device=input.device)
    picked: Any = input
    return picked[index]  # type: ignore[no-any-return]


@derive("broadcast_tensors", method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors broadcast to their common shape."""
    given = [as_tensor(x) for x in listed(tensors)]
    shape = common_shape("broadcast_tensors", *(x.shape for x in given))
    return tuple(BroadcastTo(shape)(x) for x in given)


@creation.creator
def broadcast_shapes(*shapes: Any) -> Shape:
    """The shape that tensors of these shapes broadcast to."""
    shapes = tuple((shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes)
    return common_shape("broadcast_shapes", *shapes)

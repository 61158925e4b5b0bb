"""Other views of the same elements: moved axes, diagonals, parts, sliding windows."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import add_property, derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.indexing import SetItem
from deepdive.ops.joining import at
from deepdive.ops.pool import Windows
from deepdive.ops.shape import BroadcastTo, Cat, Flip, Permute, Reshape, Shape, axis_of, transpose


def tuple_of(dims: Any) -> Shape:
    """One axis or several, as a tuple."""
    return (dims,) if isinstance(dims, int) else tuple(dims)


@derive("broadcast_to", word="broadcast_to_size")
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`input` repeated along new axes and axes of extent 1, as a view of shape `size`."""
    return BroadcastTo(tuple_of(size))(input)


# --- axes --------------------------------------------------------------------------------------
@derive("movedim", "moveaxis")
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The axes `source` at the places `destination`, the others in their order.

    >>> import deepdive as dd
    >>> movedim(dd.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    start = [axis_of("movedim", dim, input) for dim in tuple_of(source)]
    end = [axis_of("movedim", dim, input) for dim in tuple_of(destination)]
    if len(start) != len(end) or len({*start}) != len(start) or len({*end}) != len(end):
        raise ArgumentError(
            "movedim: as many sources as destinations, none twice",
            got=f"{source} to {destination}",
        )
    rest = [axis for axis in range(input.ndim) if axis not in start]
    order = []
    for axis in range(input.ndim):
        order.append(start[end.index(axis)] if axis in end else rest.pop(0))
    return Permute(tuple(order))(input)


def to_end(x: Tensor, *dims: int) -> Any:
    """`x` with these axes last, in this order."""
    return movedim(x, dims, tuple(range(-len(dims), 0)))


@derive("swapaxes")
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two axes exchanged."""
    return transpose(input, axis0, axis1)


@derive("adjoint")
def adjoint(input: Tensor) -> Tensor:
    """The last two axes exchanged (real numbers are their own conjugates)."""
    if input.ndim < 2:
        raise ShapeError("adjoint: at least two axes", got=tuple(input.shape))
    return movedim(input, -1, -2)


def _adjoint(x: Tensor) -> Tensor:
    """The matrix transpose, for real matrices."""
    return adjoint(x)


add_property("mH", _adjoint)


@derive("ravel")
def ravel(input: Tensor) -> Tensor:
    """All elements as one vector."""
    return Reshape((input.numel(),))(input)


@derive("view_as", "reshape_as")
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of `other`."""
    return Reshape(tuple(other.shape))(input)


# --- reversed and turned -----------------------------------------------------------------------
@derive("fliplr")
def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    if input.ndim < 2:
        raise ShapeError("fliplr: at least two axes", got=tuple(input.shape))
    return Flip((1,))(input)


@derive("flipud")
def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    if input.ndim < 1:
        raise ShapeError("flipud: at least one axis", got=tuple(input.shape))
    return Flip((0,))(input)


@derive("rot90")
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """The plane of `dims` turned `k` quarters, from the first axis towards the second.

    >>> import deepdive as dd
    >>> rot90(dd.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    first, second = (axis_of("rot90", dim, input) for dim in dims)
    if first == second:
        raise ArgumentError("rot90: two different axes", got=tuple(dims))
    turns = k % 4
    if turns == 0:
        return input.clone()  # type: ignore[attr-defined,no-any-return]
    if turns == 2:
        return Flip((first, second))(input)
    turned: Any = Flip((second if turns == 1 else first,))(input)
    return turned.transpose(first, second)  # type: ignore[no-any-return]


# --- parts -------------------------------------------------------------------------------------
@derive("narrow")
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """``input[start : start + length]`` along `dim`.

    Raises:
        ArgumentError: if that reaches beyond the end.
    """
    axis = axis_of("narrow", dim, input)
    size = input.shape[axis]
    first = int(start)
    first += size if first < 0 else 0
    if not 0 <= first <= first + length <= size:
        raise ArgumentError(
            "narrow: the part lies inside the axis",
            got=f"start {int(start)}, length {length}",
            expected=f"within {size}",
        )
    picked: Any = input
    return picked[at(axis, slice(first, first + length))]  # type: ignore[no-any-return]


@derive("select")
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number `index` along `dim`, that axis gone."""
    picked: Any = input
    return picked[at(axis_of("select", dim, input), index)]  # type: ignore[no-any-return]


@derive("select_scatter")
def select_scatter(input: Tensor, src: Any, dim: int, index: int) -> Tensor:
    """A copy of `input` with ``select(input, dim, index)`` replaced by `src`."""
    return SetItem(at(axis_of("select_scatter", dim, input), index))(input, src)


@derive("slice_scatter")
def slice_scatter(
    input: Tensor,
    src: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """A copy of `input` with ``input[start:end:step]`` along `dim` replaced by `src`."""
    axis = axis_of("slice_scatter", dim, input)
    return SetItem(at(axis, slice(start, end, step)))(input, src)


@derive("unfold_copy", "unfold")
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along an axis, `step` apart, on a new last axis.

    >>> import deepdive as dd
    >>> dd.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    x = Reshape((1,))(input) if input.ndim == 0 else input
    axis = axis_of("unfold", dimension, x)
    if not 0 < size <= x.shape[axis] or step < 1:
        raise ArgumentError(
            f"unfold: windows inside axis {axis}, a step of at least 1",
            got=f"size {size}, step {step}",
            expected=f"a size of 1 … {x.shape[axis]}",
        )
    windows: Any = Windows((size,), (step,), (1,))(movedim(x, axis, -1))
    return movedim(windows, -2, axis)


@derive("as_strided")
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int = 0) -> Tensor:
    """``out[i, j] = flat[i · stride[0] + j · stride[1] + storage_offset]``, a copy.

    The flat elements are those of `input` in row order.
    """
    flat: Any = ravel(input)
    place: Any = creation.full((1,) * len(size), storage_offset, device=input.device)
    for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
        steps: Any = creation.arange(n, device=input.device) * step
        place = place + steps.reshape(n, *(1,) * (len(size) - axis - 1))
    return flat[place]  # type: ignore[no-any-return]


# --- diagonals ---------------------------------------------------------------------------------
def _length(x: Any, offset: int) -> int:
    """How many elements a diagonal of the last two axes has."""
    rows, columns = x.shape[-2:]
    return max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)


def _places(length: int, offset: int, device: str) -> tuple[Any, Any]:
    """Rows and columns of the elements of a diagonal."""
    steps: Any = creation.arange(length, device=device)
    return steps + max(-offset, 0), steps + max(offset, 0)


def _plane(name: str, x: Tensor, dim1: int, dim2: int) -> tuple[int, int]:
    first, second = (axis_of(name, dim, x) for dim in (dim1, dim2))
    if first == second:
        raise ArgumentError(f"{name}: two different axes", got=(dim1, dim2))
    return first, second


@derive("diagonal")
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements with column = row + `offset` in the plane of two axes, on a new last axis.

    >>> import deepdive as dd
    >>> diagonal(dd.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    x = to_end(input, *_plane("diagonal", input, dim1, dim2))
    rows, columns = _places(_length(x, offset), offset, x.device)
    return x[(..., rows, columns)]  # type: ignore[no-any-return]


@derive("diag")
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix; of a vector, the matrix with it on its diagonal.

    >>> import deepdive as dd
    >>> diag(dd.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return _diagonal(input, diagonal)
    raise ShapeError("diag: a vector or a matrix", got=tuple(input.shape), fix="diag_embed(x)")


_diagonal = diagonal


@derive("diagflat")
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The square matrix with all elements of `input` on a diagonal."""
    return diag_embed(ravel(input), offset)


@derive("diag_embed")
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Square matrices with the last axis of `input` on a diagonal, in the plane of two axes."""
    *lead, n = input.shape
    side = n + abs(offset)
    zeros: Any = creation.zeros(*lead, side, side, dtype=input.dtype, device=input.device)
    first, second = _plane("diag_embed", zeros, dim1, dim2)
    filled = SetItem((..., *_places(n, offset, input.device)))(zeros, input)
    return movedim(filled, (-2, -1), (first, second))


@derive("diagonal_scatter")
def diagonal_scatter(
    input: Tensor, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of `input` with its diagonal replaced by `src`."""
    plane = _plane("diagonal_scatter", input, dim1, dim2)
    x = to_end(input, *plane)
    places = _places(_length(x, offset), offset, x.device)
    return movedim(SetItem((..., *places))(x, src), (-2, -1), plane)


# --- positions ---------------------------------------------------------------------------------
def _triangle(
    row: int,
    col: int,
    offset: int,
    lower: bool,
    device: Any,
) -> Tensor:
    pairs = [(i, j) for i in range(row) for j in range(col) if (j - i <= offset) is lower]
    if not pairs:
        return creation.zeros(2, 0, dtype="int64", device=device)
    return creation.as_tensor(list(map(list, zip(*pairs, strict=True))), device=device)


@creation.creator
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    device: Any = None,
) -> Tensor:
    """Rows and columns of the lower triangle of a (row, col) matrix, (2, n).

    >>> tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle(row, col, offset, True, device)


@creation.creator
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    device: Any = None,
) -> Tensor:
    """Rows and columns of the upper triangle of a (row, col) matrix, (2, n)."""
    return _triangle(row, col, offset - 1, False, device)


@derive("unravel_index")
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates of flat `indices` in a tensor of `shape`, one tensor per axis."""
    coordinates: list[Any] = []
    rest: Any = indices
    for n in reversed(tuple_of(shape)):
        coordinates.append(rest % n)
        rest = rest // n
    return tuple(reversed(coordinates))


# --- differences -------------------------------------------------------------------------------
@derive("diff")
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Any = None,
    append: Any = None,
) -> Any:
    """Differences of neighbours along `dim`, taken `n` times; of truth values: do they differ?

    >>> import deepdive as dd
    >>> diff(dd.tensor([1, 3, 6]))
    tensor([2, 3])
    """
    axis = axis_of("diff", dim, input)
    parts = [part for part in (prepend, input, append) if part is not None]
    out: Any = Cat(axis)(*parts) if len(parts) > 1 else input
    for _ in range(n):
        after, before = out[at(axis, slice(1, None))], out[at(axis, slice(None, -1))]
        out = after != before if out.dtype.kind == "b" else after - before
    return out

"""Operators that move elements without changing them."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import Operator, add_property, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, IndexRangeError, ShapeError

Shape = tuple[int, ...]


def inverse(order: Shape) -> Shape:
    """The permutation that undoes `order`."""
    return tuple(sorted(range(len(order)), key=lambda i: order[i] % len(order)))


def axis_of(name: str, dim: int, x: Any) -> int:
    """The number of an axis counted from the front.

    Raises:
        IndexRangeError: if there is no such axis.
    """
    rank = len(x.shape)
    if not -rank <= dim < rank:
        raise IndexRangeError(
            f"{name}: axis {dim} is out of range for shape {tuple(x.shape)}",
            expected=f"{-rank} … {rank - 1}" if rank else "at least one axis",
        )
    return dim % rank


@register("reshape", "view")
class Reshape(Operator):
    """The same elements in another shape; one extent may be -1."""

    shape: Shape
    gathers = True

    def forward(self, xp, x):
        return xp.reshape(x, self.shape)

    def backward(self, xp, grad, x_shape):
        return xp.reshape(grad, x_shape)


@register("permute", word="permute_dims")
class Permute(Operator):
    """Axes in another order."""

    dims: Shape
    gathers = True

    def forward(self, xp, x):
        return xp.permute_dims(x, self.dims)

    def backward(self, xp, grad):
        return xp.permute_dims(grad, inverse(self.dims))


@derive("transpose", "swapdims")
def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged."""
    order = list(range(x.ndim))
    try:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    except IndexError:
        raise ShapeError(
            f"transpose: no axes {dim0} and {dim1}", got=f"shape {tuple(x.shape)}"
        ) from None
    return Permute(tuple(order))(x)


@derive("t")
def t(x: Tensor) -> Tensor:
    """The transpose of a matrix; vectors stay as they are."""
    if x.ndim > 2:
        raise ShapeError("t: at most two axes", got=tuple(x.shape), fix="use .mT or .permute(…)")
    return x if x.ndim < 2 else Permute((1, 0))(x)


def _reversed_axes(x: Tensor) -> Tensor:
    """All axes in reverse order."""
    return x if x.ndim < 2 else Permute(tuple(range(x.ndim))[::-1])(x)


def _matrix_transpose(x: Tensor) -> Tensor:
    """The last two axes exchanged."""
    return transpose(x, -2, -1)


add_property("T", _reversed_axes)
add_property("mT", _matrix_transpose)


@register(None, word="broadcast_to")
class BroadcastTo(Operator):
    """`x` repeated along new axes and axes of extent 1, as a view."""

    shape: Shape

    def forward(self, xp, x):
        return xp.broadcast_to(x, self.shape)

    def backward(self, xp, grad):
        return grad  # the engine sums over what was broadcast


@derive("expand")
def expand(x: Tensor, *sizes: Any) -> Tensor:
    """`x` broadcast to `sizes`; -1 keeps an extent."""
    shape = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    lead = len(shape) - x.ndim
    kept = (*(1,) * max(lead, 0), *x.shape)
    if lead < 0 or any(n < 0 for n in shape[:lead]):
        raise ShapeError(
            "expand: too few sizes, or -1 for a new axis",
            got=tuple(shape),
            expected=f"at least {x.ndim} sizes for shape {tuple(x.shape)}",
        )
    return BroadcastTo(tuple(k if n == -1 else n for n, k in zip(shape, kept, strict=True)))(x)


@derive("expand_as")
def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """`x` broadcast to the shape of `other`."""
    return BroadcastTo(tuple(other.shape))(x)


@register("unsqueeze", word="expand_dims")
class Unsqueeze(Operator):
    """A new axis of extent 1 at `dim`."""

    dim: int

    def forward(self, xp, x):
        return xp.expand_dims(x, axis=self.dim)

    def backward(self, xp, grad, x_shape):
        return xp.reshape(grad, x_shape)


@register("squeeze")
class Squeeze(Operator):
    """Axes of extent 1 removed: all of them, or those named by `dim`."""

    dim: Any = None
    gathers = True

    def forward(self, xp, x):
        dims = range(len(x.shape)) if self.dim is None else self.dim
        dims = (dims,) if isinstance(dims, int) else dims
        gone = {axis_of("squeeze", d, x) for d in dims} if x.shape else set()
        return xp.reshape(x, tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in gone))

    def backward(self, xp, grad, x_shape):
        return xp.reshape(grad, x_shape)


@derive("flatten")
def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` merged into one."""
    if x.ndim == 0:
        return Reshape((1,))(x)
    start, end = (axis_of("flatten", dim, x) for dim in (start_dim, end_dim))
    if start > end:
        raise ArgumentError("flatten: start_dim comes after end_dim", got=f"{start_dim}, {end_dim}")
    size = 1
    for n in x.shape[start : end + 1]:
        size *= n
    return Reshape((*x.shape[:start], size, *x.shape[end + 1 :]))(x)


@derive("unflatten")
def unflatten(x: Tensor, dim: int, sizes: Shape) -> Tensor:
    """The axis `dim` split into `sizes`."""
    d = axis_of("unflatten", dim, x)
    rest = x.shape[d]
    known = 1
    for n in sizes:
        known *= n if n != -1 else 1
    filled = tuple(n if n != -1 else rest // max(known, 1) for n in sizes)
    return Reshape((*x.shape[:d], *filled, *x.shape[d + 1 :]))(x)


@register("flip")
class Flip(Operator):
    """The order of elements reversed along `dims`."""

    dims: Any
    gathers = True

    def forward(self, xp, x):
        return xp.flip(x, axis=self.dims)

    def backward(self, xp, grad):
        return xp.flip(grad, axis=self.dims)


@register("roll")
class Roll(Operator):
    """Elements shifted by `shifts` along `dims`; what leaves at one end enters at the other."""

    shifts: Any
    dims: Any = None

    def forward(self, xp, x):
        return xp.roll(x, self.shifts, axis=self.dims)

    def backward(self, xp, grad):
        s = self.shifts
        return xp.roll(grad, tuple(-n for n in s) if isinstance(s, tuple) else -s, axis=self.dims)


@register("tril")
class Tril(Operator):
    """The lower triangle; `diagonal` moves its edge up."""

    diagonal: int = 0

    def forward(self, xp, x):
        return xp.tril(x, self.diagonal)

    def backward(self, xp, grad):
        return xp.tril(grad, self.diagonal)


@register("triu")
class Triu(Operator):
    """The upper triangle; `diagonal` moves its edge up."""

    diagonal: int = 0

    def forward(self, xp, x):
        return xp.triu(x, self.diagonal)

    def backward(self, xp, grad):
        return xp.triu(grad, self.diagonal)


@register("cat", "concat", "concatenate", method=False, word="concat")
class Cat(Operator):
    """Tensors joined along an existing axis."""

    promotes = "common"
    dim: int = 0

    def forward(self, xp, *tensors):
        return xp.concat(tensors, axis=self.dim)

    def backward(self, xp, grad, tensors_shape):
        d = self.dim % len(grad.shape)
        parts, start = [], 0
        for shape in tensors_shape:
            stop = start + shape[d]
            parts.append(xp.getitem(grad, (slice(None),) * d + (slice(start, stop),)))
            start = stop
        return parts


@register("stack", method=False)
class Stack(Operator):
    """Tensors of one shape joined along a new axis."""

    promotes = "common"
    dim: int = 0

    def forward(self, xp, *tensors):
        return xp.stack(tensors, axis=self.dim)

    def backward(self, xp, grad):
        d = self.dim % len(grad.shape)
        return [xp.getitem(grad, (slice(None),) * d + (i,)) for i in range(grad.shape[d])]


@derive("split")
def split(
    x: Tensor, split_size_or_sections: Any, dim: int = 0, *, axis: int | None = None
) -> tuple[Tensor, ...]:
    """`x` cut along `dim` into pieces of one size, or of the sizes listed."""
    d = axis_of("split", dim if axis is None else axis, x)
    n, sizes = x.shape[d], split_size_or_sections
    if isinstance(sizes, int):
        if sizes < 1:
            raise ArgumentError("split: the size must be positive", got=sizes)
        sizes = [min(sizes, n - start) for start in range(0, n, sizes)] or [0]
    if sum(sizes) != n:
        raise ShapeError(
            f"split: the sizes do not add up to axis {d}", got=list(sizes), expected=f"a sum of {n}"
        )
    pieces, start = [], 0
    for size in sizes:
        pieces.append(x[(slice(None),) * d + (slice(start, start + size),)])  # type: ignore[index]
        start += size
    return tuple(pieces)


@derive("chunk")
def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`x` cut along `dim` into at most `chunks` pieces of equal size but the last."""
    if chunks < 1:
        raise ArgumentError("chunk: the number of pieces must be positive", got=chunks)
    size = x.shape[axis_of("chunk", dim, x)]
    if size == 0:  # as many pieces as asked for, all of them empty
        return split(x, [0] * chunks, dim)
    return split(x, max(-(-size // chunks), 1), dim)


@derive("unbind")
def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, that axis gone."""
    d = axis_of("unbind", dim, x)
    return tuple(x[(slice(None),) * d + (i,)] for i in range(x.shape[d]))  # type: ignore[index]


@register("constant_pad", word="pad", method=False)
class ConstantPad(Operator):
    """`x` set into a frame filled with `value`; widths are (before, after) per axis."""

    widths: tuple[tuple[int, int], ...]
    value: float = 0.0

    def forward(self, xp, x):
        return xp.pad(x, self.widths, self.value)

    def backward(self, xp, grad, x_shape):
        inside = tuple(slice(b, b + n) for (b, _), n in zip(self.widths, x_shape, strict=True))
        return xp.getitem(grad, inside)

"""NDArray: a flat buffer, seen through shape, strides and an offset.

Element ``(i, j, …)`` is ``buffer[offset + i · strides[0] + j · strides[1] + …]``.  So a slice, a
transpose, a broadcast or a reshape only needs other numbers for the same buffer: a *view*, which
copies nothing, and through which one writes into the array it came from.
"""

from __future__ import annotations

import math
from array import array as buffer_of
from collections.abc import Iterable, Iterator
from typing import Any

from deepdive import dtypes
from deepdive.backend.native.kernels import (
    Places,
    Shape,
    copy_loop,
    in_row_order,
    map_loop,
    positions,
    row_strides,
)
from deepdive.backend.native.scalars import convert, typecode
from deepdive.backend.native.selection import Selection
from deepdive.backend.vocabulary import rules_dtype, rules_index, rules_shape
from deepdive.errors import DeviceError, ShapeError
from deepdive.host import NUMPY, missing_numpy, np

Axes = tuple[int, ...]
DEVICE = "native"


class NDArray:
    """An n-dimensional array in pure Python.

    Args:
        buffer: the numbers, an ``array.array`` (bools as bytes 0 and 1).
        shape: the size of each axis.
        dtype: one of :mod:`deepdive.dtypes`.
        strides: elements (not bytes) between neighbours along each axis; row order if absent.
        offset: where element (0, 0, …) lies.
        base: the array whose memory this one sees, if it is a view.

    >>> x = asarray([[1, 2, 3], [4, 5, 6]])
    >>> x.T
    NDArray([[1, 4], [2, 5], [3, 6]], int64)
    >>> x.T.strides, x[:, 1:].offset, x.T.buffer is x.buffer
    ((1, 3), 1, True)
    """

    __slots__ = ("base", "buffer", "dtype", "offset", "shape", "strides")
    __array_ufunc__ = None  # NumPy's arrays leave operators with ours to ours, which refuse

    def __init__(
        self,
        buffer: Any,
        shape: Shape,
        dtype: Any,
        strides: Shape | None = None,
        offset: int = 0,
        base: NDArray | None = None,
    ) -> None:
        self.buffer = buffer
        self.shape = shape
        self.dtype = dtype
        self.strides = row_strides(shape) if strides is None else strides
        self.offset = offset
        self.base = base

    # --- what it is ----------------------------------------------------------------------------
    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self.buffer.itemsize)

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def device(self) -> str:
        return DEVICE

    @property
    def values(self) -> NDArray:
        """The numbers are known: the rules of indices ask for them."""
        return self

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array of shape ()")
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"NDArray({self.tolist()}, {self.dtype.name})"

    # --- its numbers ---------------------------------------------------------------------------
    def positions(self) -> Places:
        """Where the elements lie in the buffer, in row order."""
        return positions(self.shape, self.strides, self.offset)

    def numbers(self) -> list[Any]:
        """All elements in row order, as Python numbers."""
        found = [self.buffer[i] for i in self.positions()]
        return list(map(bool, found)) if self.dtype.kind == "b" else found

    def tolist(self) -> Any:
        """Nested lists; a number for a 0-d array."""
        level = self.numbers()
        if not self.shape:
            return level[0]
        for axis in range(self.ndim - 1, 0, -1):
            size, count = self.shape[axis], math.prod(self.shape[:axis])
            level = [level[i * size : i * size + size] for i in range(count)]
        return level

    def item(self) -> Any:
        """The one element as a Python number.

        Raises:
            ShapeError: if there is not exactly one.
        """
        if self.size != 1:
            raise ShapeError("item: only an array of one element is a number", got=self.shape)
        return self.numbers()[0]

    def tobytes(self) -> bytes:
        """The elements in row order, as they lie in the machine's memory."""
        return bytes(self.compact().memory())

    def memory(self) -> memoryview:
        """The bytes of a compact array, to read from or to write into."""
        return memoryview(self.buffer)[self.offset : self.offset + self.size].cast("B")

    def byteswap(self) -> NDArray:
        """A copy whose numbers have their bytes in the other order."""
        out = self.copy()
        out.buffer.byteswap()
        return out

    def numpy(self) -> Any:
        """A NumPy array on the same memory.

        Raises:
            MissingExtraError: without NumPy.
        """
        if not NUMPY:
            raise missing_numpy("a NumPy array of the values")
        item = self.itemsize
        strides = tuple(step * item for step in self.strides)
        return np.ndarray(self.shape, self.dtype, self.buffer, self.offset * item, strides)

    @property
    def flat(self) -> NDArray:
        """All elements along one axis."""
        return self.reshape(-1)

    def nonzero(self) -> list[list[int]]:
        """The positions of all elements but zeros: one list of coordinates per axis."""
        found = [k for k, number in enumerate(self.numbers()) if number]
        steps = row_strides(self.shape)
        return [[k // step % n for k in found] for n, step in zip(self.shape, steps, strict=True)]

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape:
            raise TypeError("only a 0-d array of integers is an index")
        return int(self.item())

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise DeviceError(
            "a NumPy function got a native array",
            expected="arrays of one device",
            fix="use the library's own, or copy the values first: x.cpu(), x.numpy()",
        )

    # --- views: never a copy -------------------------------------------------------------------
    def view(self, shape: Shape, strides: Shape, offset: int) -> NDArray:
        """The same buffer, seen in another way."""
        base = self if self.base is None else self.base
        return NDArray(self.buffer, shape, self.dtype, strides, offset, base)

    def as_strided(self, shape: Shape, strides: Shape, offset: int | None = None) -> NDArray:
        """The view of any shape and strides, which may overlap.

        Raises:
            ShapeError: if it would reach outside the buffer.
        """
        start = self.offset if offset is None else offset
        reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
        low = start + sum(step for step in reach if step < 0)
        high = start + sum(step for step in reach if step > 0)
        if 0 not in shape and (low < 0 or high >= len(self.buffer)):
            what = f"as_strided: shape {shape}, strides {strides} and offset {start} reach"
            raise ShapeError(
                f"{what} elements {low} … {high}", expected=f"0 … {len(self.buffer) - 1}"
            )
        return self.view(tuple(shape), tuple(strides), start)

    def permute(self, axes: Axes) -> NDArray:
        """Axis i of the result is axis ``axes[i]`` of this one."""
        shape = rules_shape.permute_dims("permute", self, tuple(axes))
        strides = tuple(self.strides[axis] for axis in axes)
        return self.view(shape, strides, self.offset)

    def transpose(self, *axes: int) -> NDArray:
        """The axes in the order given, or reversed."""
        return self.permute(axes or tuple(range(self.ndim))[::-1])

    @property
    def T(self) -> NDArray:
        return self.transpose()

    @property
    def mT(self) -> NDArray:
        """The last two axes exchanged."""
        order = [*range(self.ndim)]
        if self.ndim < 2:
            raise ShapeError("mT: only matrices are transposed", got=f"shape {self.shape}")
        return self.permute((*order[:-2], order[-1], order[-2]))

    def expand(self, shape: Shape) -> NDArray:
        """Axes of size 1 repeated, by a stride of 0."""
        new = rules_shape.broadcast_to("expand", self, shape)
        lead = len(new) - self.ndim
        pairs = zip(self.shape, new[lead:], self.strides, strict=True)
        strides = (0,) * lead + tuple(s if n == m else 0 for n, m, s in pairs)
        return self.view(new, strides, self.offset)

    broadcast_to = expand

    def reshape(self, *shape: Any) -> NDArray:
        """The same elements in order: a view where strides can say it, else a copy."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        new = rules_shape.reshape("reshape", self, wanted)
        strides = strides_of_reshaped(self.shape, self.strides, new)
        if strides is None:
            return NDArray(self.copy().buffer, new, self.dtype)
        return self.view(new, strides, self.offset)

    # --- copies --------------------------------------------------------------------------------
    def is_compact(self) -> bool:
        """Whether the elements lie one after another, in row order."""
        return in_row_order(self.shape, self.strides)

    def compact(self) -> NDArray:
        """This array if it is compact, else a copy that is."""
        return self if self.is_compact() else self.copy()

    def copy(self) -> NDArray:
        """The values in memory of their own, in row order."""
        return self._gathered(self.shape, self.positions())

    def astype(self, dtype: Any, copy: bool = False) -> NDArray:
        """The values in another dtype; this array itself if it has it, unless `copy`."""
        wanted = as_native(dtype)
        if wanted == self.dtype:
            return self.copy() if copy else self
        out = empty(self.shape, wanted)
        map_loop(out.buffer, convert(wanted), self.buffer, self.positions())
        return out

    def _gathered(self, shape: Shape, places: Places) -> NDArray:
        if isinstance(places, range) and places.step == 1:
            return NDArray(self.buffer[places.start : places.stop], shape, self.dtype)
        out = empty(shape, self.dtype)
        copy_loop(out.buffer, range(len(places)), self.buffer, places)
        return out

    # --- indexing ------------------------------------------------------------------------------
    def select(self, index: Any) -> Selection:
        """What an index selects; lists in it have become arrays.

        Raises:
            DeviceError: for an index array of another kind.
        """
        parts = index if type(index) is tuple else (index,)
        return Selection(self, tuple(map(_as_index, parts)))

    def __getitem__(self, index: Any) -> NDArray:
        rules_index.getitem("getitem", self, index)
        chosen = self.select(index)
        if chosen.parts:
            return self._gathered(chosen.shape, chosen.places())
        return self.view(tuple(chosen.sizes), tuple(chosen.strides), chosen.offset)

    def __setitem__(self, index: Any, values: Any) -> None:
        if not isinstance(values, NDArray):
            values = asarray(values, self.dtype if dtypes.is_floating(self.dtype) else None)
        rules_index.setitem("setitem", self, index, values)
        chosen = self.select(index)
        places, shape = chosen.places(), chosen.shape
        if not (chosen.parts or chosen.apart()) and len(set(places)) < len(places):
            raise ShapeError(
                "setitem: elements of this view share their memory",
                got=f"shape {self.shape}, strides {self.strides}",
                fix="write into a copy: x = x.copy()",
            )
        extra = len(values.shape) - len(shape)
        own = values.reshape(values.shape[extra:]) if extra > 0 else values
        shared = own.buffer is self.buffer  # then it is read before anything is written
        source = (own.copy() if shared else own.astype(self.dtype)).expand(shape)
        copy_loop(self.buffer, places, source.buffer, source.positions())

    def fill(self, value: Any) -> None:
        """Set every element."""
        self[...] = value


def strides_of_reshaped(shape: Shape, strides: Shape, new: Shape) -> Shape | None:
    """The strides that show the same elements, in the same order, as `new`; None if none do.

    Neighbouring axes that lie one after another in memory are joined; every new axis must then
    fit into one of these runs.

    >>> strides_of_reshaped((2, 3, 4), (12, 4, 1), (6, 2, 2))
    (4, 2, 1)
    >>> strides_of_reshaped((4, 3), (1, 4), (12,)) is None  # a transposed matrix
    True
    """
    if 0 in shape:
        return row_strides(new)
    runs: list[list[int]] = [[1, 1]]
    for size, stride in zip(shape, strides, strict=True):
        if size != 1 and runs[-1][1] == size * stride:
            runs[-1] = [runs[-1][0] * size, stride]
        elif size != 1:
            runs.append([size, stride])
    out = []
    for size in reversed(new):
        while len(runs) > 1 and runs[-1][0] == 1:
            runs.pop()
        if runs[-1][0] % size:
            return None
        out.append(runs[-1][1])
        runs[-1] = [runs[-1][0] // size, runs[-1][1] * size]
    return tuple(reversed(out))


# --- dtypes --------------------------------------------------------------------------------------
def as_native(dtype: Any) -> Any:
    """The dtype for a name or a type: the library's, or one of the wider unsigned integers.

    Those have no place in tensors: random bits, data files and sums of bytes need them.
    """
    found = KNOWN.get(dtype)  # asking a dtype its name is slow
    if found is None:
        name = getattr(dtype, "name", dtype)
        found = WIDE[name] if name in WIDE else dtypes.as_dtype(dtype)
    return found


WIDE = {name: np.dtype(name) for name in ("uint16", "uint32", "uint64")}
KNOWN = {dtype: dtype for dtype in (*WIDE.values(), *dtypes.BY_NAME.values())}


# --- making arrays -------------------------------------------------------------------------------
def empty(shape: Shape, dtype: Any) -> NDArray:
    """An array of zeros: Python has no memory without values."""
    buffer = buffer_of(typecode(dtype), bytes(buffer_of(typecode(dtype)).itemsize))
    return NDArray(buffer * math.prod(shape), tuple(shape), dtype)


def asarray(x: Any, dtype: Any = None) -> NDArray:
    """An array of numbers, nested lists, or an array of any kind; an NDArray passes as it is.

    Raises:
        ShapeError: for ragged lists.
        DTypeError: for what is not made of numbers.

    >>> asarray([[1, 2], [3, 4.5]])
    NDArray([[1.0, 2.0], [3.0, 4.5]], float32)
    """
    if isinstance(x, NDArray):
        own = x if type(x) is NDArray else x.view(x.shape, x.strides, x.offset)
        return own if dtype is None else own.astype(dtype)
    shape = rules_shape.nested("asarray", x)
    kind = as_native(dtype or getattr(x, "dtype", None) or _common_dtype(x))
    if hasattr(x, "tobytes"):  # another library's array: its bytes, in row order
        buffer = buffer_of(typecode(kind))
        buffer.frombytes(x.astype(kind).tobytes())
        return NDArray(buffer, shape, kind)
    cast: Any = {"f": float, "b": bool}.get(kind.kind, int)
    return NDArray(buffer_of(typecode(kind), map(cast, leaves(x))), shape, kind)


def _common_dtype(x: Any) -> Any:
    return rules_dtype.data("asarray", {"x": x, "dtype": None})


def frombuffer(data: Any, dtype: Any) -> NDArray:
    """The numbers whose bytes these are, copied: one axis.

    >>> frombuffer(bytes([1, 0, 2, 0]), "int16").tolist()  # on a little-endian machine
    [1, 2]
    """
    kind = as_native(dtype)
    buffer = buffer_of(typecode(kind))
    buffer.frombytes(data)
    return NDArray(buffer, (len(buffer),), kind)


def leaves(x: Any) -> Iterable[Any]:
    """The numbers of nested lists and of the arrays in them, in order."""
    pending = [x]
    while pending:
        item = pending.pop()
        item = item.tolist() if hasattr(item, "tolist") else item
        if isinstance(item, (list, tuple)):
            pending.extend(reversed(item))
        else:
            yield item


def _as_index(part: Any) -> Any:
    """A part of an index as the native array it has to be, if it is one."""
    if isinstance(part, list):
        return asarray(part) if part else asarray(part, dtypes.int64)
    if isinstance(part, NDArray) and not part.shape and part.dtype.kind == "b":
        return bool(part)  # a mask over no axis
    if hasattr(part, "shape") and not isinstance(part, NDArray):
        if part.shape == () and part.dtype.kind in "iu":
            return int(part)
        raise DeviceError(
            "getitem: an index on another device", got=type(part).__name__, expected="native"
        )
    return part


def reduced_places(x: NDArray, axes: Axes) -> tuple[Places, Places]:
    """The places of the first element of each row along `axes`, and the steps within a row."""
    inside = [i in axes for i in range(x.ndim)]
    rows = _along(x, [i for i in range(x.ndim) if not inside[i]], x.offset)
    return rows, _along(x, [i for i in range(x.ndim) if inside[i]], 0)


def _along(x: NDArray, axes: list[int], start: int) -> Places:
    """The places of the elements along some axes."""
    return positions(tuple(x.shape[i] for i in axes), tuple(x.strides[i] for i in axes), start)

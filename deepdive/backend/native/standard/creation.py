"""The standard's functions that make arrays, and what it wants to know of dtypes and devices."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from deepdive import dtypes
from deepdive.backend.native import namespace as xp
from deepdive.backend.native import ndarray
from deepdive.backend.native.ndarray import DEVICE, NDArray, as_native
from deepdive.backend.native.scalars import highest, lowest
from deepdive.backend.vocabulary import rules
from deepdive.errors import ArgumentError, DeviceError
from deepdive.host import NUMPY, missing_numpy, np

Array = Any  # an NDArray
Shape = Any  # an int or a tuple of them

KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": dtypes.FLOATING,
    "complex floating": "",
    "numeric": "iu" + dtypes.FLOATING,
}
# Binary digits of precision, and the power of two that numbers stay below
LIMITS = {"float16": (11, 16), "bfloat16": (8, 128), "float32": (24, 128), "float64": (53, 1024)}
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NAMES = ("bool", *INTEGERS, "float32", "float64")


def here(device: Any) -> None:
    """Accept the one device there is.

    Raises:
        DeviceError: for any other.
    """
    if device is not None and str(device) != DEVICE:
        raise DeviceError("native arrays live in memory", got=repr(device), expected=repr(DEVICE))


def cast(x: Array, dtype: Any) -> Array:
    return x if dtype is None else x.astype(dtype)


# --- making arrays -------------------------------------------------------------------------------
def asarray(
    obj: Any, /, dtype: Any = None, *, device: Any = None, copy: bool | None = None, **_: Any
) -> Array:
    """An array of numbers, nested lists or an array; `copy` as the standard says.

    Raises:
        ValueError: for ``copy=False`` where only a copy would do.
    """
    here(device)
    out = ndarray.asarray(obj, dtype)
    shares = isinstance(obj, NDArray) and out.buffer is obj.buffer
    if copy is False and not shares:
        raise ValueError("asarray: copy=False, and this cannot be had without a copy")
    return out.copy() if copy and shares else out


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Array:
    here(device)
    exact = dtypes.float64 if dtype is not None and dtypes.is_floating(as_native(dtype)) else None
    return cast(xp.arange(start, stop, step, exact), dtype)


def zeros(shape: Shape, dtype: Any = None, *, device: Any = None) -> Array:
    here(device)
    return ndarray.empty(rules.sizes("zeros", shape), as_native(dtype or dtypes.default_float()))


def ones(shape: Shape, dtype: Any = None, *, device: Any = None) -> Array:
    here(device)
    return cast(xp.ones(shape), dtype)


empty = zeros  # Python has no memory without values


def full(shape: Shape, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Array:
    one = asarray(fill_value, dtype=dtype, device=device, copy=True)
    sizes = rules.sizes("full", shape)
    return NDArray(one.buffer * math.prod(sizes), sizes, one.dtype)


def zeros_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return zeros(x.shape, dtype or x.dtype, device=device)


def ones_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return ones(x.shape, dtype or x.dtype, device=device)


empty_like = zeros_like


def full_like(x: Array, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    return full(x.shape, fill_value, dtype or x.dtype, device=device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
) -> Array:
    here(device)
    return cast(xp.eye(n_rows, n_cols, k), dtype)


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Array:
    """`num` numbers at equal distances; the last is `stop` itself, or lies one step before."""
    here(device)
    steps = num - endpoint
    numbers = [start + (stop - start) * (i / max(steps, 1)) for i in range(num)]
    if endpoint and num > 1:
        numbers[-1] = stop
    return ndarray.asarray(numbers, dtype or dtypes.default_float())


def meshgrid(*arrays: Array, indexing: str = "xy") -> list[Array]:
    """Coordinate arrays: the i-th varies along axis i; ``xy`` exchanges the first two axes.

    Raises:
        ArgumentError: for another `indexing`.
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError("meshgrid: unknown indexing", got=indexing, expected="'xy' or 'ij'")
    order = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        order[:2] = 1, 0
    shape = tuple(arrays[i].size for i in order)
    out = []
    for i, x in enumerate(arrays):
        own = [1] * len(arrays)
        own[order.index(i)] = x.size
        out.append(x.reshape(tuple(own)).expand(shape).copy())
    return out


def tril(x: Array, /, *, k: int = 0) -> Array:
    return xp.tril(x, k)


def triu(x: Array, /, *, k: int = 0) -> Array:
    return xp.triu(x, k)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """A copy of another library's array, handed over by NumPy.

    Raises:
        BufferError: for ``copy=False``.
        MissingExtraError: without NumPy.
    """
    here(device)
    if isinstance(x, NDArray):
        return x.copy() if copy else x
    if copy is False:
        raise BufferError("from_dlpack: native arrays hold their numbers in memory of their own")
    if not NUMPY:
        raise missing_numpy("from_dlpack")
    return ndarray.asarray(np.from_dlpack(x))


# --- dtypes --------------------------------------------------------------------------------------
def astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    here(device)
    out = x.astype(dtype)
    return out.copy() if copy and out is x else out


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind, by name, or one of several; a kind may be a dtype.

    Raises:
        ArgumentError: for a kind the standard does not know.
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    if not isinstance(kind, str):
        return bool(as_native(dtype) == as_native(kind))
    if kind not in KINDS:
        raise ArgumentError("isdtype: unknown kind", got=repr(kind), expected=", ".join(KINDS))
    return as_native(dtype).kind in KINDS[kind]


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether promotion would turn the one type into the other."""
    given = from_.dtype if isinstance(from_, NDArray) else as_native(from_)
    wanted = as_native(to)
    return bool(dtypes.result_type(given, wanted) == wanted)


def result_type(*arrays_and_dtypes: Any) -> Any:
    return dtypes.result_type(*arrays_and_dtypes)


class finfo(NamedTuple):
    """The limits of a floating type."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


class iinfo(NamedTuple):
    """The limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: Any


def _finfo(type: Any, /) -> finfo:
    """The limits of a floating type, or of that of an array."""
    dtype = type.dtype if isinstance(type, NDArray) else as_native(type)
    digits, top = LIMITS[dtype.name]
    largest = math.ldexp(1 - 2.0**-digits, top)
    eps, normal = 2.0 ** (1 - digits), 2.0 ** (2 - top)
    return finfo(8 * dtype.itemsize, eps, largest, -largest, normal, dtype)


def _iinfo(type: Any, /) -> iinfo:
    """The limits of an integer type, or of that of an array."""
    dtype = type.dtype if isinstance(type, NDArray) else as_native(type)
    return iinfo(8 * dtype.itemsize, highest(dtype), lowest(dtype), dtype)


class Info:
    """What ``__array_namespace_info__()`` gives: what there is, and what is taken unasked."""

    names: tuple[str, ...] = NAMES  # of dtypes

    def capabilities(self) -> dict[str, Any]:
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": None}

    def default_device(self) -> str:
        return DEVICE

    def devices(self) -> list[str]:
        return [DEVICE]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The types of Python's floats and ints; there are no complex numbers."""
        self._check(device)
        integer = dtypes.int64
        real = dtypes.default_float()
        return {"real floating": real, "integral": integer, "indexing": integer}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """Name → type, of all types or those of a kind."""
        self._check(device)
        found = {name: as_native(name) for name in self.names}
        return {name: x for name, x in found.items() if kind is None or isdtype(x, kind)}

    def _check(self, device: Any) -> None:
        here(device)

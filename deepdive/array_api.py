"""The Python array API standard over Tensors: what ``x.__array_namespace__()`` gives.

Code written once for NumPy, PyTorch and others (scikit-learn's, SciPy's) computes with Tensors
through these names, and gradients are recorded as always.  Each is one of the library's functions
under the standard's name and arguments (https://data-apis.org/array-api/2024.12).  Left out, for
the library has them not: complex numbers, ``uint16`` to ``uint64``, ``nextafter``, and the
extensions ``fft`` and ``linalg`` (:mod:`deepdive.linalg` has PyTorch's names).  Where PyTorch and
the standard differ – promotion, sums of small integers – PyTorch counts: docs/array_api.md.

>>> import deepdive as dd
>>> x = dd.tensor([[1.0, 3.0, 2.0]])
>>> xp = x.__array_namespace__()
>>> xp.sort(x, axis=1, descending=True), xp.std(x), xp.permute_dims(x, (1, 0)).shape
(tensor([[3., 2., 1.]]), tensor(0.8165), (3, 1))
"""

from __future__ import annotations

from builtins import bool as _truth
from math import e, inf, nan, pi
from types import SimpleNamespace as _SimpleNamespace
from typing import Any

from deepdive import config
from deepdive.backend.native import standard as _native
from deepdive.backend.native.standard.shapes import UniqueAll, UniqueCounts, UniqueInverse
from deepdive.core.operator import REGISTRY as _REGISTRY
from deepdive.core.tensor import Tensor
from deepdive.dtypes import as_dtype as _as_dtype
from deepdive.dtypes import bool_ as bool
from deepdive.dtypes import default_float as _default_float
from deepdive.dtypes import float32, float64, int8, int16, int32, int64, uint8
from deepdive.dtypes import result_type as _result_type
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.exchange import from_dlpack
from deepdive.ops.products import linalg_vecdot as _vecdot
from deepdive.ops.shape import axis_of as _axis_of

__array_api_version__ = "2024.12"
newaxis = None
_ours = _SimpleNamespace(**_REGISTRY)
abs = _ours.abs
acos = _ours.acos
acosh = _ours.acosh
add = _ours.add
all = _ours.all
any = _ours.any
argmax = _ours.argmax
argmin = _ours.argmin
asin = _ours.asin
asinh = _ours.asinh
atan = _ours.atan
atan2 = _ours.atan2
atanh = _ours.atanh
bitwise_and = _ours.bitwise_and
bitwise_invert = _ours.bitwise_not
bitwise_left_shift = _ours.bitwise_left_shift
bitwise_or = _ours.bitwise_or
bitwise_right_shift = _ours.bitwise_right_shift
bitwise_xor = _ours.bitwise_xor
ceil = _ours.ceil
copysign = _ours.copysign
cos = _ours.cos
cosh = _ours.cosh
divide = _ours.divide
equal = _ours.eq
exp = _ours.exp
expm1 = _ours.expm1
floor = _ours.floor
floor_divide = _ours.floor_divide
greater = _ours.greater
greater_equal = _ours.greater_equal
isfinite = _ours.isfinite
isinf = _ours.isinf
isnan = _ours.isnan
less = _ours.less
less_equal = _ours.less_equal
log = _ours.log
log10 = _ours.log10
log1p = _ours.log1p
log2 = _ours.log2
logaddexp = _ours.logaddexp
logical_and = _ours.logical_and
logical_not = _ours.logical_not
logical_or = _ours.logical_or
logical_xor = _ours.logical_xor
matmul = _ours.matmul
maximum = _ours.maximum
mean = _ours.mean
minimum = _ours.minimum
multiply = _ours.multiply
negative = _ours.negative
not_equal = _ours.not_equal
positive = _ours.positive
pow = _ours.pow
reciprocal = _ours.reciprocal
remainder = _ours.remainder
round = _ours.round
sign = _ours.sign
signbit = _ours.signbit
sin = _ours.sin
sinh = _ours.sinh
sqrt = _ours.sqrt
square = _ours.square
stack = _ours.stack
subtract = _ours.subtract
tan = _ours.tan
tanh = _ours.tanh
trunc = _ours.trunc
where = _ours.where


# --- making tensors ------------------------------------------------------------------------------
def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """A tensor of numbers, nested lists or an array, sharing memory where it can.

    Raises:
        ValueError: for ``copy=False`` where only a copy would do.
    """
    found = _ours.as_tensor(obj, dtype, device)
    held = obj._data if isinstance(obj, Tensor) else obj
    shares = found._data is held
    if copy is False and not shares:
        raise ArgumentError("asarray: copy=False, and this cannot be had without a copy")
    return found.clone() if copy and shares else found


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    return _ours.arange(start, stop, step, dtype=dtype, device=device)


def linspace(
    start,
    stop,
    /,
    num,
    *,
    dtype=None,
    device=None,
    endpoint=True,
):
    steps = num if endpoint else num + 1
    return _ours.linspace(start, stop, steps, dtype=dtype, device=device)[:num]


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    columns = n_rows if n_cols is None else n_cols
    dtype = _default_float() if dtype is None else _as_dtype(dtype)
    row = arange(n_rows, device=device)[:, None]
    column = arange(columns, device=device)
    return (column - row == k).to(dtype)


def zeros(shape, *, dtype=None, device=None):
    return _ours.zeros(shape, dtype=dtype, device=device)


def ones(shape, *, dtype=None, device=None):
    return _ours.ones(shape, dtype=dtype, device=device)


def empty(shape, *, dtype=None, device=None):
    return _ours.empty(shape, dtype=dtype, device=device)


def full(shape, fill_value, *, dtype=None, device=None):
    shape = (shape,) if isinstance(shape, int) else shape
    return _ours.full(shape, fill_value, dtype=dtype, device=device)


def _place(x, dtype, device) -> dict[str, Any]:
    return {"dtype": x.dtype if dtype is None else dtype, "device": device or x.device}


def zeros_like(x, /, *, dtype=None, device=None):
    return zeros(x.shape, **_place(x, dtype, device))


def ones_like(x, /, *, dtype=None, device=None):
    return ones(x.shape, **_place(x, dtype, device))


def empty_like(x, /, *, dtype=None, device=None):
    return empty(x.shape, **_place(x, dtype, device))


def full_like(x, /, fill_value, *, dtype=None, device=None):
    return full(x.shape, fill_value, **_place(x, dtype, device))


def meshgrid(*arrays, indexing="xy") -> list[Tensor]:
    return [*_ours.meshgrid(*arrays, indexing=indexing)]


def tril(x, /, *, k=0):
    return _ours.tril(x, k)


def triu(x, /, *, k=0):
    return _ours.triu(x, k)


# --- dtypes --------------------------------------------------------------------------------------
def astype(x, dtype, /, *, copy=True, device=None) -> Any:
    out: Any = asarray(x, dtype=dtype, device=device)
    return out.clone() if copy and out is x else out


def _type_of(x) -> Any:
    return x.dtype if isinstance(x, Tensor) else _as_dtype(x)


def isdtype(dtype, kind) -> _truth:
    """Whether a dtype is of a kind, by name, or one of several; a kind may be a dtype."""
    return _native.isdtype(dtype, kind)


def result_type(*arrays_and_dtypes) -> Any:
    return _result_type(*[x._data if isinstance(x, Tensor) else x for x in arrays_and_dtypes])


def can_cast(from_, to, /) -> _truth:
    return _native.can_cast(_type_of(from_), _as_dtype(to))


def finfo(type, /) -> Any:
    return _native.finfo(_type_of(type))


def iinfo(type, /) -> Any:
    return _native.iinfo(_type_of(type))


def hypot(x1, x2, /):
    x1 = x1 if isinstance(x1, Tensor) else full_like(x2, x1)  # a number widens nothing
    x2 = x2 if isinstance(x2, Tensor) else full_like(x1, x2)
    return _ours.hypot(x1, x2)


# --- reductions ----------------------------------------------------------------------------------
def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    return _ours.sum(x, axis=axis, keepdims=keepdims, dtype=dtype)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    return _ours.prod(x, axis=axis, keepdims=keepdims, dtype=dtype)


def max(x, /, *, axis=None, keepdims=False):
    return _ours.amax(x, axis=axis, keepdims=keepdims)


def min(x, /, *, axis=None, keepdims=False):
    return _ours.amin(x, axis=axis, keepdims=keepdims)


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    return _ours.var(x, axis, keepdim=keepdims, correction=correction)


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    return _ours.std(x, axis, keepdim=keepdims, correction=correction)


def count_nonzero(x, /, *, axis=None, keepdims=False):
    return sum(x != 0, axis=axis, keepdims=keepdims)


def _gathered(word, x, axis, dtype, start):
    """A running sum or product along an axis, after `start` if that is wanted."""
    if axis is None and x.ndim != 1:
        raise ArgumentError(f"{word}: say along which axis", got=f"shape {tuple(x.shape)}")
    axis = 0 if axis is None else axis
    running = getattr(_ours, word)
    out: Any = running(x, axis=axis, dtype=dtype)
    if start is None:
        return out
    first = [1 if i == axis % x.ndim else size for i, size in enumerate(x.shape)]
    return concat([full(tuple(first), start, **_place(out, None, None)), out], axis=axis)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    return _gathered("cumsum", x, axis, dtype, 0 if include_initial else None)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    return _gathered("cumprod", x, axis, dtype, 1 if include_initial else None)


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    return _ours.diff(x, n, axis, prepend, append)


def conj(x, /):
    """`x` itself: there are no complex numbers."""
    return x


real = conj


def imag(x, /):
    """Zeros: there are no complex numbers."""
    return _ours.zeros_like(x)


def clip(x, /, min=None, max=None):
    return x if min is None and max is None else _ours.clip(x, min, max)


# --- shapes --------------------------------------------------------------------------------------
def reshape(x, /, shape, *, copy=None):
    """The same numbers in another shape.

    Raises:
        ValueError: for ``copy=False`` where only a copy would do.
    """
    out = x.reshape(shape)
    if copy is False and x.numel() and not _native_shares(x, out):
        raise ArgumentError("reshape: copy=False, and this cannot be had without a copy")
    return out.clone() if copy else out


def _native_shares(x, out) -> _truth:
    from deepdive.backend.speakers import BY_TYPE

    owner = BY_TYPE[type(x._data)].owner
    return owner(x._data) is owner(out._data)


def permute_dims(x, /, axes):
    return x.permute(axes)


def matrix_transpose(x, /):
    return x.mT


def moveaxis(x, source, destination, /):
    return _ours.movedim(x, source, destination)


def broadcast_to(x, /, shape):
    return _ours.broadcast_to(x, shape)


def squeeze(x, /, axis):
    """Without the named axes, each of size 1.

    Raises:
        ShapeError: where an axis has another size, for which PyTorch leaves it.
    """
    for each in axis if isinstance(axis, tuple) else (axis,):
        if x.shape[_axis_of("squeeze", each, x)] != 1:
            raise ShapeError(f"squeeze: axis {each} of {tuple(x.shape)} is not 1 long")
    return _ours.squeeze(x, axis)


def expand_dims(x, /, *, axis=0):
    return _ours.unsqueeze(x, axis)


def concat(arrays, /, *, axis=0):
    if axis is None:
        return _ours.cat([x.flatten() for x in arrays], 0)
    return _ours.cat(arrays, axis)


def unstack(x, /, *, axis=0) -> tuple[Tensor, ...]:
    return _ours.unbind(x, axis)


def broadcast_arrays(*arrays) -> list[Tensor]:
    return [*_ours.broadcast_tensors(*arrays)]


def broadcast_shapes(*shapes) -> tuple[int, ...]:
    return _native.broadcast_shapes(*shapes)


def flip(x, /, *, axis=None):
    return _ours.flip(x, tuple(range(x.ndim)) if axis is None else axis)


def roll(x, /, shift, *, axis=None):
    return _ours.roll(x, shift) if axis is None else _ours.roll(x, shift, axis)


def repeat(x, repeats, /, *, axis=None):
    return _ours.repeat_interleave(x, repeats, axis)


def tile(x, repetitions, /):
    return _ours.tile(x, repetitions)


def take(x, indices, /, *, axis=None):
    return _ours.index_select(x, 0 if axis is None else axis, indices)


def take_along_axis(x, indices, /, *, axis=-1):
    return _ours.take_along_dim(x, indices, axis)


def nonzero(x, /) -> tuple[Tensor, ...]:
    """The places of what is not 0, an index tensor for each axis.

    Raises:
        ShapeError: for a 0-d tensor, which has no axis.
    """
    if not x.ndim:
        raise ShapeError("nonzero: a 0-d tensor has no axes to count along")
    return _ours.nonzero(x, as_tuple=True)


# --- products, sorting, sets ---------------------------------------------------------------------
def tensordot(x1, x2, /, *, axes=2):
    return _ours.tensordot(x1, x2, axes)


def vecdot(x1, x2, /, *, axis=-1):
    """``Σ x1 · x2`` along an axis, counted from the last.

    Raises:
        ShapeError: where that axis is not as long in both, for which PyTorch repeats one.
    """
    lengths = [x.shape[_axis_of("vecdot", axis, x)] for x in (x1, x2)]
    if lengths[0] != lengths[1]:
        raise ShapeError("vecdot: vectors of different lengths", got=lengths)
    return _vecdot(x1, x2, dim=axis).to(_result_type(x1._data, x2._data))


def sort(x, /, *, axis=-1, descending=False, stable=True):
    return _ours.sort(x, axis, descending, stable)[0]


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    return _ours.argsort(x, axis, descending, stable)


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    return _ours.searchsorted(x1, x2, side=side, sorter=sorter)


def isin(x1, x2, /, *, invert=False):
    """Which numbers of `x1` are in `x2`."""
    x1 = x1 if isinstance(x1, Tensor) else asarray(x1, device=x2.device)
    known = sort(_ours.as_tensor(x2, device=x1.device).flatten())
    if known.numel():
        place: Any = searchsorted(known, x1)
        found = known[place.clip(0, known.numel() - 1)] == x1
    else:
        found = zeros(x1.shape, dtype="bool", device=x1.device)
    return ~found if invert else found


def unique_all(x, /) -> UniqueAll:
    """Sorted values; where each occurs first, in `x` flattened; which one each is; how often."""
    values, inverse, counts = _ours.unique(x, return_inverse=True, return_counts=True)
    order = argsort(inverse.flatten())
    return UniqueAll(values, order[cumulative_sum(counts) - counts], inverse, counts)


def unique_counts(x, /) -> UniqueCounts:
    return UniqueCounts(*_ours.unique(x, return_counts=True))


def unique_inverse(x, /) -> UniqueInverse:
    return UniqueInverse(*_ours.unique(x, return_inverse=True))


def unique_values(x, /):
    return _ours.unique(x)


class Info(_native.Info):
    """What ``__array_namespace_info__()`` gives: what there is, and what is taken unasked."""

    names = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")

    def default_device(self) -> str:
        return config.defaults.device

    def devices(self) -> list[str]:
        from deepdive.backend import speakers

        return sorted({*speakers.BY_DEVICE, *speakers.LATE} - {"cuda"})

    def _check(self, device: Any) -> None:
        pass  # all devices have the same dtypes


__array_namespace_info__ = Info

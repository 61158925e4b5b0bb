"""The NumPy speaker: every word of the vocabulary for NumPy arrays on the CPU.

Most words are NumPy's own functions under their array-API names.  Reductions of a whole array
give NumPy scalars here; the operator's door turns them into 0-d arrays.
"""

from __future__ import annotations

from builtins import any as builtin_any
from typing import Any

import numpy as np

from deepdive import dtypes
from deepdive.backend import extended
from deepdive.backend.exposed import Exposed
from deepdive.backend.lapack import cholesky, eigh_rows, qr_rows, slogdet_rows, solve, svd_rows
from deepdive.backend.numpy_heavy import (
    convolution,
    convolution_input_grad,
    convolution_weight_grad,
    erf,
    matmul,
)
from deepdive.backend.numpy_windows import overlap_add, pad, windows
from deepdive.backend.random_numpy import random_bits
from deepdive.errors import DTypeError, ShapeError

Array = Any
Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]

ARRAY_TYPE = np.ndarray
DEVICE = "cpu"
KNOWN = frozenset(dtypes.BY_NAME.values())

# --- elementwise: NumPy's own functions under their array-API names -------------------------------
negative = np.negative
abs = np.abs
sign = np.sign
square = np.square
sqrt = np.sqrt
exp = np.exp
expm1 = np.expm1
log = np.log
log1p = np.log1p
log2 = np.log2
log10 = np.log10
sin = np.sin
cos = np.cos
tan = np.tan
asin = np.arcsin
acos = np.arccos
atan = np.arctan
sinh = np.sinh
cosh = np.cosh
tanh = np.tanh
asinh = np.arcsinh
acosh = np.arccosh
atanh = np.arctanh
floor = np.floor
ceil = np.ceil
trunc = np.trunc
round = np.round
isnan = np.isnan
isinf = np.isinf
isfinite = np.isfinite
add = np.add
subtract = np.subtract
multiply = np.multiply
divide = np.divide
pow = np.power
floor_divide = np.floor_divide
remainder = np.remainder
atan2 = np.arctan2
maximum = np.maximum
minimum = np.minimum
logaddexp = np.logaddexp
equal = np.equal
not_equal = np.not_equal
less = np.less
less_equal = np.less_equal
greater = np.greater
greater_equal = np.greater_equal
logical_and = np.logical_and
logical_or = np.logical_or
logical_xor = np.logical_xor
logical_not = np.logical_not
bitwise_invert = np.invert
bitwise_and = np.bitwise_and
bitwise_or = np.bitwise_or
bitwise_xor = np.bitwise_xor
where = np.where
reciprocal = np.reciprocal


def clip(x: Array, min: Any = None, max: Any = None) -> Array:
    """``x`` limited to [min, max]; a bound may be None."""
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + e^-x)``: small values keep their digits, and 1/∞ is the 0 far out."""
    with np.errstate(over="ignore"):
        out = np.exp(-x)
    out += 1
    return np.reciprocal(out)


# --- creation and storage ----------------------------------------------------------------------
empty = np.empty
zeros_like = np.zeros_like
ones_like = np.ones_like
copy = np.copy


def contiguous(x: Array) -> Array:
    """`x` in row order in memory (``np.ascontiguousarray`` would give 0-d arrays an axis)."""
    return np.asarray(x, order="C")


def zeros(shape: Shape, dtype: Any = None) -> Array:
    return np.zeros(shape, dtype or dtypes.default_float())


def ones(shape: Shape, dtype: Any = None) -> Array:
    out = np.empty(shape, dtype or dtypes.default_float())
    out.fill(1)
    return out


def full(shape: Shape, value: Any, dtype: Any = None) -> Array:
    return np.full(shape, value, dtype or dtypes.number_dtype(value))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Array:
    if stop is None:
        start, stop = 0, start
    if dtype is None and builtin_any(isinstance(number, float) for number in (start, stop, step)):
        dtype = dtypes.default_float()
    return np.arange(start, stop, step, dtype=dtype)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    return np.eye(n, m, k, dtype or dtypes.default_float())


def astype(x: Array, dtype: Any) -> Array:
    return np.asarray(x, dtype)


def asarray(x: Any, dtype: Any = None) -> Array:
    """An array of `x`; Python floats become the default dtype, ndarrays keep theirs.

    Raises:
        ShapeError: for ragged lists.
        DTypeError: for anything that is not made of numbers.
    """
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    elif type(x) is np.ndarray and x.dtype in KNOWN:
        return x
    try:
        array = np.asarray(x, dtype)
    except (ValueError, TypeError) as error:
        ragged = "inhomogeneous" in str(error)
        kind = ShapeError if ragged else DTypeError
        raise kind(
            f"asarray: {str(error).split('. ')[0]}",
            fix="give every row the same length" if ragged else None,
        ) from None
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    if dtype is None:
        if array.dtype.kind in "OSUV" and array.dtype.name not in dtypes.LATE:
            raise DTypeError("asarray: these are no numbers", got=f"{type(x).__name__} {x!r:.60}")
        kept = dtypes.as_dtype(array.dtype)
        if dtypes.is_floating(kept) and not isinstance(x, (np.ndarray, np.generic)):
            kept = dtypes.default_float()
        array = array if array.dtype == kept else array.astype(kept)
    return array


def as_zero_d(x: Any) -> Array:
    """A 0-d array for one of NumPy's scalars; other results pass as they are."""
    return np.asarray(x)


def write(target: Array, values: Any) -> None:
    """Copy `values` into the existing buffer of `target`."""
    target[...] = values


def owner(x: Array) -> Array:
    """The array that owns the memory of `x`: `x` itself unless it is a view."""
    while isinstance(x.base, np.ndarray):  # a view by another class may stand in between
        x = x.base
    return x if x.base is None else x.base


def to_numpy(x: Array) -> Array:
    """A NumPy array of the same values (here: `x` itself)."""
    return x


readable = to_numpy  # an array whose numbers can be printed from here


class ExposedArray(Exposed, np.ndarray):
    """What ``tensor.data`` gives: the same memory, with help for PyTorch's in-place habits.

    Results of arithmetic on it are plain ndarrays.
    """

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        self.changed(np.asarray(self))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        if return_scalar:
            return array[()]
        return array if array is self else np.asarray(array)

    def __getattr__(self, name: str) -> Any:
        line = IN_PLACE_LINES.get(name)
        raise AttributeError(
            f"'.data' is the NumPy array itself; it has no attribute {name!r}"
            + (f"\n  fix: write  {line}" if line else "")
        )


IN_PLACE_LINES = {
    "add_": "p.data += value",
    "sub_": "p.data -= value",
    "mul_": "p.data *= value",
    "div_": "p.data /= value",
    "copy_": "p.data[...] = value",
    "zero_": "p.data[...] = 0",
    "fill_": "p.data[...] = value",
    "clamp_": "p.data[...] = p.data.clip(low, high)",
    "normal_": "dd.nn.init.normal_(p)",
    "uniform_": "dd.nn.init.uniform_(p)",
    "detach": "p.detach()",
    "numpy": "p.numpy()",
    "cpu": "p.cpu()",
    "norm": "p.detach().norm()",
}


def expose(x: Array) -> Array:
    """A view of `x` for users (see :class:`ExposedArray`)."""
    return x.view(ExposedArray)


# --- reductions --------------------------------------------------------------------------------
# The ufuncs' own reductions: np.sum and its like cost twice as much on small arrays.
reduce_add: Any = np.add.reduce
reduce_multiply: Any = np.multiply.reduce
reduce_max: Any = np.maximum.reduce
reduce_min: Any = np.minimum.reduce


def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce_add(x, axis, dtypes.int64 if x.dtype.kind in "ub" else None, None, keepdims)


def prod(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    kind = dtypes.int64 if x.dtype.kind in "ub" else None
    return reduce_multiply(x, axis, kind, None, keepdims)


def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce_max(x, axis, None, None, keepdims)


def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce_min(x, axis, None, None, keepdims)


def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The sum over the number of elements summed; NaN for none, as in PyTorch."""
    total = reduce_add(x, axis, None, None, keepdims)
    if total.size == 0:
        return total
    count = x.size // total.size
    return total / count if count else total + np.nan


def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.any(x, axis=axis, keepdims=keepdims)


def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return np.all(x, axis=axis, keepdims=keepdims)


def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    return np.argmax(x, axis, keepdims=keepdims)


def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    return np.argmin(x, axis, keepdims=keepdims)


def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """``log Σ e^x``, shifted by the maximum so that nothing overflows."""
    top = reduce_max(x, axis, None, None, True, -np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype, copy=False)
    with np.errstate(divide="ignore"):
        out = np.log(reduce_add(np.exp(x - top), axis, None, None, True)) + top
    return out if keepdims else out.reshape(reduce_add(x, axis).shape)


def cumulative_sum(x: Array, axis: int) -> Array:
    kind = dtypes.int64 if x.dtype.kind in "ub" else None
    return np.cumsum(x, axis, kind).reshape(x.shape)


def cumulative_prod(x: Array, axis: int) -> Array:
    kind = dtypes.int64 if x.dtype.kind in "ub" else None
    return np.cumprod(x, axis, kind).reshape(x.shape)


# --- shape -------------------------------------------------------------------------------------
permute_dims = np.transpose
squeeze = np.squeeze
expand_dims = np.expand_dims
flip = np.flip
roll = np.roll
tril = np.tril
triu = np.triu
stack = np.stack
concat = np.concatenate

SMALL = 4096  # elements; below this a copy costs less than NumPy's way of making the view


def broadcast_to(x: Array, shape: Shape) -> Array:
    """`x` seen as an array of `shape`; small ones are copied, which is quicker."""
    size = 1
    for n in shape:
        size *= n
    if size > SMALL or x.ndim > len(shape):
        return np.broadcast_to(x, shape)
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


def reshape(x: Array, shape: Shape) -> Array:
    return x.reshape(shape)


# --- indexing ----------------------------------------------------------------------------------
take_along_axis = np.take_along_axis


def getitem(x: Array, index: Any) -> Array:
    return x[index]


def setitem(x: Array, index: Any, values: Any) -> Array:
    out = x.copy()
    out[index] = values
    return out


def index_add(x: Array, index: Any, values: Array) -> Array:
    """A copy of `x` with `values` added at ``x[index]``; what occurs twice is added twice."""
    out = x.copy()
    if isinstance(index, np.ndarray) and index.dtype.kind in "iu" and x.ndim > 1 and index.size:
        _add_rows(out, index.reshape(-1), np.broadcast_to(values, index.shape + x.shape[1:]))
        return out
    parts = index if isinstance(index, tuple) else (index,)
    if builtin_any(isinstance(part, (np.ndarray, list)) for part in parts):
        # add.at reads past the end of values of too many axes
        np.add.at(out, index, np.broadcast_to(values, x[index].shape))
    else:
        out[index] += values
    return out


def _add_rows(out: Array, index: Array, values: Array) -> None:
    """``out[index] += values`` for whole rows: sorted and summed run by run, up to six times as
    quick as add.at."""
    index = np.where(index < 0, index + len(out), index) if index.min() < 0 else index
    order = np.argsort(index, kind="stable")
    chosen = index[order]
    starts = np.concatenate(([0], np.flatnonzero(chosen[1:] != chosen[:-1]) + 1))
    rows = values.reshape(index.size, *out.shape[1:])[order]
    out[chosen[starts]] += np.add.reduceat(rows, starts, axis=0)


def scatter_add(x: Array, indices: Array, values: Array, axis: int) -> Array:
    """A copy of `x` with ``out[.., indices[.., i, ..], ..] += values[.., i, ..]`` along `axis`."""
    out = x.copy()
    grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = indices
    np.add.at(out, tuple(grid), values[tuple(slice(n) for n in indices.shape)])
    return out


def sort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    return np.take_along_axis(x, argsort(x, axis, descending), axis)


def argsort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    if not descending:
        return np.argsort(x, axis, kind="stable")
    # Sorting the reversed array and reversing again keeps equal elements in their order.
    order = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    return x.shape[axis] - 1 - order


def nonzero(x: Array) -> Array:
    return np.nonzero(x)

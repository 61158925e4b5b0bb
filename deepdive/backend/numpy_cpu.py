"""The NumPy speaker: every word of the vocabulary for NumPy arrays on the CPU.

Most words are NumPy's own functions under their array-API names.  Reductions of a whole array
give NumPy scalars here; the operator's door turns them into 0-d arrays.
"""

from __future__ import annotations

from builtins import any as builtin_any
from builtins import min as builtin_min
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from deepdive import dtypes
from deepdive.backend import extended
from deepdive.backend.random_numpy import random_bits as random_bits
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
matmul = np.matmul


def clip(x: Array, min: Any = None, max: Any = None) -> Array:
    """``x`` limited to [min, max]; a bound may be None."""
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + e^-x)`` as ``(1 + tanh(x/2)) / 2``: nothing overflows."""
    out = np.tanh(x * 0.5)
    out *= 0.5
    out += 0.5
    return out


def erf(x: Array) -> Array:
    """The error function, by rational approximation."""
    return extended.erf(np, x)


# --- creation and storage ----------------------------------------------------------------------
empty = np.empty
zeros_like = np.zeros_like
ones_like = np.ones_like
copy = np.copy
contiguous = np.ascontiguousarray


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
        kept = dtypes.as_dtype(array.dtype)
        if kept.kind == "f" and not isinstance(x, (np.ndarray, np.generic)):
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
    return x if x.base is None else x.base


def to_numpy(x: Array) -> Array:
    """A NumPy array of the same values (here: `x` itself)."""
    return x


class ExposedArray(np.ndarray):
    """What ``tensor.data`` gives: the same memory, with help for PyTorch's in-place habits.

    Results of arithmetic on it are plain ndarrays.
    """

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
    return np.cumsum(x, axis).reshape(x.shape)


def cumulative_prod(x: Array, axis: int) -> Array:
    return np.cumprod(x, axis).reshape(x.shape)


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


def pad(x: Array, widths: tuple[tuple[int, int], ...], value: float = 0.0) -> Array:
    """`x` set into a larger array filled with `value`; widths are (before, after) per axis."""
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[tuple(slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True))] = x
    return out


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
    parts = index if isinstance(index, tuple) else (index,)
    if builtin_any(isinstance(part, (np.ndarray, list)) for part in parts):
        # add.at reads past the end of values of too many axes
        np.add.at(out, index, np.broadcast_to(values, x[index].shape))
    else:
        out[index] += values
    return out


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


# --- windows: what convolution and pooling are made of -----------------------------------------
def windows(x: Array, size: Shape, stride: Shape, dilation: Shape) -> Array:
    """All windows over the last axes, as a view: (B, C, *spatial) -> (B, C, *out, *size)."""
    n, lead = len(size), x.ndim - len(size)
    steps = x.strides[lead:]
    out = tuple(
        (extent - d * (k - 1) - 1) // s + 1
        for extent, k, s, d in zip(x.shape[lead:], size, stride, dilation, strict=True)
    )
    if builtin_min(out) < 1:
        raise ValueError("window larger than the input")
    strides = tuple(steps[i] * stride[i] for i in range(n))
    inner = tuple(steps[i] * dilation[i] for i in range(n))
    shape = x.shape[:lead] + out + tuple(size)
    return as_strided(x, shape, x.strides[:lead] + strides + inner, writeable=False)


def overlap_add(w: Array, shape: Shape, stride: Shape, dilation: Shape) -> Array:
    """The adjoint of :func:`windows`: every window added back where it was read."""
    n = len(stride)
    lead = len(shape) - n
    extents, size = w.shape[lead : lead + n], w.shape[lead + n :]
    out = np.zeros(shape, w.dtype)
    for offset in np.ndindex(*size):
        place = tuple(
            slice(o * d, o * d + s * e, s)
            for o, d, s, e in zip(offset, dilation, stride, extents, strict=True)
        )
        out[(..., *place)] += w[(..., *offset)]
    return out


def _columns(x: Array, size: Shape, stride: Shape, dilation: Shape, groups: int) -> Array:
    """im2col: windows copied into a matrix, (B, G, C/G * prod(size), prod(out))."""
    n = len(size)
    view = windows(x, size, stride, dilation)  # (B, C, *out, *size)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    columns = view.transpose(order)  # (B, C, *size, *out)
    rows = x.shape[1] // groups * int(np.prod(size))
    return columns.reshape(x.shape[0], groups, rows, -1)


def _padded(x: Array, padding: Shape) -> Array:
    if not builtin_any(padding):
        return x
    return pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))


def convolution(
    x: Array, w: Array, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Array:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/groups, *kernel): one product."""
    x = _padded(x, padding)
    size = w.shape[2:]
    out = tuple(
        (extent - d * (k - 1) - 1) // s + 1
        for extent, k, s, d in zip(x.shape[2:], size, stride, dilation, strict=True)
    )
    if w.shape[1] * groups != x.shape[1] or builtin_min(out) < 1:
        raise ValueError("channels or sizes do not match")
    columns = _columns(x, size, stride, dilation, groups)  # (B, G, K, P)
    rows = w.reshape(groups, w.shape[0] // groups, -1)  # (G, O/G, K)
    return np.matmul(rows, columns).reshape(x.shape[0], w.shape[0], *out)


def convolution_input_grad(
    grad: Array,
    w: Array,
    x_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Array:
    """The gradient of :func:`convolution` for its input, of shape `x_shape`."""
    size, extents = w.shape[2:], grad.shape[2:]
    batch, channels = x_shape[:2]
    rows = w.reshape(groups, w.shape[0] // groups, -1)  # (G, O/G, K)
    pixels = grad.reshape(batch, groups, w.shape[0] // groups, -1)  # (B, G, O/G, P)
    columns = np.matmul(rows.transpose(0, 2, 1), pixels)  # (B, G, K, P)
    columns = columns.reshape(batch, channels, *size, *extents)
    n = len(size)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    spatial = tuple(e + 2 * p for e, p in zip(x_shape[2:], padding, strict=True))
    dx = overlap_add(columns.transpose(order), (batch, channels, *spatial), stride, dilation)
    inside = tuple(slice(p, p + e) for p, e in zip(padding, x_shape[2:], strict=True))
    return dx[(..., *inside)]


def convolution_weight_grad(
    x: Array,
    grad: Array,
    w_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Array:
    """The gradient of :func:`convolution` for its weights, of shape `w_shape`."""
    size = w_shape[2:]
    x = _padded(x, padding)
    # Windows the kernel never reached (sizes that do not divide evenly) have no gradient.
    reach = tuple(
        s * (e - 1) + d * (k - 1) + 1
        for s, e, d, k in zip(stride, grad.shape[2:], dilation, size, strict=True)
    )
    x = x[(..., *(slice(r) for r in reach))]
    columns = _columns(x, size, stride, dilation, groups)  # (B, G, K, P)
    pixels = grad.reshape(grad.shape[0], groups, w_shape[0] // groups, -1)  # (B, G, O/G, P)
    products = np.matmul(pixels, columns.transpose(0, 1, 3, 2))  # (B, G, O/G, K)
    return reduce_add(products, 0).reshape(w_shape)

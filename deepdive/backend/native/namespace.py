"""The native speaker: every word of the vocabulary for NDArrays, in pure Python."""

from __future__ import annotations

import math
import operator
import sys
from array import array as buffer_of
from typing import Any

from deepdive.backend import extended, extended_convolution
from deepdive.backend.exposed import Exposed
from deepdive.backend.native import ndarray, philox, scalars
from deepdive.backend.native.kernels import Matrix, add_loop, first_loop, matmul_loop
from deepdive.backend.native.ndarray import (
    NDArray,
    asarray,
    empty,
    reduced_places,
)
from deepdive.backend.native.speaking import (
    as_array,
    cast_numbers,
    mapped,
    operand,
    reduced,
    said,
    scanned,
    word,
    zipped,
)
from deepdive.backend.vocabulary import rules
from deepdive.errors import MissingExtraError

ARRAY_TYPE = NDArray
DEVICE = ndarray.DEVICE
Array = Any  # an NDArray
Shape = tuple[int, ...]
here = sys.modules[__name__]

# --- map -----------------------------------------------------------------------------------------
negative = mapped("negative", operator.neg)
abs = mapped("abs", operator.abs)
sign = mapped("sign", scalars.sign)
floor = mapped("floor", scalars.floor)
ceil = mapped("ceil", scalars.ceil)
trunc = mapped("trunc", scalars.trunc)
round = mapped("round", scalars.nearest)
square = mapped("square", scalars.square)
sqrt = mapped("sqrt", scalars.sqrt)
exp = mapped("exp", scalars.exp)
expm1 = mapped("expm1", scalars.expm1)
log = mapped("log", scalars.log)
log1p = mapped("log1p", scalars.log1p)
log2 = mapped("log2", scalars.log2)
log10 = mapped("log10", scalars.log10)
sin = mapped("sin", scalars.sin)
cos = mapped("cos", scalars.cos)
tan = mapped("tan", scalars.tan)
asin = mapped("asin", scalars.asin)
acos = mapped("acos", scalars.acos)
atan = mapped("atan", math.atan)
sinh = mapped("sinh", scalars.sinh)
cosh = mapped("cosh", scalars.cosh)
tanh = mapped("tanh", math.tanh)
asinh = mapped("asinh", math.asinh)
acosh = mapped("acosh", scalars.acosh)
atanh = mapped("atanh", scalars.atanh)
reciprocal = mapped("reciprocal", scalars.reciprocal)
erf = mapped("erf", math.erf)
sigmoid = mapped("sigmoid", scalars.sigmoid)
isnan = mapped("isnan", math.isnan)
isinf = mapped("isinf", math.isinf)
isfinite = mapped("isfinite", math.isfinite)
logical_not = mapped("logical_not", operator.not_)
_flip_bits = mapped("bitwise_invert", operator.invert)

# --- zip -----------------------------------------------------------------------------------------
add = zipped("add", operator.add)
subtract = zipped("subtract", operator.sub)
multiply = zipped("multiply", operator.mul)
divide = zipped("divide", scalars.divide)
floor_divide = zipped("floor_divide", scalars.floor_divide)
remainder = zipped("remainder", scalars.remainder)
pow = zipped("pow", scalars.power)
maximum = zipped("maximum", scalars.maximum)
minimum = zipped("minimum", scalars.minimum)
atan2 = zipped("atan2", math.atan2)
logaddexp = zipped("logaddexp", scalars.logaddexp)
equal = zipped("equal", operator.eq)
not_equal = zipped("not_equal", operator.ne)
less = zipped("less", operator.lt)
less_equal = zipped("less_equal", operator.le)
greater = zipped("greater", operator.gt)
greater_equal = zipped("greater_equal", operator.ge)
logical_and = zipped("logical_and", scalars.both)
logical_or = zipped("logical_or", scalars.one)
logical_xor = zipped("logical_xor", scalars.exactly_one)
bitwise_and = zipped("bitwise_and", operator.and_)
bitwise_or = zipped("bitwise_or", operator.or_)
bitwise_xor = zipped("bitwise_xor", operator.xor)

# --- reduce --------------------------------------------------------------------------------------
sum = reduced("sum", operator.add, 0)
prod = reduced("prod", operator.mul, 1)
max = reduced("max", scalars.maximum, scalars.lowest)
min = reduced("min", scalars.minimum, scalars.highest)
any = reduced("any", scalars.one, False)
all = reduced("all", scalars.both, True)
cumulative_sum = scanned("cumulative_sum", operator.add, 0)
cumulative_prod = scanned("cumulative_prod", operator.mul, 1)

# --- said in the words above and below -----------------------------------------------------------
zeros_like = said("zeros_like", extended.zeros_like, here)
ones_like = said("ones_like", extended.ones_like, here)
eye = said("eye", extended.eye, here)
clip = said("clip", extended.clip, here)
mean = said("mean", extended.mean, here)
logsumexp = said("logsumexp", extended.logsumexp, here)
stack = said("stack", extended.stack, here)
tril = said("tril", extended.tril, here)
triu = said("triu", extended.triu, here)
roll = said("roll", extended.roll, here)
squeeze = said("squeeze", extended.squeeze, here)
expand_dims = said("expand_dims", extended.expand_dims, here)


def bitwise_invert(x: Any) -> Array:
    """Every bit flipped; a bool has one."""
    x = as_array(operand("bitwise_invert", x))
    return logical_not(x) if x.dtype.kind == "b" else _flip_bits(x)


@word
def where(shape: Shape, dtype: Any, condition: Any, x: Any, y: Any) -> Array:
    """`x` where the condition is true, else `y`."""
    first, second = as_array(operand("where", x), dtype), as_array(operand("where", y), dtype)
    mask = as_array(operand("where", condition)).expand(shape).numbers()
    pairs = [cast_numbers(each.expand(shape), dtype) for each in (first, second)]
    out = empty(shape, dtype)
    for k, (chosen, a, b) in enumerate(zip(mask, *pairs, strict=True)):
        out.buffer[k] = a if chosen else b
    return out


# --- creation and storage ------------------------------------------------------------------------
@word
def zeros(shape: Shape, dtype: Any, *_: Any) -> Array:
    """0 everywhere."""
    return empty(shape, dtype)


@word
def ones(shape: Shape, dtype: Any, *_: Any) -> Array:
    """1 everywhere."""
    out = empty(shape, dtype)
    out.fill(1)
    return out


@word
def full(shape: Shape, dtype: Any, _: Any, value: Any, asked: Any) -> Array:
    """The value everywhere."""
    return as_array(value, dtype).astype(dtype).expand(shape).copy()


@word
def arange(shape: Shape, dtype: Any, start: Any, stop: Any, step: Any, asked: Any) -> Array:
    """start, start + step, …"""
    first = 0 if stop is None else start
    return asarray([first + i * step for i in range(shape[0])], dtype)


@word
def astype(shape: Shape, dtype: Any, x: Any, asked: Any) -> Array:
    """The values in another dtype."""
    return as_array(x).astype(dtype)


@word
def copy(shape: Shape, dtype: Any, x: Any) -> Array:
    """The values in memory of their own."""
    return as_array(x).copy()


@word
def contiguous(shape: Shape, dtype: Any, x: Any) -> Array:
    """The values in row order in memory."""
    return as_array(x).compact()


@word
def random_bits(shape: Shape, dtype: Any, key: int, counter: int, asked: Any) -> Array:
    """Philox of the counter under the key."""
    numbers = philox.words(key, counter, math.prod(shape))
    return NDArray(buffer_of(scalars.typecode(dtype), numbers), shape, dtype)


# --- views ---------------------------------------------------------------------------------------
@word
def reshape(shape: Shape, dtype: Any, x: Any, asked: Any) -> Array:
    """The same elements, in order."""
    return as_array(x).reshape(shape)


@word
def permute_dims(shape: Shape, dtype: Any, x: Any, axes: Shape) -> Array:
    """Axis i of the result is axis axes[i] of x."""
    return as_array(x).permute(axes)


@word
def broadcast_to(shape: Shape, dtype: Any, x: Any, asked: Any) -> Array:
    """Axes of size 1 repeated."""
    return as_array(x).expand(shape)


@word
def flip(shape: Shape, dtype: Any, x: Any, axis: Any) -> Array:
    """In reverse order along axes: from the last element on, with a negative stride."""
    x = as_array(x)
    turned = rules.some_axes("flip", axis, shape)
    return x[tuple(slice(None, None, -1 if i in turned else 1) for i in range(x.ndim))]


@word
def windows(shape: Shape, dtype: Any, x: Any, size: Shape, stride: Shape, dilation: Shape) -> Array:
    """All windows over the last axes: a view that overlaps itself."""
    lead = x.ndim - len(size)
    along = x.strides[lead:]
    between = [step * s for step, s in zip(along, stride, strict=True)]
    within = [step * d for step, d in zip(along, dilation, strict=True)]
    return x.as_strided(shape, (*x.strides[:lead], *between, *within))


# --- joining, padding, sorting -------------------------------------------------------------------
@word
def concat(shape: Shape, dtype: Any, arrays: Any, axis: int) -> Array:
    """Arrays joined along an axis: each is written into its part of the result."""
    out = empty(shape, dtype)
    place = rules.one_axis("concat", axis, shape)
    before = (slice(None),) * place
    start = 0
    for each in arrays:
        stop = start + each.shape[place]
        out[(*before, slice(start, stop))] = each
        start = stop
    return out


@word
def pad(shape: Shape, dtype: Any, x: Any, widths: Any, value: Any) -> Array:
    """`x` with the value around it."""
    x = as_array(x)
    out = full(shape, value, dtype)
    inside = zip(widths, x.shape, strict=True)
    out[tuple(slice(before, before + size) for (before, _), size in inside)] = x
    return out


@word
def argsort(shape: Shape, dtype: Any, x: Any, axis: int, descending: bool) -> Array:
    """Where sort takes each element from: equal ones keep their order, NaN is the largest."""
    out = empty(shape, dtype)
    axes = rules.some_axes("argsort", axis, shape)
    rows, steps = reduced_places(x, axes)
    starts, into = reduced_places(out, axes)
    for row, start in zip(rows, starts, strict=True):
        numbers = [x.buffer[row + step] for step in steps]
        keys = [(number != number, number) for number in numbers]
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
        for step, chosen in zip(into, order, strict=True):
            out.buffer[start + step] = chosen
    return out


@word
def sort(shape: Shape, dtype: Any, x: Any, axis: int, descending: bool) -> Array:
    """The elements in order along an axis."""
    return take_along_axis(x, argsort(x, axis, descending), axis)


# --- positions -----------------------------------------------------------------------------------
def _first(name: str, better: Any) -> Any:
    """The word that finds the first element no other is better than."""

    def locate(shape: Shape, dtype: Any, x: Any, axis: Any, keepdims: bool) -> Array:
        out = empty(shape, dtype)
        rows, steps = reduced_places(x, rules.some_axes(name, axis, x.shape))
        first_loop(better, out.buffer, x.buffer, rows, steps)
        return out

    locate.__name__ = name
    locate.__doc__ = f"Where the first {better.__name__[:-1]}st element is."
    return word(locate)


argmax = _first("argmax", scalars.larger)
argmin = _first("argmin", scalars.smaller)


@word
def nonzero(shape: Any, dtype: Any, x: Any) -> tuple[Array, ...]:
    """The positions of all elements but zeros, one list per axis."""
    return tuple(asarray(positions, dtype) for positions in x.nonzero())


# --- indexing ------------------------------------------------------------------------------------
@word
def getitem(shape: Shape, dtype: Any, x: Any, index: Any) -> Array:
    """``x[index]``."""
    return x[index]


@word
def setitem(shape: Shape, dtype: Any, x: Any, index: Any, values: Any) -> Array:
    """A copy with ``x[index] = values``."""
    out = x.copy()
    out[index] = values
    return out


@word
def index_add(shape: Shape, dtype: Any, x: Any, index: Any, values: Any) -> Array:
    """A copy with `values` added at ``x[index]``."""
    out = x.copy()
    chosen = out.select(index)
    values = as_array(values, dtype).astype(dtype).expand(chosen.shape)
    add_loop(out.buffer, chosen.places(), values.buffer, values.positions(), scalars.fit(dtype))
    return out


def _along(x: NDArray, indices: NDArray, axis: int, shape: Shape) -> list[int]:
    """Where ``x[.., indices[.., i, ..], ..]`` lies for every place of an index array of `shape`."""
    place = rules.one_axis("take_along_axis", axis, x.shape)
    size, stride = x.shape[place], x.strides[place]
    reach = zip(x.shape, x.strides, strict=True)
    others = [0 if i == place or n == 1 else s for i, (n, s) in enumerate(reach)]
    starts = NDArray(x.buffer, shape, x.dtype, tuple(others), x.offset).positions()
    numbers = indices.expand(shape).numbers()
    return [start + i % size * stride for start, i in zip(starts, numbers, strict=True)]


@word
def take_along_axis(shape: Shape, dtype: Any, x: Any, indices: Any, axis: int) -> Array:
    """``out[.., i, ..] = x[.., indices[.., i, ..], ..]``."""
    out = empty(shape, dtype)
    for k, place in enumerate(_along(x, indices, axis, shape)):
        out.buffer[k] = x.buffer[place]
    return out


@word
def scatter_add(shape: Shape, dtype: Any, x: Any, indices: Any, values: Any, axis: int) -> Array:
    """A copy of `x` with ``out[.., indices[.., i, ..], ..] += values[.., i, ..]``."""
    out = x.copy()
    part = values[tuple(map(slice, indices.shape))]
    at = _along(out, indices, axis, indices.shape)
    add_loop(out.buffer, at, part.buffer, part.positions(), scalars.fit(dtype))
    return out


@word
def overlap_add(
    shape: Shape, dtype: Any, w: Any, asked: Any, stride: Shape, dilation: Shape
) -> Array:
    """The adjoint of windows: every element added back where it was read."""
    out = empty(shape, dtype)
    size = w.shape[w.ndim - len(stride) :]
    at = windows(out, size, stride, dilation).positions()
    add_loop(out.buffer, at, w.buffer, w.positions(), scalars.fit(dtype))
    return out


# --- the matrix product --------------------------------------------------------------------------
@word
def matmul(shape: Shape, dtype: Any, x: Any, y: Any) -> Array:
    """Rows by columns, for each pair of matrices of two stacks; a vector is one row or column."""
    x = x if x.ndim > 1 else x.reshape((1, -1))
    y = y if y.ndim > 1 else y.reshape((-1, 1))
    sizes = (*x.shape[-2:], y.shape[-1])
    stack = rules.broadcast_shapes("matmul", x.shape[:-2], y.shape[:-2])
    out = empty(shape, dtype)
    starts = zip(_matrices(x, stack), _matrices(y, stack), strict=True)
    for number, (left, right) in enumerate(starts):
        at = number * sizes[0] * sizes[2]
        matmul_loop(left, right, sizes, out.buffer, at, scalars.fit(dtype))
    return out


def _matrices(x: NDArray, stack: Shape) -> list[Matrix]:
    """The matrices of a stack, broadcast to `stack`."""
    rows = x.expand((*stack, *x.shape[-2:]))
    starts = NDArray(x.buffer, stack, x.dtype, rows.strides[:-2], x.offset).positions()
    return [Matrix(x.buffer, start, *x.strides[-2:]) for start in starts]


convolution = said("convolution", extended_convolution.convolution, here)
convolution_input_grad = said(
    "convolution_input_grad", extended_convolution.convolution_input_grad, here
)
convolution_weight_grad = said(
    "convolution_weight_grad", extended_convolution.convolution_weight_grad, here
)


# --- what the library asks of a speaker besides words --------------------------------------------
def as_zero_d(x: Any) -> Array:
    """An array for a number; arrays pass as they are."""
    return asarray(x)


def write(target: NDArray, values: Any) -> None:
    """Copy `values` into the memory of `target`."""
    target[...] = values


def owner(x: NDArray) -> Array:
    """The array that owns the memory of `x`: `x` itself unless it is a view."""
    return x if x.base is None else x.base


def readable(x: Array) -> Array:
    """An array whose numbers can be printed from here: `x` itself."""
    return x


def to_numpy(x: NDArray) -> Any:
    """A NumPy array on the same memory.

    Raises:
        MissingExtraError: without NumPy.
    """
    try:
        import numpy as np
    except ImportError:
        what = "numpy: a NumPy array of the values needs the package 'numpy'"
        raise MissingExtraError(what, fix="pip install numpy, or x.tolist()") from None
    item = x.itemsize
    strides = tuple(step * item for step in x.strides)
    return np.ndarray(x.shape, x.dtype, x.buffer, x.offset * item, strides)


class ExposedNDArray(Exposed, NDArray):
    """What ``tensor.data`` gives: a view that reports what is written into it."""

    __slots__ = ()

    def __setitem__(self, index: Any, value: Any) -> None:
        NDArray.__setitem__(self, index, value)
        self.changed(asarray(self))


def expose(x: NDArray) -> Array:
    """A view of `x` for users."""
    base = x if x.base is None else x.base
    return ExposedNDArray(x.buffer, x.shape, x.dtype, x.strides, x.offset, base)


# --- Python's operators --------------------------------------------------------------------------
OPERATORS = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": divide,
    "floordiv": floor_divide,
    "mod": remainder,
    "pow": pow,
    "matmul": matmul,
    "and": bitwise_and,
    "or": bitwise_or,
    "xor": bitwise_xor,
}
COMPARISONS = {
    "eq": equal,
    "ne": not_equal,
    "lt": less,
    "le": less_equal,
    "gt": greater,
    "ge": greater_equal,
}
SINGLE = {"neg": negative, "abs": abs, "invert": bitwise_invert}
METHODS = (sum, prod, max, min, mean, any, all, argmax, argmin)


def _operator(name: str, spoken: Any) -> None:
    """``x ∘ y``, ``y ∘ x`` and ``x ∘= y``, which writes into x."""

    def reflected(self: NDArray, other: Any) -> Array:
        return spoken(other, self)

    def in_place(self: NDArray, other: Any) -> Array:
        self[...] = spoken(self, other)
        return self

    _method(f"__{name}__", lambda self, other: spoken(self, other))
    _method(f"__r{name}__", reflected)
    _method(f"__i{name}__", in_place)


def _method(name: str, function: Any) -> None:
    setattr(NDArray, name, function)


for _name, _word in OPERATORS.items():
    _operator(_name, _word)
for _name, _word in {**COMPARISONS, **SINGLE}.items():
    _method(f"__{_name}__", _word)
for _word in METHODS:
    _method(_word.__name__, _word)
_method("__array_namespace__", lambda self, api_version=None: here)

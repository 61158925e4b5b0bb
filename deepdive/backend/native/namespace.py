"""The native speaker: every word of the vocabulary for NDArrays, in pure Python."""

from __future__ import annotations

import builtins
import math
import operator
import sys
from typing import Any

from deepdive.backend import extended, extended_convolution, extended_linalg
from deepdive.backend.exposed import Exposed
from deepdive.backend.native import arrays, ndarray, scalars
from deepdive.backend.native.ndarray import NDArray
from deepdive.backend.native.speaking import (
    as_array,
    mapped,
    operand,
    reduced,
    said,
    scanned,
    zipped,
)
from deepdive.host import NUMPY

ARRAY_TYPE = NDArray
DEVICE = ndarray.DEVICE
Array = Any  # an NDArray
Shape = tuple[int, ...]
here = sys.modules[__name__]

# --- map -----------------------------------------------------------------------------------------
negative = mapped("negative", operator.neg)
abs = mapped("abs", builtins.abs)
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

# --- made, rearranged, joined, indexed, multiplied: see arrays ------------------------------------
asarray = ndarray.asarray
empty = ndarray.empty
where = arrays.where
zeros = arrays.zeros
ones = arrays.ones
full = arrays.full
arange = arrays.arange
astype = arrays.astype
copy = arrays.copy
contiguous = arrays.contiguous
random_bits = arrays.random_bits
reshape = arrays.reshape
permute_dims = arrays.permute_dims
broadcast_to = arrays.broadcast_to
flip = arrays.flip
windows = arrays.windows
concat = arrays.concat
pad = arrays.pad
argsort = arrays.argsort
sort = arrays.sort
argmax = arrays.argmax
argmin = arrays.argmin
nonzero = arrays.nonzero
getitem = arrays.getitem
setitem = arrays.setitem
index_add = arrays.index_add
take_along_axis = arrays.take_along_axis
scatter_add = arrays.scatter_add
overlap_add = arrays.overlap_add
matmul = arrays.matmul

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
cholesky = said("cholesky", extended_linalg.cholesky, here)
solve = said("solve", extended_linalg.solve, here)
slogdet_rows = said("slogdet_rows", extended_linalg.slogdet_rows, here)
qr_rows = said("qr_rows", extended_linalg.qr_rows, here)
eigh_rows = said("eigh_rows", extended_linalg.eigh_rows, here)
svd_rows = said("svd_rows", extended_linalg.svd_rows, here)


def bitwise_invert(x: Any) -> Array:
    """Every bit flipped; a bool has one."""
    x = as_array(operand("bitwise_invert", x))
    return logical_not(x) if x.dtype.kind == "b" else _flip_bits(x)


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
    return x.numpy()


def to_host(x: NDArray) -> Any:
    """What files and data sets hold: NumPy's array, without NumPy the array itself."""
    return to_numpy(x) if NUMPY else x


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


def operator_methods(name: str, spoken: Any) -> None:
    """``x ∘ y``, ``y ∘ x`` and ``x ∘= y``, which writes into x."""

    def direct(self: NDArray, other: Any) -> Array:
        if getattr(other, "outranks", False):  # an array that may have ours inside
            return NotImplemented
        return spoken(self, other)

    def reflected(self: NDArray, other: Any) -> Array:
        return spoken(other, self)

    def in_place(self: NDArray, other: Any) -> Array:
        self[...] = spoken(self, other)
        return self

    method(f"__{name}__", direct)
    method(f"__r{name}__", reflected)
    method(f"__i{name}__", in_place)


def method(name: str, function: Any) -> None:
    setattr(NDArray, name, function)


for _name, _word in OPERATORS.items():
    operator_methods(_name, _word)
for _name, _word in {**COMPARISONS, **SINGLE}.items():
    method(f"__{_name}__", _word)
for _word in METHODS:
    method(_word.__name__, _word)

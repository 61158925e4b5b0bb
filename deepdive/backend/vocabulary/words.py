"""THE list: every word an operator may say to its speaker ``xp``, with its rules and its meaning.

The names are the array API's (https://data-apis.org/array-api/latest), the dtypes PyTorch's.
Operands of one call have one dtype already or are Python numbers: the operator's door has promoted
them.  No word changes its operands.
"""

from __future__ import annotations

from deepdive.backend.vocabulary import (
    rules,
    rules_dtype,
    rules_index,
    rules_shape,
    rules_window,
)
from deepdive.backend.vocabulary.word import VOCABULARY as VOCABULARY
from deepdive.backend.vocabulary.word import family

# --- creation ----------------------------------------------------------------------------------
family(
    "x, dtype=None",
    rules_shape.nested,
    rules_dtype.data,
    ("asarray", "an array of numbers, lists or an array", "xp.asarray([1.0, 2.0]) → [1.0, 2.0]"),
)
family(
    "shape, dtype=None",
    rules_shape.created,
    rules_dtype.created,
    ("zeros", "0 everywhere", "xp.zeros((2,)) → [0.0, 0.0]"),
    ("ones", "1 everywhere", "xp.ones((2,)) → [1.0, 1.0]"),
)
family(
    "shape, value, dtype=None",
    rules_shape.filled,
    rules_dtype.filled,
    ("full", "the value everywhere", "xp.full((2,), 7) → [7, 7]"),
)
family(
    "start, stop=None, step=1, dtype=None",
    rules_shape.counting,
    rules_dtype.counting,
    ("arange", "start, start + step, … below stop; from 0 if alone", "xp.arange(3) → [0, 1, 2]"),
)
family(
    "n, m=None, k=0, dtype=None",
    rules_shape.identity,
    rules_dtype.created,
    ("eye", "1 where column = row + k, else 0", "xp.eye(2) → [[1.0, 0.0], [0.0, 1.0]]"),
)
family(
    "x",
    rules.elementwise,
    rules_dtype.same,
    ("zeros_like", "zeros(x.shape, x.dtype)", "xp.zeros_like(xp.asarray([3])) → [0]"),
    ("ones_like", "ones(x.shape, x.dtype)", "xp.ones_like(xp.asarray([3])) → [1]"),
)
family(
    "x",
    rules.unchanged,
    rules_dtype.same,
    ("copy", "the values in memory of their own", "xp.copy(xp.asarray([3])) → [3]"),
    ("contiguous", "the values in row order in memory", "xp.contiguous(xp.asarray([3])) → [3]"),
)
family(
    "x, dtype",
    rules.unchanged,
    rules_dtype.wanted,
    ("astype", "the values in another dtype", "xp.astype(xp.asarray([2.7]), 'int64') → [2]"),
)

# --- elementwise, one operand ------------------------------------------------------------------
family(
    "x",
    rules.elementwise,
    rules_dtype.signed,
    ("negative", "-x", "xp.negative(2.0) → -2.0"),
)
family(
    "x",
    rules.elementwise,
    rules_dtype.same,
    ("abs", "|x|", "xp.abs(-2.0) → 2.0"),
    ("sign", "-1, 0 or 1", "xp.sign(-2.0) → -1.0"),
    ("floor", "the largest integer ≤ x", "xp.floor(-1.5) → -2.0"),
    ("ceil", "the smallest integer ≥ x", "xp.ceil(-1.5) → -1.0"),
    ("trunc", "x without its fraction", "xp.trunc(-1.5) → -1.0"),
    ("round", "the nearest integer, the even one of two", "xp.round(2.5) → 2.0"),
)
family(
    "x",
    rules.elementwise,
    rules_dtype.squared,
    ("square", "x · x", "xp.square(3.0) → 9.0"),
)
family(
    "x",
    rules.elementwise,
    rules_dtype.to_float,
    ("sqrt", "√x", "xp.sqrt(9.0) → 3.0"),
    ("exp", "e^x", "xp.exp(0.0) → 1.0"),
    ("expm1", "e^x - 1, exact near 0", "xp.expm1(1e-20) → 1e-20"),
    ("log", "the y with e^y = x", "xp.log(1.0) → 0.0"),
    ("log1p", "log(1 + x), exact near 0", "xp.log1p(1e-20) → 1e-20"),
    ("log2", "log(x) / log(2)", "xp.log2(8.0) → 3.0"),
    ("log10", "log(x) / log(10)", "xp.log10(100.0) → 2.0"),
    ("sin", "the sine of x radians", "xp.sin(0.0) → 0.0"),
    ("cos", "the cosine of x radians", "xp.cos(0.0) → 1.0"),
    ("tan", "sin(x) / cos(x)", "xp.tan(0.0) → 0.0"),
    ("asin", "the y in [-π/2, π/2] with sin(y) = x", "xp.asin(1.0) → 1.5707963"),
    ("acos", "the y in [0, π] with cos(y) = x", "xp.acos(1.0) → 0.0"),
    ("atan", "the y in (-π/2, π/2) with tan(y) = x", "xp.atan(1.0) → 0.7853982"),
    ("sinh", "(e^x - e^-x) / 2", "xp.sinh(1.0) → 1.1752012"),
    ("cosh", "(e^x + e^-x) / 2", "xp.cosh(0.0) → 1.0"),
    ("tanh", "sinh(x) / cosh(x)", "xp.tanh(0.0) → 0.0"),
    ("asinh", "log(x + √(x² + 1))", "xp.asinh(0.0) → 0.0"),
    ("acosh", "log(x + √(x² - 1))", "xp.acosh(1.0) → 0.0"),
    ("atanh", "log((1 + x) / (1 - x)) / 2", "xp.atanh(0.5) → 0.5493061"),
    ("reciprocal", "1 / x", "xp.reciprocal(4.0) → 0.25"),
    ("erf", "2/√π ∫₀ˣ e^(-t²) dt", "xp.erf(0.5) → 0.5204999"),
    ("sigmoid", "1 / (1 + e^-x)", "xp.sigmoid(0.0) → 0.5"),
)
family(
    "x",
    rules.elementwise,
    rules_dtype.boolean,
    ("isnan", "x ≠ x", "xp.isnan(float('nan')) → True"),
    ("isinf", "|x| = ∞", "xp.isinf(float('-inf')) → True"),
    ("isfinite", "|x| < ∞", "xp.isfinite(float('inf')) → False"),
    ("logical_not", "x = 0", "xp.logical_not(2.0) → False"),
)
family(
    "x",
    rules.elementwise,
    rules_dtype.bits,
    ("bitwise_invert", "every bit of x flipped", "xp.bitwise_invert(5) → -6"),
)

# --- elementwise, several operands -------------------------------------------------------------
family(
    "x, y",
    rules.elementwise,
    rules_dtype.promoted,
    ("add", "x + y", "xp.add(2.0, 3.0) → 5.0"),
    ("multiply", "x · y", "xp.multiply(2.0, 3.0) → 6.0"),
    ("maximum", "the larger one; NaN if one is", "xp.maximum(2.0, 3.0) → 3.0"),
    ("minimum", "the smaller one; NaN if one is", "xp.minimum(2.0, 3.0) → 2.0"),
)
family(
    "x, y",
    rules.elementwise,
    rules_dtype.promoted_numbers,
    ("subtract", "x - y", "xp.subtract(2.0, 3.0) → -1.0"),
    ("floor_divide", "floor(x / y)", "xp.floor_divide(-7, 2) → -4"),
    ("remainder", "x - y · floor(x / y), with y's sign", "xp.remainder(-7, 2) → 1"),
)
family(
    "x, y",
    rules.elementwise,
    rules_dtype.powers,
    ("pow", "x^y", "xp.pow(2.0, 3.0) → 8.0"),
)
family(
    "x, y",
    rules.elementwise,
    rules_dtype.promoted_float,
    ("divide", "x / y", "xp.divide(1.0, 4.0) → 0.25"),
    ("atan2", "the angle of the point (y, x): the first operand is y", "xp.atan2(0.0, 1.0) → 0.0"),
    ("logaddexp", "log(e^x + e^y)", "xp.logaddexp(0.0, 0.0) → 0.6931472"),
)
family(
    "x, y",
    rules.elementwise,
    rules_dtype.boolean,
    ("equal", "x = y", "xp.equal(2.0, 3.0) → False"),
    ("not_equal", "x ≠ y", "xp.not_equal(2.0, 3.0) → True"),
    ("less", "x < y", "xp.less(2.0, 3.0) → True"),
    ("less_equal", "x ≤ y", "xp.less_equal(3.0, 3.0) → True"),
    ("greater", "x > y", "xp.greater(2.0, 3.0) → False"),
    ("greater_equal", "x ≥ y", "xp.greater_equal(3.0, 3.0) → True"),
    ("logical_and", "both are not 0", "xp.logical_and(True, False) → False"),
    ("logical_or", "one is not 0", "xp.logical_or(True, False) → True"),
    ("logical_xor", "exactly one is not 0", "xp.logical_xor(True, True) → False"),
)
family(
    "x, y",
    rules.elementwise,
    rules_dtype.bits,
    ("bitwise_and", "the bits set in both", "xp.bitwise_and(6, 3) → 2"),
    ("bitwise_or", "the bits set in one or both", "xp.bitwise_or(6, 3) → 7"),
    ("bitwise_xor", "the bits set in exactly one", "xp.bitwise_xor(6, 3) → 5"),
)
family(
    "condition, x, y",
    rules.elementwise,
    rules_dtype.promoted,
    ("where", "x where the condition is true, else y", "xp.where(True, 1.0, 2.0) → 1.0"),
)
family(
    "x, min=None, max=None",
    rules.elementwise,
    rules_dtype.promoted_bounds,
    ("clip", "minimum(maximum(x, min), max)", "xp.clip(5.0, 0.0, 1.0) → 1.0"),
)

# --- reductions --------------------------------------------------------------------------------
family(
    "x, axis=None, keepdims=False",
    rules.reduced,
    rules_dtype.counted,
    ("sum", "Σ x; 0 for no elements", "xp.sum(xp.asarray([[1, 2], [3, 4]]), axis=0) → [4, 6]"),
    ("prod", "Π x; 1 for no elements", "xp.prod(xp.asarray([2, 3])) → 6"),
)
family(
    "x, axis=None, keepdims=False",
    rules.chosen,
    rules_dtype.same,
    ("max", "the largest element; NaN if one is", "xp.max(xp.asarray([2.0, 3.0])) → 3.0"),
    ("min", "the smallest element; NaN if one is", "xp.min(xp.asarray([2.0, 3.0])) → 2.0"),
)
family(
    "x, axis=None, keepdims=False",
    rules.reduced,
    rules_dtype.to_float,
    ("mean", "Σ x / n; NaN for no elements", "xp.mean(xp.asarray([2.0, 3.0])) → 2.5"),
    ("logsumexp", "log Σ e^x", "xp.logsumexp(xp.asarray([0.0, 0.0])) → 0.6931472"),
)
family(
    "x, axis=None, keepdims=False",
    rules.reduced,
    rules_dtype.boolean,
    ("any", "is an element not 0?", "xp.any(xp.asarray([0, 1])) → True"),
    ("all", "is no element 0?", "xp.all(xp.asarray([0, 1])) → False"),
)
family(
    "x, axis=None, keepdims=False",
    rules.located,
    rules_dtype.positions,
    ("argmax", "where the first largest element is", "xp.argmax(xp.asarray([2.0, 3.0])) → 1"),
    ("argmin", "where the first smallest element is", "xp.argmin(xp.asarray([2.0, 3.0])) → 0"),
)
family(
    "x, axis",
    rules.along,
    rules_dtype.counted,
    ("cumulative_sum", "out[i] = Σ x[..i]", "xp.cumulative_sum(xp.asarray([2, 3]), 0) → [2, 5]"),
    ("cumulative_prod", "out[i] = Π x[..i]", "xp.cumulative_prod(xp.asarray([2, 3]), 0) → [2, 6]"),
)
family(
    "x, axis=-1, descending=False",
    rules.along,
    rules_dtype.same,
    ("sort", "in ascending order, stable", "xp.sort(xp.asarray([3, 1, 2])) → [1, 2, 3]"),
)
family(
    "x, axis=-1, descending=False",
    rules.along,
    rules_dtype.positions,
    ("argsort", "where sort took each from", "xp.argsort(xp.asarray([3, 1, 2])) → [1, 2, 0]"),
)

# --- the matrix product ------------------------------------------------------------------------
family(
    "x, y",
    rules.matmul,
    rules_dtype.promoted,
    ("matmul", "Σⱼ x[i, j] · y[j, k]", "xp.matmul(xp.asarray([1, 2]), xp.asarray([3, 4])) → 11"),
)

# --- shape -------------------------------------------------------------------------------------
family(
    "x, shape",
    rules_shape.reshape,
    rules_dtype.same,
    ("reshape", "the same elements, in order", "xp.reshape(xp.asarray([7]), (1, -1)) → [[7]]"),
)
family(
    "x, axes",
    rules_shape.permute_dims,
    rules_dtype.same,
    (
        "permute_dims",
        "axis i of the result is axis axes[i] of x",
        "xp.permute_dims(xp.asarray([[1, 2]]), (1, 0)) → [[1], [2]]",
    ),
)
family(
    "x, shape",
    rules_shape.broadcast_to,
    rules_dtype.same,
    ("broadcast_to", "axes of size 1 repeated", "xp.broadcast_to(xp.ones((1,)), (2,)) → [1, 1]"),
)
family(
    "x, axis",
    rules_shape.expand_dims,
    rules_dtype.same,
    ("expand_dims", "a new axis of size 1", "xp.expand_dims(xp.asarray([1, 2]), 0) → [[1, 2]]"),
)
family(
    "x, axis",
    rules_shape.squeeze,
    rules_dtype.same,
    ("squeeze", "without an axis of size 1", "xp.squeeze(xp.asarray([[1, 2]]), 0) → [1, 2]"),
)
family(
    "x, axis",
    rules_shape.flip,
    rules_dtype.same,
    ("flip", "in reverse order along axes", "xp.flip(xp.asarray([1, 2]), 0) → [2, 1]"),
)
family(
    "arrays, axis=0",
    rules_shape.concat,
    rules_dtype.promoted_list,
    (
        "concat",
        "arrays joined along an axis they have",
        "xp.concat([xp.asarray([1]), xp.asarray([2])], 0) → [1, 2]",
    ),
)
family(
    "arrays, axis=0",
    rules_shape.stack,
    rules_dtype.promoted_list,
    (
        "stack",
        "arrays joined along a new axis",
        "xp.stack([xp.asarray([1]), xp.asarray([2])], 0) → [[1], [2]]",
    ),
)
family(
    "x, widths, value=0.0",
    rules_shape.pad,
    rules_dtype.same,
    (
        "pad",
        "x with the value around it, (before, after) per axis",
        "xp.pad(xp.asarray([5]), ((1, 2),)) → [0, 5, 0, 0]",
    ),
)
family(
    "x, k=0",
    rules_shape.triangle,
    rules_dtype.same,
    ("tril", "0 above diagonal k", "xp.tril(xp.asarray([[1, 2], [3, 4]])) → [[1, 0], [3, 4]]"),
    ("triu", "0 below diagonal k", "xp.triu(xp.asarray([[1, 2], [3, 4]])) → [[1, 2], [0, 4]]"),
)
family(
    "x, shift, axis",
    rules_shape.roll,
    rules_dtype.same,
    ("roll", "out[i + shift] = x[i], round and round", "xp.roll(xp.arange(3), 1, 0) → [2, 0, 1]"),
)

# --- indexing ----------------------------------------------------------------------------------
family(
    "x, index",
    rules_index.getitem,
    rules_dtype.same,
    ("getitem", "x[index], by NumPy's rules", "xp.getitem(xp.asarray([5, 6]), 1) → 6"),
)
family(
    "x, index, values",
    rules_index.setitem,
    rules_dtype.same,
    ("setitem", "a copy with x[index] = values", "xp.setitem(xp.zeros((2,)), 1, 6.0) → [0.0, 6.0]"),
)
family(
    "x, index, values",
    rules_index.index_add,
    rules_dtype.same,
    (
        "index_add",
        "a copy with values added at x[index]; duplicates add up",
        "xp.index_add(xp.zeros((2,)), xp.asarray([1, 1]), 6.0) → [0.0, 12.0]",
    ),
)
family(
    "x, indices, axis",
    rules_index.take_along_axis,
    rules_dtype.same,
    (
        "take_along_axis",
        "out[.., i, ..] = x[.., indices[.., i, ..], ..]",
        "xp.take_along_axis(xp.asarray([5, 6]), xp.asarray([1, 1, 0]), 0) → [6, 6, 5]",
    ),
)
family(
    "x, indices, values, axis",
    rules_index.scatter_add,
    rules_dtype.same,
    (
        "scatter_add",
        "out = x; out[.., indices[.., i, ..], ..] += values[.., i, ..]",
        "xp.scatter_add(xp.zeros((2,)), xp.asarray([1, 1]), xp.ones((2,)), 0) → [0.0, 2.0]",
    ),
)
family(
    "x",
    rules_index.nonzero,
    rules_dtype.positions,
    ("nonzero", "positions, one list per axis", "xp.nonzero(xp.asarray([0, 5, 6])) → [[1, 2]]"),
)

# --- windows -----------------------------------------------------------------------------------
family(
    "x, size, stride, dilation",
    rules_window.windows,
    rules_dtype.same,
    (
        "windows",
        "out[.., i, k] = x[.., stride · i + dilation · k]",
        "xp.windows(xp.arange(4), (2,), (1,), (2,)) → [[0, 2], [1, 3]]",
    ),
)
family(
    "w, shape, stride, dilation",
    rules_window.overlap_add,
    rules_dtype.promoted_arrays,
    (
        "overlap_add",
        "out[.., stride · i + dilation · k] += w[.., i, k]",
        "xp.overlap_add(xp.ones((2, 2)), (3,), (1,), (1,)) → [1.0, 2.0, 1.0]",
    ),
)
family(
    "x, w, stride, padding, dilation, groups",
    rules_window.convolution,
    rules_dtype.promoted_arrays,
    (
        "convolution",
        "out[b, o, i] = Σ x[b, c, stride · i + dilation · k - padding] · w[o, c, k]",
        "xp.convolution(xp.ones((1, 1, 3)), xp.ones((1, 1, 2)), (1,), (0,), (1,), 1)"
        " → [[[2.0, 2.0]]]",
    ),
)
family(
    "grad, w, x_shape, stride, padding, dilation, groups",
    rules_window.input_grad,
    rules_dtype.promoted_arrays,
    (
        "convolution_input_grad",
        "Σ grad · ∂out/∂x",
        "xp.convolution_input_grad(xp.ones((1, 1, 2)), xp.ones((1, 1, 2)), (1, 1, 3), (1,), (0,), "
        "(1,), 1) → [[[1.0, 2.0, 1.0]]]",
    ),
)
family(
    "x, grad, w_shape, stride, padding, dilation, groups",
    rules_window.weight_grad,
    rules_dtype.promoted_arrays,
    (
        "convolution_weight_grad",
        "Σ grad · ∂out/∂w",
        "xp.convolution_weight_grad(xp.ones((1, 1, 3)), xp.ones((1, 1, 2)), (1, 1, 2), (1,), (0,), "
        "(1,), 1) → [[[2.0, 2.0]]]",
    ),
)

# --- random bits -------------------------------------------------------------------------------
family(
    "key, counter, shape",
    rules_index.random_bits,
    rules_dtype.random_words,
    (
        "random_bits",
        "Philox4x64-10 of the counter under the key, as uint32",
        "xp.random_bits(0, 0, (2,)) → [3392549196, 374689182]",
    ),
)

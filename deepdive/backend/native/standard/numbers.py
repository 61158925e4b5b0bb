"""The standard's functions of single numbers and reductions that are no words as they stand."""

from __future__ import annotations

import math
import operator
from typing import Any

from deepdive import dtypes
from deepdive.backend.native import namespace as xp
from deepdive.backend.native import scalars
from deepdive.backend.native.ndarray import NDArray
from deepdive.backend.native.speaking import as_array, mapped, zipped
from deepdive.backend.native.standard.creation import cast, full
from deepdive.backend.vocabulary import rules, rules_dtype
from deepdive.backend.vocabulary.word import Word
from deepdive.errors import ShapeError

Array = Any  # an NDArray
Axis = int | tuple[int, ...] | None


# --- single numbers ------------------------------------------------------------------------------
def _word(name: str, parameters: str, dtype: Any) -> Word:
    """An entry as the vocabulary has them, for a word that only the standard wants."""
    return Word(name, parameters, rules.elementwise, dtype, name, "", False)


bitwise_left_shift = zipped(_word("bitwise_left_shift", "x, y", rules_dtype.bits), scalars.shifted)
bitwise_right_shift = zipped(
    _word("bitwise_right_shift", "x, y", rules_dtype.bits), operator.rshift
)
copysign = zipped(_word("copysign", "x, y", rules_dtype.promoted_float), math.copysign)
hypot = zipped(_word("hypot", "x, y", rules_dtype.promoted_float), math.hypot)
signbit = mapped(_word("signbit", "x", rules_dtype.boolean), scalars.signbit)
_NEXT = _word("nextafter", "x, y", rules_dtype.promoted_float)
_next_double = zipped(_NEXT, math.nextafter)
_next_single = zipped(_NEXT, scalars.next_single)


def nextafter(
    x1: Any,
    x2: Any,
    /,
) -> Array:
    """The number after x1 on the way to x2."""
    dtype = dtypes.result_type(x1, x2)
    return (_next_double if dtype == dtypes.float64 else _next_single)(x1, x2)


def positive(
    x: Array,
    /,
) -> Array:
    return x.copy()


def conj(
    x: Array,
    /,
) -> Array:
    """`x` itself: there are no complex numbers."""
    return x


real = conj


def imag(
    x: Array,
    /,
) -> Array:
    """Zeros: there are no complex numbers."""
    return xp.zeros_like(x)


def clip(
    x: Array,
    /,
    min: Any = None,
    max: Any = None,
) -> Array:
    """`x` within its bounds, in the dtype of `x`."""
    return xp.clip(x, min, max).astype(x.dtype).expand(_common(x, min, max))


def _common(*arrays: Any) -> Any:
    return rules.broadcast_shapes("clip", *map(rules.shape_of, arrays))


# --- reductions ----------------------------------------------------------------------------------
def _of_total(x: Array, dtype: Any) -> Any:
    """The dtype of a total: where the library, as PyTorch, says int64 the standard wants uint64."""
    return "uint64" if dtype is None and x.dtype.kind == "u" else dtype


def sum(
    x: Array,
    /,
    *,
    axis: Axis = None,
    dtype: Any = None,
    keepdims: bool = False,
) -> Array:
    return cast(xp.sum(cast(x, dtype), axis, keepdims), _of_total(x, dtype))


def prod(
    x: Array,
    /,
    *,
    axis: Axis = None,
    dtype: Any = None,
    keepdims: bool = False,
) -> Array:
    return cast(xp.prod(cast(x, dtype), axis, keepdims), _of_total(x, dtype))


def max(
    x: Array,
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    return xp.max(x, axis, keepdims)


def min(
    x: Array,
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    return xp.min(x, axis, keepdims)


def mean(
    x: Array,
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    return xp.mean(x, axis, keepdims)


def all(
    x: Array,
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    return xp.all(x, axis, keepdims)


def any(
    x: Array,
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    return xp.any(x, axis, keepdims)


def var(
    x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """``Σ (x - mean)² / (n - correction)``."""
    middle = xp.mean(x, axis, True)
    total = xp.sum(xp.square(x - middle), axis, keepdims)
    count = x.size // total.size if total.size else 0
    return total / float(count - correction)


def std(
    x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """The square root of :func:`var`."""
    return xp.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def count_nonzero(
    x: Array,
    /,
    *,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    return xp.sum(xp.not_equal(x, 0), axis, keepdims)


def _cumulative(word: Any, start: int) -> Any:
    def gathered(
        x: Array,
        /,
        *,
        axis: int | None = None,
        dtype: Any = None,
        include_initial: bool = False,
    ) -> Array:
        if axis is None:
            if x.ndim > 1:
                raise ValueError(f"{word.__name__}: an array of {x.ndim} axes needs an axis")
            axis = 0
        out = cast(word(cast(x, dtype), axis), _of_total(x, dtype))
        if not include_initial:
            return out
        before = list(out.shape)
        before[axis] = 1
        return xp.concat([full(tuple(before), start, out.dtype), out], axis)

    gathered.__name__ = word.__name__
    gathered.__doc__ = f"The word {word.__name__}, with what stands before the first if asked."
    return gathered


cumulative_sum = _cumulative(xp.cumulative_sum, 0)
cumulative_prod = _cumulative(xp.cumulative_prod, 1)


def diff(
    x: Array,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """``out[i] = x[i + 1] - x[i]``, n times."""
    parts = [each for each in (prepend, x, append) if each is not None]
    out = xp.concat(parts, axis) if len(parts) > 1 else x
    place = rules.one_axis("diff", axis, out.shape)
    before = (slice(None),) * place
    for _ in range(n):
        later, earlier = out[(*before, slice(1, None))], out[(*before, slice(None, -1))]
        out = later != earlier if out.dtype.kind == "b" else later - earlier
    return out


# --- products ------------------------------------------------------------------------------------
def vecdot(
    x1: Array,
    x2: Array,
    /,
    *,
    axis: int = -1,
) -> Array:
    """``Σ x1 · x2`` along an axis, counted from the last.

    Raises:
        ShapeError: where that axis is not as long in both.
    """
    x1, x2 = as_array(x1), as_array(x2)
    lengths = [x.shape[rules.one_axis("vecdot", axis, x.shape)] for x in (x1, x2)]
    if lengths[0] != lengths[1]:
        got = f"{x1.shape} and {x2.shape}, along axis {axis}"
        raise ShapeError("vecdot: vectors of different lengths", got=got)
    product = x1 * x2
    return xp.sum(product, axis).astype(product.dtype)


def tensordot(
    x1: Array,
    x2: Array,
    /,
    *,
    axes: Any = 2,
) -> Array:
    """The sum of products over the last `axes` of x1 and the first of x2, or over named ones."""
    if isinstance(axes, int):
        axes = tuple(range(x1.ndim - axes, x1.ndim)), tuple(range(axes))
    first, second = ([a % x.ndim for a in each] for x, each in zip((x1, x2), axes, strict=True))
    free1 = [i for i in range(x1.ndim) if i not in first]
    free2 = [i for i in range(x2.ndim) if i not in second]
    size = math.prod(x1.shape[i] for i in first)
    shape1, shape2 = [x1.shape[i] for i in free1], [x2.shape[i] for i in free2]
    left = x1.permute((*free1, *first)).reshape((math.prod(shape1), size))
    right = x2.permute((*second, *free2)).reshape((size, math.prod(shape2)))
    return xp.matmul(left, right).reshape((*shape1, *shape2))


def matrix_transpose(
    x: NDArray,
    /,
) -> Array:
    """The last two axes exchanged."""
    return x.mT

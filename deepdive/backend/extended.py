"""Extended words: written once in core words, for every speaker that has nothing better.

Each takes the speaker's namespace first.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from deepdive import dtypes
from deepdive.backend.vocabulary import rules, rules_dtype, rules_shape

# erf: rational approximations of S. L. Moshier, Cephes Mathematical Library, ndtr.c (1989),
# relative error below 4e-16.
ERF_NEAR_TOP = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
ERF_NEAR_BOTTOM = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
ERFC_FAR_TOP = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
ERFC_FAR_BOTTOM = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule, highest power first."""
    out = coefficients[0] * x + coefficients[1]
    for coefficient in coefficients[2:]:
        out = out * x + coefficient
    return out


def halves_widened(word: Any) -> Any:
    """The word, for a float16 `x` (its last argument) computed in float32, rounded once at the
    end: powers overflow in half precision where the word itself is moderate."""

    @wraps(word)
    def wide(xp: Any, *arguments: Any) -> Any:
        *before, x = arguments
        if getattr(x, "dtype", None) != "float16":
            return word(xp, *arguments)
        return xp.astype(word(xp, *before, xp.astype(x, dtypes.float32)), dtypes.float16)

    return wide


@halves_widened
def erf(xp: Any, x: Any) -> Any:
    """``2/√π ∫₀ˣ e^(-t²) dt``: a rational function near 0, ``1 - erfc`` further out."""
    size = xp.abs(x)
    near = xp.minimum(size, 1.0)
    far = xp.minimum(xp.maximum(size, 1.0), 6.0)  # erf(6) is 1 in double precision
    squared = near * near
    inner = near * polynomial(squared, ERF_NEAR_TOP) / polynomial(squared, ERF_NEAR_BOTTOM)
    tail = polynomial(far, ERFC_FAR_TOP) / polynomial(far, ERFC_FAR_BOTTOM)
    outer = 1.0 - xp.exp(-far * far) * tail
    return xp.sign(x) * xp.where(size < 1.0, inner, outer)


# --- creation and shape --------------------------------------------------------------------------
def zeros_like(xp: Any, x: Any) -> Any:
    """``zeros(x.shape, x.dtype)``."""
    return xp.zeros(x.shape, x.dtype)


def ones_like(xp: Any, x: Any) -> Any:
    """``ones(x.shape, x.dtype)``."""
    return xp.ones(x.shape, x.dtype)


def eye(
    xp: Any,
    n: int,
    m: int | None,
    k: int,
    dtype: Any,
) -> Any:
    """1 where column = row + k."""
    m = n if m is None else m
    k = min(max(k, -n), m)  # beyond the corners there is nothing more to leave out
    rows, columns = xp.arange(n), xp.arange(m)
    return xp.astype(rows[:, None] + k == columns, dtype or dtypes.default_float())


def _triangle(
    xp: Any,
    x: Any,
    keep: Any,
    k: int,
) -> Any:
    rows, columns = map(xp.arange, x.shape[-2:])
    return xp.where(keep(columns, rows[:, None] + k), x, xp.zeros((), x.dtype))


def tril(xp: Any, x: Any, k: int = 0) -> Any:
    """0 above diagonal k."""
    return _triangle(xp, x, xp.less_equal, k)


def triu(xp: Any, x: Any, k: int = 0) -> Any:
    """0 below diagonal k."""
    return _triangle(xp, x, xp.greater_equal, k)


def squeeze(xp: Any, x: Any, axis: Any) -> Any:
    """Without axes of size 1."""
    return xp.reshape(x, rules_shape.squeeze("squeeze", x, axis))


def expand_dims(xp: Any, x: Any, axis: Any) -> Any:
    """With new axes of size 1."""
    return xp.reshape(x, rules_shape.expand_dims("expand_dims", x, axis))


def stack(xp: Any, arrays: Any, axis: int = 0) -> Any:
    """Arrays joined along a new axis."""
    return xp.concat([xp.expand_dims(xp.asarray(x), axis) for x in arrays], axis)


def roll(
    xp: Any,
    x: Any,
    shift: Any,
    axis: Any,
) -> Any:
    """``out[i + shift] = x[i]``, round and round: the end in front of the beginning."""
    if axis is None:
        return xp.reshape(roll(xp, xp.reshape(x, (-1,)), sum(rules.as_tuple(shift)), 0), x.shape)
    shifts, axes = rules.as_tuple(shift), rules.as_tuple(axis)
    count = max(len(shifts), len(axes))
    for by, along in zip(shifts * (count // len(shifts)), axes * (count // len(axes)), strict=True):
        place = along % len(x.shape)
        cut = -by % max(x.shape[place], 1)
        before = (slice(None),) * place
        x = xp.concat([x[(*before, slice(cut, None))], x[(*before, slice(cut))]], place)
    return x


# --- arithmetic ----------------------------------------------------------------------------------
def clip(
    xp: Any,
    x: Any,
    min: Any = None,
    max: Any = None,
) -> Any:
    """``minimum(maximum(x, min), max)``; a bound may be None."""
    low = x if min is None else xp.maximum(x, min)
    return low if max is None else xp.minimum(low, max)


def mean(
    xp: Any,
    x: Any,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """``Σ x / n``; NaN for no elements."""
    total = xp.sum(x, axis, keepdims)
    return total / (x.size // total.size if total.size else 1)


def logsumexp(
    xp: Any,
    x: Any,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """``log Σ e^x``, shifted by the maximum so that nothing overflows; -∞ for no elements."""
    shape = rules.reduced("logsumexp", x, axis, keepdims)
    if x.size == 0:
        return xp.log(xp.zeros(shape, rules_dtype.to_float("logsumexp", {"x": x})))
    top = xp.max(x, axis, True)
    top = xp.where(xp.isfinite(top), top, 0)
    out = xp.log(xp.sum(xp.exp(x - top), axis, True)) + top
    return xp.reshape(out, shape)

"""interpolate: pictures made larger or smaller.

A linear resampling along an axis is a product with a matrix (old extent, new extent) of few
numbers per column; several axes are resampled one after the other.
"""

from __future__ import annotations

import math
from array import array
from typing import Any

from deepdive.backend import speakers
from deepdive.core.operator import REGISTRY, derive
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.joining import at
from deepdive.ops.linalg import Matmul
from deepdive.ops.shape import BroadcastTo, Reshape

AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
MODES = ("nearest", "nearest-exact", "area", *AXES)
Taps = list[tuple[int, float]]  # which element, with which weight


@derive("interpolate", method=False)
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Pictures (B, C, …) with 1 to 3 spatial axes, made larger or smaller.

    Args:
        size: the new extents, or
        scale_factor: how many times larger; one number, or one for each axis.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"area"``, ``"linear"`` (1 axis),
            ``"bilinear"``, ``"bicubic"`` (2 axes), ``"trilinear"`` (3 axes).
        align_corners: corners stay corners; else the outer edges of the corner pixels do.
        recompute_scale_factor: find the scale anew from the rounded extents.
        antialias: average over all that a new pixel covers (bilinear and bicubic, made smaller).

    Raises:
        ArgumentError: for what does not go together.

    >>> import deepdive as dd
    >>> interpolate(dd.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    n = input.ndim - 2
    _check(n, input, mode, align_corners, antialias)
    sizes, scales = _sizes(input, n, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return REGISTRY[f"adaptive_avg_pool{n}d"](input, sizes)  # type: ignore[no-any-return]
    out = input
    for i, (m, scale) in enumerate(zip(sizes, scales, strict=True)):
        axis = i + 2
        if mode.startswith("nearest"):
            out = _nearest(out, axis, m, scale, 0.5 if mode == "nearest-exact" else 0.0)
        else:
            old = out.shape[axis]
            taps = _taps(old, m, scale, mode == "bicubic", bool(align_corners), antialias)
            out = _resampled(out, axis, taps)
    return out  # type: ignore[no-any-return]


def _check(
    n: int,
    x: Any,
    mode: str,
    align_corners: bool | None,
    antialias: bool,
) -> None:
    if mode not in MODES:
        raise ArgumentError("interpolate: mode", got=repr(mode), expected=", ".join(MODES))
    if n not in (1, 2, 3) or AXES.get(mode, n) != n:
        raise ShapeError(
            f"interpolate: mode {mode!r} for input {tuple(x.shape)}",
            expected=f"(B, C, {AXES.get(mode, '1 to 3')} spatial axes)",
        )
    if align_corners is not None and mode not in AXES:
        raise ArgumentError("interpolate: align_corners is for linear and cubic modes", got=mode)
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError("interpolate: antialias is for bilinear and bicubic", got=mode)


def _sizes(
    x: Any,
    n: int,
    size: Any,
    scale_factor: Any,
    recompute: bool | None,
) -> tuple[list[int], list[Any]]:
    """The new extents, and the scales that were given (None where the extents say them)."""
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: either size or scale_factor", got=(size, scale_factor))
    if scale_factor is None:
        given = (size,) * n if isinstance(size, int) else tuple(size)
        scales: list[Any] = [None] * n
    else:
        plain = isinstance(scale_factor, (int, float))
        factors = (scale_factor,) * n if plain else tuple(scale_factor)
        given = tuple(math.floor(m * f) for m, f in zip(x.shape[2:], factors, strict=False))
        scales = [None if recompute else float(factor) for factor in factors]
    if len(given) != n or any(m < 1 for m in given):
        raise ArgumentError("interpolate: a new extent for each axis", got=given, expected=f"{n}")
    return [int(m) for m in given], scales


# --- the nearest element -----------------------------------------------------------------------
def _single(number: float) -> float:
    """Rounded to float32, as PyTorch computes which element is nearest."""
    return array("f", [number])[0]


def _nearest(x: Any, axis: int, m: int, scale: Any, shift: float) -> Any:
    n = x.shape[axis]
    step = _single(n / m if scale is None else 1 / scale)
    places = [min(int(_single((i + shift) * step)), n - 1) for i in range(m)]
    if places == [*range(m)] and m == n:
        return x
    times = m // n
    if times and places == [i // times for i in range(m)]:
        lead, rest = x.shape[:axis], x.shape[axis + 1 :]
        wide = BroadcastTo((*lead, n, times, *rest))(Reshape((*lead, n, 1, *rest))(x))
        return Reshape((*lead, m, *rest))(wide)
    return x[at(axis, creation.as_tensor(places, device=x.device))]


# --- weighted elements -------------------------------------------------------------------------
def _cubic(t: float, a: float) -> float:
    """The weight of a sample at distance t (Keys 1981, with his a)."""
    t = abs(t)
    if t < 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return (((t - 5) * t + 8) * t - 4) * a if t < 2 else 0.0


def _taps(
    n: int,
    m: int,
    scale: Any,
    cubic: bool,
    align: bool,
    antialias: bool,
) -> list[Taps]:
    """For each of m new elements which of the n old ones it is made of."""
    if align:
        step = (n - 1) / (m - 1) if m > 1 else 0.0
    else:
        step = n / m if scale is None else 1 / scale
    if antialias:
        return [_covered(n, i, step, cubic) for i in range(m)]
    found = []
    for i in range(m):
        place = i * step if align else (i + 0.5) * step - 0.5
        if cubic:
            base = math.floor(place)
            near = range(base - 1, base + 3)
            found.append([(min(max(k, 0), n - 1), _cubic(place - k, -0.75)) for k in near])
            continue
        place = max(place, 0.0)
        base = min(int(place), n - 1)
        share = min(place - base, 1.0)
        found.append([(base, 1.0 - share), (min(base + 1, n - 1), share)])
    return found


def _covered(n: int, i: int, step: float, cubic: bool) -> Taps:
    """The taps of new element i with a filter as wide as what it covers."""
    width = max(step, 1.0)
    support = (2 if cubic else 1) * width
    center = step * (i + 0.5)
    low = max(int(center - support + 0.5), 0)
    high = min(int(center + support + 0.5), n)
    weights = []
    for k in range(low, high):
        t = (k - center + 0.5) / width
        weights.append(_cubic(t, -0.5) if cubic else max(1.0 - abs(t), 0.0))
    total = sum(weights)
    return [(low + k, weight / total) for k, weight in enumerate(weights)]


def _resampled(x: Any, axis: int, taps: list[Taps]) -> Any:
    """``out[.., j, ..] = Σ weight · x[.., k, ..]`` over the taps (k, weight) of j."""
    matrix = [[0.0] * len(taps) for _ in range(x.shape[axis])]
    for j, column in enumerate(taps):
        for k, weight in column:
            matrix[k][j] += weight
    speaker: Any = speakers.BY_TYPE[type(x._data)]
    weights = wrap(speaker.asarray(matrix, x.dtype))
    if axis == x.ndim - 1:
        return Matmul()(x, weights)
    moved: Any = Matmul()(x.transpose(axis, -1), weights)
    return moved.transpose(axis, -1)


# --- older names -------------------------------------------------------------------------------
@derive("upsample", method=False)
def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """:func:`interpolate` under its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


@derive("upsample_nearest", method=False)
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Tensor:
    """:func:`interpolate` to the nearest element."""
    return interpolate(input, size, scale_factor, "nearest")


@derive("upsample_bilinear", method=False)
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Tensor:
    """:func:`interpolate`, bilinear, corners staying corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)

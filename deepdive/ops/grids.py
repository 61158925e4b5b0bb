"""grid_sample: pictures read at places computed by a network (Jaderberg et al. 2015)."""

from __future__ import annotations

import itertools
import math
from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.elementwise import Where
from deepdive.ops.indexing import TakeAlongDim
from deepdive.ops.linalg import Matmul
from deepdive.ops.shape import BroadcastTo, Reshape, Stack

PADDINGS = ("zeros", "border", "reflection")
Tap = tuple[Any, Any]  # a coordinate (whole numbers, floating) and its weight


@derive("grid_sample", method=False)
def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Pictures (B, C, H, W) read at the places `grid` (B, H', W', 2): (B, C, H', W').

    A place is (x, y) from -1 (left, top) to 1 (right, bottom).  With a depth axis: (B, C, D, H, W)
    and (B, D', H', W', 3).

    Args:
        mode: ``"bilinear"`` (trilinear with depth), ``"nearest"``, ``"bicubic"`` (no depth).
        padding_mode: what lies outside: ``"zeros"``, the ``"border"``, its ``"reflection"``.
        align_corners: -1 and 1 are the centres of the corner pixels; else their outer edges.

    Raises:
        ArgumentError, ShapeError: for what does not go together.
    """
    n = input.ndim - 2
    if n not in (2, 3) or grid.ndim != n + 2 or grid.shape[-1] != n:
        raise ShapeError(
            f"grid_sample: input is {tuple(input.shape)} and grid is {tuple(grid.shape)}",
            expected="(B, C, H, W) and (B, H', W', 2), or with depth and 3",
        )
    if input.shape[0] != grid.shape[0]:
        raise ShapeError(
            "grid_sample: as many grids as pictures", got=(input.shape[0], grid.shape[0])
        )
    if padding_mode not in PADDINGS:
        expected = ", ".join(PADDINGS)
        raise ArgumentError("grid_sample: padding_mode", got=repr(padding_mode), expected=expected)
    if mode not in ("bilinear", "nearest", "bicubic") or (mode == "bicubic" and n == 3):
        raise ArgumentError("grid_sample: mode", got=repr(mode))
    taps: list[list[Tap]] = []
    for axis in range(n):
        size = input.shape[axis + 2]
        place = _place(grid[..., n - 1 - axis], size, bool(align_corners))
        edge = padding_mode, size, bool(align_corners)
        taps.append(_axis_taps(place, mode, *edge))
    return _read(input, taps, tuple(grid.shape[1:-1]))


def _place(g: Any, size: int, align: bool) -> Any:
    """From -1 … 1 to the numbers of pixels."""
    if align:
        return (g + 1) * ((size - 1) / 2)
    return ((g + 1) * size - 1) * 0.5


def _axis_taps(
    place: Any,
    mode: str,
    outside: str,
    size: int,
    align: bool,
) -> list[Tap]:
    """The pixels along one axis that a place is read from, with their weights."""
    if mode == "bicubic":
        base = place.detach().floor()
        t = place - base
        shares = [_outer(t + 1), _inner(t), _inner(1 - t), _outer(2 - t)]
        found = [(base + (k - 1), share) for k, share in enumerate(shares)]
        found = [(_moved(at, outside, size, align), share) for at, share in found]
    else:
        place = _moved(place, outside, size, align)
        if mode == "nearest":
            nearest = place.detach().round()
            found = [(nearest, creation.ones_like(nearest))]
        else:
            base = place.detach().floor()
            t = place - base
            found = [(base, 1 - t), (base + 1, t)]
    return [(at, _inside(at, share, size)) for at, share in found]


def _inside(at: Any, share: Any, size: int) -> Any:
    """No weight for what is not there."""
    there = (at >= 0).logical_and(at <= size - 1)
    return Where()(there, share, 0.0)


def _inner(t: Any, a: float = -0.75) -> Any:
    """The cubic weight at distances up to 1 (Keys 1981)."""
    return ((a + 2) * t - (a + 3)) * t * t + 1


def _outer(t: Any, a: float = -0.75) -> Any:
    """The cubic weight at distances from 1 to 2."""
    return ((t - 5) * t + 8) * t * a - 4 * a


def _moved(
    place: Any,
    outside: str,
    size: int,
    align: bool,
) -> Any:
    """Places outside brought to the border, or reflected at it."""
    if outside == "zeros":
        return place
    if outside == "reflection":
        low, span = (0.0, float(size - 1)) if align else (-0.5, float(size))
        if span == 0:
            return place * 0
        far = (place - low).abs()
        flips = (far.detach() / span).floor()
        rest = far - flips * span
        even = (flips % 2) == 0
        place = Where()(even, rest + low, span - rest + low)
    return place.clamp(0, size - 1)


def _read(input: Any, taps: list[list[Tap]], shape: tuple[int, ...]) -> Tensor:
    """``Σ Π weights · pixel`` over all combinations of taps of the axes."""
    batch, channels, *spatial = input.shape
    flat = Reshape((batch, channels, math.prod(spatial)))(input)
    count = math.prod(shape)
    total: Any = None
    for corner in itertools.product(*taps):
        number: Any = 0
        weight: Any = 1
        for (at, share), size in zip(corner, spatial, strict=True):
            number = number * size + at.detach().clamp(0, size - 1)
            weight = share * weight
        index = Reshape((batch, 1, count))(number.to("int64"))
        wide = BroadcastTo((batch, channels, count))(index)
        found: Any = TakeAlongDim(-1)(flat, wide)
        part = found * Reshape((batch, 1, count))(weight)
        total = part if total is None else total + part
    return Reshape((batch, channels, *shape))(total)


@derive("affine_grid", method=False)
def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Tensor:
    """The grid for :func:`grid_sample` that maps by matrices: theta (B, 2, 3) → (B, H, W, 2).

    Args:
        size: that of the result of grid_sample, (B, C, H, W); with depth (B, C, D, H, W), theta
            (B, 3, 4).

    >>> import deepdive as dd
    >>> affine_grid(dd.tensor([[[1.0, 0, 0], [0, 1, 0]]]), (1, 1, 1, 2))
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    n = len(size) - 2
    if n not in (2, 3) or tuple(theta.shape) != (size[0], n, n + 1):
        raise ShapeError(
            f"affine_grid: theta is {tuple(theta.shape)} and size {tuple(size)}",
            expected="(B, 2, 3) and (B, C, H, W), or (B, 3, 4) and (B, C, D, H, W)",
        )
    extents = tuple(size[2:])
    axes: list[Any] = []
    for axis in reversed(range(n)):  # x first
        places: Any = _centres(extents[axis], bool(align_corners), theta)
        column = Reshape((extents[axis], *(1,) * (n - axis - 1)))(places)
        axes.append(BroadcastTo(extents)(column))
    axes.append(creation.ones(*extents, dtype=theta.dtype, device=theta.device))
    base = Reshape((1, math.prod(extents), n + 1))(Stack(-1)(*axes))
    grid = Matmul()(base, theta.transpose(1, 2))  # (B, pixels, n)
    return Reshape((size[0], *extents, n))(grid)


def _centres(n: int, align: bool, like: Any) -> Tensor:
    """The places of n pixels between -1 and 1."""
    if n == 1:
        places = [0.0]
    elif align:
        places = [2 * i / (n - 1) - 1 for i in range(n)]
    else:
        places = [(2 * i + 1) / n - 1 for i in range(n)]
    return creation.as_tensor(places, dtype=like.dtype, device=like.device)

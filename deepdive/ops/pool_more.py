"""More pooling: with the places of the largest, to a size asked for, p-norms, and back again."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ShapeError
from deepdive.ops import creation, pool
from deepdive.ops.conv import Shape, Sizes, per_axis
from deepdive.ops.indexing import SetItem, TakeAlongDim
from deepdive.ops.shape import ConstantPad, Reshape


@register(None)
class LargestPlaces(Operator):
    """Where the largest of each window stands: its number among the elements of a picture."""

    size: Shape
    stride: Shape
    dilation: Shape
    padding: Shape
    shape: Shape  # of the pictures without their frame

    def forward(self, xp, x):
        n = len(self.size)
        view = xp.windows(x, self.size, self.stride, self.dilation)
        out = view.shape[2:-n]
        flat = xp.reshape(view, (*view.shape[:-n], math.prod(self.size)))
        rest = xp.argmax(flat, axis=-1)  # the place in the window
        place: Any = 0
        step = 1
        for axis in reversed(range(n)):
            inside = xp.remainder(rest, self.size[axis]) * self.dilation[axis]
            rest = xp.floor_divide(rest, self.size[axis])
            start = xp.arange(out[axis]) * self.stride[axis] - self.padding[axis]
            column = (out[axis], *(1,) * (n - axis - 1))
            place = place + (inside + xp.reshape(start, column)) * step
            step *= self.shape[axis]
        return place


def largest(x: Any, places: Any, n: int) -> Any:
    """The elements of pictures at their numbered places, the last n axes being spatial."""
    lead = x.shape[:-n]
    flat = Reshape((*lead, math.prod(x.shape[-n:])))(x)
    chosen = Reshape((*lead, math.prod(places.shape[-n:])))(places)
    return Reshape(tuple(places.shape))(TakeAlongDim(-1)(flat, chosen))


def with_places(
    name: str,
    n: int,
    x: Any,
    size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil: bool,
) -> tuple[Tensor, Tensor]:
    """A max pooling, and the places of the largest elements."""
    if x.ndim == n + 1:
        single = x.unsqueeze(0)
        both = with_places(name, n, single, size, stride, padding, dilation, ceil)
        return both[0].squeeze(0), both[1].squeeze(0)  # type: ignore[attr-defined]
    pool._check_axes(name, x, n)
    size = per_axis(name, "kernel_size", size, n)
    stride = size if not stride else per_axis(name, "stride", stride, n)
    padding = per_axis(name, "padding", padding, n)
    dilation = per_axis(name, "dilation", dilation, n)
    frame = pool._frame(name, x, size, stride, dilation, padding, ceil)
    framed = x.detach()
    if any(map(any, frame)):
        framed = ConstantPad(((0, 0), (0, 0), *frame), -math.inf)(framed)
    operator: Any = LargestPlaces(size, stride, dilation, padding, tuple(x.shape[2:]))
    places = operator(framed)
    return largest(x, places, n), places


def _dispatched(name: str, n: int) -> Any:
    def pooled(
        input: Any,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        return_indices: bool = True,
    ) -> tuple[Tensor, Tensor]:
        return with_places(name, n, input, kernel_size, stride, padding, dilation, ceil_mode)

    pooled.__name__ = pooled.__qualname__ = f"{name}_with_indices"
    pooled.__doc__ = f"``{name}(…, return_indices=True)``: the largest, and their places."
    return derive(f"{name}_with_indices", method=False)(pooled)


max_pool1d_with_indices = _dispatched("max_pool1d", 1)
max_pool2d_with_indices = _dispatched("max_pool2d", 2)
max_pool3d_with_indices = _dispatched("max_pool3d", 3)


# --- to a size asked for -----------------------------------------------------------------------
def _adaptive_max(
    name: str,
    n: int,
    x: Any,
    output_size: Any,
    return_indices: bool,
) -> Any:
    """The largest of windows [⌊i·n/m⌋, ⌈(i+1)·n/m⌉), gathered with their last element repeated."""
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(f"{name}: input is {tuple(x.shape)}", expected=f"{n + 1} or {n + 2} axes")
    spatial = tuple(x.shape[-n:])
    given = (output_size,) * n if isinstance(output_size, int) else tuple(output_size)
    sizes = [m if s is None else s for s, m in zip(given, spatial, strict=True)]
    index: list[Any] = []
    places: Any = 0
    for axis, (m, s) in enumerate(zip(spatial, sizes, strict=True)):
        bounds = [(i * m // s, -(-(i + 1) * m // s)) for i in range(s)]
        reach = max(high - low for low, high in bounds)
        rows = [[min(low + k, high - 1) for k in range(reach)] for low, high in bounds]
        shape = [1] * (2 * n)
        shape[axis], shape[n + axis] = s, reach
        along: Any = creation.as_tensor(rows, device=x.device)
        along = along.reshape(shape)
        index.append(along)
        places = places * m + along
    windows = x[(..., *index)]  # (…, *out, *reach)
    count = math.prod(windows.shape[-n:])
    flat = windows.reshape(*windows.shape[:-n], count)
    first = flat.detach().argmax(-1, True)
    if not return_indices:
        return TakeAlongDim(-1)(flat, first).squeeze(-1)  # type: ignore[attr-defined]
    wide = places.expand(*windows.shape).reshape(*windows.shape[:-n], count)
    chosen: Any = TakeAlongDim(-1)(wide, first)
    chosen = chosen.squeeze(-1)
    return largest(x, chosen, n), chosen


@derive("adaptive_max_pool1d", method=False)
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """(B, C, L) → (B, C, output_size); see :func:`adaptive_max_pool2d`."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@derive("adaptive_max_pool2d", method=False)
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of so many windows that the result is ``(B, C, *output_size)``.

    None keeps an extent.  With `return_indices` also their places among the H·W elements.
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@derive("adaptive_max_pool3d", method=False)
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """``(B, C, D, H, W)`` → ``(B, C, *output_size)``; see :func:`adaptive_max_pool2d`."""
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)


@derive("adaptive_avg_pool3d", method=False)
def adaptive_avg_pool3d(input: Any, output_size: Any) -> Tensor:
    """Means over so many windows that the result is ``(B, C, *output_size)``."""
    return pool._adaptive("adaptive_avg_pool3d", 3, input, output_size)


# --- three axes --------------------------------------------------------------------------------
@derive("max_pool3d", method=False)
def max_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window of (B, C, D, H, W); see :func:`max_pool2d`."""
    way = stride, padding, dilation, ceil_mode
    if return_indices:
        return with_places("max_pool3d", 3, input, kernel_size, *way)
    return pool._max_pool("max_pool3d", 3, input, kernel_size, *way)


@derive("avg_pool3d", method=False)
def avg_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (B, C, D, H, W); see :func:`avg_pool2d`."""
    way = stride, padding, ceil_mode, count_include_pad, divisor_override
    return pool._avg_pool("avg_pool3d", 3, input, kernel_size, *way)


# --- p-norms -----------------------------------------------------------------------------------
def _lp_pool(
    n: int,
    x: Any,
    p: float,
    size: Any,
    stride: Any,
    ceil: bool,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window, 0 where the sum is negative; PyTorch's formula."""
    count = math.prod(per_axis(f"lp_pool{n}d", "kernel_size", size, n))
    mean: Any = pool._avg_pool(f"lp_pool{n}d", n, x**p, size, stride, 0, ceil, True, None)
    return (mean.sign() * mean.abs().relu() * count) ** (1.0 / p)  # type: ignore[no-any-return]


@derive("lp_pool1d", method=False)
def lp_pool1d(
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window of (B, C, L)."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


@derive("lp_pool2d", method=False)
def lp_pool2d(
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window of (B, C, H, W)."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


@derive("lp_pool3d", method=False)
def lp_pool3d(
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window of (B, C, D, H, W)."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


# --- back again --------------------------------------------------------------------------------
def _unpool(
    n: int,
    x: Any,
    indices: Any,
    size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Tensor:
    """Each element at its place, zeros elsewhere."""
    name = f"max_unpool{n}d"
    size = per_axis(name, "kernel_size", size, n)
    stride = size if not stride else per_axis(name, "stride", stride, n)
    padding = per_axis(name, "padding", padding, n)
    if output_size is None:
        extents = zip(x.shape[-n:], size, stride, padding, strict=True)
        output_size = [(m - 1) * s + k - 2 * p for m, k, s, p in extents]
    output = tuple(output_size)[-n:]
    if x.shape != indices.shape:
        raise ShapeError(
            f"{name}: an index for each element",
            got=f"{tuple(x.shape)} and {tuple(indices.shape)}",
        )
    lead = x.shape[:-n]
    batch = math.prod(lead)
    count = math.prod(output)
    zeros = creation.zeros(batch, count, dtype=x.dtype, device=x.device)
    pixels = math.prod(x.shape[-n:])
    rows: Any = creation.arange(batch, device=x.device)
    place = (rows.reshape(batch, 1), indices.reshape(batch, pixels))
    filled = SetItem(place)(zeros, x.reshape(batch, pixels))
    return Reshape((*lead, *output))(filled)


@derive("max_unpool1d", method=False)
def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:
    """What :func:`max_pool1d` made smaller, the largest at their places and zeros elsewhere."""
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@derive("max_unpool2d", method=False)
def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:
    """What :func:`max_pool2d` made smaller, the largest at their places and zeros elsewhere."""
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@derive("max_unpool3d", method=False)
def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:
    """What :func:`max_pool3d` made smaller, the largest at their places and zeros elsewhere."""
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)

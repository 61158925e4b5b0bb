"""Blocks of a picture: as columns and back, shuffled between space and channels, normalised."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.conv import Shape, Sizes, per_axis
from deepdive.ops.pool import OverlapAdd, Windows
from deepdive.ops.shape import ConstantPad, Permute, Reshape


def _way(
    name: str,
    way: tuple[Any, ...],
) -> list[Shape]:
    roles = ("kernel_size", "dilation", "padding", "stride")
    return [per_axis(name, role, given, 2) for role, given in zip(roles, way, strict=True)]


@derive("im2col", method=False)
def unfold(
    input: Any,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """All windows of pictures (B, C, H, W) as columns (B, C·k·l, L): ``nn.functional.unfold``.

    >>> import deepdive as dd
    >>> unfold(dd.ones(1, 3, 4, 4), 2).shape
    (1, 12, 9)
    """
    if input.ndim == 3:
        single: Any = unfold(input.unsqueeze(0), kernel_size, dilation, padding, stride)
        return single.squeeze(0)  # type: ignore[no-any-return]
    if input.ndim != 4:
        raise ShapeError("unfold: pictures (B, C, H, W)", got=tuple(input.shape))
    size, dilation, padding, stride = _way("unfold", (kernel_size, dilation, padding, stride))
    if any(padding):
        input = ConstantPad(((0, 0), (0, 0), *((p, p) for p in padding)))(input)
    view = Windows(size, stride, dilation)(input)  # (B, C, H', W', k, l)
    batch, channels, *out = view.shape[:4]
    columns = Permute((0, 1, 4, 5, 2, 3))(view)
    return Reshape((batch, channels * math.prod(size), math.prod(out)))(columns)


@derive("fold", method=False)
def fold(
    input: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Columns (B, C·k·l, L) added up as the windows of pictures (B, C, H, W): undoes `unfold`,
    but for what overlaps, which is summed.

    Raises:
        ShapeError: for columns of another length or number than the windows.
    """
    if input.ndim == 2:
        args = output_size, kernel_size, dilation, padding, stride
        single: Any = fold(input.unsqueeze(0), *args)
        return single.squeeze(0)  # type: ignore[no-any-return]
    size, dilation, padding, stride = _way("fold", (kernel_size, dilation, padding, stride))
    output = per_axis("fold", "output_size", output_size, 2)
    framed = tuple(n + 2 * p for n, p in zip(output, padding, strict=True))
    places = zip(framed, size, dilation, stride, strict=True)
    out = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, d, s in places)
    batch, rows, columns = input.shape
    if rows % math.prod(size) or columns != math.prod(out):
        raise ShapeError(
            f"fold: input is {tuple(input.shape)}",
            expected=f"(B, C · {math.prod(size)}, {math.prod(out)}), as the windows are {out}",
        )
    channels = rows // math.prod(size)
    blocks = Reshape((batch, channels, *size, *out))(input)
    windows = Permute((0, 1, 4, 5, 2, 3))(blocks)
    whole: Any = OverlapAdd((batch, channels, *framed), stride, dilation)(windows)
    inside = [slice(p, p + n) for p, n in zip(padding, output, strict=True)]
    return whole[(..., *inside)]  # type: ignore[no-any-return]


# --- between space and channels ----------------------------------------------------------------
@derive("pixel_shuffle")
def pixel_shuffle(
    input: Any,
    upscale_factor: int,
) -> Tensor:
    """(…, C·r², H, W) → (…, C, H·r, W·r): channels become pixels (Shi et al. 2016).

    >>> import deepdive as dd
    >>> pixel_shuffle(dd.arange(4).reshape(1, 4, 1, 1), 2)
    tensor([[[[0, 1],
              [2, 3]]]])
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle: input is {tuple(input.shape)}",
            expected=f"(…, a multiple of {r}², H, W)",
        )
    *lead, channels, height, width = input.shape
    n = len(lead)
    blocks = Reshape((*lead, channels // (r * r), r, r, height, width))(input)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return Reshape((*lead, channels // (r * r), height * r, width * r))(Permute(order)(blocks))


@derive("pixel_unshuffle")
def pixel_unshuffle(
    input: Any,
    downscale_factor: int,
) -> Tensor:
    """(…, C, H·r, W·r) → (…, C·r², H, W): undoes :func:`pixel_shuffle`."""
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-1] % r or input.shape[-2] % r:
        raise ShapeError(
            f"pixel_unshuffle: input is {tuple(input.shape)}",
            expected=f"(…, C, H, W) with H and W multiples of {r}",
        )
    *lead, channels, height, width = input.shape
    n = len(lead)
    blocks = Reshape((*lead, channels, height // r, r, width // r, r))(input)
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return Reshape((*lead, channels * r * r, height // r, width // r))(Permute(order)(blocks))


@derive("channel_shuffle")
def channel_shuffle(input: Any, groups: int) -> Tensor:
    """Channels (B, C, …) of several groups dealt out in turn (Zhang et al. 2018)."""
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ArgumentError(
            "channel_shuffle: groups divides the channels of (B, C, …)",
            got=f"{groups} groups, shape {tuple(input.shape)}",
        )
    batch, channels, *rest = input.shape
    parts = Reshape((batch, groups, channels // groups, *rest))(input)
    order = (0, 2, 1, *range(3, 3 + len(rest)))
    return Reshape(tuple(input.shape))(Permute(order)(parts))


# --- across channels ---------------------------------------------------------------------------
@derive("local_response_norm", method=False)
def local_response_norm(
    input: Any,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Tensor:
    """``x / (k + alpha · mean of x² over `size` neighbouring channels)^beta`` (Krizhevsky 2012).

    The mean counts zeros beyond the first and the last channel.
    """
    if input.ndim < 3:
        raise ShapeError("local_response_norm: (B, C, …)", got=tuple(input.shape))
    if size < 1:
        raise ArgumentError("local_response_norm: size", got=size, expected="1 or more")
    frame = [(0, 0)] * input.ndim
    frame[1] = (size // 2, (size - 1) // 2)
    squares: Any = ConstantPad(tuple(frame))(input * input)
    order = (0, *range(2, input.ndim), 1)
    last = Permute(order)(squares)
    sums: Any = Windows((size,), (1,), (1,))(last).sum(-1)  # type: ignore[attr-defined]
    back = (0, input.ndim - 1, *range(1, input.ndim - 1))
    mean: Any = Permute(back)(sums) / size  # type: ignore[operator]
    return input / (mean * alpha + k) ** beta  # type: ignore[no-any-return]

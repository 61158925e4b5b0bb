"""Normalisation over groups of channels, over each channel of a sample, and by the size alone.

All are layer or batch normalisation of another arrangement of the same numbers.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive import dtypes
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor, data_of
from deepdive.errors import ShapeError
from deepdive.ops.norm import LayerNorm, batch_norm, move, row_mean
from deepdive.ops.shape import Reshape


@derive("group_norm", method=False)
def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Mean 0 and variance 1 over each group of channels of each sample (Wu & He 2018).

    input (B, C, …); then ``· w + b`` for each channel, w and b (C,).

    Raises:
        ShapeError: unless `num_groups` divides the channels, or for parameters not (C,).
    """
    _check("group_norm", input, weight, bias)
    shape = tuple(input.shape)
    B, C = shape[:2]
    if num_groups < 1 or C % num_groups:
        raise ShapeError(
            f"group_norm: {num_groups} groups of the channels of input {shape}",
            expected=f"a number that divides {C}",
        )
    size = C // num_groups * math.prod(shape[2:])
    even: Any = LayerNorm(eps)(Reshape((B, num_groups, size))(input), None, None)
    return _scaled(Reshape(shape)(even), weight, bias)


@derive("instance_norm", method=False)
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 over the pixels of each channel of each sample (Ulyanov et al. 2016).

    input (B, C, …).  The running moments, if given, move towards the average over the samples;
    they count instead of the input's own where `use_input_stats` is False.

    Raises:
        ShapeError: for a single pixel per channel, or parameters that are not (C,).
    """
    _check("instance_norm", input, weight, bias)
    shape = tuple(input.shape)
    B, C, *pixels = shape
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if math.prod(pixels) < 2:
        raise ShapeError(f"instance_norm: input {shape} has one value per channel: no variance")
    rows = Reshape((B, C, math.prod(pixels)))(input)
    still: Any = rows.detach()
    if running_mean is not None:
        move(running_mean, data_of(still.mean(2).mean(0)), momentum)
    if running_var is not None:
        move(running_var, data_of(still.var(2).mean(0)), momentum)
    even = Reshape(shape)(LayerNorm(eps)(rows, None, None))
    return _scaled(even, weight, bias)


class RmsNorm(Operator):
    """``x / √(mean(x²) + ε) · w`` over the last axis (Zhang & Sennrich 2019); x (…, D), w (D,)."""

    promotes = "float"
    eps: float

    def forward(self, xp, x, weight=None):
        average = xp.full((x.shape[-1],), 1 / max(x.shape[-1], 1), x.dtype)
        rstd = 1 / xp.sqrt(row_mean(xp, x * x, average) + self.eps)
        scaled = x * rstd
        self.keep(scaled=scaled, rstd=rstd, average=average)
        return scaled if weight is None else scaled * weight

    def backward(self, xp, grad, weight, scaled, rstd, average, needs):
        dx = dw = None
        if needs[0]:
            g = grad * (1.0 if weight is None else weight)
            dx = (g - scaled * row_mean(xp, g * scaled, average)) * rstd
        if needs[1]:
            dw = xp.sum(grad * scaled, axis=tuple(range(len(grad.shape) - 1)))
        return dx, dw


@derive("rms_norm", method=False)
def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Tensor:
    """``x / √(mean(x²) + ε) · w`` over the last axes, which have `normalized_shape`.

    Args:
        eps: the smallest step of the dtype from 1 unless given.

    Raises:
        ShapeError: if the last axes, or `weight`, have another shape.

    >>> import deepdive as dd
    >>> rms_norm(dd.tensor([[3.0, 3.0]]), 2, eps=0.0)
    tensor([[1., 1.]])
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    given = tuple(input.shape)
    if not shape or given[-len(shape) :] != shape or (weight is not None and weight.shape != shape):
        raise ShapeError(
            f"rms_norm: input is {given} and normalized_shape is {shape}",
            got=None if weight is None else f"weight {tuple(weight.shape)}",
            expected="the last extents of the input, and the weight's shape",
        )
    if eps is None:
        digits = {dtypes.float16: 10, dtypes.float64: 52}
        eps = 2.0 ** -digits.get(input.dtype, 23)
    size = (math.prod(shape),)
    flat = Reshape(given[: -len(shape)] + size)(input)
    return Reshape(given)(RmsNorm(eps)(flat, weight if weight is None else Reshape(size)(weight)))


def _check(name: str, input: Any, weight: Any, bias: Any) -> None:
    if input.ndim < 2:
        raise ShapeError(f"{name}: input is {tuple(input.shape)}", expected="(B, C, …)")
    for what, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and tuple(parameter.shape) != (input.shape[1],):
            raise ShapeError(
                f"{name}: {what} is {tuple(parameter.shape)}",
                expected=f"({input.shape[1]},), the channels of input {tuple(input.shape)}",
            )


def _scaled(x: Any, weight: Any, bias: Any) -> Tensor:
    """``x · w + b`` with one w and one b for each channel of x (B, C, …)."""
    column = (-1, *(1 for _ in x.shape[2:]))
    x = x if weight is None else x * weight.reshape(column)
    return x if bias is None else x + bias.reshape(column)  # type: ignore[no-any-return]

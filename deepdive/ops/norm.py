"""Normalisation: values brought to mean 0 and variance 1 over some axes."""

from __future__ import annotations

import math
from typing import Any

from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.operator import Operator, add_method, derive
from deepdive.core.tensor import Tensor, data_of
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.shape import Reshape


class LayerNorm(Operator):
    """``(x - mean) / √(var + ε) · w + b`` over the last axis (Ba et al. 2016).

    x (…, D), w and b (D,); the variance is the biased one.
    """

    promotes = "float"
    eps: float = 1e-5

    def forward(self, xp, x, weight=None, bias=None):
        size = x.shape[-1]
        average = xp.full((size,), 1 / max(size, 1), x.dtype)
        centred = x - row_mean(xp, x, average)
        rstd = 1 / xp.sqrt(row_mean(xp, centred * centred, average) + self.eps)
        centred *= rstd
        self.keep(scaled=centred, rstd=rstd, average=average)
        out = centred * (1.0 if weight is None else weight)
        if bias is not None:
            out += bias
        return out

    def backward(self, xp, grad, weight, scaled, rstd, average, needs):
        rows = tuple(range(len(grad.shape) - 1))
        dx = dw = db = None
        if needs[0]:
            g = grad * (1.0 if weight is None else weight)
            slope = row_mean(xp, g * scaled, average)
            dx = g - row_mean(xp, g, average)
            dx -= scaled * slope
            dx *= rstd
        if needs[1]:
            dw = xp.sum(grad * scaled, axis=rows)
        if needs[2]:
            db = xp.sum(grad, axis=rows)
        return dx, dw, db


def row_mean(xp: Any, x: Any, average: Any) -> Any:
    """The means of the rows, (…, D) → (…, 1), as a product: a third of the time of a reduction."""
    return xp.matmul(x, average)[..., None]


@derive("layer_norm", method=False)
def layer_norm(
    input: Tensor,
    normalized_shape: int | tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 over the last axes, which have `normalized_shape`; then ``· w + b``.

    Raises:
        ShapeError: if the last axes of `input`, or a parameter, have another shape.

    >>> import deepdive as dd
    >>> layer_norm(dd.tensor([[1.0, 3.0]]), 2, eps=0.0)
    tensor([[-1.,  1.]])
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or tuple(input.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"layer_norm: input is {tuple(input.shape)} and normalized_shape is {shape}",
            expected="the last extents of the input",
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and tuple(parameter.shape) != shape:
            raise ShapeError(f"layer_norm: {name} is {tuple(parameter.shape)}", expected=f"{shape}")
    if len(shape) == 1:
        return LayerNorm(eps)(input, weight, bias)
    lead, size = tuple(input.shape[: -len(shape)]), (math.prod(shape),)
    parameters = [p if p is None else Reshape(size)(p) for p in (weight, bias)]
    flat = LayerNorm(eps)(Reshape(lead + size)(input), *parameters)
    return Reshape(lead + shape)(flat)


def layernorm(self: Tensor, gamma: Any = None, beta: Any = None, eps: float = 1e-5) -> Tensor:
    """:func:`layer_norm` over the last axis, scaled by `gamma` and shifted by `beta`."""
    return LayerNorm(eps)(self, gamma, beta)


add_method("layernorm", layernorm)


class BatchNorm(Operator):
    """``(x - mean) / √(var + ε) · w + b`` for each channel of x (B, C, P) over images and pixels.

    Ioffe & Szegedy 2015.  `moments` has (mean, biased var), each (C, 1), after a forward.
    """

    eps: float = 1e-5
    moments = None

    def forward(self, xp, x, weight=None, bias=None):
        mean = channel_sum(xp, x, average=True)
        centred = x - mean
        variance = channel_sum(xp, centred * centred, average=True)
        rstd = 1 / xp.sqrt(variance + self.eps)  # (C, 1)
        centred *= rstd
        self.keep(scaled=centred, rstd=rstd)
        self.moments = mean, variance
        out = centred * (1.0 if weight is None else weight[:, None])
        if bias is not None:
            out += bias[:, None]
        return out

    def backward(self, xp, grad, weight, scaled, rstd, needs):
        count = grad.shape[0] * grad.shape[2]
        dw, db = channel_sum(xp, grad * scaled), channel_sum(xp, grad)  # (C, 1)
        dx = None
        if needs[0]:
            dx = grad - db / count
            dx -= scaled * (dw / count)
            dx *= rstd if weight is None else rstd * weight[:, None]
        return dx, dw[:, 0] if needs[1] else None, db[:, 0] if needs[2] else None


def channel_sum(xp: Any, x: Any, average: bool = False) -> Any:
    """The sum or mean of each channel, (B, C, P) → (C, 1); that over pixels as a product."""
    batch, _, size = x.shape
    share = 1 / (batch * size) if average else 1.0
    ones = xp.full((size,), share, x.dtype)
    return xp.sum(xp.matmul(x, ones), axis=0)[:, None]


@derive("batch_norm", method=False)
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 for each channel of input (B, C, …); then ``· w + b``.

    While `training` with the moments of the batch, which also move the running ones,
    ``running += momentum · (batch - running)``, the variance there being the unbiased one; else
    with the running ones.

    Raises:
        ShapeError: for a batch with one value per channel, or parameters that are not (C,).
        ArgumentError: without running moments while not training.
    """
    _check_channels(input, running_mean, running_var, weight, bias)
    if not training:
        return _with_running(input, running_mean, running_var, weight, bias, eps)
    count = math.prod(input.shape) // max(input.shape[1], 1)
    if count < 2:
        raise ShapeError(
            f"batch_norm: input {tuple(input.shape)} has {count} values per channel: no variance",
            fix="a larger batch, or eval()",
        )
    operator: Any = BatchNorm(eps)
    flat = (*input.shape[:2], math.prod(input.shape[2:]))
    out = operator(Reshape(flat)(input), weight, bias)
    (mean, variance), operator.moments = operator.moments, None
    if running_mean is not None:
        move(running_mean, mean, momentum)
    if running_var is not None:
        move(running_var, variance * (count / (count - 1)), momentum)
    return Reshape(tuple(input.shape))(out)


def _check_channels(input: Tensor, *parameters: Tensor | None) -> None:
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: input is {tuple(input.shape)}", expected="(B, C, …)")
    names = ("running_mean", "running_var", "weight", "bias")
    for name, parameter in zip(names, parameters, strict=True):
        if parameter is not None and tuple(parameter.shape) != (input.shape[1],):
            raise ShapeError(
                f"batch_norm: {name} is {tuple(parameter.shape)}",
                expected=f"({input.shape[1]},), the channels of input {tuple(input.shape)}",
            )


def _with_running(
    input: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float
) -> Tensor:
    if mean is None or variance is None:
        raise ArgumentError(
            "batch_norm: no running moments to evaluate with",
            fix="pass running_mean and running_var, or training=True",
        )
    column = (-1, *(1 for _ in input.shape[2:]))
    scale = (variance + eps).rsqrt()
    scale = scale if weight is None else scale * weight  # (C,)
    shift = -mean * scale if bias is None else bias - mean * scale
    return input * scale.reshape(column) + shift.reshape(column)  # type: ignore[no-any-return]


def move(running: Tensor, batch: Any, momentum: float) -> None:
    """``running += momentum · (batch - running)``, in place."""
    array = data_of(running)
    moved = array + momentum * (batch.reshape(array.shape) - array)
    speakers.BY_TYPE[type(array)].write(array, moved)
    mutation.stamp(array, "batch_norm's running moments")


@derive("normalize")
def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(‖x‖_p, ε)`` along `dim`.

    >>> import deepdive as dd
    >>> normalize(dd.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    if p == 2:  # the bound inside the root: its slope at 0 is infinite
        norm = (x * x).sum(dim, True).clamp(min=eps * eps).sqrt()
    elif p == 1:
        norm = x.abs().sum(dim, True).clamp(min=eps)
    else:
        norm = ((x.abs() ** p).sum(dim, True) ** (1 / p)).clamp(min=eps)
    return x / norm  # type: ignore[no-any-return]

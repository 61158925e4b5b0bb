"""Normalisation: values shifted and scaled to mean 0 and variance 1, then by learned numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.core.tensor import Tensor, data_of
from deepdive.errors import ShapeError
from deepdive.nn.arguments import shown, sizes
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation
from deepdive.ops import norm as F


class LayerNorm(Module):
    """Each sample for itself: ``y = (x - mean) / √(var + eps) · w + b`` over the last axes.

    The weights start as 1, the biases as 0 (Ba, Kiros & Hinton 2016).

    Args:
        normalized_shape: the last axes' extents, or the last one's.
        elementwise_affine: whether there are w and b, both of that shape.
        bias: whether there is b.

    >>> LayerNorm(128)
    LayerNorm((128,), eps=1e-05, elementwise_affine=True, bias=True)
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        given: Any = normalized_shape
        shape = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        sizes(self, **{f"normalized_shape[{i}]": n for i, n in enumerate(shape)})
        self.normalized_shape, self.eps = shape, eps
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(creation.ones(shape)) if elementwise_affine else None
        self.bias = Parameter(creation.zeros(shape)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Tensor:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        rest = shown(self, "eps", "elementwise_affine")
        return f"{self.normalized_shape}, {rest}, bias={self.bias is not None}"


class _BatchNorm(Module):
    """What the batch normalisations share (Ioffe & Szegedy 2015).

    While training each channel is normalised by the moments of the batch, which also move the
    running ones: ``running += momentum · (batch - running)``.  In evaluation mode the running
    ones count.

    Args:
        num_features: the channels.
        momentum: None takes the plain average of all batches so far.
        affine: whether there are a weight (1 at first) and a bias (0) for each channel.
        track_running_stats: without them the batch's moments count in evaluation mode too.
        bias: whether there is a bias.
    """

    ranks: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
    ) -> None:
        sizes(self, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(creation.ones(num_features)) if affine else None
        self.bias = Parameter(creation.zeros(num_features)) if affine and bias else None
        track = track_running_stats
        self.register_buffer("running_mean", creation.zeros(num_features) if track else None)
        self.register_buffer("running_var", creation.ones(num_features) if track else None)
        count = creation.zeros((), dtype="int64") if track else None
        self.register_buffer("num_batches_tracked", count)

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in self.ranks:
            raise ShapeError(
                f"{type(self).__name__}: the input has {x.ndim} axes",
                got=f"shape {tuple(x.shape)}",
                expected=" or ".join(f"{rank} axes" for rank in self.ranks),
            )
        momentum: Any = self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.data += 1
            if momentum is None:
                count = self.num_batches_tracked.to(self.running_mean.dtype)
                momentum = data_of(1 / count)  # stays where it is: a number would be waited for
        momentum = 0.0 if momentum is None else momentum
        mean, var = self.running_mean, self.running_var
        by_batch = self.training or mean is None
        return F.batch_norm(x, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)

    def reset_running_stats(self) -> None:
        """Forget the moments gathered so far."""
        if self.track_running_stats:
            self.running_mean.data[...] = 0
            self.running_var.data[...] = 1
            self.num_batches_tracked.data[...] = 0

    def extra_repr(self) -> str:
        bias = f"bias={self.bias is not None}"
        shared = shown(self, "eps", "momentum", "affine")
        return f"{self.num_features}, {shared}, {bias}, {shown(self, 'track_running_stats')}"


class BatchNorm1d(_BatchNorm):
    """Each channel of (B, C) or (B, C, L) over the batch."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (B, C, H, W) over the batch."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of (B, C, D, H, W) over the batch."""

    ranks = (5,)

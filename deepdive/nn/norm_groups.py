"""Normalisation that does not look across the batch: groups, single channels, root mean squares."""

from __future__ import annotations

from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn.arguments import shown, sizes
from deepdive.nn.module import Module
from deepdive.nn.norm import _BatchNorm
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation


class GroupNorm(Module):
    """Each group of channels of each sample of (B, C, …) for itself (Wu & He 2018).

    Args:
        num_groups: how many; it divides the channels.
        affine: whether there are a weight (1 at first) and a bias (0) for each channel.
        bias: whether there is a bias.

    Raises:
        ArgumentError: for channels that `num_groups` does not divide.

    >>> GroupNorm(2, 6)
    GroupNorm(2, 6, eps=1e-05, affine=True, bias=True)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        sizes(self, num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(
                "GroupNorm: num_groups divides num_channels", got=f"{num_groups=}, {num_channels=}"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.weight = Parameter(creation.ones(num_channels)) if affine else None
        self.bias = Parameter(creation.zeros(num_channels)) if affine and bias else None

    def forward(self, x: Any) -> Tensor:
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        rest = shown(self, "eps", "affine")
        return f"{self.num_groups}, {self.num_channels}, {rest}, bias={self.bias is not None}"


class _InstanceNorm(_BatchNorm):
    """Each channel of each sample for itself (Ulyanov et al. 2016); also without a batch axis.

    Args:
        affine: whether there are a weight and a bias for each channel.
        track_running_stats: whether the moments of training count in evaluation mode.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)

    def forward(self, x: Any) -> Tensor:
        single = x.ndim == self.ranks[0]
        if x.ndim not in self.ranks or x.shape[0 if single else 1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: the input is {tuple(x.shape)}",
                expected=f"{' or '.join(map(str, self.ranks))} axes, {self.num_features} channels",
            )
        mean, var = self.running_mean, self.running_var
        own = self.training or mean is None
        out: Any = F.instance_norm(
            x.unsqueeze(0) if single else x,
            *(mean, var, self.weight, self.bias),
            *(own, self.momentum or 0.0, self.eps),
        )
        return out[0] if single else out  # type: ignore[no-any-return]


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (B, C, L) or (C, L)."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each sample of (B, C, H, W) or (C, H, W)."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each sample of (B, C, D, H, W) or (C, D, H, W)."""

    ranks = (4, 5)


class RMSNorm(Module):
    """``x / √(mean(x²) + eps) · w`` over the last axes (Zhang & Sennrich 2019).

    Args:
        normalized_shape: the last axes' extents, or the last one's.
        eps: the smallest step of the dtype from 1 unless given.
        elementwise_affine: whether there is w, 1 at first.
    """

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        given = normalized_shape
        shape = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        sizes(self, **{f"normalized_shape[{i}]": n for i, n in enumerate(shape)})
        self.normalized_shape, self.eps = shape, eps
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(creation.ones(shape)) if elementwise_affine else None

    def forward(self, x: Any) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, {shown(self, 'eps', 'elementwise_affine')}"

"""Weights of unit norm times a learned length, and weights whose largest stretching is 1."""

from __future__ import annotations

import math
from typing import Any

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn import functional as F
from deepdive.nn.module import Module
from deepdive.nn.utils.parametrize import register_parametrization
from deepdive.ops import creation


def norm_except(w: Any, dim: int | None) -> Any:
    """``‖w‖`` over all axes but `dim`, which all stay; over all axes for None or -1."""
    axes = tuple(range(w.ndim))
    if dim is not None and dim != -1:
        axes = tuple(i for i in axes if i != dim % w.ndim)
        return (w * w).sum(axes, True).sqrt()
    return (w * w).sum().sqrt()


def normed(g: Any, v: Any, dim: int | None) -> Any:
    """``g v / ‖v‖``: the direction of v, the length g."""
    return v * (g / norm_except(v, dim))


class _WeightNorm(Module):
    """``w = g v / ‖v‖`` (Salimans & Kingma 2016)."""

    def __init__(self, dim: int | None = 0) -> None:
        self.dim = dim

    def forward(self, g: Any, v: Any) -> Any:
        return normed(g, v, self.dim)

    def right_inverse(self, weight: Any) -> Any:
        """g and v for a given w."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Learn the length and the direction of a weight apart: ``w = g v / ‖v‖``; gives `module`.

    g is ``parametrizations.<name>.original0``, v ``original1``.

    Args:
        dim: one length for each index along this axis; None for a single one.
    """
    return register_parametrization(module, name, _WeightNorm(dim))


def as_matrix(w: Any, dim: int) -> Any:
    """w (…) as (extent of dim, everything else)."""
    dim %= w.ndim
    if dim:
        w = w.permute(dim, *(i for i in range(w.ndim) if i != dim))
    return w.reshape(w.shape[0], math.prod(w.shape[1:]))


def power_steps(w: Any, u: Any, v: Any, steps: int, eps: float) -> None:
    """``u ← w v / ‖w v‖``, ``v ← wᵀ u / ‖wᵀ u‖``, in place: towards the largest singular pair."""
    with config.no_grad():
        still = w.detach()
        for _ in range(steps):
            u.copy_(F.normalize(still @ v, dim=0, eps=eps))
            v.copy_(F.normalize(still.T @ u, dim=0, eps=eps))


def random_unit(n: int, like: Any, eps: float) -> Tensor:
    """A random direction."""
    drawn = creation.randn(n, dtype=like.dtype, device=like.device)
    return F.normalize(drawn, dim=0, eps=eps)


class _SpectralNorm(Module):
    """``w / σ(w)`` with the largest singular value, by one step of the power method a reading."""

    def __init__(
        self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        if n_power_iterations < 1:
            raise ArgumentError(
                "spectral_norm: n_power_iterations is 1 or more", got=n_power_iterations
            )
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), dim)
            rows, columns = matrix.shape
            self.register_buffer("_u", random_unit(rows, matrix, eps))
            self.register_buffer("_v", random_unit(columns, matrix, eps))
            power_steps(matrix, self._u, self._v, 15, eps)

    def forward(self, weight: Any) -> Any:
        if weight.ndim < 2:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            power_steps(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        u, v = self._u.clone(), self._v.clone()  # the next step changes them in place
        return weight / (u @ (matrix @ v))

    def right_inverse(self, value: Any) -> Any:
        """A given weight is taken as it is."""
        return value


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divide a weight by its largest singular value (Miyato et al. 2018); gives `module`.

    While training each reading takes `n_power_iterations` steps of the power method.

    Args:
        dim: the axis of the outputs; 0, or 1 for transposed convolutions, unless given.
    """
    if dim is None:
        dim = output_axis(module)
    weight = getattr(module, name)
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps)
    )


def output_axis(module: Any) -> int:
    """Where a layer's weight has its outputs."""
    return 1 if "ConvTranspose" in type(module).__name__ else 0

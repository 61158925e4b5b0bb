"""Dropout for self-normalising networks: what is dropped becomes the SELU's lowest value."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.activation_pieces import SELU_ALPHA, SELU_SCALE
from deepdive.ops.dropout import dropout

LOWEST = -SELU_ALPHA * SELU_SCALE


@derive("alpha_dropout", method=False)
def alpha_dropout(x: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """While `training`, -1.758 with probability `p`, then ``a x + b``: mean and variance stay.

    Klambauer et al. 2017.

    Raises:
        ArgumentError: unless ``0 <= p <= 1``.
    """
    return _dropped("alpha_dropout", x, p, training, tuple(x.shape))


@derive("feature_alpha_dropout", method=False)
def feature_alpha_dropout(
    x: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """:func:`alpha_dropout` of whole channels of x (B, C, …)."""
    if x.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: x is {tuple(x.shape)}", expected="(B, C, …)")
    shape = (*x.shape[:2], *(1 for _ in x.shape[2:]))
    return _dropped("feature_alpha_dropout", x, p, training, shape)


def _dropped(name: str, x: Any, p: float, training: bool, shape: tuple[int, ...]) -> Tensor:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p is a probability", got=p, expected="0 <= p <= 1")
    if not training or p == 0:
        return x  # type: ignore[no-any-return]
    if p == 1:
        return x * 0  # type: ignore[no-any-return]
    ones: Any = creation.ones(*shape, dtype=x.dtype, device=x.device)
    drawn: Any = dropout(ones, p)
    stays = drawn * (1 - p)
    mixed = x * stays + LOWEST * (1 - stays)
    variance = (1 - p) * (1 + p * LOWEST**2)
    a = variance**-0.5
    return mixed * a - a * p * LOWEST  # type: ignore[no-any-return]

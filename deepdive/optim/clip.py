"""Gradients kept within bounds, between ``backward()`` and ``step()``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.backend.widening import widen
from deepdive.core.tensor import Tensor, data_of, wrap
from deepdive.errors import ArgumentError, NonFiniteError


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients together so that their norm is at most `max_norm`.

    ``g · min(1, max_norm / (norm + 1e-6))``, the norm being that of all gradients as one vector.

    Returns:
        The norm before clipping, a 0-d Tensor.

    Raises:
        ArgumentError: for a negative `max_norm`, or a `norm_type` that is not positive.
        NonFiniteError: for a NaN or infinite norm, if `error_if_nonfinite`; nothing is changed.

    >>> import deepdive as dd
    >>> w = dd.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w / 2).sum().backward()
    >>> clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    max_norm, norm_type = float(max_norm), float(norm_type)
    if not max_norm >= 0 or not norm_type > 0:
        raise ArgumentError(
            "clip_grad_norm_: max_norm must be >= 0 and norm_type > 0",
            got=f"max_norm={max_norm}, norm_type={norm_type}",
        )
    held = _with_gradient(parameters)
    if not held:
        return Tensor(0.0, requires_grad=False)
    xp = speakers.BY_TYPE[type(held[0]._data)]
    total = _total(xp, held, norm_type)
    if error_if_nonfinite and not bool(xp.isfinite(total)):
        raise NonFiniteError(
            "clip_grad_norm_: the norm of the gradients is not finite",
            got=float(total),
            fix="look for the operator that made it, or pass error_if_nonfinite=False",
        )
    if config.tracing.get() is not None or hasattr(xp, "later"):  # nobody waits for the number
        _scale(held, xp.minimum(max_norm / (total + 1e-6), 1.0))
        return wrap(total)
    scale = max_norm / (float(total) + 1e-6)
    if not scale >= 1:  # a NaN spreads, as in PyTorch
        _scale(held, scale)
    return wrap(total)


def grad_norm(parameters: Any, norm_type: float = 2.0) -> Tensor:
    """The norm of all gradients as one vector, a 0-d Tensor; nothing is changed.

    >>> import deepdive as dd
    >>> w = dd.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w / 2).sum().backward()
    >>> grad_norm([w])
    tensor(5.)
    """
    held = _with_gradient(parameters)
    if not held:
        return Tensor(0.0, requires_grad=False)
    return wrap(_total(speakers.BY_TYPE[type(held[0]._data)], held, float(norm_type)))


def _total(xp: Any, held: list[Tensor], norm_type: float) -> Any:
    """``(Σ |g|^p)^(1/p)`` over all elements of all gradients; the largest ``|g|`` for p = ∞."""
    join = xp.maximum if norm_type == math.inf else xp.add
    total: Any = None
    for p in held:
        part = _power(xp, widen(xp, _array(p)), norm_type)
        total = part if total is None else join(total, part)
    if norm_type == 2:
        total = xp.sqrt(total)
    elif norm_type != math.inf:
        total = total ** (1 / norm_type)
    return xp.as_zero_d(total)


def _scale(held: list[Tensor], scale: Any) -> None:
    for p in held:
        xp, grad = speakers.BY_TYPE[type(p._data)], _array(p)
        p.grad = xp.astype(widen(xp, grad) * scale, grad.dtype)


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Limit every element of every gradient to [-clip_value, clip_value].

    Raises:
        ArgumentError: for a negative `clip_value`.
    """
    bound = float(clip_value)
    if not bound >= 0:
        raise ArgumentError("clip_grad_value_: clip_value must be >= 0", got=bound)
    for p in _with_gradient(parameters):
        xp, grad = speakers.BY_TYPE[type(p._data)], _array(p)
        p.grad = xp.astype(xp.clip(widen(xp, grad), -bound, bound), grad.dtype)


def _with_gradient(parameters: Any) -> list[Tensor]:
    """The parameters that have a gradient, from one Tensor, several, or a Module.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    elif hasattr(parameters, "parameters"):
        parameters = parameters.parameters()
    if not isinstance(parameters, Iterable):
        raise ArgumentError("clipping needs Tensors or a Module", got=type(parameters).__name__)
    tensors = list(parameters)
    for p in tensors:
        if not isinstance(p, Tensor):
            raise ArgumentError("clipping needs Tensors or a Module", got=type(p).__name__)
    return [p for p in tensors if p._grad is not None and data_of(p) is not None]


def _array(p: Tensor) -> Any:
    return p._grad._data if isinstance(p._grad, Tensor) else p._grad


def _power(xp: Any, g: Any, norm_type: float) -> Any:
    """``Σ |g|^p``; the largest ``|g|`` for p = ∞."""
    if norm_type == math.inf:
        return xp.max(xp.abs(g))
    if norm_type == 2:
        flat = xp.reshape(g, (-1,))
        return xp.matmul(flat, flat)  # no temporary of the size of g
    return xp.sum(xp.abs(g) ** norm_type)

"""Adagrad, RMSprop, Adadelta, Adamax: a rate of its own for every weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive.optim.optimizer import Optimizer


class Adagrad(Optimizer):
    """Adaptive subgradients (Duchi et al. 2011): ``s = s + g²``,  ``w = w - lr_t g / (√s + eps)``.

    ``lr_t = lr / (1 + (t - 1) lr_decay)``;  ``s`` starts at `initial_accumulator_value`.
    """

    slots = ("s",)
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        first = {"initial_accumulator_value": initial_accumulator_value}
        options = {"lr": lr, "lr_decay": lr_decay, "eps": eps, **first}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def start(self, xp: Any, slot: str, w: Any, group: Mapping[str, Any]) -> Any:
        return xp.full(w.shape, group["initial_accumulator_value"], w.dtype)

    def update(self, xp, w, g, s, *, t, lr, lr_decay, eps):
        s = s + g * g
        rate = lr / (1 + (t - 1) * lr_decay)
        return w - rate * g / (xp.sqrt(s) + eps), s


class RMSprop(Optimizer):
    """Gradients over their root mean square (Hinton 2012): ``s = α s + (1 - α) g²``.

    ``w = w - lr g / (√s + eps)``.  `centered` subtracts the square of the mean gradient from
    ``s`` (Graves 2013); `momentum` adds up the steps, as in PyTorch.
    """

    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum, "centered": centered}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def slots_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        mean = ("mean",) if group["centered"] else ()
        return ("s", *mean, "velocity") if group["momentum"] else ("s", *mean)

    def update(self, xp, w, g, s, *rest, lr, alpha, eps, momentum, centered):
        s = alpha * s + (1 - alpha) * g * g
        slots, spread = [s], s
        if centered:
            mean, rest = rest[0], rest[1:]
            mean = alpha * mean + (1 - alpha) * g
            slots, spread = [s, mean], s - mean * mean
        step = g / (xp.sqrt(spread) + eps)
        if rest:
            step = momentum * rest[0] + step
            slots.append(step)
        return w - lr * step, *slots


class Adadelta(Optimizer):
    """Steps in the unit of the weights (Zeiler 2012): ``step = √(d + eps) / √(s + eps) · g``.

    ``s`` and ``d`` are running means of ``g²`` and ``step²``;  ``w = w - lr step``.
    """

    slots = ("s", "d")
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "rho": rho, "eps": eps}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def update(self, xp, w, g, s, d, *, lr, rho, eps):
        s = rho * s + (1 - rho) * g * g
        step = xp.sqrt(d + eps) / xp.sqrt(s + eps) * g
        d = rho * d + (1 - rho) * step * step
        return w - lr * step, s, d


class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the root mean square (its section 7.1).

    ``m = β₁ m + (1 - β₁) g``,  ``u = max(β₂ u, |g| + eps)``,  ``w = w - lr m / (1 - β₁ᵗ) / u``.
    """

    slots = ("m", "u")
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def update(self, xp, w, g, m, u, *, t, lr, betas, eps):
        m = betas[0] * m + (1 - betas[0]) * g
        u = xp.maximum(betas[1] * u, xp.abs(g) + eps)
        return w - lr / (1 - betas[0] ** t) * m / u, m, u

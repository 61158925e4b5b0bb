"""NAdam and RAdam: Adam that looks ahead, and Adam that waits until it knows its variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive.optim.optimizer import Optimizer


def decayed(w: Any, g: Any, lr: Any, weight_decay: Any, decoupled: bool) -> tuple[Any, Any]:
    """Weights and gradient after weight decay: on the weights themselves, or through `g`."""
    if weight_decay is None:
        return w, g
    if decoupled:
        return (1 - lr * weight_decay) * w, g
    return w, g + weight_decay * w


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016), as in PyTorch.

    ``μ_t = β₁ (1 - ½ 0.96^(t ψ))`` with ψ = `momentum_decay`;  ``w = w - lr ((1 - μ_t) g /
    (1 - Π μ) + μ_{t+1} m / (1 - Π μ μ_{t+1})) / (√v̂ + eps)``.  With `decoupled_weight_decay` the
    decay does not pass through the moments, as in AdamW.
    """

    slots = ("m", "v", "mu_product")
    optional = ("weight_decay",)

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay}
        super().__init__(
            params,
            options,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
            l1=l1,
            **hints,
        )

    def start(self, xp: Any, slot: str, w: Any, group: Mapping[str, Any]) -> Any:
        return xp.ones((), w.dtype) if slot == "mu_product" else xp.zeros_like(w)

    def update(
        self,
        xp,
        w,
        g,
        m,
        v,
        mu_product,
        *,
        t,
        lr,
        betas,
        eps,
        weight_decay,
        momentum_decay,
        decoupled_weight_decay,
    ):
        w, g = decayed(w, g, lr, weight_decay, decoupled_weight_decay)
        beta1, beta2 = betas
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        mu_product = mu_product * mu
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        scale = xp.sqrt(v / (1 - beta2**t)) + eps
        now = lr * (1 - mu) / (1 - mu_product)
        ahead = lr * mu_next / (1 - mu_product * mu_next)
        return w - (now * g + ahead * m) / scale, m, v, mu_product


class RAdam(Optimizer):
    """Rectified Adam (Liu et al. 2020): plain momentum until the variance of ``v`` is known.

    ``ρ_t = ρ_∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)`` with ``ρ_∞ = 2 / (1 - β₂) - 1``; where ρ_t > 5 the step is
    Adam's times ``√((ρ_t - 4)(ρ_t - 2) ρ_∞ / ((ρ_∞ - 4)(ρ_∞ - 2) ρ_t))``, else it is ``lr m̂``.
    """

    slots = ("m", "v")
    optional = ("weight_decay",)
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps}
        super().__init__(
            params,
            options,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
            l1=l1,
            **hints,
        )

    def update(self, xp, w, g, m, v, *, t, lr, betas, eps, weight_decay, decoupled_weight_decay):
        w, g = decayed(w, g, lr, weight_decay, decoupled_weight_decay)
        beta1, beta2 = betas
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        share = 1 - beta2**t
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * t * beta2**t / share
        known = length > 5  # a number, 0 or 1: a formula does not branch
        safe = known * length + (1 - known) * 6.0
        rect = (safe - 4) * (safe - 2) * limit / ((limit - 4) * (limit - 2) * safe)
        adaptive = (known * rect * share) ** 0.5 / (xp.sqrt(v) + eps)
        rate = lr / (1 - beta1**t)
        return w - rate * m * (adaptive + (1 - known)), m, v

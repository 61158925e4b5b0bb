"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive.optim.optimizer import Optimizer


class Adam(Optimizer):
    """Adaptive moment estimation (Kingma & Ba 2015, algorithm 1), as in PyTorch.

    ``m = β₁ m + (1 - β₁) g``,  ``v = β₂ v + (1 - β₂) g²``,
    ``w = w - lr m̂ / (√v̂ + eps)`` with ``m̂ = m / (1 - β₁ᵗ)``, ``v̂ = v / (1 - β₂ᵗ)``.
    With `amsgrad` the largest ``v`` so far takes the place of ``v`` (Reddi et al. 2018).

    >>> import deepdive as dd
    >>> w = dd.tensor([1.0, -3.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -2.5000], requires_grad=True)
    """

    slots = ("m", "v")
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "amsgrad": amsgrad}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def slots_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("m", "v", "v_max") if group["amsgrad"] else self.slots

    def update(self, xp, w, g, m, v, v_max=None, *, t, lr, betas, eps):
        beta1, beta2 = betas
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        largest = v if v_max is None else xp.maximum(v_max, v)
        # √v̂ + eps = (√v + eps √(1 - β₂ᵗ)) / √(1 - β₂ᵗ): the numbers first, one pass less
        root = (1 - beta2**t) ** 0.5
        rate = lr * root / (1 - beta1**t)
        w = w - rate * m / (xp.sqrt(largest) + eps * root)
        return (w, m, v) if v_max is None else (w, m, v, largest)


class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments (Loshchilov & Hutter 2019).

    ``w = (1 - lr weight_decay) w - lr m̂ / (√v̂ + eps)``
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, l1=l1, **hints
        )

    def update(  # type: ignore[override]  # asks for one more
        self, xp, w, g, m, v, v_max=None, *, t, lr, betas, eps, weight_decay
    ):
        w = (1 - lr * weight_decay) * w
        return super().update(xp, w, g, m, v, v_max, t=t, lr=lr, betas=betas, eps=eps)

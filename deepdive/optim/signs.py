"""Optimizers that go by signs, by averages and by whole matrices: Rprop, Lion, ASGD, Muon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive.errors import ArgumentError, ShapeError
from deepdive.optim.optimizer import Optimizer


class Rprop(Optimizer):
    """Resilient propagation (Riedmiller & Braun 1993): steps by the sign of the gradient alone.

    A weight's own step grows by ``etas[1]`` while its gradient keeps its sign, and shrinks by
    ``etas[0]`` when that changes, within `step_sizes`; then it pauses once.  For whole batches.
    """

    slots = ("previous", "size")
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        l1: float = 0.0,
        weight_decay: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "etas": etas, "step_sizes": step_sizes}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def start(self, xp: Any, slot: str, w: Any, group: Mapping[str, Any]) -> Any:
        if slot == "previous":
            return xp.zeros_like(w)
        return xp.full(w.shape, group["lr"], w.dtype)

    def check(self, group: Mapping[str, Any]) -> None:
        low, high = group["etas"]
        if not 0 < low < 1 < high:
            raise ArgumentError("Rprop: etas are a factor below 1 and one above", got=group["etas"])

    def update(self, xp, w, g, previous, size, *, etas, step_sizes):
        agree = xp.sign(g * previous)
        factor = xp.where(agree > 0, etas[1], xp.where(agree < 0, etas[0], 1.0))
        size = xp.clip(size * xp.astype(factor, w.dtype), *step_sizes)
        g = xp.where(agree < 0, 0.0, g)
        return w - xp.sign(g) * size, g, size


class Lion(Optimizer):
    """Evolved sign momentum (Chen et al. 2023): ``w = (1 - lr λ) w - lr sign(β₁ m + (1 - β₁) g)``.

    ``m = β₂ m + (1 - β₂) g`` afterwards.  Rates are three to ten times smaller than Adam's, the
    decay λ as much larger.
    """

    slots = ("m",)
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def update(self, xp, w, g, m, *, lr, betas, weight_decay):
        beta1, beta2 = betas
        step = xp.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
        return (1 - lr * weight_decay) * w - lr * step, m


class ASGD(Optimizer):
    """Averaged gradient descent (Polyak & Juditsky 1992), as in PyTorch.

    ``w = (1 - lambd η) w - η g`` with ``η = lr / (1 + lambd lr (t - 1))^alpha``; the mean of the
    weights from step `t0` on is kept in the slot ``ax``.
    """

    slots = ("ax",)
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def update(self, xp, w, g, ax, *, t, lr, lambd, alpha, t0):
        eta = lr / (1 + lambd * lr * (t - 1)) ** alpha
        w = (1 - lambd * eta) * w - eta * g
        done = t - 1 - t0
        share = 1 / (1 + (done > 1) * (done - 1))  # 1 / max(1, done), without branching
        return w, ax + share * (w - ax)


class Muon(Optimizer):
    """Momentum made orthogonal (Jordan et al. 2024), for the matrices of hidden layers.

    ``v = μ v + (1 - μ) g``, the step is ``U Vᵀ`` of the singular value decomposition of v (or, with
    `nesterov`, of ``(1 - μ) g + μ v``), approximated by `ns_steps` Newton–Schulz steps with the
    polynomial ``a x + b x³ + c x⁵``; weight decay as in AdamW.  Embeddings, biases and the last
    layer are given to AdamW.  The products are computed in the weights' own dtype (PyTorch: in
    bfloat16).

    Args:
        adjust_lr_fn: ``"original"`` (or None) multiplies the rate by ``√max(1, rows / columns)``,
            ``"match_rms_adamw"`` by ``0.2 √max(rows, columns)``.

    Raises:
        ShapeError: for a parameter that is no matrix.
    """

    slots = ("velocity",)
    fixed = ("ns_steps",)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "eps": eps}
        super().__init__(
            params,
            options,
            ns_coefficients=ns_coefficients,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
            weight_decay=weight_decay,
            maximize=maximize,
            l1=l1,
            **hints,
        )

    def check(self, group: Mapping[str, Any]) -> None:
        for p in group["params"]:
            if p.ndim != 2:
                raise ShapeError(
                    "Muon: parameters are matrices",
                    got=f"shape {tuple(p.shape)}",
                    fix="give biases, embeddings and convolutions to AdamW",
                )
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ArgumentError(
                "Muon: unknown adjust_lr_fn",
                got=repr(group["adjust_lr_fn"]),
                expected="'original' or 'match_rms_adamw'",
            )

    def update(
        self,
        xp,
        w,
        g,
        velocity,
        *,
        lr,
        momentum,
        nesterov,
        weight_decay,
        ns_coefficients,
        ns_steps,
        eps,
        adjust_lr_fn,
    ):
        velocity = momentum * velocity + (1 - momentum) * g
        step = (1 - momentum) * g + momentum * velocity if nesterov else velocity
        rows, columns = w.shape
        factor = 0.2 * max(rows, columns) ** 0.5
        if adjust_lr_fn != "match_rms_adamw":
            factor = max(1.0, rows / columns) ** 0.5
        direction = orthogonal(xp, step, ns_coefficients, ns_steps, eps)
        return (1 - lr * weight_decay) * w - lr * factor * direction, velocity


def orthogonal(xp: Any, x: Any, coefficients: Any, steps: int, eps: Any) -> Any:
    """About ``U Vᵀ`` of a matrix ``U S Vᵀ``: an odd polynomial, again and again, takes S near 1."""
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = xp.permute_dims(x, (1, 0))
    size = xp.sqrt(xp.sum(x * x))
    x = x / xp.maximum(size, eps)
    for _ in range(steps):
        gram = xp.matmul(x, xp.permute_dims(x, (1, 0)))
        x = a * x + xp.matmul(b * gram + c * xp.matmul(gram, gram), x)
    return xp.permute_dims(x, (1, 0)) if tall else x

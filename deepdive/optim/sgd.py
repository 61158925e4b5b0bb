"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive.errors import ArgumentError
from deepdive.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, optionally with momentum (Sutskever et al. 2013), as in PyTorch.

    ``v = momentum v + (1 - dampening) g``,  ``w = w - lr v``; the first ``v`` is ``g``.  With
    `nesterov` the step is along ``g + momentum v``.

    >>> import deepdive as dd
    >>> w = dd.tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.5000], requires_grad=True)
    """

    slots = ("velocity",)
    optional = ("dampening",)
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        **hints: Any,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "nesterov": nesterov}
        super().__init__(
            params, options, weight_decay=weight_decay, maximize=maximize, l1=l1, **hints
        )

    def slots_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return self.slots if group["momentum"] else ()

    def check(self, group: Mapping[str, Any]) -> None:
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ArgumentError(
                "SGD: nesterov needs momentum > 0 and dampening = 0",
                got=f"momentum={group['momentum']}, dampening={group['dampening']}",
            )

    def update(self, xp, w, g, velocity=None, *, t, lr, momentum, dampening, nesterov):
        step = g
        if velocity is not None:
            fresh = g if dampening is None else (1 - dampening * (t > 1)) * g
            velocity = momentum * velocity
            velocity += fresh
            step = g + momentum * velocity if nesterov else velocity
        out = -lr * step  # w - lr * step, with one temporary
        out += w
        return (out,) if velocity is None else (out, velocity)

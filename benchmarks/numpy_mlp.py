"""The MLP's training step as one would write it by hand in NumPy, gradients included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


class SGD:
    """w ← w − lr · g"""

    def step(self, name: str, w: np.ndarray, g: np.ndarray) -> None:
        g *= np.float32(0.01)
        w -= g


class Adam:
    """Adaptive moment estimation, all in place."""

    def __init__(self) -> None:
        self.moments: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self.times: dict[str, int] = {}

    def step(self, name: str, w: np.ndarray, g: np.ndarray) -> None:
        t = self.times[name] = self.times.get(name, 0) + 1
        if name not in self.moments:
            self.moments[name] = np.zeros_like(w), np.zeros_like(w), np.empty_like(w)
        m, v, room = self.moments[name]
        m *= np.float32(0.9)
        m += np.multiply(g, np.float32(0.1), out=room)
        v *= np.float32(0.999)
        np.multiply(g, g, out=g)
        v += np.multiply(g, np.float32(0.001), out=room)
        np.sqrt(v, out=room)
        room *= np.float32((1 - 0.999**t) ** -0.5)
        room += np.float32(1e-8)
        np.divide(m, room, out=room)
        room *= np.float32(1e-3 / (1 - 0.9**t))
        w -= room


def layer_norm(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[Any, Any, Any]:
    """The result, and what its gradient needs."""
    centred = x - x.mean(-1, keepdims=True)
    variance = np.square(centred).mean(-1, keepdims=True)
    rstd = 1 / np.sqrt(variance + np.float32(1e-5))
    normal = centred * rstd
    return normal * w + b, normal, rstd


def layer_norm_grad(grad: Any, normal: Any, rstd: Any, w: Any) -> tuple[Any, Any, Any]:
    """Gradients of the input, the weight, the bias."""
    g = grad * w
    mean = g.mean(-1, keepdims=True)
    along = (g * normal).mean(-1, keepdims=True)
    dx = (g - mean - normal * along) * rstd
    return dx, (grad * normal).sum(0), grad.sum(0)


def training(w: Arrays, batch: Any, optimizer: Any) -> Callable[[], float]:
    x, y = batch
    rows = np.arange(len(x))

    def step() -> float:
        a = x @ w["0.weight"].T + w["0.bias"]  # (B, 128)
        b, b_normal, b_rstd = layer_norm(a, w["1.weight"], w["1.bias"])
        c = np.maximum(b, 0)
        d = c @ w["3.weight"].T + w["3.bias"]  # (B, 10)
        e, e_normal, e_rstd = layer_norm(d, w["4.weight"], w["4.bias"])
        e -= e.max(-1, keepdims=True)
        p = np.exp(e)
        total = p.sum(-1, keepdims=True)
        loss = (np.log(total[:, 0]) - e[rows, y]).mean()

        p /= total
        p[rows, y] -= 1
        p *= np.float32(1 / len(x))
        g: Arrays = {}
        dd, g["4.weight"], g["4.bias"] = layer_norm_grad(p, e_normal, e_rstd, w["4.weight"])
        g["3.weight"], g["3.bias"] = dd.T @ c, dd.sum(0)
        dc = dd @ w["3.weight"]
        dc *= b > 0
        da, g["1.weight"], g["1.bias"] = layer_norm_grad(dc, b_normal, b_rstd, w["1.weight"])
        g["0.weight"], g["0.bias"] = da.T @ x, da.sum(0)
        for name, grad in g.items():
            optimizer.step(name, w[name], grad)
        return loss

    return step

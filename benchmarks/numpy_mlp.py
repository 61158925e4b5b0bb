"""The MLP's training step as one would write it by hand in NumPy, gradients included."""

from __future__ import annotations

import numpy as np

TENTH, THOUSANDTH = np.float32(0.1), np.float32(0.001)
EPS = np.float32(1e-5)


class SGD:
    """w ← w − lr · g"""

    def step(self, name, w, g):
        g *= np.float32(0.01)
        w -= g


class Adam:
    """Adaptive moment estimation, all in place."""

    def __init__(self):
        self.moments = {}
        self.times = {}

    def step(self, name, w, g):
        t = self.times.get(name, 0) + 1
        self.times[name] = t
        if name not in self.moments:
            self.moments[name] = [np.zeros_like(w) for _ in range(3)]
        m, v, room = self.moments[name]
        np.multiply(g, TENTH, out=room)
        m *= 1 - TENTH
        m += room
        np.multiply(g, g, out=g)
        g *= THOUSANDTH
        v *= 1 - THOUSANDTH
        v += g
        np.sqrt(v, out=room)
        room *= np.float32((1 - 0.999**t) ** -0.5)
        room += np.float32(1e-8)
        np.divide(m, room, out=room)
        room *= np.float32(1e-3 / (1 - 0.9**t))
        w -= room


def layer_norm(x, w, b):
    """The result, and what its gradient needs."""
    centred = x - x.mean(-1, keepdims=True)
    variance = np.square(centred).mean(-1, keepdims=True)
    rstd = 1 / np.sqrt(variance + EPS)
    normal = centred * rstd
    return normal * w + b, normal, rstd


def layer_norm_grad(grad, normal, rstd, w):
    """Gradients of the input, the weight, the bias."""
    dw = (grad * normal).sum(0)
    db = grad.sum(0)
    g = grad * w
    mean = g.mean(-1, keepdims=True)
    along = (g * normal).mean(-1, keepdims=True)
    dx = (g - mean - normal * along) * rstd
    return dx, dw, db


def training(w, batch, optimizer):
    x, y = batch
    rows = np.arange(len(x))

    def step():
        a = x @ w["0.weight"].T
        a += w["0.bias"]  # (B, 128)
        b, *kept_b = layer_norm(a, w["1.weight"], w["1.bias"])
        c = np.maximum(b, 0)
        d = c @ w["3.weight"].T
        d += w["3.bias"]  # (B, 10)
        e, *kept_e = layer_norm(d, w["4.weight"], w["4.bias"])
        e -= e.max(-1, keepdims=True)
        p = np.exp(e)
        total = p.sum(-1, keepdims=True)
        losses = np.log(total[:, 0]) - e[rows, y]

        p /= total
        p[rows, y] -= 1
        p *= np.float32(1 / len(x))
        g = {}
        grad, g["4.weight"], g["4.bias"] = layer_norm_grad(p, *kept_e, w["4.weight"])
        g["3.weight"] = grad.T @ c
        g["3.bias"] = grad.sum(0)
        grad = grad @ w["3.weight"]
        grad *= b > 0
        grad, g["1.weight"], g["1.bias"] = layer_norm_grad(grad, *kept_b, w["1.weight"])
        g["0.weight"] = grad.T @ x
        g["0.bias"] = grad.sum(0)
        for name, grad in g.items():
            optimizer.step(name, w[name], grad)
        return losses.mean()

    return step

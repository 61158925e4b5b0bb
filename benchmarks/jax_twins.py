"""The workloads in plain JAX: pure functions of the same weights, the whole step jitted.

Written the way that is fastest for JAX on a CPU, of what was tried: weights as (in, out), arrays
donated to the step, max pooling as a maximum over a reshaped array (its gradient is several times
as fast as that of ``reduce_window``).  Which of the two layouts of images is faster depends on the
model: ``LAYOUTS`` are raced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Weights = dict[str, jax.Array]
LAYOUTS = ("NHWC", "NCHW")
WIDTH, HEADS, BLOCKS = 128, 4, 4


class Words:
    """Layers as functions of weights `w`, found by a layer's name; images lie as `layout` says."""

    def __init__(self, w: Weights, layout: str) -> None:
        self.w = w
        self.layout = layout
        self.channel = layout.index("C")
        self.buffers: Weights = {}

    def linear(self, name: str, x: jax.Array) -> jax.Array:
        out = x @ self.w[f"{name}.weight"]
        bias = self.w.get(f"{name}.bias")
        return out if bias is None else out + bias

    def layer_norm(self, name: str, x: jax.Array) -> jax.Array:
        centred = x - x.mean(-1, keepdims=True)
        variance = jnp.square(centred).mean(-1, keepdims=True)
        normal = centred * lax.rsqrt(variance + 1e-5)
        return normal * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def conv(self, name: str, x: jax.Array, padding: int = 0) -> jax.Array:
        kernel = "OIHW" if self.layout == "NCHW" else "HWIO"
        pads = [(padding, padding)] * 2
        words = (self.layout, kernel, self.layout)
        weight = self.w[f"{name}.weight"]
        out = lax.conv_general_dilated(x, weight, (1, 1), pads, dimension_numbers=words)
        bias = self.w.get(f"{name}.bias")
        return out if bias is None else out + self._by_channel(bias)

    def batch_norm(self, name: str, x: jax.Array) -> jax.Array:
        """As in training: by the statistics of the batch; the running ones move a tenth."""
        others = tuple(axis for axis in range(4) if axis != self.channel)
        mean = x.mean(others)
        centred = x - self._by_channel(mean)
        variance = jnp.square(centred).mean(others)
        count = x.size // x.shape[self.channel]
        self._move(f"{name}.running_mean", mean)
        self._move(f"{name}.running_var", variance * count / (count - 1))
        scale = lax.rsqrt(variance + 1e-5) * self.w[f"{name}.weight"]
        return centred * self._by_channel(scale) + self._by_channel(self.w[f"{name}.bias"])

    def max_pool(self, x: jax.Array) -> jax.Array:
        """The largest of each 2×2 pixels."""
        sizes: list[int] = []
        for axis, size in enumerate(x.shape):
            cut = axis not in (0, self.channel)
            sizes += [size // 2, 2] if cut else [size]
        pairs = (3, 5) if self.channel == 1 else (2, 4)
        return x.reshape(sizes).max(pairs)

    def embedding(self, name: str, index: Any) -> jax.Array:
        return self.w[f"{name}.weight"][index]

    def _by_channel(self, x: jax.Array) -> jax.Array:
        return x[:, None, None] if self.channel == 1 else x

    def _move(self, name: str, new: jax.Array) -> None:
        self.buffers[name] = 0.9 * self.w[name] + 0.1 * lax.stop_gradient(new)


def mlp(n: Words, x: jax.Array) -> jax.Array:
    h = jax.nn.relu(n.layer_norm("1", n.linear("0", x)))
    return n.layer_norm("4", n.linear("3", h))


def small_cnn(n: Words, x: jax.Array) -> jax.Array:
    h = jax.nn.relu(n.conv("0", x))
    h = jax.nn.relu(n.conv("2", h))
    h = jax.nn.relu(n.linear("5", flat(h)))
    return n.linear("7", h)


def cnn(n: Words, x: jax.Array) -> jax.Array:
    h = jax.nn.relu(n.conv("0", x))
    h = n.max_pool(jax.nn.relu(n.conv("2", h)))
    h = jax.nn.relu(n.linear("6", flat(h)))
    return n.linear("8", h)


def lenet(n: Words, x: jax.Array) -> jax.Array:
    h = n.max_pool(jax.nn.relu(n.conv("0", x, padding=2)))
    h = n.max_pool(jax.nn.relu(n.conv("3", h)))
    h = jax.nn.relu(n.linear("7", flat(h)))
    h = jax.nn.relu(n.linear("9", h))
    return n.linear("11", h)


def tiny(n: Words, x: jax.Array) -> jax.Array:
    h = jnp.tanh(n.linear("0", x))
    h = jnp.tanh(n.linear("2", h))
    return n.linear("4", h)


def residual(n: Words, x: jax.Array) -> jax.Array:
    h = jax.nn.relu(n.batch_norm("bn1", n.conv("conv1", x, padding=1)))
    h = n.batch_norm("bn2", n.conv("conv2", h, padding=1))
    return jax.nn.relu(h + x)


def gpt(n: Words, index: jax.Array) -> jax.Array:
    B, T = index.shape
    x = n.embedding("token", index) + n.embedding("place", jnp.arange(T))  # (B, T, D)
    for i in range(BLOCKS):
        block = f"blocks.{i}"
        x = x + attention(n, block, n.layer_norm(f"{block}.ln1", x))
        h = n.linear(f"{block}.up", n.layer_norm(f"{block}.ln2", x))
        h = jax.nn.gelu(h, approximate=False)
        x = x + n.linear(f"{block}.down", h)
    logits = n.linear("head", n.layer_norm("norm", x))
    return logits.reshape(B * T, -1)


def attention(n: Words, block: str, x: jax.Array) -> jax.Array:
    B, T, D = x.shape
    parts = jnp.split(n.linear(f"{block}.qkv", x), 3, 2)
    q, k, v = (part.reshape(B, T, HEADS, D // HEADS) for part in parts)
    scores = jnp.einsum("bthd,bshd->bhts", q, k) * (D // HEADS) ** -0.5  # (B, H, T, T)
    mask = jnp.tril(jnp.ones((T, T), bool))
    scores = jnp.where(mask, scores, -jnp.inf)
    mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores), v)  # (B, T, H, D/H)
    return n.linear(f"{block}.proj", mixed.reshape(B, T, D))


def flat(x: jax.Array) -> jax.Array:
    return x.reshape(len(x), -1)


def cross_entropy(logits: jax.Array, y: jax.Array) -> jax.Array:
    chosen = jax.nn.one_hot(y, logits.shape[-1])  # (B, classes); no slower than to gather
    return -(jax.nn.log_softmax(logits) * chosen).sum(-1).mean()


def mse_loss(out: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.square(out - y).mean()


# The layer that follows a flattening, and what was flattened: (layer, channels).
FLATTENED = {"small_cnn": ("5.weight", 8), "cnn": ("6.weight", 64), "lenet": ("7.weight", 16)}


def carried(name: str, state: dict[str, Any], layout: str) -> Weights:
    """Our weights, laid as JAX likes them."""
    layer, channels = FLATTENED.get(name, ("", 1))
    found = {}
    for key, value in state.items():
        if layout == "NHWC" and key == layer:
            value = channels_last(value, channels)
        if layout == "NHWC" and value.ndim == 4:
            value = value.transpose(2, 3, 1, 0)  # (O, I, H, W) → (H, W, I, O)
        if value.ndim == 2 and key not in ("token.weight", "place.weight"):
            value = value.T
        found[key] = jnp.array(value)
    return found


def channels_last(weight: Any, channels: int) -> Any:
    """(O, C·H·W) → (O, H·W·C)"""
    parts = weight.reshape(len(weight), channels, -1)
    return parts.transpose(0, 2, 1).reshape(weight.shape)


def sgd(w, g, slots, t, *, lr, weight_decay, **_):  # type: ignore[no-untyped-def]
    """Without momentum; PyTorch's other options are off."""
    if weight_decay:
        g = g + weight_decay * w
    return w - lr * g, slots


def adam(w, g, slots, t, *, lr, betas, eps, weight_decay, **_):  # type: ignore[no-untyped-def]
    """Without weight decay Adam; with it AdamW, whose decay does not pass through the moments."""
    m, v = slots
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g * g
    size = jnp.sqrt(v / (1 - betas[1] ** t)) + eps
    w = w * (1 - lr * weight_decay) - lr / (1 - betas[0] ** t) * m / size
    return w, [m, v]


MODELS = {f.__name__: f for f in (mlp, small_cnn, cnn, lenet, tiny, residual, gpt)}
LOSSES = {f.__name__: f for f in (cross_entropy, mse_loss)}
OPTIMIZERS = {"SGD": (sgd, 0), "Adam": (adam, 2), "AdamW": (adam, 2)}  # with how many slots


class Training:
    """One jitted step; each call moves the weights and gives the loss, or the promise of it.

    Args:
        model, loss, optimizer: of the tables above.
        options: what the optimizer is told: PyTorch's words for it.
        state: parameters and buffers, laid as `layout` wants.
        batch: images still (B, C, H, W).
    """

    def __init__(
        self,
        model: Callable[..., Any],
        loss: Callable[..., Any],
        optimizer: tuple[Callable[..., Any], int],
        options: dict[str, Any],
        state: Weights,
        batch: Any,
        layout: str,
    ) -> None:
        self.model, self.loss, self.layout = model, loss, layout
        self.options = options
        self.update, count = optimizer
        arrays = {name: value for name, value in state.items() if value.ndim}
        buffers = {name: arrays.pop(name) for name in list(arrays) if "running_" in name}
        slots = {name: [jnp.zeros_like(w) for _ in range(count)] for name, w in arrays.items()}
        self.state = arrays, slots, buffers, jnp.zeros(())
        self.batch = [images(part, layout) for part in batch]
        self.jitted = jax.jit(self.step, donate_argnums=0)

    def __call__(self) -> jax.Array:
        self.state, loss = self.jitted(self.state, *self.batch)
        return loss

    def step(self, state: Any, x: Any, y: Any) -> Any:
        w, slots, buffers, t = state
        graded = jax.value_and_grad(self.forward, has_aux=True)
        (loss, buffers), grads = graded(w, buffers, x, y)
        new_w, new_slots = {}, {}
        for name, grad in grads.items():
            pair = self.update(w[name], grad, slots[name], t + 1, **self.options)
            new_w[name], new_slots[name] = pair
        return (new_w, new_slots, buffers, t + 1), loss

    def forward(self, w: Weights, buffers: Weights, x: Any, y: Any) -> Any:
        words = Words({**w, **buffers}, self.layout)
        return self.loss(self.model(words, x), y), words.buffers


def images(x: Any, layout: str) -> jax.Array:
    if x.ndim == 4 and layout == "NHWC":
        x = x.transpose(0, 2, 3, 1)
    return jnp.array(x)

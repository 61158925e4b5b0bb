"""The workloads in plain JAX: pure functions of the same weights, the whole step jitted.

Written the way that is fastest for JAX on a CPU, of what was tried: weights as (in, out), arrays
donated to the step, max pooling as a maximum over a reshaped array, whose gradient is faster than
that of ``reduce_window``.  Which of the two layouts of images is faster depends on the model and
the machine: the benchmark tries both.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import gelu, log_softmax, one_hot, relu, softmax

LAYOUTS = ("NHWC", "NCHW")
KERNELS = {"NHWC": "HWIO", "NCHW": "OIHW"}
WIDTH, HEADS, BLOCKS = 128, 4, 4
SCALE = (WIDTH // HEADS) ** -0.5


class Words:
    """Layers as functions of weights `w`, found by a layer's name; images lie as `layout` says."""

    def __init__(self, w, layout):
        self.w = w
        self.layout = layout
        self.channel = layout.index("C")
        self.buffers = {}

    def weight(self, name):
        return self.w[f"{name}.weight"]

    def bias(self, name):
        return self.w.get(f"{name}.bias", 0.0)

    def linear(self, name, x):
        return x @ self.weight(name) + self.bias(name)

    def layer_norm(self, name, x):
        mean = x.mean(-1, keepdims=True)
        centred = x - mean
        variance = jnp.square(centred).mean(-1, keepdims=True)
        normal = centred * lax.rsqrt(variance + 1e-5)
        return normal * self.weight(name) + self.bias(name)

    def conv(self, name, x, padding=0):
        out = lax.conv_general_dilated(
            x,
            self.weight(name),
            window_strides=(1, 1),
            padding=[(padding, padding)] * 2,
            dimension_numbers=(self.layout, KERNELS[self.layout], self.layout),
        )
        return out + self.by_channel(self.bias(name))

    def batch_norm(self, name, x):
        """As in training: by the statistics of the batch; the running ones move a tenth."""
        others = tuple({0, 1, 2, 3} - {self.channel})
        mean = x.mean(others)
        centred = x - self.by_channel(mean)
        variance = jnp.square(centred).mean(others)
        count = x.size // mean.size
        self.move(f"{name}.running_mean", mean)
        self.move(f"{name}.running_var", variance * count / (count - 1))
        scale = lax.rsqrt(variance + 1e-5) * self.weight(name)
        normal = centred * self.by_channel(scale)
        return normal + self.by_channel(self.bias(name))

    def max_pool(self, x):
        """The largest of each 2×2 pixels."""
        sizes = []
        for axis, size in enumerate(x.shape):
            cut = axis not in (0, self.channel)
            sizes += [size // 2, 2] if cut else [size]
        pairs = (3, 5) if self.channel == 1 else (2, 4)
        return x.reshape(sizes).max(pairs)

    def embedding(self, name, index):
        return self.weight(name)[index]

    def by_channel(self, x):
        """Numbers for each channel, shaped to meet images; a missing bias stays a number."""
        if self.channel == 3 or jnp.ndim(x) == 0:
            return x
        return x[:, None, None]

    def move(self, name, new):
        old = self.w[name]
        self.buffers[name] = 0.9 * old + 0.1 * lax.stop_gradient(new)


def mlp(n, x):
    h = n.linear("0", x)
    h = n.layer_norm("1", h)
    h = n.linear("3", relu(h))
    return n.layer_norm("4", h)


def small_cnn(n, x):
    h = n.conv("0", x)
    h = n.conv("2", relu(h))
    h = flat(relu(h))
    h = n.linear("5", h)
    return n.linear("7", relu(h))


def cnn(n, x):
    h = n.conv("0", x)
    h = n.conv("2", relu(h))
    h = n.max_pool(relu(h))
    h = n.linear("6", flat(h))
    return n.linear("8", relu(h))


def lenet(n, x):
    h = n.conv("0", x, padding=2)
    h = n.max_pool(relu(h))
    h = n.conv("3", h)
    h = n.max_pool(relu(h))
    h = n.linear("7", flat(h))
    h = n.linear("9", relu(h))
    return n.linear("11", relu(h))


def tiny(n, x):
    h = n.linear("0", x)
    h = n.linear("2", jnp.tanh(h))
    return n.linear("4", jnp.tanh(h))


def residual(n, x):
    h = n.conv("conv1", x, padding=1)
    h = relu(n.batch_norm("bn1", h))
    h = n.conv("conv2", h, padding=1)
    h = n.batch_norm("bn2", h)
    return relu(h + x)


def gpt(n, index):
    B, T = index.shape
    places = jnp.arange(T)
    x = n.embedding("token", index) + n.embedding("place", places)  # (B, T, D)
    for i in range(BLOCKS):
        block = f"blocks.{i}"
        h = n.layer_norm(f"{block}.ln1", x)
        x = x + attention(n, block, h)
        h = n.layer_norm(f"{block}.ln2", x)
        h = n.linear(f"{block}.up", h)
        h = gelu(h, approximate=False)
        x = x + n.linear(f"{block}.down", h)
    x = n.layer_norm("norm", x)
    logits = n.linear("head", x)
    return logits.reshape(B * T, -1)


def attention(n, block, x):
    B, T, D = x.shape
    parts = jnp.split(n.linear(f"{block}.qkv", x), 3, 2)
    q, k, v = (part.reshape(B, T, HEADS, D // HEADS) for part in parts)
    scores = jnp.einsum("bthd,bshd->bhts", q, k) * SCALE  # (B, H, T, T)
    mask = jnp.tril(jnp.ones((T, T), bool))
    scores = jnp.where(mask, scores, -jnp.inf)
    mixed = jnp.einsum("bhts,bshd->bthd", softmax(scores), v)  # (B, T, H, D/H)
    joined = mixed.reshape(B, T, D)
    return n.linear(f"{block}.proj", joined)


def flat(x):
    return x.reshape(len(x), -1)


def cross_entropy(logits, y):
    classes = logits.shape[-1]
    chosen = one_hot(y, classes)  # (B, classes); no slower than to gather
    picked = (log_softmax(logits) * chosen).sum(-1)
    return -picked.mean()


def mse_loss(out, y):
    return jnp.square(out - y).mean()


# The layer that follows a flattening, and what was flattened: (layer, channels).
FLATTENED = {"small_cnn": ("5.weight", 8), "cnn": ("6.weight", 64), "lenet": ("7.weight", 16)}


def carried(name, state, layout):
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


def channels_last(weight, channels):
    """(O, C·H·W) → (O, H·W·C)"""
    parts = weight.reshape(len(weight), channels, -1)
    return parts.transpose(0, 2, 1).reshape(weight.shape)


def sgd(w, g, slots, t, *, lr, weight_decay, **_):
    """Without momentum; PyTorch's other options are off."""
    if weight_decay:
        g = g + weight_decay * w
    return w - lr * g, slots


def adam(w, g, slots, t, *, lr, betas, eps, weight_decay, **_):
    """Without weight decay Adam; with it AdamW, whose decay does not pass through the moments."""
    m, v = slots
    one, two = betas
    m = one * m + (1 - one) * g
    v = two * v + (1 - two) * g * g
    mean = m / (1 - one**t)
    square = v / (1 - two**t)
    decayed = w * (1 - lr * weight_decay)
    return decayed - lr * mean / (jnp.sqrt(square) + eps), [m, v]


MODELS = {
    "mlp": mlp,
    "small_cnn": small_cnn,
    "cnn": cnn,
    "lenet": lenet,
    "tiny": tiny,
    "residual": residual,
    "gpt": gpt,
}
LOSSES = {"cross_entropy": cross_entropy, "mse_loss": mse_loss}
OPTIMIZERS = {"SGD": (sgd, 0), "Adam": (adam, 2), "AdamW": (adam, 2)}  # with how many slots


class Training:
    """One jitted step; each call moves the weights and gives the loss, or the promise of it.

    Args:
        lost: the loss as a function of (words, x, y).
        optimizer: of the table above.
        options: what the optimizer is told: PyTorch's words for it.
        state: parameters and buffers, laid as `layout` wants.
        batch: images still (B, C, H, W).
    """

    def __init__(self, lost, optimizer, options, state, batch, layout):
        self.lost = lost
        self.layout = layout
        self.options = options
        self.update, count = OPTIMIZERS[optimizer]
        buffers = {name: value for name, value in state.items() if "running_" in name}
        w = {name: value for name, value in state.items() if value.ndim and name not in buffers}
        slots = {}
        for name, value in w.items():
            slots[name] = [jnp.zeros_like(value) for _ in range(count)]
        self.state = w, slots, buffers, jnp.zeros(())
        self.batch = [images(part, layout) for part in batch]
        self.jitted = jax.jit(self.step, donate_argnums=0)

    def __call__(self):
        self.state, loss = self.jitted(self.state, *self.batch)
        return loss

    def step(self, state, x, y):
        w, slots, buffers, t = state
        graded = jax.value_and_grad(self.forward, has_aux=True)
        (loss, buffers), grads = graded(w, buffers, x, y)
        t = t + 1
        for name, grad in grads.items():
            new = self.update(w[name], grad, slots[name], t, **self.options)
            w[name], slots[name] = new
        return (w, slots, buffers, t), loss

    def forward(self, w, buffers, x, y):
        words = Words({**w, **buffers}, self.layout)
        loss = self.lost(words, x, y)
        return loss, words.buffers


def training(model, loss, optimizer, options, state, batch, layout):
    """The step of a workload, all by their names; `state` is ours."""
    forward, criterion = MODELS[model], LOSSES[loss]

    def lost(words, x, y):
        return criterion(forward(words, x), y)

    weights = carried(model, state, layout)
    return Training(lost, optimizer, options, weights, batch, layout)


def images(x, layout):
    if x.ndim == 4 and layout == "NHWC":
        x = x.transpose(0, 2, 3, 1)
    return jnp.array(x)

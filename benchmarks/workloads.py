"""The workloads every contestant runs: one training step each, from equal weights and batches.

Each function gives ``(ours, theirs, batch)``: a DeepDive model, the PyTorch model with the same
weights, and what one step is fed with.  ``LOSSES`` and ``OPTIMIZERS`` say the rest.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn as tnn
from torch.nn import functional as tf

import deepdive as dd
from deepdive import nn, optim
from deepdive.nn import functional as df


def carried(ours, theirs):
    """Give the PyTorch model the weights of ours."""
    state = {name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    return ours, theirs


def images(batch, *shape, classes=10, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((batch, *shape)).astype("f"), rng.integers(0, classes, batch)


def mlp(batch=64):
    layers = lambda n: (  # noqa: E731
        n.Linear(784, 128), n.LayerNorm(128), n.ReLU(), n.Linear(128, 10), n.LayerNorm(10)
    )  # fmt: skip
    return *carried(nn.Sequential(*layers(nn)), tnn.Sequential(*layers(tnn))), images(batch, 784)


def small_cnn(batch=32):
    layers = lambda n: (  # noqa: E731
        n.Conv2d(1, 4, 3), n.ReLU(), n.Conv2d(4, 8, 3), n.ReLU(), n.Flatten(),
        n.Linear(4608, 1024), n.ReLU(), n.Linear(1024, 10),
    )  # fmt: skip
    pair = carried(nn.Sequential(*layers(nn)), tnn.Sequential(*layers(tnn)))
    return *pair, images(batch, 1, 28, 28)


def cnn(batch=64):
    layers = lambda n: (  # noqa: E731
        n.Conv2d(1, 32, 3), n.ReLU(), n.Conv2d(32, 64, 3), n.ReLU(), n.MaxPool2d(2), n.Flatten(),
        n.Linear(9216, 128), n.ReLU(), n.Linear(128, 10),
    )  # fmt: skip
    pair = carried(nn.Sequential(*layers(nn)), tnn.Sequential(*layers(tnn)))
    return *pair, images(batch, 1, 28, 28)


def lenet(batch=64):
    layers = lambda n: (  # noqa: E731
        n.Conv2d(1, 6, 5, padding=2), n.ReLU(), n.MaxPool2d(2), n.Conv2d(6, 16, 5), n.ReLU(),
        n.MaxPool2d(2), n.Flatten(), n.Linear(400, 120), n.ReLU(), n.Linear(120, 84), n.ReLU(),
        n.Linear(84, 10),
    )  # fmt: skip
    pair = carried(nn.Sequential(*layers(nn)), tnn.Sequential(*layers(tnn)))
    return *pair, images(batch, 1, 28, 28)


def tiny(batch=32):
    layers = lambda n: (  # noqa: E731
        n.Linear(2, 16), n.Tanh(), n.Linear(16, 16), n.Tanh(), n.Linear(16, 1)
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 2)).astype("f")
    y = (x[:, :1] * x[:, 1:]).astype("f")
    return *carried(nn.Sequential(*layers(nn)), tnn.Sequential(*layers(tnn))), (x, y)


def residual(batch=16):
    def make(n, base):
        class Block(base):
            def __init__(self):
                super().__init__()
                self.conv1 = n.Conv2d(64, 64, 3, padding=1, bias=False)
                self.bn1 = n.BatchNorm2d(64)
                self.conv2 = n.Conv2d(64, 64, 3, padding=1, bias=False)
                self.bn2 = n.BatchNorm2d(64)

            def forward(self, x):
                h = self.bn1(self.conv1(x)).relu()
                return (self.bn2(self.conv2(h)) + x).relu()

        return Block()

    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 64, 56, 56)).astype("f")
    y = rng.standard_normal((batch, 64, 56, 56)).astype("f")
    return *carried(make(nn, nn.Module), make(tnn, tnn.Module)), (x, y)


def gpt(batch=12, context=64, layers=4, heads=4, width=128, vocabulary=65):
    def make(n, base, f, arange, tril):
        class Block(base):
            def __init__(self):
                super().__init__()
                self.ln1, self.ln2 = n.LayerNorm(width), n.LayerNorm(width)
                self.qkv = n.Linear(width, 3 * width)
                self.proj = n.Linear(width, width)
                self.up, self.down = n.Linear(width, 4 * width), n.Linear(4 * width, width)

            def forward(self, x):
                B, T, D = x.shape
                q, k, v = self.qkv(self.ln1(x)).split(width, 2)
                q, k, v = (
                    t.reshape(B, T, heads, D // heads).permute(0, 2, 1, 3) for t in (q, k, v)
                )
                scores = q @ k.transpose(-2, -1) * (D // heads) ** -0.5  # (B, H, T, T)
                scores = scores.masked_fill(tril == 0, float("-inf"))
                mixed = f.softmax(scores, -1) @ v  # (B, H, T, D/H)
                x = x + self.proj(mixed.permute(0, 2, 1, 3).reshape(B, T, D))
                return x + self.down(f.gelu(self.up(self.ln2(x))))

        class GPT(base):
            def __init__(self):
                super().__init__()
                self.token = n.Embedding(vocabulary, width)
                self.place = n.Embedding(context, width)
                self.blocks = n.ModuleList([Block() for _ in range(layers)])
                self.norm = n.LayerNorm(width)
                self.head = n.Linear(width, vocabulary, bias=False)

            def forward(self, index):
                x = self.token(index) + self.place(arange)
                for block in self.blocks:
                    x = block(x)
                return self.head(self.norm(x)).reshape(-1, vocabulary)

        return GPT()

    mask = np.tril(np.ones((context, context), "f"))
    ours = make(nn, nn.Module, df, dd.arange(context), dd.tensor(mask))
    theirs = make(tnn, tnn.Module, tf, torch.arange(context), torch.tensor(mask))
    rng = np.random.default_rng(0)
    x = rng.integers(0, vocabulary, (batch, context))
    y = rng.integers(0, vocabulary, batch * context)
    return *carried(ours, theirs), (x, y)


SGD = (lambda p: optim.SGD(p, lr=0.01), lambda p: torch.optim.SGD(p, lr=0.01))
DECAY = (
    lambda p: optim.SGD(p, lr=0.01, weight_decay=1e-4),
    lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=1e-4),
)
ADAM = (lambda p: optim.Adam(p, lr=1e-3), lambda p: torch.optim.Adam(p, lr=1e-3))
FUSED_ADAM = lambda p: torch.optim.Adam(p, lr=1e-3, fused=True)  # noqa: E731
ADAMW = (
    lambda p: optim.AdamW(p, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1),
    lambda p: torch.optim.AdamW(p, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1),
)
FUSED_ADAMW = lambda p: torch.optim.AdamW(  # noqa: E731
    p, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1, fused=True
)
FUSED_SGD = lambda p: torch.optim.SGD(p, lr=0.01, fused=True)  # noqa: E731
FUSED_DECAY = lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=1e-4, fused=True)  # noqa: E731
CLASSES = (df.cross_entropy, tf.cross_entropy)
SQUARES = (df.mse_loss, tf.mse_loss)

# name: (models, losses, optimizers, PyTorch's fused optimizer, goal ÷ PyTorch, goal ÷ JAX)
WORKLOADS = {
    "MLP, SGD": (mlp, CLASSES, SGD, FUSED_SGD, 0.35, 0.55),
    "MLP, Adam": (mlp, CLASSES, ADAM, FUSED_ADAM, 0.35, 0.55),
    "Conv 4, Conv 8, 4608-1024-10": (small_cnn, CLASSES, DECAY, FUSED_DECAY, 0.4, 0.65),
    "Conv 32, Conv 64, 9216-128-10": (cnn, CLASSES, SGD, FUSED_SGD, 0.65, 0.2),
    "LeNet-5, Adam": (lenet, CLASSES, ADAM, FUSED_ADAM, 0.5, 0.3),
    "GPT 4 x 128, AdamW": (gpt, CLASSES, ADAMW, FUSED_ADAMW, 0.5, 0.4),
    "residual block": (residual, SQUARES, SGD, FUSED_SGD, 0.8, 0.4),
    "2-16-16-1 tanh": (tiny, SQUARES, SGD, FUSED_SGD, 0.06, 0.5),
}

"""The workloads every contestant runs: one training step each, from equal weights and batches.

Each function gives ``(ours, theirs, batch)``: a DeepDive model, the PyTorch model with the same
weights, and what one step is fed with.  ``WORKLOADS`` says the rest.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn as tnn
from torch.nn import functional as tf
from workload_gpt import make_gpt

import deepdive as dd
from deepdive import nn, optim
from deepdive.nn import functional as df


def carried(ours, theirs):
    """Give the PyTorch model the weights of ours."""
    state = {name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    return ours, theirs


def sequences(layers):
    """The same layers in both libraries: ``layers(n)`` makes them in the words of `n`."""
    return carried(nn.Sequential(*layers(nn)), tnn.Sequential(*layers(tnn)))


def images(batch, *shape, classes=10, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.random((batch, *shape))
    labels = rng.integers(0, classes, batch)
    return pixels.astype("f"), labels


def mlp(batch=64):
    def layers(n):
        yield n.Linear(784, 128)
        yield n.LayerNorm(128)
        yield n.ReLU()
        yield n.Linear(128, 10)
        yield n.LayerNorm(10)

    return *sequences(layers), images(batch, 784)


def small_cnn(batch=32):
    def layers(n):
        yield n.Conv2d(1, 4, 3)
        yield n.ReLU()
        yield n.Conv2d(4, 8, 3)
        yield n.ReLU()
        yield n.Flatten()
        yield n.Linear(4608, 1024)
        yield n.ReLU()
        yield n.Linear(1024, 10)

    return *sequences(layers), images(batch, 1, 28, 28)


def cnn(batch=64):
    def layers(n):
        yield n.Conv2d(1, 32, 3)
        yield n.ReLU()
        yield n.Conv2d(32, 64, 3)
        yield n.ReLU()
        yield n.MaxPool2d(2)
        yield n.Flatten()
        yield n.Linear(9216, 128)
        yield n.ReLU()
        yield n.Linear(128, 10)

    return *sequences(layers), images(batch, 1, 28, 28)


def lenet(batch=64):
    def layers(n):
        yield n.Conv2d(1, 6, 5, padding=2)
        yield n.ReLU()
        yield n.MaxPool2d(2)
        yield n.Conv2d(6, 16, 5)
        yield n.ReLU()
        yield n.MaxPool2d(2)
        yield n.Flatten()
        yield n.Linear(400, 120)
        yield n.ReLU()
        yield n.Linear(120, 84)
        yield n.ReLU()
        yield n.Linear(84, 10)

    return *sequences(layers), images(batch, 1, 28, 28)


def tiny(batch=32):
    def layers(n):
        yield n.Linear(2, 16)
        yield n.Tanh()
        yield n.Linear(16, 16)
        yield n.Tanh()
        yield n.Linear(16, 1)

    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 2)).astype("f")
    y = (x[:, :1] * x[:, 1:]).astype("f")
    return *sequences(layers), (x, y)


def make_block(n):
    """A residual block in the words of `n`."""

    class Block(n.Module):
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


def residual(batch=16):
    rng = np.random.default_rng(0)
    shape = (batch, 64, 56, 56)
    x = rng.standard_normal(shape).astype("f")
    y = rng.standard_normal(shape).astype("f")
    return *carried(make_block(nn), make_block(tnn)), (x, y)


def gpt(batch=12, context=64, vocabulary=65):
    sizes = {"context": context, "vocabulary": vocabulary}
    mask = np.tril(np.ones((context, context), "f"))
    ours = make_gpt(nn, dd.arange(context), dd.tensor(mask), **sizes)
    theirs = make_gpt(tnn, torch.arange(context), torch.tensor(mask), **sizes)
    rng = np.random.default_rng(0)
    x = rng.integers(0, vocabulary, (batch, context))
    y = rng.integers(0, vocabulary, batch * context)
    return *carried(ours, theirs), (x, y)


def optimizers(name, **options):
    """Ours, PyTorch's, and PyTorch's fused one: functions of the parameters."""
    ours, theirs = getattr(optim, name), getattr(torch.optim, name)
    return (
        lambda p: ours(p, **options),
        lambda p: theirs(p, **options),
        lambda p: theirs(p, **options, fused=True),
    )


*SGD, FUSED_SGD = optimizers("SGD", lr=0.01)
*DECAY, FUSED_DECAY = optimizers("SGD", lr=0.01, weight_decay=1e-4)
*ADAM, FUSED_ADAM = optimizers("Adam", lr=1e-3)
*ADAMW, FUSED_ADAMW = optimizers("AdamW", lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
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

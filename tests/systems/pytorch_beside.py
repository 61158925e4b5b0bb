"""What the tests of the systems share: our tensors beside PyTorch's."""

import numpy as np
import pytest

from deepdive import nn
from deepdive.tensor import Tensor

torch = pytest.importorskip("torch")


def twins(*arrays):
    """Our tensors and PyTorch's of the same values, tracked."""
    return [Tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]


def on_both(function, *arrays, rtol=1e-5, atol=1e-6):
    """`function` on our tensors and on PyTorch's: equal values, and equal gradients."""
    ours, theirs = twins(*arrays)
    compare(function(*ours), function(*theirs), ours, theirs, rtol, atol)


def compare(out, expected, ours, theirs, rtol=1e-5, atol=1e-6):
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=rtol, atol=atol)
    seed = random(*expected.shape)
    out.backward(seed)
    expected.backward(torch.tensor(seed))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad, rtol=rtol, atol=atol)


def random(*shape, positive=False):
    """Gaussian float32 numbers, the same in every run: each test starts with one seed."""
    values = np.asarray(np.random.standard_normal(shape), np.float32)
    return np.abs(values) + 0.5 if positive else values


def small_model():
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3), nn.LogSoftmax()
    )

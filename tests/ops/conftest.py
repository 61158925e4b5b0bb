"""``agrees``: an operator's values and gradients, of first and second order, against PyTorch's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import deepdive as dd

torch = pytest.importorskip("torch", reason="PyTorch is what the operators are compared with")


def _close(ours: Any, theirs: Any, what: str) -> None:
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9, err_msg=what)


def _compare(ours: Any, theirs: Any, *inputs: Any, second: bool = True) -> None:
    """Both functions on float64 arrays, or on random ones of the shapes given."""
    draw = np.random.RandomState(0)
    arrays = [draw.randn(*x) if isinstance(x, tuple) else np.asarray(x) for x in inputs]
    mine = [dd.tensor(a, requires_grad=True) for a in arrays]
    torchs = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = ours(*mine), theirs(*torchs)
    assert tuple(out.shape) == tuple(expected.shape)
    _close(out, expected, "values")
    weights = draw.randn(*expected.shape)
    loss, expected_loss = (out * weights).sum(), (expected * torch.tensor(weights)).sum()
    grads = dd.grad(loss, mine, create_graph=second)
    expected_grads = torch.autograd.grad(expected_loss, torchs, create_graph=second)
    for i, (g, e) in enumerate(zip(grads, expected_grads, strict=True)):
        _close(g, e, f"gradient {i}")
    if not second:
        return
    # the squared gradients, times the output: linear functions have second derivatives, too
    total = (out * out).sum()
    expected_total = (expected * expected).sum()
    for g, e in zip(grads, expected_grads, strict=True):
        total = total + (g * g).sum() * total
        expected_total = expected_total + (e * e).sum() * expected_total
    total.backward()
    expected_total.backward()
    for i, (m, t) in enumerate(zip(mine, torchs, strict=True)):
        np.testing.assert_allclose(
            m.grad.numpy(), t.grad.numpy(), rtol=1e-6, atol=1e-8, err_msg=f"second order {i}"
        )


@pytest.fixture
def agrees() -> Callable[..., None]:
    """``agrees(ours, theirs, *inputs)``; an input is a float64 array, or a shape to draw one of."""
    return _compare

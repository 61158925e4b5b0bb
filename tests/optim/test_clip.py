"""Clipping against PyTorch."""

import numpy as np
import pytest
import torch

from deepdive import errors, tensor
from deepdive.optim import clip_grad_norm_, clip_grad_value_


def twins(scale=1.0):
    rng = np.random.default_rng(0)
    theirs, ours = [], []
    for shape in [(4, 3), (5,), (), (2, 2, 2)]:
        a, g = rng.standard_normal(shape), scale * rng.standard_normal(shape)
        t, p = torch.tensor(a, requires_grad=True), tensor(a, requires_grad=True)
        t.grad, p.grad = torch.tensor(g), np.asarray(g)
        theirs.append(t)
        ours.append(p)
    return [*theirs, torch.ones(2, requires_grad=True)], [*ours, tensor([1.0]).requires_grad_()]


@pytest.mark.parametrize("norm_type", [2, 2.0, 1, 3.5, float("inf")])
@pytest.mark.parametrize("scale", [0.01, 10.0, float("nan"), float("inf")])
def test_norm_as_in_pytorch(norm_type, scale):
    theirs, ours = twins(scale)
    with np.errstate(invalid="ignore"):
        got = clip_grad_norm_(ours, 1.5, norm_type)
    want = torch.nn.utils.clip_grad_norm_(theirs, 1.5, norm_type)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)
    assert got.shape == ()
    for t, p in zip(theirs[:-1], ours[:-1], strict=True):
        np.testing.assert_allclose(p.grad.numpy(), t.grad.numpy(), rtol=1e-12)
    assert ours[-1].grad is None


def test_a_gradient_shared_by_two_tensors_is_scaled_once_for_each():
    grad = np.array([3.0, 4.0])
    ours = [tensor([0.0, 0.0], requires_grad=True, dtype="float64") for _ in range(2)]
    for p in ours:
        p.grad = grad
    clip_grad_norm_(ours, 1.0)
    np.testing.assert_allclose(ours[0].grad.numpy(), grad / np.sqrt(50), rtol=1e-6)
    np.testing.assert_allclose(ours[1].grad.numpy(), grad / np.sqrt(50), rtol=1e-6)
    assert grad.tolist() == [3.0, 4.0]


def test_values_as_in_pytorch():
    theirs, ours = twins()
    clip_grad_value_(ours, 0.4)
    torch.nn.utils.clip_grad_value_(theirs, 0.4)
    for t, p in zip(theirs[:-1], ours[:-1], strict=True):
        assert np.array_equal(p.grad.numpy(), t.grad.numpy())


def test_one_tensor_a_module_and_none():
    class Module:
        def __init__(self, ps):
            self.ps = ps

        def parameters(self):
            return iter(self.ps)

    _, ours = twins()
    lone = clip_grad_norm_(ours[0], 1e9)
    np.testing.assert_allclose(lone.numpy(), np.linalg.norm(ours[0].grad.numpy()))
    assert float(clip_grad_norm_(Module(ours), 1e9)) > float(lone)
    assert float(clip_grad_norm_([], 1.0)) == 0.0


def test_words_of_errors():
    _, ours = twins(float("nan"))
    before = ours[0].grad
    with pytest.raises(errors.NonFiniteError, match="norm of the gradients is not finite"):
        clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    assert ours[0].grad is before
    with pytest.raises(errors.ArgumentError, match="max_norm must be >= 0"):
        clip_grad_norm_(ours, -1.0)
    with pytest.raises(errors.ArgumentError, match="norm_type > 0"):
        clip_grad_norm_(ours, 1.0, 0)
    with pytest.raises(errors.ArgumentError, match="clip_value must be >= 0"):
        clip_grad_value_(ours, -1.0)
    with pytest.raises(errors.ArgumentError, match="needs Tensors or a Module"):
        clip_grad_value_([1.0], 1.0)
    with pytest.raises(errors.ArgumentError, match="needs Tensors or a Module"):
        clip_grad_value_(3, 1.0)

"""The adaptive softmax is PyTorch's: text, state, results, gradients."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError
from deepdive.nn.architecture import from_arc, to_arc


def test_adaptive_softmax():
    text = "AdaptiveLogSoftmaxWithLoss(16, 12, [3, 7], div_value=2.0, head_bias=True)"
    ours, theirs = eval(text, vars(nn).copy()), eval(text, vars(torch.nn).copy())
    assert repr(ours) == repr(theirs) == repr(from_arc(to_arc(ours)))
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(7, 16)).astype("float32")
    for y in (np.array([0, 11, 4, 2, 7, 6, 3]), np.array([2, 2, 1, 0, 0, 1, 2])):
        ours.zero_grad(), theirs.zero_grad()
        got, want = ours(x, y), theirs(torch.tensor(x), torch.tensor(y))
        np.testing.assert_allclose(got.output.numpy(), want.output.detach().numpy(), rtol=1e-4)
        got.loss.backward()
        want.loss.backward()
        for name, p in theirs.named_parameters():
            mine = ours.params[name].grad
            if p.grad is None:
                assert mine is None or not mine.numpy().any()
            else:
                np.testing.assert_allclose(mine.numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-6)
    logs = theirs.log_prob(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours.log_prob(dd.tensor(x)).numpy(), logs, rtol=1e-4)
    assert ours.predict(dd.tensor(x)).tolist() == logs.argmax(1).tolist()
    one = ours(x[0], np.array(4))
    assert one.output.shape == () and one.loss.item() == -one.output.item()
    for wrong in ([], [3, 3], [0, 4], [4, 12]):
        with pytest.raises(ArgumentError, match="cutoffs are ascending"):
            nn.AdaptiveLogSoftmaxWithLoss(16, 12, wrong)

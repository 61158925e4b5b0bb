"""Connectionist temporal classification: values by counting, gradients like PyTorch's."""

import itertools

import numpy as np
import torch

import deepdive as dd
from deepdive.nn import functional as F


def spelled(path, blank):
    """What a path through time says: repetitions merged, then blanks removed."""
    merged = [label for label, _ in itertools.groupby(path)]
    return [label for label in merged if label != blank]


def test_it_sums_over_all_ways_to_spell():
    T, C = 5, 3
    chances = np.random.default_rng(0).dirichlet(np.ones(C), T)  # (T, C)
    for target in ([1], [1, 2], [1, 1], [2, 1, 2], []):
        total = 0.0
        for path in itertools.product(range(C), repeat=T):
            if spelled(path, 0) == target:
                total += np.prod([chances[t, label] for t, label in enumerate(path)])
        row = np.array(target or [0])
        loss = F.ctc_loss(dd.tensor(np.log(chances)), row, [T], [len(target)], reduction="sum")
        np.testing.assert_allclose(loss.item(), -np.log(total), rtol=1e-10)


def test_gradients_through_log_softmax_are_pytorchs():
    logits = np.random.default_rng(1).normal(size=(12, 3, 5))
    targets = np.array([[1, 1, 3, 4], [2, 3, 0, 0], [4, 0, 0, 0]])
    times, sizes = [12, 9, 5], [4, 2, 1]
    for reduction in ("mean", "sum"):
        ours, theirs = dd.tensor(logits, requires_grad=True), torch.tensor(logits)
        theirs.requires_grad_()
        got = F.ctc_loss(ours.log_softmax(-1), targets, times, sizes, reduction=reduction)
        want = torch.nn.functional.ctc_loss(
            theirs.log_softmax(-1), torch.tensor(targets), times, sizes, reduction=reduction
        )
        got.backward()
        want.backward()
        np.testing.assert_allclose(got.item(), want.item(), rtol=1e-10)
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-8, atol=1e-12)


def test_it_compiles():
    logits = np.random.default_rng(2).normal(size=(7, 2, 4)).astype("float32")
    targets, sizes = np.array([[1, 2], [3, 3]]), np.array([2, 2])

    def loss(x):
        return F.ctc_loss(x.log_softmax(-1), targets, [7, 6], sizes)

    x = dd.tensor(logits)
    np.testing.assert_allclose(dd.compile(loss)(x).item(), loss(x).item(), rtol=1e-5)

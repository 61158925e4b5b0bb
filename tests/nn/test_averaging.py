"""Averaged models against PyTorch's."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn, optim
from deepdive.errors import ArgumentError
from deepdive.optim import swa_utils as ours

theirs = torch.optim.swa_utils


def models(library):
    layers = (library.nn.Linear(3, 4), library.nn.BatchNorm1d(4), library.nn.Linear(4, 2))
    return library.nn.Sequential(*layers)


def pair():
    torch.manual_seed(0)
    other = models(torch)
    mine = models(dd)
    mine.load_state_dict({k: v.numpy() for k, v in other.state_dict().items()})
    return mine, other


def walk(mine, other, averages, steps=5):
    rng = np.random.default_rng(0)
    for _ in range(steps):
        for p, q in zip(mine.parameters(), other.parameters(), strict=True):
            move = rng.standard_normal(tuple(p.shape)).astype("float32")
            p.data[...] += move
            q.data += torch.tensor(move)
        x = rng.standard_normal((8, 3)).astype("float32")
        mine(dd.tensor(x))
        other(torch.tensor(x))
        averages[0].update_parameters(mine)
        averages[1].update_parameters(other)


def close(mine, other):
    want = other.state_dict()
    found = mine.state_dict()
    assert list(found) == list(want) or set(found) == set(want)
    for name, value in found.items():
        np.testing.assert_allclose(value.numpy(), want[name].numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        lambda m: {},
        lambda m: {"avg_fn": m.get_ema_avg_fn(0.9)},
        lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(0.9)},
        lambda m: {"avg_fn": lambda old, new, n: old + 0.25 * (new - old)},
    ],
)
def test_averages_as_in_pytorch(options):
    mine, other = pair()
    averages = (
        ours.AveragedModel(mine, **options(ours)),
        theirs.AveragedModel(other, **options(theirs)),
    )
    walk(mine, other, averages)
    close(*averages)
    assert averages[0].n_averaged.item() == 5
    x = np.ones((4, 3), "float32")
    for each in averages:
        each.eval()
    found, want = averages[0](dd.tensor(x)).numpy(), averages[1](torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-5)


def test_moments_of_batch_norm_anew_as_in_pytorch():
    mine, other = pair()
    data = np.random.default_rng(1).standard_normal((5, 8, 3)).astype("float32")
    ours.update_bn([(dd.tensor(x), None) for x in data], mine)
    theirs.update_bn([torch.tensor(x) for x in data], other)
    close(mine, other)
    assert mine.training and mine[1].momentum == 0.1


@pytest.mark.parametrize("options", [{}, {"anneal_epochs": 4, "anneal_strategy": "linear"}])
def test_swalr_as_in_pytorch(options):
    p, q = dd.tensor([1.0], requires_grad=True), torch.ones(1, requires_grad=True)
    mine, other = optim.SGD([p], lr=0.5), torch.optim.SGD([q], lr=0.5)
    got, want = ours.SWALR(mine, 0.05, **options), theirs.SWALR(other, 0.05, **options)
    for _ in range(15):
        assert got.get_last_lr() == pytest.approx(want.get_last_lr())
        other.step()
        got.step()
        want.step()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match="not both"):
        ours.AveragedModel(nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max)
    with pytest.raises(ArgumentError, match="other parameters"):
        ours.AveragedModel(nn.Linear(1, 1)).update_parameters(nn.Linear(2, 1))
    with pytest.raises(ArgumentError, match="decay is in"):
        ours.get_ema_avg_fn(1.5)

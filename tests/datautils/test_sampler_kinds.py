"""Samplers that choose: counted over many draws."""

import numpy as np
import pytest

from deepdive.core.random import Generator
from deepdive.datautils import (
    DataLoader,
    DistributedSampler,
    StratifiedSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from deepdive.errors import ArgumentError


def test_a_subset():
    sampler = SubsetRandomSampler([3, 5, 8], Generator(0))
    first, second = list(sampler), [list(sampler) for _ in range(5)]
    assert sorted(first) == [3, 5, 8]
    assert any(order != first for order in second)
    sampler.set_epoch(1)
    assert list(sampler) == first


def test_weights_with_replacement():
    weights = [1.0, 0.0, 3.0]
    drawn = list(WeightedRandomSampler(weights, 8000, generator=Generator(0)))
    assert np.bincount(drawn) / 8000 == pytest.approx([0.25, 0, 0.75], abs=0.02)


def test_weights_without_replacement():
    sampler = WeightedRandomSampler([1.0, 2.0, 0.0, 1.0], 2, False, Generator(0))
    pairs = [tuple(sampler) for _ in range(6000)]
    assert all(a != b for a, b in pairs)
    first = np.bincount([a for a, _ in pairs], minlength=4) / 6000
    assert first == pytest.approx([0.25, 0.5, 0, 0.25], abs=0.03)
    second = np.mean([b == 1 for a, b in pairs if a == 0])
    assert second == pytest.approx(2 / 3, abs=0.04)


def test_each_batch_holds_the_classes_in_proportion():
    labels = np.array([0] * 60 + [1] * 30 + [2] * 10)[np.random.default_rng(0).permutation(100)]
    sampler = StratifiedSampler(labels, Generator(0))
    loader = DataLoader(labels, 20, sampler=sampler)
    for _ in range(3):
        batches = list(loader)
        assert sorted(np.concatenate(batches).tolist()) == sorted(labels.tolist())
        for batch in batches:
            assert np.abs(np.bincount(batch, minlength=3) - [12, 6, 2]).max() <= 1
    assert list(sampler) != list(sampler)


@pytest.mark.parametrize("n", [0, 1, 5, 12])
@pytest.mark.parametrize("shuffle", [False, True])
def test_processes_share_an_epoch(n, shuffle):
    shares = [list(DistributedSampler(range(n), 3, rank, shuffle)) for rank in range(3)]
    assert {len(share) for share in shares} == {-(-n // 3)}
    assert set().union(*shares) == set(range(n))
    short = [list(DistributedSampler(range(n), 3, r, shuffle, drop_last=True)) for r in range(3)]
    assert {len(share) for share in short} == {n // 3}
    assert len(set().union(*short)) == n // 3 * 3


def test_every_epoch_of_the_shares_is_another():
    sampler = DistributedSampler(range(30), 2, 0)
    assert list(sampler) != list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) == list(DistributedSampler(range(30), 2, 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: WeightedRandomSampler([1, -1], 1),
        lambda: WeightedRandomSampler([0, 0], 1),
        lambda: WeightedRandomSampler([1, 0, 1], 3, replacement=False),
        lambda: WeightedRandomSampler([1.0, np.nan], 1),
        lambda: DistributedSampler(range(4), 2, 2),
        lambda: StratifiedSampler(np.zeros((2, 2))),
    ],
)
def test_what_makes_no_sense_is_refused(make):
    with pytest.raises(ArgumentError):
        make()

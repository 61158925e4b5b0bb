"""Metrics against their definitions, written out sample by sample."""

import math

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, CheckpointError, ShapeError
from deepdive.train import Accuracy, ConfusionMatrix, Mean, Perplexity, TopK

RNG = np.random.default_rng(1)
SCORES = RNG.normal(size=(23, 5)).astype(np.float32)
TARGET = RNG.integers(0, 5, 23)


def ranks():
    """For each sample the place of its class among the sorted scores, from 0."""
    order = np.argsort(-SCORES, axis=1)
    return np.array([list(row).index(t) for row, t in zip(order, TARGET, strict=True)])


@pytest.mark.parametrize("split", [[23], [10, 13], [1] * 23])
@pytest.mark.parametrize("kind", [np.asarray, dd.tensor])
def test_shares_do_not_depend_on_how_batches_are_cut(split, kind):
    metrics = {1: Accuracy(), 2: TopK(2), 5: TopK(5)}
    start = 0
    for size in split:
        part = slice(start, start + size)
        for metric in metrics.values():
            metric.update(kind(SCORES[part]), kind(TARGET[part]))
        start += size
    for k, metric in metrics.items():
        assert metric.compute() == np.mean(ranks() < k)


def test_classes_on_the_second_or_the_last_axis():
    images = RNG.normal(size=(3, 4, 2, 6))  # (B, C, H, W)
    target = RNG.integers(0, 4, (3, 2, 6))
    expected = np.mean(images.argmax(1) == target)
    for scores in (images, images.transpose(0, 2, 3, 1)):
        metric = Accuracy()
        metric.update(scores, target)
        assert metric.compute() == expected


def test_ignored_targets_do_not_count():
    target = TARGET.copy()
    target[:20] = -100
    metric, perplexity = Accuracy(ignore_index=-100), Perplexity()
    metric.update(SCORES, target)
    perplexity.update(SCORES, target)
    assert metric.compute() == np.mean(ranks()[20:] == 0)
    alone = Perplexity()
    alone.update(SCORES[20:], TARGET[20:])
    assert perplexity.compute() == pytest.approx(alone.compute(), rel=1e-12)


def test_perplexity_is_the_exponential_of_cross_entropy():
    metric = Perplexity()
    metric.update(SCORES[:7], TARGET[:7])
    metric.update(SCORES[7:], TARGET[7:])
    loss = nn.functional.cross_entropy(dd.tensor(SCORES, dtype="float64"), TARGET)
    assert metric.compute() == pytest.approx(math.exp(loss.item()), rel=1e-10)
    metric.update(np.array([[0.0, 1e6]]), np.array([0]))
    assert metric.compute() == math.inf


def test_confusion_matrix_counts_every_pair():
    matrix = ConfusionMatrix(5)
    matrix.update(SCORES, TARGET)
    expected = np.zeros((5, 5), int)
    for row, t in zip(SCORES, TARGET, strict=True):
        expected[t, max(range(5), key=lambda i: row[i])] += 1
    assert np.array_equal(matrix.compute(), expected)
    assert matrix.recall == pytest.approx(np.diag(expected) / expected.sum(1))
    assert matrix.precision == pytest.approx(np.diag(expected) / expected.sum(0))


def test_a_mean_keeps_no_graph():
    w = dd.ones(3, requires_grad=True)
    mean = Mean()
    for i in range(4):
        loss = (w * i).sum()
        mean.update(loss, n=i)
        assert not isinstance(mean.total, dd.Tensor) or mean.total.grad_fn is None
    assert mean.compute() == pytest.approx(sum(3 * i * i for i in range(4)) / 6)


@pytest.mark.parametrize(
    "metric", [Mean(), Accuracy(), TopK(2), Perplexity(), ConfusionMatrix(5)], ids=repr
)
def test_states_go_on_where_they_were_taken(metric):
    import json

    def update(one):
        one.update(2.5) if isinstance(one, Mean) else one.update(SCORES, TARGET)

    metric.reset()
    update(metric)
    state = json.loads(json.dumps(metric.state_dict()))
    update(metric)
    expected = metric.state_dict()
    metric.reset()
    assert metric.state_dict() != expected
    metric.load_state_dict(state)
    update(metric)
    assert metric.state_dict() == expected
    for wrong in ({}, None, {"total": "x", "count": 1}, {"counts": [[1]]}, {"counts": "x"}, []):
        with pytest.raises(CheckpointError):
            metric.load_state_dict(wrong)


def test_what_makes_no_sense_is_refused():
    for bad in (0, -1, 1.5, True):
        with pytest.raises(ArgumentError):
            TopK(bad)
    with pytest.raises(ArgumentError):
        ConfusionMatrix(1)
    with pytest.raises(ShapeError, match="scores and targets"):
        Accuracy().update(np.zeros((4, 3)), np.zeros(5, int))
    with pytest.raises(ArgumentError, match="no class"):
        Accuracy().update(np.zeros((1, 3)), np.array([3]))
    with pytest.raises(ArgumentError, match="more classes"):
        ConfusionMatrix(2).update(np.zeros((1, 3)), np.array([0]))
    assert math.isnan(Accuracy().compute()) and math.isnan(Mean().compute())

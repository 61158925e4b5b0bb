"""The table of samples: losses with margins, densities, and alignments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]
REDUCTIONS = ("mean", "sum", "none")


def signs(draw: Draw, *shape: int) -> np.ndarray:
    return np.where(draw.flags(*shape), 1.0, -1.0)


@samples_for("mse_loss", "l1_loss", "huber_loss")
def _weighted(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        call = (draw(3, 4), draw(3, 4))
        yield Sample(call, {"reduction": reduction})
        weighted = {"reduction": reduction, "weight": draw.positive(3, 4)}
        yield Sample(call, weighted, fixed=("weight",))
    yield Sample((draw(), draw()))


@samples_for("margin_ranking_loss")
def _ranking(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        call = (draw(5), draw(5), signs(draw, 5))
        yield Sample(call, {"margin": 0.3, "reduction": reduction}, fixed=(2,))


@samples_for("hinge_embedding_loss")
def _hinge(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        yield Sample((draw(3, 4), signs(draw, 3, 4)), {"reduction": reduction}, fixed=(1,))
    yield Sample((draw(5), signs(draw, 5), 0.5), fixed=(1,))


@samples_for("soft_margin_loss")
def _soft(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        yield Sample((draw(3, 4) * 5, signs(draw, 3, 4)), {"reduction": reduction}, fixed=(1,))


@samples_for("cosine_embedding_loss")
def _cosine(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        call = (draw(5, 3), draw(5, 3), signs(draw, 5))
        yield Sample(call, {"margin": 0.1, "reduction": reduction}, fixed=(2,))
    yield Sample((draw(3), draw(3), np.array(1.0)), fixed=(2,))


@samples_for("multi_margin_loss")
def _multi_margin(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        for p in (1, 2):
            call = (draw(4, 5), draw.indices(5, (4,)))
            yield Sample(call, {"p": p, "reduction": reduction})
    weighted = {"weight": draw.positive(5), "margin": 0.4}
    yield Sample((draw(4, 5), draw.indices(5, (4,))), weighted, fixed=("weight",))
    yield Sample((draw(5), np.array(2)))


@samples_for("multilabel_margin_loss")
def _multilabel_margin(draw: Draw) -> Samples:
    listed = np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [0, 1, 2, 3]])
    for reduction in REDUCTIONS:
        yield Sample((draw(3, 4), listed), {"reduction": reduction})
    yield Sample((draw(4), np.array([2, -1, 0, 0])))


@samples_for("multilabel_soft_margin_loss")
def _multilabel_soft(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        call = (draw(3, 4), draw.flags(3, 4) * 1.0)
        yield Sample(call, {"reduction": reduction}, fixed=(1,))
    weighted = {"weight": draw.positive(4)}
    yield Sample((draw(3, 4), draw.flags(3, 4) * 1.0), weighted, fixed=(1, "weight"))


@samples_for("triplet_margin_loss")
def _triplet(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        yield Sample((draw(5, 3), draw(5, 3), draw(5, 3)), {"reduction": reduction})
    call = (draw(5, 3), draw(5, 3), draw(5, 3))
    yield Sample(call, {"margin": 0.4, "p": 3.0, "swap": True})
    yield Sample(call, {"p": 1.0, "swap": True})


@samples_for("triplet_margin_with_distance_loss")
def _triplet_distance(draw: Draw) -> Samples:
    def squared(x, y):
        return ((x - y) ** 2).sum(-1)

    call = (draw(5, 3), draw(5, 3), draw(5, 3))
    yield Sample(call)
    yield Sample(call, {"distance_function": squared, "swap": True, "margin": 2.0})


@samples_for("poisson_nll_loss")
def _poisson(draw: Draw) -> Samples:
    counts = np.array([[0.0, 1.0, 3.0], [2.0, 5.0, 1.0]])
    for reduction in REDUCTIONS:
        yield Sample((draw(2, 3), counts), {"reduction": reduction}, fixed=(1,))
    yield Sample((draw.positive(2, 3), counts, False), fixed=(1,))
    yield Sample((draw(2, 3), counts), {"full": True}, fixed=(1,))


@samples_for("gaussian_nll_loss")
def _gaussian(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        call = (draw(3, 4), draw(3, 4), draw.positive(3, 4))
        yield Sample(call, {"reduction": reduction})
    yield Sample((draw(3, 4), draw(3, 4), draw.positive(3)), {"full": True})
    yield Sample((draw(3, 4), draw(3, 4), draw.positive(3, 1)))
    yield Sample((draw(3, 4), draw(3, 4), 0.7))


@samples_for("ctc_loss")
def _ctc(draw: Draw) -> Samples:
    """PyTorch's gradient supposes a log_softmax before it: compared in tests/ops/test_ctc.py."""
    logits = draw(6, 2, 4)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    targets, times, sizes = np.array([[1, 1, 3], [2, 3, 0]]), np.array([6, 4]), np.array([3, 2])
    for reduction in REDUCTIONS:
        options = {"reduction": reduction}
        yield Sample((logs, targets, times, sizes), options, torch=False)
        yield Sample((logs, targets, times, sizes), options, fixed=(0,))
    row = np.array([1, 1, 3, 2, 3])
    yield Sample((logs, row, times, sizes), fixed=(0,))
    yield Sample((logs[:, 0], row[:3], np.array(6), np.array(3)), fixed=(0,))
    short = np.array([3, 4])  # 1 1 3 takes four steps at least
    yield Sample((logs, targets, short, sizes), {"reduction": "none"}, fixed=(0,))
    yield Sample((logs, targets, short, sizes), {"zero_infinity": True}, fixed=(0,))
    yield Sample((logs, targets, times, np.array([0, 2]), 0, "none"), fixed=(0,))
    last = (logs, np.array([[1, 1, 2], [2, 0, 0]]), times, sizes, 3)
    yield Sample(last, fixed=(0,))

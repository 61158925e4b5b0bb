"""The table of samples: activations, attention, norms and distances of nn.functional."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


# --- activations -------------------------------------------------------------------------------
@samples_for("threshold")
def _threshold(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0.1, 20.0))
    yield Sample((draw(3, 4), -0.5, -1.0))


@samples_for("hardshrink", "softshrink")
def _shrink(draw: Draw) -> Samples:
    yield Sample((draw(3, 4) * 3,))
    yield Sample((draw(3, 4), 0.7))
    yield Sample((draw(0, 3),))


@samples_for("hardsigmoid", "hardswish")
def _hard(draw: Draw) -> Samples:
    yield Sample((draw(3, 4) * 4,))
    yield Sample((draw(),))


@samples_for("prelu")
def _prelu(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(4)))
    yield Sample((draw(2, 3, 2, 2), draw(3)))
    yield Sample((draw(2, 3), draw(1)))
    yield Sample((draw(5), draw(1)))


@samples_for("rrelu")
def _rrelu(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4), 0.1, 0.1, True))
    yield Sample((draw(3, 4), 0.1, 0.4, True), torch=False)


@samples_for("celu")
def _celu(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4), 0.5))


@samples_for("glu")
def _glu(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(4, 3, 2), 0))


@samples_for("gumbel_softmax")
def _gumbel(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),), torch=False)
    yield Sample((draw(3, 4), 0.5), {"dim": 0}, torch=False)
    yield Sample((draw(3, 4), 1e12))  # so hot that the noise does not count


@samples_for("alpha_dropout")
def _alpha_dropout(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0.3))
    yield Sample((draw(3, 4), 0.3, True), torch=False)
    yield Sample((draw(3, 4), 1.0, True))


@samples_for("feature_alpha_dropout")
def _feature_alpha_dropout(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), 0.3))
    yield Sample((draw(2, 3, 4), 0.3, True), torch=False)


# --- attention ---------------------------------------------------------------------------------
@samples_for("scaled_dot_product_attention")
def _attention(draw: Draw) -> Samples:
    q, k, v = draw(2, 3, 4, 6), draw(2, 3, 5, 6), draw(2, 3, 5, 2)
    yield Sample((q, k, v))
    yield Sample((q, k, v), {"is_causal": True})
    yield Sample((q, k, v), {"scale": 0.3})
    yield Sample((q, k, v, draw(2, 1, 4, 5)))
    blind = draw.flags(4, 5)
    blind[0], blind[1] = False, True  # the first query sees nobody
    yield Sample((q, k, v, blind))
    hidden = np.where(blind, 0.5, -np.inf)
    yield Sample((q, k, v, hidden), fixed=(3,))
    yield Sample((q, k, v), {"dropout_p": 0.4}, torch=False)
    yield Sample((draw(4, 6), draw(5, 6), draw(5, 6)))
    grouped = (draw(2, 4, 3, 2), draw(2, 2, 5, 2), draw(2, 2, 5, 3))
    yield Sample(grouped, {"enable_gqa": True})


# --- norms and distances -----------------------------------------------------------------------
@samples_for("group_norm")
def _group_norm(draw: Draw) -> Samples:
    yield Sample((draw(2, 6, 3), 3, draw(6), draw(6)))
    yield Sample((draw(2, 4, 3, 2), 1), {"weight": draw(4), "eps": 0.1})
    yield Sample((draw(3, 4), 2))
    yield Sample((draw(0, 4, 2), 2))


@samples_for("instance_norm")
def _instance_norm(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 5),))
    yield Sample((draw(2, 3, 3, 2), None, None, draw(3), draw(3)))
    moments = (draw(3), draw.positive(3))
    yield Sample((draw(2, 3, 4), *moments), {"use_input_stats": False}, fixed=(1, 2))


@samples_for("rms_norm")
def _rms_norm(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), (4,), draw(4)))
    yield Sample((draw(2, 3, 4), (3, 4), draw(3, 4), 0.1))
    yield Sample((draw(3, 4), (4,)))
    yield Sample((draw(0, 4), (4,)))


@samples_for("cosine_similarity")
def _cosine(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(3, 4)))
    yield Sample((draw(3, 1, 4), draw(5, 4)), {"dim": -1})
    yield Sample((draw(2, 3, 4), draw(2, 3, 4)), {"dim": 0})


@samples_for("pairwise_distance")
def _pairwise(draw: Draw) -> Samples:
    for p in (2.0, 1.0, 3.0, float("inf")):
        yield Sample((draw(3, 4), draw(3, 4)), {"p": p})
    yield Sample((draw(3, 4), draw(4)), {"keepdim": True})
    yield Sample((draw(4), draw(4)))


@samples_for("pdist")
def _pdist(draw: Draw) -> Samples:
    yield Sample((draw(4, 3),))
    yield Sample((draw(3, 2), 1.0))
    yield Sample((draw(1, 2),))


@samples_for("bilinear")
def _bilinear(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(3, 2), draw(5, 4, 2), draw(5)))
    yield Sample((draw(2, 3, 4), draw(2, 3, 2), draw(5, 4, 2)))


@samples_for("embedding_bag")
def _embedding_bag(draw: Draw) -> Samples:
    weight = draw(6, 3)
    bags = np.array([[0, 3, 3], [5, 1, 2]])
    row, starts = np.array([0, 3, 3, 5, 1, 2, 4]), np.array([0, 3, 3, 5])
    for mode in ("sum", "mean", "max"):
        yield Sample((bags, weight), {"mode": mode})
        yield Sample((row, weight, starts), {"mode": mode})
        yield Sample((row, weight, starts), {"mode": mode, "padding_idx": 3})
        yield Sample((bags, weight), {"mode": mode, "padding_idx": 1})
    weighted = {"mode": "sum", "per_sample_weights": draw(2, 3)}
    yield Sample((bags, weight), weighted)
    weighted = {"mode": "sum", "per_sample_weights": draw(7)}
    yield Sample((row, weight, starts), weighted)
    last = np.array([0, 3, 5, 7])
    yield Sample((row, weight, last), {"include_last_offset": True})

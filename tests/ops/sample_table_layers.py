"""The table of samples, second part: layers and losses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


# --- layers ------------------------------------------------------------------------------------
@samples_for("softmax", "log_softmax", "softmin")
def _softmax(draw: Draw) -> Samples:
    for dim in (0, 1, -1):
        yield Sample((draw(2, 3, 4), dim))
    yield Sample((draw(3, 4) * 100, 1))
    yield Sample((draw(4), 0))
    yield Sample((draw(0, 3), 1))
    yield Sample((draw(3, 1), 1))
    yield Sample((draw(2, 3),), torch=False)


@samples_for("relu6")
def _relu6(draw: Draw) -> Samples:
    yield Sample((draw(3, 4) * 6,))


@samples_for("gelu")
def _gelu(draw: Draw) -> Samples:
    for approximate in ("none", "tanh"):
        yield Sample((draw(3, 4),), {"approximate": approximate})
    yield Sample((draw(),))


@samples_for("softplus")
def _softplus(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4) * 30,), {"beta": 2.0, "threshold": 5.0})
    yield Sample((draw(0),))


@samples_for("hardtanh")
def _hardtanh(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4), -0.3, 0.6))


@samples_for("conv1d")
def _conv1d(draw: Draw) -> Samples:
    yield Sample((draw(2, 4, 9), draw(6, 4, 3), draw(6)))
    yield Sample((draw(2, 4, 9), draw(6, 2, 3)), {"stride": 2, "padding": 1, "groups": 2})


@samples_for("conv2d")
def _conv2d(draw: Draw) -> Samples:
    x, w, b = draw(2, 4, 6, 5), draw(6, 4, 3, 2), draw(6)
    yield Sample((x, w, b))
    yield Sample((x, w), {"stride": 2, "padding": 1})
    yield Sample((x, w, b), {"stride": (1, 3), "padding": (2, 0), "dilation": (2, 1)})
    yield Sample((x, draw(6, 2, 3, 2), b), {"groups": 2})
    yield Sample((x, draw(4, 1, 2, 2)), {"groups": 4, "padding": 1})
    yield Sample((x, draw(3, 4, 3, 3)), {"padding": "same"})
    yield Sample((x, draw(3, 4, 3, 3)), {"padding": "valid"})
    yield Sample((x, draw(3, 4, 1, 1), draw(3)))
    yield Sample((draw(4, 6, 5), w, b))
    yield Sample((draw(1, 1, 6, 5), draw(1, 1, 6, 5)))
    yield Sample((draw(0, 4, 6, 5), w, b))


@samples_for("conv3d")
def _conv3d(draw: Draw) -> Samples:
    yield Sample((draw(1, 2, 4, 3, 4), draw(3, 2, 2, 2, 2), draw(3)), {"stride": 2, "padding": 1})


@samples_for("max_pool1d", "avg_pool1d")
def _pool1d(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 8), 2))
    yield Sample((draw(2, 3, 8), 3), {"stride": 2, "padding": 1})
    yield Sample((draw(2, 3, 8), 3), {"stride": 2, "ceil_mode": True})


@samples_for("max_pool2d")
def _max_pool2d(draw: Draw) -> Samples:
    x = draw(2, 3, 7, 6)
    yield Sample((x, 2))
    yield Sample((x, (3, 2)), {"stride": (2, 1), "padding": 1})
    yield Sample((x, 2), {"dilation": 2, "stride": 1})
    yield Sample((x, 3), {"stride": 2, "ceil_mode": True})
    yield Sample((draw(3, 4, 4), 2))


@samples_for("avg_pool2d")
def _avg_pool2d(draw: Draw) -> Samples:
    x = draw(2, 3, 7, 6)
    yield Sample((x, 2))
    yield Sample((x, (3, 2)), {"stride": (2, 1), "padding": 1})
    yield Sample((x, 3), {"stride": 2, "padding": 1, "count_include_pad": False})
    yield Sample((x, 3), {"stride": 2, "ceil_mode": True})
    yield Sample((x, 2), {"divisor_override": 3})


@samples_for("adaptive_avg_pool1d")
def _adaptive1d(draw: Draw) -> Samples:
    for size in (1, 3, 8):
        yield Sample((draw(2, 3, 8), size))


@samples_for("adaptive_avg_pool2d")
def _adaptive2d(draw: Draw) -> Samples:
    for size in (1, 3, (2, 5), (7, 6), (None, 2)):
        yield Sample((draw(2, 3, 7, 6), size))


@samples_for("dropout")
def _dropout(draw: Draw) -> Samples:
    for p in (0.0, 0.3, 1.0):
        yield Sample((draw(4, 3), p, True), torch=p != 0.3)
    yield Sample((draw(4, 3), 0.5, False))


@samples_for("dropout1d")
def _dropout1d(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 2), 0.3, True), torch=False)
    yield Sample((draw(2, 3, 2), 0.3, False))


@samples_for("dropout2d")
def _dropout2d(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 2, 2), 0.3, True), torch=False)
    yield Sample((draw(2, 3, 2, 2), 0.3, False))


@samples_for("dropout3d")
def _dropout3d(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 2, 2, 2), 0.3, True), torch=False)
    yield Sample((draw(2, 3, 2, 2, 2), 0.3, False))


@samples_for("embedding")
def _embedding(draw: Draw) -> Samples:
    yield Sample((draw.indices(5, (2, 3)), draw(5, 4)))
    yield Sample((np.array([0, 3, 3]), draw(5, 4)), {"padding_idx": 2})
    yield Sample((draw.indices(5, ()), draw(5, 4)))
    yield Sample((draw.indices(5, (0,)), draw(5, 4)))


@samples_for("one_hot")
def _one_hot(draw: Draw) -> Samples:
    yield Sample((np.array([[0, 2], [1, 1]]), 4))
    yield Sample((np.array([0, 2]),))


@samples_for("layer_norm")
def _layer_norm(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), (4,), draw(4), draw(4)))
    yield Sample((draw(2, 3, 4), (3, 4), draw(3, 4), draw(3, 4)))
    yield Sample((draw(2, 3, 4), (4,)))
    yield Sample((draw(2, 3, 4), (4,)), {"weight": draw(4), "eps": 0.1})
    yield Sample((draw(0, 4), (4,), draw(4), draw(4)))
    yield Sample((draw(2, 4), 4), torch=False)


@samples_for("layernorm")
def _layernorm(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4), draw(4), draw(4)))


@samples_for("batch_norm")
def _batch_norm(draw: Draw) -> Samples:
    for shape in ((5, 3), (2, 3, 4), (2, 3, 2, 2)):
        x, mean, var = draw(*shape), draw(3), draw.positive(3)
        yield Sample((x, mean, var, draw(3), draw(3)), fixed=(1, 2))
        yield Sample((x, None, None, draw(3), draw(3)), {"training": True})
        yield Sample((x, None, None), {"training": True, "eps": 0.1})
        yield Sample((x, mean, var), fixed=(1, 2))


@samples_for("normalize")
def _normalize(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(2, 3, 4),), {"p": 3.0, "dim": -1})
    yield Sample((draw(2, 3, 4),), {"p": 1.0, "dim": 0})


# --- losses ------------------------------------------------------------------------------------
REDUCTIONS = ("mean", "sum", "none")


@samples_for("mse", "mae")
def _elementwise_loss(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(3, 4)))
    yield Sample((draw(3, 4), draw(4)))


@samples_for("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
def _loss(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        yield Sample((draw(3, 4), draw(3, 4)), {"reduction": reduction})
    yield Sample((draw(), draw()))


@samples_for("nll_loss")
def _class_loss(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        targets = draw.indices(5, (4,))
        yield Sample((draw(4, 5), targets), {"reduction": reduction})
        options = {"weight": draw.positive(5), "reduction": reduction}
        yield Sample((draw(4, 5), targets), options, fixed=("weight",))
        skipping = np.array([0, -100, 2, 4])
        yield Sample((draw(4, 5), skipping), {"reduction": reduction})
        yield Sample((draw(2, 5, 3), draw.indices(5, (2, 3))), {"reduction": reduction})
    yield Sample((draw(4, 5), np.array([0, 3, 2, 4])), {"ignore_index": 3})
    yield Sample((draw(5), draw.indices(5, ())))


@samples_for("cross_entropy")
def _cross_entropy(draw: Draw) -> Samples:
    yield from _class_loss(draw)
    for reduction in REDUCTIONS:
        smooth = {"label_smoothing": 0.1, "reduction": reduction}
        yield Sample((draw(4, 5) * 20, draw.indices(5, (4,))), smooth)
        weight = draw.positive(5)
        yield Sample(
            (draw(4, 5), draw.indices(5, (4,))), smooth | {"weight": weight}, fixed=("weight",)
        )
        chances = draw.positive(4, 5)
        chances /= chances.sum(1, keepdims=True)
        yield Sample((draw(4, 5), chances), {"reduction": reduction})
        yield Sample((draw(4, 5), chances), smooth | {"weight": weight}, fixed=("weight",))


@samples_for("softmax_loss")
def _softmax_loss(draw: Draw) -> Samples:
    yield Sample((draw(4, 5), np.eye(5)[draw.indices(5, (4,))]), fixed=(1,))


@samples_for("binary_cross_entropy")
def _binary(draw: Draw) -> Samples:
    unit = (0.0, 1.0)
    for reduction in REDUCTIONS:
        x, y = draw(3, 4, domain=unit), draw(3, 4, domain=unit)
        yield Sample((x, y), {"reduction": reduction})
        weight = draw.positive(4)
        yield Sample((x, y), {"reduction": reduction, "weight": weight}, fixed=("weight",))


@samples_for("binary_cross_entropy_with_logits")
def _binary_logits(draw: Draw) -> Samples:
    for reduction in REDUCTIONS:
        x, y = draw(3, 4) * 3, draw(3, 4, domain=(0.0, 1.0))
        yield Sample((x, y), {"reduction": reduction})
        more = {"weight": draw.positive(4), "pos_weight": draw.positive(4)}
        yield Sample((x, y), more | {"reduction": reduction}, fixed=("weight", "pos_weight"))


@samples_for("kl_div")
def _kl_div(draw: Draw) -> Samples:
    for reduction in (*REDUCTIONS, "batchmean"):
        x, y = draw(3, 4), draw(3, 4, domain=(0.0, 1.0))
        yield Sample((x, y), {"reduction": reduction})
        yield Sample((x, y), {"reduction": reduction, "log_target": True})

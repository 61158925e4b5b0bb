"""Losses against PyTorch: reductions, weights, ignored and smoothed labels, refusals."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import deepdive as dd
from deepdive.errors import ArgumentError, DTypeError, ShapeError

REDUCTIONS = ("mean", "sum", "none")
LABELS = np.array([0, 3, 1, 3, 2])
WEIGHT = np.array([0.5, 2.0, 1.0, 0.25])


def test_elementwise_methods(agrees):
    agrees(lambda x, y: x.mse(y), lambda x, y: (x - y) ** 2, (3, 4), (4,))
    agrees(lambda x, y: x.mae(y), lambda x, y: (x - y).abs(), (3, 4), (3, 4))
    assert dd.tensor([1, 2]).mse(dd.tensor([3, 2])).tolist() == [4.0, 0.0]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mse_loss", {}),
        ("l1_loss", {}),
        ("huber_loss", {"delta": 0.6}),
        ("smooth_l1_loss", {"beta": 0.6}),
        ("smooth_l1_loss", {"beta": 0.0}),
        ("kl_div", {"log_target": True}),
    ],
)
def test_distances(agrees, name, parameters, reduction):
    parameters = {**parameters, "reduction": reduction}
    agrees(
        lambda x, y: getattr(dd, name)(x, y, **parameters),
        lambda x, y: getattr(F, name)(x, y, **parameters),
        (3, 4),
        (3, 4),
        second="l1" not in name,  # PyTorch's smooth l1 has no second derivative for beta 0
    )


def test_kl_div_of_probabilities(agrees):
    shares = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    agrees(
        lambda x: dd.kl_div(x, shares, reduction="batchmean"),
        lambda x: F.kl_div(x, torch.tensor(shares), reduction="batchmean"),
        (2, 3),
    )


def test_shapes_that_broadcast_get_a_warning():
    with pytest.warns(UserWarning, match=r"input is \(3, 1\) and target is \(3,\)"):
        dd.mse_loss(dd.ones(3, 1), dd.ones(3))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore", [-100, 3])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_nll_and_cross_entropy(agrees, weight, ignore, reduction):
    theirs = None if weight is None else torch.tensor(weight)
    agrees(
        lambda x: dd.nll_loss(x, LABELS, weight, ignore, reduction),
        lambda x: F.nll_loss(x, torch.tensor(LABELS), theirs, None, ignore, None, reduction),
        (5, 4),
    )
    for smoothing in (0.0, 0.1):
        agrees(
            lambda x, s=smoothing: dd.cross_entropy(x, LABELS, weight, ignore, reduction, s),
            lambda x, s=smoothing: F.cross_entropy(
                x,
                torch.tensor(LABELS),
                theirs,
                ignore_index=ignore,
                reduction=reduction,
                label_smoothing=s,
            ),
            (5, 4),
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_probabilities_as_target(agrees, weight, reduction):
    shares = np.random.rand(5, 4, 2)
    agrees(
        lambda x: dd.cross_entropy(x, shares, weight, reduction=reduction, label_smoothing=0.2),
        lambda x: F.cross_entropy(
            x,
            torch.tensor(shares),
            None if weight is None else torch.tensor(weight),
            reduction=reduction,
            label_smoothing=0.2,
        ),
        (5, 4, 2),
    )


def test_targets_with_more_axes_and_with_none(agrees):
    labels = np.random.randint(0, 4, (5, 2, 3))
    agrees(
        lambda x: dd.cross_entropy(x, labels),
        lambda x: F.cross_entropy(x, torch.tensor(labels)),
        (5, 4, 2, 3),
    )
    agrees(
        lambda x: dd.cross_entropy(x, np.array(2)),
        lambda x: F.cross_entropy(x, torch.tensor(2)),
        (4,),
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_class_numbers_of_any_integer_dtype(dtype):
    logits, labels = dd.randn(5, 4), dd.tensor(LABELS.astype(dtype))
    expected = float(dd.cross_entropy(logits, LABELS))
    assert float(dd.cross_entropy(logits, labels)) == pytest.approx(expected)
    many = dd.randn(3, 200)
    assert float(dd.cross_entropy(many, np.array([199, 0, 5], "uint8"))) > 0


def test_all_targets_ignored_is_nan_and_their_sum_zero():
    labels = np.full(5, -100)
    with np.errstate(invalid="ignore"):
        assert np.isnan(float(dd.cross_entropy(dd.ones(5, 4), labels)))
    assert float(dd.cross_entropy(dd.ones(5, 4), labels, reduction="sum")) == 0


def test_cross_entropy_does_not_overflow():
    x = dd.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = dd.cross_entropy(x, dd.tensor([0, 0]))
    loss.backward()
    assert float(loss) == pytest.approx(1e4)
    assert x.grad.tolist() == [[0.0, 0.0], [-0.5, 0.5]]


def test_labels_in_floats_get_the_advice_to_use_integers():
    for function in (dd.nll_loss, dd.cross_entropy):
        with pytest.raises(DTypeError, match=r"(?s)float32.*use integers"):
            function(dd.ones(3, 4), dd.ones(3))


def test_a_class_out_of_range_is_named_with_the_number_of_classes():
    for function in (dd.nll_loss, dd.cross_entropy):
        with pytest.raises(ShapeError, match="index 4 is out of range for 4 classes"):
            function(dd.ones(3, 4), dd.tensor([0, 4, 1]))
        with pytest.raises(ShapeError, match="index -1 is out of range for 4 classes"):
            function(dd.ones(3, 4), dd.tensor([0, -1, 1]))


def test_a_target_of_the_wrong_shape_is_shown_the_right_one():
    with pytest.raises(ShapeError, match=r"(?s)target is \(3, 1\).*\(3,\).*squeeze"):
        dd.cross_entropy(dd.ones(3, 4), dd.tensor([[0], [1], [2]]))
    with pytest.raises(ArgumentError, match="unknown reduction 'avg'"):
        dd.mse_loss(dd.ones(3), dd.ones(3), reduction="avg")
    with pytest.raises(ArgumentError, match="label_smoothing"):
        dd.cross_entropy(dd.ones(3, 4), dd.tensor([0, 1, 2]), label_smoothing=2.0)
    with pytest.raises(ArgumentError, match="delta must be positive"):
        dd.huber_loss(dd.ones(3), dd.ones(3), delta=0.0)


def test_softmax_loss_takes_one_hot_rows():
    logits = dd.randn(5, 4)
    expected = float(dd.cross_entropy(logits, LABELS))
    assert float(dd.softmax_loss(logits, dd.one_hot(LABELS))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_binary_cross_entropy(agrees, weight, reduction):
    answers = np.random.rand(3, 4)
    theirs = None if weight is None else torch.tensor(weight)
    agrees(
        lambda x: dd.binary_cross_entropy(x.sigmoid(), answers, weight, reduction=reduction),
        lambda x: F.binary_cross_entropy(
            x.sigmoid(), torch.tensor(answers), theirs, reduction=reduction
        ),
        (3, 4),
    )
    for positive in (None, WEIGHT):
        agrees(
            lambda x, p=positive: dd.binary_cross_entropy_with_logits(
                x, answers, weight, reduction=reduction, pos_weight=p
            ),
            lambda x, p=positive: F.binary_cross_entropy_with_logits(
                x,
                torch.tensor(answers),
                theirs,
                reduction=reduction,
                pos_weight=None if p is None else torch.tensor(p),
            ),
            (3, 4),
        )


def test_certainty_costs_a_hundred():
    x = dd.tensor([0.0, 1.0, 1.0], requires_grad=True)
    loss = dd.binary_cross_entropy(x, dd.tensor([1.0, 0.0, 1.0]), reduction="none")
    assert loss.tolist() == [100.0, 100.0, 0.0]
    loss.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_logits_far_out():
    x = dd.tensor([-1e4, 1e4, 1e4], requires_grad=True)
    loss = dd.binary_cross_entropy_with_logits(x, dd.tensor([1, 1, 0]), reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [1e4, 0.0, 1e4]
    assert x.grad.tolist() == [-1.0, 0.0, 1.0]


def test_binary_refusals():
    with pytest.raises(ArgumentError, match=r"(?s)from -1 to 2.*with_logits"):
        dd.binary_cross_entropy(dd.tensor([-1.0, 2.0]), dd.ones(2))
    with pytest.raises(ShapeError, match=r"(?s)target is \(2,\).*reshape\(\(2, 1\)\)"):
        dd.binary_cross_entropy_with_logits(dd.ones(2, 1), dd.ones(2))


@pytest.mark.parametrize(
    ("target", "ignored"), [([0, 2, -100, 1], -100), ([3, 1, 3, 3], 3), ([2, -1, -1, -1], -1)]
)
def test_targets_that_do_not_count(target, ignored):
    """One operator gives PyTorch's value, gradient and second order."""
    numbers = np.random.default_rng(0).standard_normal((4, 4))
    x = dd.tensor(numbers, requires_grad=True)
    y = torch.tensor(numbers, requires_grad=True)
    loss = dd.nn.functional.cross_entropy(x, dd.tensor(target), ignore_index=ignored)
    theirs = F.cross_entropy(y, torch.tensor(target), ignore_index=ignored)
    (first,) = dd.grad(loss, x, create_graph=True)
    (other,) = torch.autograd.grad(theirs, y, create_graph=True)
    (second,) = dd.grad((first * first).sum(), x)
    (twice,) = torch.autograd.grad((other * other).sum(), y)
    for ours, wanted in ((loss, theirs), (first, other), (second, twice)):
        found = ours.detach().numpy()
        np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=1e-9, atol=1e-12)

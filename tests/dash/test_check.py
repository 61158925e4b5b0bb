"""``deepdive.check``: each finding on a model that has the fault, and not on one that has not."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.errors import ArgumentError
from deepdive.nn import functional as F

X = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32)
Y = np.arange(8) % 3
BATCH = (X, Y)


def layers(*between, last=None):
    ends = [last] if last is not None else []
    return nn.Sequential(nn.Linear(6, 5), *between, nn.Linear(5, 3), *ends)


def rules(model, batch=BATCH, **options):
    return [finding.rule for finding in dd.check(model, batch, **options).findings]


def sound():
    return layers(nn.ReLU())


def with_weight(model, path, values):
    parameter = dict(model.named_parameters())[path]
    with dd.no_grad():
        parameter.copy_(dd.tensor(np.broadcast_to(values, parameter.shape).astype(np.float32)))
    return model


class Unused(nn.Module):
    def __init__(self):
        self.used, self.spare = nn.Linear(6, 3), nn.Linear(6, 3)

    def forward(self, x):
        return self.used(x)


class Mixing(nn.Module):
    def __init__(self, axis):
        self.layer, self.axis = nn.Linear(6, 3), axis

    def forward(self, x):
        return self.layer(x - x.mean(self.axis, keepdim=True))


def evaluating():
    return sound().eval()


class Nothing(nn.Module):
    def forward(self, x):
        return (x - x) / (x - x)


def nan_inside():
    return nn.Sequential(nn.Linear(6, 3), Nothing())


def loss_nll(output, y):
    return F.nll_loss(output, y)


def loss_bce(output, y):
    return F.binary_cross_entropy_with_logits(output, (y > 0).float().reshape(-1, 1))


NAN = X.copy()
NAN[2, 3] = np.nan

CASES = {
    # rule: (model with the fault, its batch and options), (one without)
    "numbers in the input": ("numbers", (sound, (NAN, Y), {}), (sound, BATCH, {})),
    "numbers in a weight": (
        "numbers",
        (lambda: with_weight(sound(), "0.weight", np.inf), BATCH, {}),
        (sound, BATCH, {}),
    ),
    "inputs of bytes": (
        "inputs",
        (sound, (np.arange(48).reshape(8, 6).astype(np.float32) * 5, Y), {}),
        (sound, BATCH, {}),
    ),
    "mode": ("mode", (evaluating, BATCH, {}), (sound, BATCH, {})),
    "softmax twice": (
        "probabilities",
        (lambda: layers(last=nn.Softmax(-1)), BATCH, {}),
        (layers, BATCH, {}),
    ),
    "sigmoid twice": (
        "probabilities",
        (lambda: nn.Sequential(nn.Linear(6, 1), nn.Sigmoid()), BATCH, {"loss": loss_bce}),
        (lambda: nn.Linear(6, 1), BATCH, {"loss": loss_bce}),
    ),
    "no probabilities": (
        "probabilities",
        (lambda: layers(), BATCH, {"loss": loss_nll}),
        (lambda: layers(last=nn.LogSoftmax(-1)), BATCH, {"loss": loss_nll}),
    ),
    "first loss": (
        "first loss",
        (lambda: with_weight(sound(), "2.bias", [0, 40, 0]), BATCH, {}),
        (sound, BATCH, {}),
    ),
    "unused": ("unused", (Unused, BATCH, {}), (sound, BATCH, {})),
    "dead units": (
        "dead",
        (lambda: with_weight(sound(), "0.bias", -50.0), BATCH, {}),
        (sound, BATCH, {}),
    ),
    "saturated": (
        "saturated",
        (lambda: with_weight(layers(nn.Tanh()), "0.bias", 30.0), BATCH, {}),
        (lambda: layers(nn.Tanh()), BATCH, {}),
    ),
    "alike": (
        "alike",
        (lambda: with_weight(sound(), "0.weight", 0.5), BATCH, {}),
        (sound, BATCH, {}),
    ),
    "bias": (
        "bias",
        (lambda: layers(nn.BatchNorm1d(5)), BATCH, {}),
        (lambda: nn.Sequential(nn.Linear(6, 3, bias=False), nn.BatchNorm1d(3)), BATCH, {}),
    ),
    "mixed samples": (
        "mixed samples",
        (lambda: Mixing(0), BATCH, {}),
        (lambda: Mixing(1), BATCH, {}),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_found_and_a_sound_model_is_not_blamed(case):
    rule, (faulty, batch, options), (good, good_batch, good_options) = CASES[case]
    dd.manual_seed(1)
    assert rule in rules(faulty(), batch, **options)
    dd.manual_seed(1)
    assert rules(good(), good_batch, **good_options) == []


def test_the_first_layer_that_makes_a_nan_is_named():
    report = dd.check(nan_inside(), BATCH)
    assert str(report.findings[0]).startswith("numbers: 1 (Nothing) makes NaN or Inf")


def test_the_optimizer_is_compared_with_the_model():
    model, other = sound(), sound()
    assert rules(model, optimizer=optim.SGD(model.parameters(), lr=0.1)) == []
    half = optim.SGD([model[0].weight], lr=0.1)
    text = str(dd.check(model, BATCH, optimizer=half))
    assert "does not hold 0.bias, 2.weight, 2.bias" in text
    foreign = optim.SGD([*model.parameters(), *other.parameters()], lr=0.0)
    text = str(dd.check(model, BATCH, optimizer=foreign))
    assert "holds 4 tensors that are not of this model" in text
    assert "a learning rate is 0" in text


def test_gradients_from_before():
    model = sound()
    F.cross_entropy(model(dd.tensor(X)), dd.tensor(Y)).backward()
    before = [p.grad.numpy().copy() for p in model.parameters()]
    assert rules(model) == ["leftovers"]
    for p, grad in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), grad)


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(6, 3, bias=False), nn.BatchNorm1d(3), nn.Dropout(0.5))
    state = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    dd.manual_seed(5)
    report = dd.check(model, BATCH)
    assert report
    assert str(report).startswith("nothing found")
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[name])
    assert all(p.grad is None for p in model.parameters())
    drawn = dd.rand(3).numpy()
    dd.manual_seed(5)
    np.testing.assert_array_equal(drawn, dd.rand(3).numpy())
    assert model.training


def test_other_kinds_of_batches():
    assert rules(nn.Linear(6, 2), X) == []
    assert rules(nn.Linear(6, 2), (X, X[:, :2])) == []
    words = nn.Sequential(nn.Embedding(900, 4), nn.Flatten(), nn.Linear(8, 3))
    assert rules(words, (np.arange(800, 816).reshape(8, 2), Y)) == []


def test_nothing_to_learn():
    with pytest.raises(ArgumentError, match="nothing can be learned"):
        dd.check(nn.ReLU(), BATCH)

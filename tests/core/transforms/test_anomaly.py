"""Anomaly detection names the first guilty operator, with the user's line and the module."""

import sys
import time

import numpy as np
import pytest

import deepdive as dd
from deepdive import func, nn
from deepdive.autograd import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from deepdive.errors import NonFiniteError


def line():
    return sys._getframe(1).f_lineno


class Net(nn.Module):
    def __init__(self):
        self.head = nn.Sequential(nn.Linear(3, 3), Log())

    def forward(self, x):
        return self.head(x).sum()


class Log(nn.Module):
    def forward(self, x):
        return (x * 0).log()


def refused(run):
    with detect_anomaly(), pytest.raises(NonFiniteError) as caught:
        run()
    assert not is_anomaly_enabled()
    return str(caught.value)


def test_forward():
    x, places = dd.tensor([[4.0, -1.0, 1.0]]), []

    def run():
        y = x + 1
        places.append(line() + 1)
        z = (y - 1).sqrt()
        return z.exp()

    words = refused(run)
    assert words.startswith("sqrt: made 1 NaN of 3 values")
    assert f"{__file__}:{places[0]}" in words and "x: (1, 3) float32, from -1 to 4" in words


def test_module_path():
    words = refused(lambda: Net()(dd.ones(2, 3)))
    assert words.startswith("log: made 6 infinite of 6 values")
    assert "Net.head.1: Log" in words


def test_backward_names_the_line_of_the_forward_call():
    x, places = dd.tensor([4.0, 0.0], requires_grad=True), []

    def run():
        places.append(line() + 1)
        root = x.sqrt()  # its slope at 0 is infinite
        return (root * 2).sum().backward()

    words = refused(run)
    assert words.startswith("backward of sqrt: the gradient of input 0: made 1 infinite of 2")
    assert f"{__file__}:{places[0]}" in words


def test_backward_through_modules():
    net = nn.Sequential(nn.Linear(2, 2), Root())
    net[0].weight.data[...] = 0
    net[0].bias.data[...] = 0
    words = refused(lambda: net(dd.ones(1, 2)).sum().backward())
    assert "backward of sqrt" in words and "Sequential.1: Root" in words


class Root(nn.Module):
    def forward(self, x):
        return x.sqrt()


def test_what_was_there_already_is_said():
    words = refused(lambda: dd.tensor([float("nan"), 1.0]) * 2)
    assert "made 1 NaN of 2 values, which an input had already" in words


def test_infinities_on_purpose_are_no_anomaly():
    x = dd.randn(4, 4, requires_grad=True)
    with detect_anomaly():
        mask = dd.tensor(np.tril(np.ones((4, 4), bool)))
        scores = dd.where(mask, x, float("-inf"))
        scores.softmax(-1).sum().backward()
        dd.nn.functional.max_pool2d(dd.randn(1, 1, 4, 4), 2, padding=1)
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("at", range(4))
def test_a_nan_planted_in_any_layer_is_found_there(at, where):
    class Planted(dd.Operator):
        def forward(self, xp, x):
            return x * float("nan") if where == "forward" else x * 1.0

        def backward(self, xp, grad):
            return grad * float("nan") if where == "backward" else grad

    class Bad(nn.Module):
        def forward(self, x):
            return Planted()(x)

    layers = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    layers.insert(at, Bad())
    net = nn.Sequential(*layers)
    x = dd.randn(2, 1, 8, 8, requires_grad=True)
    words = refused(lambda: net(x).sum().backward())
    assert "Planted" in words and f"Sequential.{at}: Bad" in words
    assert words.startswith("backward of") == (where == "backward")


def test_compiled_functions_run_so_that_the_operator_is_found():
    x = dd.tensor([1.0, 2.0])
    step = dd.compile(lambda x: ((x - 2).log() * 2).sum(), dialect="numpy")
    with np.errstate(all="ignore"):
        assert step(x).item() != step(x).item()  # NaN, silently
    assert refused(lambda: step(x)).startswith("log: made 1 NaN")


def test_under_vmap_and_second_order():
    x = dd.tensor([1.0, -1.0])
    assert refused(lambda: func.vmap(lambda a: a.log())(x)).startswith("log: made 1 NaN")
    assert "NaN" in refused(lambda: func.grad(func.grad(lambda a: a**1.5))(dd.tensor(-1.0)))


def test_the_switch_and_check_nan():
    set_detect_anomaly(True)
    try:
        assert is_anomaly_enabled()
        with pytest.raises(NonFiniteError):
            dd.tensor([-1.0]).log()
    finally:
        set_detect_anomaly(False)
    assert not is_anomaly_enabled() and dd.config.watch is None
    with detect_anomaly(check_nan=False), np.errstate(all="ignore"):
        dd.tensor([-1.0]).log()


def test_beside_a_profiler():
    with dd.profile() as profile, detect_anomaly():
        dd.randn(3, requires_grad=True).exp().sum().backward()
    assert {row.name for row in profile.rows} == {"Exp", "Sum"}


def test_off_it_costs_nothing():
    """The same call, before and after: no more than noise."""
    x = dd.randn(8, 8)

    def spent():
        best = 1.0
        for _ in range(20):
            start = time.perf_counter()
            for _ in range(200):
                x + x
            best = min(best, time.perf_counter() - start)
        return best

    before = spent()
    with detect_anomaly():
        x + x
    assert spent() < 1.5 * before

"""Backward, step by step: the same gradients as backward, and a page that is whole."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.dash import Stepper
from deepdive.errors import GraphError
from deepdive.nn import functional as F


def test_the_gradients_are_those_of_backward():
    dd.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = dd.randn(5, 3, requires_grad=True)
    h = model(x)
    loss = F.cross_entropy(h, dd.tensor([0, 1, 0, 1, 1])) + (x * x).mean()
    arrived = {}
    for step in Stepper(loss, {"model": model, "x": x, "h": h}):
        for part in step.inputs:
            arrived[part.name] = arrived.get(part.name, 0) + part.gradient
    assert x.grad is None
    loss.backward()
    assert np.allclose(arrived["x"], x.grad.numpy())
    assert np.allclose(arrived["h"], h.grad.numpy())
    for path, p in model.named_parameters():
        assert np.allclose(arrived[path], p.grad.numpy())


def test_a_step_reads_like_a_calculation():
    a = dd.tensor([2.0, 3.0], requires_grad=True)
    b = dd.tensor([4.0], requires_grad=True)
    loss = (a * b).sum()
    first, second = Stepper(loss, locals())
    assert first.formula == "loss = Sum(v1)"
    assert second.formula == "v1 = Mul(a, b)"
    assert str(second).splitlines()[1:] == [
        "   gets   dL/dv1 = [1. 1.]",
        "   | def backward(self, xp, grad, x, y, needs):",
        "   |     return grad * y if needs[0] else None, grad * x if needs[1] else None",
        "   sends  dL/da = [4. 4.]",
        "   sends  dL/db = [5.]",
    ]
    log = io.StringIO()
    Stepper(loss, locals()).walk(log)
    assert log.getvalue() == f"{first}\n{second}\n"


class Checker(HTMLParser):
    """Every tag that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.sections = [], 0

    def handle_starttag(self, tag, attributes):
        self.sections += tag == "section"
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing(tmp_path):
    x = dd.tensor([[1.0, 2.0]], requires_grad=True)
    loss = (x.exp() - x).sum()
    path = Stepper(loss, {"x<y>": x}).save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert path == str(tmp_path / "page.html")
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.sections == len(list(Stepper(loss)))
    assert "x&lt;y&gt;" in text
    assert "x<y>" not in text
    assert not re.search(r"(src|href)=|url\(|@import", text)


def test_large_values_are_summed_up():
    x = dd.arange(100.0, requires_grad=True)
    (step,) = Stepper(x.sum())
    assert "sends  dL/dv1 = (100,), from 1 to 1" in str(step)


def test_without_a_history():
    with pytest.raises(GraphError, match="no history, or it was freed"):
        Stepper(dd.tensor(1.0))
    loss = dd.tensor([1.0], requires_grad=True).sum()
    loss.backward()
    with pytest.raises(GraphError, match="no history, or it was freed"):
        Stepper(loss)

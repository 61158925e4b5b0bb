"""The profiler: calls and bytes are exact, times add up, nothing stays switched on."""

import time

import numpy as np
import pytest

from deepdive import config
from deepdive.core.operator import Operator
from deepdive.core.tensor import Tensor
from deepdive.dash import profile

pytest.importorskip("deepdive.core.autograd.engine")


class Slow(Operator):
    def forward(self, xp, x):
        time.sleep(0.02)
        return xp.exp(x)

    def backward(self, xp, grad, out):
        time.sleep(0.04)
        return grad * out


class Outside(Operator):
    """Runs another operator inside its own forward."""

    def forward(self, xp, x):
        Slow()(Tensor(x))
        return x * 2

    def backward(self, xp, grad):
        return grad * 2


def test_calls_times_and_bytes():
    x = Tensor(np.zeros((10, 3), "float32"))
    with profile() as p:
        y = Slow()(Slow()(x))
        y.backward(Tensor(np.ones((10, 3), "float32")))
    (row,) = p.rows
    assert (row.name, row.forward_calls, row.backward_calls) == ("Slow", 2, 2)
    assert row.output_bytes == 2 * 10 * 3 * 4
    assert 0.04 <= row.forward_time < 0.4 and 0.08 <= row.backward_time < 0.8
    assert row.time <= p.wall_time


def test_operators_inside_are_charged_for_themselves():
    with profile() as p:
        Outside()(Tensor([1.0]))
    times = {row.name: row.forward_time for row in p.rows}
    assert times["Slow"] >= 0.02 and times["Outside"] < 0.02
    assert [row.name for row in p.rows] == ["Slow", "Outside"]


def test_blocks_nest_and_each_sees_its_own():
    with profile() as outer:
        Slow()(Tensor([1.0]))
        with profile() as inner:
            Slow()(Tensor([1.0]))
    assert (outer.rows[0].forward_calls, inner.rows[0].forward_calls) == (2, 1)


def test_it_is_switched_off_also_after_an_error():
    with pytest.raises(KeyError), profile():
        raise KeyError
    assert config.watch is None


def test_the_table():
    with profile() as p:
        Slow()(Tensor(np.zeros(256, "float32")))
    lines = str(p).split("\n")
    assert lines[0].split() == [
        "operator",
        "forward",
        "time",
        "backward",
        "time",
        "output",
        "share",
    ]
    assert lines[2].split()[:2] == ["Slow", "1"]
    assert "1.0 KiB" in lines[2] and lines[2].endswith("100.0 %")
    assert lines[3].startswith("operators ")
    assert len(str(profile()).split("\n")) == 3

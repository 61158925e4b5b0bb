"""Graphs die with their last tensor, and deep ones need no deep stack."""

import contextlib
import gc
import subprocess
import sys
import textwrap
import tracemalloc
import weakref

import numpy as np
import pytest

import deepdive as dd
from deepdive import Tensor

DEEP = """
    import sys
    assert sys.getrecursionlimit() == 1000
    from deepdive import Tensor
    x = Tensor([1.0, 2.0])
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.sum().backward({options})
    assert x.grad.tolist() == [1.0, 1.0], x.grad
    del y
    if not "{options}":
        z = x
        for _ in range(100_000):
            z = z * 1.0
        del z  # a graph that was never walked is freed as well
    print("done")
"""


@pytest.mark.parametrize("options", ["", "create_graph=True"])
def test_a_chain_of_a_hundred_thousand(options):
    code = textwrap.dedent(DEEP.format(options=options))
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "done", done.stderr[-2000:]


STEPS = 300
LITTLE = STEPS * 24  # bytes: no object is as small as that, so nothing is left step by step


@pytest.fixture
def no_collector():
    """Only reference counts free memory inside."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def grown(step, steps=STEPS):
    """Bytes that stay allocated after many more steps; cycles among them are an error.

    Python keeps freed tuples and dictionaries for reuse, up to 2000 of a size.  A collection
    empties that store – and says how many objects only the collector could have freed.
    """
    gc.collect()  # what other tests left
    tracemalloc.start()
    try:
        for _ in range(20):
            step()
        assert gc.collect() == 0
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(steps):
            step()
        assert gc.collect() == 0
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


W = np.linspace(-1, 1, 64 * 32, dtype="float32").reshape(64, 32)


def test_training_steps_leave_nothing(no_collector):
    w, x = Tensor(W), dd.ones(16, 64)

    def step():
        loss = ((x @ w).tanh() ** 2).mean()
        loss.backward()
        with dd.no_grad():
            w.sub_(0.01 * w.grad)
        w.grad = None

    assert grown(step) < LITTLE


def test_forward_without_backward_leaves_nothing(no_collector):
    w = Tensor(W)
    assert grown(lambda: (w * w).sum()) < LITTLE


def test_create_graph_leaves_nothing(no_collector):
    w = Tensor(W)

    def step():
        loss = ((w * w).tanh()).sum()
        (first,) = dd.grad(loss, w, create_graph=True)
        (first * first).sum().backward()
        w.grad = None

    assert grown(step) < LITTLE


def test_backward_with_create_graph_leaves_nothing_once_grad_is_dropped(no_collector):
    w = Tensor(W)

    def step():
        (w * w).sum().backward(create_graph=True)
        w.grad = None

    assert grown(step) < LITTLE


def test_a_running_total_keeps_a_few_bytes_per_step(no_collector):
    w = Tensor(W)
    total = dd.zeros(())

    def step():
        nonlocal total
        loss = (w * w).mean()
        loss.backward()
        total += loss
        w.grad = None

    assert grown(step) < STEPS * 1500  # a graph would be 8 kB of saved arrays a step


def test_rebinding_a_parameter_by_detach_is_constant(no_collector):
    w = Tensor(W)

    def step():
        nonlocal w
        (w * w).sum().backward()
        w = (w - 0.01 * w.grad).detach().requires_grad_()

    assert grown(step) < LITTLE


def test_no_cycles(no_collector):
    def alive(make):
        saved = make()
        return [ref for ref in saved if ref() is not None]

    def plain():
        x = Tensor([1.0])
        y = x * x
        z = (y + x).sum()
        return [weakref.ref(t) for t in (x, y, z)]

    def walked():
        x = Tensor([1.0])
        y = x * x
        y.sum().backward()
        return [weakref.ref(t) for t in (x, y, x.grad)]

    def second():
        x = Tensor([1.0])
        (first,) = dd.grad((x**3).sum(), x, create_graph=True)
        first.sum().backward(create_graph=True)
        grad = x.grad
        x.grad = None
        return [weakref.ref(t) for t in (x, first, grad)]

    def failed():
        x = Tensor([1.0, 2.0])
        with contextlib.suppress(dd.errors.ShapeError):
            x + dd.ones(3)
        return [weakref.ref(x)]

    for make in (plain, walked, second, failed):
        assert alive(make) == [], make.__name__


def test_saved_arrays_are_freed_while_going_backward():
    x = Tensor(W)
    y = x.exp()
    saved = weakref.ref(y._data)
    total = (y * 2).sum()
    del y
    assert saved() is not None
    total.backward()
    assert saved() is None


def test_the_skeleton_stays_to_be_drawn_and_dies_with_the_root():
    x = Tensor([1.0])
    y = x * x
    total = y.sum()
    total.backward()
    assert total.inputs == (y,) or total.inputs[0] is y
    node = weakref.ref(x)
    del x, y, total
    gc.collect()
    assert node() is None

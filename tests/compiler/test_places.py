"""Where values lie in memory: nothing that is needed is overwritten, what passes needs no more
than a block of rows, and a step of a transformer needs less than all its values together."""

import itertools
import random

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim

pytest.importorskip("numba", reason="only generated loops place their values themselves")

from deepdive.compiler.memory import ALIGNMENT, Life, packed


def life(size, begin, end):
    return Life(None, size, 0, 0, None, begin, end)


@pytest.mark.parametrize("seed", range(30))
def test_places_of_values_that_live_together_are_apart(seed):
    rng = random.Random(seed)
    spans = [sorted((rng.randrange(12), rng.randrange(12))) for _ in range(25)]
    lives = [life(rng.choice([1, 7, 16, 100, 1000]), *span) for span in spans]

    def beside(a, b):
        return a.begin <= b.end and b.begin <= a.end

    offsets, total = packed([one.size for one in lives], lives, beside)
    for (a, x), (b, y) in itertools.combinations(zip(lives, offsets, strict=True), 2):
        if set(range(a.begin, a.end + 1)) & set(range(b.begin, b.end + 1)):
            assert x + a.size <= y or y + b.size <= x
    assert all(offset % ALIGNMENT == 0 for offset in offsets)
    most = max(sum(a.size for a in lives if a.begin <= t <= a.end) for t in range(12))
    assert most <= total <= 2 * most + ALIGNMENT * len(lives)


def layers(x, ws):
    for w in ws:
        x = (x @ w).tanh()
    return x


@pytest.mark.parametrize("rows", [1, 7, 64, 1000, 1021, 2048])
def test_passing_values_take_the_room_of_a_block(rows):
    ws = [dd.randn(32, 32) * 0.15 for _ in range(8)]
    x = dd.randn(rows, 32)
    program = dd.compile(lambda x: layers(x, ws), dialect="numba")
    found = program(x).numpy()
    expected = x.numpy().astype("f8")
    for w in ws:
        expected = np.tanh(expected @ w.numpy().astype("f8"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    code = program.latest.code
    value = rows * 32
    assert sum(code.text.sizes.values()) <= 4 * (value + 64)  # of 16 values
    if rows == 2048:
        assert code.text.memory.in_rooms() < value * 4


def test_a_step_of_a_transformer():
    model = nn.Sequential(
        nn.Linear(32, 128), nn.GELU(), nn.Linear(128, 32), nn.LayerNorm(32), nn.Linear(32, 5)
    )
    optimizer = optim.AdamW(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    program = dd.compile(step, dialect="numba")
    x, y = dd.randn(512, 32), dd.zeros(512).long()
    losses = [program(x, y).item() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    code = program.latest.code
    stored = sum(value.nbytes for value in code.plan.stored if value in code.plan.nodes)
    used = 4 * sum(code.text.sizes.values())
    assert used < 0.6 * stored
    assert max(code.text.memory.alive()) + code.text.memory.in_rooms() <= used


def test_sums_of_whole_numbers_lie_among_the_floats_that_threads_sum():
    def f(x):
        return (x != 0).sum(1), (x * 2).sum(1), (x > 0).sum(0), (x + 1).sum((0, 1)), x.exp()

    x = dd.randn(2, 3, 4)
    found = dd.compile(f, dialect="numba")(x)
    for mine, expected in zip(found, f(x), strict=True):
        np.testing.assert_allclose(mine.numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)

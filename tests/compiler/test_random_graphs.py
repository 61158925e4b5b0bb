"""Graphs drawn at random, computed eagerly, lazily and compiled: values and gradients agree."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import deepdive as dd

UNARY = "neg exp tanh sigmoid relu square abs sin sigmoid".split()
BINARY = "add sub mul maximum minimum".split()
REDUCTIONS = "sum mean amax".split()
SIZES = (1, 2, 3, 5)


def usual(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def recipes(draw, more=()):
    """A list of steps ``(word, positions of operands, options)`` on values by position."""
    count = draw(st.integers(1, 3))
    shapes = [draw(shape()) for _ in range(count)]
    steps = []
    for _ in range(draw(st.integers(1, 8))):
        step = draw(st.sampled_from([*STEPS, *more]))(draw, shapes)
        if step is not None:
            steps.append(step[0])
            shapes.append(step[1])
    return shapes[:count], steps, draw(st.integers(0, 10**6))


def shape():
    return st.lists(st.sampled_from(SIZES), min_size=0, max_size=3).map(tuple)


def pick(draw, shapes):
    return draw(st.integers(0, len(shapes) - 1))


def unary(draw, shapes):
    i = pick(draw, shapes)
    return (draw(st.sampled_from(UNARY)), (i,), ()), shapes[i]


def binary(draw, shapes):
    i, j = pick(draw, shapes), pick(draw, shapes)
    try:
        out = np.broadcast_shapes(shapes[i], shapes[j])
    except ValueError:
        return None
    return (draw(st.sampled_from(BINARY)), (i, j), ()), out


def with_number(draw, shapes):
    i = pick(draw, shapes)
    number = draw(st.sampled_from((0.5, -2.0, 3, 0)))
    return (draw(st.sampled_from(BINARY[:3])), (i,), (number,)), shapes[i]


def reduction(draw, shapes):
    i = pick(draw, shapes)
    if not shapes[i]:
        return None
    dims = draw(st.sets(st.integers(0, len(shapes[i]) - 1), min_size=1))
    keep = draw(st.booleans())
    out = tuple(1 if d in dims else n for d, n in enumerate(shapes[i]) if keep or d not in dims)
    return (draw(st.sampled_from(REDUCTIONS)), (i,), (tuple(sorted(dims)), keep)), out


def matmul(draw, shapes):
    i, j = pick(draw, shapes), pick(draw, shapes)
    if min(len(shapes[i]), len(shapes[j])) < 1 or not (shapes[i] and shapes[j]):
        return None
    try:
        out = np.matmul(np.zeros(shapes[i]), np.zeros(shapes[j])).shape
    except ValueError:
        return None
    return ("matmul", (i, j), ()), out


def permute(draw, shapes):
    i = pick(draw, shapes)
    axes = tuple(draw(st.permutations(range(len(shapes[i])))))
    return ("permute", (i,), (axes,)), tuple(shapes[i][a] for a in axes)


def reshape(draw, shapes):
    i = pick(draw, shapes)
    size = int(np.prod(shapes[i], dtype=int))
    cut = draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0] or [1]))
    out = draw(st.sampled_from([(size,), (cut, size // cut), (1, cut, 1, size // cut)]))
    return ("reshape", (i,), (out,)), out


def sliced(draw, shapes):
    i = pick(draw, shapes)
    if not shapes[i]:
        return None
    index = []
    for n in shapes[i]:
        start = draw(st.integers(0, n - 1))
        index.append(draw(st.sampled_from([slice(None), slice(start, n), slice(None, None, 2)])))
    if draw(st.booleans()):
        index[-1] = draw(st.integers(-shapes[i][-1], shapes[i][-1] - 1))
    return ("getitem", (i,), (tuple(index),)), np.zeros(shapes[i])[tuple(index)].shape


def joined(draw, shapes):
    i = pick(draw, shapes)
    same = [j for j, other in enumerate(shapes) if other == shapes[i]]
    if not shapes[i]:
        return None
    j, dim = draw(st.sampled_from(same)), draw(st.integers(0, len(shapes[i]) - 1))
    out = tuple(2 * n if d == dim else n for d, n in enumerate(shapes[i]))
    return ("cat", (i, j), (dim,)), out


def called(draw, shapes):
    """A word for which there is no loop."""
    i = pick(draw, shapes)
    if not shapes[i]:
        return None
    word, dim = draw(st.sampled_from(CALLED)), draw(st.integers(0, len(shapes[i]) - 1))
    options = (1, dim) if word == "roll" else (dim,)
    return (word, (i,), options), shapes[i]


CALLED = "cumsum flip roll".split()
STEPS = [unary, unary, binary, binary, with_number, reduction, matmul, permute, reshape, sliced]
STEPS += [joined]


def played(steps, inputs):
    """The value of the last step and of the one before, and the gradients of the inputs."""
    values = list(inputs)
    for word, places, options in steps:
        operands = [values[i] for i in places]
        if word == "cat":
            out = dd.cat(operands, *options)
        elif word == "getitem":
            out = operands[0][options[0]]
        else:
            out = getattr(operands[0], word)(*operands[1:], *options)
        values.append(out)
    total = sum((v * v).mean() * (i + 1) for i, v in enumerate(values[len(inputs) :]))
    return [*values[-2:], *dd.grad(total, inputs, allow_unused=True)]


def drawn(shapes, number, dtype):
    random = np.random.default_rng(number)
    return [dd.tensor(random.uniform(-1, 1, s).astype(dtype), requires_grad=True) for s in shapes]


def check(recipe, ways, dtype="float32"):
    """Two sets of numbers, so that each program is also replayed."""
    shapes, steps, number = recipe
    if not steps:
        return
    run = [way(lambda *inputs: played(steps, inputs)) for way in ways]
    for i in range(2):
        inputs = drawn(shapes, number + i, dtype)
        with np.errstate(all="ignore"):
            expected = played(steps, inputs)
            for way in run:
                for got, want in zip(way(*inputs), expected, strict=True):
                    agree(got, want)


def agree(got, want):
    if want is None:
        assert got is None
        return
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    got, want = got.numpy(), want.detach().numpy()
    if np.isfinite(want).all() and np.abs(want).max(initial=0) < 1e6:
        size = 1 + float(np.abs(want).max(initial=0))
        np.testing.assert_allclose(got, want, 2e-4, 2e-5 * size)


def lazily(function):
    def run(*inputs):
        with dd.lazy():
            return function(*inputs)

    return run


def in_numpy(function):
    return dd.compile(function, dialect="numpy")


@usual(250)
@seed(1)
@given(recipes())
def test_lazy_and_numpy(recipe):
    check(recipe, [lazily, in_numpy])


@usual(6)
@seed(2)
@given(recipes())
def test_loops(recipe):
    pytest.importorskip("numba")
    check(recipe, [dd.compile])


@pytest.mark.slow
@usual(1000)
@seed(3)
@given(recipes())
def test_a_thousand_in_numpy(recipe):
    check(recipe, [lazily, in_numpy], "float64")


@pytest.mark.slow
@usual(150)
@seed(4)
@given(recipes())
def test_many_loops(recipe):
    pytest.importorskip("numba")
    check(recipe, [dd.compile])


@pytest.mark.slow
@usual(60)
@seed(5)
@given(recipes([called] * 5))
def test_loops_and_words(recipe):
    pytest.importorskip("numba")
    check(recipe, [in_stages])


def in_stages(function):
    """Loops, however small, wherever there are any."""
    loops = dd.compile(function, dialect="numba")
    lines = in_numpy(function)

    def run(*inputs):
        try:
            return loops(*inputs)
        except dd.errors.GraphError:  # nothing for loops
            return lines(*inputs)

    return run

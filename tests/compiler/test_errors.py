"""What cannot be compiled is said, at the line of the user; what was compiled is explained."""

import re

import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.errors import ArgumentError, GraphError

LOOKS = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x.sum()),
    "int": lambda x: int(x.sum()),
    "if": lambda x: x if x.sum() > 0 else -x,
    "while": lambda x: [1 for _ in range(x.sum().long())],
    "print": lambda x: print(x),
    "format": lambda x: f"{x.sum():.2f}",
    "numpy": lambda x: x.numpy(),
    "tolist": lambda x: x.tolist(),
    "max of Python": lambda x: max(x[0], x[1]),
}


@pytest.mark.parametrize("look", LOOKS)
def test_looking_at_a_value_names_the_line(look):
    program = dd.compile(lambda x: LOOKS[look](x * 2))
    with pytest.raises(GraphError) as caught:
        program(dd.ones(3))
    words = str(caught.value)
    assert "looks at a value while it is being recorded" in words
    line = re.search(r"test_errors\.py:(\d+)", words)
    assert line is not None, words
    assert int(line[1]) == LOOKS[look].__code__.co_firstlineno
    assert "where(condition, x, y)" in words


def test_a_branch_on_the_learning_rate():
    w = dd.ones(2, requires_grad=True)

    class Own(optim.Optimizer):
        def update(self, xp, w, g, *, lr=0.1):
            return (w - g if lr > 1 else w - lr * g,)

    optimizer = Own([w])

    def step():
        w.sum().backward()
        optimizer.step()

    with pytest.raises(GraphError, match="known only when the program runs"):
        dd.compile(step)()


def test_sizes_that_depend_on_values():
    with pytest.raises(GraphError, match="depends on values") as caught:
        dd.compile(lambda x: x[x > 0])(dd.ones(3))
    assert "where" in str(caught.value)


def test_one_hot_without_a_number_of_classes():
    program = dd.compile(lambda x: nn.functional.one_hot(x * 2))
    with pytest.raises(GraphError, match=r"one_hot\(x, num_classes\)"):
        program(dd.tensor([0, 1]))
    given = dd.compile(lambda x: nn.functional.one_hot(x))
    assert given(dd.tensor([0, 1])).shape == (2, 2)
    assert given(dd.tensor([0, 3])).shape == (2, 4)


def test_an_unknown_dialect():
    with pytest.raises(ArgumentError, match="unknown dialect") as caught:
        dd.compile(lambda x: x, dialect="fortran")
    assert "'numpy'" in str(caught.value)


@pytest.mark.parametrize("look", ["explain", "source", "graph"])
def test_nothing_is_compiled_before_the_first_call(look):
    program = dd.compile(lambda x: x + 1)
    with pytest.raises(GraphError, match="call the function once"):
        found = getattr(program, look)
        found()


def test_errors_of_operators_are_the_eager_ones():
    f = lambda x: x @ dd.ones(4, 2)  # noqa: E731
    words = []
    for function in (f, dd.compile(f)):
        with pytest.raises(dd.errors.ShapeError) as caught:
            function(dd.ones(2, 3))
        words.append(str(caught.value).splitlines()[0])
    assert words[0] == words[1]


def test_a_failed_trace_leaves_no_mode_behind():
    program = dd.compile(lambda x: x.sum().item())
    for _ in range(2):
        with pytest.raises(GraphError):
            program(dd.ones(2))
    assert not dd.is_lazy()
    assert (dd.ones(2) + 1).tolist() == [2.0, 2.0]


SCALE = 3


def test_explain():
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = optim.Adam(model.parameters())
    power = 2

    def step(x, name, rate):
        optimizer.zero_grad()
        loss = ((model(x) * SCALE) ** power).sum() * rate
        loss.backward()
        optimizer.step()
        return loss

    program = dd.compile(step, dialect="numpy")
    for _ in range(3):
        program(dd.randn(6, 8), "first", 0.5)
    text = program.explain()
    assert "3 calls, the first" in text
    assert "12 writes to state, 1 results" in text  # weights, and two slots of each
    assert "constants among the arguments: 'first', 0.5" in text
    assert "power=2" in text
    assert "SCALE=3" in text
    for name in ("lr", "betas[0]", "betas[1]", "eps", "step count", "random counter"):
        assert name in text
    assert "the NumPy dialect was asked for" in text
    assert re.search(r"NumPy: a line per value, \d+ buffers", text)


def test_explain_counts_operations():
    program = dd.compile(lambda x, w: x @ w, dialect="numpy")
    program(dd.ones(64, 784), dd.ones(784, 10))
    assert "1.004 Mflop" in program.explain()  # 2 · 64 · 784 · 10


def test_explain_shows_loops():
    pytest.importorskip("numba")
    program = dd.compile(lambda x, w: (x @ w).relu().sum(1), dialect="numba")
    program(dd.ones(64, 32), dd.ones(32, 16))
    text = program.explain()
    assert "Numba: 3 values in 1 groups" in text
    assert "64 rows in turn" in text
    assert "not in Numba's loops" not in text


def test_explain_predicts(compiled):
    program = compiled(lambda x, w: x @ w)
    x, w = dd.ones(256, 512), dd.ones(512, 256)
    for _ in range(5):
        program(x, w)
    found = re.search(r"predicted ([\d,]+) µs at .*Gflop/s, .*GB/s", program.explain())
    assert found is not None
    ratio = re.search(r"the fastest call took ([\d.]+) times that", program.explain())
    assert 0.05 < float(ratio[1]) < 100  # a busy machine stretches both


def test_explain_says_what_was_not_fused_and_why():
    pytest.importorskip("numba")

    def f(x, w):
        y = (x @ w).relu()  # (64, 64)
        return y, y.t() @ y

    program = dd.compile(f, dialect="numba")
    program(dd.ones(64, 32), dd.ones(32, 64))
    text = program.explain()
    assert "apart: matmul needs other rows of maximum (64, 64) float32, too" in text
    assert re.search(r"memory: [\d.]+, [\d.]+ MB level by level, [\d.]+ MB for blocks", text)

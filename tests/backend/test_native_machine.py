"""The native loops compiled by Numba: the same functions, the same numbers."""

import json
import logging
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepdive.backend.native import NDArray, asarray, kernels, machine, namespace
from deepdive.backend.vocabulary import VOCABULARY, rules
from deepdive.errors import DeepDiveError

pytest.importorskip("numba")
NUMBERS = {
    "float32": [-2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 2.5, math.inf, math.nan, 7.0],
    "float64": [-2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 2.5, -math.inf, math.nan, 700.0],
    "int64": [-7, -2, -1, 0, 1, 2, 3, 5, 6, (1 << 62) + 1],
    "int8": [-128, -7, -1, 0, 1, 2, 3, 5, 6, 127],
    "uint8": [0, 1, 2, 3, 200, 255, 7, 8, 9, 10],
    "bool": [True, False] * 5,
}
# whole numbers to a power have no type a machine could know beforehand
BY_PYTHON = {("pow", "int64"), ("pow", "int8"), ("pow", "uint8")}


@pytest.fixture
def compiled(monkeypatch):
    """Whether loops are compiled at once, however short: ``compiled(True)``."""
    monkeypatch.setattr(machine, "SMALL", 0)

    def choose(yes):
        monkeypatch.setattr(machine.policy, "price", 0.0 if yes else None)

    return choose


def same(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape
    ours, theirs = found.tolist(), expected.tolist()
    if found.dtype.kind == "f":
        np.testing.assert_allclose(ours, theirs, rtol=2e-6)
        assert np.array_equal(np.signbit(ours), np.signbit(theirs)) or np.isnan(theirs).any()
    else:
        assert ours == theirs


def elementwise():
    for name, word in VOCABULARY.items():
        if word.shape_rule is rules.elementwise and word.parameters in ("x", "x, y"):
            yield name, len(word.parameters.split(","))


def check_word(name, arity, dtype, compiled, caplog):
    """A word on all pairs of the numbers; False if it has no meaning for the dtype."""
    row = asarray(NUMBERS[dtype], dtype)
    args = [row] if arity == 1 else [row.reshape(10, 1), row]
    compiled(False)
    try:
        expected = getattr(namespace, name)(*args)
    except DeepDiveError:
        return False
    compiled(True)
    with caplog.at_level(logging.INFO, "deepdive"):
        same(getattr(namespace, name)(*args), expected)
    assert ("stays with Python" in caplog.text) == (
        (name, dtype) in BY_PYTHON and bool(caplog.text)
    )
    caplog.clear()
    return True


QUICK = ("divide", "remainder", "sigmoid", "log", "round", "pow")


@pytest.mark.parametrize("name", QUICK)
def test_words(name, compiled, caplog):
    arity = len(VOCABULARY[name].parameters.split(","))
    assert check_word(name, arity, "float32", compiled, caplog)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize(("name", "arity"), elementwise())
def test_all_words(name, arity, dtype, compiled, caplog):
    check_word(name, arity, dtype, compiled, caplog)


def cases():
    """Calls that go through every other loop, on views too."""
    x = asarray([[0.5, -1.5, 2.0], [4.0, 0.25, -3.0]])
    n = asarray([[1, 2, 3], [250, 5, 6]], "uint8")
    i = asarray([[2, 0, 0], [1, 1, 2]])
    xp = namespace
    return {
        "sum": lambda: xp.sum(x.T, 0),
        "sum of bytes": lambda: xp.sum(n, 1),
        "max": lambda: xp.max(x[:, ::-1], 1),
        "any": lambda: xp.any(x > 3, 0),
        "cumulative_sum": lambda: xp.cumulative_sum(x.T, 0),
        "argmax": lambda: xp.argmax(x, 1),
        "where": lambda: xp.where(x > 0, x, n),
        "astype": lambda: xp.astype(x, "uint8"),
        "copy": lambda: x.T.copy(),
        "index_add": lambda: xp.index_add(n, asarray([1, 1]), asarray([[5], [7]], "uint8")),
        "take_along_axis": lambda: xp.take_along_axis(x, i, 1),
        "scatter_add": lambda: xp.scatter_add(x, i, x, 1),
        "setitem": lambda: xp.setitem(x, (slice(None), 1), 7.0),
        "matmul": lambda: xp.matmul(x, x.T),
        "matmul of bytes": lambda: xp.matmul(n, n.T),
        "stacked": lambda: xp.matmul(x.expand((2, 2, 3)), x.T),
        "expanded": lambda: x[:1].expand((4, 3)) * x[0],
        "nothing": lambda: xp.sum(x[:0], 1),
    }


def test_every_loop(compiled):
    for name, run in cases().items():
        compiled(False)
        expected = run()
        compiled(True)
        found = run()
        assert isinstance(found, NDArray), name
        same(found, expected)
    used = {n: x for n, x in vars(kernels).items() if isinstance(x, machine.Loop)}
    for name, each in used.items():
        assert any(run is not None for run in each.compiled.values()), name
        assert None not in each.compiled.values() or name == "zip_loop", name


def test_a_loop_is_compiled_when_it_has_been_worth_it(monkeypatch):
    monkeypatch.setattr(machine.policy, "price", 0.02)
    loop = machine.Loop(kernels.copy_loop.function)
    x = asarray(list(range(5000)))
    out = asarray([0] * 5000)
    key = ("q", "q", "q", "q")
    runs = 0
    while not loop.compiled:
        spent = loop.spent.get(key, 0.0)
        loop(out.buffer, range(5000), x.buffer, range(5000))
        assert bool(loop.compiled) == (spent >= 0.02)
        runs += 1
        assert runs < 10_000
    assert loop.spent[key] >= 0.02 and loop.compiled[key] is not None and runs > 1
    before = dict(loop.spent)
    loop(out.buffer, range(5000), x.buffer, range(4999, -1, -1))
    assert out.tolist() == list(range(4999, -1, -1)) and loop.spent == before
    short = machine.Loop(kernels.copy_loop.function)
    short(out.buffer[:10], range(10), x.buffer[:10], range(10))
    assert not short.spent and not short.compiled


def test_what_numba_cannot_compile_stays_with_python(compiled, caplog):
    compiled(True)

    def added(out, f, x, at):
        for k, i in enumerate(at):
            out[k] += f(x[i])

    def spelled(number):
        return int(str(number)[:1] + "0" * 2, base=10)

    loop = machine.Loop(added)
    out = asarray([1, 2]).buffer
    with caplog.at_level(logging.INFO, "deepdive"):
        loop(out, spelled, asarray([5, 6]).buffer, range(2))
        loop(out, spelled, asarray([5, 6]).buffer, range(2))
    assert list(out) == [1001, 1202]
    assert caplog.text.count("added of") == 1
    # an integer that Numba would send through a float is Python's, and nothing is added twice
    assert (asarray([3, -3]) ** asarray([39, 39])).tolist() == [3**39, -(3**39)]


@pytest.mark.parametrize("asked", ["0", "1", ""])
def test_the_environment_decides(asked):
    code = """
import json
from deepdive.backend.native import asarray, kernels, machine
x = asarray([1.0] * 300)
x.T + x
print(json.dumps([machine.policy.price, len(kernels.zip_loop.compiled)]))
"""
    env = {"DEEPDIVE_NATIVE_JIT": asked, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert json.loads(run.stdout) == {"0": [None, 0], "1": [0.0, 1], "": [machine.PRICE, 0]}[asked]


@pytest.mark.slow
def test_digits_in_fifteen_seconds():
    """Two layers on the digits to ≥ 90 % with ``[jit]``, the process and compiling included."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        from bench_native import training
    finally:
        del sys.path[0]
    seconds, busy, right = training("native", False, "", 32)
    print(f"{right:.1%} in {seconds:.1f} s, {busy:.1f} s of the processor")
    assert right >= 0.9 and busy < 15  # a crowded machine takes longer by the clock

"""Every registered operator, recorded: lazily and compiled it gives what it gives eagerly."""

import functools

import numpy as np
import pytest

import deepdive as dd
from deepdive.compiler.simplify import simplified
from deepdive.compiler.stages import Cut, mixed
from deepdive.compiler.trace import Tracer
from deepdive.core.tensor import wrap
from deepdive.errors import GraphError
from deepdive.testing.samples import registered_functions
from tests.compiler.operator_calls import calls

FUNCTIONS = [pytest.param(function, id=name) for name, function in registered_functions()]
TOLERANCE = {"float32": 1e-4, "float64": 1e-7}
# The loops may reorder sums, and x + -x is 0 for them for infinite x, too: here the variance of a
# single number, 0 / 0, has the gradient 0 instead of NaN.
UNLIKE = [("var", "(float64[])")]
BATCH = 12  # calls that share a compiled program


@pytest.fixture(autouse=True)
def quiet():
    """Logarithms of negative numbers are samples, too."""
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_lazy_is_eager(function, dtype):
    for call in calls(function, dtype):
        with dd.lazy():
            found = call.run(call.tensors)
        call.compare(found, TOLERANCE[dtype])


def depends_on_values(call):
    """Whether a size in this call is known only from a mask."""
    if call.case.function.__name__ in ("unique", "unique_consecutive"):
        return True
    return any(array.dtype == bool for array in call.case.arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_compiled_numpy_is_eager(function, dtype):
    for call in calls(function, dtype):
        program = dd.compile(lambda *tensors, call=call: call.run(tensors), dialect="numpy")
        try:
            for _ in range(2):
                call.compare(program(*call.tensors), TOLERANCE[dtype])
        except GraphError as error:
            assert "depends on values" in str(error) and depends_on_values(call)


# --- loops compiled by Numba ---------------------------------------------------------------------
@functools.cache
def float32_calls():
    """All float32 calls: the name of the function, the call, what there is of loops and words."""
    pytest.importorskip("numba", reason="the loops are compiled by Numba")
    functions = registered_functions()
    found = [(name, call) for name, f in functions for call in calls(f, "float32")]
    return [(name, call, in_loops(call)) for name, call in found]


def numba_calls(words=False):
    """The calls that are loops alone, or loops and words that are called."""
    chosen = [each[:2] for each in float32_calls() if each[2] == (True, words)]
    return [(name, call) for name, call in chosen if (name, str(call)) not in UNLIKE]


def in_loops(call):
    """Whether there are loops for a call, and words without."""
    tracer = Tracer()
    boxes = [wrap(tracer.argument(t._data, lambda: None, "")) for t in call.tensors]
    try:
        _, graph = tracer.run(call.run, (boxes,), {})
    except GraphError:  # a size depends on values
        return False, True
    cut = Cut(mixed(simplified(graph)), thrifty=False)
    return bool(cut.nodes), bool(cut.called)


def check_together(batch):
    """One program for many calls, since each takes a second to compile; run twice."""

    def run(*tensors):
        rest = iter(tensors)
        return [call.run([next(rest) for _ in call.tensors]) for _, call in batch]

    program = dd.compile(run, dialect="numba")
    tensors = [tensor for _, call in batch for tensor in call.tensors]
    for _ in range(2):
        for (name, call), found in zip(batch, program(*tensors), strict=True):
            try:
                call.compare(found, TOLERANCE["float32"])
            except AssertionError as error:
                raise AssertionError(f"{name}{call}: {error}") from None


def test_some_compiled_loops_are_eager():
    """A seeded sample, all in two programs."""
    found = numba_calls()
    assert len(found) > 500
    chosen = np.random.default_rng(0).permutation(len(found))[: 2 * BATCH]
    for start in (0, BATCH):
        check_together([found[i] for i in chosen[start : start + BATCH]])


def test_some_mixed_programs_are_eager():
    """Words between loops, and loops between words."""
    found = numba_calls(words=True)
    assert len(found) > 300
    chosen = np.random.default_rng(1).permutation(len(found))[: BATCH // 2]
    check_together([found[i] for i in chosen])


@pytest.mark.slow
@pytest.mark.parametrize("words", [False, True])
def test_all_compiled_loops_are_eager(words):
    found = numba_calls(words)
    for start in range(0, len(found), BATCH):
        check_together(found[start : start + BATCH])


def test_what_has_no_loop_is_said():
    x = dd.tensor([3.0, 1.0, 2.0])
    with pytest.raises(GraphError, match="no loop for the word 'cumulative_sum'"):
        dd.compile(lambda x: x.cumsum(0), dialect="numba")(x)
    program = dd.compile(lambda x: x.cumsum(0))
    assert program(x).tolist() == [3.0, 4.0, 6.0]
    assert "no loop for the word 'cumulative_sum'" in program.explain()

"""On a real GPU: programs compute what eager mode computes, and a step is one launch."""

import warnings

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend.speakers import of_device
from deepdive.errors import GraphError
from tests.backend.device_laws import FUNCTIONS, agree, cases, computed
from tests.compiler.test_chains import SPECIAL, every_word
from tests.compiler.test_device_operators import LEAVES, SIZES
from tests.compiler.test_device_programs import STEPS, WORKS, Training

THERE = "cuda:0"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_programs_of_operators(function, request):
    name = request.node.callspec.id
    for number, case in enumerate(cases(function, 0, 500)):
        if number == 2 or name in LEAVES:
            break
        tensors = [dd.tensor(array, device=THERE) for array in case.arrays]
        program = dd.compile(lambda *given, case=case: computed(case, given, THERE))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                for _ in range(3):  # as recorded, captured, and as one launch
                    agree(case, program(*tensors), of_device(THERE).ARRAY_TYPE)
            except GraphError:
                assert name in SIZES


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_word_of_a_kernel(dtype):
    x = np.repeat(SPECIAL, len(SPECIAL)).astype(dtype)
    y = np.tile(SPECIAL, len(SPECIAL)).astype(dtype)
    with np.errstate(all="ignore"):
        expected = every_word(dd.tensor(x), dd.tensor(y))
    program = dd.compile(every_word)
    for _ in range(3):
        found = program(dd.tensor(x, device=THERE), dd.tensor(y, device=THERE))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), 1e-5)


@pytest.mark.parametrize("name", WORKS)
def test_a_step_is_one_launch(name, monkeypatch):
    eager, program = Training(name, THERE, False), Training(name, THERE, True)
    monkeypatch.setattr(of_device(THERE).host, "mode", "error")
    rows = [side.go(STEPS) for side in (eager, program)]
    monkeypatch.setattr(of_device(THERE).host, "mode", "default")
    expected, found = ([loss.item() for loss in row] for row in rows)
    np.testing.assert_allclose(found, expected, 1e-3)
    for one, other in zip(program.state(), eager.state(), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), 1e-2, 1e-4)
    assert "; one launch a call\n" in program.step.explain()


def test_half_precision():
    eager, program = (Training("mlp", THERE, compiled, "float16") for compiled in (False, True))
    expected, found = ([loss.item() for loss in side.go(STEPS)] for side in (eager, program))
    np.testing.assert_allclose(found, expected, 1e-2)


def test_memory_of_a_graph_is_nobody_elses():
    """What is computed beside a captured program does not disturb it, nor it them."""
    w = dd.ones(1 << 16, device=THERE)
    step = dd.compile(lambda x: (w * x + 1).exp().sum() * x)
    x = dd.ones(1 << 16, device=THERE)
    first = [step(x) for _ in range(3)][-1].numpy().copy()
    kept = []
    for i in range(20):
        kept.append(dd.full((1 << 16,), float(i), device=THERE) * 2)
        dd.cuda.empty_cache()
        assert (step(x).numpy() == first).all()
    assert all((array.numpy() == 2.0 * i).all() for i, array in enumerate(kept))

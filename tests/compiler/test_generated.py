"""Generated programs are text one reads: the same text every time, shown here in full.

After a deliberate change of the generators, write the expected texts anew with
``DEEPDIVE_GOLDEN=write python -m pytest tests/compiler/test_generated.py`` and read the difference.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import deepdive as dd
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER

GOLDEN = Path(__file__).parent / "golden"


def step(device="cpu"):
    """A layer, its gradient and its update: a little of everything."""
    w = dd.tensor([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]], device=device, requires_grad=True)
    optimizer = dd.optim.SGD([w], lr=0.1)

    def run(x):
        optimizer.zero_grad()
        loss = (x @ w).relu().square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return run


def check(dialect):
    program = dd.compile(step(), dialect=dialect)
    found = program(dd.ones(8, 3)).item()
    assert found == pytest.approx(step()(dd.ones(8, 3)).item())
    compare(program, dialect)


def compare(program, name):
    path = GOLDEN / f"step_{name}.txt"
    if os.environ.get("DEEPDIVE_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(program.source, encoding="utf-8")
    assert program.source == path.read_text(encoding="utf-8"), f"see the top of {__file__}"


def test_the_numpy_program():
    check("numpy")


def test_the_program_of_loops():
    pytest.importorskip("numba")
    check("numba")


@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler to run CUDA's source")
def test_the_program_of_a_gpu():
    x = dd.ones(8, 3, device=standin.DEVICE)
    program = dd.compile(step(x.device))
    for _ in range(3):
        found = program(x).item()
    run = step()
    assert found == pytest.approx([run(dd.ones(8, 3)).item() for _ in range(3)][-1])
    compare(program, "gpu")


def test_the_graph_is_printed():
    program = dd.compile(lambda x: (x + 1).sum(), dialect="numpy")
    program(dd.ones(2, 3))
    assert str(program.graph).splitlines() == [
        "   x0 = input                  (2, 3) float32",
        "   v0 = add(x=x0, y=1)  # (2, 3) float32",
        "   v1 = sum(x=v0, axis=None, keepdims=False)  # () float32",
        "return v1",
    ]


def test_a_numpy_program_runs_on_its_own(tmp_path):
    """The text is a module: another Python runs it without compiling anything."""
    program = dd.compile(lambda x, y: (x * y).exp().sum(0), dialect="numpy")
    x, y = dd.tensor([[0.5, 1.0], [0.0, -1.0]]), dd.tensor([2.0, 3.0])
    expected = program(x, y).tolist()
    path = tmp_path / "generated.py"
    call = f"""
shapes = {[shape for shape, _ in program.latest.code.buffers]}
arrays = [np.array(a, "f") for a in ({x.tolist()}, {y.tolist()})]
print(program(arrays, [], [np.empty(s, "f") for s in shapes])[0].tolist())
"""
    path.write_text(program.source + call, encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert eval(done.stdout or "None") == pytest.approx(expected), done.stderr


@pytest.mark.parametrize(
    ("width", "word", "hidden"), [(16, "tanh", True), (5, "tanh", True), (5, "square", False)]
)
def test_short_loops_hide_their_count(width, word, hidden):
    """LLVM would write them out, an element at a time."""
    pytest.importorskip("numba")
    x = dd.tensor([[0.5 + i for i in range(width)] for _ in range(4)])
    b = dd.ones(width)
    function = lambda x: (getattr(x, word)() + b).sum(1)  # noqa: E731
    program = dd.compile(function, dialect="numba")
    assert program(x).tolist() == pytest.approx(function(x).tolist())
    assert (f"range(few({width}))" in program.source) == hidden

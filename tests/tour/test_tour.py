"""The tour runs, its exercises can be solved, and they refuse what is wrong."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TOUR = ROOT / "tour"
STEPS = sorted(path.stem for path in TOUR.glob("step*.py"))


@pytest.fixture
def tour(monkeypatch):
    """Imports a file of the tour by name, as its neighbours do."""
    monkeypatch.syspath_prepend(str(TOUR))
    return import_module


def run(path, folder):
    """What a program of the tour prints, from whichever folder."""
    result = subprocess.run(
        [sys.executable, str(path)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_steps_are_numbered_and_short():
    assert [int(name[4:6]) for name in STEPS] == list(range(1, len(STEPS) + 1))
    lengths = {path.name: len(path.read_text().splitlines()) for path in TOUR.glob("*.py")}
    too_long = {n: size for n, size in lengths.items() if n != "solutions.py" and size > 120}
    assert too_long == {}


@pytest.mark.parametrize("step", STEPS)
def test_step_runs(step, tmp_path):
    out = run(TOUR / f"{step}.py", tmp_path)
    assert out.count("exercise: ") == 1
    line = int(re.search(r"exercise: not solved yet .* line (\d+) ", out).group(1))
    source = (TOUR / f"{step}.py").read_text().splitlines()
    assert source[line - 1].startswith("def exercise(")
    assert len(out.splitlines()) >= 6
    assert max(map(len, out.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == []


def test_readme_names_every_step():
    names = re.findall(r"\[`(step\w+)\.py`\]", (TOUR / "README.md").read_text())
    assert names == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_solution(tour, step):
    solution = tour("solutions").SOLUTIONS[step]
    verdict = tour("verdict").verdict(solution, tour(step).check_exercise)
    assert verdict.startswith("solved")


@pytest.mark.parametrize("step", STEPS)
def test_hole_and_nothing_are_refused(tour, step):
    judge, module = tour("verdict").verdict, tour(step)
    assert judge(module.exercise, module.check_exercise).startswith("not solved yet")
    answer = judge(lambda *args, **kwargs: None, module.check_exercise)
    assert answer.startswith(("not right yet", "it raised"))


WRONG = [  # the mistakes one makes, and a word of what the reader is told
    ("step01_remember", lambda value: [value], "the leaves of a * b"),
    ("step01_remember", lambda v: [*dict.fromkeys(v.parents)] or [v], "the oldest first"),
    ("step02_slopes", lambda out, x, y: (1 / y, x / y**2), "the slope in y at x = 1, y = 2"),
    ("step02_slopes", lambda out, x, y: 1 / y, "two slopes are wanted"),
    ("step03_recursion", lambda value, x: 1.0 if value is x else 2 * x.data, "dy/dx"),
    ("step04_order", lambda root: [root, *root.parents], "the length of your list"),
    ("step06_moons", lambda loss, ws, s: loss.data, "a Value is wanted"),
    ("step06_moons", lambda loss, ws, s: loss + s * sum(ws), "weights 3 and -2"),
]


@pytest.mark.parametrize(("step", "wrong", "said"), WRONG)
def test_wrong_solution_is_explained(tour, step, wrong, said):
    answer = tour("verdict").verdict(wrong, tour(step).check_exercise)
    assert answer.startswith("not right yet") and said in answer


def test_forgotten_batch_sizes_are_noticed(tour):
    step, backward = tour("step05_reuse"), tour("step04_order").backward

    def mean_of_means(loss_of, w, batches):
        total = 0.0
        for batch in batches:
            backward(loss_of(w, batch))
            total += w.grad / len(batches)
        return total

    answer = tour("verdict").verdict(mean_of_means, step.check_exercise)
    assert "dw over the batches [[1.0, 2.0, 3.0], [7.0]]" in answer


def test_an_order_that_is_none_is_noticed(tour):
    step = tour("step04_order")

    def depth_first(root):
        seen, waiting = {}, [root]
        while waiting:
            value = waiting.pop()
            if value not in seen:
                seen[value] = True
                waiting += value.parents
        return list(seen)

    answer = tour("verdict").verdict(depth_first, step.check_exercise)
    assert "which was made of it" in answer


def test_solutions_program(tmp_path):
    lines = run(TOUR / "solutions.py", tmp_path).splitlines()
    assert [line.split()[0] for line in lines] == STEPS
    assert all(line.endswith("solved – on to the next step") for line in lines)

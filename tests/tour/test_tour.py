"""The tour runs, its exercises can be solved, and they refuse what is wrong."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from math import prod
from pathlib import Path

import numpy as np
import pytest

from deepdive import nn

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


def test_a_reader_solves_an_exercise_in_the_file(tmp_path):
    folder = shutil.copytree(TOUR, tmp_path / "tour", ignore=shutil.ignore_patterns("__pycache__"))
    step = folder / "step02_slopes.py"
    hole = "    raise NotImplementedError\n"
    source = step.read_text()
    step.write_text(source.replace(hole, "    return 1 / y, x / y**2\n"))
    assert "exercise: not right yet – the slope in y" in run(step, tmp_path)
    step.write_text(source.replace(hole, "    return 1 / y, -x / y**2\n"))
    assert "exercise: solved" in run(step, tmp_path)
    step.write_text(source.replace(hole, "    return 1 / z\n"))
    assert "exercise: it raised NameError: name 'z'" in run(step, tmp_path)


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
    ("step08_tensor", lambda out, x: 1 / (1 + np.exp(-x)), "at x = ±1000: overflow"),
    ("step08_tensor", lambda out, x: out, "nudging gives"),
    ("step09_broadcasting", lambda a, b: (prod(b), prod(a)), "uses for the shapes (2, 3)"),
    ("step10_matmul", lambda grad, x, w, b: (grad @ w, x.T @ grad, grad.sum(0)), "shape of dw"),
    ("step10_matmul", lambda grad, x, w, b: (grad @ w, grad.T @ x, grad[0]), "db: nudging"),
    ("step11_contract", lambda xp, grad, x: grad / (1 + xp.abs(x)), "two steps in a row"),
    ("step11_contract", lambda xp, grad, x: 1 / (1 + xp.abs(x)) ** 2, "two steps in a row"),
    ("step12_operators", lambda xp, grad, out: grad * out * (1 - out), "nudging gives"),
    ("step13_laws", lambda classes: [], "among Cube, Mul, Careless"),
    (
        "step13_laws",
        lambda cs: [c.__name__ for c in cs if c.__name__ in ("Cube", "Careless")],
        "Transpose and Greedy",
    ),
    ("step16_cross_entropy", lambda x, truth: np.logaddexp(0, -x).mean(), "x = [-2.0"),
    (
        "step16_cross_entropy",
        lambda x, t: (
            -(t * np.log(1 / (1 + np.exp(-x))) + (1 - t) * np.log(1 / (1 + np.exp(x)))).mean()
        ),
        "at x = ±1000",
    ),
    ("step17_optimizers", lambda w, g, v, lr: (w - lr * g, 0.99 * v + 0.01 * g**2), "w after"),
    ("step17_optimizers", lambda w, g, v, lr: (w, v + g), "v after one step"),
    ("step18_digits", lambda said, truth: np.histogram2d(said, truth, 10)[0], "row 3, column 8"),
    ("step19_second_order", lambda f, x, v: np.ones(3), "nudging gives"),
    ("step20_recording", lambda array: 60, "x + 1"),
    ("step21_program", lambda lines, outputs: {line.name: set() for line in lines}, "after v1"),
    ("step21_program", lambda lines, outs: {line.name: set(line.inputs) for line in lines}, "v0"),
    ("step22_generating", lambda lines: (lines, {}), "is v1 kept"),
    ("step22_generating", lambda lines: (lines[:1], {}), "two different things"),
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


def test_a_copied_diagonal_is_no_view(tour):
    step = tour("step07_strides")

    def copied(matrix):
        numbers = matrix.numbers()[:: matrix.shape[1] + 1]
        return step.NDArray(numbers[: min(matrix.shape)], (min(matrix.shape),))

    answer = tour("verdict").verdict(copied, step.check_exercise)
    assert "shares the matrix's memory" in answer


def test_a_load_that_stops_half_way_is_noticed(tour):
    step = tour("step15_modules")

    def hasty(module, arrays):
        for name, parameter in module.named_parameters():
            if name in arrays:
                parameter.data = arrays[name]
                if arrays[name].shape != ((2,) if "bias" in name else (2, 3)):
                    raise ValueError(name)
        names = dict(module.named_parameters())
        missing = [name for name in names if name not in arrays]
        return missing, [name for name in arrays if name not in names]

    answer = tour("verdict").verdict(hasty, step.check_exercise)
    assert "parameters after a refused load" in answer


def test_a_forgotten_axis_is_noticed(tour):
    step = tour("step14_speakers")

    def flat(x, axis):
        return step.Plain([max(x.numbers())], (1, 1))

    answer = tour("verdict").verdict(flat, step.check_exercise)
    assert "the shape for a (2, 3) matrix, axis 0" in answer


@pytest.mark.parametrize(
    ("zero", "share", "rows", "said"),
    [
        (False, 0.5, 5, r"the loss of step \d: expected"),
        (True, 1.0, 5, r"the loss of step \d: expected"),
        (True, 1.0, 10, "has the model seen 5 rows at most"),
    ],
)
def test_a_step_in_parts_that_is_none_is_noticed(tour, zero, share, rows, said):
    step = tour("step23_compiled")

    def in_parts(model, optimizer, x, y):
        if zero:
            optimizer.zero_grad()
        total = 0.0
        for start in range(0, 10, rows):
            some = slice(start, start + rows)
            loss = nn.functional.cross_entropy(model(x[some]), y[some]) * share
            loss.backward()
            total = total + loss.detach()
        optimizer.step()
        return total

    answer = tour("verdict").verdict(in_parts, step.check_exercise)
    assert re.search(f"not right yet – (compiled, )?{said}", answer)


def test_the_tours_compiled_step_is_the_tours_step(tour):
    step = tour("step23_compiled")
    draw = np.random.default_rng(0)
    x, truth = draw.normal(size=(12, 64)), np.eye(10)[np.arange(12) % 10]
    losses = []
    for compiled in (False, True):
        draw = np.random.default_rng(1)
        layers = step.Linear(64, 8, draw), step.ReLU(), step.Linear(8, 10, draw)
        model = step.Sequential(*layers)
        optimizer = step.Momentum(model.parameters(), lr=0.1)
        if compiled:
            fast, _ = step.compiled(model, optimizer, x, truth)
            losses.append([float(fast(x, truth)) for _ in range(20)])
        else:
            tensor = step.Tensor(x)
            steps = [step.train_step(model, optimizer, tensor, truth) for _ in range(20)]
            losses.append([float(loss.data) for loss in steps])
    assert losses[0] == losses[1] and losses[0][-1] < 0.5 < losses[0][0]


def test_solutions_program(tmp_path):
    lines = run(TOUR / "solutions.py", tmp_path).splitlines()
    assert [line.split()[0] for line in lines] == STEPS
    assert all(line.endswith("solved – on to the next step") for line in lines)

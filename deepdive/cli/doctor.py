"""``deepdive doctor``: is this installation sound, and how fast is it?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import Any

from deepdive import nn, optim
from deepdive.cli.arguments import program
from deepdive.compiler import store
from deepdive.compiler.compile import compile
from deepdive.core import random
from deepdive.core.autograd import gradcheck
from deepdive.core.tensor import Tensor
from deepdive.errors import DeepDiveError
from deepdive.host import NUMPY, np
from deepdive.nn import functional as F
from deepdive.ops import creation
from deepdive.utils.gpu import why_no_cupy

Check = Callable[[], str]

REPEATS = 30
ENOUGH = 0.3  # seconds a measurement takes at least, as far as REPEATS allow


def run(options: Any) -> None:
    """Prints a line for each question, then what was measured.

    Raises:
        DeepDiveError: if something is not sound, after all questions.
    """
    failed = 0
    for name, check in CHECKS.items():
        try:
            print(f"  ok    {name}: {check()}", flush=True)
        except Absent as absent:
            print(f"  -     {name}: {absent}", flush=True)
        except Exception as error:  # whatever is wrong here is what the command is for
            failed += 1
            lines = str(error).strip().splitlines() or [""]
            print(f"  WRONG {name}: {type(error).__name__}: {lines[0]}", flush=True)
    if not failed and not options.quick:
        print("\nhow fast, on this machine as busy as it is now:")
        for name, figure in figures():
            print(f"  {name}: {figure}", flush=True)
    if failed:
        raise DeepDiveError(
            f"doctor: {failed} of {len(CHECKS)} questions went wrong",
            fix=f"send what '{program()} info' prints along when you report it",
        )


class Absent(Exception):
    """Something optional that is not installed: not a fault."""


# --- is it sound? --------------------------------------------------------------------------------
def data_files() -> str:
    """The digits in the wheel are whole."""
    from deepdive.datautils import Digits

    digits = Digits(train=None)
    expect(len(digits) == 1797, f"{len(digits)} digits instead of 1,797")
    expect(int(digits.labels.sum()) == 8070, "the labels are not those that were shipped")
    return "1,797 digits, labels as shipped"


def gradients() -> str:
    """Backward agrees with finite differences."""
    generator = random.Generator(0)
    x = Tensor(generator.normal((3, 4), dtype="float64"), requires_grad=True)
    w = Tensor(generator.normal((2, 4), dtype="float64"), requires_grad=True)
    agrees = gradcheck(lambda x, w: F.softmax(F.gelu(F.linear(x, w)), -1), (x, w))
    expect(agrees, "backward and finite differences differ")
    return "backward agrees with finite differences"


def random_bits() -> str:
    """Seeds give the numbers they give everywhere."""
    drawn = random.Generator(0).integers(0, 1000, (5,)).tolist()
    expect(drawn == SEED_0, f"seed 0 draws {drawn} instead of {SEED_0}")
    return f"seed 0 draws {drawn}"


def training() -> str:
    """A small network learns, and two runs from one seed agree bit by bit."""
    first, second = small_training(), small_training()
    expect(first == second, "two runs from one seed differ")
    expect(first[-1] < 0.7 * first[0], f"the loss went from {first[0]:.3f} to {first[-1]:.3f}")
    return f"the loss falls from {first[0]:.3f} to {first[-1]:.3f}, twice the same"


def compiled() -> str:
    """A compiled step does what the eager one does."""
    eager, program = small_training(), small_training(compile)
    worst = max(abs(a - b) / abs(b) for a, b in zip(program, eager, strict=True))
    expect(worst < 1e-4, f"compiled and eager losses differ by {worst:.1e}")
    how = "Numba loops" if find_spec("numba") else "NumPy calls; pip install 'deepdive-ml[jit]'"
    return f"losses as in eager mode, {worst:.0e} apart at most ({how})"


def files() -> str:
    """A model that is saved and loaded predicts the same."""
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    x = creation.ones(2, 4)
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        again = nn.load_from_arc(folder)
    expect(model(x).tolist() == again(x).tolist(), "a reloaded model predicts something else")
    return "a saved model predicts the same"


def cache() -> str:
    """Compiled programs can be kept."""
    if not find_spec("numba"):
        raise Absent("nothing is kept without Numba: pip install 'deepdive-ml[jit]'")
    folder = store.folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    return str(folder)


def native() -> str:
    """Arrays in plain Python compute what the default ones do."""
    values = [[1.0, -2.0], [0.5, 3.0]]
    here = Tensor(values, requires_grad=False)
    there = Tensor(values, requires_grad=False, device="native")
    a = (here @ here).tanh().sum(0).tolist()
    b = (there @ there).tanh().sum(0).tolist()
    expect(all(abs(x - y) < 1e-6 for x, y in zip(a, b, strict=True)), f"{a} and {b}")
    return "the same numbers in plain Python"


def gpu() -> str:
    """The GPU, where there is one."""
    reason = why_no_cupy()
    if reason:
        raise Absent(reason)
    x = creation.ones(64, 64).to("cuda")
    expect(float((x @ x).sum().item()) == 64.0**3, "a matrix product on the GPU is wrong")
    return "a matrix product on the GPU is right"


CHECKS: dict[str, Check] = {
    "data": data_files,
    "gradients": gradients,
    "random numbers": random_bits,
    "training": training,
    "compiler": compiled,
    "files": files,
    "cache": cache,
    "native arrays": native,
    "GPU": gpu,
}
SEED_0 = [68, 980, 635, 675, 259]


def expect(fact: Any, otherwise: str) -> None:
    """Raises:
    DeepDiveError: `otherwise`, unless `fact`.
    """
    if not fact:
        raise DeepDiveError(otherwise)


def small_training(prepared: Callable[[Any], Any] = lambda step: step) -> list[float]:
    """The losses of a few steps from a fixed seed."""
    generator = random.Generator(1)
    x = Tensor(generator.normal((32, 8)), requires_grad=False)
    y = (x * x).sum(1, keepdim=True)
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    for p in model.parameters():
        nn.init.uniform_(p, -0.3, 0.3, generator)
    step = prepared(step_of(model, optim.Adam(model.parameters(), lr=0.05), F.mse_loss))
    return [float(step(x, y).item()) for _ in range(30)]


# --- how fast is it? -----------------------------------------------------------------------------
def figures() -> Iterator[tuple[str, str]]:
    """Names and figures, one after the other."""
    a = creation.rand(8, 8)
    a.requires_grad = True
    took = seconds(lambda: (a * a + a).sum().backward()) / 3
    yield "an operator on 8 x 8 numbers, forward and backward", f"{took * 1e6:.2f} µs"
    if NUMPY:
        n = 1024
        square = np.ones((n, n), "float32")
        yield f"NumPy's matrix product {n}³", rate(2 * n**3, seconds(lambda: square @ square))
    yield "MLP step 784-128-10, batch 64", milliseconds(lambda step: step)
    if find_spec("numba"):
        yield "the same, compiled", milliseconds(compile)


def milliseconds(prepared: Callable[[Any], Any]) -> str:
    """The time of one step of a small classifier."""
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    x, y = creation.rand(64, 784), creation.zeros(64, dtype="int64")
    step = prepared(step_of(model, optim.SGD(model.parameters(), lr=0.1), F.cross_entropy))
    step(x, y)
    times = measured(lambda: step(x, y))
    return f"{median(times) * 1e3:.3f} ms, the fastest {min(times) * 1e3:.3f} ms"


def rate(flops: float, took: float) -> str:
    """Floating-point operations a second."""
    return f"{flops / took / 1e9:.0f} GFLOP/s"


def step_of(model: Any, optimizer: Any, loss_of: Any) -> Callable[[Any, Any], Any]:
    """One training step."""

    def step(x: Any, y: Any) -> Any:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def seconds(function: Callable[[], Any]) -> float:
    """The median of some calls."""
    return median(measured(function))


def measured(function: Callable[[], Any]) -> list[float]:
    """The times of some calls."""
    function()
    times: list[float] = []
    while len(times) < REPEATS or (sum(times) < ENOUGH and len(times) < 100 * REPEATS):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return times

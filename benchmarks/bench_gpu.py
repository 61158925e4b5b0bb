"""Training steps on a GPU, DeepDive beside PyTorch in one run: milliseconds, launches, flops.

    python benchmarks/bench_gpu.py                 all workloads; results/gpu.md and gpu.json
    python benchmarks/bench_gpu.py --only MLP      one of them
    python benchmarks/bench_gpu.py --device standin --quick      a dry run, on any machine

Contestants take turns; the median of the rounds counts.  *submit* is the time Python needs to ask
for a step's work: where it is most of the step, the GPU waits for Python.  *TFLOP/s* counts the
products of the model alone.  TF32 is on for both, or for neither (``--exact``).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

options_of = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options_of.add_argument("--only", default="", help="workloads whose name begins so")
options_of.add_argument("--device", default="cuda")
options_of.add_argument("--quick", action="store_true", help="small sizes, few steps, no results")
options_of.add_argument("--exact", action="store_true", help="float32 products without TF32")
options = options_of.parse_args()
if not options.exact:
    os.environ["CUPY_TF32"] = "1"  # read when CuPy is imported

import numpy as np  # noqa: E402
import workload_gpt  # noqa: E402
from contest import difference, report  # noqa: E402

import deepdive as dd  # noqa: E402
from deepdive.utils import why_no_cupy  # noqa: E402

ROUNDS = 3 if options.quick else 9
STEPS = 5  # whose losses are compared
DTYPES = {"float32": None, "float16": "float16", "bfloat16": "bfloat16"}


class Library(NamedTuple):
    """What the two libraries call the same things."""

    name: str
    root: Any
    tensor: Callable[[Any], Any]
    wait: Callable[[], None]
    adam: Any


class Work(NamedTuple):
    """A model in the words of a library, a batch, and the flops of a step's products."""

    model: Callable[[Library], Any]
    x: np.ndarray
    y: np.ndarray
    flops: float


# --- the workloads -----------------------------------------------------------------------------
def mlp(batch: int) -> Work:
    def model(lib: Library) -> Any:
        n = lib.root.nn
        layers = n.Linear(784, 128), n.LayerNorm(128), n.ReLU(), n.Linear(128, 10), n.LayerNorm(10)
        return n.Sequential(*layers)

    return Work(model, *pictures(batch, 784), 6.0 * batch * (784 * 128 + 1280))


def cnn(batch: int) -> Work:
    def model(lib: Library) -> Any:
        n = lib.root.nn
        return n.Sequential(
            n.Conv2d(1, 32, 3),
            n.ReLU(),
            n.Conv2d(32, 64, 3),
            n.ReLU(),
            n.MaxPool2d(2),
            n.Flatten(),
            n.Linear(9216, 128),
            n.ReLU(),
            n.Linear(128, 10),
        )

    convolutions = 26**2 * 9 * 32 + 24**2 * 9 * 32 * 64
    return Work(model, *pictures(batch, 1, 28, 28), 6.0 * batch * (convolutions + 9216 * 128))


def gpt(layers: int, width: int, context: int, batch: int, vocabulary: int) -> Work:
    workload_gpt.WIDTH, workload_gpt.LAYERS = width, layers
    workload_gpt.HEADS = max(width // 64, 1)
    workload_gpt.SCALE = (width // workload_gpt.HEADS) ** -0.5
    tril = np.tril(np.ones((context, context), "float32"))

    def model(lib: Library) -> Any:
        places, mask = lib.tensor(np.arange(context)), lib.tensor(tril)
        return workload_gpt.make_gpt(lib.root.nn, places, mask, context, vocabulary)

    rng = np.random.default_rng(0)
    x = rng.integers(0, vocabulary, (batch, context))
    y = rng.integers(0, vocabulary, batch * context)
    weights = layers * 12 * width**2 + vocabulary * width
    flops = 6.0 * batch * context * (weights + layers * 2 * width * context)
    return Work(model, x, y, flops)


def pictures(batch: int, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((batch, *shape)).astype("float32"), rng.integers(0, 10, batch)


WORKLOADS: dict[str, Callable[[], Work]] = {
    "MLP 784-128-10, batch 64": lambda: mlp(64),
    "CNN 32-64-9216-128-10, batch 64": lambda: cnn(2 if options.quick else 64),
    "CNN 32-64-9216-128-10, batch 512": lambda: cnn(4 if options.quick else 512),
    "GPT 12 x 768, context 1024, batch 4": lambda: (
        gpt(2, 64, 32, 2, 65) if options.quick else gpt(12, 768, 1024, 4, 50_257)
    ),
}


# --- the contestants ---------------------------------------------------------------------------
def ours() -> Library:
    host = dd.backend.speakers.of_device(options.device)

    def wait() -> None:
        host.cp.cuda.Device().synchronize()

    def tensor(array: Any) -> Any:
        return dd.tensor(array, device=options.device)

    return Library("DeepDive", dd, tensor, wait, dd.optim.AdamW)


def theirs() -> Library | None:
    """PyTorch, on a GPU; in a dry run on the CPU."""
    try:
        import torch
    except ImportError:
        return None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and options.device == "cuda":
        return None
    torch.backends.cuda.matmul.allow_tf32 = not options.exact
    torch.backends.cudnn.allow_tf32 = not options.exact

    def tensor(array: Any) -> Any:
        return torch.tensor(array, device=device)

    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    return Library("PyTorch", torch, tensor, wait, torch.optim.AdamW)


def step_of(
    lib: Library, work: Work, model: Any, dtype: str, compiled: bool = False
) -> Callable[[], Any]:
    """One training step; `model` is on its device.  Compiled, all of it is one program."""
    x, y = lib.tensor(work.x), lib.tensor(work.y)
    optimizer = lib.adam(model.parameters(), lr=1e-3)
    cross_entropy = lib.root.nn.functional.cross_entropy
    kind = options.device if lib.name == "DeepDive" else x.device.type
    half = DTYPES[dtype] and (dtype if lib.name == "DeepDive" else getattr(lib.root, dtype))

    def forward() -> Any:
        if half is None:
            return cross_entropy(model(x), y)
        with lib.root.autocast(kind, half):
            return cross_entropy(model(x), y)

    def step() -> Any:
        loss = forward()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return dd.compile(step) if compiled else step


def lineup(work: Work, dtype: str) -> dict[str, tuple[Library, Callable[[], Any]]]:
    """Everybody who can run this, from equal weights; losses must agree."""
    mine, other = ours(), theirs()
    model = work.model(mine)
    contestants = {}
    if other is not None:
        twin = work.model(other)
        device = other.tensor(0.0).device
        state = {name: other.tensor(value.numpy()) for name, value in model.state_dict().items()}
        twin.load_state_dict(state)
        twin.to(device)
        contestants["PyTorch"] = other, step_of(other, work, twin, dtype)
        if not options.quick:
            faster = work.model(other).to(device)
            faster.load_state_dict(state)
            compiled = other.root.compile(faster)
            contestants["torch.compile"] = other, step_of(other, work, compiled, dtype)
    for compiled in (False, True):
        again = work.model(mine)
        again.load_state_dict(model.state_dict())
        again.to(options.device)
        name = "DeepDive compiled" if compiled else "DeepDive"
        contestants[name] = mine, step_of(mine, work, again, dtype, compiled)
    return contestants


def check(steps: dict[str, tuple[Library, Callable[[], Any]]], dtype: str) -> float:
    """The largest relative difference of the first losses; who cannot run is left out, aloud."""
    losses = {}
    for name, (_, step) in list(steps.items()):
        try:
            losses[name] = [float(step()) for _ in range(STEPS)]
        except dd.errors.DTypeError as error:
            print(f"{name} is left out: {error.what}")
            del steps[name]
    first = next(iter(losses.values()))
    worst = max(difference(row, first) for row in losses.values())
    allowed = 2e-3 if dtype == "float32" and options.exact else 3e-2
    assert worst <= allowed, f"losses differ by {worst:.1e}: {losses}"
    return worst


def timed(lib: Library, step: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Seconds a step, and seconds to submit one."""
    lib.wait()
    start = time.perf_counter()
    step()
    submitted = time.perf_counter() - start  # the first alone: later ones may wait in the queue
    for _ in range(repeats - 1):
        step()
    lib.wait()
    return (time.perf_counter() - start) / repeats, submitted


def race(steps: dict[str, tuple[Library, Callable[[], Any]]]) -> dict[str, tuple[float, float]]:
    """Medians of (seconds a step, seconds to submit one), contestants taking turns."""
    repeats = {}
    for name, (lib, step) in steps.items():
        once, _ = timed(lib, step, 3)
        repeats[name] = 3 if options.quick else max(3, min(500, int(0.3 / once)))
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, (lib, step) in steps.items():
            rounds[name].append(timed(lib, step, repeats[name]))
    medians = {}
    for name, pairs in rounds.items():
        totals, submits = zip(*pairs, strict=True)
        medians[name] = statistics.median(totals), statistics.median(submits)
    return medians


def rows_of(name: str, work: Work, dtype: str) -> list[dict[str, Any]]:
    """The table's rows for one workload in one precision."""
    steps = lineup(work, dtype)
    off = check(steps, dtype)
    results = race(steps)
    reference = results.get("PyTorch", (float("nan"), 0.0))[0]
    rows = []
    told = getattr(steps.get("DeepDive compiled", (None, None))[1], "explain", str)()
    print(*[line for line in told.splitlines() if line.startswith(options.device)], sep="\n")
    for who, (seconds, submit) in results.items():
        rows.append(
            {
                "workload": name,
                "products in": dtype,
                "contestant": who,
                "ms": f"{seconds * 1e3:.3f}",
                "÷ PyTorch": f"{seconds / reference:.2f}",
                "submit": f"{min(submit / seconds, 1):.0%}",
                "TFLOP/s": f"{work.flops / seconds / 1e12:.2f}",
                "losses differ by": f"{off:.1e}",
            }
        )
        print(*rows[-1].values(), sep=" | ", flush=True)
    return rows


def main() -> int:
    missing = why_no_cupy()
    if options.device == "standin":
        import_module("deepdive.testing.standin")
    elif missing:
        print(f"no GPU to measure on: {missing}")
        return 0
    rows: list[dict[str, Any]] = []
    for name, make in WORKLOADS.items():
        if not name.startswith(options.only):
            continue
        kinds = DTYPES if "GPT" in name else ["float32"]
        for dtype in kinds:
            rows += rows_of(name, make(), dtype)
    if not options.quick and rows:
        what = f"{dd.cuda.get_device_name()}, TF32 {'off' if options.exact else 'on'}"
        print(report(f"Training steps on a GPU: {what}", rows, "gpu", dd.cuda.memory_summary()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

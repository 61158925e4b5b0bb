"""How fast native arrays are: in pure Python, with the same loops compiled by Numba, and beside
NumPy's.  Writes ``benchmarks/results/native.md``.

    OMP_NUM_THREADS=1 python benchmarks/bench_native.py

Each figure is the best of several rounds, in time of the processor, so that neighbours count
little.  "Digits" is the training of a two-layer net on the digits (Adam, batches of 32) in a
process of its own, compiling included.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "native.md"
SIZE = 1 << 16
CALLS = {  # name → what is called on a speaker, its arrays x, y (SIZE,) and a, b (256, 256)
    "x + y": lambda xp, x, y, a, b: xp.add(x, y),
    "exp(x)": lambda xp, x, y, a, b: xp.exp(x),
    "x · y, strided": lambda xp, x, y, a, b: xp.multiply(x[::2], y[::-2]),
    "a + b.T": lambda xp, x, y, a, b: xp.add(a, xp.permute_dims(b, (1, 0))),
    "sum(x)": lambda xp, x, y, a, b: xp.sum(x),
    "max(a, axis=0)": lambda xp, x, y, a, b: xp.max(a, axis=0),
    "where(x > 0, x, y)": lambda xp, x, y, a, b: xp.where(xp.greater(x, 0.0), x, y),
    "a @ b, 256³": lambda xp, x, y, a, b: xp.matmul(a, b),
}

TRAINING = """
import sys, time
if {hide}:
    sys.modules["numba"] = None
import deepdive as dd
from deepdive import nn, optim
from deepdive.datautils import Compose, DataLoader, Digits, Flatten, Scale
if {device!r}:
    dd.set_default_device({device!r})
start, busy = time.perf_counter(), time.process_time()
dd.manual_seed(0)
prepared = Compose(Scale(1 / 16), Flatten())
loader = DataLoader(Digits(train=True, transform=prepared), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(64, {width}), nn.ReLU(), nn.Linear({width}, 10))
optimizer = optim.Adam(model.parameters(), lr=0.01)
for epoch in range({epochs}):
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(dd.tensor(x)), dd.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
x, labels = Digits(train=False, transform=prepared)[:]
with dd.no_grad():
    guessed = model(dd.tensor(x)).argmax(1).tolist()
right = sum(a == b for a, b in zip(guessed, labels.tolist())) / len(guessed)
print(time.perf_counter() - start, time.process_time() - busy, right)
"""


def best(run, seconds=0.5):
    """The processor's time for the quickest round of some seconds, at least two."""
    found = []
    end = time.perf_counter() + seconds
    while len(found) < 2 or time.perf_counter() < end:
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def words():
    """One row per call: µs in Python, with Numba, in NumPy, and the factors."""
    import numpy as np

    from deepdive.backend import numpy_cpu
    from deepdive.backend.native import asarray, machine, namespace

    rng = np.random.default_rng(0)
    shapes = [(SIZE,), (SIZE,), (256, 256), (256, 256)]
    arrays = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    native = [asarray(array) for array in arrays]
    rows = []
    for name, call in CALLS.items():
        machine.policy.price = None
        python = best(lambda call=call: call(namespace, *native))
        expected = np.array(call(namespace, *native).tolist())
        machine.policy.price = 0.0
        call(namespace, *native)  # compiles
        numba = best(lambda call=call: call(namespace, *native))
        np.testing.assert_allclose(call(namespace, *native).tolist(), expected, rtol=1e-4)
        numpy = best(lambda call=call: call(numpy_cpu, *arrays))
        rows.append((name, python * 1e6, numba * 1e6, numpy * 1e6))
    return rows


def training(device, hide, jit, width, epochs=10):
    """Seconds, those of the processor, and accuracy of the digits in a new process."""
    env = {**os.environ, "DEEPDIVE_NATIVE_JIT": jit}
    code = TRAINING.format(device=device, hide=hide, width=width, epochs=epochs)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(map(float, done.stdout.split()))


def report():
    """The page, as text."""
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    lines = [
        "# Native arrays",
        "",
        "`OMP_NUM_THREADS=1 python benchmarks/bench_native.py`, best of several rounds, "
        "time of the processor, on "
        f"{platform.machine()}, Python {platform.python_version()}, NumPy threads: {threads}.",
        f"Load while measuring: {os.getloadavg()[0]:.1f} processes on {os.cpu_count()} cores.",
        "",
        f"One word at a time; x and y have {SIZE:,} float32 numbers, a and b are 256 × 256.",
        "",
        "| word | Python, µs | Numba, µs | factor | NumPy, µs | Numba ÷ NumPy |",
        "|---|---|---|---|---|---|",
    ]
    for name, python, numba, numpy in words():
        row = f"{python:,.0f} | {numba:,.0f} | **{python / numba:.0f} ×** | {numpy:,.1f}"
        lines.append(f"| {name} | {row} | {numba / numpy:.1f} × |")
    lines += [
        "",
        "Training on the digits in a new process, everything included:",
        "",
        "| net | Python | with Numba | NumPy's device |",
        "|---|---|---|---|",
    ]
    for width, epochs in ((32, 10), (256, 3)):
        cells = []
        for device, hide, jit in (("native", True, "0"), ("native", False, ""), ("cpu", False, "")):
            seconds, busy, right = training(device, hide, jit, width, epochs)
            cells.append(f"{seconds:.1f} s ({busy:.1f} s of the processor), {right:.1%}")
        lines.append(f"| 64-{width}-10, {epochs} epochs | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = report()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(page, encoding="utf-8")
    print(page)

"""What is measured in a process of its own: the first call, and the memory of a step.

    python benchmarks/fresh.py start mlp       first call of the compiled MLP step
    python benchmarks/fresh.py memory gpt      peak memory of the GPT step, ours compiled
    python benchmarks/fresh.py torch gpt       the same, PyTorch with its fused optimizer

The last line it writes is JSON.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
MIB = 1 << 20


def mlp(n: Any, library: Any) -> Any:
    return n.Sequential(
        n.Linear(784, 128),
        n.LayerNorm(128),
        n.ReLU(),
        n.Linear(128, 10),
        n.LayerNorm(10),
    )


def gpt(n: Any, library: Any, context: int = 64) -> Any:
    from workload_gpt import make_gpt

    mask = library.tril(library.ones((context, context)))
    return make_gpt(n, library.arange(context), mask, context=context, vocabulary=65)


def batch_of(name: str) -> Any:
    import numpy as np

    rng = np.random.default_rng(0)
    if name == "mlp":
        return rng.random((64, 784)).astype("f"), rng.integers(0, 10, 64)
    return rng.integers(0, 65, (12, 64)), rng.integers(0, 65, 768)


def ours(name: str) -> Callable[[], Any]:
    import deepdive as dd
    from deepdive import nn, optim

    model = MODELS[name](nn, dd)
    optimizer = optimizer_of(optim, name, model)
    x, y = map(dd.tensor, batch_of(name))

    @dd.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return functools.partial(step, x, y)


def theirs(name: str) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(2)
    model = MODELS[name](torch.nn, torch)
    optimizer = optimizer_of(torch.optim, name, model, fused=True)
    x, y = map(torch.from_numpy, batch_of(name))

    def step() -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


MODELS = {"mlp": mlp, "gpt": gpt}


def optimizer_of(library: Any, name: str, model: Any, **options: Any) -> Any:
    parameters = model.parameters()
    if name == "mlp":
        return library.SGD(parameters, lr=0.01, **options)
    return library.AdamW(parameters, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1, **options)


def start(name: str) -> dict[str, float]:
    """Seconds of the first call, the import of Numba included, and since the process began."""
    step = ours(name)
    began = time.perf_counter()
    float(step())
    first = time.perf_counter() - began
    whole = time.time() - float(os.environ["BENCH_BEGAN"])
    return {"first call, s": first, "since the process began, s": whole}


def memory(make: Callable[[str], Callable[[], Any]], name: str) -> dict[str, float]:
    """MiB held by the library, after a step of the MLP loaded it; beyond that, at most in the
    first step, and in ten later ones."""
    small = make("mlp")
    float(small())
    step = make(name)
    before = settled()
    float(step())
    first = status("VmHWM") - before
    forget_the_peak()
    for _ in range(10):
        float(step())
    later = status("VmHWM") - before
    sizes = {"held before": before, "first step": first, "ten steps": later}
    return {f"{title}, MiB": size / MIB for title, size in sizes.items()}


def settled() -> int:
    """Bytes held once what is free went back to the system; a peak of the past is forgotten."""
    import ctypes
    import gc

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # glibc
    forget_the_peak()
    return status("VmRSS")


def forget_the_peak() -> None:
    """From now on Linux's VmHWM is the most that is held from now on."""
    Path("/proc/self/clear_refs").write_text("5")


def status(field: str) -> int:
    """Bytes, by this process's account in Linux."""
    lines = STATUS.read_text().splitlines()
    line = next(line for line in lines if line.startswith(field))
    return int(line.split()[1]) * 1024


def in_a_process(*what: str, cache: str) -> dict[str, float]:
    """What this file prints, run with these words and this folder of compiled programs."""
    facts = {"DEEPDIVE_CACHE": cache, "BENCH_BEGAN": str(time.time())}
    command = [sys.executable, __file__, *what]
    done = subprocess.run(command, env={**os.environ, **facts}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(what)}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def starts() -> dict[str, dict[str, float]]:
    """First calls: with an empty cache, and in a second process."""
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        found["MLP, cold"] = in_a_process("start", "mlp", cache=cache)
        found["MLP, from the disk cache"] = in_a_process("start", "mlp", cache=cache)
    with tempfile.TemporaryDirectory() as cache:
        found["GPT, cold"] = in_a_process("start", "gpt", cache=cache)
        found["GPT, from the disk cache"] = in_a_process("start", "gpt", cache=cache)
    return found


def memories() -> dict[str, dict[str, float]]:
    """The GPT step; ours finds its program in the cache, as PyTorch finds its own compiled."""
    with tempfile.TemporaryDirectory() as cache:
        for name in MODELS:
            in_a_process("start", name, cache=cache)
        mine = in_a_process("memory", "gpt", cache=cache)
    return {"DeepDive, Numba": mine, "PyTorch": in_a_process("torch", "gpt", cache="")}


def main() -> None:
    kind, name = sys.argv[1:]
    if kind == "start":
        found = start(name)
    else:
        found = memory(theirs if kind == "torch" else ours, name)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""Every kernel against PyTorch and NumPy, interleaved, with the limits of the machine beside it.

    python benchmarks/kernels.py [--threads 2] [--rounds 9] [--only conv] [--seconds 600]

Contestants take turns in short rounds.  A round before or after which a reference loop of
multiply-adds ran slowly was disturbed by other programs: it is set aside, and the medians are
those of the quiet rounds.  With one thread, the thread's CPU time is what counts, so that a busy
machine matters less.  Results are compared before anything is timed.  Writes
``benchmarks/results/kernels-<machine>.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numba
import numpy as np
import torch
import torch.nn.functional as F
from numba import prange

from deepdive.kernels import conv, gemm, pool, reductions, vector, vector_math
from deepdive.kernels.jit import kernel
from deepdive.kernels.vector import FLOAT, at

RESULTS = Path(__file__).parent / "results"
Run = Callable[[], Any]


class Case(NamedTuple):
    """One piece of work, and who does it."""

    name: str
    flops: float
    bytes: float
    ours: Run
    torch: Run
    numpy: Run | None = None


@kernel
def multiply_adds(panels, out, worker, times):
    """The peak: one register block, again and again, on data in the first cache."""
    left, c = at(panels, worker, 0), at(out, worker, 0)
    right = left + FLOAT * gemm.ROWS * gemm.DEPTH
    m, n = gemm.ROWS, gemm.COLUMNS
    for _ in range(times):
        gemm.tall(left, right, c, gemm.DEPTH, 1, m, n, n, m, n, gemm.ONE, gemm.ZERO)


@kernel(parallel=True)
def multiply_adds_all(panels, out, times, threads):
    if threads == 1:
        multiply_adds(panels, out, 0, times)
    else:
        for worker in prange(threads):
            multiply_adds(panels, out, worker, times)


@kernel(parallel=True)
def copy(x, out):
    for i in prange(x.size):
        out[i] = x[i]


@kernel(parallel=True)
def map_exp(x, out):
    for i in prange(x.size):
        out[i] = vector_math.exp(x[i])


@kernel(parallel=True)
def map_tanh(x, out):
    for i in prange(x.size):
        out[i] = vector_math.tanh(x[i])


@kernel(parallel=True)
def map_gelu(x, out):
    for i in prange(x.size):
        out[i] = vector_math.gelu(x[i])


def draw(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def products() -> Iterator[Case]:
    """Square ones, those of a perceptron's step, and those of a transformer, in four transposes."""
    shapes = [(1, n, n, n) for n in (64, 256, 512, 1024, 2048)]
    shapes += [(1, 64, 784, 128), (1, 784, 64, 128), (1, 64, 128, 784), (1, 64, 128, 10)]
    shapes += [(1, 768, 128, 512), (1, 768, 512, 128), (48, 64, 32, 64), (48, 64, 64, 32)]
    for B, M, K, N in shapes:
        for ta in (False, True):
            for tb in (False, True):
                a = draw(B, *((K, M) if ta else (M, K)))
                b = draw(B, *((N, K) if tb else (K, N)))
                a, b = (a[0], b[0]) if B == 1 else (a, b)
                yield product(f"matmul {a.shape} {'T' * ta} @ {b.shape} {'T' * tb}", a, b, ta, tb)


def product(name: str, a: Any, b: Any, ta: bool, tb: bool) -> Case:
    x, y = a.mT if ta else a, b.mT if tb else b
    out = np.empty((*x.shape[:-1], y.shape[-1]), np.float32)
    X, Y, OUT = torch.from_numpy(a), torch.from_numpy(b), torch.empty(out.shape)
    X, Y = X.mT if ta else X, Y.mT if tb else Y
    return Case(
        re.sub(" +", " ", name).strip(),
        2.0 * out.size * x.shape[-1],
        4.0 * (a.size + b.size + out.size),
        lambda: gemm.matmul(a, b, out, trans_a=ta, trans_b=tb),
        lambda: torch.matmul(X, Y, out=OUT),
        lambda: np.matmul(x, y, out=out),
    )


def convolutions() -> Iterator[Case]:
    shapes = [(64, 1, 28, 32, 3, 0, 1), (64, 32, 26, 64, 3, 0, 1), (16, 64, 56, 64, 3, 1, 1)]
    shapes += [(64, 6, 14, 16, 5, 0, 1), (64, 1, 28, 6, 5, 2, 1), (32, 1, 28, 4, 3, 0, 1)]
    shapes += [(32, 4, 26, 8, 3, 0, 1), (16, 64, 56, 128, 3, 1, 2)]
    for shape in shapes:
        yield from convolution(*shape)


def convolution(
    B: int,
    C: int,
    H: int,
    O: int,  # noqa: E741
    k: int,
    pad: int,
    stride: int,
) -> Iterator[Case]:
    x, w = draw(B, C, H, H), draw(O, C, k, k)
    X, W, geometry = torch.from_numpy(x), torch.from_numpy(w), {"stride": stride, "padding": pad}
    dy = draw(*F.conv2d(X, W, None, stride, pad).shape)
    y, dx, DY = np.empty_like(dy), np.empty_like(x), torch.from_numpy(dy)

    def backward(*wanted: bool) -> Any:
        two = [stride] * 2, [pad] * 2, [1] * 2, False, [0] * 2, 1, wanted
        return torch.ops.aten.convolution_backward(DY, X, W, None, *two)[wanted.index(True)]

    name = f"{B}x{C}x{H}x{H} to {O}, {k}x{k}"
    name += f", pad {pad}" * (pad > 0)
    name += f", stride {stride}" * (stride > 1)
    size = 2.0 * dy.size * C * k * k, 4.0 * (x.size + dy.size + w.size)
    yield Case(
        f"conv {name}",
        *size,
        lambda: conv.conv2d(x, w, out=y, **geometry),
        lambda: F.conv2d(X, W, None, stride, pad),
    )
    yield Case(
        f"conv dx {name}",
        *size,
        lambda: conv.conv2d_input_grad(dy, w, x.shape, out=dx, **geometry),
        lambda: backward(True, False, False),
    )
    yield Case(
        f"conv dw {name}",
        *size,
        lambda: conv.conv2d_weight_grad(dy, x, w.shape, **geometry),
        lambda: backward(False, True, False),
    )


def maps() -> Iterator[Case]:
    for n in (16_384, 1 << 22):
        x, out = draw(n), np.empty(n, np.float32)
        X, OUT = torch.from_numpy(x), torch.empty(n)
        for name, ours, theirs in (("exp", map_exp, torch.exp), ("tanh", map_tanh, torch.tanh)):
            yield Case(
                f"{name} of {n}",
                0,
                8.0 * n,
                lambda ours=ours, x=x, out=out: (ours(x, out), out)[1],
                lambda theirs=theirs, X=X, OUT=OUT: theirs(X, out=OUT),
                lambda name=name, x=x, out=out: getattr(np, name)(x, out=out),
            )
        yield Case(
            f"gelu of {n}",
            0,
            8.0 * n,
            lambda x=x, out=out: (map_gelu(x, out), out)[1],
            lambda X=X: F.gelu(X),
        )


def rows() -> Iterator[Case]:
    for shape in ((64, 10), (768, 128), (3072, 64), (1024, 4096)):
        x, g, b = draw(*shape), draw(shape[1]), draw(shape[1])
        X, G, B = (torch.from_numpy(v) for v in (x, g, b))
        target = np.arange(shape[0]) % shape[1]
        TARGET, many = torch.from_numpy(target), 8.0 * x.size
        yield Case(
            f"softmax {shape}",
            0,
            many,
            lambda x=x: reductions.softmax(x),
            lambda X=X: torch.softmax(X, -1),
        )
        yield Case(
            f"cross entropy with gradient {shape}",
            0,
            many,
            lambda x=x, target=target: reductions.cross_entropy(x, target)[1],
            lambda X=X, TARGET=TARGET: cross_entropy_grad(X, TARGET),
        )
        yield Case(
            f"layer norm {shape}",
            0,
            many,
            lambda x=x, g=g, b=b: reductions.layer_norm(x, g, b)[0],
            lambda X=X, G=G, B=B: F.layer_norm(X, G.shape, G, B),
        )


def cross_entropy_grad(x: Any, target: Any) -> Any:
    y = torch.log_softmax(x, -1)
    d = torch.zeros_like(y)
    d[torch.arange(len(x)), target] = -1 / len(x)
    return torch.ops.aten._log_softmax_backward_data(d, y, -1, torch.float32)


def planes() -> Iterator[Case]:
    for shape in ((16, 64, 56, 56), (64, 64, 24, 24)):
        x, g, b = draw(*shape), draw(shape[1]), draw(shape[1])
        X, G, B = (torch.from_numpy(v) for v in (x, g, b))
        yield Case(
            f"batch norm {shape}",
            0,
            8.0 * x.size,
            lambda x=x, g=g, b=b: reductions.batch_norm(x, g, b)[0],
            lambda X=X, G=G, B=B: F.batch_norm(X, None, None, G, B, training=True),
        )
        yield Case(
            f"max pool 2x2 {shape}",
            0,
            6.0 * x.size,
            lambda x=x: pool.max_pool2d(x, 2)[0],
            lambda X=X: F.max_pool2d(X, 2, return_indices=True)[0],
        )


class Clock:
    """Seconds a call takes: on the wall, or of this thread's CPU time."""

    now: Callable[[], float] = staticmethod(time.perf_counter)


def timed(run: Run, seconds: float = 0.008) -> float:
    """Seconds a call: one call to warm up, then the least of four whiles full of calls."""
    run()
    times = max(1, int(seconds / 4 / max(_loop(run, 1), 1e-7)))
    return min(_loop(run, times) for _ in range(4))


def _loop(run: Run, times: int) -> float:
    began = Clock.now()
    for _ in range(times):
        run()
    return (Clock.now() - began) / times


class Machine:
    """The limits of this machine, and whether it is quiet just now."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.panels = np.ones((threads, gemm.DEPTH * (gemm.ROWS + gemm.COLUMNS)), np.float32)
        self.out = np.empty((threads, gemm.ROWS * gemm.COLUMNS), np.float32)
        self.times = 400
        self.spin()
        self.best = min(self.spin() for _ in range(50))
        x = draw(1 << 24)
        y = np.empty_like(x)
        self.bandwidth = 8.0 * x.size / min(timed(lambda: copy(x, y)) for _ in range(5))

    def spin(self) -> float:
        return _loop(lambda: multiply_adds_all(self.panels, self.out, self.times, self.threads), 1)

    def quiet(self, wait: float = 0.0) -> bool:
        """Whether the reference loop runs at its speed, now or within so many seconds."""
        end = time.perf_counter() + wait
        while True:
            now = self.spin()
            self.best = min(self.best, now)
            if now < 1.1 * self.best or time.perf_counter() > end:
                return now < 1.1 * self.best
            time.sleep(0.01)

    @property
    def peak(self) -> float:
        block = 2.0 * gemm.ROWS * gemm.COLUMNS * gemm.DEPTH
        return self.threads * self.times * block / self.best


def measure(case: Case, machine: Machine, rounds: int, patience: int) -> dict[str, Any]:
    """Medians of quiet rounds, in seconds, by contestant."""
    contestants = {"ours": case.ours, "torch": case.torch}
    if case.numpy:
        contestants["numpy"] = case.numpy
    agree(case)
    quiet: dict[str, list[float]] = {name: [] for name in contestants}
    tries = 0
    while len(quiet["ours"]) < rounds and tries < rounds * patience:
        tries += 1
        taken = {}
        for name, run in contestants.items():
            time.sleep(0.004)  # idle threads of the one before stop spinning
            taken[name] = timed(run) if machine.quiet(wait=0.3) else 0.0
            if not taken[name] or not machine.quiet():
                break
        else:
            for name, seconds in taken.items():
                quiet[name].append(seconds)
    medians = {k: statistics.median(v) for k, v in quiet.items() if v}
    return {"name": case.name, "quiet": len(quiet["ours"]), "tries": tries, **medians}


def agree(case: Case) -> None:
    want = case.torch().numpy()
    np.testing.assert_allclose(case.ours(), want, rtol=0, atol=1e-4 * np.abs(want).max())


def row(case: Case, result: dict[str, Any], machine: Machine) -> str:
    """One line of the table; a disturbed measurement says so."""
    if "ours" not in result:
        return f"| {case.name} | no quiet round in {result['tries']} | | | | |"
    ours = result["ours"]
    rate = case.flops / ours / 1e9, 100 * case.flops / ours / machine.peak
    if not case.flops:
        rate = case.bytes / ours / 1e9, 100 * case.bytes / ours / machine.bandwidth
    unit = "GFLOP/s" if case.flops else "GB/s"
    numpy = ""
    if "numpy" in result:
        numpy = f"{1e6 * result['numpy']:.1f}"
    ratio = f"**{ours / result['torch']:.2f}**"
    times = f"{1e6 * ours:.1f} | {1e6 * result['torch']:.1f} | {numpy}"
    return f"| {case.name} | {times} | {ratio} | {rate[0]:.0f} {unit}, {rate[1]:.0f} % |"


def cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search("model name\\s*: (.*)", cpuinfo.read_text() if cpuinfo.exists() else "")
    return found[1].strip() if found else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--patience", type=int, default=6, help="tries for each quiet round")
    parser.add_argument("--seconds", type=float, default=600, help="stop after about so long")
    parser.add_argument("--only", default="", help="kernels whose name contains this")
    args = parser.parse_args()
    if args.threads == 1:
        Clock.now = staticmethod(time.thread_time)
    numba.set_num_threads(args.threads)
    torch.set_num_threads(args.threads)
    machine, began = Machine(args.threads), time.perf_counter()
    results, lines = [], []
    for family in (products, convolutions, maps, rows, planes):
        for case in family():
            if time.perf_counter() - began > args.seconds:
                lines.append(f"| {case.name} | not reached in {args.seconds:.0f} s | | | | |")
            elif args.only in case.name:
                results.append(measure(case, machine, args.rounds, args.patience))
                lines.append(row(case, results[-1], machine))
                print(lines[-1], flush=True)
    write(args.threads, machine, results, lines)


def write(threads: int, machine: Machine, results: list[Any], lines: list[str]) -> None:
    cpu = cpu_name()
    facts = {
        "cpu": cpu,
        "threads": threads,
        "vectors": vector.SIMD,
        "clock": Clock.now.__name__,
        "peak GFLOP/s": round(machine.peak / 1e9),
        "copy GB/s": round(machine.bandwidth / 1e9),
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
    slug = re.sub("[^a-z0-9]+", "-", f"{cpu} {vector.SIMD} {threads}".lower()).strip("-")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"kernels-{slug}.json").write_text(
        json.dumps({**facts, "results": results}, indent=1) + "\n"
    )
    head = "| kernel | ours, µs | PyTorch, µs | NumPy, µs | ours / PyTorch | rate, of the limit |"
    text = [
        f"# Kernels on {cpu}, {threads} threads",
        "",
        "`python benchmarks/kernels.py`; medians of interleaved rounds, disturbed ones set aside.",
        "The limit is the multiply-add peak, or the copy bandwidth where nothing is multiplied.",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        head,
        "|---|--:|--:|--:|--:|--:|",
        *lines,
    ]
    (RESULTS / f"kernels-{slug}.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()

"""Which way heavy words of eager mode go: NumPy's or the kernels'.

Measured with products before the first large call, and kept in the cache folder before anything is
computed: what a process has decided, the next one does, too, and equal calls give equal bits.
"""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Any

import numpy as np

from deepdive.kernels import conv, gemm
from deepdive.kernels.jit import cache_folder, gate, keep, run, say_once
from deepdive.kernels.reductions import COST, erf_all

log = logging.getLogger("deepdive")

Way = Callable[..., Any]
KERNEL, PLAIN = "kernel", "NumPy"
ROUNDS = 20
SIZES = ((64, 784, 128), (512, 512, 512))
# Convolutions, sums along rows and error functions gain far more than a product may lose.
TOLERATED = 1.25


def matmul(x: Any, y: Any, out: Any = None) -> Any:
    """``x @ y``, of matrices or batches with any number of leading axes."""
    if out is not None:
        out[...] = matmul(x, y)
        return out
    if x.ndim == 2 == y.ndim and x.shape[1] == y.shape[0]:
        return gemm.product(x, y)
    lead, columns = x.shape[:-1], y.shape[1:] if y.ndim == 1 else y.shape[-1:]
    if y.ndim < 3:
        x = x.reshape(-1, x.shape[-1])
        y = y[:, None] if y.ndim == 1 else y
    elif y.ndim > 3:
        x, y = x.reshape(-1, *x.shape[-2:]), y.reshape(-1, *y.shape[-2:])
    out = np.empty((*lead, *columns), np.float32)  # no view: what owns its memory is not copied
    gemm.matmul(x, y, out.reshape(*x.shape[:-1], y.shape[-1]))
    return out


def convolution(x: Any, w: Any, *way: Any) -> Any:
    """See :func:`deepdive.kernels.conv.conv2d`."""
    return conv.conv2d(x, w, **_named(way))


def convolution_input_grad(grad: Any, w: Any, shape: Any, *way: Any) -> Any:
    """See :func:`deepdive.kernels.conv.conv2d_input_grad`."""
    return conv.conv2d_input_grad(grad, w, shape, **_named(way))


def convolution_weight_grad(x: Any, grad: Any, shape: Any, *way: Any) -> Any:
    """See :func:`deepdive.kernels.conv.conv2d_weight_grad`."""
    return conv.conv2d_weight_grad(grad, x, shape, **_named(way))


def erf(x: Any) -> Any:
    """The error function, to 2 ulp."""
    x = np.ascontiguousarray(x)
    out = np.empty_like(x)
    run(erf_all, x.reshape(-1), out.reshape(-1), work=COST * x.size)
    return out


def _named(way: Any) -> dict[str, Any]:
    return dict(zip(("stride", "padding", "dilation", "groups"), way, strict=True))


WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (matmul, convolution, convolution_input_grad, convolution_weight_grad, erf)
}


COMPILED = {  # the function behind each
    "matmul": "gemm_batch",
    "convolution": "correlate",
    "convolution_input_grad": "correlate",
    "convolution_weight_grad": "reduce_images",
    "erf": "erf_all",
}


def choose(word: Any) -> Way:
    """The way of large calls of a word: the kernel's if kernels are faster on this machine."""
    if verdict() == PLAIN:
        return word.plain  # type: ignore[no-any-return]
    _announce(word.name)
    return WAYS[word.name]


def _announce(name: str) -> None:
    """Say why nothing happens for a while, where a kernel has to be compiled."""
    if not any(cache_folder().glob(f"*{COMPILED[name]}*.nbc")):
        text = "compiling the kernel of %s for this machine, once (deepdive warmup: beforehand)"
        log.warning(text, name)


@functools.cache
def verdict() -> str:
    """What was found out before, else now: whether products by kernels keep up with BLAS.

    >>> verdict() in (KERNEL, PLAIN)
    True
    """
    path = _path()
    found = _read(path).get("faster")
    if found in (KERNEL, PLAIN):
        return str(found)
    facts = _measured()
    _remember(path, facts)
    return str(facts["faster"])


def _measured() -> dict[str, Any]:
    """Seconds of products each way, and which way is faster, all in all."""
    _announce("matmul")
    facts: dict[str, Any] = {}
    ratio = 1.0
    for rows, inner, columns in SIZES:
        x, y = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
        matmul(x, y)  # compiled
        _rest()
        kernel, plain = _fastest(matmul, x, y), _fastest(np.matmul, x, y)
        facts[f"{rows} x {inner} x {columns}"] = {KERNEL: kernel, PLAIN: plain}
        ratio *= kernel / plain
    faster = KERNEL if ratio <= TOLERATED ** len(SIZES) else PLAIN
    return {"faster": faster, "seconds": facts}


def _fastest(way: Way, x: Any, y: Any) -> float:
    """The least seconds of several calls."""
    taken = []
    for _ in range(ROUNDS):
        begin = perf_counter()
        way(x, y)
        taken.append(perf_counter() - begin)
    return min(taken)


def _rest(longest: float = 0.3) -> None:
    """Wait until no thread of this process spins: that shows as processor time while it sleeps."""
    end = perf_counter() + longest
    while perf_counter() < end:
        before = process_time()
        sleep(0.01)
        if process_time() - before < 0.003:
            return


def warm() -> int:
    """Compile these kernels, or find them in the cache; their number."""
    x, w = np.ones((1, 1, 3, 3), np.float32), np.ones((1, 1, 2, 2), np.float32)
    y, way = np.ones((1, 1, 2, 2), np.float32), ((1, 1), (0, 0), (1, 1), 1)
    matmul(x[0, 0], x[0, 0])
    erf(x)
    convolution(x, w, *way)
    convolution_input_grad(y, w, x.shape, *way)
    convolution_weight_grad(x, y, w.shape, *way)
    return len(WAYS)


def _path() -> Path:
    """A file for this machine, these versions, this BLAS and this number of threads."""
    core = os.environ.get("OPENBLAS_CORETYPE", "")
    name = f"eager-{np.__version__}-{core}-{gate.threads()}.json"
    return cache_folder() / name


def _read(path: Path) -> dict[str, Any]:
    """What was kept; nothing if the file is damaged or not there."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _remember(path: Path, facts: dict[str, Any]) -> None:
    try:
        keep(path, json.dumps(facts, indent=1) + "\n")
    except OSError as error:
        say_once(f"how fast kernels are could not be kept ({error})")

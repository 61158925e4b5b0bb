"""Which way a heavy word of eager mode goes: NumPy's or the kernel's.

Measured on the first call of its kind, on its own numbers, and kept in the cache folder before it
is used: what a process has decided, the next one does, too, and equal calls give equal bits.
"""

from __future__ import annotations

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
from deepdive.kernels.jit import cache_folder, gate, run, say_once
from deepdive.kernels.reductions import COST, erf_all

log = logging.getLogger("deepdive")

Way = Callable[..., Any]
ROUNDS = 5  # of each way; the best one counts
KERNEL, PLAIN = "kernel", "plain"
# After a product OpenBLAS's threads spin for 0.1 s, and kernels that follow wait for them: one way
# for all products makes a step faster than the faster way for each. So BLAS must win by far.
TOLERATED = 4.0


def matmul(x: Any, y: Any, out: Any = None) -> Any:
    """``x @ y``, of matrices or batches with any number of leading axes."""
    if out is not None:
        out[...] = matmul(x, y)
        return out
    lead, columns = x.shape[:-1], y.shape[1:] if y.ndim == 1 else y.shape[-1:]
    if y.ndim < 3:
        x = x.reshape(-1, x.shape[-1])
        y = y[:, None] if y.ndim == 1 else y
    elif y.ndim > 3:
        x, y = x.reshape(-1, *x.shape[-2:]), y.reshape(-1, *y.shape[-2:])
    return gemm.matmul(x, y).reshape(*lead, *columns)


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
KERNELS = {  # the compiled function behind each
    "matmul": "gemm_batch",
    "convolution": "correlate",
    "convolution_input_grad": "correlate",
    "convolution_weight_grad": "reduce_images",
    "erf": "erf_all",
}
_ready: set[str] = set()


def choose(word: Any, kind: Any, args: Any) -> Way:
    """The way for calls of this kind: what was decided before, else the faster one now."""
    own = WAYS[word.name]
    name = f"{word.name} {kind}"
    decided = _decided()
    if decided.get(name) not in (KERNEL, PLAIN):
        decided[name] = _faster(word.plain, own, args)
        _keep(name, decided[name])
    return own if decided[name] == KERNEL else word.plain


def _faster(plain: Way, own: Way, args: Any) -> str:
    """The kernel, unless NumPy is faster by far."""
    _announce(own.__name__)
    own(*args)  # compiled
    _rest()
    kernel = min(_seconds(own, args) for _ in range(ROUNDS))
    numpy = min(_seconds(plain, args) for _ in range(ROUNDS))
    log.debug("%s: kernel %.2g s, NumPy %.2g s", own.__name__, kernel, numpy)
    return KERNEL if kernel <= TOLERATED * numpy else PLAIN


def _seconds(way: Way, args: Any) -> float:
    begin = perf_counter()
    way(*args)
    return perf_counter() - begin


def _rest(longest: float = 0.3) -> None:
    """Wait until no thread of this process spins: that shows as processor time while it sleeps."""
    end = perf_counter() + longest
    while perf_counter() < end:
        before = process_time()
        sleep(0.01)
        if process_time() - before < 0.003:
            return


def _announce(name: str) -> None:
    """Say why nothing happens for a while, where a kernel has to be compiled."""
    if name not in _ready and not any(cache_folder().glob(f"*{KERNELS[name]}*.nbc")):
        text = "compiling kernels for %s on this machine, once (deepdive warmup does it beforehand)"
        log.warning(text, name)
    _ready.add(name)


def warm() -> int:
    """Compile these kernels, or find them in the cache; their number."""
    x, w = np.ones((1, 1, 3, 3), np.float32), np.ones((1, 1, 2, 2), np.float32)
    y, way = np.ones((1, 1, 2, 2), np.float32), ((1, 1), (0, 0), (1, 1), 1)
    matmul(x[0, 0], x[0, 0])
    erf(x)
    convolution(x, w, *way)
    convolution_input_grad(y, w, x.shape, *way)
    convolution_weight_grad(x, y, w.shape, *way)
    return len(set(KERNELS.values()))


# --- what was decided -----------------------------------------------------------------------------
_known: dict[str, dict[str, str]] = {}  # path → decisions, as read


def _path() -> Path:
    """A file for this machine, these versions, this BLAS and this number of threads."""
    core = os.environ.get("OPENBLAS_CORETYPE", "")
    name = f"eager-{np.__version__}-{core}-{gate.threads()}.json"
    return cache_folder() / name


def _decided() -> dict[str, str]:
    path = str(_path())
    if path not in _known:
        _known[path] = _read(Path(path))
    return _known[path]


def _read(path: Path) -> dict[str, str]:
    """The decisions in a file; a damaged or absent one has none."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _keep(name: str, verdict: str) -> None:
    """Add a decision to the file; others may have added theirs meanwhile."""
    path = _path()
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    text = json.dumps({**_read(path), name: verdict}, indent=0, sort_keys=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text + "\n", encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        say_once(f"how fast kernels are could not be kept ({error})")

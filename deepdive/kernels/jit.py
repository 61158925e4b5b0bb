"""How kernels are compiled, cached on disk and run on several threads.

A compiled kernel is kept in ``$DEEPDIVE_CACHE/kernels/<key>`` (``~/.cache/deepdive`` by default).
Numba does not notice when a function that a kernel calls has changed in another file, so the key
is a hash of all kernel sources, of Numba's version, of the CPU and of the vectors in use.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

log = logging.getLogger("deepdive")

# Sums may be reordered, products and sums contracted; NaN and infinity keep their meaning.
FAST = {"reassoc", "contract", "nsz", "arcp"}


@functools.cache
def cache_folder() -> Path:
    """The folder that holds the compiled kernels of these sources, on this machine."""
    from deepdive.kernels.vector import SIMD

    root = os.environ.get("DEEPDIVE_CACHE") or Path.home() / ".cache" / "deepdive"
    key = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        key.update(source.read_bytes())
    target = numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    key.update(repr((numba.__version__, SIMD, target)).encode())
    return Path(root) / "kernels" / key.hexdigest()[:16]


def keep(path: Path, text: str) -> None:
    """Write a file of the cache; other processes find it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


class _Place(_CacheLocator):  # type: ignore[misc]
    """Tells Numba where the compiled form of one function is kept."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._line = str(function.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return "the folder's name is the stamp"

    def get_disambiguator(self) -> str:
        return self._line

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Place:
        place = cls(function)
        place.ensure_cache_path()
        return place


class _Impl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Place]


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's cache, except that a damaged or read-only folder costs time, not the program."""

    _impl_class = _Impl

    def load_overload(self, signature: Any, context: Any) -> Any:
        try:
            return super().load_overload(signature, context)
        except Exception as error:  # whatever a damaged file makes the unpickler raise
            say_once(f"a compiled kernel could not be read ({error!r})")
            self._begin_anew()
            return None

    def _begin_anew(self) -> None:
        """Forget a damaged list of what is kept, so that the next process starts warm again."""
        try:
            self.flush()
        except OSError as error:
            say_once(f"a damaged cache could not be mended ({error})")

    def save_overload(self, signature: Any, result: Any) -> None:
        try:
            super().save_overload(signature, result)
        except Exception as error:
            say_once(f"a compiled kernel could not be kept ({error!r})")


def say_once(what: str) -> None:
    """Tell of trouble with the cache, the first time: one trouble with a folder brings others."""
    if not _said:
        _said.append(what)
        log.warning("%s; kernels and programs are compiled anew in each process", what)


_said: list[str] = []


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile `function` on its first call, keep the result on disk, and release the GIL in it.

    Options are those of ``numba.njit``; ``kernel(parallel=True)`` compiles ``prange`` loops.
    """
    if function is None:
        return functools.partial(kernel, **options)
    usual = {"fastmath": FAST, "error_model": "numpy", "nogil": True}  # x / 0 is inf
    dispatcher = numba.njit(**{**usual, **options})(function)
    cached(dispatcher, function)
    return dispatcher


def cached(compiled: Any, function: Callable[..., Any]) -> None:
    """Let a dispatcher or C callback of `function` keep its machine code on disk."""
    try:
        compiled._cache = _Cache(function)
    except OSError as error:  # no folder can be made
        say_once(f"no cache folder for compiled kernels ({error})")


class _Gate:
    """Lets one parallel kernel run at a time, and none in a forked child.

    Numba's ``workqueue`` threads abort when two callers enter, all layers oversubscribe the
    cores then, and OpenMP threads do not survive a fork.
    """

    def __init__(self) -> None:
        self.reset(forked=False)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reset)

    def reset(self, forked: bool = True) -> None:
        self.forked = forked
        self.lock = threading.Lock()

    def threads(self) -> int:
        return 1 if self.forked else int(numba.get_num_threads())


gate = _Gate()


def run(function: Callable[..., Any], *args: Any, work: float) -> None:
    """Call ``function(*args, threads)``: on one thread below about 50 µs of `work` (in flops)."""
    run_on(threads_for(work), function, *args)


def threads_for(work: float) -> int:
    """How many threads `work` (in flops) is worth."""
    return gate.threads() if work > SERIAL else 1


def run_on(threads: int, function: Callable[..., Any], *args: Any) -> None:
    """Call ``function(*args, threads)``, alone if there are several."""
    if threads == 1:
        function(*args, 1)
    else:
        with gate.lock:
            function(*args, threads)


SERIAL = 6e6  # flops that one core does in about the time a second one needs to pay its way

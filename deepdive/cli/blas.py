"""The library behind NumPy's matrix products, and the processor it runs on."""

from __future__ import annotations

import ctypes
import glob
import os
import platform
from typing import Any, NamedTuple

from deepdive.host import NUMPY, np

# NumPy's wheels rename OpenBLAS's functions; other builds do not.
AFFIXES = [(p, s) for p in ("scipy_openblas_", "openblas_") for s in ("64_", "")]


class Blas(NamedTuple):
    """What is known; ``core`` is the processor OpenBLAS thinks it runs on."""

    name: str
    version: str
    core: str | None
    threads: int | None

    def __str__(self) -> str:
        core = f", set up for {self.core}" if self.core else ""
        return f"{self.name} {self.version}{core}"


def find_blas() -> Blas:
    """The matrix library of this NumPy; what it cannot be asked stays None."""
    if not NUMPY:
        return Blas("none", "", None, None)
    built: Any = np.show_config(mode="dicts") or {}
    blas = built.get("Build Dependencies", {}).get("blas", {})
    name, version = str(blas.get("name", "unknown")), str(blas.get("version", ""))
    for path in _openblas_files():
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        core, threads = _ask(library, "get_corename"), _ask(library, "get_num_threads")
        if core is not None:
            core.restype = ctypes.c_char_p
            count = None if threads is None else int(threads())
            return Blas(name, version, core().decode("ascii", "replace"), count)
    return Blas(name, version, None, None)


def _ask(library: Any, function: str) -> Any:
    """An OpenBLAS function under whichever name the library has it."""
    for prefix, suffix in AFFIXES:
        found = getattr(library, f"{prefix}{function}{suffix}", None)
        if found is not None:
            return found
    return None


def _openblas_files() -> list[str]:
    """The OpenBLAS that is loaded (Linux tells), or lies where NumPy's wheels have it."""
    loaded: list[str] = []
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            paths = {line.rstrip("\n").partition("/")[2] for line in maps}
            loaded = sorted(f"/{path}" for path in paths if "openblas" in path)
    except OSError:
        pass
    package = os.path.dirname(np.__file__)
    folders = (os.path.join(package, ".dylibs"), f"{package}.libs")
    return loaded or [path for f in folders for path in glob.glob(os.path.join(f, "*openblas*"))]


def processor() -> tuple[str, set[str]]:
    """The processor's name, and what it can do as far as the system tells (Linux)."""
    name, flags = platform.processor() or platform.machine(), set[str]()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = (part.strip() for part in line.partition(":"))
                if key == "model name":
                    name = value
                elif key in ("flags", "Features"):
                    flags.update(value.split())
                elif not key and flags:
                    break  # one core is enough
    except OSError:
        pass
    return name, flags

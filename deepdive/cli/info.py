"""``deepdive info``: versions, the processor and its matrix library, optional packages."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

from deepdive.cli.arguments import version
from deepdive.cli.blas import Blas, find_blas, processor
from deepdive.host import NUMPY, np
from deepdive.utils.gpu import INSTALL, why_no_cupy

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Extra(NamedTuple):
    """An optional package: its import name, the extra that installs it, what it is good for."""

    module: str
    extra: str
    purpose: str


EXTRAS = (
    Extra("numba", "jit", "compiled steps as machine code"),
    Extra("datasets", "hf", "Hugging Face data sets"),
    Extra("PIL", "hf", "images from .png and .jpg"),
)


def run(options: Any) -> None:
    """Prints everything a report about a problem should contain."""
    model, flags = processor()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    blas = find_blas()
    rows = [
        ("deepdive", version()),
        ("Python", f"{platform.python_version()}  {sys.executable}"),
        ("NumPy", np.__version__ if NUMPY else "-  for speed: pip install numpy"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("processor", f"{model}, {cores} cores for this process"),
        ("BLAS", str(blas)),
        ("threads", threads(blas)),
        *((extra.module, installed(extra)) for extra in EXTRAS),
        ("CuPy", gpu_arrays()),
    ]
    for name, value in rows:
        print(f"{name:<10} {value}")
    advice = misjudged(blas, flags, os.environ.get("OPENBLAS_CORETYPE"))
    if advice:
        print(f"\n{advice}")


def threads(blas: Blas) -> str:
    """How many the matrix library uses, and who said so."""
    said = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    count = "unknown" if blas.threads is None else str(blas.threads)
    return f"{count}  ({', '.join(said) or 'no variable sets it'})"


def installed(extra: Extra) -> str:
    """Its version, or the line that installs it."""
    if find_spec(extra.module) is None:
        return f"-  for {extra.purpose}: pip install 'deepdive-ml[{extra.extra}]'"
    package = {"PIL": "pillow"}.get(extra.module, extra.module)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "installed, version unknown"


def gpu_arrays() -> str:
    """Whether CuPy is there and finds a GPU."""
    reason = why_no_cupy()
    if reason and find_spec("cupy") is None:
        return f"-  {reason}: {INSTALL}"
    return reason or "finds a GPU"


def misjudged(blas: Blas, flags: set[str], chosen: str | None = None) -> str | None:
    """What to do when OpenBLAS works for an older processor, which halves its speed.

    `chosen` is OPENBLAS_CORETYPE, where somebody set it: then OpenBLAS did as it was told.

    >>> blas = Blas("openblas", "0.3", "Haswell", 2)
    >>> modern = {"avx2", "avx512f", "avx512bw", "avx512vl"}
    >>> print(misjudged(blas, modern))
    OpenBLAS takes this processor for a Haswell, though it has AVX-512: matrix products may be
    half as fast as they could be.  Try, before Python starts:
      export OPENBLAS_CORETYPE=SkylakeX
    >>> print(misjudged(blas, modern, "Haswell"))
    OPENBLAS_CORETYPE=Haswell makes OpenBLAS work as for a Haswell, though this processor has
    AVX-512: matrix products may be half as fast as they could be.  OpenBLAS's own choice:
      unset OPENBLAS_CORETYPE
    >>> misjudged(blas, {"avx2"})
    """
    modern = {"avx512f", "avx512bw", "avx512vl"} <= flags
    if not modern or blas.core not in ("Haswell", "Zen", "Sandybridge", "Nehalem", "Prescott"):
        return None
    is_windows = os.name == "nt"
    if chosen:
        unset = "set OPENBLAS_CORETYPE=" if is_windows else "unset OPENBLAS_CORETYPE"
        return (
            f"OPENBLAS_CORETYPE={chosen} makes OpenBLAS work as for a {blas.core}, though this "
            "processor has\nAVX-512: matrix products may be half as fast as they could be.  "
            f"OpenBLAS's own choice:\n  {unset}"
        )
    return (
        f"OpenBLAS takes this processor for a {blas.core}, though it has AVX-512: matrix "
        "products may be\nhalf as fast as they could be.  Try, before Python starts:\n"
        f"  {'set' if is_windows else 'export'} OPENBLAS_CORETYPE=SkylakeX"
    )

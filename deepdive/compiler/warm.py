"""Filling the cache: the kernels that generated programs call, before any program asks."""

from __future__ import annotations

KERNELS = ("product", "pack", "pack_turned", "convolve", "correlate", "collect")


def warm_kernels() -> int:
    """Compile, or find in the cache, all kernels that programs and eager mode call; their number.

    Raises:
        MissingExtraError: without Numba.
    """
    from numba import types

    from deepdive.kernels import choice, entry, runner

    for name in KERNELS:
        getattr(entry, name)()
    runners = (runner.alone, runner.together)
    for run in runners:
        count = run.py_func.__code__.co_argcount
        run.compile((types.int64,) * count)
    return len(KERNELS) + len(runners) + choice.warm()

"""Is a GPU array library here, and which array module to use.

CuPy is imported only when one of these functions is called, never by ``import deepdive``.
"""

from __future__ import annotations

import warnings
from types import ModuleType

INSTALL = "pip install 'deepdive-ml[cuda12]' (or [cuda13])"


def _find() -> tuple[ModuleType | None, str]:
    """CuPy where it works, else None and the reason."""
    try:
        import cupy  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None, "CuPy is not installed"
    except Exception as error:  # a broken CUDA installation fails in many ways
        return None, f"CuPy cannot be loaded: {error}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return None, f"CuPy finds no usable driver: {error}"
    return (cupy, f"{count} GPU(s)") if count else (None, "CuPy finds no GPU")


def check_cupy() -> bool:
    """Whether CuPy is installed and sees a GPU."""
    return _find()[0] is not None


def why_no_cupy() -> str:
    """Why CuPy cannot be used here, in a few words; empty where it can."""
    module, reason = _find()
    return reason if module is None else ""


def import_cupy_else_numpy() -> ModuleType:
    """CuPy where it works; else NumPy, with a warning that says why."""
    module, reason = _find()
    if module is not None:
        return module
    import numpy

    message = f"arrays stay on the CPU: {reason}; to use a GPU: {INSTALL}"
    warnings.warn(message, RuntimeWarning, stacklevel=2)
    return numpy

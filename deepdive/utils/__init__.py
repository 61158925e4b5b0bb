"""Small named tools, and the questions system A's users ask about the GPU."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from deepdive.utils.gpu import check_cupy, import_cupy_else_numpy, why_no_cupy

# Named here as PyTorch names them, at home elsewhere; loaded when first used.
LATE = {
    "checkpoint": "deepdive.utils.checkpoint",
    "dlpack": "deepdive.utils.dlpack",
}


def __getattr__(name: str) -> Any:
    if name == "CUPY_AVAILABLE":  # asked for only when somebody looks: CuPy is slow to import
        return check_cupy()
    if name in LATE:
        return import_module(LATE[name])
    raise AttributeError(f"module 'deepdive.utils' has no attribute {name!r}")

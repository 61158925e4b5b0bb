"""Which speaker belongs to an array, and which to a device name.

A *speaker* is a module whose functions are the words of the vocabulary for one array type.  The
rest of the library never asks "which device?": it looks up the speaker of the array at hand.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from deepdive.backend import numpy_cpu
from deepdive.errors import DeviceError

BY_TYPE: dict[type, Any] = {numpy_cpu.ARRAY_TYPE: numpy_cpu}
BY_DEVICE: dict[str, ModuleType] = {"cpu": numpy_cpu}

INSTALL_CUDA = "pip install 'deepdive-ml[cuda12]' (or [cuda13]); then deepdive.utils.check_cupy()"


def of_device(device: object) -> Any:
    """The speaker for a device name such as ``"cpu"``.

    Raises:
        DeviceError: if there is no such device here.
    """
    name = str(device)
    if name in BY_DEVICE:
        return BY_DEVICE[name]
    if name.split(":")[0] == "cuda":
        raise DeviceError(
            "to: no CUDA device can be used here",
            got=repr(name),
            expected="CuPy and an NVIDIA GPU",
            fix=INSTALL_CUDA,
        )
    raise DeviceError(
        f"to: unknown device {name!r}", expected=" or ".join(map(repr, sorted(BY_DEVICE)))
    )

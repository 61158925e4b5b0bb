"""Which speaker belongs to an array, and which to a device name.

A *speaker* is a module whose functions are the words of the vocabulary for one array type.  The
rest of the library never asks "which device?": it looks up the speaker of the array at hand.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from deepdive import config
from deepdive.backend import numpy_cpu
from deepdive.errors import DeviceError
from deepdive.utils.gpu import INSTALL, why_no_cupy

BY_TYPE: dict[type, Any] = {numpy_cpu.ARRAY_TYPE: numpy_cpu}
BY_DEVICE: dict[str, ModuleType] = {"cpu": numpy_cpu}
LATE = {"native": "deepdive.backend.native.namespace"}  # imported when their device is first named


def of_device(device: object) -> Any:
    """The speaker for a device name such as ``"cpu"``.

    Raises:
        DeviceError: if there is no such device here.
    """
    name = str(device)
    if name in BY_DEVICE:
        return BY_DEVICE[name]
    if name in LATE:
        return _introduce(name)
    if name.split(":")[0] == "cuda":
        raise _no_cuda(name)
    raise DeviceError(
        f"to: unknown device {name!r}", expected=" or ".join(map(repr, sorted({*BY_DEVICE, *LATE})))
    )


config._speaker_of[0] = of_device


def _introduce(name: str) -> Any:
    """Import the speaker of a device, and know its arrays from now on."""
    speaker = import_module(LATE[name])
    BY_TYPE[speaker.ARRAY_TYPE] = BY_DEVICE[name] = speaker
    return speaker


def _no_cuda(name: str) -> DeviceError:
    """What is missing; where nothing is, that this release has no speaker for CuPy's arrays."""
    missing = why_no_cupy()
    return DeviceError(
        f"to: no CUDA device can be used here: {missing or 'this release computes on the CPU'}",
        got=repr(name),
        expected="CuPy and an NVIDIA GPU" if missing else "'cpu'",
        fix=f"{INSTALL}; then deepdive.utils.check_cupy()" if missing else None,
    )

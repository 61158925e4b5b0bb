"""Which speaker belongs to an array, and which to a device name.

A *speaker* is a module whose functions are the words of the vocabulary for one array type.  The
rest of the library never asks "which device?": it looks up the speaker of the array at hand.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from deepdive import config
from deepdive.errors import DeviceError
from deepdive.host import NUMPY, missing_numpy
from deepdive.utils.gpu import INSTALL, why_no_cupy

BY_TYPE: dict[type, Any] = {}
BY_DEVICE: dict[str, Any] = {}
LATE = {  # imported when their device is first named
    "cpu": "deepdive.backend.numpy_cpu",
    "native": "deepdive.backend.native.namespace",
}


def of_device(device: object) -> Any:
    """The speaker for a device name such as ``"cpu"``.

    Raises:
        DeviceError: if there is no such device here.
        MissingExtraError: for ``"cpu"`` without NumPy.
    """
    name = str(device)
    if name in BY_DEVICE:
        return BY_DEVICE[name]
    if name in LATE:
        return _introduce(name)
    if name.split(":")[0] == "cuda":
        return _cuda(name)
    raise DeviceError(
        f"to: unknown device {name!r}", expected=" or ".join(map(repr, sorted({*BY_DEVICE, *LATE})))
    )


config._speaker_of.append(of_device)


def _introduce(name: str) -> Any:
    """Import the speaker of a device, and know its arrays from now on."""
    if name == "cpu" and not NUMPY:
        raise missing_numpy("device 'cpu'")
    return introduce(import_module(LATE[name]), name)


def introduce(speaker: Any, *names: str) -> Any:
    """Know the arrays of `speaker` from now on, and call it by the device names `names`."""
    BY_TYPE[speaker.ARRAY_TYPE] = speaker
    BY_DEVICE.update(dict.fromkeys(names, speaker))
    return speaker


def forget(array_type: type) -> None:
    """Undo :func:`introduce` for the speaker of an array type, if there is one."""
    BY_TYPE.pop(array_type, None)
    for name in [n for n, speaker in BY_DEVICE.items() if speaker.ARRAY_TYPE is array_type]:
        del BY_DEVICE[name]


def _cuda(name: str) -> Any:
    """The speaker of a GPU: the one in use, or the first that is asked for.

    Raises:
        DeviceError: without CuPy or a GPU, for no number of one, and for a second GPU: a process
            computes on one.
    """
    missing = why_no_cupy()
    if missing:
        raise DeviceError(
            f"to: no CUDA device can be used here: {missing}",
            got=repr(name),
            expected="CuPy and an NVIDIA GPU",
            fix=f"{INSTALL}; then deepdive.utils.check_cupy()",
        )
    number = name.partition(":")[2] or "0"
    if not number.isdecimal():
        raise DeviceError(f"to: unknown device {name!r}", expected="'cuda' or 'cuda:0'")
    if "cuda" in BY_DEVICE:
        raise DeviceError(
            "to: one process computes on one GPU",
            got=repr(name),
            expected=repr(BY_DEVICE["cuda"].DEVICE),
            fix="a process for each GPU, told by CUDA_VISIBLE_DEVICES which is its own",
        )
    speaker = import_module("deepdive.backend.cupy_gpu").open_cuda(int(number))
    return introduce(speaker, "cuda", speaker.DEVICE)


def to_host(array: Any) -> Any:
    """The values in an array of the host, for files, pictures and questions: see deepdive.host."""
    speaker = BY_TYPE[type(array)]
    return getattr(speaker, "to_host", speaker.to_numpy)(array)


if not NUMPY:
    config.defaults.device = "native"
_introduce(config.defaults.device)

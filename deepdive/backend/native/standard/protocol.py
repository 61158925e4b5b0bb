"""What the standard wants of an array itself, beyond what it has and Python's operators."""

from __future__ import annotations

from typing import Any

from deepdive.backend.native import namespace as xp
from deepdive.backend.native.ndarray import NDArray
from deepdive.backend.native.standard.creation import here
from deepdive.backend.native.standard.numbers import (
    bitwise_left_shift,
    bitwise_right_shift,
    positive,
)

CPU = (1, 0)  # DLPack's kDLCPU, and which one


def to_device(self: NDArray, device: Any, /, *, stream: Any = None) -> NDArray:
    """The array itself: there is one device."""
    here(device)
    return self


def dlpack_device(self: NDArray) -> tuple[int, int]:
    """The processor's own memory."""
    return CPU


def dlpack(
    self: NDArray,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule on the same memory, wrapped by NumPy.

    Raises:
        MissingExtraError: without NumPy.
    """
    array = xp.to_numpy(self)
    options = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
    return array.__dlpack__(stream=stream, **options)


def attach(module: Any) -> None:
    """Give arrays these methods, and `module` for their namespace."""

    def namespace(self: NDArray, *, api_version: str | None = None) -> Any:
        return module

    xp.operator_methods("lshift", bitwise_left_shift)
    xp.operator_methods("rshift", bitwise_right_shift)
    xp.method("__pos__", positive)
    xp.method("__array_namespace__", namespace)
    xp.method("__dlpack__", dlpack)
    xp.method("__dlpack_device__", dlpack_device)
    xp.method("to_device", to_device)

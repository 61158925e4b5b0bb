"""DLPack: arrays handed to other libraries and taken from them, on the same memory.

What is written on one side is seen on the other.  NumPy makes and reads the capsules of the
processor's memory, CuPy those of a GPU's; https://dmlc.github.io/dlpack describes the protocol.

>>> import deepdive as dd, numpy as np
>>> x = dd.zeros(3)
>>> np.from_dlpack(x)[1] = 7
>>> x
tensor([0., 7., 0.])
"""

from __future__ import annotations

from typing import Any

from deepdive.backend import speakers
from deepdive.core.operator import add_method
from deepdive.core.tensor import Tensor, array_of, wrap
from deepdive.dtypes import NARROW
from deepdive.errors import DTypeError, ExchangeError
from deepdive.host import NUMPY, missing_numpy, np
from deepdive.ops.creation import creator

CPU, CUDA = 1, 2  # DLPack's numbers of device types
HOST_KINDS = (CPU, 3, 11)  # memory the processor can read: its own, pinned, ROCm's pinned
GPU_KINDS = (CUDA, 13)  # CUDA's own, and managed memory


def _host(device: str) -> bool:
    return device.partition(":")[0] != "cuda"


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """DLPack's device type and number: ``(1, 0)`` for the CPU and native arrays."""
    if _host(self.device):
        return (CPU, 0)
    return (CUDA, int(self.device.partition(":")[2] or 0))


def _dlpack(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule on this tensor's memory; see the array API standard for the options.

    Raises:
        ExchangeError: for a tensor with gradients, for memory that may only be read where the
            other side cannot be told so, and for bfloat16 on the CPU.
        MissingExtraError: without NumPy.
    """
    if self.requires_grad:
        raise ExchangeError(
            "__dlpack__: other libraries cannot record gradients in our graph",
            got=f"a tensor with {'requires_grad=True' if self.is_leaf else 'a grad_fn'}",
            expected="a tensor that tracks nothing",
            fix="x.detach(), which shares its memory",
        )
    if not NUMPY:
        raise missing_numpy("DLPack")
    array: Any = self.numpy() if _host(self.device) else self._data
    asked = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    options = {name: value for name, value in asked.items() if value is not None}
    try:
        return array.__dlpack__(**options)
    except BufferError as error:
        raise ExchangeError(
            f"__dlpack__: {error}",
            got=f"{array.dtype} of shape {tuple(array.shape)} on {self.device!r}",
            fix="x.float()"  # NumPy makes no capsules of bfloat16
            if array.dtype in NARROW
            else "x.clone() has memory of its own, which may be written to",
        ) from error


@creator
def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of another library's array, which tracks nothing.

    Args:
        x: anything with ``__dlpack__`` and ``__dlpack_device__``, or a capsule of the CPU's.
        device: where the tensor shall be; where `x` is if absent.
        copy: True for memory of its own, False to fail rather than copy; if absent, copied only
            to another device.

    Raises:
        ExchangeError: for what is no such array, for memory no device here can read, where
            ``copy=False`` cannot be, and for kinds of numbers that NumPy has not (bfloat16).
        DTypeError: for kinds of numbers that only the library has not (complex).
        DeviceError: for a GPU's array where no GPU can be used.

    >>> from_dlpack(np.arange(3))
    tensor([0, 1, 2])
    """
    if not NUMPY:
        raise missing_numpy("from_dlpack")
    found = _taken(Capsule(x) if type(x).__name__ == "PyCapsule" else x)
    there = device is None or found.device in (device, f"{device}:0")
    if not there:
        if copy is False:
            raise ExchangeError(
                "from_dlpack: another device has other memory",
                got=f"copy=False, from {found.device!r} to {device!r}",
                fix="leave copy or device out",
            )
        return found.to(device)  # type: ignore[attr-defined, no-any-return]
    return found.clone() if copy else found  # type: ignore[attr-defined, no-any-return]


def to_dlpack(x: Tensor) -> Any:
    """A DLPack capsule, to be taken once; in new code the other side calls ``x.__dlpack__()``."""
    return x.__dlpack__()  # type: ignore[attr-defined]


class Capsule:
    """A capsule of ``to_dlpack``, which says nothing of its device: its reader looks."""

    def __init__(self, capsule: Any) -> None:
        self.capsule: Any = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (CPU, 0)


def _taken(x: Any) -> Tensor:
    """`x` as a Tensor where it is."""
    if isinstance(x, Tensor):
        if x.requires_grad:
            x.__dlpack__()  # type: ignore[attr-defined]  # refuses, in words
        return x.detach()
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise ExchangeError(
            "from_dlpack: this cannot be shared through DLPack",
            got=type(x).__name__,
            expected="an array with __dlpack__ and __dlpack_device__",
            fix="dd.tensor(x) copies numbers, lists and arrays",
        )
    kind, number = x.__dlpack_device__()
    if kind in GPU_KINDS:
        speaker = speakers.of_device(f"cuda:{number}" if number else "cuda")
        return wrap(array_of(speaker.cp.from_dlpack(x), speaker))
    if kind not in HOST_KINDS:
        raise ExchangeError(
            "from_dlpack: no device here reads that memory",
            got=f"DLPack device type {int(kind)}",
            expected="the CPU or a CUDA GPU",
            fix="bring it to the CPU first",
        )
    return wrap(array_of(_read(x), speakers.of_device("cpu")))


def _read(x: Any) -> Any:
    """NumPy's array on the memory of `x`."""
    try:
        array = np.from_dlpack(x)
    except (BufferError, RuntimeError, ValueError) as error:
        raise ExchangeError(
            f"from_dlpack: {error}",
            got=f"{type(x).__name__} of {getattr(x, 'dtype', 'unknown numbers')}",
            expected="numbers NumPy has, in a capsule nobody took before",
            fix="convert first (bfloat16 with .float()); detach() what tracks gradients",
        ) from error
    if array.dtype.kind not in "buif":
        raise DTypeError("from_dlpack: not the library's kind of numbers", got=array.dtype)
    return array


def _to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The array API standard's name for ``x.to(device)``."""
    return self.to(str(device))  # type: ignore[attr-defined, no-any-return]


add_method("to_device", _to_device)
add_method("__dlpack__", _dlpack)
add_method("__dlpack_device__", _dlpack_device)

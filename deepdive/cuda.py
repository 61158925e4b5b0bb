"""The GPU, in ``torch.cuda``'s words (``deepdive.cuda``); CuPy is imported when one asks.

>>> import deepdive as dd
>>> dd.cuda.is_available() == dd.utils.check_cupy()
True
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from deepdive.backend import speakers
from deepdive.backend.cupy_host import MODES
from deepdive.backend.cupy_narrow import has_bfloat16
from deepdive.core import random
from deepdive.errors import ArgumentError
from deepdive.utils import check_cupy


def _speaker() -> Any:
    return speakers.of_device("cuda")


def _cuda() -> Any:
    return _speaker().cp.cuda


# --- which ------------------------------------------------------------------------------------
def is_available() -> bool:
    """Whether CuPy is installed and sees a GPU."""
    return check_cupy()


def device_count() -> int:
    """How many GPUs there are; 0 without CuPy."""
    return int(_cuda().runtime.getDeviceCount()) if check_cupy() else 0


def current_device() -> int:
    """The number of the GPU this process computes on.

    Raises:
        DeviceError: without CuPy or a GPU, as all below.
    """
    return int(_speaker().DEVICE.partition(":")[2])


def set_device(device: int | str) -> None:
    """Compute on this GPU, before anything else has been put on one.

    Raises:
        DeviceError: if the process computes on another one already.
    """
    number = str(device).rpartition(":")[2]
    speakers.of_device(f"cuda:{number}")


def _properties(device: int | None = None) -> dict[str, Any]:
    number = current_device() if device is None else device
    found: dict[str, Any] = _cuda().runtime.getDeviceProperties(number)
    return found


def get_device_name(device: int | None = None) -> str:
    """What the GPU is called, ``"NVIDIA GeForce RTX 3060"``."""
    name = _properties(device)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def get_device_capability(device: int | None = None) -> tuple[int, int]:
    """Major and minor number of what the GPU can do."""
    properties = _properties(device)
    return int(properties["major"]), int(properties["minor"])


def is_bf16_supported() -> bool:
    """Whether a GPU, a CuPy that has bfloat16 (14 or newer) and the extra ``[bf16]`` are there."""
    if not is_available() or find_spec("ml_dtypes") is None:
        return False
    return has_bfloat16(_speaker().cp)


# --- waiting ----------------------------------------------------------------------------------
def synchronize() -> None:
    """Wait until the GPU has done all it was told; then errors noticed late are raised."""
    speaker = _speaker()
    speaker.cp.cuda.Device().synchronize()
    speaker.host.answer()


def set_sync_debug_mode(mode: int | str) -> None:
    """What every copy to the host does: nothing, ``"warn"`` or ``"error"`` (or 0, 1, 2).

    Copies wait for the GPU; in the mode ``"error"`` a training step shows that it has none.

    Raises:
        ArgumentError: for any other mode.
    """
    name = MODES[mode] if isinstance(mode, int) and 0 <= mode < len(MODES) else mode
    if name not in MODES:
        raise ArgumentError(
            "set_sync_debug_mode: unknown mode", got=repr(mode), expected=" or ".join(MODES)
        )
    _speaker().host.mode = name


def get_sync_debug_mode() -> int:
    """The mode as a number, 0 for the default."""
    return MODES.index(_speaker().host.mode)


class Event:
    """A moment in the GPU's work.

    Args:
        enable_timing: whether :meth:`elapsed_time` will be asked.
    """

    def __init__(self, enable_timing: bool = False) -> None:
        self._event = _cuda().Event(disable_timing=not enable_timing)

    def record(self, stream: Stream | None = None) -> None:
        """The moment is when all that was asked so far is done."""
        self._event.record(None if stream is None else stream._stream)

    def query(self) -> bool:
        """Whether it has come."""
        return bool(self._event.done)

    def synchronize(self) -> None:
        """Wait for it."""
        self._event.synchronize()

    def wait(self, stream: Stream | None = None) -> None:
        """Let a stream wait for it."""
        queue = _cuda().get_current_stream() if stream is None else stream._stream
        queue.wait_event(self._event)

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds from this moment to `end`."""
        return float(_cuda().get_elapsed_time(self._event, end._event))


class Stream:
    """A queue of work beside the usual one; ``with stream:`` fills it."""

    def __init__(self) -> None:
        self._stream = _cuda().Stream(non_blocking=True)

    def __enter__(self) -> Stream:
        self._stream.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stream.__exit__(*exc_info)

    def synchronize(self) -> None:
        """Wait until it is empty."""
        self._stream.synchronize()

    def query(self) -> bool:
        """Whether it is empty."""
        return bool(self._stream.done)

    def record_event(self, event: Event | None = None) -> Event:
        """The moment when all that is in it now is done."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Go on only after `event`."""
        self._stream.wait_event(event._event)

    def wait_stream(self, other: Stream) -> None:
        """Go on only after what `other` holds now."""
        self.wait_event(other.record_event())


# --- memory -----------------------------------------------------------------------------------
def _pool() -> Any:
    return _speaker().cp.get_default_memory_pool()


def memory_allocated() -> int:
    """Bytes of the arrays alive."""
    return int(_pool().used_bytes())


def memory_reserved() -> int:
    """Bytes taken from the GPU: the arrays alive, and memory kept for the next ones."""
    return int(_pool().total_bytes())


def mem_get_info() -> tuple[int, int]:
    """Free and total bytes of the GPU."""
    free, total = _cuda().Device().mem_info
    return int(free), int(total)


def memory_summary() -> str:
    """The memory in a few words."""
    speaker = _speaker()
    return f"{speaker.DEVICE} ({get_device_name()}): {speaker.host.memory()}"


def empty_cache() -> None:
    """Give memory no array needs back to the GPU."""
    cp = _speaker().cp
    cp.get_default_memory_pool().free_all_blocks()
    cp.get_default_pinned_memory_pool().free_all_blocks()


# --- random numbers ---------------------------------------------------------------------------
def manual_seed(seed: int) -> None:
    """Seed the default generator: there is one for all devices, and they draw the same bits."""
    random.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """The same as :func:`manual_seed`."""
    random.manual_seed(seed)

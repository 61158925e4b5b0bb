"""How values come from the GPU to the host – the only place where that happens.

A copy to the host waits until the GPU has done everything asked of it so far, so a hidden one costs
more than it looks.  ``mode`` makes them seen (:func:`deepdive.cuda.set_sync_debug_mode`); checks of
values that nobody waits for, such as the range of class numbers, are asked *later*: the numbers
travel while the GPU works on, and an error comes a few operations after its cause, saying so.
"""

from __future__ import annotations

import sys
import warnings
from collections import deque
from collections.abc import Callable
from typing import Any

from deepdive.errors import DeepDiveError, DeviceError
from deepdive.host import np

MODES = ("default", "warn", "error")
WAITING = 32  # questions at most; then the oldest is waited for
LARGEST = 1 << 20  # elements: of larger arrays nothing is asked

Question = Callable[[Any], Any]


class Host:
    """The host's side of one GPU.

    Attributes:
        mode: what a copy to the host does besides: nothing, a warning, an error.
        copies: how many there have been, to be counted in tests.
        capturing: whether what the GPU is asked is kept for a graph just now.
    """

    def __init__(self, cp: Any, cupyx: Any) -> None:
        self.cp, self.cupyx = cp, cupyx
        self.mode = "default"
        self.copies = 0
        self.capturing = False
        self._questions: deque[tuple[Any, Any, Question, str]] = deque()

    # --- copies --------------------------------------------------------------------------------
    def waits(self, what: str) -> None:
        """Somebody is about to wait for the GPU.

        Raises:
            DeviceError: in the mode ``"error"``, naming the line that asked for it.
        """
        self.copies += 1
        if self.mode == "default":
            return
        error = DeviceError(
            f"{what} waits for the GPU",
            got=f"at {_place()}",
            fix="keep the value on the device, or look at it every so many steps; "
            "dd.cuda.set_sync_debug_mode('default') allows it again",
        )
        if self.mode == "error":
            raise error
        warnings.warn(str(error), stacklevel=3)

    def copy(self, x: Any) -> Any:
        """A NumPy array of the values of `x`, when the GPU has got there."""
        self.waits("a copy from the device to the host")
        found = x.get()
        self.answer()
        return found

    def sent(self, array: Any) -> Any:
        """`array` on the device; it may be changed as soon as this returns.

        Raises:
            RuntimeError: in a capture, which would read the host's memory again at each launch.
        """
        if self.capturing:
            raise RuntimeError("an array of the host is sent to the device")
        return self.cp.asarray(array)

    def pinned(self, array: Any) -> Any:
        """The values of a NumPy array in memory the GPU can fetch from while Python goes on."""
        out = self._room(array.shape, array.dtype)
        out[...] = array
        return out

    def _room(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Pinned memory; there is none of no bytes."""
        return self.cupyx.empty_pinned(shape, dtype) if 0 not in shape else np.empty(shape, dtype)

    def courier(self) -> Courier:
        """Who brings arrays to the device while it computes."""
        return Courier(self)

    # --- questions -----------------------------------------------------------------------------
    def later(self, array: Any, question: Question) -> None:
        """``question(values)`` once the values are here; what it answers is nobody's business."""
        if array.size > LARGEST:
            return
        values = self._room(array.shape, array.dtype)
        array.get(out=values, blocking=False)
        arrived = self.cp.cuda.Event(disable_timing=True)
        arrived.record()
        self._questions.append((arrived, values, question, _place()))
        while self._questions and (len(self._questions) > WAITING or self._questions[0][0].done):
            self._ask()

    def answer(self) -> None:
        """Ask all that waits; the GPU has been waited for."""
        while self._questions:
            self._ask()

    def _ask(self) -> None:
        arrived, values, question, place = self._questions.popleft()
        arrived.synchronize()
        try:
            question(values)
        except DeepDiveError as error:
            error.where.append(f"{place}, noticed only now: the GPU works behind Python's back")
            self._questions.clear()
            raise

    # --- memory --------------------------------------------------------------------------------
    def memory(self) -> str:
        """A line on the memory: in use, kept for later, all there is.

        >>> from deepdive.testing.standin import speaker
        >>> speaker.host.memory().split(", ")[2]
        'of 16384.0 MiB'
        """
        pool = self.cp.get_default_memory_pool()
        total = self.cp.cuda.Device().mem_info[1]
        sizes = [f"{count / 2**20:.1f} MiB" for count in self.numbers(pool)]
        return f"{sizes[0]} in use, {sizes[1]} kept by the pool, of {total / 2**20:.1f} MiB"

    def numbers(self, pool: Any) -> tuple[int, int]:
        """Bytes in use, and bytes the pool holds."""
        return pool.used_bytes(), pool.total_bytes()


class Courier:
    """Brings NumPy arrays to the device on a stream of its own, beside the computing one.

    An array is allocated for the computing stream, and the copy starts only after what that stream
    had been told until then: memory that is used again is never written too early.  What the copy
    reads from, pinned memory, is kept until it has been read.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.stream = host.cp.cuda.Stream(non_blocking=True)
        self._reading: deque[tuple[Any, Any]] = deque()

    def send(self, array: Any) -> tuple[Any, Any]:
        """The array on the device, and the moment when it will have arrived there."""
        cp = self.host.cp
        source = self.host.pinned(array)
        out = cp.empty(source.shape, source.dtype)
        before = cp.cuda.Event(disable_timing=True)
        before.record()
        self.stream.wait_event(before)
        out.set(source, stream=self.stream)
        arrived = cp.cuda.Event(disable_timing=True)
        arrived.record(self.stream)
        self._reading.append((arrived, source))
        while self._reading and self._reading[0][0].done:
            self._reading.popleft()
        return out, arrived

    def receive(self, sent: tuple[Any, Any]) -> Any:
        """The array, for what is computed from now on."""
        array, arrived = sent
        self.host.cp.cuda.get_current_stream().wait_event(arrived)
        return array

    def close(self) -> None:
        """Wait until nothing is under way."""
        self.stream.synchronize()
        self._reading.clear()


def _place() -> str:
    """File and line of the nearest frame outside the library."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("deepdive."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"

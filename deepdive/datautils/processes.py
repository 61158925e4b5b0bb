"""Batches fetched by other processes, for transforms in Python that threads cannot overlap.

A batch comes back through shared memory: its arrays are written there once and copied out once,
whatever they are nested in.  Workers are started afresh ("spawn"), for a forked copy of a process
with threads may hang; so a script that uses them guards its top level with
``if __name__ == "__main__":``.
"""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from typing import Any, NamedTuple

from deepdive import config
from deepdive.errors import ArgumentError

METHODS = ("spawn", "forkserver", "fork")

_fetch: Any = None  # in a worker: what makes a batch of sample numbers


class Parcel(NamedTuple):
    """A batch on its way: what it is, and where in shared memory its arrays lie."""

    pickled: bytes
    memory: str | None
    sizes: list[int]


class Workers:
    """Processes that call `fetch`; they end when nobody holds this object any more.

    Args:
        count: how many.
        method: how they are started, one of :data:`METHODS`.
        start: called with the worker's number in each of them (optional).

    Raises:
        ArgumentError: for an unknown method, or data that cannot be sent to another process.
    """

    def __init__(
        self, fetch: Any, count: int, method: str, start: Callable[[int], Any] | None
    ) -> None:
        if method not in METHODS:
            raise ArgumentError(
                "DataLoader: unknown multiprocessing_context",
                got=repr(method),
                expected=" or ".join(map(repr, METHODS)),
            )
        try:
            sent = pickle.dumps(fetch)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ArgumentError(
                "DataLoader: the data set cannot be sent to other processes",
                got=str(error),
                fix="define its class and functions at the top of a module, or use threads",
            ) from error
        context = get_context(method)
        numbers: Any = None if start is None else context.Queue()
        for number in range(count if numbers else 0):
            numbers.put(number)
        facts = (sent, config.defaults.dtype, numbers, start)
        self.pool = ProcessPoolExecutor(count, context, _begin, facts)
        weakref.finalize(self, self.pool.shutdown, wait=True, cancel_futures=True)

    def submit(self, job: tuple[Any, ...]) -> Any:
        """A batch to be fetched: its future parcel."""
        return self.pool.submit(_work, *job)


def _begin(sent: bytes, dtype: Any, numbers: Any, start: Callable[[int], Any] | None) -> None:
    """In a new worker: remember what to do."""
    global _fetch
    _fetch = pickle.loads(sent)
    config.defaults.dtype = dtype
    if start is not None:
        start(numbers.get())


def _work(*args: Any) -> Parcel:
    """In a worker: fetch a batch and put its arrays into shared memory."""
    buffers: list[Any] = []
    pickled = pickle.dumps(_fetch(*args), protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    sizes = [view.nbytes for view in views]
    if not sum(sizes):
        return Parcel(pickled, None, sizes)
    memory = SharedMemory(create=True, size=sum(sizes))
    room: Any = memory.buf
    begin = 0
    for view in views:
        room[begin : begin + view.nbytes] = view
        begin += view.nbytes
    memory.close()
    return Parcel(pickled, memory.name, sizes)


def unpacked(parcel: Parcel) -> Any:
    """The batch of a parcel, in memory of its own; the shared memory is given back."""
    if parcel.memory is None:
        return pickle.loads(parcel.pickled, buffers=[bytearray() for _ in parcel.sizes])
    memory = SharedMemory(parcel.memory)
    try:
        room: Any = memory.buf
        copies = []
        begin = 0
        for size in parcel.sizes:
            copies.append(bytearray(room[begin : begin + size]))
            begin += size
    finally:
        memory.close()
        memory.unlink()
    return pickle.loads(parcel.pickled, buffers=copies)

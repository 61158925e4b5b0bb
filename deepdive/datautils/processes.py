"""Batches fetched by other processes, for transforms in Python that threads cannot overlap.

A batch comes back through shared memory: its arrays are written there once and copied out once,
whatever lists, tuples and dicts they are nested in; the rest of it travels as process pools send
things.  Workers are started afresh ("spawn"), for a forked copy of a process with threads may
hang; so a script that uses them guards its top level with ``if __name__ == "__main__":``.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, reduction
from multiprocessing.shared_memory import SharedMemory
from typing import Any, NamedTuple

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.datautils.delivery import in_batch
from deepdive.errors import ArgumentError
from deepdive.host import NUMPY, np

METHODS = ("spawn", "forkserver", "fork")
ALIGNED = 64  # bytes: where an array may begin

_fetch: Any = None  # in a worker: what makes a batch of sample numbers


class Place:
    """Where an array of a batch lies in shared memory, and the Tensor it belongs to, if any."""

    def __init__(self, array: Any, begin: int, tensor: Any) -> None:
        self.dtype, self.shape, self.begin = array.dtype, array.shape, begin
        self.tensor = tensor


class Parcel(NamedTuple):
    """A batch on its way: `rest` has places instead of arrays; `memory` is named if there are."""

    rest: Any
    memory: str | None


class Nowhere:
    """A file that forgets what is written to it."""

    def write(self, data: Any) -> int:
        return len(data)


class Workers:
    """Processes that call `fetch`; they end when nobody holds this object any more.

    Args:
        fetch: what makes a batch; workers start one by one, so it must not change meanwhile.
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
        if method != "fork":  # a fork has everything already
            _check_sending(fetch)
        context = get_context(method)
        numbers: Any = None if start is None else context.Queue()
        for number in range(count if numbers else 0):
            numbers.put(number)
        facts = (fetch, config.defaults.dtype, numbers, start)
        self.pool = ProcessPoolExecutor(count, context, _begin, facts)
        weakref.finalize(self, self.pool.shutdown, wait=True, cancel_futures=True)

    def submit(self, job: tuple[Any, ...]) -> Any:
        """A batch to be fetched: its future parcel."""
        return self.pool.submit(_work, *job)


def _check_sending(fetch: Any) -> None:
    """Asked before the first process starts: its own refusal would name none of our words."""
    try:
        reduction.dump(fetch, Nowhere())
    except Exception as error:  # what it raises depends on what the data set holds
        raise ArgumentError(
            "DataLoader: the data set cannot be sent to other processes",
            got=str(error),
            fix="define its class and functions at the top of a module, or use threads",
        ) from error


def _begin(fetch: Any, dtype: Any, numbers: Any, start: Callable[[int], Any] | None) -> None:
    """In a new worker: remember what to do."""
    global _fetch
    _fetch = fetch
    config.defaults.dtype = dtype
    if start is not None:
        start(numbers.get())


def _work(*args: Any) -> Parcel:
    """In a worker: fetch a batch and put its arrays into shared memory."""
    arrays: list[tuple[Any, int]] = []
    size = 0

    def placed(x: Any) -> Any:
        nonlocal size
        array, tensor = x, None
        if isinstance(x, Tensor):
            rebuild, (kind, array, *facts) = x.__reduce__()
            tensor = (rebuild, kind, facts)
        if type(array) is not np.ndarray or array.dtype.hasobject:
            return x  # no plain memory: it goes with the rest
        place = Place(array, size, tensor)
        arrays.append((array, size))
        size += math.ceil(array.nbytes / ALIGNED) * ALIGNED
        return place

    batch = _fetch(*args)
    rest = in_batch(placed, batch) if NUMPY else batch
    if not size:
        return Parcel(rest, None) if not arrays else Parcel(batch, None)
    reduction.dump(rest, Nowhere())  # if it cannot be sent, that is said before memory is taken
    memory = SharedMemory(create=True, size=size)
    for array, begin in arrays:
        np.ndarray(array.shape, array.dtype, memory.buf, begin)[...] = array
    memory.close()
    return Parcel(rest, memory.name)


def unpacked(parcel: Parcel) -> Any:
    """The batch of a parcel, in memory of its own; the shared memory is given back."""
    if parcel.memory is None:
        return parcel.rest
    memory = SharedMemory(parcel.memory)

    def taken(place: Place) -> Any:
        array = np.ndarray(place.shape, place.dtype, memory.buf, place.begin).copy()
        if place.tensor is None:
            return array
        rebuild, kind, facts = place.tensor
        return rebuild(kind, array, *facts)

    try:
        return in_batch(taken, parcel.rest, Place)
    finally:
        memory.close()
        memory.unlink()

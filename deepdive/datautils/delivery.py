"""Batches brought to a device: Tensors there, the next one under way while one is computed with."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any

from deepdive.backend import speakers
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import DeviceError
from deepdive.host import np

ARRAYS = (np.ndarray, Tensor)


def in_batch(function: Callable[[Any], Any], batch: Any, kinds: Any = ARRAYS) -> Any:
    """``function`` of everything of some `kinds` in a batch; texts and the like stay as they are.

    >>> in_batch(lambda x: x + 1, {"x": np.zeros(2), "names": ["a", "b"]})
    {'x': array([1., 1.]), 'names': ['a', 'b']}
    """
    if isinstance(batch, dict):
        parts = {key: in_batch(function, part, kinds) for key, part in batch.items()}
        if type(batch) is dict:
            return parts
        same = copy(batch)  # a defaultdict and the like stay what they are
        same.update(parts)
        return same
    if isinstance(batch, (tuple, list)):
        items = [in_batch(function, part, kinds) for part in batch]
        return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    return function(batch) if isinstance(batch, kinds) else batch


def delivered(batches: Iterable[Any], device: str) -> Iterator[Any]:
    """The batches as Tensors on `device`.

    To a GPU they travel from pinned memory on a stream of their own, one ahead: while the network
    computes with a batch, the next one arrives.
    """
    speaker = speakers.of_device(device)
    if not hasattr(speaker, "host"):
        return (in_batch(lambda x: _moved(x, speaker), batch) for batch in batches)
    return _ahead(batches, speaker)


def _moved(x: Any, speaker: Any) -> Any:
    if isinstance(x, Tensor):
        return x.to(speaker.DEVICE)  # type: ignore[attr-defined]
    return wrap(speaker.asarray(x))


def _ahead(batches: Iterable[Any], speaker: Any) -> Iterator[Any]:
    """One batch handed out, one under way."""
    courier = speaker.host.courier()

    def send(x: Any) -> Any:
        if isinstance(x, Tensor):
            if x.device == speaker.DEVICE:
                return x
            x = x.numpy()
        return _Sent(courier.send(np.asarray(x)))

    def receive(x: Any) -> Any:
        return wrap(courier.receive(x.sent))

    waiting: list[Any] = []
    try:
        for batch in batches:
            waiting.append(in_batch(send, batch))
            if len(waiting) > 1:
                yield in_batch(receive, waiting.pop(0), _Sent)
        for batch in waiting:
            yield in_batch(receive, batch, _Sent)
    finally:
        courier.close()


class _Sent:
    """An array under way."""

    def __init__(self, sent: Any) -> None:
        self.sent = sent


def pinned(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches in pinned memory, from which a GPU fetches fastest; unchanged without a GPU."""
    try:
        speaker = speakers.of_device("cuda")
    except DeviceError as error:
        message = f"DataLoader: pin_memory does nothing here: {error.what}"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return iter(batches)

    def pin(x: Any) -> Any:
        if isinstance(x, Tensor):
            return wrap(speaker.host.pinned(x.numpy())) if x.device == "cpu" else x
        return speaker.host.pinned(x)

    return (in_batch(pin, batch) for batch in batches)

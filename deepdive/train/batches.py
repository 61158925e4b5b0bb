"""Batches as the loop takes them: in order, from the right place, on the right device."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError

Fields = tuple[Any, ...]


def groups(loader: Any, epoch: int, start: int, size: int, device: str) -> Iterator[list[Fields]]:
    """The batches of each update of epoch number `epoch` (from 0), but for the first `start`.

    A DataLoader is set to this epoch, so that its order does not depend on what it did before,
    and does not fetch what is left out.
    """
    batches = _pass(loader, epoch, start)
    while True:
        group = [_fields(batch, device) for batch in islice(batches, size)]
        if not group:
            return
        yield group


def _pass(loader: Any, epoch: int, start: int) -> Iterator[Any]:
    if hasattr(loader, "epoch"):
        loader.epoch = epoch
    if hasattr(loader, "from_batch"):
        return iter(loader.from_batch(start))
    return islice(iter(loader), start, None)


def _fields(batch: Any, device: str) -> Fields:
    """The fields of a batch; anything but a tuple or list is one field."""
    fields = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if device == "cpu":
        return fields
    return tuple(_placed(field, device) for field in fields)


def _placed(field: Any, device: str) -> Any:
    if isinstance(field, Tensor):
        return field.to(device)  # type: ignore[attr-defined]
    if hasattr(field, "dtype"):
        return Tensor(field, requires_grad=False).to(device)  # type: ignore[attr-defined]
    return field


def samples(fields: Fields) -> int:
    """How many samples a batch has: the length of its last field."""
    last = fields[-1]
    shape = getattr(last, "shape", None)
    if shape is not None:
        return shape[0] if shape else 1
    return len(last) if hasattr(last, "__len__") else 1


def no_batches(loader: Any) -> ArgumentError:
    """The error for a pass over nothing."""
    return ArgumentError(
        "Trainer.fit: the loader gave no batches",
        got=type(loader).__name__,
        expected="an iterable that can be walked over once per epoch",
        fix="a list or a DataLoader, not an iterator that is used up",
    )

"""Data sets without numbers: samples that come one after the other, perhaps without an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.errors import ArgumentError


class IterableDataset:
    """Samples in the order in which ``__iter__`` gives them; each pass calls it anew.

    A loader cuts the stream into batches; it cannot shuffle it – see :class:`ShuffleBuffer`.
    Define ``__len__`` where the number of samples is known.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


class ShuffleBuffer(IterableDataset):
    """A stream in nearly random order: each sample is drawn from a buffer of `size`.

    Args:
        generator: where the seed comes from (the default generator); the order depends on
            (seed, pass).

    >>> sorted(ShuffleBuffer(range(5), 3, generator=Generator(0)))
    [0, 1, 2, 3, 4]
    """

    def __init__(
        self, dataset: Iterable[Any], size: int, generator: Generator | None = None
    ) -> None:
        if size < 1:
            raise ArgumentError("ShuffleBuffer: the buffer holds at least one sample", got=size)
        self.dataset = dataset
        self.size = size
        self.generator = generator
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be number `epoch` (the first is 1)."""
        self.epoch = epoch - 1

    def __iter__(self) -> Iterator[Any]:
        self.epoch += 1
        seeded = (self.generator or random.default_generator).fork(self.epoch)
        stream = iter(self.dataset)
        buffer = list(islice(stream, self.size))
        for sample in stream:
            place = int(seeded.integers(0, self.size))
            yield buffer[place]
            buffer[place] = sample
        for place in seeded.permutation(len(buffer)):
            yield buffer[place]


def is_stream(dataset: Any) -> bool:
    """Whether `dataset` has samples in an order only, not by number."""
    again = hasattr(dataset, "__iter__") and not hasattr(dataset, "__next__")  # more than once
    return again and not hasattr(dataset, "__getitem__")

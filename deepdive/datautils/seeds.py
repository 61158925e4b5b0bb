"""A generator per sample: random transforms depend on (seed, epoch, index), not on threads.

The loader says which samples the batch at hand consists of; a random transform asks for
:func:`sample_generator`, however deep inside a user's data set it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from deepdive.core import random
from deepdive.core.random import Generator

_batch: ContextVar[BatchGenerators | None] = ContextVar("deepdive_batch", default=None)
_sample: ContextVar[Generator | None] = ContextVar("deepdive_sample", default=None)


class BatchGenerators:
    """The generators of the samples of one batch, made when they are first asked for."""

    def __init__(self, epoch: Generator, indices: Sequence[int]) -> None:
        self.epoch = epoch
        self.indices = indices
        self.made: dict[int, Generator] = {}

    def __getitem__(self, position: int) -> Generator:
        if position not in self.made:
            self.made[position] = self.epoch.fork(self.indices[position])
        return self.made[position]


def sample_generator() -> Generator:
    """The generator of the sample being fetched; outside a loader, the default generator."""
    return _sample.get() or random.default_generator


@contextmanager
def batch_of(epoch: Generator, indices: Sequence[int]) -> Iterator[None]:
    """Inside the block, sample number `k` is ``indices[k]`` of the epoch."""
    batch, sample = _batch.set(BatchGenerators(epoch, indices)), _sample.set(None)
    try:
        yield
    finally:
        _sample.reset(sample)
        _batch.reset(batch)


def each_sample(samples: Iterable[Any]) -> Iterator[Any]:
    """The samples of the batch one by one, each while its own generator is the current one."""
    batch = _batch.get()
    if batch is None or _sample.get() is not None:  # no loader, or already within one sample
        yield from samples
        return
    try:
        for position, sample in enumerate(samples):
            _sample.set(batch[position])
            yield sample
    finally:
        _sample.set(None)

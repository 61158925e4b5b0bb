"""In which order the samples come, and how they are cut into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import chain, islice

from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.errors import ArgumentError


class Sampler:
    """An order of sample numbers: define ``__iter__`` and ``__len__``."""

    def __iter__(self) -> Iterator[int]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")


class SequentialSampler(Sampler):
    """0, 1, 2, … in this order.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """A Fisher–Yates permutation, new in each pass; it depends on (seed, pass) alone.

    Args:
        replacement: draw each number from all of them instead.
        num_samples: how many to draw (all, once each); more than there are without
            replacement go on with the next permutation.
        generator: where the seed comes from (the default generator).

    Two samplers with one seed give one order; give them generators of their own where that
    matters.

    >>> sampler = RandomSampler(range(4), generator=Generator(0))
    >>> sorted(sampler), len(sampler)
    ([0, 1, 2, 3], 4)
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if num_samples is not None and num_samples < 0:
            raise ArgumentError("RandomSampler: num_samples must be >= 0", got=num_samples)
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = num_samples
        self.generator = generator
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be number `epoch` (the first is 1)."""
        self.epoch = epoch - 1

    def __iter__(self) -> Iterator[int]:
        self.epoch += 1
        seeded = (self.generator or random.default_generator).fork(self.epoch)
        n, count = len(self.data_source), len(self)
        if not n:
            return iter(())
        if self.replacement:
            return iter(seeded.integers(0, n, count).tolist())
        rounds = (seeded.permutation(n).tolist() for _ in range(-(-count // n)))
        return islice(chain.from_iterable(rounds), count)

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples


class BatchSampler(Sampler):
    """Lists of `batch_size` numbers of `sampler`; the last one may be shorter, or dropped.

    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ArgumentError(
                "the batch size must be a whole number of at least 1", got=repr(batch_size)
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:  # type: ignore[override]
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)

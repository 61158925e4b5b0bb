"""Samplers that choose: by weight, by class, from a part, for one of several processes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Sized
from typing import Any

from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.datautils.sampler import Sampler
from deepdive.errors import ArgumentError
from deepdive.host import np


class SeededSampler(Sampler):
    """A sampler whose order depends on (seed, pass) alone."""

    generator: Generator | None = None
    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be number `epoch` (the first is 1)."""
        self.epoch = epoch - 1

    def _seeded(self) -> Generator:
        self.epoch += 1
        return (self.generator or random.default_generator).fork(self.epoch)


class SubsetRandomSampler(SeededSampler):
    """The numbers `indices` in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        order = self._seeded().permutation(len(self.indices))
        return (int(self.indices[place]) for place in order)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(SeededSampler):
    """`num_samples` numbers, `i` as likely as ``weights[i]`` says.

    Args:
        replacement: whether a number can come twice; if not, those drawn before are left out
            (the exponential keys of Efraimidis & Spirakis 2006).

    Raises:
        ArgumentError: for weights that are negative or all 0, or more numbers than there are.

    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        self.weights = np.asarray(weights, np.float64)
        good = self.weights.ndim == 1 and np.isfinite(self.weights).all()
        if not good or not (self.weights >= 0).all() or not self.weights.sum() > 0:
            raise ArgumentError(
                "WeightedRandomSampler: weights are numbers >= 0, not all 0",
                got=f"{self.weights.dtype} of shape {self.weights.shape}",
            )
        most = math.inf if replacement else np.count_nonzero(self.weights)
        if not 0 <= num_samples <= most:
            raise ArgumentError(
                "WeightedRandomSampler: num_samples is a count",
                got=num_samples,
                expected=f"0 to {most}, the numbers with a weight" if most < math.inf else ">= 0",
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        seeded = self._seeded()
        if self.replacement:
            drawn = seeded.uniform((self.num_samples,), dtype=np.float64)
            heights = np.cumsum(self.weights)
            places = np.searchsorted(heights, drawn * heights[-1], side="right")
            return iter(places.tolist())
        drawn = 1 - seeded.uniform(self.weights.shape, dtype=np.float64)  # (0, 1]
        with np.errstate(divide="ignore"):
            keys = -np.log(drawn) / self.weights
        return iter(np.argsort(keys, kind="stable")[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class StratifiedSampler(SeededSampler):
    """All numbers in random order, each class spread evenly over it.

    So every batch holds the classes in about the proportion of the whole: sample `j` of the `n`
    of its class is placed at ``(j + u) / n`` with u drawn from [0, 1).

    Args:
        labels: the class of each sample, (N,).
    """

    def __init__(self, labels: Any, generator: Generator | None = None) -> None:
        self.labels = np.asarray(labels)
        if self.labels.ndim != 1:
            raise ArgumentError(
                "StratifiedSampler: there is one label a sample", got=f"shape {self.labels.shape}"
            )
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        seeded = self._seeded()
        shuffled = seeded.permutation(len(self.labels))
        places = seeded.uniform((len(self.labels),), dtype=np.float64)
        for label in np.unique(self.labels):
            members = shuffled[self.labels[shuffled] == label]
            places[members] += np.arange(len(members))
            places[members] /= len(members)
        return iter(np.argsort(places, kind="stable").tolist())

    def __len__(self) -> int:
        return len(self.labels)


class DistributedSampler(SeededSampler):
    """The share of process `rank` among `num_replicas`: every so many-th number of one order.

    All processes draw the same order from `seed`; without `drop_last` the first numbers come
    again at the end, so that all shares have one length.

    Raises:
        ArgumentError: unless ``0 <= rank < num_replicas``.

    >>> [list(DistributedSampler("abcde", 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int,
        rank: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if not 0 <= rank < num_replicas:
            raise ArgumentError(
                "DistributedSampler: rank counts the processes from 0",
                got=f"rank={rank}, num_replicas={num_replicas}",
            )
        self.dataset = dataset
        self.num_replicas, self.rank = num_replicas, rank
        self.shuffle, self.drop_last = shuffle, drop_last
        self.generator = Generator(seed)

    def __iter__(self) -> Iterator[int]:
        seeded, n = self._seeded(), len(self.dataset)
        order = seeded.permutation(n) if self.shuffle else np.arange(n)
        total = len(self) * self.num_replicas
        order = np.resize(order, total) if n else order
        return iter(order[self.rank :: self.num_replicas].tolist())

    def __len__(self) -> int:
        share = len(self.dataset) / self.num_replicas
        return math.floor(share) if self.drop_last else math.ceil(share)

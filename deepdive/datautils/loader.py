"""DataLoader: samples by number in, batches out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import islice
from typing import Any, NoReturn

from deepdive.backend import speakers
from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.datautils.delivery import delivered, pinned
from deepdive.datautils.reading import Reader, by_processes, by_threads
from deepdive.datautils.sampler import BatchSampler, RandomSampler, SequentialSampler
from deepdive.errors import ArgumentError


class DataLoader:
    """Batches of a data set, again and again; each pass is an epoch.

    A data set of whole arrays is fetched by one fancy index per field and batch.  Arrays give
    arrays, a :class:`TensorDataset` gives Tensors, a Hugging Face data set one array per feature
    column, dict samples give dicts.  No batch tracks gradients.

    Args:
        dataset: anything with ``__getitem__`` and ``__len__``, a ``datasets.Dataset``, an array;
            or a stream, which has ``__iter__`` only (:class:`IterableDataset`).
        batch_size: samples per batch (`batchsize` is the same); the last may be smaller.
        shuffle: a Fisher–Yates permutation, new in each epoch.
        sampler: an order of sample numbers, instead of `shuffle`.
        batch_sampler: lists of sample numbers, instead of all of the above.
        num_workers: threads that fetch ahead.  The batches do not depend on how many there are:
            order and random transforms follow from (seed, epoch, index) alone.
        multiprocessing_context: ``"spawn"``, ``"forkserver"`` or ``"fork"`` makes the workers
            processes, which stay until the loader is gone: for transforms in plain Python.
        worker_init_fn: called with the worker's number in each new process.
        collate_fn: makes a batch of a list of samples, instead of stacking the fields.
        transform: applied to the features, the first field of a sample.
        generator: where the seed comes from (the default generator).
        prefetch_factor: batches fetched ahead per worker.
        pin_memory: batches lie in pinned memory, from which a GPU fetches fastest.
        device: batches come as Tensors on this device.  To a GPU they travel from pinned memory
            while the batch before is computed with.

    ``epoch`` is the number of passes begun; set it to resume a training.

    Raises:
        ArgumentError: for arguments that are out of range or contradict each other.

    >>> loader = DataLoader(range(5), batch_size=2)
    >>> [batch.tolist() for batch in loader], len(loader)
    ([[0, 1], [2, 3], [4]], 3)
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = None,  # 1, unless `batchsize` says otherwise
        shuffle: bool = False,
        *,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        transform: Callable[[Any], Any] | None = None,
        generator: Generator | None = None,
        prefetch_factor: int = 2,
        pin_memory: bool = False,
        device: str | None = None,
        multiprocessing_context: str | None = None,
        worker_init_fn: Callable[[int], Any] | None = None,
        batchsize: int | None = None,
    ) -> None:
        size = _one_size(batch_size, batchsize)
        _check_order(size, shuffle, sampler, batch_sampler, drop_last)
        if num_workers < 0 or prefetch_factor < 1:
            got = f"{num_workers} and {prefetch_factor}"
            _refuse("num_workers must be >= 0 and prefetch_factor >= 1", got)
        self.dataset = dataset
        self.num_workers = num_workers
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.device = None if device is None else speakers.of_device(device).DEVICE
        self.epoch = 0
        self.multiprocessing_context = multiprocessing_context
        self.worker_init_fn = worker_init_fn
        self._workers: Any = None
        self._read = Reader(dataset, collate_fn, transform)
        self._reshuffles = shuffle
        self._own_order = sampler is None and batch_sampler is None and not self._read.streams
        self._batches = self._order(1 if size is None else size, sampler, batch_sampler, drop_last)

    def _order(self, size: int, sampler: Any, batch_sampler: Any, drop_last: bool) -> Any:
        """Lists of sample numbers; of samples, where the data set is a stream."""
        if self._read.streams:
            if self._reshuffles or sampler is not None or batch_sampler is not None:
                _refuse("a stream has its own order", fix="ShuffleBuffer(dataset, size)")
            return BatchSampler(self._read.source, size, drop_last)
        if batch_sampler is not None:
            return batch_sampler
        order = SequentialSampler(self._read.source) if sampler is None else sampler
        return BatchSampler(order, size, drop_last)

    @property
    def batch_size(self) -> int | None:
        """Samples per batch; None where a `batch_sampler` decides."""
        return getattr(self._batches, "batch_size", None)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Any]:
        return self.from_batch(0)

    def from_batch(self, start: int) -> Iterator[Any]:
        """A new epoch without its first `start` batches, which are not even fetched.

        ``loader.epoch = e; loader.from_batch(k)`` goes on where batch `k` of epoch ``e + 1`` was
        to come.

        Raises:
            ArgumentError: for a negative `start`.
        """
        if self._reshuffles:
            self.shuffle()
        else:
            self._begin_epoch()
        return self.get_batches(start)

    def shuffle(self) -> DataLoader:
        """Begin an epoch with a new random order, which stays until the next; returns the loader.

        Raises:
            ArgumentError: if a sampler decides the order.
        """
        if not self._own_order:
            _refuse("a sampler decides the order, so shuffle() cannot")
        self._begin_epoch()
        order = RandomSampler(self._read.source, generator=self.generator)
        order.set_epoch(self.epoch)
        self._batches.sampler = list(order)
        return self

    def get_batches(self, start: int = 0) -> Iterator[Any]:
        """The batches of this epoch in the present order, from number `start` on."""
        if start < 0:
            _refuse("batches are counted from 0", start)
        seeded = (self.generator or random.default_generator).fork(self.epoch)
        asked = islice(enumerate(map(list, self._batches)), start, None)
        jobs = ((seeded, place, samples) for place, samples in asked)
        batches: Iterator[Any] = (self._read(*job) for job in jobs)
        if self.num_workers and self.multiprocessing_context is not None:
            ahead = self.num_workers * self.prefetch_factor
            batches = by_processes(self._processes(), self._read, jobs, ahead)
        elif self.num_workers:
            batches = by_threads(self._read, jobs, self.num_workers, self.prefetch_factor)
        if self.device is not None:
            return delivered(batches, self.device)
        return pinned(batches) if self.pin_memory else batches

    def _processes(self) -> Any:
        """The worker processes, started when they are first needed."""
        if self._workers is None:
            from deepdive.datautils.processes import Workers

            kind, start = self.multiprocessing_context, self.worker_init_fn
            fetch = copy(self)._read  # of a loader that stays without workers
            self._workers = Workers(fetch, self.num_workers, str(kind), start)
        return self._workers

    def _begin_epoch(self) -> None:
        self.epoch += 1
        for sampler in (self._batches, getattr(self._batches, "sampler", None)):
            set_epoch = getattr(sampler, "set_epoch", None)
            if set_epoch is not None:
                set_epoch(self.epoch)


def _one_size(batch_size: int | None, batchsize: int | None) -> int | None:
    """The batch size under either of its names."""
    if batchsize is not None and batch_size not in (None, batchsize):
        _refuse("batch_size and batchsize are one", f"{batch_size} and {batchsize}")
    return batchsize if batch_size is None else batch_size


def _check_order(
    size: int | None,
    shuffle: bool,
    sampler: Any,
    batch_sampler: Any,
    drop_last: bool,
) -> None:
    """Refuse two answers to the question which samples come when."""
    if batch_sampler is not None and (size is not None or sampler is not None or drop_last):
        _refuse("batch_sampler replaces batch_size, sampler and drop_last")
    if shuffle and (sampler is not None or batch_sampler is not None):
        _refuse("a sampler decides the order, so leave shuffle out")


def _refuse(what: str, got: object = None, fix: str | None = None) -> NoReturn:
    raise ArgumentError(f"DataLoader: {what}", got=got, fix=fix)

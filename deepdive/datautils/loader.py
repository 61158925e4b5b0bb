"""DataLoader: samples by number in, batches out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import Any, NoReturn

from deepdive import config
from deepdive.backend import speakers
from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.datautils.collate import default_collate, is_tensor
from deepdive.datautils.dataset import ArrayDataset
from deepdive.datautils.delivery import delivered, pinned
from deepdive.datautils.huggingface import HuggingFaceDataset, is_hugging_face
from deepdive.datautils.sampler import BatchSampler, RandomSampler, SequentialSampler
from deepdive.datautils.seeds import batch_of, each_sample
from deepdive.datautils.transforms import transform_batch
from deepdive.errors import ArgumentError, DeepDiveError
from deepdive.host import np

Numbers = Sequence[int]


class DataLoader:
    """Batches of a data set, again and again; each pass is an epoch.

    A data set of whole arrays is fetched by one fancy index per field and batch.  Arrays give
    arrays, a :class:`TensorDataset` gives Tensors, a Hugging Face data set one array per feature
    column, dict samples give dicts.  No batch tracks gradients.

    Args:
        dataset: anything with ``__getitem__`` and ``__len__``, a ``datasets.Dataset``, an array.
        batch_size: samples per batch (`batchsize` is the same); the last may be smaller.
        shuffle: a Fisher–Yates permutation, new in each epoch.
        sampler: an order of sample numbers, instead of `shuffle`.
        batch_sampler: lists of sample numbers, instead of all of the above.
        num_workers: threads that fetch ahead.  The batches do not depend on how many there are:
            order and random transforms follow from (seed, epoch, index) alone.
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

    >>> loader = DataLoader(np.arange(5), batch_size=2)
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
        batchsize: int | None = None,
    ) -> None:
        size = _one_size(batch_size, batchsize)
        _check_order(size, shuffle, sampler, batch_sampler, drop_last)
        if num_workers < 0 or prefetch_factor < 1:
            got = f"{num_workers} and {prefetch_factor}"
            _refuse("num_workers must be >= 0 and prefetch_factor >= 1", got)
        self.dataset = dataset
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.transform = transform
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.device = None if device is None else speakers.of_device(device).DEVICE
        self.epoch = 0
        self._source = _as_source(dataset, collate_fn)
        self._reshuffles = shuffle
        self._own_order = sampler is None and batch_sampler is None
        self._batches: Any = batch_sampler
        if batch_sampler is None:
            order = SequentialSampler(self._source) if sampler is None else sampler
            self._batches = BatchSampler(order, 1 if size is None else size, drop_last)

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
        order = RandomSampler(self._source, generator=self.generator)
        order.set_epoch(self.epoch)
        self._batches.sampler = list(order)
        return self

    def get_batches(self, start: int = 0) -> Iterator[Any]:
        """The batches of this epoch in the present order, from number `start` on."""
        if start < 0:
            _refuse("batches are counted from 0", start)
        seeded = (self.generator or random.default_generator).fork(self.epoch)
        fetch = partial(self._fetch, seeded)
        numbers = islice(map(list, self._batches), start, None)
        batches: Iterator[Any] = map(fetch, numbers)
        if self.num_workers:
            batches = _prefetch(fetch, numbers, self.num_workers, self.prefetch_factor)
        if self.device is not None:
            return delivered(batches, self.device)
        return pinned(batches) if self.pin_memory else batches

    def _begin_epoch(self) -> None:
        self.epoch += 1
        for sampler in (self._batches, getattr(self._batches, "sampler", None)):
            set_epoch = getattr(sampler, "set_epoch", None)
            if set_epoch is not None:
                set_epoch(self.epoch)

    def _fetch(self, seeded: Generator, indices: Numbers) -> Any:
        try:
            with config.no_grad(), batch_of(seeded, indices):
                batch = self._read(indices)
                return batch if self.transform is None else self._transformed(batch)
        except Exception as error:
            shown = ", ".join(map(str, indices[:4])) + (", …" if len(indices) > 4 else "")
            _locate(error, f"DataLoader: the batch of samples {shown}")
            raise

    def _read(self, indices: Numbers) -> Any:
        if isinstance(self._source, np.ndarray) or is_tensor(self._source):
            return self._source[np.asarray(indices)]
        at_once = getattr(self._source, "__getitems__", None)
        if at_once is not None and self.collate_fn is None:
            found = at_once(indices)
            return default_collate(found) if isinstance(found, list) else found
        return (self.collate_fn or default_collate)(self._samples(indices))

    def _samples(self, indices: Numbers) -> list[Any]:
        samples = []
        for index in each_sample(indices):
            try:
                samples.append(self._source[index])
            except Exception as error:
                _locate(error, f"DataLoader: sample {index} of {type(self.dataset).__name__}")
                raise
        return samples

    def _transformed(self, batch: Any) -> Any:
        if isinstance(batch, (tuple, list)):
            return (transform_batch(self.transform, batch[0]), *batch[1:])
        if isinstance(batch, dict):
            first = next(iter(batch))
            return {**batch, first: transform_batch(self.transform, batch[first])}
        return transform_batch(self.transform, batch)


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


def _as_source(dataset: Any, collate_fn: Any) -> Any:
    """What the loader fetches from: `dataset` itself, or a wrapper that fetches whole batches."""
    if is_hugging_face(dataset):
        wrapped = HuggingFaceDataset(dataset)
        return wrapped if collate_fn is None else dataset  # a collate_fn expects the rows as dicts
    if hasattr(dataset, "arrays") and not hasattr(dataset, "__getitem__"):
        return ArrayDataset(*dataset.arrays)
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise ArgumentError(
            "DataLoader: a data set has samples by number",
            got=type(dataset).__name__,
            expected="__getitem__ and __len__, an array, or a Hugging Face Dataset",
        )
    return dataset


def _prefetch(fetch: Callable[[Numbers], Any], numbers: Any, workers: int, factor: int) -> Any:
    """Batches fetched ahead by threads, in order; the threads end with the iteration."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers, thread_name_prefix="deepdive-loader")
    process = os.getpid()
    waiting: deque[tuple[Numbers, Any]] = deque()

    def submit(count: int) -> None:
        for indices in islice(numbers, count):
            # After a fork the threads are in the parent only: the child fetches by itself.
            own = os.getpid() == process
            task = pool.submit(copy_context().run, fetch, indices) if own else None
            waiting.append((indices, task))

    try:
        submit(workers * factor)
        while waiting:
            indices, task = waiting.popleft()
            batch = task.result() if task and os.getpid() == process else fetch(indices)
            submit(1)
            yield batch
    finally:
        if os.getpid() == process:
            pool.shutdown(wait=False, cancel_futures=True)


def _locate(error: Exception, place: str) -> None:
    if isinstance(error, DeepDiveError):
        error.where.append(place)
    else:
        error.add_note(f"  in {place}")


def _refuse(what: str, got: object = None) -> NoReturn:
    raise ArgumentError(f"DataLoader: {what}", got=got)

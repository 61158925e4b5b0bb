"""How a batch is read: sample numbers in, one batch out, in whatever thread or process."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from itertools import islice
from typing import Any

from deepdive import config
from deepdive.core.random import Generator
from deepdive.datautils.collate import default_collate, is_tensor
from deepdive.datautils.dataset import ArrayDataset
from deepdive.datautils.huggingface import (
    HuggingFaceDataset,
    HuggingFaceStream,
    is_hugging_face,
)
from deepdive.datautils.seeds import batch_of, each_sample
from deepdive.datautils.stream import is_stream
from deepdive.datautils.transforms import transform_batch
from deepdive.errors import ArgumentError, DeepDiveError
from deepdive.host import np

Numbers = Sequence[int]
Collate = Callable[[list[Any]], Any]


class Reader:
    """Makes the batch of some sample numbers; it can be sent to another process.

    Args:
        dataset: what the user gave.
        collate_fn: makes a batch of a list of samples, instead of stacking the fields.
        transform: applied to the features, the first field of a sample.

    Raises:
        ArgumentError: if `dataset` has neither samples by number nor a stream of them.
    """

    def __init__(self, dataset: Any, collate_fn: Collate | None, transform: Any) -> None:
        self.source = source_of(dataset, collate_fn)
        self.streams = is_stream(self.source)
        self.kind = type(dataset).__name__
        self.collate_fn = collate_fn
        self.transform = transform

    def __call__(self, seeded: Generator, place: int, asked: Sequence[Any]) -> Any:
        """The batch of the samples `asked`: numbers, or the samples of a stream themselves.

        Args:
            seeded: the generator of this epoch.
            place: how many batches came before.
        """
        indices = range(place * 2**20, place * 2**20 + len(asked)) if self.streams else asked
        try:
            with config.no_grad(), batch_of(seeded, indices):
                batch = self._collated(asked) if self.streams else self._read(asked)
                return batch if self.transform is None else self._transformed(batch)
        except Exception as error:
            shown = ", ".join(map(str, indices[:4])) + (", …" if len(asked) > 4 else "")
            shown = f"number {place} of the stream" if self.streams else f"of samples {shown}"
            _locate(error, f"DataLoader: the batch {shown}")
            raise

    def _read(self, indices: Numbers) -> Any:
        if isinstance(self.source, np.ndarray) or is_tensor(self.source):
            return self.source[np.asarray(indices)]
        at_once = getattr(self.source, "__getitems__", None)
        if at_once is not None and self.collate_fn is None:
            found = at_once(indices)
            return default_collate(found) if isinstance(found, list) else found
        return self._collated(self._samples(indices))

    def _collated(self, samples: Sequence[Any]) -> Any:
        return (self.collate_fn or default_collate)(list(samples))

    def _samples(self, indices: Numbers) -> list[Any]:
        samples = []
        for index in each_sample(indices):
            try:
                samples.append(self.source[index])
            except Exception as error:
                _locate(error, f"DataLoader: sample {index} of {self.kind}")
                raise
        return samples

    def _transformed(self, batch: Any) -> Any:
        if isinstance(batch, (tuple, list)):
            return (transform_batch(self.transform, batch[0]), *batch[1:])
        if isinstance(batch, dict):
            first = next(iter(batch))
            return {**batch, first: transform_batch(self.transform, batch[first])}
        return transform_batch(self.transform, batch)


def source_of(dataset: Any, collate_fn: Any) -> Any:
    """What is read from: `dataset` itself, or a wrapper that fetches whole batches.

    Raises:
        ArgumentError: if it is no data set.
    """
    if is_hugging_face(dataset):
        if collate_fn is not None:
            return dataset  # a collate_fn expects the rows as dicts
        whole = isinstance(dataset, dict) or hasattr(dataset, "__len__")
        return HuggingFaceDataset(dataset) if whole else HuggingFaceStream(dataset)
    if hasattr(dataset, "arrays") and not hasattr(dataset, "__getitem__"):
        return ArrayDataset(*dataset.arrays)
    if is_stream(dataset) or (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
        return dataset
    raise ArgumentError(
        "DataLoader: a data set has samples by number, or in an order",
        got=type(dataset).__name__,
        expected="__getitem__ and __len__, __iter__, an array, or a Hugging Face Dataset",
    )


def by_threads(read: Callable[..., Any], asked: Any, workers: int, factor: int) -> Any:
    """Batches fetched ahead by threads, in order; the threads end with the iteration."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers, thread_name_prefix="deepdive-loader")
    return _ahead(
        pool,
        asked,
        workers * factor,
        lambda job: pool.submit(copy_context().run, read, *job),
        lambda task, job: task.result() if task else read(*job),
    )


def by_processes(workers: Any, read: Callable[..., Any], asked: Any, ahead: int) -> Any:
    """Batches fetched ahead by the processes of `workers`, in order."""
    from deepdive.datautils.processes import unpacked

    return _ahead(
        None,
        asked,
        ahead,
        workers.submit,
        lambda task, job: unpacked(task.result()) if task else read(*job),
    )


def _ahead(pool: Any, jobs: Any, ahead: int, submit: Any, result: Any) -> Any:
    """The results of `jobs` in order, `ahead` of them under way; `pool` ends with them."""
    process = os.getpid()
    waiting: deque[tuple[Any, Any]] = deque()

    def send(count: int) -> None:
        for job in islice(jobs, count):
            # After a fork the workers are the parent's only: the child fetches by itself.
            waiting.append((submit(job) if os.getpid() == process else None, job))

    try:
        send(ahead)
        while waiting:
            task, job = waiting.popleft()
            batch = result(task if os.getpid() == process else None, job)
            send(1)
            yield batch
    finally:
        if os.getpid() == process:
            _end(pool, [task for task, _ in waiting if task], result)


def _end(pool: Any, tasks: list[Any], result: Any) -> None:
    """Give up what is under way."""
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)
        return
    for task in tasks:  # what a process has made lies in shared memory until it is taken
        if not task.cancel():
            with suppress(Exception):  # nobody asked for this batch: its errors are nobody's
                result(task, None)


def _locate(error: Exception, place: str) -> None:
    if isinstance(error, DeepDiveError):
        error.where.append(place)
    else:
        error.add_note(f"  in {place}")

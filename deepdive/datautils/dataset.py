"""Data sets: something with a length and samples by number."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.datautils.collate import as_tensor, is_tensor
from deepdive.datautils.seeds import each_sample
from deepdive.datautils.transforms import transform_batch
from deepdive.errors import ArgumentError, ShapeError
from deepdive.host import np

Transform = Callable[[Any], Any]


class Dataset:
    """Samples by number: define ``__getitem__`` and ``__len__``.

    A data set that can fetch many samples at once defines ``__getitems__(indices)`` too: a list
    it returns is a list of samples, anything else is taken as the finished batch.
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class ArrayDataset(Dataset):
    """Arrays with a common first axis: sample `i` is ``(x[i], y[i], …)``.

    Args:
        transform: applied to the first field, the features.
        target_transform: applied to the last of several fields, the labels.

    Raises:
        ShapeError: for arrays of different lengths.

    >>> data = ArrayDataset(np.arange(6).reshape(3, 2), np.array([0, 1, 0]))
    >>> x, y = data[1]
    >>> x.tolist(), int(y)
    ([2, 3], 1)
    """

    def __init__(
        self,
        *arrays: Any,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        name = type(self).__name__
        if not arrays:
            raise ArgumentError(f"{name}: give at least one array")
        self.arrays = tuple(a if hasattr(a, "shape") else np.asarray(a) for a in arrays)
        shapes = [tuple(array.shape) for array in self.arrays]
        if any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise ShapeError(
                f"{name}: all arrays must have one length along the first axis",
                got=" and ".join(map(str, shapes)),
            )
        if target_transform is not None and len(arrays) < 2:
            raise ArgumentError(f"{name}: target_transform needs a second array, the labels")
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return int(self.arrays[0].shape[0])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (slice, list, np.ndarray)):
            return self._gather(index)
        fields = [array[index] for array in self.arrays]
        if self.transform is not None:
            fields[0] = self.transform(fields[0])
        if self.target_transform is not None:
            fields[-1] = self.target_transform(fields[-1])
        return tuple(fields)

    def __getitems__(self, indices: Sequence[int]) -> Any:
        if type(self).__getitem__ is not ArrayDataset.__getitem__:
            return [
                self[i] for i in each_sample(indices)
            ]  # a subclass with samples of its own making
        return self._gather(np.asarray(indices, dtype="int64"))

    def _gather(self, indices: Any) -> tuple[Any, ...]:
        fields = [array[indices] for array in self.arrays]
        fields[0] = transform_batch(self.transform, fields[0])
        fields[-1] = transform_batch(self.target_transform, fields[-1])
        return tuple(fields)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.arrays)
        return f"{type(self).__name__}({shapes})"


class TensorDataset(ArrayDataset):
    """Tensors with a common first axis; its batches are Tensors that track no gradient."""

    def __init__(self, *tensors: Any) -> None:
        super().__init__(*(t if is_tensor(t) else as_tensor(t) for t in tensors))

    @property
    def tensors(self) -> tuple[Any, ...]:
        """The whole Tensors."""
        return self.arrays


class Subset(Dataset):
    """The samples of `dataset` with the numbers `indices`."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[int(self.indices[index])]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        inner = [int(self.indices[i]) for i in indices]
        at_once = getattr(self.dataset, "__getitems__", None)
        if at_once is not None:
            return at_once(inner)
        return [self.dataset[i] for i in each_sample(inner)]

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {self.dataset!r})"


class ConcatDataset(Dataset):
    """Several data sets one after the other.

    >>> both = ConcatDataset(["ab", "cde"])
    >>> len(both), both[3], both[-1]
    (5, 'd', 'e')
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset: give at least one data set")
        self.ends = list(accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> Any:
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        part = bisect.bisect_right(self.ends, position)
        start = self.ends[part - 1] if part else 0
        return self.datasets[part][position - start]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset]:
    """Cut a data set at random into parts that do not overlap.

    Args:
        lengths: how many samples go into each part, or fractions that add up to 1; what
            rounding leaves over goes to the first parts, one each.

    Raises:
        ArgumentError: if the lengths do not add up.

    >>> [len(part) for part in random_split(range(10), [0.7, 0.3])]
    [7, 3]
    """
    n = len(dataset)
    sizes = list(lengths)
    if any(isinstance(size, float) for size in sizes) and math.isclose(sum(sizes), 1.0):
        sizes = [math.floor(n * fraction + 1e-9) for fraction in sizes]
        for part in range(n - int(sum(sizes))):
            sizes[part % len(sizes)] += 1
    if sum(sizes) != n or any(size < 0 or int(size) != size for size in sizes):
        raise ArgumentError(
            "random_split: the lengths must add up to the length of the data set",
            got=f"{list(lengths)} for {n} samples",
            expected=f"whole numbers of sum {n}, or fractions of sum 1",
        )
    order = (generator or random.default_generator).permutation(n).tolist()
    ends = accumulate(int(size) for size in sizes)
    return [
        Subset(dataset, order[end - int(size) : end]) for end, size in zip(ends, sizes, strict=True)
    ]

"""Hugging Face data sets: whole batches in NumPy format, one array per feature column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deepdive.datautils.dataset import Dataset
from deepdive.datautils.stream import IterableDataset
from deepdive.errors import ArgumentError, DataError
from deepdive.host import np


def is_hugging_face(dataset: Any) -> bool:
    """Whether `dataset` comes from the package ``datasets`` – which is not imported for it."""
    return any(cls.__module__.split(".")[0] == "datasets" for cls in type(dataset).__mro__)


class HuggingFaceDataset(Dataset):
    """A ``datasets.Dataset`` whose samples are tuples, a field per column in feature order.

    Images become number arrays.  A format of the user's own (``with_transform``) is kept.

    Raises:
        ArgumentError: for a dictionary of splits, or a stream (see :class:`HuggingFaceStream`).
        DataError: for a column whose rows differ in shape.
    """

    def __init__(self, dataset: Any) -> None:
        kind = type(dataset).__name__
        if isinstance(dataset, dict):
            raise ArgumentError(
                f"DataLoader: a {kind} holds several splits",
                got=", ".join(map(repr, dataset)),
                fix=f"choose one: dataset[{next(iter(dataset), 'train')!r}]",
            )
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "with_format"):
            raise ArgumentError(
                f"DataLoader: a {kind} has no samples by number", fix="load it with streaming=False"
            )
        self.dataset = dataset
        if dataset.format["type"] != "custom":
            self.dataset = dataset.with_format("numpy", columns=dataset.format["columns"])
        chosen = set(dataset.format["columns"])
        self.columns = [name for name in dataset.features if name in chosen]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        row = self.dataset[int(index)]
        return tuple(row[name] for name in self._names(row))

    def __getitems__(self, indices: Sequence[int]) -> tuple[Any, ...]:
        batch = self.dataset[list(indices)]
        return tuple(self._column(name, batch[name]) for name in self._names(batch))

    def _names(self, fetched: dict[str, Any]) -> list[str]:
        known = all(name in fetched for name in self.columns)
        return self.columns if known else list(fetched)

    @staticmethod
    def _column(name: str, values: Any) -> Any:
        mixed = isinstance(values, np.ndarray) and values.dtype.kind == "O"
        shapes = {np.shape(row) for row in values} if mixed else ()
        if len(shapes) > 1:
            raise DataError(
                f"DataLoader: the rows of column {name!r} differ in shape",
                got=", ".join(map(str, sorted(shapes)[:4])),
                fix="bring them to one size with dataset.map(...), or pass collate_fn=",
            )
        return values

    def __repr__(self) -> str:
        return f"HuggingFaceDataset({len(self)} rows: {', '.join(self.columns)})"


class HuggingFaceStream(IterableDataset):
    """A ``datasets.IterableDataset``, read as it comes; samples are tuples in feature order.

    ``dataset.shuffle(buffer_size=…)`` shuffles it; each epoch tells it ``set_epoch``.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset.with_format("numpy")
        self.columns = list(dataset.features or ())  # some streams do not know theirs beforehand

    def set_epoch(self, epoch: int) -> None:
        """Shuffle anew for this epoch, where the stream shuffles."""
        self.dataset.set_epoch(epoch)

    def __iter__(self) -> Iterator[Any]:
        for row in self.dataset:
            yield tuple(row[name] for name in self.columns or row)

    def __repr__(self) -> str:
        return f"HuggingFaceStream({', '.join(self.columns)})"

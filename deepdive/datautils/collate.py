"""Many samples become one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepdive import dtypes
from deepdive.backend import speakers
from deepdive.core.tensor import Tensor
from deepdive.errors import DataError
from deepdive.host import np


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack the samples field by field.

    Arrays, images and numbers become arrays with a first axis B, Tensors a Tensor; tuples and
    lists become a tuple of batches, dicts a dict of batches; anything else (text) a list.
    Python floats take the default dtype, Python integers int64.

    Raises:
        DataError: for samples that differ in shape, in length or in keys, and for no samples.

    >>> x, y = default_collate([(np.zeros(3), 0), (np.ones(3), 1)])
    >>> x.shape, y.tolist()
    ((2, 3), [0, 1])
    """
    if not samples:
        raise DataError("collate: a batch of no samples")
    first = samples[0]
    if isinstance(first, dict):
        _same("keys", [tuple(sample) for sample in samples])
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        _same("lengths", [len(sample) for sample in samples])
        columns = [default_collate(column) for column in zip(*samples, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else tuple(columns)
    return _stack(samples)


def _stack(samples: Sequence[Any]) -> Any:
    first = samples[0]
    if is_tensor(first):
        return as_tensor(_stack([speakers.to_host(sample._data) for sample in samples]))
    if isinstance(first, bool):
        return np.asarray(samples, dtype="bool")
    if isinstance(first, (int, float)) and not isinstance(first, np.generic):
        floats = any(isinstance(sample, float) for sample in samples)
        return np.asarray(samples, dtype=dtypes.default_float() if floats else "int64")
    if hasattr(first, "__array__") or hasattr(first, "__array_interface__"):
        arrays = [np.asarray(sample) for sample in samples]
        _same("shapes", [array.shape for array in arrays])
        return np.stack(arrays)
    return list(samples)


def _same(what: str, values: list[Any]) -> None:
    for position, value in enumerate(values):
        if value != values[0]:
            raise DataError(
                f"collate: samples of different {what} do not make one batch",
                got=f"{values[0]} in sample 0 of the batch, {value} in sample {position}",
                fix="bring them to one size with a transform, or pass collate_fn=",
            )


def is_tensor(value: Any) -> bool:
    """Whether `value` is a Tensor of this library."""
    return isinstance(value, Tensor)


def as_tensor(array: Any) -> Any:
    """`array` as a Tensor that tracks nothing: data is not learned."""
    return Tensor(array, requires_grad=False)

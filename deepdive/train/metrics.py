"""What is counted while a model learns: numbers that add up batch by batch and hold no graph.

A metric has ``update(outputs, target)`` for each batch, ``compute()`` for the value so far and
``reset()``.  Its state is plain JSON, so that a training which is resumed in the middle of an
epoch ends it with the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from deepdive.core.host_values import as_array
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, CheckpointError, ShapeError
from deepdive.train.batches import Fields, samples

Array = np.ndarray[Any, Any]


class Metric:
    """Base of all metrics: a subclass names its sums in ``sums``, and says how they grow.

    >>> class Largest(Metric):
    ...     sums = ("best",)
    ...
    ...     def update(self, outputs, target):
    ...         self.best = max(self.best, float(outputs.max()))
    ...
    ...     def compute(self):
    ...         return self.best
    >>> metric = Largest()
    >>> metric.update(np.array([3.0, 1.0]), None)
    >>> metric.compute(), metric.state_dict()
    (3.0, {'best': 3.0})
    """

    sums: tuple[str, ...] = ("total", "count")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        for name in self.sums:
            setattr(self, name, 0.0)

    def update(self, outputs: Any, target: Any) -> None:
        """Count one batch."""
        raise NotImplementedError(f"{type(self).__name__} must define update(outputs, target)")

    def compute(self) -> Any:
        """The value of all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must define compute()")

    def state_dict(self) -> dict[str, Any]:
        """The sums, as JSON."""
        return {name: _plain(getattr(self, name)) for name in self.sums}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from these sums.

        Raises:
            CheckpointError: if they are not this metric's.
        """
        for name in self.sums:
            if not isinstance(state, Mapping) or not _is_number(state.get(name)):
                raise CheckpointError(
                    f"{type(self).__name__}: the state does not fit",
                    got=repr(state)[:80],
                    expected=f"numbers called {', '.join(self.sums)}",
                )
        for name in self.sums:
            setattr(self, name, float(state[name]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_plain(self.compute())})"


class Mean(Metric):
    """The mean of numbers, each counting `n` times: ``Σ n value / Σ n``.

    A Tensor is read at once on the CPU; elsewhere it is added where it lies, without its history,
    so that nobody waits for a GPU.

    >>> mean = Mean()
    >>> mean.update(2.0)
    >>> mean.update(5.0, n=3)
    >>> mean.compute()
    4.25
    """

    total: Any
    count: float

    def update(self, value: Any, n: float = 1) -> None:
        """Counts `value` as the mean of `n` samples; a Tensor must have one element."""
        if isinstance(value, Tensor):
            value = value.item() if str(value.device) == "cpu" else value.detach()
        self.total += value * n
        self.count += n

    def compute(self) -> float:
        """The mean; NaN of nothing."""
        return float(self.total) / self.count if self.count else math.nan


class Accuracy(Metric):
    """The share of samples whose highest score is their class's.

    Args:
        top_k: how many of the highest scores may be the right one.
        ignore_index: a class number that does not count, such as padding.

    Outputs are scores ``(B, C, *)`` or ``(B, *, C)``, targets class numbers ``(B, *)``.

    Raises:
        ArgumentError: for a `top_k` below 1.
        ShapeError: in ``update``, for shapes that do not go together.

    >>> accuracy = Accuracy()
    >>> accuracy.update(np.array([[0.1, 0.9], [0.6, 0.4]]), np.array([1, 1]))
    >>> accuracy.compute()
    0.5
    """

    total: float
    count: float

    def __init__(self, top_k: int = 1, ignore_index: int | None = None) -> None:
        if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
            raise ArgumentError(f"{type(self).__name__}: k is a count", got=repr(top_k))
        self.top_k = top_k
        self.ignore_index = ignore_index
        super().__init__()

    def update(self, outputs: Any, target: Any) -> None:
        """Counts a batch."""
        scores, classes = rows_of(outputs, target, self.ignore_index)
        if self.top_k == 1:
            right = scores.argmax(1) == classes
        else:
            # not more than k - 1 scores lie above the right one's: ties count as right
            own = np.take_along_axis(scores, classes[:, None], 1)
            right = (scores > own).sum(1) < self.top_k
        self.total += int(right.sum())
        self.count += len(classes)

    def compute(self) -> float:
        """The share; NaN of nothing."""
        return self.total / self.count if self.count else math.nan


class TopK(Accuracy):
    """The share of samples whose class is among the `k` highest scores; see :class:`Accuracy`.

    >>> top = TopK(2)
    >>> top.update(np.array([[0.5, 0.3, 0.2]]), np.array([1]))
    >>> top.compute()
    1.0
    """

    def __init__(self, k: int = 5, ignore_index: int | None = None) -> None:
        super().__init__(k, ignore_index)


class Perplexity(Metric):
    """``exp`` of the mean cross-entropy per target: among how many words the model hesitates.

    Outputs are logits ``(B, C, *)`` or ``(B, *, C)``, targets class numbers ``(B, *)``.

    >>> perplexity = Perplexity()
    >>> perplexity.update(np.zeros((3, 8)), np.array([1, 2, 3]))
    >>> round(perplexity.compute(), 12)
    8.0
    """

    total: float
    count: float

    def __init__(self, ignore_index: int | None = -100) -> None:
        self.ignore_index = ignore_index
        super().__init__()

    def update(self, outputs: Any, target: Any) -> None:
        """Counts a batch."""
        logits, classes = rows_of(outputs, target, self.ignore_index)
        logits = logits.astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        own = np.take_along_axis(logits, classes[:, None], 1)[:, 0]
        self.total += float((np.log(np.exp(logits).sum(1)) - own).sum())
        self.count += len(classes)

    def compute(self) -> float:
        """The perplexity, infinite beyond what a float holds; NaN of nothing."""
        if not self.count:
            return math.nan
        mean = self.total / self.count
        return math.exp(mean) if mean < 709 else math.inf if mean == mean else math.nan


class ConfusionMatrix(Metric):
    """How often samples of each class (rows) were taken for each class (columns).

    Raises:
        ArgumentError: for fewer than two classes, or, in ``update``, a class beyond them.

    >>> matrix = ConfusionMatrix(2)
    >>> matrix.update(np.array([[0.1, 0.9], [0.6, 0.4], [0.2, 0.8]]), np.array([1, 1, 0]))
    >>> matrix.compute().tolist()
    [[0, 1], [1, 1]]
    >>> matrix.recall.tolist()
    [0.0, 0.5]
    """

    sums = ("counts",)
    counts: Array

    def __init__(self, num_classes: int, ignore_index: int | None = None) -> None:
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
            raise ArgumentError("ConfusionMatrix: classes are two or more", got=repr(num_classes))
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> None:
        """Forget everything."""
        self.counts = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update(self, outputs: Any, target: Any) -> None:
        """Counts a batch."""
        scores, classes = rows_of(outputs, target, self.ignore_index)
        if scores.shape[1] > self.num_classes:
            raise ArgumentError(
                "ConfusionMatrix: the model knows more classes",
                got=f"{scores.shape[1]} scores",
                fix=f"ConfusionMatrix({scores.shape[1]})",
            )
        np.add.at(self.counts, (classes, scores.argmax(1)), 1)

    def compute(self) -> Array:
        """The counts (classes, classes), a copy."""
        return self.counts.copy()

    @property
    def recall(self) -> Array:
        """Of each class's samples, the share that was recognised."""
        return self._share(1)

    @property
    def precision(self) -> Array:
        """Of the samples taken for each class, the share that belonged to it."""
        return self._share(0)

    def _share(self, axis: int) -> Array:
        """The diagonal over the sums of rows or columns; NaN of nothing."""
        sums = self.counts.sum(axis)
        right: Array = np.where(sums, np.diag(self.counts), np.nan)
        return right / np.maximum(sums, 1)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from these counts."""
        counts = state.get("counts") if isinstance(state, Mapping) else None
        try:
            found = np.array(counts, dtype=np.int64)
        except (TypeError, ValueError, OverflowError):
            found = np.zeros(0, np.int64)
        if found.shape != self.counts.shape:
            raise CheckpointError(
                "ConfusionMatrix: the state does not fit",
                got=repr(counts)[:80],
                expected=f"{self.num_classes} rows of {self.num_classes} counts",
            )
        self.counts = found

    def __repr__(self) -> str:
        return f"ConfusionMatrix(\n{self.counts}\n)"


def rows_of(outputs: Any, target: Any, ignore_index: int | None = None) -> tuple[Array, Array]:
    """Scores (N, C) and class numbers (N,), without those that do not count.

    Raises:
        ShapeError: unless target's shape is that of the outputs without their class axis.
        ArgumentError: for a target that is no class.
    """
    scores, classes = as_array(outputs), as_array(target)
    axes = [a for a in (1, -1) if scores.ndim > 1 and _without(scores.shape, a) == classes.shape]
    if not axes:
        raise ShapeError(
            "a metric of classes: scores and targets do not go together",
            got=f"outputs {scores.shape}, target {classes.shape}",
            expected="(B, C) and (B,), (B, C, *) and (B, *), or (B, *, C) and (B, *)",
        )
    scores = np.moveaxis(scores, axes[0], -1).reshape(-1, scores.shape[axes[0]])
    classes = classes.reshape(-1).astype(np.int64)
    if ignore_index is not None:
        counts = classes != ignore_index
        scores, classes = scores[counts], classes[counts]
    if len(classes) and not 0 <= classes.min() <= classes.max() < scores.shape[1]:
        raise ArgumentError(
            "a metric of classes: a target is no class",
            got=f"{classes.min()} to {classes.max()}",
            expected=f"0 to {scores.shape[1] - 1}",
        )
    return scores, classes


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Tensor):
        return float(value)
    return value.tolist() if hasattr(value, "tolist") else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def count(metrics: Mapping[str, Any], fields: Fields, loss: Any, outputs: Any) -> int:
    """Counts one batch into every metric, ``loss`` being the mean of it; returns its samples."""
    n = samples(fields)
    metrics["loss"].update(loss, n)
    if len(metrics) > 1:
        for name, metric in metrics.items():
            if name != "loss":
                metric.update(outputs, fields[-1])
    return n


def values_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Each metric's value, as JSON has it."""
    values = {name: metric.compute() for name, metric in metrics.items()}
    return {k: v.tolist() if hasattr(v, "tolist") else v for k, v in values.items()}

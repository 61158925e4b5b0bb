"""The training loop of ``train`` and ``demo``: the one every tutorial teaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from deepdive.config import no_grad
from deepdive.nn.functional import cross_entropy


class Step(NamedTuple):
    """What one step saw; the means count the images of all steps of this epoch so far."""

    loss: float
    accuracy: float
    images: int
    mean_loss: float
    mean_accuracy: float


def train_epoch(model: Any, loader: Any, optimizer: Any, schedule: Any) -> Iterator[Step]:
    """Trains on every batch once, and tells of each step."""
    model.train()
    loss_sum, right_sum, seen = 0.0, 0, 0
    for x, y in loader:
        scores = model(x)  # (B, classes)
        loss = cross_entropy(scores, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()

        right = int((scores.numpy().argmax(1) == y).sum())
        loss_sum += loss.item() * len(y)
        right_sum += right
        seen += len(y)
        yield Step(loss.item(), right / len(y), len(y), loss_sum / seen, right_sum / seen)


@no_grad()
def scores_of(model: Any, loader: Any) -> Any:
    """The scores (N, classes) of all samples, in evaluation mode."""
    model.eval()
    return np.concatenate([model(x).numpy() for x, _ in loader])


def accuracy(scores: Any, labels: Any) -> float:
    """The share of samples whose highest score is their label's.

    >>> accuracy(np.array([[0.1, 0.9], [0.6, 0.4]]), np.array([1, 1]))
    0.5
    """
    return float((scores.argmax(1) == labels).mean())


def probabilities(scores: Any) -> Any:
    """Scores (N, classes) as probabilities: the softmax of each row."""
    shares = np.exp(scores - scores.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def percent(share: float) -> str:
    """A share with the digits that matter.

    >>> percent(0.98125)
    '98.1 %'
    """
    return f"{100 * share:.1f} %"

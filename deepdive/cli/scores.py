"""What a network makes of all samples of a data set: scores, shares, and how they are written."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepdive.config import no_grad
from deepdive.train import evaluating


def scores_of(model: Any, loader: Any) -> Any:
    """The scores (N, classes) of all samples, in evaluation mode."""
    with no_grad(), evaluating(model):
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

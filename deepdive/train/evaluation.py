"""Measuring: counting a batch into metrics, and a model's evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deepdive.core.random import get_rng_state, set_rng_state
from deepdive.train.batches import Fields, samples


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


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode; afterwards every module has the mode it had, and so has the randomness."""
    modes = [(module, module.training) for module in model.modules()]
    random = get_rng_state()
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        set_rng_state(random)

"""``deepdive summary``: what a network is made of."""

from __future__ import annotations

from typing import Any

from deepdive.cli import saved
from deepdive.cli.recipes import make_model
from deepdive.dash import summary


def run(options: Any) -> None:
    """Prints the table of a saved network, or of one of ours."""
    if options.folder is None:
        model: Any = make_model(options.dataset, options.model)
        dataset = options.dataset
    else:
        model, dataset = saved.load(options.folder)
    print(summary(model, saved.input_shape(options.folder, dataset, options.input)))

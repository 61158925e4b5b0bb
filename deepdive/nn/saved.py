"""A saved folder back into a model."""

from __future__ import annotations

import os
from typing import Any

from deepdive.errors import CheckpointError
from deepdive.io.checkpoint import ARC, load_folder
from deepdive.nn.architecture import from_arc
from deepdive.utils.budget import limited

MOST_UNSAVED = 1 << 25  # numbers a model may make beyond its weights: masks, tables of positions


def load_from_arc(folder: str | os.PathLike[str]) -> Any:
    """The model saved in `folder`: built from ``model.arc``, with its weights and their dtypes.

    Nothing in the files is run or imported: a layer of your own must be defined already.

    Raises:
        CheckpointError: no or damaged files, unknown layers, weights that do not fit.

    >>> import tempfile
    >>> from deepdive import nn
    >>> folder = tempfile.mkdtemp()
    >>> nn.Sequential(nn.Linear(784, 128), nn.ReLU()).save(folder)
    >>> load_from_arc(folder)
    Sequential(
      (0): Linear(in_features=784, out_features=128, bias=True)
      (1): ReLU()
    )
    """
    saved = load_folder(folder)
    if saved.arc_text is None:
        raise CheckpointError(
            f"no {ARC} in {folder}",
            fix="build the model yourself, then model.load(folder)",
        )
    held = sum(array.size for array in saved.weights.values())
    named = len(saved.weights) + saved.arc_text.count("\n")
    with limited(MOST_UNSAVED + 4 * held, 1000 + 20 * named):
        model = from_arc(saved.arc_text)
    model.load_state_dict(saved.weights, assign=True)
    return model

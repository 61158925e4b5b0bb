"""A saved folder back into a model."""

from __future__ import annotations

import os
from typing import Any

from deepdive.errors import CheckpointError
from deepdive.io.checkpoint import ARC, load_folder
from deepdive.nn.architecture import from_arc


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
    model = from_arc(saved.arc_text)
    model.load_state_dict(saved.weights, assign=True)
    return model

"""A network that ``train`` or ``demo`` saved, or anybody else."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepdive.cli.recipes import IMAGES
from deepdive.core.tensor import Tensor
from deepdive.errors import CheckpointError
from deepdive.io.checkpoint import load_folder
from deepdive.nn import load_from_arc


def load(folder: str) -> tuple[Any, str | None]:
    """The model in a folder, and the name of our data set it was trained on, if it was one.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    facts = load_folder(folder).extra or {}
    known = [name for name in IMAGES if name == facts.get("dataset")]
    return load_from_arc(folder).eval(), known[0] if known else None


def input_shape(folder: str, dataset: str | None, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of one sample.

    Raises:
        CheckpointError: it was not given, and the folder does not say.
    """
    if given is not None:
        return given
    if dataset is None:
        raise CheckpointError(
            f"{folder} does not say what its network takes", fix="--input 1,28,28"
        )
    size = IMAGES[dataset].size
    return (1, size, size)


def zeros(shape: tuple[int, ...]) -> Tensor:
    """A batch of one empty sample; it tracks gradients, so that it is drawn, too."""
    return Tensor(np.zeros((1, *shape), np.float32))

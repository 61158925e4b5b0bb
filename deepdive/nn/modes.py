"""Looking at a model without a trace: evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deepdive.core.random import get_rng_state, set_rng_state


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode; afterwards every module has the mode it had, and so has the randomness.

    A plain function, which has no modes, will do as well.
    """
    modes = [(module, module.training) for module in getattr(model, "modules", tuple)()]
    random = get_rng_state()
    if modes:
        model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        set_rng_state(random)

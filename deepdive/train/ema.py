"""A second set of weights that follows the first slowly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import ArgumentError, CheckpointError
from deepdive.nn import loading


class EMA:
    """The exponential moving average of a model's parameters (Polyak & Juditsky 1992).

    ``shadow = decay · shadow + (1 - decay) · w`` after each step; it often generalises better
    than the last weights.  Buffers are not averaged.

    Args:
        model: whose parameters are followed.
        decay: how much of the old average stays, in [0, 1).

    Raises:
        ArgumentError: for a `decay` outside [0, 1).

    >>> from deepdive import nn
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> ema = EMA(layer, decay=0.5)
    >>> before = layer.weight.item()
    >>> with config.no_grad():
    ...     _ = layer.weight.add_(1.0)
    >>> ema.update()
    >>> with ema.applied():
    ...     abs(layer.weight.item() - (before + 0.5)) < 1e-6
    True
    """

    def __init__(self, model: Any, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ArgumentError("EMA: decay is in [0, 1)", got=repr(decay))
        self.model = model
        self.decay = decay
        self.shadows: dict[str, Tensor] = {}
        for name, p in model.named_parameters():
            self.shadows[name] = wrap(_copied(p._data))

    def update(self) -> None:
        """Follow the model by one step; inside a compiled step it is a part of the program."""
        with config.no_grad():
            for name, p in self.model.named_parameters():
                shadow: Any = self.shadows[name]
                shadow.mul_(self.decay)
                shadow.add_(p.detach() * (1 - self.decay))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the model computes with the average."""
        parameters = dict(self.model.named_parameters())
        own = {name: p._data for name, p in parameters.items()}
        try:
            for name, p in parameters.items():
                loading.replace(p, self.shadows[name]._data)
            yield
        finally:
            for name, p in parameters.items():
                loading.replace(p, own[name])

    def state_dict(self) -> dict[str, Any]:
        """Parameter path → averaged array."""
        return {name: shadow.numpy() for name, shadow in self.shadows.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from these averages.

        Raises:
            CheckpointError: if they are of another model.
        """
        ours = {name: tuple(shadow.shape) for name, shadow in self.shadows.items()}
        theirs = {name: tuple(array.shape) for name, array in state.items()}
        if ours != theirs:
            raise CheckpointError(
                "EMA: the averages are of another model",
                got=str(theirs)[:200],
                expected=str(ours)[:200],
            )
        for name, shadow in self.shadows.items():
            speaker = speakers.BY_TYPE[type(shadow._data)]
            speaker.write(shadow._data, speaker.asarray(state[name]))


def _copied(array: Any) -> Any:
    return speakers.BY_TYPE[type(array)].copy(array)

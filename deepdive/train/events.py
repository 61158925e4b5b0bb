"""What happens around the loop: who is told, and a few who are told often.

A handler is any object with some of these methods; the loop calls each with the trainer::

    on_start          before the first step of ``fit`` (after a resume)
    on_epoch_start    before a pass over the data
    on_gradients      after backward, before the update (never inside a compiled step)
    on_step           after each update: ``trainer.loss``, ``trainer.step``, ``trainer.fields`` …
    on_epoch_end      after validation: ``trainer.history[-1]`` is the record of the epoch
    on_saved          after a checkpoint: ``trainer.saved`` is its folder
    on_interrupt      a signal came, the step at hand is finished
    on_stop           the last thing in any case, ``trainer.error`` being what ended it, or None

A handler whose name for itself is in ``state_name`` and that has ``state_dict`` and
``load_state_dict`` (plain JSON) is saved in each checkpoint.  What a handler raises ends the
training: one that only looks on must catch its own errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deepdive.errors import ArgumentError, CheckpointError, NonFiniteError, did_you_mean

Handler = Callable[[Any], None]

EVENTS = (
    *("start", "epoch_start", "gradients", "step", "epoch_end"),
    *("saved", "interrupt", "stop"),
)


class Events:
    """Handlers by event, in the order they came."""

    def __init__(self, handlers: Iterable[Any] = ()) -> None:
        self.handlers = list(handlers)
        self.called: dict[str, list[Handler]] = {event: [] for event in EVENTS}
        for handler in self.handlers:
            self._enter(handler)

    def _enter(self, handler: Any) -> None:
        methods = {event: getattr(handler, f"on_{event}", None) for event in EVENTS}
        if not any(methods.values()):
            raise ArgumentError(
                "Trainer: a handler has at least one method of an event",
                got=type(handler).__name__,
                expected=", ".join(f"on_{event}" for event in EVENTS),
            )
        for event, method in methods.items():
            if method is not None:
                self.called[event].append(method)

    def add(self, handler: Any) -> None:
        """One more handler, told after the others."""
        self._enter(handler)
        self.handlers.append(handler)

    def on(self, event: str, function: Handler) -> None:
        """Call ``function(trainer)`` at `event`.

        Raises:
            ArgumentError: for an event there is not.
        """
        if event not in self.called:
            raise ArgumentError(
                f"Trainer.on: there is no event {event!r}",
                expected=", ".join(EVENTS),
                fix=did_you_mean(event, EVENTS),
            )
        self.called[event].append(function)

    def tell(self, event: str, trainer: Any) -> None:
        """Call everybody who wants to know."""
        for function in self.called[event]:
            function(trainer)

    def state_dict(self) -> dict[str, Any]:
        """The states of handlers that have one, by their names."""
        return {handler.state_name: handler.state_dict() for handler in self._keepers()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Hand out the states that are there; a handler that is new starts afresh."""
        if not isinstance(state, Mapping):
            raise CheckpointError("the states of the handlers are no mapping", got=repr(state)[:80])
        for handler in self._keepers():
            if handler.state_name in state:
                handler.load_state_dict(state[handler.state_name])

    def _keepers(self) -> list[Any]:
        return [handler for handler in self.handlers if hasattr(handler, "state_name")]


class EarlyStopping:
    """Ends the training when a value has not become better for `patience` epochs.

    Args:
        monitor: the name of the value in the epoch's record.
        patience: so many epochs without progress end it (at least 1).
        min_delta: what counts as progress at least.
        mode: ``"min"`` or ``"max"``; by default ``"max"`` for names with ``accuracy`` in them.

    Raises:
        ArgumentError: for another mode, a negative number, or a value that no epoch has.
    """

    state_name = "early_stopping"

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 3,
        min_delta: float = 0.0,
        mode: str | None = None,
    ) -> None:
        if patience < 0 or min_delta < 0:
            raise ArgumentError(
                "EarlyStopping: patience and min_delta are not negative",
                got=f"{patience} and {min_delta}",
            )
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode_of(monitor, mode)
        self.best: float | None = None
        self.waited = 0

    def on_epoch_end(self, trainer: Any) -> None:
        """Compares this epoch with the best one."""
        value = monitored(trainer.history[-1], self.monitor)
        if self.best is None or better(value, self.best, self.mode, self.min_delta):
            self.best = value
            self.waited = 0
            return
        self.waited += 1
        if self.waited >= max(self.patience, 1):
            trainer.stop(f"{self.monitor} has not become better for {self.waited} epochs")

    def state_dict(self) -> dict[str, Any]:
        """The best value and how long ago it was."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on waiting."""
        try:
            best, waited = state["best"], int(state["waited"])
            self.best, self.waited = None if best is None else float(best), waited
        except (KeyError, TypeError, ValueError, OverflowError):
            raise CheckpointError("EarlyStopping: not its state", got=repr(state)[:80]) from None


class StopOnNaN:
    """Ends the training with an error at the first loss that is no finite number.

    Raises:
        NonFiniteError: from ``fit``.
    """

    def on_step(self, trainer: Any) -> None:
        """Looks at the loss."""
        if not math.isfinite(trainer.loss):
            raise NonFiniteError(
                f"the loss became {trainer.loss} at step {trainer.step}",
                fix="a lower learning rate, clip_norm=1.0, or "
                "deepdive.autograd.detect_anomaly() to see where",
            )


def mode_of(monitor: str, mode: str | None) -> str:
    """``"min"`` or ``"max"``, guessed from the name of the value unless given.

    >>> mode_of("val_accuracy", None), mode_of("val_loss", None)
    ('max', 'min')
    """
    if mode is None:
        return "max" if "accuracy" in monitor or "top" in monitor else "min"
    if mode not in ("min", "max"):
        raise ArgumentError("the mode is 'min' or 'max'", got=repr(mode))
    return mode


def better(value: float, best: float, mode: str, least: float = 0.0) -> bool:
    """Whether `value` is an improvement of more than `least`; NaN never is, and always loses.

    >>> better(0.2, 0.3, "min"), better(0.3, 0.3, "max"), better(1.0, math.nan, "max")
    (True, False, True)
    """
    gain = best - value if mode == "min" else value - best
    return gain > least or (math.isnan(best) and not math.isnan(value))


def monitored(record: Mapping[str, Any], name: str) -> float:
    """A number out of an epoch's record.

    Raises:
        ArgumentError: if there is none of that name.
    """
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        numbers = [key for key, item in record.items() if isinstance(item, (int, float))]
        raise ArgumentError(
            f"no epoch has a number called {name!r}",
            expected=", ".join(numbers),
            fix=did_you_mean(name, numbers) or "give fit() a validation loader",
        )
    return float(value)

"""The live dashboard of a training, in a terminal: curves, speed, time left, memory, alarms.

It is a handler for :class:`deepdive.train.Trainer`.  It looks on and nothing more: whatever goes
wrong here – the terminal closed, a pipe broken, a window of two columns – switches it off, and the
training goes on.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple, TextIO

from deepdive.dash.curve import Curve
from deepdive.dash.norms import Seldom, activation_norms, gradient_norms
from deepdive.dash.screen import (
    LEAST_HEIGHT,
    LEAST_RICH,
    LEAST_WIDTH,
    Repainting,
    one_line,
    plain_lines,
)
from deepdive.dash.screen_rich import rich_lines
from deepdive.dash.terminal import Terminal
from deepdive.errors import missing_extra
from deepdive.utils.memory import memory_in_use

PAUSES = {True: 0.25, False: 10.0}  # seconds between drawings, in a terminal and in a log file
MOST_ALARMS = 3


class View(NamedTuple):
    """All that a drawing shows."""

    epoch: int  # from 1
    epochs: int
    step: int
    steps: int  # in all, 0 if nobody knows
    spent: float  # seconds
    left: float  # seconds, NaN if nobody knows
    rate: float  # samples per second
    memory: int  # bytes
    facts: dict[str, float]  # the latest values
    charts: dict[str, dict[str, Any]]  # title → curve → (x, y)
    norms: dict[str, dict[str, float]]  # "gradients" and "activations": name → norm
    alarms: list[str]


class LiveDash:
    """Draws a training while it runs.

    Args:
        stream: where; standard error unless given.
        refresh: seconds between drawings: 0.25 in a terminal, 10 elsewhere, where a drawing is
            one line.
        rich: whether to draw with the package ``rich``; by default where it is installed.
        norms: whether to look at gradients and activations, for 1 % of the time at most.  Inside
            a compiled update nobody can look: ``Trainer(watch_gradients=True)`` gives the norm.
        log: a :class:`~deepdive.dash.RunLog` that is told of alarms, too (optional).

    Raises:
        MissingExtraError: for ``rich=True`` where it is not installed.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        refresh: float | None = None,
        rich: bool | None = None,
        norms: bool = True,
        log: Any = None,
    ) -> None:
        if rich and not _has_rich():
            raise missing_extra("rich", "ui", "drawing with rich")
        self.rich = rich
        self.norms = norms
        self.log = log
        self._stream = stream
        self._refresh = refresh
        self._screen: Any = None
        self._clear()

    def _clear(self) -> None:
        self.is_on = False
        self.curves: dict[str, Curve] = {}
        self.found_norms: dict[str, dict[str, float]] = {}
        self.alarms: list[str] = []
        self._bad = False  # whether the last loss was no number
        self._next = self._started = monotonic()
        self._steps = self._begun = self._begun_samples = 0
        self._looks = {"gradients": Seldom(), "activations": Seldom(2.0)}

    # --- events --------------------------------------------------------------------------------
    def on_start(self, trainer: Any) -> None:
        """Opens the screen."""
        self._clear()
        self.is_on = True
        self._guarded(self._open, trainer)

    def on_gradients(self, trainer: Any) -> None:
        """Looks at the gradients, seldom."""
        if self.is_on and self.norms and self._looks["gradients"].due():
            self._guarded(self._look_at_gradients, trainer)

    def on_step(self, trainer: Any) -> None:
        """Notes the loss, raises the alarm, and draws if it is time to."""
        if self.is_on:
            self._guarded(self._note, trainer)

    def on_epoch_end(self, trainer: Any) -> None:
        """Notes the values of the epoch."""
        if self.is_on:
            self._guarded(self._note_epoch, trainer)

    def on_stop(self, trainer: Any) -> None:
        """Draws for the last time."""
        if self.is_on:
            self._guarded(self._finish, trainer)
        self.is_on = False

    def _guarded(self, function: Callable[[Any], None], trainer: Any) -> None:
        """Nothing that fails here may stop the training."""
        try:
            function(trainer)
        except Exception as error:
            self.is_on = False
            self._say(f"the dashboard is switched off: {type(error).__name__}: {error}")

    def _say(self, text: str) -> None:
        with suppress(Exception):  # where warnings are errors, or have nowhere to go
            warnings.warn(text, RuntimeWarning, stacklevel=4)

    # --- noting --------------------------------------------------------------------------------
    def _open(self, trainer: Any) -> None:
        self._screen = Repainting(Terminal(self._stream))
        if self.rich is None:
            self.rich = _has_rich()
        self._begun, self._begun_samples = trainer.step, trainer.samples
        if hasattr(trainer.loader, "__len__"):
            per_epoch = -(-len(trainer.loader) // trainer.accumulate)
            self._steps = per_epoch * trainer.epochs
        for record in trainer.history:
            self._note_record(record)

    def _note(self, trainer: Any) -> None:
        now = monotonic()
        if trainer.device == "cpu" or now >= self._next:  # reading a GPU's loss waits for it
            self._note_loss(trainer.step, trainer.loss)
        if now < self._next:
            return
        self._note_values(trainer)
        self._draw(trainer)
        self._next = monotonic() + (self._refresh or PAUSES[self._screen.is_tty])

    def _note_loss(self, step: int, loss: float) -> None:
        self._add("loss", step, loss)
        is_bad = not math.isfinite(loss)
        if is_bad and not self._bad:
            self._alarm(step, f"the loss became {loss} at step {step}")
        self._bad = is_bad

    def _note_values(self, trainer: Any) -> None:
        """What is noted at each drawing only."""
        for name, metric in trainer.running.items():
            value = metric.compute()
            if name != "loss" and isinstance(value, (int, float)):
                self._add(name, trainer.step, value)
        if trainer.grad_norm is not None:
            self._note_norm(trainer.step, float(trainer.grad_norm))
        if self.norms and self._looks["activations"].due():
            inputs = trainer.fields[:-1]
            if inputs and all(hasattr(x, "shape") for x in inputs):
                self.found_norms["activations"] = activation_norms(trainer.model, inputs)
            self._looks["activations"].done()

    def _look_at_gradients(self, trainer: Any) -> None:
        norm, each = gradient_norms(trainer.model)
        self.found_norms["gradients"] = each
        self._note_norm(trainer.step + 1, norm)
        self._looks["gradients"].done()

    def _note_norm(self, step: int, norm: float) -> None:
        self._add("grad norm", step, norm)
        if not math.isfinite(norm) and not self._bad:
            self._alarm(step, f"the norm of the gradients became {norm} at step {step}")
            self._bad = True

    def _note_epoch(self, trainer: Any) -> None:
        self._note_record(trainer.history[-1])
        if self._screen.is_tty:
            self._next = monotonic()  # draw at the next step

    def _note_record(self, record: dict[str, Any]) -> None:
        for name, value in record.items():
            if name.startswith("val_") and isinstance(value, (int, float)):
                self._add(name, record["step"], value)

    def _add(self, name: str, step: float, value: float) -> None:
        if name not in self.curves:
            self.curves[name] = Curve()
        self.curves[name].add(step, value)

    def _alarm(self, step: int, what: str) -> None:
        self.alarms = [*self.alarms, what][-MOST_ALARMS:]
        if self.log is not None:
            self.log.alarm(step, what)
        if not self._screen.is_tty:
            self._screen.write(f"ALARM: {what}\n")
        self._next = monotonic()

    # --- drawing -------------------------------------------------------------------------------
    def view(self, trainer: Any) -> View:
        """What there is to see now."""
        spent = max(monotonic() - self._started, 1e-9)
        done = trainer.step - self._begun
        left = spent / done * (self._steps - trainer.step) if done and self._steps else math.nan
        return View(
            epoch=min(trainer.epoch + 1, trainer.epochs),
            epochs=trainer.epochs,
            step=trainer.step,
            steps=self._steps,
            spent=spent,
            left=max(left, 0.0),
            rate=(trainer.samples - self._begun_samples) / spent,
            memory=memory_in_use(),
            facts={name: self.curves[name].last for name in sorted(self.curves, key=_rank)},
            charts=self._charts(),
            norms=self.found_norms,
            alarms=self.alarms,
        )

    def _charts(self) -> dict[str, dict[str, Any]]:
        """Each value together with that of the validation."""
        charts: dict[str, dict[str, Any]] = {"loss": {}}  # the first in any case
        for name, curve in self.curves.items():
            title = name.removeprefix("val_")
            charts.setdefault(title, {})[name] = curve.points()
        return charts

    def _draw(self, trainer: Any) -> None:
        screen = self._screen
        if not screen.is_on:
            self.is_on = False
            return
        view = self.view(trainer)
        if not screen.is_tty:
            screen.write(one_line(view) + "\n")
            return
        width, height = screen.terminal.size()
        width, height = width - 1, height - 1  # the last column and line would scroll
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            screen.show([one_line(view)[: max(width, 0)]])
        elif self.rich and width >= LEAST_RICH:
            screen.show(rich_lines(view, width, height, screen.terminal))
        else:
            screen.show(plain_lines(view, width, height, screen.terminal))

    def _finish(self, trainer: Any) -> None:
        self._note_values(trainer)
        self._draw(trainer)


def _rank(name: str) -> bool:
    """The loss comes first, the others as they came."""
    return name != "loss"


def _has_rich() -> bool:
    if "rich" in sys.modules:
        return sys.modules["rich"] is not None
    from importlib.util import find_spec

    return find_spec("rich") is not None

"""What a run leaves to be read later: JSON lines, tables, TensorBoard's files.

::

    RUN/log.jsonl     everything, one JSON object a line: {"kind": "step", "step": 10, "loss": …}
    RUN/steps.csv     the steps that were noted
    RUN/epochs.csv    a row per epoch, with the values of the validation
    RUN/events.out.…  the same for TensorBoard

A training that is resumed first cuts off what its earlier life wrote after the checkpoint, so
that each step is told of once.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from deepdive.dash.tensorboard import EventWriter
from deepdive.errors import ArgumentError

LINES, STEPS, EPOCHS = "log.jsonl", "steps.csv", "epochs.csv"
STEP_COLUMNS = ("step", "epoch", "loss", "lr", "grad_norm", "samples", "seconds")


class RunLog:
    """Writes the log of a training: a handler for :class:`deepdive.train.Trainer`.

    A disk that is full or gone ends the log, with a warning, and not the training.

    Args:
        folder: of the run; made if it is not there.
        every: every how many steps one is noted.
        tensorboard: whether to write event files, too.
        histograms: every how many epochs the distribution of each parameter goes into them; 0
            for never.

    Raises:
        ArgumentError: for an `every` below 1.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: int = 10,
        *,
        tensorboard: bool = True,
        histograms: int = 0,
    ) -> None:
        if every < 1 or histograms < 0:
            raise ArgumentError("RunLog: every how many steps?", got=f"{every} and {histograms}")
        self.folder = os.fspath(folder)
        self.every = every
        self.tensorboard = tensorboard
        self.histograms = histograms
        self.is_on = False
        self._files: dict[str, Any] = {}
        self._events: EventWriter | None = None
        self._columns: list[str] = []  # of epochs.csv
        self._started = 0.0

    # --- events --------------------------------------------------------------------------------
    def on_start(self, trainer: Any) -> None:
        """Opens the files, cut back to the step the training goes on from."""
        self._started = time.monotonic()
        self.is_on = True
        self._guarded(self._open, trainer.step)

    def on_step(self, trainer: Any) -> None:
        """Notes the step, if it is its turn."""
        if not self.is_on or trainer.step % self.every:
            return
        row = {
            "step": trainer.step,
            "epoch": trainer.epoch + 1,
            "loss": trainer.loss,
            "lr": trainer.optimizer.param_groups[0]["lr"],
            "grad_norm": None if trainer.grad_norm is None else float(trainer.grad_norm),
            "samples": trainer.samples,
            "seconds": self._seconds(),
        }
        self._guarded(self._note_step, row)

    def on_epoch_end(self, trainer: Any) -> None:
        """Notes the record of the epoch."""
        if self.is_on:
            self._guarded(self._note_epoch, trainer.history[-1], trainer)

    def on_stop(self, trainer: Any) -> None:
        """Closes the files."""
        if trainer.error is not None and self.is_on:
            reason = f"{type(trainer.error).__name__}: {trainer.error}"
            self._guarded(self._line, {"kind": "end", "step": trainer.step, "error": reason})
        self._close()
        self.is_on = False

    def alarm(self, step: int, what: str) -> None:
        """Notes that something is wrong; :class:`deepdive.dash.LiveDash` says so here."""
        if self.is_on:
            self._guarded(self._line, {"kind": "alarm", "step": step, "what": what})

    # --- writing -------------------------------------------------------------------------------
    def _guarded(self, function: Callable[..., None], *args: Any) -> None:
        """A log that cannot be written is closed, aloud."""
        try:
            function(*args)
            for file in self._files.values():
                file.flush()
        except (OSError, ValueError) as error:
            self.is_on = False
            self._close()
            warnings.warn(
                f"the log in {self.folder} ends here, the training does not: {error}",
                RuntimeWarning,
                stacklevel=4,
            )

    def _close(self) -> None:
        for file in (*self._files.values(), self._events):
            try:
                if file is not None:
                    file.close()
            except (OSError, ValueError):
                pass  # what is still in a buffer of a full disk is lost
        self._files, self._events = {}, None

    def _open(self, step: int) -> None:
        os.makedirs(self.folder, exist_ok=True)
        for name, step_of in (
            (LINES, _step_of_line),
            (STEPS, _step_of_row),
            (EPOCHS, _step_of_row),
        ):
            path = os.path.join(self.folder, name)
            cut_back(path, step, step_of)
            self._files[name] = open(path, "a", encoding="utf-8", newline="")  # noqa: SIM115
        with open(os.path.join(self.folder, EPOCHS), encoding="utf-8", newline="") as file:
            self._columns = next(csv.reader(file), [])
        if not self._files[STEPS].tell():
            self._row(STEPS, STEP_COLUMNS)
        self._line({"kind": "start", "step": step, "time": time.time(), "pid": os.getpid()})
        if self.tensorboard:
            purge = step + 1 if step else None
            self._events = EventWriter(self.folder, purge)

    def _note_step(self, row: Mapping[str, Any]) -> None:
        self._line({"kind": "step", **row})
        self._row(STEPS, [row[name] for name in STEP_COLUMNS])
        for name in ("loss", "lr", "grad_norm"):
            self._scalar(f"step/{name}", row[name], row["step"])
        if self._events is not None:
            self._events.flush()

    def _note_epoch(self, record: Mapping[str, Any], trainer: Any) -> None:
        numbers = {k: v for k, v in record.items() if isinstance(v, (int, float))}
        numbers["seconds"] = self._seconds()
        self._line({"kind": "epoch", **record, "seconds": numbers["seconds"]})
        if not self._columns:
            self._columns = ["step", *(name for name in numbers if name != "step")]
            self._row(EPOCHS, self._columns)
        self._row(EPOCHS, [numbers.get(name) for name in self._columns])
        for name, value in numbers.items():
            if name not in ("step", "epoch", "seconds"):
                self._scalar(f"epoch/{name}", value, record["step"])
        if self._events is not None:
            if self.histograms and record["epoch"] % self.histograms == 0:
                for name, p in trainer.model.named_parameters():
                    values = p.detach().to("cpu").numpy()
                    if values.size and math.isfinite(values.sum()):
                        self._events.histogram(name, values, record["step"])
            self._events.flush()

    def _scalar(self, tag: str, value: Any, step: int) -> None:
        if self._events is not None and value is not None:
            self._events.scalar(tag, value, step)

    def _line(self, entry: Mapping[str, Any]) -> None:
        self._files[LINES].write(json.dumps(_finite(entry)) + "\n")

    def _row(self, name: str, values: Any) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(values)
        self._files[name].write(text.getvalue())

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)


def _finite(value: Any) -> Any:
    """JSON has no NaN: it is written as text, so that every reader of JSON can read the line."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def cut_back(path: str, step: int, step_of: Callable[[str], int]) -> None:
    """Drops the lines of a log that tell of steps after `step`, and a last one that is torn."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return
    kept = [line for line in lines if line.endswith("\n") and step_of(line) <= step]
    if not step:
        kept = []  # a new training
    if len(kept) < len(lines):
        temporary = path + ".cut"
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.writelines(kept)
        os.replace(temporary, path)


def _step_of_line(line: str) -> int:
    """Of a JSON line; one that cannot be read is not kept."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return 1 << 62


def _step_of_row(line: str) -> int:
    """Of a row of a table, whose first column it is; the heading counts as step 0."""
    first = line.partition(",")[0]
    try:
        return 0 if first == "step" else int(first)
    except ValueError:
        return 1 << 62

"""Checkpoints of a training: the last few and the best, each a folder that is whole or not there.

::

    RUN/checkpoints/step-00000120/
        model.arc               the architecture, where it can be written
        weights.safetensors     parameters and buffers
        optimizer.safetensors   the optimizer's slots, and the averages of an EMA
        state.json              all else: counts, random states, schedule, metrics, history
        SHA256SUMS              a checksum of each of them

A checkpoint whose checksums do not fit is called ``damaged-step-…`` from then on, with a warning,
and the one before it used.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import safetensors
from deepdive.io.checkpoint import ARC, FORMAT, STATE, WEIGHTS, read_state, state_bytes
from deepdive.io.files import FilePath, explained
from deepdive.io.lock import FolderLock
from deepdive.io.snapshot import check_snapshot, remove_snapshot, sweep, write_snapshot
from deepdive.nn.architecture import to_arc
from deepdive.train.events import better, mode_of, monitored
from deepdive.train.state import collected, restore

OPTIMIZER = "optimizer.safetensors"
NAME = re.compile(r"step-([0-9]{8,18})")


class CheckpointWarning(UserWarning):
    """A checkpoint was passed over, or is less than it could be."""


class Checkpoints:
    """Saves a training as it goes on, and finds the place to go on from.

    Args:
        folder: the folder of the run; checkpoints go into ``checkpoints`` below it.
        every_steps: save after so many steps (optional).
        every_epochs: save after so many epochs.
        every_seconds: save when so much time has passed since the last one (optional).
        keep: how many of the last ones stay.
        monitor: the value of an epoch's record that says which one is the best; by default
            ``val_loss`` where there is validation, else ``loss``.
        mode: ``"min"`` or ``"max"``; guessed from the name.

    Raises:
        ArgumentError: for counts below 1.
        CheckpointError: from ``fit``, when a checkpoint cannot be written; the ones before it are
            untouched.  Also if another process is training into this folder.
    """

    state_name = "checkpoints"

    def __init__(
        self,
        folder: FilePath,
        *,
        every_steps: int | None = None,
        every_epochs: int | None = 1,
        every_seconds: float | None = None,
        keep: int = 3,
        monitor: str | None = None,
        mode: str | None = None,
    ) -> None:
        for value in (every_steps, every_epochs, every_seconds, keep):
            if value is not None and not value > 0:
                raise ArgumentError("Checkpoints: counts are 1 or more", got=repr(value))
        self.run = os.path.abspath(folder)
        self.folder = os.path.join(self.run, "checkpoints")
        self.every_steps = every_steps
        self.every_epochs = every_epochs
        self.every_seconds = every_seconds
        self.keep = keep
        self.monitor = monitor
        self.mode = mode
        self.best: dict[str, Any] | None = None  # {"step": …, "value": …}
        self._arc: Any = None
        self._lock = FolderLock(self.run)
        self._ours = False  # whether the checkpoints in the folder are of this training
        self._saved_at = time.monotonic()

    # --- when ----------------------------------------------------------------------------------
    def on_start(self, trainer: Any) -> None:
        """Makes sure that checkpoints can be written, here alone, before anything is learned."""
        self._lock.take()
        with explained("write", self.folder, CheckpointError):
            os.makedirs(self.folder, exist_ok=True)
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "the folder is read-only", self.folder)
        self._find()
        if not self._ours:
            self._set_aside()
        self._ours = True
        self._arc = _architecture(trainer.model)
        self._saved_at = time.monotonic()

    def on_step(self, trainer: Any) -> None:
        """Saves if it is time to; the end of an epoch waits for its validation."""
        due = self.every_steps is not None and trainer.step % self.every_steps == 0
        if self.every_seconds is not None:
            due = due or time.monotonic() - self._saved_at >= self.every_seconds
        if due:
            self.save(trainer)

    def on_epoch_end(self, trainer: Any) -> None:
        """Notes whether this epoch is the best, and saves."""
        record = trainer.history[-1]
        name = self.monitor or ("val_loss" if "val_loss" in record else "loss")
        value = monitored(record, name)
        mode = mode_of(name, self.mode)
        is_best = self.best is None or better(value, self.best["value"], mode)
        if is_best:
            self.best = {"step": trainer.step, "value": value}
        # the best one of all epochs must be on the disk, whatever `every_epochs` says
        if is_best or (self.every_epochs and trainer.epoch % self.every_epochs == 0):
            self.save(trainer)

    def on_interrupt(self, trainer: Any) -> None:
        """Saves what the interrupted training has learned."""
        self.save(trainer)

    def on_stop(self, trainer: Any) -> None:
        """Others may write here again."""
        self._lock.release()

    def state_dict(self) -> dict[str, Any]:
        """Which one is the best so far."""
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember which one is the best."""
        best = state.get("best") if isinstance(state, Mapping) else 0
        whole = isinstance(best, dict) and {"step", "value"} <= set(best)
        if best is not None and not (whole and isinstance(best["value"], (int, float))):
            raise CheckpointError("Checkpoints: not their state", got=repr(state)[:80])
        self.best = best

    # --- how -----------------------------------------------------------------------------------
    def save(self, trainer: Any) -> str:
        """Writes a checkpoint of this moment; returns its folder.

        Raises:
            CheckpointError: it cannot be written; older ones are untouched.
        """
        folder = os.path.join(self.folder, f"step-{trainer.step:08d}")
        state, arrays = collected(trainer)
        weights = {name: x.numpy() for name, x in trainer.model._state().items()}
        files: dict[str, Any] = {
            WEIGHTS: safetensors.pieces(weights, FORMAT),
            OPTIMIZER: safetensors.pieces(arrays, FORMAT),
            STATE: [state_bytes({**trainer.facts, **state})],
        }
        if self._arc is not None:
            files[ARC] = [self._arc.encode("utf-8")]
        write_snapshot(folder, files)
        self._saved_at = time.monotonic()
        self._prune()
        trainer.saved = folder
        trainer.events.tell("saved", trainer)
        return folder

    def _prune(self) -> None:
        """Removes all but the last few and the best."""
        best = self.best["step"] if self.best else -1
        for step, path in self.all()[: -self.keep]:
            if step != best:
                remove_snapshot(path)

    def _set_aside(self) -> None:
        """A new training in an old folder: the old one's checkpoints are kept, elsewhere."""
        if not self._find():
            return
        aside = self.folder + ".old"
        shutil.rmtree(aside, ignore_errors=True)
        with explained("write", aside, CheckpointError):
            os.replace(self.folder, aside)
            os.mkdir(self.folder)
        warnings.warn(
            f"the checkpoints of an earlier training are now in {aside}; "
            "resume would have gone on with it",
            CheckpointWarning,
            stacklevel=2,
        )

    def _find(self) -> list[tuple[int, str]]:
        """All checkpoints, after tidying up: for the one process that writes here."""
        sweep(self.folder)
        return self.all()

    def all(self) -> list[tuple[int, str]]:
        """(step, folder) of every checkpoint, the latest last."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        found = [match for match in map(NAME.fullmatch, names) if match]
        return sorted((int(match[1]), os.path.join(self.folder, match[0])) for match in found)

    def resume(self, trainer: Any) -> str | None:
        """Puts `trainer` where the latest whole checkpoint was taken; returns its folder.

        A damaged one is passed over with a :class:`CheckpointWarning`.  None: there is none at
        all, so the training begins.

        Raises:
            CheckpointError: every one is damaged, or they are of another training.
        """
        with FolderLock(self.run):
            return self._resume(trainer)

    def _resume(self, trainer: Any) -> str | None:
        folders = self._find()
        self._ours = True
        for step, folder in reversed(folders):
            try:
                found = read_checkpoint(folder)
            except CheckpointError as error:
                warnings.warn(
                    f"the checkpoint of step {step} is passed over: {error.what}",
                    CheckpointWarning,
                    stacklevel=2,
                )
                with suppress(OSError):
                    os.replace(folder, os.path.join(self.folder, f"damaged-step-{step:08d}"))
                continue
            state, weights, arrays = found
            restore(trainer, state, weights, arrays)
            return folder
        if folders:
            raise CheckpointError(
                f"all {len(folders)} checkpoints in {self.folder} are damaged",
                fix="move them away to begin again",
            )
        return None

    def best_folder(self) -> str | None:
        """Where the best epoch is kept; None before the first one is over."""
        for step, folder in self.all():
            if self.best and step == self.best["step"]:
                return folder
        return None


def read_checkpoint(folder: FilePath) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(state, weights, the optimizer's arrays) of a checkpoint, every checksum compared.

    Raises:
        CheckpointError: a file is gone, damaged, or no such file.
    """
    names = check_snapshot(folder)
    for name in (STATE, WEIGHTS, OPTIMIZER):
        if name not in names:
            raise CheckpointError(f"{os.fspath(folder)} has no {name}")
    arrays_of = partial(safetensors.load, keep_bfloat16=True)
    read: tuple[Callable[[str], Any], ...] = (read_state, arrays_of, arrays_of)
    paths = [os.path.join(folder, name) for name in (STATE, WEIGHTS, OPTIMIZER)]
    state, weights, arrays = (one(path) for one, path in zip(read, paths, strict=True))
    return state, weights, arrays


def _architecture(model: Any) -> str | None:
    """The model as text, or None, aloud, where text cannot hold it."""
    try:
        return to_arc(model)
    except CheckpointError as error:
        warnings.warn(
            f"checkpoints will have no {ARC}, so build the model yourself to load them: "
            f"{error.what}",
            CheckpointWarning,
            stacklevel=2,
        )
        return None

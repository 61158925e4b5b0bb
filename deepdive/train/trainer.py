"""The training loop: the one every tutorial teaches, and nothing else.

::

    for each epoch:                             # Trainer.fit
        for batch in the data:                  # Trainer._pass
            loss = loss_of(model(x), y)         # Trainer.update
            loss.backward()
            optimizer.step()
        validate

What is not the loop is told about it (:mod:`deepdive.train.events`): checkpoints, dashboards, logs.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

from deepdive.compiler.compile import compile as compiled
from deepdive.config import no_grad
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn.modes import evaluating
from deepdive.optim.clip import clip_grad_norm_, clip_grad_value_, grad_norm
from deepdive.train.batches import Fields, groups, no_batches, samples
from deepdive.train.checkpoints import Checkpoints
from deepdive.train.ema import EMA
from deepdive.train.events import Events, Handler
from deepdive.train.metrics import Mean, Metric, count, values_of
from deepdive.train.precision import device_of, precision
from deepdive.train.signals import Signals


class Trainer:
    """Trains a model: epochs, validation, metrics, checkpoints.

    Args:
        model: a Module.
        optimizer: of its parameters.
        loss: ``loss(outputs, target)`` → a Tensor of one element, the mean over the batch.
        metrics: name → :class:`~deepdive.train.Metric`, for training and validation alike.
        schedule: a learning rate schedule, which steps after each update …
        schedule_per: … or after each ``"epoch"``.
        accumulate: batches per update; each counts by its number of samples, so that the result
            is that of one batch of all of them.
        clip_norm, clip_value: bounds of the gradients, together or each (optional).
        ema: the decay of an :class:`~deepdive.train.EMA`, whose weights are then validated.
        amp: mixed precision: True is float16 with a scaled loss, on a GPU; or the dtype, such as
            ``"bfloat16"``, which the CPU has too.
        compile: run the whole update as one generated program (:func:`deepdive.compile`).
        watch_gradients: let each update also give the norm of the gradients, as `clip_norm` does.
        checkpoints: a folder, or :class:`~deepdive.train.Checkpoints` (optional).
        events: handlers, see :mod:`deepdive.train.events`.
        facts: JSON values that every checkpoint's ``state.json`` shall have, too.

    A batch is ``(inputs …, target)``; for any other override :meth:`forward`.

    Attributes:
        epoch, batch, step, samples: epochs done, batches done of the epoch at hand, updates and
            samples in all.
        history: one record per epoch: ``{"epoch": 1, "step": 40, "loss": …, "val_loss": …}``.
        running: the metrics of the epoch so far; ``loss`` is one of them.
        loss, grad_norm, outputs, fields: of the last update.
        stopped: why the training ended early, or None.

    >>> import deepdive as dd
    >>> from deepdive import nn, optim
    >>> _ = dd.manual_seed(0)
    >>> x = dd.randn(64, 2)
    >>> y = (x[:, 0] > 0).long()
    >>> model = nn.Linear(2, 2)
    >>> trainer = Trainer(model, optim.SGD(model.parameters(), lr=1.0), nn.functional.cross_entropy)
    >>> history = trainer.fit([(x, y)], epochs=20)
    >>> history[0]["loss"] > history[-1]["loss"], trainer.step
    (True, 20)
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss: Callable[..., Any],
        *,
        metrics: Mapping[str, Metric] | None = None,
        schedule: Any = None,
        schedule_per: str = "step",
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        ema: float | None = None,
        amp: Any = False,
        compile: bool = False,
        watch_gradients: bool = False,
        checkpoints: Checkpoints | str | os.PathLike[str] | None = None,
        events: Iterable[Any] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.optimizer, self.loss_of = model, optimizer, loss
        self.schedule, self.schedule_per = schedule, schedule_per
        self.accumulate = accumulate
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.watch_gradients = watch_gradients
        self.ema = None if ema is None else EMA(model, ema)
        self.precision = precision(model, amp, compile)
        self.device = device_of(model)
        self.compile = compile
        self._update = compiled(self.update) if compile else self.update
        if checkpoints is not None and not isinstance(checkpoints, Checkpoints):
            checkpoints = Checkpoints(checkpoints)
        self.checkpoints = checkpoints
        # after the others: what they have written is not younger than the checkpoint
        self.events = Events([*events, *([checkpoints] if checkpoints else [])])
        self.facts = dict(facts or {})
        self.running: dict[str, Any] = {"loss": Mean(), **(metrics or {})}
        self._begin()

    def _begin(self) -> None:
        """Nothing is done yet."""
        if self.schedule_per not in ("step", "epoch") or not self.accumulate >= 1:
            raise ArgumentError(
                "Trainer: schedule_per is 'step' or 'epoch', accumulate at least 1",
                got=f"{self.schedule_per!r} and {self.accumulate!r}",
            )
        self.epoch = self.batch = self.step = self.samples = self.epochs = 0
        self.history: list[dict[str, Any]] = []
        self.stopped: str | None = None
        self.saved: str | None = None  # the last checkpoint's folder
        self.error: BaseException | None = None
        self.loader: Any = None
        self.losses: list[Any] = []
        self.outputs: list[Any] = []
        self.fields: Fields = ()
        self.grad_norm: Any = None
        self._width = 2
        self._signals = Signals()

    # --- the loop ------------------------------------------------------------------------------
    def fit(
        self, loader: Any, epochs: int, validation: Any = None, *, resume: bool = False
    ) -> list[dict[str, Any]]:
        """Train until `epochs` passes are done in all; returns the history.

        Args:
            loader: batches, again and again, such as a DataLoader, whose ``epoch`` is set.
            validation: batches to measure on after each epoch (optional).
            resume: go on from the last whole checkpoint, if there is one.

        Raises:
            Interrupted: SIGINT or SIGTERM came; the step is finished and a checkpoint saved.
            CheckpointError: a checkpoint cannot be written, or resumed from.
        """
        self.loader, self.epochs, self.error = loader, epochs, None
        if resume:
            self._resume()
        try:
            with self._signals:
                self.events.tell("start", self)
                while self.epoch < epochs and not self.stopped:
                    self._epoch(validation)
                    self._heed_signals()
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.events.tell("stop", self)
        return self.history

    def _epoch(self, validation: Any) -> None:
        if self.batch == 0:  # else it goes on in the middle of one
            for metric in self.running.values():
                metric.reset()
        self.events.tell("epoch_start", self)
        self._pass()
        record = values_of(self.running)
        if validation is not None:
            measured = self.validate(validation)
            self._heed_signals()  # the epoch is not over without its validation
            record |= {f"val_{name}": value for name, value in measured.items()}
        record["lr"] = self.optimizer.param_groups[0]["lr"]
        if self.schedule is not None and self.schedule_per == "epoch":
            self.schedule.step()
        self.epoch, self.batch = self.epoch + 1, 0
        self.history.append({"epoch": self.epoch, "step": self.step, **record})
        self.events.tell("epoch_end", self)

    def _pass(self) -> None:
        """One pass over the data, or over what is left of it."""
        schedule = self.schedule if self.schedule_per == "step" else None
        handlers = self.events.called["step"]
        self.model.train()
        for group in groups(self.loader, self.epoch, self.batch, self.accumulate, self.device):
            self._width = len(group[0])
            flat = group[0] if len(group) == 1 else [x for fields in group for x in fields]
            self.losses, self.outputs, self.grad_norm = self._update(*flat)
            self.step += 1
            self.batch += len(group)
            if schedule is not None:
                schedule.step()
            for i, fields in enumerate(group):
                self.samples += count(self.running, fields, self.losses[i], self.outputs[i])
            self.fields = group[-1]
            for handler in handlers:
                handler(self)
            if self._signals.number:
                self._heed_signals()
        if self.batch == 0:
            raise no_batches(self.loader)

    def update(self, *arrays: Any) -> Any:
        """Forward, backward, update: (losses, outputs, norm of the gradients or None).

        `arrays` are the fields of the update's batches, one batch after the other.
        """
        width = self._width
        batches = [arrays[i : i + width] for i in range(0, len(arrays), width)]
        total = sum(map(samples, batches)) if len(batches) > 1 else 0
        losses, outputs = [], []
        self.optimizer.zero_grad()
        for fields in batches:
            with self.precision.autocast():
                loss, scores = self.forward(*fields)
            self.precision.backward(loss * (samples(fields) / total) if total else loss)
            losses.append(loss.detach())
            outputs.append(scores.detach() if isinstance(scores, Tensor) else scores)
        self.precision.unscale(self.optimizer)
        norm = self._bounded()
        if not self.compile:
            self.events.tell("gradients", self)
        self.precision.step(self.optimizer)
        if self.ema is not None:
            self.ema.update()
        return losses, outputs, norm

    def forward(self, *fields: Any) -> tuple[Any, Any]:
        """(loss, outputs) of one batch: the method to override for batches of another form."""
        *inputs, target = fields
        outputs = self.model(*inputs)
        return self.loss_of(outputs, target), outputs

    def _bounded(self) -> Any:
        """Keeps the gradients within their bounds; their norm before, where somebody wants it."""
        norm = None
        if self.clip_norm is not None:
            norm = clip_grad_norm_(self.model, self.clip_norm)
        elif self.watch_gradients:
            norm = grad_norm(self.model)
        if self.clip_value is not None:
            clip_grad_value_(self.model, self.clip_value)
        return norm

    def validate(self, loader: Any) -> dict[str, Any]:
        """The loss and the metrics on other data, with the averaged weights where there is an EMA.

        Random states and modes are afterwards as before: measuring does not change the training.
        """
        measured = copy.deepcopy(self.running)
        for metric in measured.values():
            metric.reset()
        averaged = nullcontext() if self.ema is None else self.ema.applied()
        with no_grad(), evaluating(self.model), averaged:
            for group in groups(loader, self.epoch, 0, 1, self.device):
                loss, outputs = self.forward(*group[0])
                count(measured, group[0], loss, outputs)
                if self._signals.number:
                    break
        return values_of(measured)

    # --- around it -----------------------------------------------------------------------------
    def on(self, event: str, function: Handler) -> None:
        """Call ``function(trainer)`` at `event` (:mod:`deepdive.train.events`)."""
        self.events.on(event, function)

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.stopped = reason

    @property
    def loss(self) -> float:
        """The loss of the last batch; NaN before the first one."""
        return float(self.losses[-1]) if self.losses else math.nan

    def _resume(self) -> None:
        if self.checkpoints is None:
            raise ArgumentError(
                "Trainer.fit: resume needs a place to go on from",
                fix="Trainer(..., checkpoints=folder)",
            )
        self.saved = self.checkpoints.resume(self)

    def _heed_signals(self) -> None:
        """Saves and ends the training, if a signal came during the step that is over now."""
        if not self._signals.number:
            return
        self.events.tell("interrupt", self)
        raise self._signals.interruption(self.step, self.saved if self.checkpoints else None)

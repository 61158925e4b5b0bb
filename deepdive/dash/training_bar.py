"""A progress bar per epoch, for those who want no more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

from deepdive.dash.progress import Progress
from deepdive.dash.scale import short


def shown(name: str, value: float) -> str:
    """A value with the digits that matter: shares of samples as per cent.

    >>> shown("accuracy", 0.98125), shown("loss", 0.25)
    ('98.1 %', '0.25')
    """
    return f"{100 * value:.1f} %" if "accuracy" in name else short(value)


class TrainingBar:
    """Shows each epoch as a bar with the mean loss and metrics, samples/s and the time left.

    A handler for :class:`deepdive.train.Trainer`; writing that fails never stops the training.

    Args:
        stream: where the bar goes; standard error unless given.
        unit: what a sample is called.
        format: how a value is written, ``format(name, value)``.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        unit: str = "sample",
        format: Callable[[str, float], str] = shown,
    ) -> None:
        self.stream = stream
        self.unit = unit
        self.format = format
        self._bar: Progress[Any] | None = None
        self._samples = 0

    def on_epoch_start(self, trainer: Any) -> None:
        """A new bar; one that starts in the middle of an epoch says so by its total."""
        data: Any = getattr(trainer.loader, "dataset", None)
        size = getattr(trainer.loader, "batch_size", None) or 0
        total = len(data) - trainer.batch * size if hasattr(data, "__len__") else None
        title = f"epoch {trainer.epoch + 1}/{trainer.epochs}"
        self._samples = trainer.samples
        self._bar = Progress(total=total, desc=title, unit=self.unit, stream=self.stream)

    def on_step(self, trainer: Any) -> None:
        """As many samples more."""
        bar = self._bar
        if bar is not None:
            done = trainer.samples - self._samples
            self._samples = trainer.samples
            if bar.due or done + bar.count == bar.total:
                bar.set(**self._values(trainer))
            bar.update(done)

    def on_epoch_end(self, trainer: Any) -> None:
        """Ends the bar."""
        self._close()

    def on_stop(self, trainer: Any) -> None:
        """Ends a bar that an error or a signal interrupted."""
        self._close()

    def _values(self, trainer: Any) -> dict[str, str]:
        values = {name: metric.compute() for name, metric in trainer.running.items()}
        return {k: self.format(k, v) for k, v in values.items() if isinstance(v, float)}

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

"""Ctrl-C and SIGTERM during a training: the step at hand is finished first."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

CAUGHT = (signal.SIGINT, signal.SIGTERM)
HANGUP = getattr(signal, "SIGHUP", None)  # POSIX only


class Interrupted(KeyboardInterrupt):
    """A signal ended the training after a whole step.

    Attributes:
        number: of the signal.
        folder: the checkpoint that was saved, or None.
    """

    def __init__(self, message: str, number: int, folder: str | None) -> None:
        super().__init__(message)
        self.number = number
        self.folder = folder


class Signals:
    """Inside a ``with`` block signals are noted instead of obeyed; a second one is obeyed at once.

    Attributes:
        number: of the signal that came, or 0.

    A terminal that is closed (SIGHUP) does not end a training either: it goes on unseen.
    Signals reach the main thread of a program alone: elsewhere this does nothing.
    """

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[Any, Any] = {}

    def __enter__(self) -> Signals:
        self.number = 0
        if threading.current_thread() is threading.main_thread():
            for number in CAUGHT:
                # one that is ignored (nohup, a job in the background) stays ignored
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
            if HANGUP is not None and signal.getsignal(HANGUP) is signal.SIG_DFL:
                self._before[HANGUP] = signal.signal(HANGUP, signal.SIG_IGN)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            raise KeyboardInterrupt(f"a second {signal.Signals(number).name}")
        self.number = number

    def interruption(self, step: int, folder: str | None) -> Interrupted:
        """The exception that ends the training, and says how to go on."""
        name = signal.Signals(self.number).name
        message = f"stopped by {name} after step {step}"
        if folder is None:
            message += "; nothing was saved, since the training has no checkpoints"
        else:
            message += f", saved in {folder}; fit(…, resume=True) goes on"
        return Interrupted(message, self.number, folder)

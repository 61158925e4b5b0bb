"""A text stream that never makes trouble: what it can show, and writing that cannot fail."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, TextIO

SAMPLE = "⠿█│─┤┬"  # what bars and charts are made of


class Terminal:
    """Where progress and live charts go.

    Everything that can go wrong with a stream – closed, broken pipe, an encoding without the
    letters – switches it off instead of stopping the training that writes to it.

    Args:
        stream: a text stream; by default standard error.

    Attributes:
        is_tty: a terminal that understands cursor movement.
        is_notebook: output is a notebook's cell.
        unicode, color: what may be shown (``NO_COLOR`` is honoured).
        is_on: False once writing has failed.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream: Any = sys.stderr if stream is None else stream
        self.is_on = self.stream is not None  # pythonw has no standard streams at all
        self.is_notebook = "ipykernel" in sys.modules and stream is None
        term = os.environ.get("TERM", "")
        self.is_tty = self._asks_for_tty() and term != "dumb" and not self.is_notebook
        self.unicode = can_encode(self.stream, SAMPLE) and term != "linux"
        self.color = self.is_tty and not os.environ.get("NO_COLOR")

    def _asks_for_tty(self) -> bool:
        try:
            return bool(self.stream.isatty())
        except (AttributeError, ValueError, OSError):
            return False

    def size(self) -> tuple[int, int]:
        """Columns and lines of the window; ``COLUMNS`` and ``LINES`` count first."""
        try:
            fallback = tuple(os.get_terminal_size(self.stream.fileno()))
        except (AttributeError, ValueError, OSError):
            return tuple(shutil.get_terminal_size((80, 24)))  # type: ignore[return-value]
        columns = _positive(os.environ.get("COLUMNS")) or fallback[0] or 80
        return columns, _positive(os.environ.get("LINES")) or fallback[1] or 24

    def write(self, text: str) -> bool:
        """Writes and flushes; False, now and ever after, if that fails."""
        if not self.is_on:
            return False
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError, AttributeError):  # ValueError: closed, or an encoding error
            self.is_on = False
        return self.is_on


def can_encode(stream: Any, text: str) -> bool:
    """Whether the stream's encoding has these letters."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeError, LookupError, TypeError):
        return False
    return True


def _positive(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0

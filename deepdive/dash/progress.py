"""A progress bar: drawn in a terminal, a line now and then in a log file, never in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from time import perf_counter
from types import TracebackType
from typing import Any, Generic, TextIO, TypeVar

from deepdive.dash.scale import short
from deepdive.dash.terminal import Terminal
from deepdive.errors import ArgumentError

T = TypeVar("T")
EIGHTHS = " ▏▎▍▌▋▊▉█"
LEAST_BAR = 9  # letters, its ends and a space included
PAUSES = {"tty": 0.1, "notebook": 0.5, "log": 10.0}  # seconds between drawings


class Progress(Generic[T]):
    """Shows how far a loop is, how fast, how long still, and the values given to :meth:`set`.

    A log file gets a line at most each 10 seconds, and then for a new tenth or a new minute.

    Wraps an iterable, or is told of steps with :meth:`update`.  Writing that fails switches the
    bar off; the loop goes on.

    Args:
        iterable: what to walk over (optional).
        total: how many steps; ``len(iterable)`` where there is one.
        desc: stands in front.
        unit: what is counted.
        stream: where to draw; standard error unless given.

    Raises:
        ArgumentError: for a negative total.

    >>> import io
    >>> log = io.StringIO()
    >>> for number in (bar := Progress(range(3), desc="count", stream=log)):
    ...     bar.set(number=number)
    >>> log.getvalue().split("\\n")[-2].split(" in ")[0]
    'count: 3/3 it, 100 %, number 2,'
    """

    def __init__(
        self,
        iterable: Iterable[T] | None = None,
        total: int | None = None,
        desc: str = "",
        unit: str = "it",
        stream: TextIO | None = None,
    ) -> None:
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        if total is not None and total < 0:
            raise ArgumentError("Progress: the total is a number of steps", got=total)
        self.iterable = iterable
        self.total = total
        self.desc = desc
        self.unit = unit
        self.count = 0
        self.fields: dict[str, Any] = {}
        self._screen = Terminal(stream)
        screen = self._screen
        self._kind = "tty" if screen.is_tty else "notebook" if screen.is_notebook else "log"
        self._restart()

    def _restart(self) -> None:
        self.count = 0
        self._start = self._last = perf_counter()
        self._next = self._start + (0.0 if self._kind == "tty" else PAUSES[self._kind])
        self._tenth = 0  # of the total, at the last line of a log
        self._closed = False

    def __iter__(self) -> Iterator[T]:
        """The items of the iterable; each counts when the loop asks for the next one."""
        if self.iterable is None:
            raise ArgumentError(
                "Progress: nothing to walk over", fix="give it an iterable, or call update()"
            )
        self._restart()
        try:
            for item in self.iterable:
                yield item
                self.count += 1
                if perf_counter() >= self._next:
                    self._show()
        finally:
            self.close()

    def __len__(self) -> int:
        if self.total is None:
            raise TypeError("this Progress has no total")
        return self.total

    @property
    def due(self) -> bool:
        """Whether the next update draws: values for :meth:`set` are of no use before."""
        return perf_counter() >= self._next

    def update(self, steps: int = 1) -> None:
        """Counts steps done."""
        self.count += steps
        if perf_counter() >= self._next:
            self._show()

    def set(self, **fields: Any) -> None:
        """Values to show beside the bar: numbers, Tensors of one element, or text."""
        self.fields.update(fields)

    def close(self) -> None:
        """Draws the final state, once, and ends the line."""
        if self._closed:
            return
        self._closed = True
        if self._kind == "log":
            self._screen.write(self._text(final=True) + "\n")
        else:
            self._draw(final=True)
            self._screen.write("\n")

    def __enter__(self) -> Progress[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _show(self) -> None:
        now = perf_counter()
        if not self._screen.is_on:
            self._next = float("inf")
            return
        self._next = now + PAUSES[self._kind]
        if self._kind != "log":
            self._draw()
            return
        tenth = 10 * self.count // self.total if self.total else -1
        is_news = tenth != self._tenth or now - self._last >= 60.0
        if is_news and self.count != self.total:  # the last line is close's
            self._tenth, self._last = tenth, now
            self._screen.write(self._text() + "\n")

    def _draw(self, final: bool = False) -> None:
        """The bar over the previous one, never wider than the window."""
        width = self._screen.size()[0] - 1
        text = self._text(final)
        if self.total and len(text) > width - LEAST_BAR:  # the per cent say it, too
            text = self._text(final, counts=False)
        if self.total and width - len(text) >= LEAST_BAR:
            room = min(width - len(text) - 3, 30)
            text = f"{bar(self.count / self.total, room, self._screen.unicode)} {text}"
        clear = "\x1b[K" if self._kind == "tty" else " " * max(width - len(text), 0)
        self._screen.write(f"\r{text[:width]}{clear}")

    def _text(self, final: bool = False, counts: bool = True) -> str:
        """``train: 120/938 it, 13 %, loss 0.31, 204 it/s, 4.0 s left`` as one line."""
        spent = max(perf_counter() - self._start, 1e-9)
        rate = self.count / spent
        count = f"{self.count}/{self.total}" if self.total else f"{self.count}"
        parts = [f"{count} {self.unit}"] if counts else []
        if self.total:
            parts.append(f"{100 * self.count // self.total} %")
        parts += [f"{name} {_shown(value)}" for name, value in self.fields.items()]
        parts.append(f"in {duration(spent)}" if final else "")
        parts.append(f"{rate:.0f} {self.unit}/s" if rate >= 1e3 else f"{short(rate)} {self.unit}/s")
        if self.total and self.count and not final:
            parts.append(f"{duration(max(self.total - self.count, 0) / rate)} left")
        heading = f"{self.desc}: " if self.desc else ""
        return heading + ", ".join(part for part in parts if part)


def bar(share: float, width: int, unicode: bool = True) -> str:
    """A bar of `width` letters, in steps of an eighth of a letter.

    >>> bar(0.5, 5, unicode=False)
    '[##...]'
    """
    share = min(max(share, 0.0), 1.0)
    if not unicode:
        full = int(share * width)
        return "[" + "#" * full + "." * (width - full) + "]"
    full, rest = divmod(int(share * width * 8), 8)
    return "│" + ("█" * full + EIGHTHS[rest] * (full < width)).ljust(width) + "│"


def duration(seconds: float) -> str:
    """A time span in words short enough for a bar.

    >>> duration(3.21), duration(75), duration(4000)
    ('3.2 s', '1 min 15 s', '1 h 06 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _shown(value: Any) -> str:
    """A field's value; whatever cannot be a number is shown as text, in one line."""
    if isinstance(value, str | int):
        return str(value).replace("\n", " ")
    try:
        return short(float(value))
    except (TypeError, ValueError):
        return str(value).replace("\n", " ")[:40]

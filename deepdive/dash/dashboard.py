"""Live curves of a training run: in place in a terminal, a line now and then in a log file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import monotonic
from typing import Any, TextIO

from deepdive.dash.chart import chart
from deepdive.dash.chart_picture import save_chart
from deepdive.dash.scale import short
from deepdive.dash.terminal import Terminal
from deepdive.errors import ArgumentError

LEAST_WIDTH, LEAST_HEIGHT = 24, 8  # of a window in which curves are drawn


class Dash:
    """Keeps the numbers of a run and draws them as curves, one panel per metric.

    Drawing never stops a training: if the stream fails, it is switched off.

    Args:
        num_metrics: how many values each :meth:`update` brings.
        names: what they are called; ``metric 1``, ``metric 2``, … otherwise.
        title: stands above the curves.
        stream: where to draw; standard output unless given.
        refresh: seconds between two drawings; 0.2 in a terminal, 10 in a log file.
        log: logarithmic vertical axes.

    Raises:
        ArgumentError: for a number of metrics below 1, or names that do not fit it.

    >>> dash = Dash(2, names=["loss", "accuracy"])
    >>> dash.update(0.7, 0.5)
    >>> dash.history
    {'loss': [0.7], 'accuracy': [0.5]}
    """

    def __init__(
        self,
        num_metrics: int,
        names: Sequence[str] | None = None,
        *,
        title: str | None = None,
        stream: TextIO | None = None,
        refresh: float | None = None,
        log: bool = False,
    ) -> None:
        if not isinstance(num_metrics, int) or num_metrics < 1:
            raise ArgumentError(
                "Dash: the number of metrics is a positive integer", got=repr(num_metrics)
            )
        names = [f"metric {i + 1}" for i in range(num_metrics)] if names is None else list(names)
        if len(set(names)) != num_metrics:
            raise ArgumentError(
                "Dash: one name per metric, all different",
                got=repr(names),
                expected=f"{num_metrics} names",
            )
        self.history: dict[str, list[float]] = {str(name): [] for name in names}
        self.title = title or ""
        self.log = log
        self._stream = stream
        self._screen: Terminal | None = None
        self._refresh = refresh
        self._next = 0.0  # when the next drawing is due
        self._drawn = 0  # lines of the drawing on the screen

    def update(self, *values: Any) -> None:
        """Adds one value per metric: numbers, or Tensors of one element.

        Raises:
            ArgumentError: for another number of values, or something that is not a number.
        """
        if len(values) != len(self.history):
            raise ArgumentError(
                "Dash.update: one value per metric",
                got=f"{len(values)} values",
                expected=", ".join(self.history),
            )
        numbers = [_number(name, value) for name, value in zip(self.history, values, strict=True)]
        for column, number in zip(self.history.values(), numbers, strict=True):
            column.append(number)

    def plot(self, force: bool = False) -> None:
        """Draws the curves, if it is time to (or with `force`)."""
        now = monotonic()
        if now < self._next and not force:
            return
        screen = self._screen = self._screen or _screen(self._stream)
        if not screen.is_on:
            return
        if screen.is_tty:
            self._redraw(screen)
        else:
            screen.write(self._line() + "\n")
        pause = 0.2 if screen.is_tty else 10.0
        self._next = now + (pause if self._refresh is None else self._refresh)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Writes the curves as a picture, ``.svg`` or ``.png``; returns its path.

        Raises:
            ArgumentError: for another format, or a folder that is not there.
        """
        return save_chart(self.history, path, title=self.title, log=self.log)

    def _redraw(self, screen: Terminal) -> None:
        """Over the last drawing: cursor up, then line by line, the rest of each line cleared."""
        lines = self._lines(screen)
        up = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        below = "\x1b[J" if len(lines) < self._drawn else ""
        screen.write(up + "".join(f"{line}\x1b[K\n" for line in lines) + below)
        self._drawn = len(lines)

    def _lines(self, screen: Terminal) -> list[str]:
        """Panels one below the other, or two abreast where the window is wide."""
        width, height = screen.size()
        abreast = 2 if len(self.history) > 1 and width >= 72 else 1
        panel_width = (width - 1) // abreast - (abreast - 1)
        rows = -(-len(self.history) // abreast)
        panel_height = min((height - 2) // rows, 16)
        if panel_width < LEAST_WIDTH or panel_height < LEAST_HEIGHT - 2:
            return [self._line()[: max(width - 1, 1)]]
        panels = [
            self._panel(i, panel_width, panel_height, screen) for i in range(len(self.history))
        ]
        lines = [self.title[: width - 1]] if self.title else []
        for start in range(0, len(panels), abreast):
            lines += side_by_side(panels[start : start + abreast], panel_width)
        return lines

    def _panel(self, number: int, width: int, height: int, screen: Terminal) -> list[str]:
        name = list(self.history)[number]
        curves = {_fitted(name, width // 2): self.history[name]}
        text = chart(
            curves,
            width=width,
            height=height,
            log=self.log,
            unicode=screen.unicode,
            color=screen.color,
            first_color=number,
        )
        return text.split("\n")

    def _line(self) -> str:
        steps = len(next(iter(self.history.values())))
        values = (f"{name} {short(column[-1])}" for name, column in self.history.items() if column)
        return "  ".join([*([self.title] if self.title else []), f"step {steps}", *values])


def _screen(stream: TextIO | None) -> Terminal:
    import sys

    return Terminal(sys.stdout if stream is None else stream)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"Dash.update: {name!r} is not a number",
            got=f"{type(value).__name__} {str(value)[:60]}",
            fix="reduce it to one number first, e.g. loss.mean()",
        ) from error


def _fitted(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "~"


def side_by_side(panels: list[list[str]], width: int) -> list[str]:
    """Joins the lines of panels; each is filled up to `width` visible letters, plus a gap.

    >>> side_by_side([["ab"], ["c", "d"]], 3)
    ['ab  c', '    d']
    """
    height = max(map(len, panels))
    padded = [panel + [""] * (height - len(panel)) for panel in panels]
    return [
        " ".join(line + " " * (width - visible_length(line)) for line in row).rstrip()
        for row in zip(*padded, strict=True)
    ]


def visible_length(text: str) -> int:
    """The number of letters on the screen: colour codes take no room.

    >>> visible_length("\\x1b[36mloss\\x1b[0m")
    4
    """
    parts = text.split("\x1b[")
    return len(parts[0]) + sum(len(part) - part.index("m") - 1 for part in parts[1:])

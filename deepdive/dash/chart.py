"""Line charts as text: dots of braille where the terminal has them, letters where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from deepdive.dash.scale import Scale, short
from deepdive.errors import ShapeError

COLORS = (36, 33, 35, 32, 34, 31)  # of ANSI terminals: cyan, yellow, magenta, green, blue, red
MARKS = "*+ox#@"  # one per curve where there is no braille
BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # dot bits, 4 × 2
Curves = Mapping[str, Any] | Sequence[Any]
Line = tuple[np.ndarray, np.ndarray]  # x and y


class Style:
    """What the terminal can show, and the look of curve number `i`."""

    def __init__(self, unicode: bool, color: bool, first: int = 0) -> None:
        self.unicode = unicode
        self.color = color
        self.first = first

    def mark(self, i: int) -> str:
        """The letter that stands for a dot of the curve where there is no braille."""
        return MARKS[(self.first + i) % len(MARKS)]

    def paint(self, i: int, text: str) -> str:
        """The text in the curve's colour."""
        if not self.color:
            return text
        return f"\x1b[{COLORS[(self.first + i) % len(COLORS)]}m{text}\x1b[0m"


def chart(
    curves: Curves,
    *,
    title: str = "",
    width: int = 80,
    height: int = 15,
    log: bool = False,
    unicode: bool = True,
    color: bool = False,
    first_color: int = 0,
) -> str:
    """Curves as lines of text, at most `width` columns and `height` lines.

    Args:
        curves: name → values, or name → ``(x, values)``; or just a sequence of values.
        title: stands above, with the legend.
        log: a logarithmic vertical axis; values that are not positive are left out.
        unicode: braille dots (8 per letter); otherwise plain ASCII.
        color: ANSI colours.
        first_color: which of the colours the first curve has.

    Raises:
        ShapeError: if x and values have different lengths, or values are not a row of numbers.

    >>> print(chart([0, 1, 2, 3, 4], width=24, height=6, unicode=False))
    4 |                  ***
      |             *****
    2 |        *****
      |   *****
    0 |***
       0         2         4
    """
    lines = named_curves(curves)
    style = Style(unicode, color, first_color)
    heading = _heading(title, lines, width, style)
    rows = max(height - 1 - len(heading), 2)
    y_scale = Scale(_joined([y for _, y in lines.values()]), log=log, count=max(rows // 3, 2))
    margin = max(map(len, y_scale.labels), default=0)
    columns = max(width - margin - 2, 4)
    x_scale = Scale(_joined([x for x, _ in lines.values()]), count=max(columns // 12, 2))
    cells = _cells(lines, (x_scale, y_scale), (rows, columns), style)
    axis = _y_axis(y_scale, rows, margin, unicode)
    body = [left + "".join(row).rstrip() for left, row in zip(axis, cells, strict=True)]
    return "\n".join([*heading, *body, _x_axis(x_scale, columns, margin + 2)])


def named_curves(curves: Curves) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Curves by name, each as x and y of the same length."""
    if not isinstance(curves, Mapping):
        curves = {"": curves}
    return {str(name): _xy(str(name), values) for name, values in curves.items()}


def _xy(name: str, values: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(values, tuple) and len(values) == 2 and np.ndim(values[0]) == 1:
        x, y = (np.asarray(part, dtype=float) for part in values)
    else:
        y = np.asarray(values, dtype=float)
        x = np.arange(len(y), dtype=float) if y.ndim == 1 else y
    if y.ndim != 1 or x.shape != y.shape:
        raise ShapeError(
            f"chart: the curve {name!r} is not a row of numbers",
            got=f"x {x.shape}, values {y.shape}",
            expected="one value per x: (n,) and (n,)",
        )
    return x, y


def thinned(x: np.ndarray, y: np.ndarray, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """At most four points a bucket – first, lowest, highest, last –, so that no peak is lost."""
    size = -(-len(y) // buckets)
    if size <= 4:
        return x, y
    starts = np.arange(0, len(y), size)
    keep = {0, len(y) - 1}
    for start in starts.tolist():
        part = y[start : start + size]
        keep |= {start, start + len(part) - 1}
        if not np.isnan(part).all():
            keep |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
    order = np.array(sorted(keep))
    return x[order], y[order]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0)


def _heading(title: str, lines: Mapping[str, Line], width: int, style: Style) -> list[str]:
    """The title, and each curve's name and last value in its colour, as far as there is room."""
    shown = [title[:width]] if title else []
    free = width - len(title)
    for i, (name, (_, y)) in enumerate(lines.items()):
        words = [] if style.unicode else [style.mark(i)]
        words += [name, short(float(y[-1]))] if len(y) else [name]
        text = " ".join(words)
        free -= len(text) + 2
        if name and free >= -2:
            shown.append(style.paint(i, text))
    return ["  ".join(shown)] if shown else []


def _cells(
    lines: Mapping[str, Line], scales: tuple[Scale, Scale], size: tuple[int, int], style: Style
) -> list[list[str]]:
    """One letter per place of the chart; where curves meet, the later one gives the colour."""
    rows, columns = size
    high, wide = (4, 2) if style.unicode else (1, 1)  # dots per letter
    cells = [[" "] * columns for _ in range(rows)]
    dots = np.zeros((rows, high, columns, wide), dtype=bool)
    for i, (x, y) in enumerate(lines.values()):
        x, y = thinned(x, y, 2 * columns)
        mine = np.zeros((rows * high, columns * wide), dtype=bool)
        _draw(mine, scales[0].place(x), scales[1].place(y))
        mine = mine.reshape(dots.shape)
        dots |= mine
        for row, column in np.argwhere(mine.any((1, 3))):
            letter = style.mark(i)
            if style.unicode:
                letter = chr(0x2800 + int(BRAILLE[dots[row, :, column]].sum()))
            cells[row][column] = style.paint(i, letter)
    return cells


def _draw(dots: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Sets the dots on straight lines from point to point; a gap where a value has no place."""
    rows, columns = dots.shape
    across, down = x * (columns - 1), (1 - y) * (rows - 1)
    for here, there in pairwise(zip(across, down, strict=True)):
        if np.isfinite([*here, *there]).all():
            steps = int(max(abs(there[0] - here[0]), abs(there[1] - here[1]))) + 2
            column = np.rint(np.linspace(here[0], there[0], steps)).astype(int)
            row = np.rint(np.linspace(here[1], there[1], steps)).astype(int)
            dots[row, column] = True
    known = np.isfinite(across) & np.isfinite(down)  # single points, too
    dots[np.rint(down[known]).astype(int), np.rint(across[known]).astype(int)] = True


def _y_axis(scale: Scale, rows: int, margin: int, unicode: bool) -> list[str]:
    """The left edge of each row: a label where there is a tick, and the axis."""
    bar, tick = ("│", "┤") if unicode else ("|", "|")
    edge = [" " * margin + f" {bar}"] * rows
    for place, label in zip(scale.place(scale.ticks).tolist(), scale.labels, strict=True):
        if 0 <= place <= 1:
            edge[round((1 - place) * (rows - 1))] = f"{label:>{margin}} {tick}"
    return edge


def _x_axis(scale: Scale, columns: int, margin: int) -> str:
    """The labels below the chart, each centred on its place, none over another."""
    line, free = [" "] * columns, -1
    for place, label in zip(scale.place(scale.ticks), scale.labels, strict=True):
        start = round(float(place) * (columns - 1)) - (len(label) - 1) // 2
        start = max(0, min(start, columns - len(label)))
        if start > free:
            line[start : start + len(label)] = label
            free = start + len(label)
    return (" " * margin + "".join(line[:columns])).rstrip()

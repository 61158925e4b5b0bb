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
BRAILLE = np.array([1, 8, 2, 16, 4, 32, 64, 128]).reshape(4, 2)  # the bit of each dot
Array = np.ndarray
Curves = Mapping[str, Any] | Sequence[Any]
Line = tuple[Array, Array]  # x and y
Lines = Mapping[str, Line]


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
    all_x, all_y = _joined(lines)
    y_scale = Scale(all_y, log=log, count=max(rows // 2, 2))
    margin = max(map(len, y_scale.labels), default=0)
    columns = max(width - margin - 2, 4)
    x_scale = Scale(all_x, count=max(columns // 9, 2))
    axis = _y_axis(y_scale, rows, margin, unicode)
    cells = _cells(lines, (x_scale, y_scale), (rows, columns), style)
    body = [edge + "".join(row) for edge, row in zip(axis, cells, strict=True)]
    body.append(_x_axis(x_scale, columns, margin + 2))
    return "\n".join(heading + [line.rstrip() for line in body])


def named_curves(curves: Curves) -> dict[str, Line]:
    """Curves by name, each as x and y of the same length."""
    if not isinstance(curves, Mapping):
        curves = {"": curves}
    return {name: _xy(name, values) for name, values in curves.items()}


def _xy(name: str, values: Any) -> Line:
    has_x = isinstance(values, tuple) and len(values) == 2 and np.ndim(values[0]) == 1
    y = np.asarray(values[1] if has_x else values, dtype=float)
    x = np.asarray(values[0] if has_x else range(y.size), dtype=float)
    if y.ndim != 1 or x.shape != y.shape:
        raise ShapeError(
            f"chart: the curve {name!r} is not a row of numbers",
            got=f"x {x.shape}, values {y.shape}",
            expected="one value per x: (n,) and (n,)",
        )
    return x, y


def thinned(x: Array, y: Array, buckets: int) -> Line:
    """At most four points a bucket – first, lowest, highest, last –, so that no peak is lost."""
    size = -(-len(y) // buckets)
    if size <= 4:
        return x, y
    keep: set[int] = set()
    for start in range(0, len(y), size):
        part = y[start : start + size]
        keep |= {start, start + len(part) - 1}
        if not np.isnan(part).all():
            keep.add(start + int(np.nanargmin(part)))
            keep.add(start + int(np.nanargmax(part)))
    order = np.array(sorted(keep))
    return x[order], y[order]


def _joined(lines: Lines) -> Line:
    """All x and all y, for the scales."""
    empty = np.empty(0)
    xs, ys = zip((empty, empty), *lines.values(), strict=True)
    return np.concatenate(xs), np.concatenate(ys)


def _heading(
    title: str,
    lines: Lines,
    width: int,
    style: Style,
) -> list[str]:
    """The title, and each curve's name and last value in its colour, as far as there is room."""
    shown = [title[:width]] if title else []
    free = width - len(title)
    for i, (name, (_, y)) in enumerate(lines.items()):
        text = name if style.unicode else f"{style.mark(i)} {name}"
        if len(y):
            text += f" {short(y[-1])}"
        free -= len(text) + 2
        if name and free >= -2:
            shown.append(style.paint(i, text))
    return ["  ".join(shown)] if shown else []


def _cells(
    lines: Lines,
    scales: tuple[Scale, Scale],
    size: tuple[int, int],
    style: Style,
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
                bits = BRAILLE[dots[row, :, column]]
                letter = chr(0x2800 + int(bits.sum()))
            cells[row][column] = style.paint(i, letter)
    return cells


def _draw(dots: Array, x: Array, y: Array) -> None:
    """Sets the dots on straight lines from point to point; a gap where a value has no place."""
    rows, columns = dots.shape
    points = x * (columns - 1) + 1j * (1 - y) * (rows - 1)
    points[~np.isfinite(points)] = np.nan
    ways = [points[~np.isnan(points)]]  # single points, too
    for here, there in pairwise(points.tolist()):
        way = there - here
        if way == way:  # neither end is missing
            steps = int(max(abs(way.real), abs(way.imag))) + 2
            ways.append(np.linspace(here, there, steps))
    path = np.concatenate(ways)
    row = np.rint(path.imag).astype(int)
    column = np.rint(path.real).astype(int)
    dots[row, column] = True


def _y_axis(scale: Scale, rows: int, margin: int, unicode: bool) -> list[str]:
    """The left edge of each row: a label where there is a tick, and the axis."""
    bar, tick = ("│", "┤") if unicode else ("|", "|")
    edge = [" " * margin + f" {bar}"] * rows
    for place, label in scale.marks():
        row = round((1 - place) * (rows - 1))
        edge[row] = f"{label:>{margin}} {tick}"
    return edge


def _x_axis(scale: Scale, columns: int, margin: int) -> str:
    """The labels below the chart, each centred on its place, none over another."""
    line = ""
    for place, label in scale.marks():
        middle = round(place * (columns - 1))
        start = min(middle - (len(label) - 1) // 2, columns - len(label))
        if start > len(line) or not line:
            line = line.ljust(max(start, 0)) + label
    return " " * margin + line[:columns]

"""The curves of a dashboard as a picture, SVG or PNG: one panel for each."""

from __future__ import annotations

import math
import os
from typing import Any

from deepdive.dash.chart import Array, Curves, Line, named_curves, thinned
from deepdive.dash.picture_file import CANVASES, format_of, save_picture, scale_for
from deepdive.dash.scale import Scale, short

PANEL = (420.0, 260.0)
LEFT, TOP = 54.0, 34.0  # the room in a panel around its curve
RIGHT, BOTTOM = 16.0, 30.0
WIDE, HIGH = PANEL[0] - LEFT - RIGHT, PANEL[1] - TOP - BOTTOM
INK, QUIET, GRID = "#1f2933", "#6b7785", "#e4e9ee"
COLORS = ("#2f6fb0", "#d98324", "#8a5bb5", "#2f855a", "#4c5fd5", "#c0433f")


def save_chart(
    curves: Curves,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    log: bool = False,
    format: str | None = None,
    columns: int = 2,
) -> str:
    """Draws each curve in a panel of its own, `columns` side by side; returns the file's path.

    Args:
        curves: as for :func:`deepdive.dash.chart`.
        path: ends with ``.svg`` or ``.png``, unless `format` says which.
        title: stands above all panels.
        log: logarithmic vertical axes.

    Raises:
        ArgumentError: for another format, or a folder that is not there.
        ShapeError: if a curve is not a row of numbers.
    """
    kind = format_of(path, format)
    return save_picture(path, chart_picture(curves, kind, title=title, log=log, columns=columns))


def chart_picture(
    curves: Curves, kind: str, *, title: str = "", log: bool = False, columns: int = 2
) -> bytes:
    """The picture itself, ``"svg"`` or ``"png"``; see :func:`save_chart`."""
    lines = named_curves(curves)
    count = max(len(lines), 1)
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    head = 30.0 if title else 6.0
    width = PANEL[0] * columns
    height = PANEL[1] * rows + head
    canvas = CANVASES[kind](width, height, scale_for(kind))
    if title:
        canvas.text(width / 2, 25, title, 14, INK, "middle", True)
    for i, (name, line) in enumerate(lines.items()):
        row, column = divmod(i, columns)
        left = column * PANEL[0] + LEFT
        top = row * PANEL[1] + TOP + head
        color = COLORS[i % len(COLORS)]
        _panel(canvas, (left, top), name, line, log, color)
    return canvas.encode()


def _panel(
    canvas: Any,
    corner: tuple[float, float],
    name: str,
    line: Line,
    log: bool,
    color: str,
) -> None:
    """One curve with its axes, name and last value; `corner` is the upper left one of the curve."""
    left, top = corner
    right, bottom = left + WIDE, top + HIGH
    x, y = line
    across = Scale(x, count=6)
    upward = Scale(y, log=log, count=5)
    for place, label in upward.marks():
        at = bottom - place * HIGH
        canvas.line([(left, at), (right, at)], GRID)
        canvas.text(left - 7, at + 3.6, label, 10, QUIET, "end")
    for place, label in across.marks():
        at = left + place * WIDE
        canvas.line([(at, bottom), (at, bottom + 4)], QUIET)
        canvas.text(at, bottom + 17, label, 10, QUIET, "middle")
    canvas.line([(left, bottom), (right, bottom)], QUIET)
    canvas.text(left, top - 11, name, 12, color, bold=True)
    if len(y):
        canvas.text(right, top - 11, short(y[-1]), 12, INK, "end")
    x, y = thinned(x, y, int(WIDE))
    x = left + across.place(x) * WIDE
    y = bottom - upward.place(y) * HIGH
    for piece in _pieces(x, y):
        canvas.line(piece, color, 1.5)


def _pieces(x: Array, y: Array) -> list[list[tuple[float, float]]]:
    """The curve in pieces without gaps; a lonely point becomes a line of no length."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(sum(point)):
            pieces[-1].append(point)
        else:
            pieces.append([])
    return [piece if len(piece) > 1 else piece * 2 for piece in pieces if piece]

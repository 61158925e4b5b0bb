"""The curves of a dashboard as a picture, SVG or PNG: one panel for each."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from deepdive.dash.chart import Curves, named_curves, thinned
from deepdive.dash.picture_file import CANVASES, format_of, save_picture
from deepdive.dash.scale import Scale, short

PANEL = (420.0, 260.0)
LEFT, TOP, RIGHT, BOTTOM = 54.0, 34.0, 16.0, 30.0  # of a panel, around its curve
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
    lines = named_curves(curves)
    columns = min(columns, max(len(lines), 1))
    rows = math.ceil(max(len(lines), 1) / columns)
    head = 30.0 if title else 6.0
    width, height = PANEL[0] * columns, PANEL[1] * rows + head
    canvas = CANVASES[kind](width, height, 2.0 if kind == "png" else 1.0)
    if title:
        canvas.text(width / 2, 25, title, 14, INK, "middle", True)
    for i, (name, (x, y)) in enumerate(lines.items()):
        corner = PANEL[0] * (i % columns), PANEL[1] * (i // columns) + head
        _panel(canvas, corner, name, x, y, log, COLORS[i % len(COLORS)])
    return save_picture(path, canvas.encode())


def _panel(
    canvas: Any,
    corner: tuple[float, float],
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    log: bool,
    color: str,
) -> None:
    left, top = corner[0] + LEFT, corner[1] + TOP
    wide, high = PANEL[0] - LEFT - RIGHT, PANEL[1] - TOP - BOTTOM
    across, upward = Scale(x, count=6), Scale(y, log=log, count=5)
    for place, label in zip(upward.place(upward.ticks), upward.labels, strict=True):
        at = top + (1 - float(place)) * high
        canvas.line([(left, at), (left + wide, at)], GRID)
        canvas.text(left - 7, at + 3.6, label, 10, QUIET, "end")
    for place, label in zip(across.place(across.ticks), across.labels, strict=True):
        at = left + float(place) * wide
        canvas.line([(at, top + high), (at, top + high + 4)], QUIET)
        canvas.text(at, top + high + 17, label, 10, QUIET, "middle")
    canvas.line([(left, top + high), (left + wide, top + high)], QUIET)
    canvas.text(left, top - 11, name, 12, color, bold=True)
    if len(y):
        canvas.text(left + wide, top - 11, short(float(y[-1])), 12, INK, "end")
    x, y = thinned(x, y, int(wide))
    places = across.place(x) * wide + left, (1 - upward.place(y)) * high + top
    for piece in _pieces(*places):
        canvas.line(piece, color, 1.5)


def _pieces(x: np.ndarray, y: np.ndarray) -> list[list[tuple[float, float]]]:
    """The curve in pieces without gaps; a lonely point becomes a line of no length."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(point[0] + point[1]):
            pieces[-1].append(point)
        else:
            pieces.append([])
    return [piece if len(piece) > 1 else piece * 2 for piece in pieces if piece]

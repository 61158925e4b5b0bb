"""The chart of step times: a group of bars for each workload, the fastest PyTorch is 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compiled_tables import EAGER, JAX, NUMBA, NUMPY, Record, fastest_pytorch, milli, workloads

from deepdive.dash.picture_file import CANVASES, format_of, save_picture, scale_for

INK, QUIET, GRID = "#1f2933", "#6b7785", "#e4e9ee"
FASTEST = "PyTorch, the fastest of three"
COLORS = {
    FASTEST: "#aab4bf",
    JAX: "#d98324",
    EAGER: "#b7cfe8",
    NUMPY: "#6fa1d2",
    NUMBA: "#1f5a96",
}
LEFT, WIDE, RIGHT, TOP = 220.0, 540.0, 66.0, 78.0
BAR, GAP = 11.0, 14.0
MOST = 3.0  # a longer bar ends here, and its number says how long it is


def save(record: Record, path: Path) -> None:
    """Draws the chart, SVG or PNG as the path ends."""
    parts = workloads(record)
    group = BAR * len(COLORS) + GAP
    bottom = TOP + group * len(parts)
    width = LEFT + WIDE + RIGHT
    kind = format_of(path, None)
    canvas = CANVASES[kind](width, bottom + 30, scale_for(kind))
    canvas.text(14, 26, "Time of one training step, relative to PyTorch", 15, INK, bold=True)
    machine = record["machine"]
    subtitle = f"{machine['cpu']}, {machine['threads']} threads, float32"
    canvas.text(14, 44, subtitle, 11, QUIET)
    _legend(canvas)
    _grid(canvas, bottom)
    for i, (name, part) in enumerate(parts.items()):
        _group(canvas, TOP + GAP / 2 + i * group, name, part)
    save_picture(path, canvas.encode())


def _legend(canvas: Any) -> None:
    x = 14.0
    for name, color in COLORS.items():
        canvas.rect(x, 54, 10, 10, fill=color)
        canvas.text(x + 15, 63, name, 11, INK)
        x += 42 + 6.2 * len(name)


def _grid(canvas: Any, bottom: float) -> None:
    for tick in (0, 1, 2, 3):
        x = LEFT + WIDE * tick / MOST
        canvas.line([(x, TOP), (x, bottom)], QUIET if tick == 1 else GRID)
        label = f"{tick} ×" if tick else "0"
        canvas.text(x, bottom + 16, label, 11, QUIET, "middle")


def _group(canvas: Any, top: float, name: str, part: Record) -> None:
    one = fastest_pytorch(part)
    seconds = {FASTEST: one, **part["seconds"]}
    middle = top + BAR * len(COLORS) / 2
    canvas.text(LEFT - 10, middle, name, 12, INK, "end", True)
    canvas.text(LEFT - 10, middle + 14, f"1 = {milli(one)} ms", 11, QUIET, "end")
    for i, (who, color) in enumerate(COLORS.items()):
        y = top + BAR * i
        if who not in seconds:
            canvas.text(LEFT + 4, y + 8.5, f"no {who}", 9, QUIET)
            continue
        ratio = seconds[who] / one
        length = WIDE * min(ratio, MOST) / MOST
        canvas.rect(LEFT, y, max(length, 1), BAR - 1.5, fill=color)
        if ratio > MOST:  # cut
            x = LEFT + length - 12
            canvas.line([(x, y + BAR), (x + 5, y - 1.5)], "#ffffff", 3)
        canvas.text(LEFT + length + 5, y + 8.5, f"{ratio:.2f}", 9.5, INK, bold=who == NUMBA)

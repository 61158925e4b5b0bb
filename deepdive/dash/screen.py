"""The live dashboard as lines of text: with ``rich``, plain, or in one line."""

from __future__ import annotations

import math
from typing import Any

from deepdive.dash.chart import chart
from deepdive.dash.dashboard import side_by_side, visible_length
from deepdive.dash.progress import bar, duration
from deepdive.dash.scale import short
from deepdive.dash.table import byte_count
from deepdive.dash.terminal import Terminal

LEAST_WIDTH, LEAST_HEIGHT = 40, 10  # of a window that holds more than one line
LEAST_RICH = 72  # columns; frames cost some
LEAST_CHART = 6
BARS = "▁▂▃▄▅▆▇█"
RED, RESET = "\x1b[1;31m", "\x1b[0m"


class Repainting:
    """A terminal whose last lines are drawn again and again in their place."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._drawn = 0  # lines of the drawing on the screen

    @property
    def is_on(self) -> bool:
        """False once writing has failed."""
        return self.terminal.is_on

    @property
    def is_tty(self) -> bool:
        """Whether the cursor can be moved."""
        return self.terminal.is_tty

    def write(self, text: str) -> None:
        """Text that stays."""
        self.terminal.write(text)

    def show(self, lines: list[str]) -> None:
        """Over the last drawing: cursor up, then line by line, the rest of each line cleared."""
        up = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        below = "\x1b[J" if len(lines) < self._drawn else ""
        self.terminal.write(up + "".join(f"{line}\x1b[K\n" for line in lines) + below)
        self._drawn = len(lines)


def one_line(view: Any) -> str:
    """``epoch 2/5  step 120/400  30 %  loss 0.31  1,204 samples/s  4.0 s left``."""
    parts = [f"epoch {view.epoch}/{view.epochs}", step_text(view)]
    if view.steps:
        parts.append(f"{100 * view.step // view.steps} %")
    parts += [f"{name} {short(value)}" for name, value in view.facts.items()]
    parts += [speed_text(view), byte_count(view.memory)]
    parts += [f"ALARM: {alarm}" for alarm in view.alarms[-1:]]
    return "  ".join(parts)


def step_text(view: Any) -> str:
    """``step 120/400``."""
    return f"step {view.step:,}/{view.steps:,}" if view.steps else f"step {view.step:,}"


def speed_text(view: Any) -> str:
    """``1,204 samples/s, 4.0 s left``."""
    left = "" if math.isnan(view.left) else f", {duration(view.left)} left"
    return f"{view.rate:,.0f} samples/s{left}"


def plain_lines(view: Any, width: int, height: int, terminal: Terminal) -> list[str]:
    """Heading, values, curves and norms, at most `height` lines."""
    lines = [_heading(view, width, terminal), _values(view, width)]
    lines += norm_lines(view, width, terminal.unicode)
    for alarm in view.alarms:
        text = f"ALARM: {alarm}"[:width]
        lines.append(f"{RED}{text}{RESET}" if terminal.color else text)
    lines += chart_lines(view, width, height - len(lines), terminal)
    return lines[:height]


def _heading(view: Any, width: int, terminal: Terminal) -> str:
    """Where the training is, how fast, how long still."""
    text = f"epoch {view.epoch}/{view.epochs}  {step_text(view)}  {speed_text(view)}"
    text += f"  {byte_count(view.memory)}"
    room = min(width - len(text) - 3, 30)
    if view.steps and room >= 4:
        text = f"{bar(view.step / view.steps, room, terminal.unicode)} {text}"
    return text[:width]


def _values(view: Any, width: int) -> str:
    return "  ".join(f"{name} {short(value)}" for name, value in view.facts.items())[:width]


def norm_lines(view: Any, width: int, unicode: bool) -> list[str]:
    """A line per kind: one bar per layer, logarithmic, from the smallest norm to the largest."""
    lines = []
    for kind, norms in view.norms.items():
        finite = [norm for norm in norms.values() if 0 < norm < math.inf]
        if not finite:
            continue
        low, high = math.log(min(finite)), math.log(max(finite))
        text = f"{kind:11} {short(min(finite))} to {short(max(finite))}  "
        letters = [_letter(norm, low, high, unicode) for norm in norms.values()]
        lines.append((text + "".join(letters))[:width])
    return lines


def _letter(norm: float, low: float, high: float, unicode: bool) -> str:
    if not norm < math.inf:
        return "!"
    if norm <= 0:
        return "0"
    place = (math.log(norm) - low) / max(high - low, 1e-12)
    level = min(int(place * len(BARS)), len(BARS) - 1)
    return BARS[level] if unicode else str(level + 1)


def chart_lines(view: Any, width: int, height: int, terminal: Terminal) -> list[str]:
    """The curves, two abreast where the window is wide; those there is no room for are left out."""
    charts = [curves for curves in view.charts.values() if any(len(c[0]) for c in curves.values())]
    abreast = 2 if width >= 72 and len(charts) > 1 else 1
    rows = min(-(-len(charts) // abreast), max(height // LEAST_CHART, 1))
    if not charts or height < LEAST_CHART:
        return []
    each = min(height // rows, 16)
    panel = width // abreast - (abreast - 1)
    lines: list[str] = []
    for row in range(rows):
        some = charts[row * abreast : (row + 1) * abreast]
        drawn = [
            chart(
                curves,
                width=panel,
                height=each,
                unicode=terminal.unicode,
                color=terminal.color,
                first_color=row * abreast + i,
            ).split("\n")
            for i, curves in enumerate(some)
        ]
        lines += side_by_side(drawn, panel)
    return [line for line in lines if visible_length(line) <= width]

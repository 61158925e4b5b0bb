"""The live dashboard drawn with ``rich``: panels and a table around the same curves."""

from __future__ import annotations

import io
from typing import Any

from deepdive.dash.progress import bar, duration
from deepdive.dash.scale import short
from deepdive.dash.screen import chart_lines, norm_lines, speed_text, step_text
from deepdive.dash.table import byte_count
from deepdive.dash.terminal import Terminal


def rich_lines(view: Any, width: int, height: int, terminal: Terminal) -> list[str]:
    """The drawing; rich makes a string of it, where it is written is not rich's affair."""
    from rich import box
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        height=height,
        force_terminal=True,
        color_system="standard" if terminal.color else None,
        legacy_windows=False,
        highlight=False,
        safe_box=not terminal.unicode,
    )
    shape = box.ROUNDED if terminal.unicode else box.ASCII
    title = f"epoch {view.epoch}/{view.epochs}"
    facts = Group(*_facts(view, width - 4, terminal.unicode))
    console.print(Panel(facts, title=title, box=shape, width=width))
    for alarm in view.alarms:
        console.print(Text(f" ALARM: {alarm}", style="bold white on red", no_wrap=True))
    used = out.getvalue().count("\n")
    curves = chart_lines(view, width - 4, height - used - 2, terminal)
    if curves:
        drawn = Text.from_ansi("\n".join(curves), no_wrap=True)
        console.print(Panel(drawn, box=shape, width=width))
    return out.getvalue().split("\n")[:-1][:height]


def _facts(view: Any, width: int, unicode: bool) -> list[Any]:
    """How far, how fast, the values, the norms: one below the other."""
    from rich.table import Table
    from rich.text import Text

    rows: list[Any] = []
    if view.steps:
        share = bar(view.step / view.steps, width - 2, unicode)
        rows.append(Text(share, style="green", no_wrap=True))
    grid = Table.grid(padding=(0, 3))
    for _ in range(2):
        grid.add_column(no_wrap=True, overflow="crop")
    grid.add_row(step_text(view), f"after {duration(view.spent)}")
    grid.add_row(speed_text(view), f"memory {byte_count(view.memory)}")
    rows.append(grid)
    values = [f"{name} {short(value)}" for name, value in view.facts.items()]
    rows.append(Text("   ".join(values), no_wrap=True, overflow="crop"))
    return rows + [Text(line, no_wrap=True) for line in norm_lines(view, width, unicode)]

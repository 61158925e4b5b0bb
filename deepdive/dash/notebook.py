"""What a notebook shows: tensors as small coloured tables, modules as trees, graphs as pictures.

Notebooks ask objects for ``_repr_html_`` and ``_repr_svg_``; nothing of IPython is imported, and
``repr`` stays the text it is.  The markup needs no script and no file from elsewhere, its colours
go with light and dark pages, and every name and text in it is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

from deepdive.dash.graph import simplified
from deepdive.dash.graph_paint import paint
from deepdive.dash.picture import Picture
from deepdive.dash.summary import Summary
from deepdive.dash.svg import escape
from deepdive.dash.table import byte_count

MOST = 12  # rows, and columns, shown in full
EDGE = 5  # of more, so many at each end
SLICES = 3  # tables of a tensor with more than two axes
GAP = "…"
LEAST, RANGE = 0.08, 0.6  # how opaque a cell's colour is, from the smallest to the largest number
QUIET = 'style="opacity: 0.7; font-size: 90%"'
MONO = 'style="font-family: monospace"'


# --- tensors -------------------------------------------------------------------------------------
def tensor_html(x: Any) -> str:
    """A tensor as tables of its last two axes: red above zero, blue below; big ones abridged.

    >>> import deepdive as dd
    >>> "shape (2,)" in tensor_html(dd.tensor([1.0, -2.0]))
    True
    """
    facts = [f"shape {tuple(x.shape)}", str(x.dtype), str(x.device)]
    if x.requires_grad:
        facts.append("requires_grad" if x.is_leaf else f"grad_fn={x.grad_fn!r}")
    parts = [f"<div {QUIET}>{escape(type(x).__name__)} · {escape(' · '.join(facts))}</div>"]
    if not x.numel():
        return _block([*parts, "<div>no elements</div>"])
    tables = [(place, _corner(x.detach()[place])) for place in _places(x.shape[:-2])]
    scale = _largest(rows for _, rows in tables)
    for place, rows in tables:
        if place:
            parts.append(f"<div {MONO}>[{', '.join(map(str, place))}, :, :]</div>")
        parts.append(_table(rows, scale))
    left = math.prod(x.shape[:-2]) - len(tables)
    if left:
        parts.append(f"<div {QUIET}>{GAP} and {left:,} more like these</div>")
    return _block(parts)


def _places(sizes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The first few indices of the leading axes."""
    for _, place in zip(range(SLICES), product(*map(range, sizes)), strict=False):
        yield place


def _corner(table: Any) -> list[list[Any]]:
    """The rows to show of a tensor with at most two axes; a gap is :data:`GAP`."""
    while table.ndim < 2:
        table = table.unsqueeze(0)
    height, width = table.shape
    rows = []
    for up, down in _ends(height):
        parts = [table[up:down, left:right].tolist() for left, right in _ends(width)]
        for pieces in zip(*parts, strict=True):
            rows.append(_joined(list(pieces)))
        if down < height:
            rows.append([GAP] * len(rows[0]))
    return rows


def _ends(size: int) -> list[tuple[int, int]]:
    return [(0, size)] if size <= MOST else [(0, EDGE), (size - EDGE, size)]


def _joined(pieces: list[list[Any]]) -> list[Any]:
    return pieces[0] if len(pieces) == 1 else [*pieces[0], GAP, *pieces[1]]


def _largest(tables: Any) -> float:
    cells = (abs(x) for rows in tables for row in rows for x in row if x != GAP)
    return max((float(x) for x in cells if math.isfinite(x)), default=0.0)


def _table(rows: list[list[Any]], scale: float) -> str:
    lines = [f"<tr>{''.join(_cell(x, scale) for x in row)}</tr>" for row in rows]
    return f'<table style="border-collapse: collapse">{"".join(lines)}</table>'


def _cell(x: Any, scale: float) -> str:
    text = f"{x:.4g}" if isinstance(x, float) else str(x)
    style = f"text-align: right; padding: 1px 6px; background: {_color(x, scale)}"
    return f'<td style="{style}">{escape(text)}</td>'


def _color(x: Any, scale: float) -> str:
    if x == GAP or not x:
        return "none"
    if not math.isfinite(x):
        return "rgba(255, 190, 0, 0.8)"  # what one should see first
    strength = LEAST + RANGE * abs(x) / scale
    return f"rgba({'214, 69, 65' if x > 0 else '52, 120, 200'}, {strength:.2f})"


def _block(parts: list[str]) -> str:
    return f"<div>{''.join(parts)}</div>"


# --- modules -------------------------------------------------------------------------------------
def module_html(module: Any) -> str:
    """A module as a tree to open and close, with the parameters of every part counted."""
    return _block([_branch("", module, is_open=True)])


def _branch(key: str, module: Any, is_open: bool = False) -> str:
    counted = sum(p.numel() for p in module.parameters())
    note = f"{counted:,} parameter{'s' * (counted != 1)}"
    name = f"{type(module).__name__}({module.extra_repr()})"
    title = (f"({key}): " if key else "") + name
    head = f"<code>{escape(title)}</code> <span {QUIET}>{note}</span>"
    inner = [_branch(key, child) for key, child in module.own_modules()]
    inner += [_parameter(key, p) for key, p in module.named_parameters() if "." not in key]
    if not inner:
        return f'<div style="margin-left: 1.2em">{head}</div>'
    state = ' open="open"' if is_open else ""
    return (
        f'<details style="margin-left: 1.2em"{state}><summary>{head}</summary>'
        f"{''.join(inner)}</details>"
    )


def _parameter(key: str, p: Any) -> str:
    facts = f"{key}  {tuple(p.shape)}  {p.dtype}" + ("" if p.requires_grad else "  frozen")
    return f'<div style="margin-left: 2.4em"><code>{escape(facts)}</code></div>'


# --- summaries and graphs ------------------------------------------------------------------------
def summary_html(summary: Summary) -> str:
    """A summary as a table, a line for each layer."""
    heading = ["layer", "type", "output", "parameters", "multiply-adds", "activations"]
    rows = [_row("th", heading)]
    for layer in summary.layers:
        shape = "not run" if layer.output is None else str(layer.output)
        counts = f"{layer.parameters:,}", f"{layer.multiply_adds:,}"
        cells = [layer.path or "(model)", layer.type, shape, *counts]
        rows.append(_row("td", [*cells, byte_count(layer.activations)]))
    totals = str(summary).rpartition("\n\n")[2]
    return _block([f"<table>{''.join(rows)}</table>", f"<pre>{escape(totals)}</pre>"])


def _row(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def picture_svg(picture: Picture) -> str:
    """A graph as an SVG picture; a big one simplified, as :func:`draw_graph` does."""
    return paint(simplified(picture), "svg").decode()


setattr(Summary, "_repr_html_", summary_html)  # noqa: B010 – their files know of no notebooks
setattr(Picture, "_repr_svg_", picture_svg)  # noqa: B010

"""Tables as text: columns as wide as they must be, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def table(heading: Row, rows: Sequence[Row], left: int = 1) -> str:
    """Rows below a heading and a rule; the first `left` columns are text, the others numbers.

    >>> print(table(["layer", "size"], [["a", "10"], ["b", "7"]]))
    layer  size
    -----------
    a        10
    b         7
    """
    columns = zip(heading, *rows, strict=True)
    widths = [max(map(len, column)) for column in columns]
    first = _line(heading, widths, left)
    rule = "-" * (sum(widths) + 2 * len(widths) - 2)
    lines = [_line(row, widths, left) for row in rows]
    return "\n".join([first, rule, *lines])


def _line(row: Row, widths: list[int], left: int) -> str:
    cells = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        cells.append(cell.ljust(width) if i < left else cell.rjust(width))
    return "  ".join(cells).rstrip()


def byte_count(count: float) -> str:
    """A number of bytes in the unit that suits it (1 KiB = 1024 bytes).

    >>> byte_count(512), byte_count(4_300_000)
    ('512 B', '4.1 MiB')
    """
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def seconds(span: float) -> str:
    """A time span in the unit that suits it.

    >>> seconds(0.0123), seconds(4.2e-6)
    ('12.3 ms', '4.2 µs')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if span >= size:
            return f"{span / size:.3g} {unit}"
    return f"{span / 1e-6:.3g} µs"

"""Tensors as text, laid out as PyTorch lays them out.

Three decisions are made, in this order: which numbers are shown (all of them, or three at each
end of every axis once there are more than a thousand), in which notation (one for the whole
tensor, so that columns line up), and where the lines break.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from deepdive import dtypes

PRECISION = 4  # digits after the point
THRESHOLD = 1000  # more numbers than this are summarised ...
EDGE = 3  # ... to this many at each end of an axis
LINE_WIDTH = 80

Form = Callable[[Any], str]
GAP = None  # stands in the nested lists for the numbers left out


def format_tensor(array: Any, *, prefix: str = "tensor(", extras: Sequence[str] = ()) -> str:
    """The text of `array`, followed by what is not the default and by the caller's `extras`.

    >>> import numpy as np
    >>> print(format_tensor(np.array([[1, 2.5], [3, 4]], "float32"), extras=["requires_grad=True"]))
    tensor([[1.0000, 2.5000],
            [3.0000, 4.0000]], requires_grad=True)
    >>> print(format_tensor(np.zeros((0, 3), "float64")))
    tensor([], size=(0, 3), dtype=float64)
    """
    size = math.prod(array.shape)
    if size == 0:
        body = "[]"
    else:
        shown = _visible(array, size > THRESHOLD)
        form, width = _notation(_flat(shown, array.ndim), dtypes.is_floating(array.dtype))
        body = _layout(shown, array.ndim, len(prefix), form, width)
    return _append(prefix + body, [*_suffixes(array, size), *extras], len(prefix))


def _visible(array: Any, summarise: bool) -> Any:
    """Nested lists of the numbers to show, with ``GAP`` where an axis is cut."""
    if not summarise or array.ndim == 0:
        return array.tolist()
    if len(array) <= 2 * EDGE:
        return [_visible(part, True) for part in array] if array.ndim > 1 else array.tolist()
    head = [_visible(part, True) for part in array[:EDGE]]
    tail = [_visible(part, True) for part in array[-EDGE:]]
    return [*head, GAP, *tail]


def _flat(shown: Any, ndim: int) -> list[Any]:
    """The numbers of the nested lists in one list."""
    level = [shown]
    for _ in range(ndim):
        level = [item for part in level for item in part if item is not GAP]
    return level


def _notation(numbers: list[Any], floating: bool) -> tuple[Form, int]:
    """One notation for all, fixed, whole (``2.``) or scientific, and the width of a column.

    Zeros and non-finite numbers have no say in the notation, nor in the width (as in PyTorch).
    """
    if not floating:
        return str, max(len(str(number)) for number in numbers)
    telling = [number for number in numbers if number and math.isfinite(number)]
    if not telling:
        return _whole, 1
    sizes = [abs(number) for number in telling]
    smallest = min(sizes)
    largest = max(sizes)
    form: Form = f"{{:.{PRECISION}f}}".format
    if largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4:
        form = f"{{:.{PRECISION}e}}".format
    elif all(number == math.floor(number) for number in telling):
        form = _whole
    return form, max(len(form(number)) for number in telling)


def _whole(number: float) -> str:
    """``2.`` for 2.0: the point says that it is a float; ``inf`` and ``nan`` say so themselves."""
    return f"{number:.0f}." if math.isfinite(number) else f"{number:.0f}"


def _layout(shown: Any, ndim: int, indent: int, form: Form, width: int) -> str:
    """Brackets and line breaks; `indent` is the column of the opening bracket."""
    if ndim == 0:
        return form(shown).rjust(width)
    if ndim > 1:
        inner = indent + 1
        rows = [
            "..." if row is GAP else _layout(row, ndim - 1, inner, form, width) for row in shown
        ]
        return "[" + ("," + "\n" * (ndim - 1) + " " * inner).join(rows) + "]"
    texts = [" ..." if number is GAP else form(number).rjust(width) for number in shown]
    per_line = max(1, (LINE_WIDTH - indent) // (width + 2))
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    line_break = ",\n" + " " * (indent + 1)
    return "[" + line_break.join(lines) + "]"


def _suffixes(array: Any, size: int) -> list[str]:
    """``size=`` and ``dtype=``, where the numbers alone do not show them."""
    suffixes = []
    evident = [dtypes.default_float()]
    if size:
        evident += [dtypes.int64, dtypes.bool_]
    elif array.ndim != 1:
        suffixes.append(f"size={tuple(array.shape)}")
    if array.dtype not in evident:
        suffixes.append(f"dtype={array.dtype.name}")
    return suffixes


def _append(text: str, suffixes: list[str], indent: int) -> str:
    """The text with its suffixes, each on a new line where the last one is full."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > LINE_WIDTH:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"

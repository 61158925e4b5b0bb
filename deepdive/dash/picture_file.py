"""Which kind of picture a path asks for, and writing it whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from deepdive.dash.raster import RasterCanvas
from deepdive.dash.svg import SvgCanvas
from deepdive.errors import ArgumentError, did_you_mean
from deepdive.io.files import write_bytes

CANVASES: dict[str, Callable[..., Any]] = {"png": RasterCanvas, "svg": SvgCanvas}


def scale_for(kind: str) -> float:
    """Pixels per point: two in a picture made of pixels, so that letters are sharp."""
    return 2.0 if kind == "png" else 1.0


def format_of(
    path: str | os.PathLike[str], format: str | None, known: tuple[str, ...] = ("png", "svg")
) -> str:
    """The kind of file to write: `format` if given, else what the path ends with.

    Raises:
        ArgumentError: for a kind that is not known.

    >>> format_of("loss.SVG", None)
    'svg'
    """
    kind = (format or os.path.splitext(os.fspath(path))[1]).lower().lstrip(".")
    if kind not in known:
        raise ArgumentError(
            f"no such picture format: {kind!r}",
            got=f"path {os.fspath(path)!r}",
            expected=", ".join(known),
            fix=did_you_mean(kind, known) or 'end the path in ".svg", or give format="svg"',
        )
    return kind


def save_picture(path: str | os.PathLike[str], data: bytes) -> str:
    """Writes the file whole or not at all; returns its path.

    Raises:
        ArgumentError: where there is no such folder, or it cannot be written.
    """
    write_bytes(path, data, ArgumentError)
    return os.fspath(path)

"""Small grey images as lines of text."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from deepdive.dash.terminal import Terminal

WIDTH = 16  # columns a picture has at least
SHADES, ASCII_SHADES = " ░▒▓█", " .:-=+*#%@"
BLACK, GREYS = 232, 24  # the grey ramp of terminals with 256 colours


def picture(image: Any, screen: Terminal) -> list[str]:
    """A grey image (H, W) of values 0…1 as lines; a letter is two pixels, one above the other.

    >>> import io
    >>> print("\\n".join(picture(np.eye(16)[::-1] * np.ones(16), Terminal(io.StringIO()))))
                  -*
                -*
    ...
    """
    pixels = np.clip(np.asarray(image, dtype=np.float64), 0.0, 1.0)
    enlarge = max(1, WIDTH // pixels.shape[1])
    pixels = pixels.repeat(enlarge, 0).repeat(enlarge, 1)
    if len(pixels) % 2:
        pixels = np.pad(pixels, [(0, 1), (0, 0)])
    pairs = pixels.reshape(-1, 2, pixels.shape[1])  # (lines, above and below, columns)
    if screen.color and screen.unicode:
        return [_greys(above, below) for above, below in pairs]
    shades = SHADES if screen.unicode else ASCII_SHADES
    levels = np.rint(pairs.mean(1) * (len(shades) - 1)).astype(int)
    return ["".join(shades[level] for level in line) for line in levels]


def _greys(above: Any, below: Any) -> str:
    """Upper half blocks: the letter's colour is the pixel above, the background the one below."""
    foreground, background = (
        (BLACK + np.rint(row * (GREYS - 1)).astype(int)).tolist() for row in (above, below)
    )
    colors = list(zip(foreground, background, strict=True))
    text = _color(*colors[0])
    for before, now in pairwise([colors[0], *colors]):
        text += ("" if now == before else _color(*now)) + "▀"
    return text + "\x1b[0m"


def _color(foreground: int, background: int) -> str:
    return f"\x1b[38;5;{foreground}m\x1b[48;5;{background}m"


def highlight(text: str, good: bool, screen: Terminal) -> str:
    """The text in green or red, where there are colours."""
    return f"\x1b[{32 if good else 31}m{text}\x1b[0m" if screen.color else text

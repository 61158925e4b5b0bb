"""Small grey images as lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepdive.dash.terminal import Terminal

WIDTH = 16  # columns of a small picture
SHADES, ASCII_SHADES = " ░▒▓█", " .:-=+*#%@"
BLACK, GREYS = 232, 24  # the grey ramp of terminals with 256 colours


def picture(image: Any, screen: Terminal) -> list[str]:
    """A grey image (H, W) of values 0…1 as lines; a letter is two pixels, one above the other.

    >>> import io
    >>> picture(np.array([[0.5, 1.0]]), Terminal(io.StringIO()))[0]
    '========@@@@@@@@'
    """
    pixels = np.clip(image, 0.0, 1.0)
    enlarge = max(1, WIDTH // pixels.shape[1])
    pixels = pixels.repeat(enlarge, 0).repeat(enlarge, 1)
    if len(pixels) % 2:
        pixels = np.pad(pixels, [(0, 1), (0, 0)])
    pairs = pixels.reshape(-1, 2, pixels.shape[1])  # (lines, above and below, columns)
    if screen.color and screen.unicode:
        return [_half_blocks(*_levels(pair, GREYS)) for pair in pairs]
    shades = SHADES if screen.unicode else ASCII_SHADES
    means = _levels(pairs.mean(1), len(shades))
    return ["".join(shades[level] for level in line) for line in means]


def _levels(values: Any, count: int) -> Any:
    """Values 0…1 as the nearest of `count` levels."""
    return np.rint(values * (count - 1)).astype(int).tolist()


def _half_blocks(above: list[int], below: list[int]) -> str:
    """The letter's colour is the pixel above, its background the one below."""
    text = ""
    before = None
    for now in zip(above, below, strict=True):
        if now != before:
            text += f"\x1b[38;5;{BLACK + now[0]}m\x1b[48;5;{BLACK + now[1]}m"
        text += "▀"
        before = now
    return text + "\x1b[0m"


def highlight(text: str, good: bool, screen: Terminal) -> str:
    """The text in green or red, where there are colours."""
    return f"\x1b[{32 if good else 31}m{text}\x1b[0m" if screen.color else text

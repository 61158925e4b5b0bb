"""Images looked at between their pixels: bilinear sampling for resizing, turning and shearing."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from deepdive.host import np


class Window(NamedTuple):
    """A part of an image, in pixels."""

    top: int
    left: int
    height: int
    width: int


def cut(image: Any, window: Window) -> Any:
    """The pixels of `image` (…, H, W) inside the window; a view."""
    rows = slice(window.top, window.top + window.height)
    columns = slice(window.left, window.left + window.width)
    return image[..., rows, columns]


class Moves(NamedTuple):
    """Where an image goes: leaned, turned and scaled about its middle, then moved.

    Attributes:
        turn: counter-clockwise, in radians.
        lean: how far verticals lean, in radians.
        factor: times as large.
        right, down: the move, in pixels.
    """

    turn: float = 0.0
    lean: float = 0.0
    factor: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def undone(self, y: Any, x: Any) -> tuple[Any, Any]:
        """Where the pixels at (y, x), counted from the middle, came from."""
        y = (y - self.down) / self.factor
        x = (x - self.right) / self.factor
        cos = math.cos(self.turn)
        sin = math.sin(self.turn)
        before_y = cos * y + sin * x
        before_x = cos * x - sin * y
        return before_y, before_x + math.tan(self.lean) * before_y


def warped(image: Any, moves: Moves, fill: float) -> Any:
    """`image` (…, H, W) moved; pixels that come from outside are `fill`."""
    *rest, height, width = image.shape
    middle_y = (height - 1) / 2
    middle_x = (width - 1) / 2
    rows = np.arange(height) - middle_y
    columns = np.arange(width) - middle_x
    y, x = moves.undone(rows[:, None], columns)  # (H, W)
    # one pixel of frame: the edge fades into what is outside
    framed = np.full((*rest, height + 2, width + 2), fill, image.dtype)
    framed[..., 1:-1, 1:-1] = image
    y = np.clip(y + middle_y + 1, 0, height + 1)
    x = np.clip(x + middle_x + 1, 0, width + 1)
    return _at(framed, y, x)


def resized(image: Any, size: tuple[int, int]) -> Any:
    """`image` (…, H, W) sampled at `size` places whose middles lie evenly over it."""
    height, width = image.shape[-2:]
    y = _middles(height, size[0])
    x = _middles(width, size[1])
    return _at(image, *np.meshgrid(y, x, indexing="ij"))


def _middles(have: int, want: int) -> Any:
    middles = (np.arange(want) + 0.5) * have / want - 0.5
    return np.clip(middles, 0, have - 1)


def _at(image: Any, y: Any, x: Any) -> Any:
    """The values of `image` (…, H, W) at the places (y, x), between four pixels each."""
    height, width = image.shape[-2:]
    top, bottom, below = _neighbours(y, height)
    left, right, beside = _neighbours(x, width)
    upper = _between(
        image[..., top, left],
        image[..., top, right],
        beside,
    )
    lower = _between(
        image[..., bottom, left],
        image[..., bottom, right],
        beside,
    )
    out = _between(upper, lower, below)
    if image.dtype.kind in "iu":
        out = np.rint(out)
    return out.astype(image.dtype)


def _neighbours(places: Any, length: int) -> tuple[Any, Any, Any]:
    """The pixels before and after, and how far from the first."""
    first = np.floor(places).astype(np.int64)
    second = np.minimum(first + 1, length - 1)
    return first, second, places - first


def _between(first: Any, second: Any, share: Any) -> Any:
    return first * (1 - share) + second * share

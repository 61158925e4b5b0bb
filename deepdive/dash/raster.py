"""A small canvas of pixels and its PNG file, anti-aliased, with nothing but NumPy.

One idea draws everything: a shape is a function that says how far a pixel is from its edge
(negative inside).  The pixel is covered by ``clip(1/2 - distance, 0, 1)``, and colours are mixed
in that proportion.  :class:`deepdive.dash.svg.SvgCanvas` has the same methods.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from deepdive.dash.font import SPACING, UNIT, strokes, text_width
from deepdive.errors import ArgumentError

Point = tuple[float, float]


class RasterCanvas:
    """Pixels to draw on; coordinates are in points, one point is `scale` pixels.

    Raises:
        ArgumentError: for a size that is not positive.

    >>> canvas = RasterCanvas(3, 2, background="#102030")
    >>> canvas.pixels.shape, canvas.pixels[0, 0].tolist()
    ((2, 3, 3), [16, 32, 48])
    """

    def __init__(
        self, width: float, height: float, scale: float = 1.0, background: str = "#ffffff"
    ) -> None:
        if not (width > 0 and height > 0 and scale > 0):
            raise ArgumentError(
                "a canvas needs a positive size", got=f"{width} × {height}, scale {scale}"
            )
        self.scale = scale
        rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
        self.pixels = np.empty((rows, columns, 3), np.uint8)
        self.pixels[:] = rgb(background)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None = None,
        stroke: str | None = None,
        radius: float = 0.0,
        thickness: float = 1.0,
    ) -> None:
        """A rectangle with rounded corners, filled and outlined as asked."""
        s = self.scale
        half = np.array([width, height]) * s / 2
        centre = np.array([x, y]) * s + half
        radius = min(radius * s, *half)
        margin = thickness * s + 1
        px, py, box = self._pixels_around(centre - half - margin, centre + half + margin)
        dx = np.abs(px - centre[0]) - (half[0] - radius)
        dy = np.abs(py - centre[1]) - (half[1] - radius)
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
        distance = outside + np.minimum(np.maximum(dx, dy), 0) - radius
        if fill:
            self._blend(box, 0.5 - distance, fill)
        if stroke:
            self._blend(box, 0.5 + thickness * s / 2 - np.abs(distance), stroke)

    def line(
        self, points: Sequence[Point], color: str, thickness: float = 1.0, opacity: float = 1.0
    ) -> None:
        """Straight lines from point to point, with round ends."""
        path = np.asarray(points, dtype=float) * self.scale
        reach = thickness * self.scale / 2 + 0.5
        for start, end in zip(path[:-1], path[1:], strict=True):
            low, high = np.minimum(start, end) - reach, np.maximum(start, end) + reach
            px, py, box = self._pixels_around(low, high)
            self._blend(box, reach - segment_distance(px, py, start, end), color, opacity)

    def curve(self, points: Sequence[Point], color: str, thickness: float = 1.0) -> None:
        """Cubic Bézier arcs: start, two control points, end, two control points, end, …"""
        self.line(flatten(points), color, thickness)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled convex polygon."""
        path = np.asarray(points, dtype=float) * self.scale
        px, py, box = self._pixels_around(path.min(0) - 1, path.max(0) + 1)
        x, y = path[:, 0], path[:, 1]
        turn = np.sign(x @ np.roll(y, -1) - y @ np.roll(x, -1)) or 1.0
        distance = np.float64(-np.inf)
        for (ax, ay), (bx, by) in zip(path, np.roll(path, -1, 0), strict=True):
            length = max(float(np.hypot(bx - ax, by - ay)), 1e-9)
            edge = turn * ((by - ay) * (px - ax) - (bx - ax) * (py - ay)) / length
            distance = np.maximum(distance, edge)
        self._blend(box, 0.5 - distance, fill)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 12.0,
        color: str = "#000000",
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """One line of text; `y` is its base line, `anchor` is start, middle or end."""
        em = size * self.scale
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        pen = x * self.scale - share * text_width(text, em)
        for char in text:
            mask, pad = glyph_mask(char, round(em, 2), bold)
            left, top = round(pen) - pad, round(y * self.scale - 12 * UNIT * em) - pad
            self._blend(self._clip(left, top, mask.shape[1], mask.shape[0]), mask, color)
            pen += (strokes(char)[0] + SPACING) * UNIT * em

    def encode(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        return encode_png(self.pixels)

    def _pixels_around(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, ...]:
        """Centres of the pixels of a box as a row and a column, and the box."""
        left, top = np.floor(low).astype(int)
        right, bottom = np.ceil(high).astype(int)
        rows, columns = self.pixels.shape[:2]
        left, right = max(left, 0), min(right, columns)
        top, bottom = max(top, 0), min(bottom, rows)
        px = np.arange(left, right)[None, :] + 0.5
        py = np.arange(top, bottom)[:, None] + 0.5
        return px, py, self._clip(left, top, right - left, bottom - top)

    def _clip(self, left: int, top: int, width: int, height: int) -> tuple[slice, ...]:
        """A box on the canvas, and the part of a mask of that size which falls on it."""
        rows, columns = self.pixels.shape[:2]
        x0, x1 = max(left, 0), min(left + width, columns)
        y0, y1 = max(top, 0), min(top + height, rows)
        inside = slice(y0 - top, max(y1, y0) - top), slice(x0 - left, max(x1, x0) - left)
        return slice(y0, max(y1, y0)), slice(x0, max(x1, x0)), *inside

    def _blend(
        self, box: tuple[slice, ...], coverage: np.ndarray, color: str, opacity: float = 1.0
    ) -> None:
        share = np.clip(coverage[box[2:]], 0, 1)[..., None] * opacity
        target = self.pixels[box[:2]]
        target[:] = np.rint(target + share * (np.array(rgb(color)) - target))


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``.

    Raises:
        ArgumentError: for anything else.

    >>> rgb("#ff8000")
    (255, 128, 0)
    """
    try:
        if len(color) != 7 or color[0] != "#":
            raise ValueError
        return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
    except ValueError:
        raise ArgumentError("not a colour", got=repr(color), expected="'#rrggbb'") from None


def segment_distance(
    px: np.ndarray, py: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Distance of points from the line segment between `start` and `end`."""
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    t = np.clip(((px - ax) * dx + (py - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    return np.hypot(px - ax - t * dx, py - ay - t * dy)


def flatten(points: Sequence[Point], steps: int = 14) -> np.ndarray:
    """Cubic Bézier arcs as straight pieces, ``(1-t)³a + 3t(1-t)²b + 3t²(1-t)c + t³d``."""
    path = np.asarray(points, dtype=float)
    t = np.linspace(0, 1, steps + 1)[None, 1:, None]
    a, b, c, d = path[:-1:3, None], path[1::3, None], path[2::3, None], path[3::3, None]
    arcs = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
    return np.vstack([path[:1], arcs.reshape(-1, 2)])


@lru_cache(maxsize=2048)
def glyph_mask(char: str, em: float, bold: bool = False) -> tuple[np.ndarray, int]:
    """Coverage of a letter's pixels, between 0 and 1, and the empty margin around it."""
    unit = UNIT * em
    pen = em * (0.125 if bold else 0.092)
    pad = int(pen) + 2
    width, lines = strokes(char)
    shape = int(16 * unit) + 2 * pad, int(width * unit) + 2 * pad + 1
    py, px = (np.arange(n)[:, None] + 0.5 - pad for n in shape)
    nearest = np.full(shape, np.inf)
    for line in lines:
        for start, end in zip(line[:-1] * unit, line[1:] * unit, strict=True):
            distance = segment_distance(px.T, py, start + 0.5, end + 0.5)
            nearest = np.minimum(nearest, distance)
    return np.clip(pen / 2 + 0.5 - nearest, 0, 1), pad


def encode_png(pixels: np.ndarray) -> bytes:
    """The PNG file of an (H, W, 3) array of bytes (https://www.w3.org/TR/png-3).

    Raises:
        ArgumentError: if `pixels` is anything else.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ArgumentError(
            "encode_png: not a picture",
            got=f"{pixels.dtype} {pixels.shape}",
            expected="uint8 (H, W, 3)",
        )
    height, width, _ = pixels.shape
    # filter 2, "up": each row minus the one above; flat areas become zeros, which pack well
    above = np.vstack([np.zeros((1, width * 3), np.uint8), pixels.reshape(height, -1)[:-1]])
    rows = np.empty((height, 1 + width * 3), np.uint8)
    rows[:, 0] = 2
    np.subtract(pixels.reshape(height, -1), above, out=rows[:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum

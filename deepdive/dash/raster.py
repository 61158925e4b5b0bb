"""A small canvas of pixels and its PNG file, anti-aliased, with nothing but NumPy.

One idea draws everything: a shape is a function that says how far a pixel is from its edge
(negative inside).  The pixel is covered by ``clip(1/2 - distance, 0, 1)``, and colours are mixed
in that proportion.  A point is the complex number x + iy, so a distance is ``abs(p - q)``.
:class:`deepdive.dash.svg.SvgCanvas` has the same methods.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from deepdive.dash.font import SPACING, UNIT, strokes, text_width
from deepdive.errors import ArgumentError

Array = np.ndarray
Point = tuple[float, float]
Start = tuple[int, int]  # a column and a row


class RasterCanvas:
    """Pixels to draw on; coordinates are in points, one point is `scale` pixels.

    Raises:
        ArgumentError: for a size that is not positive.

    >>> canvas = RasterCanvas(3, 2, background="#102030")
    >>> canvas.pixels.shape, canvas.pixels[0, 0].tolist()
    ((2, 3, 3), [16, 32, 48])
    """

    def __init__(
        self,
        width: float,
        height: float,
        scale: float = 1.0,
        background: str = "#ffffff",
    ) -> None:
        if not (width > 0 and height > 0 and scale > 0):
            raise ArgumentError(
                "a canvas needs a positive size", got=f"{width} × {height}, scale {scale}"
            )
        self.scale = scale
        rows = max(1, round(height * scale))
        columns = max(1, round(width * scale))
        self.pixels = np.full((rows, columns, 3), rgb(background), np.uint8)

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
        half = complex(width, height) * self.scale / 2
        centre = complex(x, y) * self.scale + half
        radius = min(radius * self.scale, half.real, half.imag)
        pen = thickness * self.scale / 2
        corners = np.array([centre - half, centre + half])
        pixels, start = self._around(corners, pen + 1)
        offset = pixels - centre
        dx = abs(offset.real) - half.real + radius
        dy = abs(offset.imag) - half.imag + radius
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
        inside = np.minimum(np.maximum(dx, dy), 0)
        distance = outside + inside - radius
        if fill:
            self._blend(start, 0.5 - distance, fill)
        if stroke:
            self._blend(start, 0.5 + pen - abs(distance), stroke)

    def line(
        self,
        points: Sequence[Point],
        color: str,
        thickness: float = 1.0,
        opacity: float = 1.0,
    ) -> None:
        """Straight lines from point to point, with round ends."""
        path = as_complex(points) * self.scale
        reach = thickness * self.scale / 2 + 0.5
        for segment in pairwise(path):
            pixels, start = self._around(np.array(segment), reach)
            distance = segment_distance(pixels, *segment)
            self._blend(start, reach - distance, color, opacity)

    def curve(self, points: Sequence[Point], color: str, thickness: float = 1.0) -> None:
        """Cubic Bézier arcs: start, two control points, end, two control points, end, …"""
        self.line(flatten(points), color, thickness)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled convex polygon."""
        path = as_complex(points) * self.scale
        pixels, start = self._around(path, 1.0)
        following = np.roll(path, -1)
        area = (path.conj() * following).imag.sum()
        turn = 1.0 if area >= 0 else -1.0  # which way round it goes
        distance = np.full(pixels.shape, -np.inf)
        for a, b in zip(path, following, strict=True):
            length = max(abs(b - a), 1e-9)
            side = (b - a) / length
            left_of = ((pixels - a) * side.conjugate()).imag
            distance = np.maximum(distance, -turn * left_of)
        self._blend(start, 0.5 - distance, fill)

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
        top = y * self.scale - 12 * UNIT * em
        for char in text:
            mask, pad = glyph_mask(char, round(em, 2), bold)
            corner = round(pen) - pad, round(top) - pad
            self._blend(corner, mask, color)
            pen += (strokes(char)[0] + SPACING) * UNIT * em

    def encode(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        return encode_png(self.pixels)

    def _around(self, points: Array, reach: float) -> tuple[Array, Start]:
        """The centres of the pixels around some points, and the column and row they start at."""
        rows, columns, _ = self.pixels.shape
        x, left = _span(points.real, reach, columns)
        y, top = _span(points.imag, reach, rows)
        return x + 1j * y[:, None], (left, top)

    def _blend(
        self,
        start: Start,
        coverage: Array,
        color: str,
        opacity: float = 1.0,
    ) -> None:
        """Mixes a colour into the pixels from `start` on; what lies outside is cut off."""
        left, top = start
        coverage = coverage[max(-top, 0) :, max(-left, 0) :]
        target = self.pixels[max(top, 0) :, max(left, 0) :]
        height, width = np.minimum(target.shape[:2], coverage.shape)
        target = target[:height, :width]
        share = np.clip(coverage[:height, :width], 0, 1) * opacity
        change = np.array(rgb(color)) - target
        target[:] = np.rint(target + share[..., None] * change)


def _span(values: Array, reach: float, limit: int) -> tuple[Array, int]:
    """The middles of the pixels in reach, as far as they are on the canvas, and the first one."""
    low = math.floor(values.min() - reach)
    high = math.ceil(values.max() + reach)
    first = max(low, 0)
    return np.arange(first, min(high, limit)) + 0.5, first


def as_complex(points: Any) -> Array:
    """Points (x, y) as numbers x + iy."""
    pairs = np.asarray(points, dtype=float)
    return pairs[:, 0] + 1j * pairs[:, 1]


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``.

    Raises:
        ArgumentError: for anything else.

    >>> rgb("#ff8000")
    (255, 128, 0)
    """
    try:
        mark, digits = color[:1], color[1:]
        red, green, blue = bytes.fromhex(digits if mark == "#" else "")
    except ValueError:
        raise ArgumentError(
            "not a colour",
            got=repr(color),
            expected="'#rrggbb'",
        ) from None
    return red, green, blue


def segment_distance(pixels: Array, start: complex, end: complex) -> Array:
    """Distance of points from the line segment between `start` and `end`."""
    side = end - start
    along = ((pixels - start) * side.conjugate()).real
    t = np.clip(along / max(abs(side) ** 2, 1e-12), 0, 1)
    return abs(pixels - start - t * side)


def flatten(points: Sequence[Point], steps: int = 14) -> list[Point]:
    """Cubic Bézier arcs as straight pieces, ``(1-t)³a + 3t(1-t)²b + 3t²(1-t)c + t³d``."""
    path = as_complex(points)
    a = path[:-1:3]  # where each arc starts,
    b = path[1::3]  # two points that pull it,
    c = path[2::3]
    d = path[3::3]  # and where it ends
    t = np.linspace(0, 1, steps + 1)[1:, None]
    s = 1 - t
    arcs = s**3 * a + t**3 * d  # (steps, arcs)
    arcs += 3 * t * s * (s * b + t * c)
    flat = np.append(path[0], arcs.T)
    return [(point.real, point.imag) for point in flat.tolist()]


@lru_cache(maxsize=2048)
def glyph_mask(char: str, em: float, bold: bool = False) -> tuple[Array, int]:
    """Coverage of a letter's pixels, between 0 and 1, and the empty margin around it."""
    unit = UNIT * em
    pen = em * (0.125 if bold else 0.092)
    pad = int(pen) + 2
    width, lines = strokes(char)
    x = np.arange(int(width * unit) + 2 * pad + 1)
    y = np.arange(int(16 * unit) + 2 * pad)
    pixels = x + 1j * y[:, None] - pad * (1 + 1j)
    nearest = np.full(pixels.shape, np.inf)
    for line in lines:
        for segment in pairwise(line * unit):
            distance = segment_distance(pixels, *segment)
            nearest = np.minimum(nearest, distance)
    return np.clip(pen / 2 + 0.5 - nearest, 0, 1), pad


def encode_png(pixels: Array) -> bytes:
    """The PNG file of an (H, W, 3) array of bytes (https://www.w3.org/TR/png-3).

    Raises:
        ArgumentError: if `pixels` is anything else.
    """
    is_picture = pixels.ndim == 3 and pixels.shape[2] == 3
    if not is_picture or pixels.dtype != np.uint8 or not pixels.size:
        raise ArgumentError(
            "encode_png: not a picture",
            got=f"{pixels.dtype} {pixels.shape}",
            expected="uint8 (H, W, 3)",
        )
    height, width, _ = pixels.shape
    plain = pixels.reshape(height, -1)
    # filter 2, "up": each row minus the one above; flat areas become zeros, which pack well
    rows = np.full((height, 1 + width * 3), 2, np.uint8)
    rows[0, 1:] = plain[0]
    rows[1:, 1:] = plain[1:] - plain[:-1]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows.tobytes(), 6)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum

"""A small writer of SVG pictures: the same methods as the pixel canvas, the same text each time."""

from __future__ import annotations

from collections.abc import Sequence

from deepdive.dash.raster import Point, rgb
from deepdive.errors import ArgumentError

FONT = "font-family=\"'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif\""


class SvgCanvas:
    """An SVG picture of `width` × `height` points.

    >>> canvas = SvgCanvas(20, 10)
    >>> canvas.text(1, 9, "a < b", size=8)
    >>> b"a &lt; b" in canvas.encode()
    True
    """

    def __init__(
        self, width: float, height: float, scale: float = 1.0, background: str = "#ffffff"
    ) -> None:
        if not (width > 0 and height > 0 and scale > 0):
            raise ArgumentError(
                "a canvas needs a positive size", got=f"{width} × {height}, scale {scale}"
            )
        w, h = number(width), number(height)
        self.parts = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(width * scale)}" '
            f'height="{number(height * scale)}" viewBox="0 0 {w} {h}" {FONT}>',
        ]
        self.rect(0, 0, width, height, fill=background)

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
        look = {"fill": _color(fill)}
        if radius:
            look["rx"] = number(min(radius, width / 2, height / 2))
        if stroke:
            look |= {"stroke": _color(stroke), "stroke-width": number(thickness)}
        place = {"x": x, "y": y, "width": width, "height": height}
        self._add("rect", {key: number(value) for key, value in place.items()} | look)

    def line(
        self, points: Sequence[Point], color: str, thickness: float = 1.0, opacity: float = 1.0
    ) -> None:
        """Straight lines from point to point, with round ends."""
        look = {"points": _path(points), **_pen(color, thickness)}
        if opacity < 1:
            look["stroke-opacity"] = number(opacity)
        self._add("polyline", look)

    def curve(self, points: Sequence[Point], color: str, thickness: float = 1.0) -> None:
        """Cubic Bézier arcs: start, two control points, end, two control points, end, …"""
        path = f"M{_path(points[:1])} C{_path(points[1:])}"
        self._add("path", {"d": path, **_pen(color, thickness)})

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon."""
        self._add("polygon", {"points": _path(points), "fill": _color(fill)})

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
        look = {"x": number(x), "y": number(y), "font-size": number(size), "fill": _color(color)}
        if anchor != "start":
            look["text-anchor"] = anchor
        if bold:
            look["font-weight"] = "600"
        self._add("text", look, escape(text))

    def encode(self) -> bytes:
        """The picture as the bytes of an SVG file."""
        return "\n".join([*self.parts, "</svg>", ""]).encode()

    def _add(self, tag: str, attributes: dict[str, str], body: str | None = None) -> None:
        listed = " ".join(f'{key}="{value}"' for key, value in attributes.items())
        self.parts.append(
            f"<{tag} {listed}/>" if body is None else f"<{tag} {listed}>{body}</{tag}>"
        )


def number(value: float) -> str:
    """A coordinate with at most two decimals, without needless zeros, the same on every machine.

    >>> number(1.50), number(-0.001), number(3)
    ('1.5', '0', '3')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def escape(text: str) -> str:
    """Text that is safe inside XML; characters XML forbids become ``?``.

    >>> escape('a<b & "c"')
    'a&lt;b &amp; &quot;c&quot;'
    """
    text = text.translate({code: "?" for code in range(32) if code not in (9, 10, 13)})
    text = "".join(
        "?" if 0xD800 <= ord(c) <= 0xDFFF or ord(c) in (0xFFFE, 0xFFFF) else c for c in text
    )
    for char, entity in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(char, f"&{entity};")
    return text


def _color(color: str | None) -> str:
    return "none" if color is None else "#{:02x}{:02x}{:02x}".format(*rgb(color))


def _pen(color: str, thickness: float) -> dict[str, str]:
    round_ends = {"stroke-linecap": "round", "stroke-linejoin": "round"}
    return {
        "fill": "none",
        "stroke": _color(color),
        "stroke-width": number(thickness),
        **round_ends,
    }


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)

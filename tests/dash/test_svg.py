"""The SVG writer: well-formed XML, safe text, the same bytes each time."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdive.dash.raster import RasterCanvas
from deepdive.dash.svg import SvgCanvas, escape, number
from deepdive.errors import ArgumentError

NAME = "{http://www.w3.org/2000/svg}"


def drawn(canvas):
    canvas.rect(1, 2, 30, 10, "#ff0000", "#00ff00", 3, 2)
    canvas.line([(0, 0), (1.23456, -0.001)], "#000000", 1.5, 0.5)
    canvas.curve([(0, 0), (0, 5), (5, 5), (5, 10)], "#0000ff")
    canvas.polygon([(0, 0), (4, 0), (2, 3)], "#123456")
    canvas.text(5, 6, 'w < "b" & c', 9, anchor="middle", bold=True)
    return canvas


def test_svg_is_xml_with_what_was_drawn():
    root = ElementTree.fromstring(drawn(SvgCanvas(40, 20)).encode())
    assert (root.get("width"), root.get("viewBox")) == ("40", "0 0 40 20")
    kinds = [element.tag.removeprefix(NAME) for element in root]
    assert kinds == ["rect", "rect", "polyline", "path", "polygon", "text"]
    rect, line, path, polygon, text = list(root)[1:]
    assert (rect.get("fill"), rect.get("stroke"), rect.get("rx")) == ("#ff0000", "#00ff00", "3")
    assert line.get("points") == "0,0 1.23,0"
    assert path.get("d") == "M0,0 C0,5 5,5 5,10"
    assert polygon.get("points") == "0,0 4,0 2,3"
    assert text.text == 'w < "b" & c' and text.get("text-anchor") == "middle"


def test_the_same_picture_is_the_same_bytes():
    assert drawn(SvgCanvas(40, 20)).encode() == drawn(SvgCanvas(40, 20)).encode()


def test_both_canvases_have_the_same_methods():
    def public(kind):
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(SvgCanvas) == public(RasterCanvas)
    drawn(RasterCanvas(40, 20))


@given(st.text())
def test_any_text_is_safe(text):
    root = ElementTree.fromstring(f"<t>{escape(text)}</t>".encode())
    kept = "".join(c if c in "\t\n\r" or ord(c) >= 32 else "?" for c in text)
    kept = kept.replace("\ufffe", "?").replace("\uffff", "?")
    assert (root.text or "") == kept.replace("\r\n", "\n").replace("\r", "\n")


@given(st.floats(-1e6, 1e6))
def test_numbers_are_short_and_near(value):
    assert float(number(value)) == pytest.approx(value, abs=0.005001)
    assert number(value) != "-0" and len(number(value)) <= 11


def test_a_picture_needs_a_size():
    with pytest.raises(ArgumentError, match="a canvas needs a positive size"):
        SvgCanvas(0, 3)

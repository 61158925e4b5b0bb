"""The pixel canvas, its font and its PNG writer, checked with Pillow and by geometry."""

import io

import numpy as np
import pytest

from deepdive.dash.font import GLYPHS, strokes, text_width
from deepdive.dash.raster import RasterCanvas, encode_png, glyph_mask
from deepdive.errors import ArgumentError

image = pytest.importorskip("PIL.Image")


def decoded(data):
    return np.asarray(image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (64, 301, 3)])
def test_png_is_read_back_pixel_for_pixel(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert (decoded(encode_png(pixels)) == pixels).all()


def test_png_refuses_what_is_no_picture():
    with pytest.raises(ArgumentError, match="not a picture") as caught:
        encode_png(np.zeros((2, 2), np.uint8))
    assert "uint8 (2, 2)" in str(caught.value)
    assert "uint8 (H, W, 3)" in str(caught.value)


def test_filled_rectangle_covers_exactly_its_pixels():
    canvas = RasterCanvas(10, 8)
    canvas.rect(2, 3, 5, 4, fill="#000000")
    dark = (canvas.pixels == 0).all(-1)
    expected = np.zeros((8, 10), bool)
    expected[3:7, 2:7] = True
    assert (dark == expected).all()


def test_half_covered_pixels_are_half_mixed():
    canvas = RasterCanvas(4, 4, background="#000000")
    canvas.rect(0.5, 0, 2, 4, fill="#ffffff")
    assert canvas.pixels[2, :, 0].tolist() == [128, 255, 128, 0]


def test_round_corners_are_round():
    canvas = RasterCanvas(40, 40)
    canvas.rect(0, 0, 40, 40, fill="#000000", radius=20)
    covered = (255.0 - canvas.pixels[..., 0]).sum() / 255
    assert covered == pytest.approx(np.pi * 20**2, rel=0.005)


def test_line_has_its_thickness_and_direction():
    canvas = RasterCanvas(100, 100)
    canvas.line([(10, 10), (90, 90)], "#000000", thickness=3)
    dark = 255.0 - canvas.pixels[..., 0]
    rows, columns = np.nonzero(dark > 128)
    assert (abs(rows - columns) <= 3).all()
    length, ends = 80 * 2**0.5, np.pi * 1.5**2
    assert dark.sum() / 255 == pytest.approx(3 * length + ends, rel=0.02)


@pytest.mark.parametrize("points", [[(5, 5), (25, 5), (15, 25)], [(15, 25), (25, 5), (5, 5)]])
def test_polygon_has_its_area_whichever_way_round(points):
    canvas = RasterCanvas(30, 30)
    canvas.polygon(points, "#000000")
    assert (255.0 - canvas.pixels[..., 0]).sum() / 255 == pytest.approx(200, rel=0.03)


def test_curve_ends_where_it_should():
    canvas = RasterCanvas(50, 50)
    canvas.curve([(5, 5), (5, 25), (45, 25), (45, 45)], "#000000", 2)
    assert canvas.pixels[5, 5, 0] < 60 and canvas.pixels[44, 44, 0] < 60
    assert canvas.pixels[25, 25, 0] < 60  # by symmetry


def test_everything_outside_the_canvas_is_cut_off():
    canvas = RasterCanvas(20, 20)
    canvas.rect(-100, -100, 50, 50, fill="#000000")
    canvas.line([(-50, -50), (-10, 300)], "#000000")
    canvas.text(-40, -40, "gone", 12)
    canvas.text(500, 500, "gone", 12)
    canvas.polygon([(100, 100), (120, 100), (110, 120)], "#000000")
    assert (canvas.pixels == 255).all()
    canvas.rect(-5, -5, 100, 100, fill="#000000")
    assert (canvas.pixels == 0).all()


def test_every_printable_letter_has_a_shape_of_its_own():
    letters = [chr(code) for code in range(33, 127)] + ["×", "·", "→"]
    masks = {}
    for letter in letters:
        assert letter in {row[0] for row in GLYPHS.strip().split("\n")}
        mask, _ = glyph_mask(letter, 32.0)
        assert mask.max() > 0.9, letter
        masks[letter] = mask.tobytes()
    assert len(set(masks.values())) == len(letters)
    assert (glyph_mask(" ", 32.0)[0] == 0).all()


def test_unknown_letters_are_a_box_and_take_room():
    assert strokes("漢")[0] == strokes("ß")[0] == 6
    assert text_width("漢", 10) > 0


@pytest.mark.parametrize("anchor, share", [("start", 0.0), ("middle", 0.5), ("end", 1.0)])
def test_text_stands_where_its_anchor_says(anchor, share):
    canvas = RasterCanvas(200, 40)
    canvas.text(100, 30, "HHH", 20, anchor=anchor)
    rows, columns = np.nonzero(canvas.pixels[..., 0] < 128)
    width = text_width("HHH", 20)
    assert columns.min() == pytest.approx(100 - share * width, abs=2)
    assert columns.max() == pytest.approx(100 + (1 - share) * width, abs=2)
    assert rows.max() == pytest.approx(30, abs=2)
    assert rows.max() - rows.min() == pytest.approx(0.72 * 20, abs=3)  # capitals


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (float("nan"), 5)])
def test_a_canvas_needs_a_size(size):
    with pytest.raises(ArgumentError, match="a canvas needs a positive size"):
        RasterCanvas(*size)


@pytest.mark.parametrize("color", ["red", "#12345", "#12345g", "1234567"])
def test_a_colour_is_six_digits(color):
    with pytest.raises(ArgumentError, match="not a colour") as caught:
        RasterCanvas(2, 2, background=color)
    assert "'#rrggbb'" in str(caught.value)

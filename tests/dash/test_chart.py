"""Charts as text and as pictures, compared with where the values must stand."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdive.dash import chart, save_chart
from deepdive.dash.chart import thinned
from deepdive.dash.dashboard import visible_length
from deepdive.dash.scale import Scale, labels, log_ticks, round_ticks
from deepdive.errors import ArgumentError, ShapeError


def test_a_straight_line_is_straight():
    text = chart(list(range(9)), width=13, height=11, unicode=False)
    rows = text.split("\n")[:-1]
    columns = [row.index("*") for row in rows if "*" in row]
    assert columns == sorted(columns, reverse=True)
    assert len(rows) == 10 and len(columns) == 10


def test_braille_dots_are_where_the_values_are():
    rows = chart([0.0, 1.0], width=6, height=3).split("\n")[:-1]
    width, dots = 2, []
    for r, row in enumerate(rows):
        for c, letter in enumerate(row.split("┤")[-1].split("│")[-1]):
            bits = ord(letter) - 0x2800 if letter != " " else 0
            order = [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80]
            for i, bit in enumerate(order):
                if bits & bit:
                    dots.append((c * 2 + i // 4, r * 4 + i % 4))
    assert min(dots)[1] > max(dots)[1]  # low on the left, high on the right
    assert {y for _, y in dots} == set(range(4 * len(rows)))
    assert max(x for x, _ in dots) >= 2 * width


def test_ticks_stand_beside_their_rows():
    text = chart([0, 10], width=40, height=12, unicode=False)
    rows = text.split("\n")
    assert rows[0].startswith("10 |") and rows[10].startswith(" 0 |")
    assert rows[6].startswith(" 4 |")


def test_title_names_last_values_and_colours():
    text = chart({"loss": [3, 1.25], "accuracy": [0, 0.5]}, title="run", color=True)
    assert text.split("\n")[0] == "run  \x1b[36mloss 1.25\x1b[0m  \x1b[33maccuracy 0.5\x1b[0m"
    plain = chart({"loss": [3, 1.25]}, title="run")
    assert "\x1b" not in plain and plain.startswith("run  loss 1.25\n")


def test_x_may_be_given():
    text = chart({"": (np.array([100.0, 200.0]), [0, 1])}, width=60, height=8)
    assert text.split("\n")[-1].split() == ["100", "120", "140", "160", "180", "200"]


def test_a_log_axis_makes_powers_equally_far():
    values = [10.0**-i for i in range(5)]
    rows = chart(values, width=40, height=18, log=True, unicode=False).split("\n")[:-1]
    marked = [i for i, row in enumerate(rows) if row.split("|")[0].strip()]
    assert marked == [0, 4, 8, 12, 16]
    assert [rows[i].split("|")[0].strip() for i in marked] == [
        "1",
        "0.1",
        "0.01",
        "0.001",
        "0.0001",
    ]


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [math.nan], [math.inf, -math.inf], [5, 5, 5], [1, math.nan, 3], [1e300, -1e300],
     [1e-300, 2e-300], [0.0, -0.0], [1e15, 1e15 + 1]],
)  # fmt: skip
@pytest.mark.parametrize("log", [False, True])
def test_odd_values_are_drawn_without_complaint(values, log):
    with np.errstate(all="raise"):
        text = chart({"x": values}, width=30, height=6, log=log)
    assert len(text.split("\n")) <= 6


@given(st.lists(st.floats(), max_size=40), st.integers(24, 120), st.integers(6, 40), st.booleans())
def test_any_chart_keeps_to_its_size(values, width, height, unicode):
    text = chart({"metric": values}, width=width, height=height, unicode=unicode)
    lines = text.split("\n")
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    if not unicode:
        assert text.isascii()


def test_a_gap_is_left_where_a_value_is_missing():
    text = chart([1.0, 1.0, math.nan, 1.0, 1.0], width=44, height=4, unicode=False)
    line = next(row for row in text.split("\n") if "*" in row)
    assert " " * 15 in line.split("|")[1].rstrip()


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=3000), st.integers(1, 50))
def test_thinning_keeps_the_peaks_and_the_ends(values, buckets):
    y = np.array(values)
    x, kept = thinned(np.arange(len(y), dtype=float), y, buckets)
    assert len(kept) <= 4 * buckets + 4
    assert (np.diff(x) > 0).all()
    assert x[0] == 0 and x[-1] == len(y) - 1
    if not np.isnan(y).all():
        assert np.nanmax(kept) == np.nanmax(y) and np.nanmin(kept) == np.nanmin(y)


def test_curves_must_be_rows_of_numbers():
    with pytest.raises(ShapeError, match="the curve 'loss' is not a row of numbers") as caught:
        chart({"loss": [[1, 2], [3, 4]]})
    assert "values (2, 2)" in str(caught.value)
    with pytest.raises(ShapeError, match="one value per x"):
        chart({"loss": (np.arange(3), [1, 2])})


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_are_round_few_and_inside(low, span, count):
    high = low + span
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    ticks = round_ticks(low, high, count)
    assert 0 <= len(ticks) <= count + 1
    for tick in ticks:
        assert low - 1e-6 * span <= tick <= high + 1e-6 * span
    assert len(set(labels(ticks))) == len(ticks) or span < 1e-5


@pytest.mark.parametrize("low, high", [(-3.0, 2.0), (0.1, 0.4), (-300.0, 300.0), (0.0, 1.0)])
def test_log_ticks_are_inside(low, high):
    ticks = log_ticks(low, high, 6)
    assert 1 <= len(ticks) <= 8
    assert all(10**low * 0.999 <= tick <= 10**high * 1.001 for tick in ticks)


def test_a_scale_maps_its_ends_to_0_and_1():
    scale = Scale([math.nan, 4.0, 2.0, math.inf])
    assert scale.place([2.0, 3.0, 4.0]).tolist() == [0.0, 0.5, 1.0]
    assert np.isnan(scale.place([math.nan, math.inf])).all()
    assert np.isnan(Scale([1, 100], log=True).place([0.0, -1.0])).all()
    assert Scale([1, 100], log=True).place(10.0) == pytest.approx(0.5)


def test_a_chart_file_has_the_curve_where_it_belongs(tmp_path):
    path = save_chart({"loss": [0.0, 1.0, 0.0], "b <c>": [1, 2, 3]}, tmp_path / "c.svg", title="T")
    root = ElementTree.parse(path).getroot()
    name = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{name}text")]
    assert {"loss", "b <c>", "T", "0.0", "0.5", "1.0"} <= set(texts)
    curve = next(e for e in root.iter(f"{name}polyline") if e.get("stroke") == "#2f6fb0")
    points = [tuple(map(float, p.split(","))) for p in curve.get("points").split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert y0 == y2 > y1 and x1 - x0 == pytest.approx(x2 - x1, abs=0.02)


def test_a_chart_file_may_be_png(tmp_path):
    image = pytest.importorskip("PIL.Image")
    save_chart({"loss": [1.0, math.nan, 0.5]}, tmp_path / "c.png", log=True)
    with image.open(tmp_path / "c.png") as picture:
        assert picture.size == (840, 532)


def test_a_chart_file_has_a_known_format(tmp_path):
    with pytest.raises(ArgumentError, match="no such picture format: 'jpg'"):
        save_chart([1, 2], tmp_path / "c.jpg")


def test_colour_codes_take_no_room():
    assert visible_length("\x1b[36mloss\x1b[0m 1") == 6

"""What notebooks show: well-formed, escaped, abridged, and true."""

from xml.etree import ElementTree

import numpy as np
import pytest

import deepdive as dd
from deepdive import dash, nn
from deepdive.dash.notebook import EDGE, MOST, SLICES

EVIL = "<script>alert('x')</script>&\"]]>"


def parsed(thing):
    """The page's tree; a parser of XML takes no unclosed tag and no stray bracket."""
    text = thing._repr_html_()
    assert "<script" not in text
    return ElementTree.fromstring(text)


def cells(tree):
    return [[cell.text for cell in row] for row in tree.iter("tr")]


def test_a_small_tensor_is_shown_whole():
    x = dd.tensor([[1.0, -2.5], [0.0, 1e-7]])
    tree = parsed(x)
    assert cells(tree) == [["1", "-2.5"], ["0", "1e-07"]]
    said = "".join(tree.itertext())
    assert "shape (2, 2)" in said
    assert "float32" in said
    assert "cpu" in said
    colors = [cell.get("style").rpartition("background: ")[2] for cell in tree.iter("td")]
    assert colors[0].startswith("rgba(214")
    assert colors[1].startswith("rgba(52")
    assert colors[2] == "none"
    assert float(colors[1].rpartition(",")[2].rstrip(")")) > float(
        colors[0].rpartition(",")[2].rstrip(")")
    )
    assert repr(x).startswith("tensor([[")  # the text stays as it was


@pytest.mark.parametrize("values", [3.5, [1, 2], [True, False], [[]], [], np.zeros((2, 0, 3))])
def test_tensors_of_other_shapes_and_kinds(values):
    x = dd.tensor(values)
    shown = [cell for row in cells(parsed(x)) for cell in row]
    assert shown == [f"{v:.4g}" if x.is_floating_point() else str(v) for v in x.flatten().tolist()]
    assert ("no elements" in x._repr_html_()) == (not x.numel())


def test_big_tensors_are_abridged_and_true_at_their_ends():
    x = dd.arange(30 * 40).reshape(30, 40)
    rows = cells(parsed(x))
    assert len(rows) == 2 * EDGE + 1
    assert all(len(row) == 2 * EDGE + 1 for row in rows)
    assert rows[0][0] == "0"
    assert rows[0][EDGE] == rows[EDGE][0] == "…"
    assert rows[-1][-1] == "1199"
    assert rows[-1][0] == str(29 * 40)
    just = dd.zeros(MOST, MOST)
    assert [len(row) for row in cells(parsed(just))] == [MOST] * MOST
    many = dd.zeros(5, 4, 2, 3)
    tree = parsed(many)
    assert len([*tree.iter("table")]) == SLICES
    assert f"and {20 - SLICES} more" in "".join(tree.itertext())
    assert len(dd.zeros(3000, 3000)._repr_html_()) < 30_000


def test_nan_and_infinity_strike_the_eye():
    tree = parsed(dd.tensor([float("nan"), float("inf"), -1.0]))
    styles = [cell.get("style") for cell in tree.iter("td")]
    assert "255, 190, 0" in styles[0]
    assert "255, 190, 0" in styles[1]
    assert "52, 120, 200, 0.68" in styles[2]


def test_tracked_native_and_recorded_tensors():
    x = dd.ones(2, requires_grad=True)
    assert "requires_grad" in x._repr_html_()
    assert "grad_fn=&lt;" in (x * 2)._repr_html_()
    assert "native" in "".join(parsed(dd.ones(2, device="native")).itertext())
    with dd.lazy():
        assert cells(parsed(dd.ones(2) + 1)) == [["2", "2"]]


def model():
    tied = nn.Linear(4, 4, bias=False)
    return nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), tied, tied)


def test_a_module_is_a_tree_with_counts():
    tree = parsed(model())
    (outer,) = tree.findall("details")
    assert outer.get("open")
    assert "32 parameters" in "".join(outer.find("summary").itertext())
    said = "".join(tree.itertext())
    assert "(0): Linear(in_features=3, out_features=4" in said
    assert "16 parameters" in said
    assert "weight  (4, 3)  float32" in said
    assert [d.get("open") for d in tree.iter("details")][1:] == [None] * 4
    frozen = nn.Linear(1, 1, bias=False)
    frozen.weight.requires_grad_(False)
    said = "".join(parsed(frozen).itertext())
    assert "1 parameter" in said
    assert "1 parameters" not in said
    assert "frozen" in said


def test_names_cannot_break_out():
    class Odd(nn.Module):
        def extra_repr(self):
            return EVIL

    Odd.__name__ = EVIL
    net = nn.ModuleDict({"fine": Odd()})
    assert EVIL in "".join(parsed(net).itertext())
    picture = dash.Picture()
    picture.link(
        picture.add(dash.Box("tensor", [EVIL], name=EVIL)),
        picture.add(dash.Box("operator", [EVIL], group=EVIL)),
    )
    svg = picture._repr_svg_()
    assert "<script" not in svg
    ElementTree.fromstring(svg.encode())
    shown = dd.summary(nn.Sequential(nn.Linear(3, 2)), (3,))
    shown.layers[1].path = shown.layers[1].type = EVIL
    assert EVIL in "".join(parsed(shown).itertext())


def test_graphs_summaries_and_compiled_steps():
    x = dd.ones(3, requires_grad=True)
    svg = ElementTree.fromstring(dash.picture_of((x * 2).sum())._repr_svg_().encode())
    said = "".join(svg.itertext()).lower()
    assert "mul" in said
    assert "sum" in said
    shown = dd.summary(model(), (3,))
    rows = cells(parsed(shown))
    assert len(rows) == 1 + len(shown.layers)
    assert rows[0][0] == "layer"

    @dd.compile
    def double(x):
        return x * 2 + 1

    assert double._repr_svg_() is None
    double(dd.ones(4))
    ElementTree.fromstring(double._repr_svg_().encode())

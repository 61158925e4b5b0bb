"""Pictures of graphs: what is in them, and files of each kind that can be read."""

import os
import re
from xml.etree import ElementTree

import pytest

from deepdive.core.operator import Operator
from deepdive.core.tensor import Tensor
from deepdive.dash import Box, Picture, draw_graph, paint, picture_of, to_dot
from deepdive.dash.graph import counted, simplified, without_nameless
from deepdive.errors import ArgumentError, GraphError

pytest.importorskip("deepdive.core.autograd.engine")  # attaches backward


class Plus(Operator):
    def forward(self, xp, x, y):
        return x + y

    def backward(self, xp, grad):
        return grad, grad


class Times(Operator):
    def forward(self, xp, x, y):
        return x * y

    def backward(self, xp, grad, x, y):
        return grad * y, grad * x


class FakeModel:
    def __init__(self):
        self.weight = Tensor([1.0, 2.0])
        self.bias = Tensor([0.5, 0.5])

    def __call__(self, x):
        return Plus()(Times()(x, self.weight), self.bias)

    def named_parameters(self):
        return [("0.weight", self.weight), ("0.bias", self.bias)]


def described(picture):
    """The picture as a set of readable edges."""

    def text(number):
        box = picture.boxes[number]
        return " ".join([box.name, *box.lines, "grad" * box.has_grad]).strip()

    return [f"{text(a)} -> {text(b)}" for a, b in picture.edges]


def expression():
    a, b = Tensor(2.0), Tensor(1.0)
    e = Times()(Plus()(a, b), Plus()(b, Tensor(1.0, requires_grad=False)))
    return a, b, e


def test_a_box_per_tensor_and_a_node_per_operator():
    a, b, e = expression()
    edges = described(picture_of(e, {"a": a, "b": b, "e": e}))
    assert edges == [
        "a scalar -> Plus",
        "b scalar -> Plus",
        "Plus -> scalar",
        "b scalar -> Plus",
        "Plus -> scalar",
        "scalar -> Times",
        "scalar -> Times",
        "Times -> e scalar",
    ]


def test_after_backward_it_still_draws_and_shows_gradients():
    a, b, e = expression()
    before = picture_of(e, {"a": a, "b": b, "e": e})
    e.backward()
    after = picture_of(e, {"a": a, "b": b, "e": e})
    assert after.edges == before.edges
    assert [box.name for box in after.boxes if box.has_grad] == ["a", "b", "e"]
    assert not any(box.has_grad for box in before.boxes)


def test_shapes_and_unusual_dtypes_are_shown():
    x = Tensor([[1.0, 2.0]], dtype="float64")
    y = Times()(x, x)
    assert described(picture_of(y, {"x": x})) == ["x (1, 2) float64 -> Times"] * 2 + [
        "Times -> (1, 2) float64"
    ]


def test_a_diamond_is_drawn_once_however_deep():
    x = Tensor(1.0)
    for _ in range(60):
        x = Plus()(x, x)  # 2**60 paths
    assert len(picture_of(x).boxes) == 121


def test_a_module_names_its_parameters_and_frames_its_operators():
    model, x = FakeModel(), Tensor([1.0, 1.0])
    out = model(x)
    picture = picture_of(out, {"model": model, "x": x})
    groups = [(box.name or box.lines[0], box.group) for box in picture.boxes]
    assert groups == [
        ("0.weight", "model.0"),
        ("0.bias", "model.0"),
        ("x", None),
        ("Times", "model.0"),
        ("(2,)", "model.0"),
        ("Plus", "model.0"),
        ("(2,)", None),  # what leaves the module
    ]
    assert "model.0" in draw_texts(paint(picture, "svg"))


def draw_texts(svg):
    root = ElementTree.fromstring(svg)
    return [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_tensor_without_history_says_so():
    with pytest.raises(GraphError, match="tracks no gradient") as caught:
        draw_graph(Tensor([1.0, 2.0], requires_grad=False))
    assert "shape (2,)" in str(caught.value)
    assert "requires_grad=True" in str(caught.value)


def test_files_of_every_kind(tmp_path):
    a, b, e = expression()
    names = {"a": a, "b": b, "e": e}
    assert draw_graph(e, names, tmp_path / "g.svg") == str(tmp_path / "g.svg")
    texts = draw_texts((tmp_path / "g.svg").read_bytes())
    assert sorted(texts) == sorted(["a", "b", "e", "Plus", "Plus", "Times"] + ["scalar"] * 5)
    image = pytest.importorskip("PIL.Image")
    draw_graph(e, names, tmp_path / "g.png")
    with image.open(tmp_path / "g.png") as picture:
        picture.load()
        assert picture.size[0] > 200 and picture.size[1] > 200
        assert len(picture.getcolors(1 << 20)) > 20
    draw_graph(e, names, tmp_path / "graph", format="dot")
    dot = (tmp_path / "graph").read_text()
    assert len(re.findall(r"shape=box", dot)) == 5
    assert len(re.findall(r"->", dot)) == 8
    assert sorted(os.listdir(tmp_path)) == ["g.png", "g.svg", "graph"]  # nothing left over


def test_the_default_is_graph_png_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert draw_graph(expression()[2]) == "graph.png"
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="no such picture format: 'pgn'") as caught:
        draw_graph(expression()[2], path=tmp_path / "g.pgn")
    assert "png, svg, dot" in str(caught.value)
    assert "did you mean 'png'?" in str(caught.value)
    assert not os.listdir(tmp_path)


def test_a_missing_folder_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ArgumentError, match="No such file or directory"):
        draw_graph(expression()[2], path=tmp_path / "absent" / "g.png")


def test_drawing_twice_gives_the_same_bytes(tmp_path):
    _, _, e = expression()
    for name in ("one.png", "two.png"):
        draw_graph(e, path=tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_large_graphs_are_simplified():
    x = Tensor(1.0)
    y = x
    for _ in range(200):
        y = Plus()(y, x)
    picture = picture_of(y, {"x": x, "y": y})
    assert len(picture.boxes) == 401
    small = simplified(picture)
    assert len(small.boxes) == 202  # x, y and the operators
    kinds = [small.boxes[a].kind + small.boxes[b].kind for a, b in small.edges]
    assert kinds.count("operatoroperator") == 199
    few = counted(small)
    assert described(few) == [
        "leaves × 1 -> Plus × 200",
        "Plus × 200 -> results × 1",
    ]


def test_a_very_deep_graph_is_drawn(tmp_path):
    x = Tensor(0.0)
    for _ in range(20_000):
        x = Plus()(x, x)
    draw_graph(x, path=tmp_path / "deep.png")
    assert (tmp_path / "deep.png").stat().st_size > 1000


def test_a_picture_longer_than_a_file_may_be_shrinks():
    picture = Picture()
    boxes = [picture.add(Box("operator", ["step"])) for _ in range(1400)]
    picture.edges = [(i, i + 1) for i in range(len(boxes) - 1)]
    image = pytest.importorskip("PIL.Image")
    import io

    with image.open(io.BytesIO(paint(picture, "png"))) as drawn:
        assert max(drawn.size) <= 30_000


def test_nameless_results_are_left_out_but_not_the_last_one():
    a, b, e = expression()
    small = without_nameless(picture_of(e, {"a": a, "b": b}))
    assert described(small) == [
        "a scalar -> Plus",
        "b scalar -> Plus",
        "b scalar -> Plus",
        "Plus -> Times",
        "Plus -> Times",
        "Times -> scalar",
    ]


def test_odd_names_are_quoted_in_dot_and_svg():
    picture = Picture()
    picture.add(Box("tensor", ['a "quoted" \\ line'], group="g<1>", name="x&y"))
    assert r"label=\"" not in to_dot(picture)
    assert r'"x&y\na \"quoted\" \\ line"' in to_dot(picture)
    assert "g<1>" in draw_texts(paint(picture, "svg"))


def test_an_empty_picture_is_drawn():
    assert paint(Picture(), "png").startswith(b"\x89PNG")

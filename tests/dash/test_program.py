"""The picture of a compiled program: what is in it, what is fused; boxes do not overlap."""

import xml.etree.ElementTree as ET

import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.dash.program import Arrangement
from deepdive.errors import ArgumentError, GraphError


def training_step(dialect, pictures=False):
    if pictures:
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
        x = dd.randn(8, 1, 8, 8)
    else:
        model = nn.Sequential(nn.Linear(6, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
        x = dd.randn(8, 6)
    optimizer = optim.Adam(model.parameters())

    def step(images, labels):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    compiled = dd.compile(step, dialect=dialect)
    compiled(x, dd.zeros(8).long())
    return compiled


def texts(svg):
    return [node.text or "" for node in ET.fromstring(svg).iter() if node.tag.endswith("text")]


@pytest.fixture(params=["numpy", "numba", "numba, pictures"])
def step(request):
    if "numba" in request.param:
        pytest.importorskip("numba")
    return training_step(request.param.partition(",")[0], "pictures" in request.param)


def test_everything_has_its_name_and_shape(step):
    words = texts(step.draw())
    for name in ("images", "labels", "0.weight", "0.bias", "m of 0.weight", "v of 0.bias"):
        assert name in words, name
    assert "(8, 3)" in words
    assert any(word.endswith("→ 0.weight") for word in words)
    assert any(word.endswith("→ result") for word in words)


def test_the_edges_are_those_of_the_graph(step):
    drawn = step.drawn()
    read = {drawn.parts[a].name for a, _ in drawn.edges}
    told = {part.name for part in drawn.parts}
    assert {"images", "labels", "0.weight", "m of 0.weight"} <= read
    assert len(told) >= 20
    for a, b in drawn.edges:  # nothing from outside is computed, nothing reads itself
        assert drawn.parts[b].kind == "value"
        assert a != b


def test_fused_groups_are_boxes_that_hold_their_values_and_nothing_else(step):
    drawn = step.drawn()
    plan = Arrangement(drawn)
    assert len(plan.groups) == len({part.group for part in drawn.parts} - {None})
    words = texts(step.draw())
    for frame in plan.groups:
        assert frame.title in words
    for part, box in plan.placed.items():
        for number, frame in enumerate(plan.groups):
            inside = frame.left <= box.left and box.right <= frame.right
            inside = inside and frame.top <= box.top and box.bottom <= frame.bottom
            apart = box.right < frame.left or frame.right < box.left
            apart = apart or box.bottom < frame.top or frame.bottom < box.top
            assert inside != apart, (drawn.parts[part], frame.title)
            if drawn.parts[part].group == number:
                assert inside


def test_no_two_boxes_overlap_and_all_lie_in_the_picture(step):
    plan = Arrangement(step.drawn())
    boxes = list(plan.placed.values())
    for i, one in enumerate(boxes):
        assert one.left >= 0 and one.top >= 0
        assert one.right <= plan.size[0] and one.bottom <= plan.size[1]
        for other in boxes[:i]:
            beside = one.right <= other.left or other.right <= one.left
            assert beside or one.bottom <= other.top or other.bottom <= one.top


def test_files(tmp_path):
    f = dd.compile(lambda x: (x * 2 + 1).sum(), dialect="numpy")
    with pytest.raises(GraphError, match="call the function once"):
        f.draw()
    f(dd.ones(3))
    assert f.draw(tmp_path / "p.svg") == str(tmp_path / "p.svg")
    assert (tmp_path / "p.svg").read_text() == f.draw()
    f.draw(tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ArgumentError, match="no such picture format"):
        f.draw(tmp_path / "p.pgn")


def test_a_compiled_module_names_its_parameters():
    model = dd.compile(nn.Linear(3, 2), dialect="numpy")
    model(dd.ones(4, 3))
    assert {"weight", "bias"} <= set(texts(model.draw()))

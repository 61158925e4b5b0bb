"""Paints a :class:`~deepdive.dash.picture.Picture` on a canvas of pixels or of SVG elements."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from deepdive.dash.font import text_width
from deepdive.dash.graph_layout import Point, layout
from deepdive.dash.picture import Box, Picture
from deepdive.dash.picture_file import CANVASES, scale_for

MARGIN = 22.0
SIZE = 11.0  # of the letters
LINE = 15.0  # from base line to base line
ARROW = 6.5
MAX_PIXELS, MAX_SIDE = 24e6, 30_000.0

INK, QUIET, EDGE = "#1f2933", "#6b7785", "#9aa5b1"
GREEN = "#2f855a"
OPERATOR = ("#fff7e8", "#d9a441")
LEAF = ("#e8f1fb", "#5b8fc7")
RESULT = ("#ffffff", "#9fb3c8")
GONE = ("#f7f9fb", "#d3dce6")  # a result nobody holds any more
FRAME = ("#f6f8fa", "#d9e2ec")


class Placed:
    """A box and where it stands on the canvas."""

    def __init__(self, box: Box, centre: Point, layer: int) -> None:
        self.box = box
        self.layer = layer
        self.width, self.height = box_size(box)
        self.x = centre[0] + MARGIN
        self.y = centre[1] + MARGIN
        self.left = self.x - self.width / 2
        self.right = self.x + self.width / 2
        self.top = self.y - self.height / 2
        self.bottom = self.y + self.height / 2


def paint(picture: Picture, kind: str = "png") -> bytes:
    """The picture as the bytes of a file of this kind, ``"png"`` or ``"svg"``."""
    boxes = picture.boxes
    sizes = [box_size(box) for box in boxes]
    plan = layout(sizes, picture.edges, groups=[box.group for box in boxes])
    width = plan.width + 2 * MARGIN
    height = plan.height + 2 * MARGIN
    canvas = CANVASES[kind](width, height, fitting_scale(kind, width, height))
    placed = [Placed(*facts) for facts in zip(boxes, plan.centres, plan.layers, strict=True)]
    frames = _frames(placed)
    for frame in frames:
        frame.draw(canvas)
    for (a, b), route in zip(picture.edges, plan.routes, strict=True):
        draw_edge(canvas, route, placed[a], placed[b])
    for one in placed:
        draw_box(canvas, one)
    for frame in frames:  # above the edges, so that these do not strike the labels through
        frame.draw_label(canvas)
    return canvas.encode()


def fitting_scale(kind: str, width: float, height: float) -> float:
    """Pixels per point: fewer where a picture of pixels would be too large."""
    scale = scale_for(kind)
    if kind != "png":
        return scale
    most = (MAX_PIXELS / (width * height)) ** 0.5
    return float(min(scale, most, MAX_SIDE / max(width, height)))


def box_size(box: Box) -> Point:
    """Width and height a box needs for its text."""
    widest = max(text_width(line, SIZE) for line in [box.name, *box.lines])
    if box.has_grad:
        widest += text_width(" grad", SIZE) + 4
    padding = 26.0 if box.kind == "operator" else 20.0
    count = len(box.lines) + bool(box.name)
    return max(widest + padding, 44.0), count * LINE + 10


def draw_box(canvas: Any, placed: Placed) -> None:
    box = placed.box
    is_operator = box.kind == "operator"
    fill, edge = OPERATOR if is_operator else LEAF if box.is_leaf else RESULT
    if not is_operator and not box.is_alive:
        fill, edge = GONE
    canvas.rect(
        placed.left,
        placed.top,
        placed.width,
        placed.height,
        fill,
        edge,
        radius=placed.height / 2 if is_operator else 3.0,
        thickness=1.1,
    )
    _text(canvas, placed)


def _text(canvas: Any, placed: Placed) -> None:
    """The name in bold, the lines below it, and ``grad`` behind the last one."""
    box = placed.box
    count = len(box.lines) + bool(box.name)
    base = placed.y - (count - 1) * LINE / 2 + SIZE * 0.36
    if box.name:
        canvas.text(placed.x, base, box.name, SIZE, INK, "middle", True)
        base += LINE
    color = INK if box.kind == "operator" else QUIET
    for line in box.lines[:-1]:
        canvas.text(placed.x, base, line, SIZE, color, "middle")
        base += LINE
    last = box.lines[-1]
    middle = placed.x
    if box.has_grad:
        middle -= text_width(" grad", SIZE) / 2 + 1
        after = middle + text_width(last, SIZE) / 2 + 6
        canvas.text(after, base, "grad", SIZE, GREEN)
    canvas.text(middle, base, last, SIZE, color, "middle")


def draw_edge(canvas: Any, route: Sequence[Point], start: Placed, end: Placed) -> None:
    """A curve that leaves and arrives vertically, with an arrow head."""
    down = 1.0 if end.y >= start.y else -1.0
    tip = end.top if down > 0 else end.bottom
    points = [(x + MARGIN, y + MARGIN) for x, y in route]
    points[0] = start.x, start.bottom if down > 0 else start.top
    points[-1] = end.x, tip - down * (ARROW - 1)
    path = [points[0]]
    for (ax, ay), (bx, by) in pairwise(points):
        bend = (by - ay) / 2
        path += [(ax, ay + bend), (bx, by - bend), (bx, by)]
    canvas.curve(path, EDGE, 1.2)
    base = tip - down * ARROW
    half = ARROW / 2
    canvas.polygon([(end.x, tip), (end.x - half, base), (end.x + half, base)], EDGE)


class Frame:
    """What is drawn around the boxes of a group, or around a part of them."""

    def __init__(self, group: str, members: list[Placed]) -> None:
        self.group = group
        self.members = members
        self.left = min(one.left for one in members) - 8
        self.right = max(one.right for one in members) + 8
        self.top = min(one.top for one in members) - 15
        self.bottom = max(one.bottom for one in members) + 7

    def holds_only_members(self, by_layer: dict[int, list[Placed]]) -> bool:
        """Whether no box of another group stands inside."""
        first, last = self.members[0].layer, self.members[-1].layer
        for layer in range(first, last + 1):
            for one in by_layer[layer]:
                is_inside = one.left < self.right and one.right > self.left
                if is_inside and one.box.group != self.group:
                    return False
        return True

    def has_tensors(self) -> bool:
        """Whether there is more inside than operators."""
        return any(one.box.kind == "tensor" for one in self.members)

    def draw(self, canvas: Any) -> None:
        """The frame itself."""
        least = text_width(self.group, SIZE - 2) + 12
        width = max(self.right - self.left, least)
        height = self.bottom - self.top
        canvas.rect(self.left, self.top, width, height, *FRAME, 6.0)

    def draw_label(self, canvas: Any) -> None:
        """The name of the group in the upper left corner."""
        width = text_width(self.group, SIZE - 2) + 6
        canvas.rect(self.left + 3, self.top + 2, width, 11, FRAME[0])
        canvas.text(self.left + 6, self.top + 10.5, self.group, SIZE - 2, QUIET)


def _frames(placed: Sequence[Placed]) -> list[Frame]:
    """Frames for all groups: each as few as can be without others between the members."""
    by_layer: dict[int, list[Placed]] = {}
    groups: dict[str, dict[int, list[Placed]]] = {}
    for one in sorted(placed, key=lambda one: one.layer):
        by_layer.setdefault(one.layer, []).append(one)
        if one.box.group:
            rows = groups.setdefault(one.box.group, {})
            rows.setdefault(one.layer, []).append(one)
    found: list[Frame] = []
    for group, rows in groups.items():
        frames: list[Frame] = []
        for row in rows.values():
            wider = Frame(group, frames[-1].members + row) if frames else Frame(group, row)
            if frames and wider.holds_only_members(by_layer):
                frames[-1] = wider
            elif Frame(group, row).holds_only_members(by_layer):
                frames.append(Frame(group, row))
            else:
                frames += [Frame(group, [one]) for one in row]
        telling = [frame for frame in frames if frame.has_tensors()]
        found += telling or frames  # a frame for a lone operator would only be in the way
    return found

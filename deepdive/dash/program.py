"""The picture of a compiled program: what is fused stands in one box, step by step.

A group is laid out by itself; then groups and what they share are laid out like the boxes of any
other graph.  What only one group reads stands inside it.  White values lie in memory, the yellow
ones never leave the registers; blue is what comes from outside.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from deepdive.dash.font import text_width
from deepdive.dash.graph_layout import Edge, Layout, Point, layout
from deepdive.dash.graph_paint import (
    FRAME,
    MARGIN,
    QUIET,
    SIZE,
    Placed,
    box_size,
    draw_box,
    draw_edge,
    fitting_scale,
)
from deepdive.dash.picture import Box
from deepdive.dash.picture_file import CANVASES, format_of, save_picture

PAD, TITLE = 14.0, 16.0  # around what stands in a group, and above it
GAP = (30.0, 44.0)  # between groups of a layer, and between layers
LONGEST = 40  # letters of a line


def draw_program(
    drawn: Any, path: str | os.PathLike[str] | None = None, format: str | None = None
) -> str:
    """Draw a program; returns the file's path, or the SVG where there is no path.

    Args:
        drawn: its ``parts`` (name, text, shape, kind, is_stored, group), its ``edges`` and the
            titles of its ``groups``, as a compiled function's ``drawn()`` gives them.

    Raises:
        ArgumentError: for an unknown format, or where the file cannot be written.
    """
    if path is None and format is None:
        return paint_program(drawn, "svg").decode()
    kind = format_of(path or "program.svg", format)
    return save_picture(path or f"program.{kind}", paint_program(drawn, kind))


def paint_program(drawn: Any, kind: str = "svg") -> bytes:
    """The picture as the bytes of a file of this kind, ``"png"`` or ``"svg"``."""
    plan = Arrangement(drawn)
    width, height = plan.size
    canvas = CANVASES[kind](width, height, fitting_scale(kind, width, height))
    for edge in plan.outer_edges:
        edge.draw(canvas)
    for group in plan.groups:
        group.draw(canvas)
    for edge in plan.inner_edges:
        edge.draw(canvas)
    for part in sorted(plan.placed):
        box = plan.placed[part]
        draw_box(canvas, box)
    return bytes(canvas.encode())


class Arrow(NamedTuple):
    """An edge: the two boxes, and the points it passes."""

    start: Any
    end: Any
    route: list[Point]

    def draw(self, canvas: Any) -> None:
        """The curve and its head."""
        draw_edge(canvas, self.route, self.start, self.end)


class Frame:
    """A fused group: its title, what stands in it, and its place once that is known."""

    def __init__(
        self,
        title: str,
        members: list[int],
        boxes: list[Box],
        edges: list[Edge],
    ) -> None:
        number = {part: i for i, part in enumerate(members)}
        self.title = title
        self.members = members
        self.edges = [edge for edge in edges if number.keys() >= set(edge)]
        inside = [(number[a], number[b]) for a, b in self.edges]
        sizes = [box_size(boxes[part]) for part in members]
        self.plan: Layout = layout(sizes, inside)
        least = text_width(title, SIZE) + 16
        self.width = max(self.plan.width + 2 * PAD, least)
        self.height = self.plan.height + 2 * PAD + TITLE
        self.put((0.0, 0.0))

    def put(self, centre: Point) -> Point:
        """Take this place; gives where the layout inside starts."""
        self.x = centre[0] + MARGIN
        self.y = centre[1] + MARGIN
        self.left = self.x - self.width / 2
        self.right = self.x + self.width / 2
        self.top = self.y - self.height / 2
        self.bottom = self.y + self.height / 2
        start = self.x - self.plan.width / 2
        below = self.top + PAD + TITLE
        return start - MARGIN, below - MARGIN

    def draw(self, canvas: Any) -> None:
        """The box and its title; what stands inside is drawn on it."""
        canvas.rect(self.left, self.top, self.width, self.height, *FRAME, 6.0)
        canvas.text(self.left + 8, self.top + 14, self.title, SIZE, QUIET)


class Arrangement:
    """Where everything goes.

    Attributes:
        placed: the box of each part, by its number.
        groups: the frames of fused groups.
        inner_edges, outer_edges: between what stands in one frame, and between frames.
        size: width and height of the whole.
    """

    def __init__(self, drawn: Any) -> None:
        self.boxes = [_box_of(part) for part in drawn.parts]
        self.edges: list[Edge] = drawn.edges
        self.home = self._homes(drawn)
        self.placed: dict[int, Placed] = {}
        self.inner_edges: list[Arrow] = []
        self.outer_edges: list[Arrow] = []
        self.groups = self._frames(drawn.groups)
        self._place()

    def _homes(self, drawn: Any) -> dict[int, int | None]:
        """The group each part stands in: its own, or the only one that reads it."""
        home = {i: part.group for i, part in enumerate(drawn.parts)}
        readers: dict[int, set[int | None]] = {}
        for a, b in self.edges:
            readers.setdefault(a, set()).add(home[b])
        for part, groups in readers.items():
            if home[part] is None and len(groups) == 1:
                home[part] = groups.pop()
        return home

    def _frames(self, titles: list[str]) -> list[Frame]:
        members: list[list[int]] = [[] for _ in titles]
        for part, group in self.home.items():
            if group is not None:
                members[group].append(part)
        return [
            Frame(title, inside, self.boxes, self.edges)
            for title, inside in zip(titles, members, strict=True)
        ]

    def _place(self) -> None:
        """Lay out frames and lone parts, then put inside each frame what belongs there."""
        lone = [part for part, group in self.home.items() if group is None]
        place = {part: group for part, group in self.home.items() if group is not None}
        for i, part in enumerate(lone, len(self.groups)):
            place[part] = i
        pairs = [(place[a], place[b]) for a, b in self.edges]
        between = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
        sizes = [(frame.width, frame.height) for frame in self.groups]
        sizes += [box_size(self.boxes[part]) for part in lone]
        plan = layout(sizes, between, gap=GAP)
        self.size = (plan.width + 2 * MARGIN, plan.height + 2 * MARGIN)
        for frame, centre in zip(self.groups, plan.centres, strict=False):
            start = frame.put(centre)
            self._fill(frame, start)
        for part in lone:
            centre = plan.centres[place[part]]
            self.placed[part] = Placed(self.boxes[part], centre, 0)
        ends: list[Any] = list(self.groups)
        ends += [self.placed[part] for part in lone]
        for (a, b), route in zip(between, plan.routes, strict=True):
            arrow = Arrow(ends[a], ends[b], route)
            self.outer_edges.append(arrow)

    def _fill(self, frame: Frame, corner: Point) -> None:
        def moved(point: Point) -> Point:
            x, y = point
            return x + corner[0], y + corner[1]

        for part, centre in zip(frame.members, frame.plan.centres, strict=True):
            box = self.boxes[part]
            self.placed[part] = Placed(box, moved(centre), 0)
        for (a, b), route in zip(frame.edges, frame.plan.routes, strict=True):
            start, end = self.placed[a], self.placed[b]
            arrow = Arrow(start, end, list(map(moved, route)))
            self.inner_edges.append(arrow)


def _box_of(part: Any) -> Box:
    """How a part looks: rounded where it never leaves the registers, blue from outside."""
    lines = [_short(part.text)] if part.text else []
    lines.append(_short(part.shape))
    is_kept = part.is_stored or part.kind != "value"
    kind = "tensor" if is_kept else "operator"
    box = Box(kind, lines, name=part.name)
    box.is_leaf = part.kind != "value"
    return box


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

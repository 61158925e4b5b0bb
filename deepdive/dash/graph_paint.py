"""Paints a :class:`~deepdive.dash.picture.Picture` on a canvas of pixels or of SVG elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepdive.dash.font import text_width
from deepdive.dash.graph_layout import Layout, layout
from deepdive.dash.picture import Box, Picture
from deepdive.dash.picture_file import CANVASES

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


def scale_for(kind: str) -> float:
    """Pixels per point: 2 for pixels, so that letters are sharp."""
    return 2.0 if kind == "png" else 1.0


def paint(picture: Picture, kind: str = "png", scale: float = 2.0) -> bytes:
    """The picture as the bytes of a file of this kind, ``"png"`` or ``"svg"``."""
    sizes = [box_size(box) for box in picture.boxes]
    plan = layout(sizes, picture.edges, groups=[box.group for box in picture.boxes])
    width, height = plan.width + 2 * MARGIN, plan.height + 2 * MARGIN
    if kind == "png":
        scale = min(scale, (MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))
    canvas = CANVASES[kind](width, height, scale)
    labels = _frames(canvas, picture, plan, sizes)
    for (a, b), route in zip(picture.edges, plan.routes, strict=True):
        _edge(canvas, route, sizes[a][1] / 2, sizes[b][1] / 2)
    for box, centre, size in zip(picture.boxes, plan.centres, sizes, strict=True):
        _box(canvas, box, centre, size)
    for x, y, label in labels:  # above the edges, so that these do not strike them through
        canvas.rect(x + 3, y + 2, text_width(label, SIZE - 2) + 6, 11, FRAME[0])
        canvas.text(x + 6, y + 10.5, label, SIZE - 2, QUIET)
    return canvas.encode()


def box_size(box: Box) -> tuple[float, float]:
    """Width and height a box needs for its text."""
    widest = max(text_width(line, SIZE) for line in [box.name, *box.lines])
    mark = text_width(" grad", SIZE) + 4 if box.has_grad else 0.0
    count = len(box.lines) + bool(box.name)
    padding = 26.0 if box.kind == "operator" else 20.0
    return max(widest + mark + padding, 44.0), count * LINE + 10


def _box(canvas: Any, box: Box, centre: tuple[float, float], size: tuple[float, float]) -> None:
    (x, y), (width, height) = centre, size
    x, y = x + MARGIN, y + MARGIN
    is_operator = box.kind == "operator"
    fill, edge = OPERATOR if is_operator else LEAF if box.is_leaf else RESULT
    if not is_operator and not box.is_alive:
        fill, edge = GONE
    radius = height / 2 if is_operator else 3.0
    canvas.rect(x - width / 2, y - height / 2, width, height, fill, edge, radius, 1.1)
    lines = [(box.name, True)] * bool(box.name) + [(line, False) for line in box.lines]
    base = y - (len(lines) - 1) * LINE / 2 + SIZE * 0.36
    for i, (line, bold) in enumerate(lines):
        color = INK if bold or is_operator else QUIET
        last = i == len(lines) - 1
        shift = (text_width(" grad", SIZE) + 2) / 2 if box.has_grad and last else 0.0
        canvas.text(x - shift, base + i * LINE, line, SIZE, color, "middle", bold)
        if shift:
            right = x - shift + text_width(line, SIZE) / 2
            canvas.text(right + 6, base + i * LINE, "grad", SIZE, GREEN)


def _edge(
    canvas: Any, route: Sequence[tuple[float, float]], start_half: float, end_half: float
) -> None:
    """A curve that leaves and arrives vertically, with an arrow head."""
    down = 1.0 if route[-1][1] >= route[0][1] else -1.0
    points = [(x + MARGIN, y + MARGIN) for x, y in route]
    points[0] = points[0][0], points[0][1] + down * start_half
    tip = points[-1][0], points[-1][1] - down * end_half
    points[-1] = tip[0], tip[1] - down * (ARROW - 1)
    path = [points[0]]
    for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
        bend = (by - ay) / 2
        path += [(ax, ay + bend), (bx, by - bend), (bx, by)]
    canvas.curve(path, EDGE, 1.2)
    base = tip[1] - down * ARROW
    canvas.polygon([tip, (tip[0] - ARROW / 2, base), (tip[0] + ARROW / 2, base)], EDGE)


def _frames(
    canvas: Any, picture: Picture, plan: Layout, sizes: Sequence[tuple[float, float]]
) -> list[tuple[float, float, str]]:
    """A frame around the boxes of each group, in parts where others stand between; the labels."""
    labels = []
    groups: dict[str, list[int]] = {}
    for i, box in enumerate(picture.boxes):
        if box.group is not None:
            groups.setdefault(box.group, []).append(i)
    by_layer: dict[int, list[int]] = {}
    for i, layer in enumerate(plan.layers):
        by_layer.setdefault(layer, []).append(i)
    for group, members in groups.items():
        for part in _parts(group, members, picture, plan, sizes, by_layer):
            left, top, right, bottom = _bounds(part, plan, sizes)
            x, y = left + MARGIN - 8, top + MARGIN - 15
            wide = max(right - left + 16, text_width(group, SIZE - 2) + 12)
            canvas.rect(x, y, wide, bottom - top + 22, *FRAME, 6.0, 1.0)
            labels.append((x, y, group))
    return labels


def _parts(
    group: str,
    members: list[int],
    picture: Picture,
    plan: Layout,
    sizes: Sequence[tuple[float, float]],
    by_layer: dict[int, list[int]],
) -> list[list[int]]:
    """The members in runs of layers whose common frame holds nobody else."""

    def is_ours(part: list[int]) -> bool:
        left, _, right, _ = _bounds(part, plan, sizes)
        layers = range(plan.layers[part[0]], plan.layers[part[-1]] + 1)
        return not any(
            picture.boxes[i].group != group
            and left - 8 < plan.centres[i][0] + sizes[i][0] / 2
            and plan.centres[i][0] - sizes[i][0] / 2 < right + 8
            for layer in layers
            for i in by_layer[layer]
        )

    rows: dict[int, list[int]] = {}
    for member in sorted(members, key=plan.layers.__getitem__):
        rows.setdefault(plan.layers[member], []).append(member)
    parts: list[list[int]] = []
    for row in rows.values():
        if parts and is_ours(parts[-1] + row):
            parts[-1] += row
        else:
            parts += [row] if is_ours(row) else [[member] for member in row]
    return parts


def _bounds(
    boxes: list[int], plan: Layout, sizes: Sequence[tuple[float, float]]
) -> tuple[float, float, float, float]:
    left = min(plan.centres[i][0] - sizes[i][0] / 2 for i in boxes)
    right = max(plan.centres[i][0] + sizes[i][0] / 2 for i in boxes)
    top = min(plan.centres[i][1] - sizes[i][1] / 2 for i in boxes)
    bottom = max(plan.centres[i][1] + sizes[i][1] / 2 for i in boxes)
    return left, top, right, bottom

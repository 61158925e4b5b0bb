"""Pictures of computational graphs, drawn in Python alone: PNG, SVG, or text for Graphviz.

A tensor is a box (its name, shape, dtype unless float32, and whether it has a gradient), an
operator a rounded node.  :func:`picture_of` is the only function that knows how the core records
a graph; everything else works on the neutral :class:`Picture`.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from deepdive.dash.graph_paint import paint
from deepdive.dash.picture import Box, Picture, to_dot
from deepdive.dash.picture_file import format_of, save_picture
from deepdive.errors import GraphError

DETAILED = 300  # up to so many boxes every tensor is shown
DRAWN = 1_500  # above that, operators of one kind become one node


Names = dict[int, tuple[str, str | None]]  # by a tensor's id: its name and its module


def draw_graph(
    tensor: Any,
    namespace: Mapping[str, Any] | None = None,
    path: str | os.PathLike[str] = "graph.png",
    format: str | None = None,
) -> str:
    """Draws how `tensor` was computed, before or after ``backward``; returns the file's path.

    Args:
        tensor: where to start; everything it was computed from is drawn.
        namespace: names for the tensors, usually ``locals()``; a module in it names its parameters.
        path: the file; written whole or not at all.
        format: ``"png"``, ``"svg"`` or ``"dot"``; by default what the path ends with.

    Raises:
        GraphError: if the tensor has no history.
        ArgumentError: for an unknown format.
    """
    kind = format_of(path, format, ("png", "svg", "dot"))
    picture = simplified(picture_of(tensor, namespace))
    if kind == "dot":
        return save_picture(path, to_dot(picture).encode())
    return save_picture(path, paint(picture, kind))


def picture_of(tensor: Any, namespace: Mapping[str, Any] | None = None) -> Picture:
    """The graph behind a tensor as boxes and edges, oldest first.

    Raises:
        GraphError: if the tensor has no history.
    """
    root = tensor._skeleton or tensor._node
    if root is None:
        raise GraphError(
            "draw_graph: this tensor tracks no gradient, so nothing was recorded",
            got=f"a tensor of shape {tuple(tensor.shape)}",
            fix="compute it from a tensor with requires_grad=True, outside no_grad()",
        )
    names = named(namespace or {})
    picture, tensor_box = Picture(), {}
    private: set[Box] = set()  # parameters, and these transposed or reshaped
    for node in _all_nodes(root):
        output = tensor if node is root else node.output()
        box = tensor_box[id(node)] = _tensor_box(node, output, names)
        if node.operator is None:
            picture.add(box)
            private.update([box] if box.group else ())
            continue
        before = [tensor_box[id(parent)] for parent in node.parents if parent is not None]
        group = _group_of(before, private)
        operator = picture.add(Box("operator", [_operator_name(node.operator)], group))
        if len(before) == 1 and private.issuperset(before) and _same_size(node):
            box.group = group
            private.add(box)
        picture.add(box)
        for parent in before:
            picture.link(parent, operator)
        picture.link(operator, box)
    _inherit_groups(picture)
    return picture


def _all_nodes(root: Any) -> list[Any]:
    """Every node once, parents before children (a node is younger than its parents)."""
    seen, todo = {id(root): root}, [root]
    while todo:
        for parent in todo.pop().parents:
            if parent is not None and id(parent) not in seen:
                seen[id(parent)] = parent
                todo.append(parent)
    return sorted(seen.values(), key=lambda node: node.index)


def _operator_name(operator: Any) -> str:
    return str(getattr(operator, "name", None) or type(operator).__name__)


def named(namespace: Mapping[str, Any]) -> Names:
    """For each tensor's id its name, and the module it belongs to; the first name wins."""
    found: Names = {}
    for name, value in namespace.items():
        if hasattr(value, "_node") and not name.startswith("_"):
            found.setdefault(id(value), (name, None))
    for name, value in namespace.items():
        if callable(getattr(type(value), "named_parameters", None)):
            for path, parameter in value.named_parameters():
                module = f"{name}.{path}".rpartition(".")[0]
                found.setdefault(id(parameter), (path, module))
    return found


def _tensor_box(node: Any, tensor: Any, names: Names) -> Box:
    name, group = names.get(id(tensor), ("", None))
    facts = [str(tuple(node.shape)) if node.shape else "scalar"]
    dtype = node.dtype if tensor is None else tensor.dtype  # the node's is its gradient's
    if str(dtype) != "float32":
        facts.append(str(dtype))
    box = Box("tensor", [" ".join(facts)], group)
    box.name = name
    box.is_leaf = node.operator is None
    box.is_alive = tensor is not None
    box.has_grad = tensor is not None and getattr(tensor, "_grad", None) is not None
    return box


def _group_of(before: list[Box], private: set[Box]) -> str | None:
    """The module of an operator: that of the parameters it reads, if they agree."""
    groups = {box.group for box in before if box in private}
    return groups.pop() if len(groups) == 1 else None


def _same_size(node: Any) -> bool:
    """Whether the result has as many elements as the one input that is tracked."""
    (parent,) = (one for one in node.parents if one is not None)
    return math.prod(node.shape) == math.prod(parent.shape)


def _inherit_groups(picture: Picture) -> None:
    """A result read by an operator of the group it came from belongs to that group, too."""
    boxes = picture.boxes
    made_by = {b: boxes[a].group for a, b in picture.edges if boxes[b].kind == "tensor"}
    for a, b in picture.edges:
        if a in made_by and made_by[a] == boxes[b].group:
            boxes[a].group = made_by[a]


def simplified(picture: Picture) -> Picture:
    """The picture itself if it is small; else without nameless tensors; else counted by kind."""
    if len(picture.boxes) > DETAILED:
        picture = without_nameless(picture)
    return counted(picture) if len(picture.boxes) > DRAWN else picture


def without_nameless(picture: Picture) -> Picture:
    """Leaves out results that have no name: edges run from operator to operator."""
    boxes, small = picture.boxes, Picture()
    last = {a for a, _ in picture.edges}
    hidden = {
        i
        for i, box in enumerate(boxes)
        if box.kind == "tensor" and not box.is_leaf and not box.name and i in last
    }
    source = {b: a for a, b in picture.edges if b in hidden}
    for i, box in enumerate(boxes):
        if i not in hidden:
            small.add(box)
    for a, b in picture.edges:
        if b not in hidden:
            small.link(boxes[source.get(a, a)], boxes[b])
    return small


def counted(picture: Picture) -> Picture:
    """One node for all operators of a kind in a group, with their number."""

    def kind_of(box: Box) -> tuple[str, str, str | None]:
        label = box.lines[0] if box.kind == "operator" else "leaves" if box.is_leaf else "results"
        return box.kind, label, box.group

    kinds = [kind_of(box) for box in picture.boxes]
    small, new = Picture(), {}
    for found, count in Counter(kinds).items():
        kind, label, group = found
        new[found] = small.add(Box(kind, [label, f"× {count:,}"], group))
    pairs = dict.fromkeys((kinds[a], kinds[b]) for a, b in picture.edges)
    for a, b in pairs:
        if a != b:
            small.link(new[a], new[b])
    return small

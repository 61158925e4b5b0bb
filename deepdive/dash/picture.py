"""The neutral description of a graph: boxes and the edges between them; and its Graphviz text."""

from __future__ import annotations


class Box:
    """One node of a picture.

    Attributes:
        kind: ``"tensor"`` or ``"operator"``.
        lines: what is written in it, below `name`.
        group: the module it belongs to, or None.
        name: the heading, in bold.
        is_leaf, is_alive, has_grad: of a tensor: was it computed, is it still held, has it a
            gradient.
    """

    def __init__(
        self, kind: str, lines: list[str], group: str | None = None, name: str = ""
    ) -> None:
        self.kind = kind
        self.lines = lines
        self.group = group
        self.name = name
        self.is_leaf = False
        self.is_alive = True
        self.has_grad = False


class Picture:
    """Boxes, and edges as pairs of their numbers.

    >>> picture = Picture()
    >>> x = picture.add(Box("tensor", ["(3,)"], name="x"))
    >>> picture.link(x, picture.add(Box("operator", ["add"])))
    >>> print(to_dot(picture))
    digraph {
      node [fontname="Helvetica", fontsize=11]
      n0 [label="x\\n(3,)", shape=box]
      n1 [label="add", shape=ellipse]
      n0 -> n1
    }
    <BLANKLINE>
    """

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.edges: list[tuple[int, int]] = []
        self._numbers: dict[int, int] = {}

    def add(self, box: Box) -> Box:
        """Adds a box and returns it."""
        self._numbers[id(box)] = len(self.boxes)
        self.boxes.append(box)
        return box

    def link(self, a: Box, b: Box) -> None:
        """An edge from one box to another; both were added before."""
        self.edges.append((self._numbers[id(a)], self._numbers[id(b)]))


def to_dot(picture: Picture) -> str:
    """The picture as a Graphviz file; groups become clusters."""
    lines = ["digraph {", '  node [fontname="Helvetica", fontsize=11]']
    groups: dict[str | None, list[int]] = {}
    for i, box in enumerate(picture.boxes):
        groups.setdefault(box.group, []).append(i)
    for number, (group, members) in enumerate(groups.items()):
        if group is not None:
            lines.append(f"  subgraph cluster_{number} {{ label={_quoted(group)}")
        lines += [f"  {_dot_node(i, picture.boxes[i])}" for i in members]
        if group is not None:
            lines.append("  }")
    lines += [f"  n{a} -> n{b}" for a, b in picture.edges]
    return "\n".join([*lines, "}", ""])


def _dot_node(number: int, box: Box) -> str:
    label = [box.name] * bool(box.name) + box.lines + ["grad"] * box.has_grad
    shape = "box" if box.kind == "tensor" else "ellipse"
    return f"n{number} [label={_quoted(chr(10).join(label))}, shape={shape}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

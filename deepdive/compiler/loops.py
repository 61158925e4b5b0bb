"""The text of one nest of loops.

Axes that lie densely behind each other are one loop.  Rows come outside, what they sum over
inside; a value that a later phase needs is stored and read again.  The softmax of 64 rows::

    for i in range(lo, hi):
        v1_ = f(-inf)
        for j in range(10):                         # phase 0
            v1_ = larger(v1_, F[v0 + i * 10 + j])
        v3_ = f(0)
        for j in range(10):                         # phase 1: needs the maximum
            v2_ = exp(F[v0 + i * 10 + j] - v1_)
            F[v2 + i * 10 + j] = v2_
            v3_ += v2_
        for j in range(10):                         # phase 2: needs the sum
            F[v4 + i * 10 + j] = F[v2 + i * 10 + j] / v3_
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from deepdive.compiler import expressions
from deepdive.compiler.fuse import Group, Loop
from deepdive.compiler.graph import NUMBER, Value, typed
from deepdive.compiler.layout import Shape, contiguous
from deepdive.compiler.nodes import Node, Read
from deepdive.compiler.text import LETTERS, Term, block_bounds, bounds_of, joined, total_of

ADDED = ("sum", "scatter")  # the reductions that add; the others keep the larger or smaller
# Loops of constant counts from LEAST (with such words: from LEAST_HEAVY) to MOST would be written
# out by LLVM instead of made vectors of: measured, up to ten times as long.
HEAVY = frozenset(("exp", "log", "tanh", "erf", "sigmoid", "divide", "sqrt"))
LEAST_HEAVY, LEAST, MOST = 4, 8, 64


class Axes(NamedTuple):
    """Axes that one ``for`` runs through: how many indices, and the innermost of them."""

    extent: int
    axis: int


class LoopText:
    """Writes one nest of loops: its `lines`."""

    def __init__(self, program: Any, group: Group, loop: Loop) -> None:
        self.program = program
        self.group = group
        self.loop = loop
        self.lines: list[str] = []
        self.strides = list(self._strides())
        self.pinned = self._pinned()
        split = loop.split or 0
        self.rows = self._merged(0, split)
        self.inner = self._merged(split, len(loop.space))
        together = enumerate([*self.rows, *self.inner])
        self.variables = {axes.axis: LETTERS[i] for i, axes in together}
        self.gathered: list[Node] = []
        self._write()

    # --- which axes are one loop ----------------------------------------------------------------
    def _strides(self) -> Iterator[Shape]:
        """The strides of everything read and written, for each axis of the loop."""
        rank = len(self.loop.space)
        for node in self.loop.nodes:
            for operand, read in node.reads.items():
                strides = read.strides
                if self._is_picked(node, operand):  # moves with the last axes only
                    strides = _rest(node, read)
                    strides = (0,) * (len(node.space) - len(strides)) + strides
                yield strides + (0,) * (rank - len(strides))
            written = node.store.strides
            yield written + (0,) * (rank - len(written))

    @staticmethod
    def _is_picked(node: Node, operand: Value) -> bool:
        return node.value.word == "pick" and operand is node.value.arguments["x"]

    def _pinned(self) -> set[int]:
        """Axes whose own index is looked at: those along which a value is set among zeros."""
        found: set[int] = set()
        for node in self.loop.nodes:
            if node.kind == "partial" and not any(node.store.strides):
                found.add(0)  # a sum of everything keeps its rows apart: shorter sums err less
            if node.value.word == "placed":
                found |= {axis for axis, _, _ in bounds_of(node.value)}
        return found

    def _merged(self, start: int, end: int) -> list[Axes]:
        """Axes start … end with dense neighbours taken together."""
        merged: list[Axes] = []
        for axis in range(start, end):
            extent = self.loop.space[axis]
            if merged and self._dense(merged[-1].axis, axis):
                extent *= merged.pop().extent
            merged.append(Axes(extent, axis))
        return merged

    def _dense(self, outer: int, inner: int) -> bool:
        """Whether one step along `outer` is as far as all steps along `inner`, everywhere."""
        if {outer, inner} & self.pinned:
            return False
        extent = self.loop.space[inner]
        return all(s[outer] == s[inner] * extent for s in self.strides)

    # --- the nest -------------------------------------------------------------------------------
    def _write(self) -> None:
        """Loops over rows; in them phase by phase what has one value a row, then the elements."""
        indent = self._nest(self.rows, "", first=True)
        last = max((node.phase for node in self.loop.nodes), default=0)
        for phase in range(last + 1):
            nodes = [node for node in self.loop.nodes if node.phase == phase]
            for node in nodes:
                if self.loop.is_row(node):
                    self._statement(node, indent)
            elements = [node for node in nodes if not self.loop.is_row(node)]
            if elements:
                self._phase(elements, indent)

    def _phase(self, nodes: list[Node], indent: str) -> None:
        """One run over the elements: sums start before it, and are stored behind it."""
        sums = [node for node in nodes if node.kind == "reduce"]
        for node in sums:
            self._start(node, indent)
        self._elements(nodes, indent)
        for node in sums:
            if node.value in self.program.plan.stored:
                self._store(node, indent)

    def _elements(self, nodes: list[Node], indent: str) -> None:
        """The loops over elements; sums over the innermost axis are gathered in a register."""
        outer = self._nest(self.inner[:-1], indent, first=not self.rows)
        self.gathered = [node for node in nodes if self._gathers(node)]
        for node in self.gathered:
            self._start(node, outer)
        alone = not self.rows and len(self.inner) == 1
        inner = self._nest(self.inner[-1:], outer, first=alone, heavy=self._is_heavy(nodes))
        for node in nodes:
            self._statement(node, inner)
        for node in self.gathered:
            self._add(node, self._own_sum(node), self._name(node.value), outer)

    @staticmethod
    def _is_heavy(nodes: list[Node]) -> bool:
        """Whether an element takes so much that even a few should be a vector."""
        return any(node.value.word in HEAVY for node in nodes)

    def _nest(self, nest: list[Axes], indent: str, first: bool, heavy: bool | None = None) -> str:
        """The heads of loops, `first` over the rows of this block; the indent inside them.

        The innermost one (`heavy` or not) has a hidden count if LLVM would write it out.
        """
        for extent, axis in nest:
            bounds = str(extent)
            if heavy is not None and (LEAST_HEAVY if heavy else LEAST) <= extent < MOST:
                bounds = f"few({extent})"
            if first and self.group.rows > 1:
                bounds = block_bounds(extent, self.group.rows)
            self.lines.append(f"{indent}for {self.variables[axis]} in range({bounds}):")
            indent += "    "
            first = False
        return indent

    def _gathers(self, node: Node) -> bool:
        """Whether a sum per thread stays in place along the innermost loop."""
        if node.kind != "partial" or node.value.word == "scatter" or not self.inner:
            return False
        axis = self.inner[-1].axis
        return not any(node.store.strides[axis : axis + 1])

    # --- statements -----------------------------------------------------------------------------
    def _statement(self, node: Node, indent: str) -> None:
        """What is done about `node` at one index."""
        if node.kind == "dealt":
            self._deal(node, indent)
        elif node.kind in ("reduce", "partial"):
            x = self._operand(node, node.value.arguments["x"])[0]
            in_memory = node.kind == "partial" and node not in self.gathered
            target = self._own_sum(node) if in_memory else self._name(node.value)
            self._add(node, target, x, indent)
        else:
            name = self._name(node.value)
            self.lines.append(f"{indent}{name} = {self._text(node)}{_comment(node)}")
            if node.value in self.program.plan.stored:
                self._store(node, indent)

    def _text(self, node: Node) -> str:
        """The right side of an assignment."""
        value = node.value
        if node.kind == "total":
            return self._total(node)
        if value.word == "pick":
            return self._pick(node)
        if value.word == "reshape":
            return self._operand(node, value.arguments["x"])[0]
        if value.word == "placed":
            return self._placed(node)
        return expressions.expression(value, lambda operand: self._operand(node, operand))

    def _start(self, node: Node, indent: str) -> None:
        """``v3_ = f(0)``: a register to sum in."""
        start = expressions.STARTS[node.value.word]
        self.lines.append(f"{indent}{self._name(node.value)} = f({start})")

    def _add(self, node: Node, target: str, text: str, indent: str) -> None:
        """``target += text``, or the larger or smaller of both."""
        change = f"+= {text}"
        if node.value.word not in ADDED:
            change = f"= {_better(node.value)}({target}, {text})"
        self.lines.append(f"{indent}{target} {change}{_comment(node)}")

    def _store(self, node: Node, indent: str) -> None:
        """``F[v2 + i * 10 + j] = v2_``."""
        text = self._name(node.value)
        if node.value.dtype.name == "bool":
            text = f"1 if {text} else 0"
        place = self._in_memory(node.value, self._index(node.store))
        self.lines.append(f"{indent}{place} = {text}")

    def _deal(self, node: Node, indent: str) -> None:
        """Store one element of each array at its place in the window."""
        value = node.value
        size = value.arguments["size"]
        steps = contiguous(value.shape)[-len(size) :]
        index = self._index(node.store)
        windows = np.ndindex(*size)
        for operand, window in zip(value.arguments["arrays"], windows, strict=True):
            text = self._operand(node, operand)[0]
            shift = sum(map(mul, window, steps))
            place = self._in_memory(value, index, str(shift))
            self.lines.append(f"{indent}{place} = {text}")

    def _total(self, node: Node) -> str:
        """The sum of what the threads summed."""
        value = node.value
        size = math.prod(value.shape)
        index = self._index(node.store)
        start = f"{self.program.names[value]}_part"
        text = ""
        for thread in range(self.program.threads):
            part = self._float(f"{start} + {thread * size}", index)
            if not text:
                text = part
            elif value.word in ADDED:
                text = f"{text} + {part}"
            else:
                text = f"{_better(value)}({text}, {part})"
        return text

    def _placed(self, node: Node) -> str:
        """``x if 3 <= j < 5 else f(0)``: an array among zeros."""
        x = self._operand(node, node.value.arguments["x"])[0]
        tests = [
            f"{low} <= {self.variables[axis]} < {high}" for axis, low, high in bounds_of(node.value)
        ]
        return f"{x} if {' and '.join(tests)} else f(0)" if tests else x

    def _pick(self, node: Node) -> str:
        """``x[i, t[i]]``: an element at an index read from elsewhere."""
        x, index = node.value.arguments["x"], node.value.arguments["index"]
        read = node.reads[x]
        pointer, offset = self.program.use_base(read.base)
        terms = [offset] if offset else []
        if read.offset:
            terms.append(str(read.offset))
        for part, stride, extent in zip(index, read.strides, x.shape, strict=False):
            text = self._operand(node, part)[0]
            if part.word != "arange":
                text = f"(({text} + {extent}) % {extent})"  # negative ones count from the end
            terms.append(text if stride == 1 else f"{text} * {stride}")
        rest = _rest(node, read)
        first = len(self.loop.space) - len(rest)
        for axis, letter in self.variables.items():
            if axis >= first:
                terms.append(f"{letter} * {rest[axis - first]}")
        return f"{pointer}[{' + '.join(terms)}]"

    # --- operands -------------------------------------------------------------------------------
    def _name(self, value: Value) -> str:
        """The register of a value."""
        return f"{self.program.names[value]}_"

    def _index(self, read: Read) -> str:
        """``i * 128 + j``: the element a read is at."""
        terms: list[Term] = [read.offset]
        for axis, letter in self.variables.items():
            if axis < len(read.strides):
                terms.append((letter, read.strides[axis]))
        return total_of(terms)

    def _in_memory(self, value: Value, *index: str) -> str:
        """``F[v2 + i * 128 + j]``: an element of memory."""
        pointer, offset = self.program.use_base(value)
        return f"{pointer}[{joined(offset, *index)}]"

    def _float(self, *index: str) -> str:
        """An element of the memory of floats."""
        self.program.used["F"] = "F = floats(memory[0])"
        return f"F[{joined(*index)}]"

    def _own_sum(self, node: Node) -> str:
        """Where this thread sums what `node` sums."""
        value = node.value
        start = f"{self.program.names[value]}_part"
        own = f"thread * {math.prod(value.shape)}"
        index = self._index(node.store)
        if value.word == "scatter":
            count = value.shape[0]
            row = self._operand(node, value.arguments["index"])[0]
            row = f"(({row} + {count}) % {count})"  # negative ones count from the end
            index = f"{row} * {math.prod(value.shape[1:])} + {index}"
        return self._float(start, own, index)

    def _operand(self, node: Node, operand: Value) -> tuple[str, str]:
        """The text of an operand, and its dtype: a number, a register or an element."""
        if operand.dtype is NUMBER:
            return self.program.number(operand), "float32"
        read = node.reads[operand]
        if self._in_register(node, read.base):
            text = self._name(read.base)
        else:
            text = self._element(read)
        return text, operand.dtype.name

    def _in_register(self, node: Node, base: Value) -> bool:
        """Whether a value made in this loop is at hand where `node` is computed."""
        for maker in self.loop.nodes:
            if maker.value is base:
                lasts = maker.kind == "reduce" or self.loop.is_row(maker)
                return maker.kind != "partial" and (lasts or maker.phase == node.phase)
        return False

    def _element(self, read: Read) -> str:
        """The text of one element of an array in memory, or made up on the spot."""
        base = read.base
        index = self._index(read)
        if base.word in expressions.VIRTUAL:
            return self._made_up(base, index)
        text = self._in_memory(base, index)
        return f"({text} != 0)" if base.dtype.name == "bool" else text

    def _made_up(self, base: Value, index: str) -> str:
        """An element of zeros, ones, one number, or counting."""
        if base.word == "arange":
            return _counted(base, index)
        number = {"zeros": 0, "ones": 1}.get(base.word, base.arguments.get("value"))
        if isinstance(number, Value):
            return str(self.program.number(number))
        return expressions.literal(number, base.dtype.name)


def _rest(node: Node, read: Read) -> Shape:
    """The strides of a picked array along the axes no index is for, those of extent 1 left out."""
    count = len(node.value.arguments["index"])
    extents = node.value.arguments["x"].shape[count:]
    return tuple(s for n, s in zip(extents, read.strides[count:], strict=True) if n != 1)


def _counted(arange: Value, index: str) -> str:
    """``start + index * step``, in the dtype of the range."""
    start, step = arange.arguments["start"], arange.arguments["step"]
    if arange.arguments["stop"] is None:  # arange(n)
        start = 0
    text = index if (start, step) == (0, 1) else f"{start} + ({index}) * {step}"
    return f"({text})" if arange.dtype.kind == "i" else f"f({text})"


def _better(value: Value) -> str:
    return "larger" if value.word == "max" else "smaller"


def _comment(node: Node) -> str:
    return f"  # {node.value.word} {typed(node.value)}"

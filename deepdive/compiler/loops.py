"""The text of one nest of loops.

Axes that lie densely behind each other are one loop.  Rows come outside, what they sum over
inside; a value that a later phase needs is stored and read again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepdive.compiler import expressions
from deepdive.compiler.fuse import Group, Loop
from deepdive.compiler.graph import NUMBER, Value, typed
from deepdive.compiler.layout import contiguous
from deepdive.compiler.nodes import Node, Read
from deepdive.compiler.text import LETTERS, bounds_of, total_of


class LoopText:
    """Writes one nest of loops."""

    def __init__(self, program: Any, group: Group, loop: Loop) -> None:
        self.program, self.group, self.loop = program, group, loop
        self.lines: list[str] = []
        rank = len(loop.space)
        self.split = rank if loop.split is None else loop.split
        self.rows, self.inner = self._merged(0, self.split), self._merged(self.split, rank)
        if loop.split is None:
            self.rows, self.inner = [], self.rows
        self._write()

    def _accesses(self) -> list[tuple[int, ...]]:
        found = []
        for node in self.loop.nodes:
            if node.value.word == "pick":
                x, rank = node.value.arguments["x"], len(node.space)
                found += [r.strides for v, r in node.reads.items() if v is not x]
                rest = node.reads[x].strides[len(node.value.arguments["index"]) :]
                found.append((0,) * (rank - len(rest)) + rest)
            else:
                found += [read.strides for read in node.reads.values()]
            found.append(node.store.strides)
        rank = len(self.loop.space)
        return [s + (0,) * (rank - len(s)) for s in found]

    def _pinned(self) -> set[int]:
        """Axes whose own index is looked at: those along which a value is set among zeros."""
        found: set[int] = set()
        for node in self.loop.nodes:
            if node.kind == "partial" and not any(node.store.strides):
                found.add(0)  # a sum of everything keeps its rows apart: shorter sums err less
            if node.value.word == "placed":
                found |= {axis for axis, _, _ in bounds_of(node.value)}
        return found

    def _merged(self, start: int, end: int) -> list[tuple[int, int]]:
        """Axes start … end with dense neighbours taken together: (extent, innermost axis)."""
        merged: list[tuple[int, int]] = []
        accesses, pinned = self._accesses(), self._pinned()
        for axis in range(start, end):
            extent = self.loop.space[axis]
            dense = all(s[merged[-1][1]] == s[axis] * extent for s in accesses) if merged else False
            if dense and not {merged[-1][1], axis} & pinned:
                merged[-1] = (merged[-1][0] * extent, axis)
            else:
                merged.append((extent, axis))
        return merged

    def _write(self) -> None:
        axes = [*self.rows, *self.inner]
        self.variables = {axis: LETTERS[i] for i, (_, axis) in enumerate(axes)}
        indent = self._nest(self.rows, "", first=True)
        phases = max((node.phase for node in self.loop.nodes), default=0)
        for phase in range(phases + 1):
            nodes = [node for node in self.loop.nodes if node.phase == phase]
            rows = [node for node in nodes if self.loop.is_row(node)]
            full = [node for node in nodes if not self.loop.is_row(node)]
            self.known: dict[Any, str] = {}
            for node in rows:
                self._statement(node, indent, len(self.rows))
            if not full:
                continue
            for node in full:
                if node.kind == "reduce":
                    name = self.program.names[node.value]
                    start = expressions.STARTS[node.value.word]
                    self.lines.append(f"{indent}{name}_ = f({start})")
            self._inner_loops(full, indent, len(axes))
            for node in full:
                if node.kind == "reduce" and node.value in self.program.plan.stored:
                    self._store(node, f"{self.program.names[node.value]}_", indent)

    def _inner_loops(self, full: list[Node], indent: str, depth: int) -> None:
        """The loops over elements; sums over the innermost axis are gathered in a register."""
        outer = self._nest(self.inner[:-1], indent, first=not self.rows)
        self.gathered = [node for node in full if self._gathers(node)]
        for node in self.gathered:
            start = expressions.STARTS[node.value.word]
            self.lines.append(f"{outer}{self.program.names[node.value]}_ = f({start})")
        alone = not self.rows and len(self.inner) == 1
        inner = self._nest(self.inner[-1:], outer, first=alone)
        for node in full:
            self._statement(node, inner, depth)
        for node in self.gathered:
            self._add(node, self._partial_place(node), f"{self.program.names[node.value]}_", outer)

    def _gathers(self, node: Node) -> bool:
        if node.kind != "partial" or node.value.word == "scatter" or not self.inner:
            return False
        axis = self.inner[-1][1]
        return axis >= len(node.store.strides) or node.store.strides[axis] == 0

    def _partial_place(self, node: Node) -> str:
        """Where this thread sums what `node` sums."""
        value = node.value
        self.program.used["F"] = "F = floats(memory[0])"
        terms = [f"{self.program.names[value]}_part", f"thread * {math.prod(value.shape)}"]
        index = self._index(node.store)
        if value.word == "scatter":
            row = self._operand(node, value.arguments["index"])[0]
            index = f"{row} * {math.prod(value.shape[1:])} + {index}"
        return f"F[{' + '.join([*terms, *([index] if index != '0' else [])])}]"

    def _add(self, node: Node, target: str, text: str, indent: str) -> None:
        """``target += text``, or the larger or smaller of both."""
        comment = f"  # {node.value.word} {typed(node.value)}"
        if node.value.word in ("sum", "scatter"):
            self.lines.append(f"{indent}{target} += {text}{comment}")
        else:
            better = "larger" if node.value.word == "max" else "smaller"
            self.lines.append(f"{indent}{target} = {better}({target}, {text}){comment}")

    def _nest(self, axes: list[tuple[int, int]], indent: str, first: bool) -> str:
        for i, (extent, axis) in enumerate(axes):
            bounds = str(extent)
            if i == 0 and first and self.group.rows > 1:
                each = extent // self.group.rows
                bounds = "lo, hi" if each == 1 else f"lo * {each}, hi * {each}"
            self.lines.append(f"{indent}for {self.variables[axis]} in range({bounds}):")
            indent += "    "
        return indent

    def _index(self, read: Read) -> str:
        terms: list[Any] = [read.offset]
        for axis, letter in self.variables.items():
            if axis < len(read.strides):
                terms.append((letter, read.strides[axis]))
        return total_of(terms)

    def _element(self, read: Read) -> str:
        """The text of one element of an operand in memory, or made up on the spot."""
        base, index = read.base, self._index(read)
        arguments = base.arguments
        if base.word in ("zeros", "ones"):
            return expressions.literal(0 if base.word == "zeros" else 1, base.dtype.name)
        if base.word == "full":
            value = arguments["value"]
            if isinstance(value, Value):
                return self.program.number(value)
            return expressions.literal(value, base.dtype.name)
        if base.word == "arange":
            start, step = arguments["start"], arguments["step"]
            if arguments["stop"] is None:
                start = 0
            text = f"{start} + ({index}) * {step}" if (start, step) != (0, 1) else index
            return f"({text})" if base.dtype.kind == "i" else f"f({text})"
        pointer, offset = self.program.use_base(base)
        text = f"{pointer}[{total_of([(offset, 1) if offset else 0, (index, 1) if index != '0' else 0])}]"
        return f"({text} != 0)" if base.dtype.name == "bool" else text

    def _operand(self, node: Node, operand: Any) -> tuple[str, str]:
        if operand.dtype is NUMBER:
            return self.program.number(operand), "float32"
        read = node.reads[operand]
        dtype = operand.dtype.name
        maker = next((n for n in self.loop.nodes if n.value is read.base), None)
        if maker is not None and maker.kind not in ("partial",):
            name = self.program.names[read.base]
            if maker.kind == "reduce":
                return f"{name}_", dtype
            if self.loop.is_row(maker) or maker.phase == node.phase:
                return f"{name}_", dtype
        return self._element(read), dtype

    def _statement(self, node: Node, indent: str, depth: int) -> None:
        value = node.value
        name = f"{self.program.names[value]}_"
        comment = f"  # {value.word} {typed(value)}"
        if node.kind == "total":
            self._total(node, indent)
            return
        if node.kind in ("reduce", "partial"):
            text = self._operand(node, value.arguments["x"])[0]
            memory = node.kind == "partial" and node not in self.gathered
            self._add(node, self._partial_place(node) if memory else name, text, indent)
            return
        if node.kind == "dealt":
            self._deal(node, indent)
            return
        if value.word == "pick":
            text = self._pick(node)
        elif value.word == "reshape":
            text = self._operand(node, value.arguments["x"])[0]
        elif value.word == "placed":
            inside = " and ".join(
                f"{low} <= {self.variables[axis]} < {high}" for axis, low, high in bounds_of(value)
            )
            text = self._operand(node, value.arguments["x"])[0]
            text = f"{text} if {inside} else f(0)" if inside else text
        else:
            text = expressions.expression(value, lambda operand: self._operand(node, operand))
        self.lines.append(f"{indent}{name} = {text}{comment}")
        if value in self.program.plan.stored:
            self._store(node, name, indent)

    def _store(self, node: Node, text: str, indent: str) -> None:
        pointer, offset = self.program.use_base(node.value)
        index = self._index(node.store)
        place = total_of([(offset, 1) if offset else 0, (index, 1) if index != "0" else 0])
        if node.value.dtype.name == "bool":
            text = f"1 if {text} else 0"
        self.lines.append(f"{indent}{pointer}[{place}] = {text}")

    def _deal(self, node: Node, indent: str) -> None:
        """Store one element of each array at its place in the window."""
        value = node.value
        size = value.arguments["size"]
        steps = contiguous(value.shape)[-len(size) :]
        pointer, offset = self.program.use_base(value)
        index = self._index(node.store)
        places = np.ndindex(*size)
        for operand, place in zip(value.arguments["arrays"], places, strict=True):
            text = self._operand(node, operand)[0]
            shift = sum(p * s for p, s in zip(place, steps, strict=True))
            terms = [term for term in (offset, index, str(shift)) if term not in ("", "0")]
            self.lines.append(f"{indent}{pointer}[{' + '.join(terms) or '0'}] = {text}")

    def _total(self, node: Node, indent: str) -> None:
        """The sum of what the threads summed."""
        value = node.value
        size = math.prod(value.shape)
        index = self._index(node.store)
        self.program.used["F"] = "F = floats(memory[0])"
        tail = "" if index == "0" else f" + {index}"
        parts = [
            f"F[{self.program.names[value]}_part + {thread * size}{tail}]"
            for thread in range(self.program.threads)
        ]
        text = parts[0]
        for part in parts[1:]:
            if value.word in ("sum", "scatter"):
                text = f"{text} + {part}"
            else:
                text = f"{'larger' if value.word == 'max' else 'smaller'}({text}, {part})"
        name = f"{self.program.names[value]}_"
        self.lines.append(f"{indent}{name} = {text}  # {value.word} {typed(value)}")
        if value in self.program.plan.stored:
            self._store(node, name, indent)

    def _pick(self, node: Node) -> str:
        """``x[i, t[i]]``: an element at an index read from elsewhere."""
        x, index = node.value.arguments["x"], node.value.arguments["index"]
        read = node.reads[x]
        terms: list[str] = [str(read.offset)] if read.offset else []
        for part, stride, extent in zip(index, read.strides, x.shape, strict=False):
            text = self._operand(node, part)[0]
            if part.word != "arange":
                text = f"(({text} + {extent}) % {extent})"
            terms.append(text if stride == 1 else f"{text} * {stride}")
        extents = x.shape[len(index) :]
        rest = [s for n, s in zip(extents, read.strides[len(index) :], strict=True) if n != 1]
        first = len(self.loop.space) - len(rest)
        for axis, letter in self.variables.items():
            if axis >= first:
                terms.append(f"{letter} * {rest[axis - first]}")
        pointer, offset = self.program.use_base(read.base)
        return f"{pointer}[{' + '.join(([offset] if offset else []) + terms)}]"

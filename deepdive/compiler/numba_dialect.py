"""Generated loops: a program of plain Python that Numba compiles.

Each group of loops is a function over a block of rows; ``work`` runs on every thread, takes turns
with the blocks of each level, and waits for the others at its end.  All intermediate values lie
in one piece of memory per dtype at fixed offsets.
"""

from __future__ import annotations

import math
from operator import is_
from typing import Any

import numpy as np

from deepdive.backend import numpy_cpu
from deepdive.compiler import expressions, geometry
from deepdive.compiler.fuse import Group, Loop, Node, Plan, Product, Read
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value, typed
from deepdive.compiler.layout import contiguous

ARENAS = {"float32": "F", "int64": "L", "int32": "I", "uint32": "U", "bool": "B"}
POINTERS = {"float32": "floats", "int64": "longs", "int32": "ints", "uint32": "uints"}
LETTERS = "ijklmn"
ALIGNMENT = 16  # elements
CACHE = 256 * 1024  # bytes a block of rows may touch


class Program:
    """Writes the source of a plan."""

    def __init__(self, plan: Plan, threads: int) -> None:
        self.plan = plan
        self.threads = threads
        self.names = plan.graph.names()
        self.sizes: dict[str, int] = dict.fromkeys(ARENAS, 0)
        self.offsets: dict[Value, int] = {}
        self.partials: dict[Value, int] = {}
        self.outside = [*plan.graph.inputs, *self._constants(), *plan.host]
        self.slots = {value: i for i, value in enumerate(self.outside)}
        self.entries: list[Any] = []  # kernels' names, and arrays of sizes, behind the inputs
        self.work = 0
        self.aliases = self._aliases()
        for node in self._nodes():
            if node.kind == "partial":
                size = partial_size(node.value) * threads
                self.partials[node.value] = self._allocate(node.value, size)
            elif node.value in plan.stored and node.value not in self.aliases:
                if node.value not in self.offsets:
                    self.offsets[node.value] = self._allocate(node.value, node.value.size)
        self.used_numbers: list[Value] = []
        self.source = self._source()

    def _nodes(self) -> list[Node]:
        return [node for group in self.plan.groups for node in group.nodes]

    def _constants(self) -> list[Value]:
        return [v for v in self.plan.places if v.word == CONSTANT]

    def _allocate(self, value: Value, size: int) -> int:
        name = value.dtype.name
        offset = self.sizes[name]
        self.sizes[name] = offset + -(-max(size, 1) // ALIGNMENT) * ALIGNMENT
        return offset

    # --- writing results straight into state ----------------------------------------------------
    def _aliases(self) -> dict[Value, Value]:
        """Values that may be stored where the state they replace lies: value → input."""
        plan = self.plan
        found: dict[Value, Value] = {}
        values = [value for _, value in plan.graph.writes]
        for target, value in plan.graph.writes:
            node = plan.nodes.get(value)
            plain = node is not None and plan.places[value].base is value
            if not plain or values.count(value) > 1 or value in plan.graph.outputs:
                continue
            assert node is not None
            readers = [
                (other, read)
                for other in self._nodes()
                for read in other.reads.values()
                if read.base is target
            ]
            if all(self._read_before(node, other, read) for other, read in readers):
                found[value] = target
                for other, _ in readers:
                    if other.group is not node.group:
                        plan.after(node.group, other.group)
        return found

    def _read_before(self, node: Node, other: Node, read: Read) -> bool:
        groups = self.plan.groups
        if other.group is not node.group:
            return groups.index(other.group) < groups.index(node.group)
        same = read.offset == 0 and read.strides == node.store.strides
        if other.item is node.item:
            return same and other.phase <= node.phase
        items = node.group.items
        earlier = items.index(other.item) < items.index(node.item)
        return earlier and (same or node.group.rows == 1)

    # --- text ----------------------------------------------------------------------------------
    def _source(self) -> str:
        levels = self.plan.levels()
        body: list[str] = []
        main: list[str] = []
        for depth, groups in enumerate(levels):
            main += self._level(depth, groups, body)
        head = self._head()
        work = [
            "@kernel",
            "def work(thread, table, numbers, memory, barrier, scratch):",
            '    """Everything one thread does."""',
            *("    " + line for line in main or ["pass"]),
        ]
        return "\n".join([*head, *body, "", *work, *self._start()]) + "\n"

    def _head(self) -> list[str]:
        count = sum(len(group.nodes) for group in self.plan.groups)
        lines = [
            f'"""Generated by deepdive.compile: {count} values in {len(self.plan.groups)} groups, '
            f'{len(self.plan.levels())} levels, {self.threads} threads."""',
            "",
            "import math",
            "",
            "from numba import bool_, float32 as f, int32, int64, prange, uint32",
            "",
            "from deepdive.kernels.jit import kernel",
            "from deepdive.kernels.spmd import call, flags, floats, ints, larger, longs",
            "from deepdive.kernels.spmd import sign, smaller, uints, wait",
            "from deepdive.kernels.vector_math import erf, exp, log, sigmoid, tanh",
            "",
            "inf, nan = math.inf, math.nan",
            "",
            "# Where values lie in memory, in elements.",
        ]
        for value, offset in self.offsets.items():
            lines.append(f"{self.names[value]} = {offset}  # {value.word} {typed(value)}")
        for value, offset in self.partials.items():
            lines.append(f"{self.names[value]}_part = {offset}  # partial sums of {value.word}")
        return lines

    def _level(self, depth: int, groups: list[Group], body: list[str]) -> list[str]:
        """The lines of one level: partial sums cleared, blocks shared out, threads waited for."""
        lines, total = [f"# level {depth}"], 0
        blocks: list[tuple[int, list[str]]] = []
        for group in groups:
            lines += self._cleared(group)
            rows = self._block_rows(group)
            start = f"(block - {total}) * {rows}" if total else f"block * {rows}"
            end = f"min({start} + {rows}, {group.rows})"
            count = -(-group.rows // rows)
            span = f"{start}, {end}" if count > 1 else f"0, {group.rows}"
            names = self._group(group, f"group_{self.plan.groups.index(group)}", body)
            arguments = f"(thread, {span}, table, numbers, memory, scratch)"
            total += count
            blocks.append((total, [name + arguments for name in names]))
        lines.append(f"for block in range(thread, {total}, {self.threads}):")
        for i, (last, calls) in enumerate(blocks):
            indent = "    "
            if len(blocks) > 1:
                indent += "    "
                test = f"if block < {last}:" if i + 1 < len(blocks) else "else:"
                lines.append(f"    {'el' if i and test != 'else:' else ''}{test}")
            lines += [indent + call for call in calls]
        if self.threads > 1:
            lines.append(f"wait(barrier, {self.threads})")
        return lines

    def _cleared(self, group: Group) -> list[str]:
        """The partial sums of this thread, set to where sums start."""
        lines = []
        for node in group.nodes:
            if node.kind == "partial":
                size = partial_size(node.value)
                place = f"{self.names[node.value]}_part + thread * {size}"
                start = expressions.STARTS.get(node.value.word, "0")
                lines += [
                    "F = floats(memory[0])",
                    f"for i in range({size}):",
                    f"    F[{place} + i] = f({start})",
                ]
        return lines

    def _block_rows(self, group: Group) -> int:
        """Rows per block: small enough for the cache, an even share for every thread."""
        touched = sum(
            n.value.size * n.value.dtype.itemsize / group.rows
            for n in group.nodes
            if n.value in self.plan.stored and n.kind != "partial"
        )
        share = -(-group.rows // self.threads)
        if group.rows == 1:
            return 1
        rows = max(1, int(min(share, CACHE / max(touched, 1))))
        if any(n.kind == "product" and len(n.value.shape) == 2 for n in group.nodes):
            rows = max(rows, min(share, 24))
        parts = -(-share // rows)
        return -(-share // parts)

    def _group(self, group: Group, name: str, body: list[str]) -> list[str]:
        """Write the functions of a group, a few loops each, and give their names in order."""
        pieces: list[list[Any]] = [[]]
        for item in group.items:
            if sum(map(_length, pieces[-1])) + _length(item) > LONGEST and pieces[-1]:
                pieces.append([])
            pieces[-1].append(item)
        names = [f"{name}_{i}" if len(pieces) > 1 else name for i in range(len(pieces))]
        for each, items in zip(names, pieces, strict=True):
            body += self._function(group, each, items)
        return names

    def _function(self, group: Group, name: str, items: list[Any]) -> list[str]:
        lines: list[str] = []
        self.used: dict[str, str] = {}
        for item in items:
            lines += [""] if lines else []
            if isinstance(item, Loop):
                lines += LoopText(self, group, item).lines
            else:
                lines += self._product(group, item)
        setup = [text for _, text in sorted(self.used.items())]
        return [
            "",
            "",
            "@kernel",
            f"def {name}(thread, lo, hi, table, numbers, memory, scratch):",
            f'    """Rows lo to hi of {group.rows}."""',
            *("    " + line if line else "" for line in [*setup, *lines]),
        ]

    def use_base(self, value: Value) -> tuple[str, str]:
        """The pointer to a value's memory and the offset in it, as text."""
        value = self.aliases.get(value, value)
        kind = value.dtype.name
        maker = POINTERS.get(kind, "flags")
        if value in self.slots:
            name = f"x{self.slots[value]}"
            self.used[name] = f"{name} = {maker}(table[{self.slots[value]}])  # {typed(value)}"
            return name, ""
        arena = ARENAS[kind]
        place = list(ARENAS).index(kind)
        self.used[arena] = f"{arena} = {maker}(memory[{place}])"
        return arena, self.names[value]

    def address(self, value: Value) -> str:
        """The address of a value's memory in bytes, as text."""
        value = self.aliases.get(value, value)
        if value in self.slots:
            return f"table[{self.slots[value]}]"
        return f"memory[{list(ARENAS).index(value.dtype.name)}] + 4 * {self.names[value]}"

    def number(self, value: Value) -> str:
        """A number that changes from call to call."""
        if value not in self.used_numbers:
            self.used_numbers.append(value)
        i = self.used_numbers.index(value)
        self.used[f"n{i}"] = f"n{i} = numbers[{i}]"
        return f"n{i}"

    def entry(self, what: Any) -> int:
        """The place in the table of a kernel's address, or of an array of sizes."""
        known = [item for item in self.entries if item is what or (item == what) is True]
        if not known:
            self.entries.append(what)
        places = [
            i for i, item in enumerate(self.entries) if item is what or (item == what) is True
        ]
        return len(self.outside) + places[0]

    def _call(self, group: Group, node: Node) -> list[str]:
        """A call of a kernel: on a block of images, on a weight, or on rows of its gradient."""
        value = node.value
        arguments = value.arguments
        shape = arguments["shape"]
        self.work = max(self.work, geometry.room(shape)["work"])
        sizes = f"table[{self.entry(('sizes', shape))}]"
        taps = f"table[{self.entry(('taps', shape))}]"
        each = node.lead // group.rows
        rows = "lo, hi" if each == 1 else f"lo * {each}, hi * {each}"
        word = value.word
        out = self.address(value) if node.kind != "partial" else ""
        x = self.address_of(node, arguments["x"])
        if word == "pack":
            inside = f"{sizes}, {x}, {out}"
        elif word == "pack_turned":
            inside = f"{sizes}, {x}, scratch[thread], {out}"
            self.work = max(self.work, geometry.room(shape)["turned"])
        elif word == "convolve":
            weight = self.address_of(node, arguments["weight"])
            inside = f"{sizes}, {rows}, {x}, {weight}, {taps}, {out}, scratch[thread]"
        else:
            part = f"memory[0] + 4 * {self.names[value]}_part"
            grad = self.address_of(node, arguments["grad"]) if node.kind == "partial" else ""
            if node.kind == "partial":
                own = f"{part} + 4 * thread * {partial_size(value)}"
                inside = f"{sizes}, {rows}, {x}, {grad}, {taps}, {own}, scratch[thread]"
            else:
                word = "collect"
                inside = f"{sizes}, {rows}, {part}, {self.threads}, {out}"
        lines = [f"# {self.names[value]} = {word} {typed(value)}"]
        return [*lines, f"call(table[{self.entry(word)}], ({inside}))"]

    def address_of(self, node: Node, operand: Value) -> str:
        """The address of an operand that lies in row order."""
        if operand not in node.reads:
            return ""
        read = node.reads[operand]
        base = self.address(read.base)
        return base if not read.offset else f"{base} + 4 * {read.offset}"

    def _product(self, group: Group, item: Product) -> list[str]:
        node = item.node
        if node.value.word != "matmul":
            return self._call(group, node)
        x, y = node.value.arguments["x"], node.value.arguments["y"]
        left, right = node.reads[x], node.reads[y]
        *lead, M, N = node.value.shape
        K = x.shape[-1]
        each = node.lead // group.rows
        scale = "" if each == 1 else f" * {each}"
        rank = len(lead)
        pieces = [(left, self.address(left.base)), (right, self.address(right.base))]
        out = self.address(node.value)
        lines, indent = [f"# {self.names[node.value]} = {typed(x)} @ {typed(y)}"], ""
        for axis in range(rank):
            letter = LETTERS[axis]
            bounds = f"lo{scale}, hi{scale}" if axis == 0 else f"{lead[axis]}"
            lines.append(f"{indent}for {letter} in range({bounds}):")
            indent += "    "
        terms = [
            _sum([read.offset, *((LETTERS[a], read.strides[a]) for a in range(rank))])
            for read, _ in pieces
        ]
        target = _sum([(LETTERS[a], node.store.strides[a]) for a in range(rank)])
        rows = str(M)
        if not rank:
            rows = f"(hi - lo){scale}"
            terms[0] = _sum([left.offset, (f"lo{scale}", left.strides[0])])
            target = _sum([(f"lo{scale}", N)])
        a, b, c = (
            base if term == "0" else f"{base} + 4 * ({term})"
            for base, term in zip([pieces[0][1], pieces[1][1], out], [*terms, target], strict=True)
        )
        strides_a, strides_b = left.strides[-2:], right.strides[-2:]
        return [
            *lines,
            f"{indent}call(table[{self.entry('product')}], (",
            f"{indent}    {a}, {strides_a[0]}, {strides_a[1]},",
            f"{indent}    {b}, {strides_b[0]}, {strides_b[1]},",
            f"{indent}    {c}, {N}, {rows}, {N}, {K}, scratch[thread],",
            f"{indent}))  # {typed(node.value)}",
        ]

    def _start(self) -> list[str]:
        if self.threads == 1:
            return [
                "",
                "",
                "@kernel",
                "def program(table, numbers, memory, barrier, scratch):",
                "    work(int64(0), table, numbers, memory, barrier, scratch)",
            ]
        return [
            "",
            "",
            "@kernel(parallel=True)",
            "def program(table, numbers, memory, barrier, scratch):",
            f"    for thread in prange({self.threads}):",
            "        work(int64(thread), table, numbers, memory, barrier, scratch)",
        ]


def _sum(terms: list[Any]) -> str:
    """``3 + i * 64 + j`` from a constant and (name, stride) pairs; zeros left out."""
    parts = []
    for term in terms:
        if isinstance(term, tuple):
            name, stride = term
            if stride:
                parts.append(name if stride == 1 else f"{name} * {stride}")
        elif term:
            parts.append(str(term))
    return " + ".join(parts) or "0"


LONGEST = 48  # values in one generated function: compilers dislike long ones


def _length(item: Any) -> int:
    return len(item.nodes) if isinstance(item, Loop) else 4


def partial_size(value: Value) -> int:
    """Floats one thread sums into."""
    if value.word == "correlate":
        return geometry.room(value.arguments["shape"])["blocks"]
    return math.prod(value.shape)


def bounds_of(value: Value) -> list[tuple[int, int, int]]:
    """Where a value set among zeros has its operand: (axis of the loop, from, to), if not all."""
    found, axis = [], 0
    starts = value.arguments["starts"]
    for extent, inner, start in zip(value.shape, value.arguments["x"].shape, starts, strict=True):
        if extent == 1:
            continue
        if inner != extent:
            found.append((axis, start, start + inner))
        axis += 1
    return found


class LoopText:
    """Writes one nest of loops."""

    def __init__(self, program: Program, group: Group, loop: Loop) -> None:
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
        return _sum(terms)

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
        text = (
            f"{pointer}[{_sum([(offset, 1) if offset else 0, (index, 1) if index != '0' else 0])}]"
        )
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
        place = _sum([(offset, 1) if offset else 0, (index, 1) if index != "0" else 0])
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


class NumbaDialect:
    """The program of a graph as Numba loops, ready to run."""

    def __init__(self, graph: Graph, threads: int) -> None:
        from deepdive.compiler.store import load
        from deepdive.kernels import entry

        self.plan = plan = Plan(graph)
        self.text = text = Program(plan, threads if plan.work() > SERIAL else 1)
        self.source = text.source
        self.program = load(self.source)
        self._memory = [np.zeros(n, kind) for kind, n in text.sizes.items()]
        self._addresses = np.array([a.ctypes.data for a in self._memory], np.int64)
        self._table = np.zeros(len(text.outside) + len(text.entries) + 1, np.int64)
        self._sizes: list[Any] = []
        for i, what in enumerate(text.entries):
            self._table[len(text.outside) + i] = self._entry(what, entry)
        self._numbers = np.zeros(len(text.used_numbers) + 1, np.float32)
        self._barrier = np.zeros(8, np.int64)
        self._barrier_address = self._barrier.ctypes.data
        self._scratch = self._workspaces(text.threads)
        self._last_numbers: list[Any] = []
        self._find_inputs()

    def _entry(self, what: Any, entry: Any) -> int:
        """An address for the table: of a kernel, or of sizes it reads."""
        if isinstance(what, str):
            return int(getattr(entry, what)())
        kind, shape = what
        numbers = geometry.taps(shape) if kind == "taps" else np.array(shape, np.int64)
        self._sizes.append(numbers)
        return int(numbers.ctypes.data)

    def _workspaces(self, threads: int) -> Any:
        from deepdive.kernels.gemm import WORK

        self._work = [np.empty(max(WORK, self.text.work), np.float32) for _ in range(threads)]
        return np.array([w.ctypes.data for w in self._work], np.int64)

    def _find_inputs(self) -> None:
        """Where each input goes, and which outputs and writes are left for the host."""
        inputs = self.plan.graph.inputs
        numbers = [i for i, value in enumerate(inputs) if value.dtype is NUMBER]
        arrays = [i for i, value in enumerate(inputs) if value.dtype is not NUMBER]
        self._number_places, self._array_places = numbers, arrays
        self._slots = [self.text.slots[inputs[i]] for i in arrays]
        self._held: list[Any] = [None] * len(arrays)
        self._host_values = [v for v in (*self.plan.numbers, *self.plan.host) if v.word != INPUT]
        for value in self.text.outside:
            if value.word == CONSTANT:
                self._table[self.text.slots[value]] = value.array.ctypes.data
        writes = self.plan.graph.writes
        self._late = [(inputs.index(t), v) for t, v in writes if v not in self.text.aliases]
        self._outputs = [self._view(value) for value in self.plan.graph.outputs]

    def run(self, inputs: list[Any]) -> list[Any]:
        """The outputs for these inputs; state is written in place."""
        arrays = [inputs[i] for i in self._array_places]
        if not all(map(is_, arrays, self._held)):
            self._take(arrays)
        numbers = [inputs[i] for i in self._number_places]
        if numbers != self._last_numbers or self.plan.host:
            self._host(numbers)
        if self.text.threads == 1:
            self._start()
        else:
            with gate().lock:
                self._start()
        for i, value in self._late:
            inputs[i][...] = self._found(value, inputs)
        pairs = zip(self._outputs, self.plan.graph.outputs, strict=True)
        return [
            view.copy() if view is not None else self._found(value, inputs).copy()
            for view, value in pairs
        ]

    def _start(self) -> None:
        self.program(
            self._table, self._numbers, self._addresses, self._barrier_address, self._scratch
        )

    def _take(self, arrays: list[Any]) -> None:
        """Note the addresses of arrays that are others than in the call before."""
        for i, (array, held) in enumerate(zip(arrays, self._held, strict=True)):
            if array is held:
                continue
            if not array.flags.c_contiguous:
                array = np.ascontiguousarray(array)
            self._held[i] = array
            self._table[self._slots[i]] = array.__array_interface__["data"][0]

    def _host(self, numbers: list[Any]) -> None:
        """Numbers, and arrays that depend on numbers alone, computed by the host."""
        inputs = self.plan.graph.inputs
        places = zip(self._number_places, numbers, strict=True)
        known: dict[Value, Any] = {inputs[i]: number for i, number in places}
        for value in self._host_values:
            found = [known[a] if isinstance(a, Value) else a for a in value.arguments.values()]
            out = getattr(numpy_cpu, value.word)(*found)
            known[value] = float(out) if value.dtype is NUMBER else out
        for i, value in enumerate(self.text.used_numbers):
            self._numbers[i] = known[value]
        self._kept = [known[value] for value in self.plan.host]
        for value in self.plan.host:
            self._table[self.text.slots[value]] = known[value].ctypes.data
        self._last_numbers = numbers

    def _view(self, value: Value) -> Any:
        """A result as a view of the program's memory; None if it lies elsewhere."""
        place = self.plan.places[value]
        if place.base not in self.text.offsets:
            return None
        memory = self._memory[list(ARENAS).index(place.base.dtype.name)]
        return _shown(memory[self.text.offsets[place.base] :], place, value)

    def _found(self, value: Value, inputs: list[Any]) -> Any:
        """The array of a value after a run, wherever it lies."""
        view = self._view(value)
        if view is not None:
            return view
        place = self.plan.places[value]
        base = self.text.aliases.get(place.base, place.base)
        if base.word == INPUT:
            array = inputs[self.plan.graph.inputs.index(base)]
        else:
            array = getattr(numpy_cpu, base.word)(*base.arguments.values())
        return _shown(np.ascontiguousarray(array).reshape(-1), place, value)


def _shown(memory: Any, place: Any, value: Value) -> Any:
    strides = [stride * memory.itemsize for stride in place.strides]
    return np.lib.stride_tricks.as_strided(memory[place.offset :], value.shape, strides)


def gate() -> Any:
    """The gate that lets one parallel program run at a time."""
    from deepdive.kernels.jit import gate as found

    return found


SERIAL = 4e6  # operations below which a second thread costs more than it gives

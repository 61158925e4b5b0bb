"""The text of a whole program: memory, levels, groups, one function for all threads.

The plan of :mod:`deepdive.compiler.fuse` for a Linear, ReLU, Linear step on 64 samples becomes ::

    v1 = 0                                          # where values lie in memory, in elements
    v4 = 8192
    v38_part = 16384                                # sums over samples, one per thread

    def group_0(thread, lo, hi, table, numbers, …): # samples lo to hi: forward and backward
    def group_1(…):                                 # the loss and the biases
    def group_2(…): def group_3(…):                 # rows lo to hi of a weight: gradient, update

    def work(thread, table, numbers, …):            # what each thread does
        for block in range(thread, 2, 2):           # level 0: every second block is mine
            group_0(thread, block * 32, …)
        wait(barrier, 2)
        for block in range(thread, 7, 2):           # level 1
            …
        wait(barrier, 2)

    def program(table, numbers, …):
        for thread in prange(2):
            work(thread, table, numbers, …)

`table` holds the addresses of inputs, constants and kernels, `numbers` what changes from call to
call (a learning rate), `memory` the addresses of one piece of memory per dtype.
"""

from __future__ import annotations

from typing import Any

from deepdive.compiler import expressions
from deepdive.compiler.calls import call_text
from deepdive.compiler.fuse import Group, Loop, Plan
from deepdive.compiler.graph import CONSTANT, Value, typed
from deepdive.compiler.loops import LoopText
from deepdive.compiler.memory import Memory
from deepdive.compiler.nodes import Node, Read
from deepdive.compiler.text import ARENAS, POINTERS, partial_size

CACHE = 512 * 1024  # bytes a block of rows may touch
FEWEST = 24  # rows of a product: fewer do not fill its register blocks
LONGEST = 48  # values in one generated function: compilers dislike long ones


class ProgramText:
    """Writes the source of a plan."""

    def __init__(self, plan: Plan, threads: int) -> None:
        self.plan = plan
        self.threads = threads
        self.names = plan.graph.names()
        self.outside = [*plan.graph.inputs, *self._constants(), *plan.host]
        self.slots = {value: i for i, value in enumerate(self.outside)}
        self.entries: list[Any] = []  # kernels' names, and arrays of sizes, behind the inputs
        self.work = 0
        self.aliases = self._aliases()
        self.memory = memory = Memory(plan, threads, self.aliases, self._block_rows)
        self.sizes = memory.sizes
        self.offsets = memory.offsets
        self.partials = memory.partials
        self.used_numbers: list[Value] = []
        self.source = self._source()

    def _nodes(self) -> list[Node]:
        return [node for group in self.plan.groups for node in group.nodes]

    def _constants(self) -> list[Value]:
        return [v for v in self.plan.places if v.word == CONSTANT]

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
        """Whether `other` has read its element of old state when `node` overwrites it."""
        groups = self.plan.groups
        if other.group is not node.group:
            return groups.index(other.group) < groups.index(node.group)
        same = read.offset == 0 and read.strides == node.store.strides
        if other.item is node.item:
            return same and node.item.turn(other) <= node.item.turn(node)
        items = node.group.items
        earlier = items.index(other.item) < items.index(node.item)
        if other.kind in ("product", "call"):  # its operand may be read whole for every block
            same = False
        return earlier and (same or node.group.rows == 1)

    # --- text ----------------------------------------------------------------------------------
    def _source(self) -> str:
        """The whole file: where values lie, a function for each group, and the levels."""
        body: list[str] = []
        levels = []
        for groups in self.plan.levels():
            levels += self._level(groups, body)
        table = [
            "",
            "",
            "# What runs, level by level: partial sums to clear (offset, floats a thread, start),",
            "# then functions with their rows, and how many rows are a block.",
            "LEVELS = [",
            *("    " + line for line in levels),
            "]",
            f"THREADS = {self.threads}",
        ]
        return "\n".join([*self._head(), *body, *table]) + "\n"

    def _head(self) -> list[str]:
        """What the program imports, and where its values lie."""
        count = sum(len(group.nodes) for group in self.plan.groups)
        lines = [
            f'"""Generated by deepdive.compile: {count} values in {len(self.plan.groups)} groups, '
            f'{len(self.plan.levels())} levels, {self.threads} threads."""',
            "",
            "import math",
            "",
            "from numba import bool_, float32 as f, int32, int64, uint32",
            "",
            "from deepdive.kernels.entry import entry_point",
            "from deepdive.kernels.spmd import call, few, flags, floats, ints, larger",
            "from deepdive.kernels.spmd import longs, sign, smaller, uints",
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

    def _level(self, groups: list[Group], body: list[str]) -> list[str]:
        """The lines of one level; the functions it needs go to `body`."""
        clears, runs = [], []
        for group in groups:
            clears += self._cleared(group)
            name = f"group_{self.plan.groups.index(group)}"
            names = ", ".join(self._group(group, name, body))
            runs.append(f"([{names}], {group.rows}, {self._block_rows(group)})")
        lines = ["("]
        for items in (clears, runs):
            lines += ["    [", *(f"        {item}," for item in items), "    ],"]
        return [*lines, "),"]

    def _cleared(self, group: Group) -> list[str]:
        """The partial sums of a group: where they lie, how long, where they start."""
        found = []
        for node in group.nodes:
            if node.kind == "partial":
                size = partial_size(node.value)
                start = expressions.STARTS.get(node.value.word, "0")
                found.append(f'({self.names[node.value]}_part, {size}, "{start}")')
        return found

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
        for node in group.nodes:
            if node.kind == "product" and len(node.value.shape) == 2:
                least = -(-FEWEST * group.rows // node.lead)
                rows = max(rows, min(share, least))
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
        """A function of some loops and products of a group, with the pointers they use."""
        lines: list[str] = []
        self.used: dict[str, str] = {}
        for item in items:
            lines += [""] if lines else []
            if isinstance(item, Loop):
                lines += LoopText(self, group, item).lines
            else:
                lines += call_text(self, group, item)
        setup = [text for _, text in sorted(self.used.items())]
        return [
            "",
            "",
            "@entry_point",
            f"def {name}(thread, lo, hi, inputs, constants, arrays, rooms):",
            f'    """Rows lo to hi of {group.rows}."""',
            "    table, numbers = longs(inputs), floats(constants)",
            "    memory, scratch = longs(arrays), longs(rooms)",
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
        return arena, self._offset(value)

    def _offset(self, value: Value) -> str:
        """The name of where a value begins in its piece of memory."""
        name = self.names[value]
        if value in self.memory.rooms:  # behind the pointers, by the letter it begins with
            self.used[name] = f"{self.memory.pointer(value, name)}  # {value.word} {typed(value)}"
        return name

    def address(self, value: Value) -> str:
        """The address of a value's memory in bytes, as text."""
        value = self.aliases.get(value, value)
        if value in self.slots:
            return f"table[{self.slots[value]}]"
        return f"memory[{list(ARENAS).index(value.dtype.name)}] + 4 * {self._offset(value)}"

    def number(self, value: Value) -> str:
        """A number that changes from call to call."""
        if value not in self.used_numbers:
            self.used_numbers.append(value)
        i = self.used_numbers.index(value)
        self.used[f"n{i}"] = f"n{i} = numbers[{i}]"
        return f"n{i}"

    def entry(self, what: Any) -> int:
        """The place in the table of a kernel's address, or of an array of sizes."""
        if what not in self.entries:
            self.entries.append(what)
        return len(self.outside) + self.entries.index(what)


def _length(item: Any) -> int:
    """How long the text of an item is, in values."""
    return len(item.nodes) if isinstance(item, Loop) else 4

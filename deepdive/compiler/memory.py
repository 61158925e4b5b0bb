"""Memory: where values lie, and who may use a place again.

A value that other groups read, or that leaves the program, has a place for all its rows.  One that
is made and read within one group needs room for a block of rows only, and that room is each
thread's own: blocks come one after the other.  So the activations of a training step that only
the backward pass of the same samples reads are never there for the whole batch::

    h  (64, 128), read by a later level     h = 8192                       64 rows
    z  (64, 128), read in its own group     z = 16384 + thread * 4096 …    16 rows a thread

Places are shared by values that never live at the same time: large ones are placed first, each at
the lowest offset that is free while it lives (Greenlaw's and TensorFlow Lite's "greedy by size").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from deepdive.compiler.fuse import Group, Plan
from deepdive.compiler.graph import Value
from deepdive.compiler.nodes import Node
from deepdive.compiler.text import ARENAS, partial_size

ALIGNMENT = 16  # elements


class Life(NamedTuple):
    """How long a value is needed: levels of the program, and loops of its own group."""

    value: Value
    size: int  # elements, of all threads
    first: int  # level that makes it
    last: float  # level that reads it last; infinite where it leaves the program
    group: Group
    begin: int  # loop of the group that makes it
    end: int  # loop of the group that reads it last

    def beside(self, other: Life) -> bool:
        """Whether both are needed at the same time."""
        apart = self.last < other.first or other.last < self.first
        serial = self.group is other.group and self.group.rows == 1
        if serial and self.first == self.last == other.first == other.last:
            apart = self.end < other.begin or other.end < self.begin
        return not apart


class Room(NamedTuple):
    """A place in each thread's own room: the offset there, and elements a row of the group."""

    offset: int
    row: int


class Memory:
    """The places of all stored values.

    Attributes:
        sizes: elements of each dtype's piece of memory.
        offsets: of values that are there with all their rows.
        partials: offsets of sums, one a thread.
        rooms: places of values of which each thread holds a block.
        starts: where in each piece the rooms begin, and the size of one.
    """

    def __init__(
        self,
        plan: Plan,
        threads: int,
        elsewhere: Any,
        block_rows: Callable[[Group], int],
    ) -> None:
        self.plan = plan
        self.threads = threads
        self.elsewhere = elsewhere  # values written straight into state
        self.block_rows = block_rows
        self.sizes: dict[str, int] = dict.fromkeys(ARENAS, 0)
        self.offsets: dict[Value, int] = {}
        self.partials: dict[Value, int] = {}
        self.rooms: dict[Value, Room] = {}
        self.starts: dict[str, tuple[int, int]] = {}
        self.lives: list[Life] = []
        self._place_whole()
        self._place_rooms()

    def _stored(self) -> list[Node]:
        nodes = [node for group in self.plan.groups for node in group.nodes]
        stored = self.plan.stored
        return [
            node
            for node in nodes
            if node.kind == "partial" or (node.value in stored and node.value not in self.elsewhere)
        ]

    def _is_passing(self, node: Node) -> bool:
        """Whether a value is gone at the end of the block of rows that made it."""
        if node.kind == "partial" or node.group.rows == 1:
            return False
        return self.plan.last_reader(node)[1] == node.group.level

    # --- values with all their rows -------------------------------------------------------------
    def _place_whole(self) -> None:
        """Give each value that outlives its group a place, and each sum one a thread."""
        nodes = [node for node in self._stored() if not self._is_passing(node)]
        self.lives = [self._life(node) for node in nodes]
        for name in ARENAS:
            mine = [i for i, node in enumerate(nodes) if _arena(node) == name]
            lives = [self.lives[i] for i in mine]
            offsets, self.sizes[name] = packed([life.size for life in lives], lives, Life.beside)
            for i, offset in zip(mine, offsets, strict=True):
                is_sum = nodes[i].kind == "partial"
                places = self.partials if is_sum else self.offsets
                places[nodes[i].value] = offset

    def _life(self, node: Node) -> Life:
        value, group = node.value, node.group
        begin = group.position(node.item)
        if node.kind == "partial":
            size = partial_size(value) * self.threads
            last: float = self.plan.nodes[value].group.level
            return Life(value, size, group.level, last, group, begin, begin)
        end, last = self.plan.last_reader(node)
        return Life(value, value.size, group.level, last, group, begin, end)

    # --- values of one block --------------------------------------------------------------------
    def _place_rooms(self) -> None:
        """Give each passing value a place in the room that every thread has, behind all others."""
        most = dict.fromkeys(ARENAS, 0)
        for group in self.plan.groups:
            passing = [n for n in self._stored() if n.group is group and self._is_passing(n)]
            for name in ARENAS:
                nodes = [node for node in passing if node.value.dtype.name == name]
                most[name] = max(most[name], self._room(group, nodes))
        for name, size in most.items():
            if size:
                self.starts[name] = (self.sizes[name], size)
                self.sizes[name] += size * self.threads

    def _room(self, group: Group, nodes: list[Node]) -> int:
        """Place the passing values of one dtype and group; the elements of a thread's room."""
        lives = [self._life(node) for node in nodes]
        rows = self.block_rows(group)
        shares = [life.value.size // group.rows for life in lives]
        offsets, size = packed([share * rows for share in shares], lives, _in_turn)
        for life, share, offset in zip(lives, shares, offsets, strict=True):
            self.rooms[life.value] = Room(offset, share)
        return size

    def pointer(self, value: Value, name: str) -> str:
        """The line that says, inside a function, where the rows of a passing value would begin."""
        room = self.rooms[value]
        start, size = self.starts[value.dtype.name]
        return f"{name} = {start + room.offset} + thread * {size} - lo * {room.row}"

    # --- what there is to tell ------------------------------------------------------------------
    def alive(self) -> list[int]:
        """Bytes of whole values that are needed during each level."""
        levels = range(len(self.plan.levels()))
        return [
            sum(
                life.size * life.value.dtype.itemsize
                for life in self.lives
                if life.first <= level <= life.last
            )
            for level in levels
        ]

    def in_rooms(self) -> int:
        """Bytes of all threads' rooms."""
        total = 0
        for kind, (_, size) in self.starts.items():
            itemsize = next(v.dtype.itemsize for v in self.rooms if v.dtype.name == kind)
            total += size * self.threads * itemsize
        return total


def _arena(node: Node) -> str:
    """The dtype of the memory a value lies in: what threads sum, they sum in floats."""
    return "float32" if node.kind == "partial" else str(node.value.dtype.name)


def _in_turn(one: Life, other: Life) -> bool:
    """Whether two values of one block are needed at the same time."""
    return one.begin <= other.end and other.begin <= one.end


def packed(
    sizes: list[int], lives: list[Life], beside: Callable[[Life, Life], bool]
) -> tuple[list[int], int]:
    """Offsets that keep apart what lives at the same time, and how much memory that takes."""
    offsets = [0] * len(sizes)
    placed: list[int] = []
    total = 0
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        size = -(-max(sizes[i], 1) // ALIGNMENT) * ALIGNMENT
        taken = [(offsets[j], offsets[j] + sizes[j]) for j in placed if beside(lives[i], lives[j])]
        place = 0
        for start, end in sorted(taken):
            if place + size <= start:
                break
            place = max(place, -(-end // ALIGNMENT) * ALIGNMENT)
        offsets[i] = place
        placed.append(i)
        total = max(total, place + size)
    return offsets, total

"""Fusion: which values are computed in one loop, and which loops run together on a block of rows.

Three sizes.  A *loop* computes values of one shape together, element by element, with sums over
its inner axes on the way; what passes between them stays in registers.  A *group* is a sequence
of loops and products that all work on the same block of rows (of samples, usually), one block
after the other, so that a block stays in the cache from the first loop to the last.  Groups that
need nothing of each other form a *level*: the threads share its blocks, and wait at its end.

A training step of Linear, ReLU, Linear, cross entropy, on 64 samples, in two levels::

    level 0   for each block of the 64 samples
              ┌ product   a = x @ W1.T
              │ loop      h = max(a + b1, 0)
              │ product   z = h @ W2.T
              │ loop      softmax(z + b2), dz, ── the loss, Σ dz for b2 ──┐
              │ product   dh = dz @ W2                                    │ a sum per thread
              └ loop      da = dh where h > 0 ─── Σ da for b1 ────────────┤
    ═══════════════════════ the threads wait ═════════════════════════════╪═════════════════
    level 1   ┌ loop      totals: the loss; b1, b2 -= lr * their sums ◄───┘
              ├ for each block of the rows of W1:  product  da.T @ x,  loop  W1 -= lr * it
              └ for each block of the rows of W2:  product  dz.T @ h,  loop  W2 -= lr * it

Sums over samples cross the blocks: each thread sums what it sees (a *partial* node), and the next
level adds the threads' sums up (a *total* node).  The gradient of a weight goes into the update
block by block, while it lies in the cache.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.compiler.graph import INPUT, NUMBER, Graph, Value, typed
from deepdive.compiler.layout import Place, contiguous
from deepdive.compiler.nodes import CALLS, Node, Read, Shape, Unsupported, entered, squeezed


class Loop:
    """Values computed together in one nest of loops."""

    def __init__(self, node: Node) -> None:
        self.space = node.space
        self.split: int | None = None  # axes before it are rows, those behind it are summed over
        self.nodes: list[Node] = []

    def place_for(self, node: Node) -> int | None:
        """The phase in which `node` can run here, or None if it does not fit.

        A value that needs a sum over the inner axes runs in the phase after it.
        """
        full = node.space == self.space
        split = self.split
        if node.kind == "reduce":
            inner = tuple(range(len(node.space) - len(node.axes), len(node.space)))
            if not full or node.axes != inner:
                return None
            split = len(node.space) - len(node.axes)
            if self.split not in (None, split):
                return None
        elif not full and (split is None or node.space != self.space[:split]):
            return None
        phase = 0
        for read in node.reads.values():
            maker = next((n for n in self.nodes if n.value is read.base), None)
            if maker is None:
                continue
            if maker.kind in ("partial", "dealt") or not _in_registers(
                maker, read, len(node.space)
            ):
                return None
            phase = max(phase, maker.phase + (maker.kind == "reduce"))
        return phase

    def add(self, node: Node, phase: int) -> None:
        """Take `node` in."""
        if node.kind == "reduce":
            self.split = len(node.space) - len(node.axes)
        node.phase, node.item = phase, self
        self.nodes.append(node)

    def turn(self, node: Node) -> tuple[int, bool, int]:
        """When `node` is computed, for each element: phase, rows before elements, place."""
        return node.phase, not self.is_row(node), self.nodes.index(node)

    def is_row(self, node: Node) -> bool:
        """Whether `node` has one value per row, not per element."""
        return node.kind != "reduce" and node.space != self.space


def _in_registers(maker: Node, read: Read, rank: int) -> bool:
    """Whether the element read is the one just made at the same index."""
    store = maker.store.strides
    store = store + (0,) * (rank - len(store))
    return read.offset == 0 and read.strides == store[:rank] and not any(store[rank:])


class Product:
    """A matrix product, or a convolution, on a block of rows."""

    def __init__(self, node: Node) -> None:
        self.node = node
        node.item = self


class Group:
    """Loops and products over the same rows, run block by block."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.items: list[Any] = []
        self.nodes: list[Node] = []
        self.level = 0
        self.needs: list[Group] = []  # groups that read what this one overwrites
        self.why = ""  # why it is a group of its own, if it could have been part of another

    def position(self, item: Any) -> int:
        """When an item runs among those of the group."""
        return self.items.index(item)


class Plan:
    """The nodes of a graph, in groups and levels."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.places: dict[Value, Place] = {}
        self.nodes: dict[Value, Node] = {}
        self.groups: list[Group] = []
        self.host: list[Value] = []  # computed before the program runs, from numbers alone
        self.numbers: list[Value] = []
        self.fates = fates(graph)
        for value in graph.values():
            self._enter(value)
        self._sink()
        self._needed()
        self._level()

    # --- reading the graph ---------------------------------------------------------------------
    def _enter(self, value: Value) -> None:
        if value.dtype is NUMBER:
            self.numbers.append(value)
            return
        node = entered(value, self.places)
        if value.word == "random_bits":
            self.host.append(value)
        if node is not None:
            self.nodes[value] = node
            self._assign(node)

    # --- groups --------------------------------------------------------------------------------
    def _assign(self, node: Node, after: Group | None = None) -> None:
        """Put `node` into the first group that can take it, else into a new one."""
        makers = [self.nodes.get(read.base) for read in node.reads.values()]
        first = max((self.groups.index(m.group) for m in makers if m is not None), default=0)
        if after is not None:
            first = self.groups.index(after) + 1
        why = ""
        for group in self.groups[first:]:
            refused = self._refused(node, group)
            if not refused:
                break
            why = why or refused
        else:
            self._begin(node, why or (SUMMED if after is not None else ""))
        if node.kind == "partial":
            total = _total(node.value)
            self._assign(total, after=node.group)
            self.nodes[node.value] = total

    def _begin(self, node: Node, why: str) -> None:
        """Put `node` into a group of its own."""
        crosses = node.kind == "reduce" and 0 in node.axes
        serial = crosses and math.prod(node.space) <= TINY
        group = Group(1 if serial else node.lead)
        group.why = why
        self.groups.append(group)
        if self._refused(node, group):
            raise Unsupported("no loop for this shape", got=typed(node.value))

    def _refused(self, node: Node, group: Group) -> str:
        """Put `node` into `group`, or say why not: a block of its rows must need only that block
        of what others in the group compute."""
        rows = common_rows(node.lead, group.rows)
        if rows is None:
            return f"{node.lead} rows and {group.rows} have no common blocks"
        few = rows < LEAST_ROWS
        if few and math.prod(node.space) > TINY and rows < node.lead:
            return f"together only {rows} rows would run in turn"
        if few and rows < group.rows:
            return f"together only {rows} rows would run in turn"
        first = 0
        for operand, read in node.reads.items():
            maker = self.nodes.get(read.base)
            if maker is None or maker.group is not group:
                continue
            if not self._aligned(node, operand, read, rows):
                made = f"{read.base.word} {typed(read.base)}"
                return f"{node.value.word} needs other rows of {made}, too"
            first = max(first, group.position(maker.item))
        if node.kind == "product" and group.nodes and _wide(node):
            return "its right factor is too large to be read for every block"
        if rows > 1 and self._overwrites(node, group):
            return "it leads to new state that every block there reads whole"
        group.rows = rows
        self._place(node, group, first, node.kind == "reduce" and not _inner(node, rows))
        return ""

    def _overwrites(self, node: Node, group: Group) -> bool:
        """Whether `node` leads to new state whose old value each block of the group reads whole."""
        target = self.fates.get(node.value)
        return target is not None and any(
            read.base is target
            for other in group.nodes
            if other.kind in ("product", "call")
            for read in other.reads.values()
        )

    def _place(self, node: Node, group: Group, first: int, crosses: bool) -> None:
        """Append `node` to the first loop of the group, from item `first` on, that can take it."""
        node.group = group
        group.nodes.append(node)
        if crosses:
            node.kind = "partial"
        if node.kind in ("product", "call") or node.value.word == "correlate":
            group.items.append(Product(node))
            return
        for item in group.items[first:]:
            if isinstance(item, Loop):
                phase = item.place_for(node)
                if phase is not None:
                    item.add(node, phase)
                    return
        loop = Loop(node)
        group.items.append(loop)
        loop.add(node, 0)

    def _aligned(self, node: Node, operand: Value, read: Read, rows: int) -> bool:
        """Whether a block of rows of `node` needs only the same rows of an operand."""
        if rows == 1:
            return True
        extents = node.space
        if node.kind == "product":
            whole = operand is node.value.arguments["y"] and len(node.value.shape) == 2
            if whole or len(operand.shape) != len(node.value.shape):
                return False
            extents = operand.shape
        elif node.value.word in CALLS:
            extents = operand.shape
            if operand is node.value.arguments.get("weight"):
                return False
        elif node.value.word == "pick" and operand is node.value.arguments["x"]:
            if not picks_own_row(node.value):
                return False
            extents = operand.shape
        if node.value.word == "placed":
            return picks_own_place(node.value) and self._row_by_row(operand.shape, read, rows)
        return self._row_by_row(extents, read, rows)

    def _row_by_row(self, extents: Shape, read: Read, rows: int) -> bool:
        """Whether the first of `rows` equal parts of a loop stays in the first part of the base."""
        if not extents or read.base.size % rows or extents[0] % rows:
            return False
        share = read.base.size // rows
        each = extents[0] // rows
        if min(read.strides) < 0 or read.strides[0] * each != share:
            return False
        counts = (each, *extents[1:])
        steps = zip(counts, read.strides, strict=True)
        last = read.offset + sum((n - 1) * s for n, s in steps)
        return last < share

    def _sink(self) -> None:
        """Move a map that only one later loop reads into that loop: it need not be stored then.

        Its operands must be in memory anyway.
        """
        users: dict[Value, list[tuple[Node, Read]]] = {}
        for group in self.groups:
            for node in group.nodes:
                for read in node.reads.values():
                    users.setdefault(read.base, []).append((node, read))
        wanted = {self.places[v].base for v in self.graph.outputs if v in self.places}
        wanted |= {value for _, value in self.graph.writes}
        for node in reversed([n for g in self.groups for n in g.nodes]):
            readers = users.get(node.value, [])
            loops = {id(user.item): user.item for user, _ in readers}
            if node.kind != "map" or node.value in wanted or len(loops) != 1:
                continue
            (loop,) = loops.values()
            if loop is node.item or not isinstance(loop, Loop) or loop.space != node.space:
                continue
            free = all(
                read.base not in self.nodes or self.nodes[read.base].item is loop
                for read in node.reads.values()
            )
            same = all(r.offset == 0 and r.strides == node.store.strides for _, r in readers)
            if free and same and node.value.word != "pick":
                self._move(node, loop, min(user.phase for user, _ in readers))

    def _move(self, node: Node, loop: Loop, phase: int) -> None:
        """Take `node` from its loop into another one, before its first reader there."""
        old = node.item
        old.nodes.remove(node)
        if not old.nodes:
            node.group.items.remove(old)
        node.group.nodes.remove(node)
        group = next(g for g in self.groups if loop in g.items)
        first = next(i for i, n in enumerate(loop.nodes) if node.value in _bases(n))
        loop.nodes.insert(first, node)
        node.item, node.phase, node.group = loop, phase, group
        group.nodes.insert(0, node)

    # --- what has to be in memory, and the order ------------------------------------------------
    def _needed(self) -> None:
        """Values that have to be stored: read by another loop or phase, or wanted outside."""
        wanted = [*self.graph.outputs, *(value for _, value in self.graph.writes)]
        self.stored = {self.places[v].base for v in wanted if v in self.places}
        for node in [node for group in self.groups for node in group.nodes]:
            for read in node.reads.values():
                maker = self.nodes.get(read.base)
                if maker is None:
                    continue
                row = maker.kind == "reduce" or (
                    isinstance(maker.item, Loop) and maker.item.is_row(maker)
                )
                near = maker.item is node.item and (row or maker.phase == node.phase)
                if not near or maker.kind in ("product", "dealt", "call"):
                    self.stored.add(read.base)
                if node.value.word == "pick":
                    self.stored.add(read.base)

    def last_reader(self, node: Node) -> tuple[int, float]:
        """The last item of its own group and the last level that read a value."""
        wanted = [*self.graph.outputs, *(value for _, value in self.graph.writes)]
        if any(self.places[v].base is node.value for v in wanted if v in self.places):
            return 0, math.inf
        item, level = node.group.position(node.item), node.group.level
        for group in self.groups:
            for reader in group.nodes:
                if any(read.base is node.value for read in reader.reads.values()):
                    level = max(level, group.level)
                    if group is node.group:
                        item = max(item, group.position(reader.item))
                    elif group.level == node.group.level:
                        level += 0.5  # another group, beside this one: not to be reused in it
        return item, level

    def after(self, group: Group, other: Group) -> None:
        """Let `group` run after `other`, which comes before it in the list."""
        group.needs.append(other)
        self._level()

    def _level(self) -> None:
        """Number the levels: a group comes after all groups whose values it reads.

        What a group needs stands before it in the list, so one pass will do.
        """
        partial = {n.value: n.group for g in self.groups for n in g.nodes if n.kind == "partial"}
        for group in self.groups:
            needed = list(group.needs)
            for node in group.nodes:
                makers = [self.nodes.get(read.base) for read in node.reads.values()]
                needed += [maker.group for maker in makers if maker is not None]
                if node.value in partial and node.kind != "partial":
                    needed.append(partial[node.value])
            before = [other.level + 1 for other in needed if other is not group]
            group.level = max(before, default=0)

    def work(self) -> float:
        """Roughly how many operations the program does."""
        return sum(node.work() for node in self.nodes.values())

    def levels(self) -> list[list[Group]]:
        """The groups by level."""
        count = max((group.level for group in self.groups), default=-1) + 1
        return [[g for g in self.groups if g.level == i] for i in range(count)]


def _total(value: Value) -> Node:
    """The node that adds up what the threads summed."""
    if value.word == "correlate":
        total = Node(value, "call", value.shape)
    else:
        total = Node(value, "total", squeezed(value.shape))
    total.store = Read(value, 0, contiguous(total.space))
    return total


def _wide(product: Node) -> bool:
    """Whether the right factor is too large to be read again for every block of rows."""
    y = product.value.arguments["y"]
    return len(product.value.shape) == 2 and y.size > WIDE


def _bases(node: Node) -> list[Value]:
    return [read.base for read in node.reads.values()]


def _inner(node: Node, rows: int) -> bool:
    """Whether a reduction sums over the innermost axes, and over no axis the threads share."""
    rank = len(node.space)
    trailing = node.axes == tuple(range(rank - len(node.axes), rank))
    if node.value.word in ("scatter", "correlate"):
        return False
    return trailing and (rows == 1 or 0 not in node.axes)


def picks_own_place(value: Value) -> bool:
    """Whether an array set among zeros keeps its place along the first axis."""
    x = value.arguments["x"]
    same = len(x.shape) == len(squeezed(x.shape)) == len(squeezed(value.shape))
    return same and x.shape[0] == value.shape[0] and value.arguments["starts"][0] == 0


def picks_own_row(value: Value) -> bool:
    """Whether a pick looks, for row i, at row i of its operand: ``x[(arange(n), …)]``."""
    index = value.arguments["index"]
    first = index[0]
    plain = first.word == "arange" and first.arguments["stop"] is None
    return bool(plain and first.arguments["start"] == value.arguments["x"].shape[0])


SUMMED = "it adds up what all threads have summed"
TINY = 512  # elements one thread does while the others wait
LEAST_ROWS = 8  # rows a group must keep when another one wants to join it
WIDE = 1 << 19  # floats: 2 MiB


def fates(graph: Graph) -> dict[Value, Value]:
    """For values that serve only to renew one piece of state: that state."""
    users = graph.users()
    found: dict[Value, Value] = {}
    wanted = set(graph.outputs)
    for target, value in graph.writes:
        chain = [value]
        while chain:
            last = chain.pop()
            if last in wanted or last.word == INPUT:
                continue
            if last is not value and any(found.get(user) is not target for user in users[last]):
                continue
            found[last] = target
            chain += last.operands()
    return found


def common_rows(lead: int, rows: int) -> int | None:
    """The rows two iteration spaces share: the smaller divides the larger."""
    small, large = min(lead, rows), max(lead, rows)
    return small if small and large % small == 0 else None

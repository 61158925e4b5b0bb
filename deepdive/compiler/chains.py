"""Chains: elementwise words of one size that a device runs as one kernel.

What a launch costs more than the arithmetic, it costs for each word; so words that work on element
i of their operands to make element i of their results are put together::

    m = 0.9 * m + 0.1 * g                         one chain of seven words: it reads w, m, g,
    w = w - lr * m / (1 - 0.9 ** t)               writes m and w, and keeps the rest in registers

The units of a program, words and chains, stand in an order of computation.  A chain nobody has read
yet *floats*: it may still move to the end and take in what comes there, and those that nobody ever
reads (updates of state) stay at the end, where they may write into the state itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from deepdive.compiler import chain_text
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value
from deepdive.compiler.layout import Place, contiguous, own, view
from deepdive.compiler.settle import VIEWS

LONGEST = 96  # words of a chain: its values live in registers


class Read(NamedTuple):
    """An operand of a chain's word that lies in memory."""

    base: Value
    same: bool  # element i is read for element i


class Unit:
    """A word said to the device, or a chain of elementwise ones.

    Attributes:
        values: what it computes, in order.
        position: its place among all units.
        floats: whether it is a chain that nobody has read yet.
    """

    def __init__(self, value: Value, position: int, floats: bool) -> None:
        self.values = [value]
        self.position = position
        self.is_chain = self.floats = floats


class Chains:
    """The units of a graph.

    Attributes:
        places: where each value lies.
        units: words and chains in an order of computation.
        makers: the unit of each value that is computed into memory or registers of its own.
        in_place: values written straight into the state they replace: value → input.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.places: dict[Value, Place] = {}
        self.makers: dict[Value, Unit] = {}
        self._count = 0
        for value in graph.values():
            self._enter(value)
        units = dict.fromkeys(self.makers.values())
        self.units = sorted(units, key=lambda unit: (unit.floats, unit.position))
        for position, unit in enumerate(self.units):
            unit.position = position
        self._wanted = self._read_by_others()
        self.in_place = dict(self._in_place())

    # --- one value after the other -------------------------------------------------------------
    def _enter(self, value: Value) -> None:
        if value.dtype is NUMBER:
            return
        self.places[value] = place = view(value, self.places) or own(value)
        if (
            place.base is not value
            or value.word in (INPUT, CONSTANT)
            or chain_text.is_virtual(value)
        ):
            return  # computed where it is read, or not at all
        makers = [self.makers[b] for b in self.bases(value) if b in self.makers]
        unit = self._joined(value, makers) if chain_text.is_elementwise(value) else None
        if unit is None:
            unit = Unit(value, self._next(), chain_text.is_elementwise(value))
        self.makers[value] = unit
        for maker in makers:
            maker.floats = maker.floats and maker is unit

    def _next(self) -> int:
        self._count += 1
        return self._count

    def bases(self, value: Value) -> list[Value]:
        """The values in whose memory the operands of `value` lie."""
        arrays = [v for v in value.operands() if v.dtype is not NUMBER]
        return [self.places[v].base for v in arrays]

    def is_same(self, operand: Value, value: Value) -> bool:
        """Whether element i of an operand, and of the memory it lies in, is for element i."""
        base, offset, strides = self.places[operand]
        whole = base.size == operand.size == value.size and not offset
        kept = [s for n, s in zip(operand.shape, strides, strict=True) if n != 1]
        rows = [s for n, s in zip(operand.shape, contiguous(operand.shape), strict=True) if n != 1]
        return whole and kept == rows

    def _joined(self, value: Value, makers: list[Unit]) -> Unit | None:
        """The chain that takes `value` in, if there is one."""
        chains = list(dict.fromkeys(unit for unit in makers if self._is_open(unit, value)))
        others = [unit for unit in makers if unit not in chains]
        floating = [unit for unit in chains if unit.floats]
        if floating:
            return self._moved(value, floating)
        for chain in chains:
            rest = [unit for unit in (*others, *chains) if unit is not chain]
            if all(unit.position < chain.position for unit in rest):
                chain.values.append(value)
                return chain
        return None

    def _is_open(self, unit: Unit, value: Value) -> bool:
        """Whether a chain makes operands of `value` element by element, and has room."""
        if not unit.is_chain or len(unit.values) >= LONGEST:
            return False
        mine = [
            v
            for v in value.operands()
            if v.dtype is not NUMBER and self.makers.get(self.places[v].base) is unit
        ]
        return unit.values[0].size == value.size and all(self.is_same(v, value) for v in mine)

    def _moved(self, value: Value, chains: list[Unit]) -> Unit:
        """Chains nobody has read become one, at the end, with `value` in it."""
        first, *more = chains
        for other in more:
            if len(first.values) + len(other.values) < LONGEST:
                first.values += other.values
                for each in other.values:
                    self.makers[each] = first
        first.values.append(value)
        first.position = self._next()
        return first

    # --- memory --------------------------------------------------------------------------------
    def reads(self, unit: Unit) -> list[Read]:
        """What a unit reads from memory, an entry for each use."""
        inside = set(unit.values) if len(unit.values) > 1 else set()
        found = []
        for value in unit.values:
            for operand in value.operands():
                if operand.dtype is NUMBER:
                    continue
                base = self.places[operand].base
                same = self.is_same(operand, value)
                if not (same and base in inside):
                    found.append(Read(base, same))
        return found

    def kernels(self) -> list[Unit]:
        """The chains of several words."""
        return [unit for unit in self.units if len(unit.values) > 1]

    def stored(self, unit: Unit) -> list[Value]:
        """The values of a unit that somebody else reads: other units, results, writes."""
        if len(unit.values) == 1:
            return unit.values
        return [value for value in unit.values if value in self._wanted]

    def _read_by_others(self) -> set[Value]:
        """What lies in memory because a unit, a caller or state wants it."""
        given = [*self.graph.outputs, *(value for _, value in self.graph.writes)]
        found = {self.places[value].base for value in given}
        for unit in self.units:
            found.update(read.base for read in self.reads(unit))
        return found

    def _in_place(self) -> Iterator[tuple[Value, Value]]:
        """Writes that a chain may do itself: everybody else has read the old state by then."""
        given = {self.places[value].base for value in self.graph.outputs}
        readers: dict[Value, list[tuple[Unit, Read]]] = {}
        for unit in self.units:
            for read in self.reads(unit):
                readers.setdefault(read.base, []).append((unit, read))
        taken = set(given)
        for target, value in self.graph.writes:
            maker = self.makers.get(value)
            if maker is None or value in taken or not maker.is_chain:
                continue
            if all(_before(maker, *reader) for reader in readers.get(target, ())):
                taken.add(value)
                yield value, target


def _before(unit: Unit, other: Unit, read: Read) -> bool:
    """Whether `other` has read old state when `unit` overwrites it; what it made is no view."""
    if other is unit:
        return read.same
    return other.position < unit.position and other.values[0].word not in VIEWS

"""Generated loops: a program of plain Python that Numba compiles.

Each group of loops is a function over a block of rows; ``work`` runs on every thread, takes turns
with the blocks of each level, and waits for the others at its end.  All intermediate values lie
in one piece of memory per dtype at fixed offsets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Set
from operator import is_, itemgetter
from time import perf_counter
from typing import Any

import numpy as np

from deepdive.backend import numpy_cpu
from deepdive.compiler import geometry
from deepdive.compiler.fuse import Plan
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value
from deepdive.compiler.program import ProgramText
from deepdive.compiler.text import ARENAS


class NumbaDialect:
    """The program of a graph as Numba loops, ready to run.

    Args:
        threads: how many may run.
        passing: outputs that nobody will write into: given as they lie, until the next run.
    """

    def __init__(self, graph: Graph, threads: int, passing: Set[Value] = frozenset()) -> None:
        from deepdive.compiler.store import load

        self.graph = graph
        self._passing = passing
        self.plan = Plan(graph)
        work = self.plan.work()
        self.text = ProgramText(self.plan, threads if work > SERIAL else 1)
        self.threads = self.text.threads
        self.source = self.text.source
        self.sources = [self.source]  # what is kept in the cache
        self.levels = load(self.source).LEVELS
        self._alone, self._together = geometry.runners()
        self._pace = Pace(short=work < PARALLEL)
        self._make_room()
        self._find_inputs()
        self._find_outputs()

    def _make_room(self) -> None:
        """Memory for values, the table of addresses, scratch for each thread, the barrier."""
        text = self.text
        sizes = text.sizes.items()
        self._memory = [np.zeros(size, kind) for kind, size in sizes]
        self._addresses = _addresses(self._memory)
        first = len(text.outside)
        count = first + len(text.entries) + 1
        self._table = np.zeros(count, np.int64)
        self._sizes: list[Any] = []
        for i, what in enumerate(text.entries, first):
            self._table[i] = self._entry(what)
        self._numbers = np.zeros(len(text.used_numbers) + 1, np.float32)
        self._last_numbers: tuple[Any, ...] = ()
        self._barrier = np.zeros(8, np.int64)
        room = max(text.work, geometry.product_room())
        threads = range(self.threads)
        self._work = [np.empty(room, np.float32) for _ in threads]
        self._scratch = _addresses(self._work)
        self._schedule = scheduled(self.levels)
        parts = (self._table, self._numbers, self._addresses, self._barrier, self._scratch)
        places = [_address(part) for part in parts]
        self._arguments = (_address(self._schedule), len(self.levels), *places)

    def _entry(self, what: Any) -> int:
        """An address for the table: of a kernel, or of sizes it reads."""
        if isinstance(what, str):
            return geometry.kernel_address(what)
        kind, shape = what
        numbers = geometry.taps(shape) if kind == "taps" else np.array(shape, np.int64)
        self._sizes.append(numbers)
        return _address(numbers)

    def _find_inputs(self) -> None:
        """Where each input goes."""
        text, inputs = self.text, self.graph.inputs
        places = range(len(inputs))
        self._number_places = [i for i in places if inputs[i].dtype is NUMBER]
        self._array_places = [i for i in places if inputs[i].dtype is not NUMBER]
        self._numbers_of, self._arrays_of = map(_picked, (self._number_places, self._array_places))
        arrays = self._arrays_of(inputs)
        self._slots = [text.slots[value] for value in arrays]
        self._held: list[Any] = [None] * len(self._slots)
        self._written = set(text.aliases.values())  # inputs the loops store into
        self._away: list[Any] = []  # those that lie elsewhere during a call, and their copies
        made = (*self.plan.numbers, *self.plan.host)
        self._host_values = [value for value in made if value.word != INPUT]
        for value in text.outside:
            if value.word == CONSTANT:
                self._table[text.slots[value]] = _address(value.array)

    def _find_outputs(self) -> None:
        """Which results lie in the program's memory, and what is left for the host to write."""
        self._outputs = [self._view(value) for value in self.graph.outputs]
        self._all_copied = not self._passing and all(view is not None for view in self._outputs)
        self._late = []
        for target, value in self.graph.writes:
            if value not in self.text.aliases:
                self._late.append((self.graph.inputs.index(target), value))

    # --- a call --------------------------------------------------------------------------------
    def run(self, inputs: list[Any]) -> list[Any]:
        """The outputs for these inputs; state is written in place."""
        arrays = self._arrays_of(inputs)
        if not all(map(is_, arrays, self._held)):
            self._take(arrays)
        numbers = self._numbers_of(inputs)
        if numbers != self._last_numbers or self.plan.host:
            self._host(numbers)
        self._start()
        for array, copy in self._away:
            array[...] = copy
        for i, value in self._late:
            inputs[i][...] = self._found(value, inputs)
        if self._all_copied:
            return [view.copy() for view in self._outputs]
        results = zip(self._outputs, self.graph.outputs, strict=True)
        return [self._result(view, value, inputs) for view, value in results]

    def _start(self) -> None:
        """Run on all threads, or – after a fork, with fewer allowed, in a crowd – on this one."""
        if self.threads == 1 or gate().threads() < self.threads:
            self._alone(self.threads, *self._arguments)
            return
        begin = perf_counter()
        alone = self._pace.alone(begin)
        if alone:
            self._alone(self.threads, *self._arguments)
        else:
            with gate().lock:
                self._together(self.threads, *self._arguments)
        self._pace.note(alone, begin, perf_counter())

    def _result(self, view: Any, value: Value, inputs: list[Any]) -> Any:
        if view is None:
            return self._found(value, inputs).copy()
        return view if value in self._passing else view.copy()

    def _take(self, arrays: tuple[Any, ...]) -> None:
        """Note the addresses of arrays that are others than in the call before."""
        self._away = []
        for i, array in enumerate(arrays):
            if array is self._held[i]:
                continue
            if not array.flags.c_contiguous:
                copy = np.ascontiguousarray(array)
                place = self._array_places[i]
                source = self.graph.inputs[place]
                if source in self._written:
                    self._away.append((array, copy))
                array = copy
            self._held[i] = array
            self._table[self._slots[i]] = _address(array)

    def _host(self, numbers: tuple[Any, ...]) -> None:
        """Numbers, and arrays that depend on numbers alone, computed by the host."""
        inputs = self.graph.inputs
        known: dict[Value, Any] = {}
        for i, number in zip(self._number_places, numbers, strict=True):
            known[inputs[i]] = number
        for value in self._host_values:
            known[value] = _computed(value, known)
        for i, value in enumerate(self.text.used_numbers):
            self._numbers[i] = known[value]
        self._kept = [known[value] for value in self.plan.host]
        for value, array in zip(self.plan.host, self._kept, strict=True):
            self._table[self.text.slots[value]] = _address(array)
        self._last_numbers = numbers

    def _view(self, value: Value) -> Any:
        """A result as a view of the program's memory; None if it lies elsewhere."""
        place = self.plan.places[value]
        offset = self.text.offsets.get(place.base)
        if offset is None:
            return None
        kind = list(ARENAS).index(place.base.dtype.name)
        memory = self._memory[kind]
        return _shown(memory[offset:], place, value)

    def _found(self, value: Value, inputs: list[Any]) -> Any:
        """The array of a value after a run, wherever it lies."""
        view = self._view(value)
        if view is not None:
            return view
        place = self.plan.places[value]
        base = self.text.aliases.get(place.base, place.base)
        if base.word == INPUT:
            array = inputs[self.graph.inputs.index(base)]
        elif base.word == CONSTANT:
            array = base.array
        elif base in self.plan.host:
            array = self._kept[self.plan.host.index(base)]
        else:
            array = _computed(base, {})
        flat = np.ascontiguousarray(array).reshape(-1)
        return _shown(flat, place, value)


class Pace:
    """Decides whether a short program runs on all threads or on one, by what it took so far.

    In a crowd a second thread costs more than it gives: OpenBLAS's threads go on spinning for
    some 25 ms after a product, and the program then waits for the scheduler's next tick, many
    times as long as the step takes.  After such a stall it stays on one thread for a while, longer
    each time; else the quicker way is taken, and the other one tried now and then.
    """

    __slots__ = ("pause", "short", "single", "threaded", "turn", "until")

    def __init__(self, short: bool) -> None:
        self.short = short  # a long program gains from every thread, whatever happens
        self.threaded = self.single = 0.0  # seconds a run takes, lately; 0 is not known yet
        self.pause = self.until = 0.0
        self.turn = 0

    def alone(self, now: float) -> bool:
        """Whether to run on one thread this time."""
        if now < self.until or not self.short:
            return self.short
        self.turn += 1
        single = 0.0 < self.single < self.threaded
        return single != (self.turn % TRIAL == 0)

    def note(self, alone: bool, begin: float, end: float) -> None:
        """Take note of how long a run took."""
        seconds = end - begin
        if alone:
            self.single = _lately(self.single, seconds)
        elif self.threaded and seconds > STALLED + 4 * self.threaded:
            self.pause = min(max(2 * self.pause, SHORT), LONG)
            self.until = end + self.pause
        else:
            self.threaded = _lately(self.threaded, seconds)
            self.pause = 0.9 * self.pause


def _picked(places: list[int]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes the items at these places from a list."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda items: tuple(items[place] for place in places)


def _lately(before: float, seconds: float) -> float:
    """An average that forgets, and takes no single outlier for the rule."""
    if not before:
        return seconds
    return before + (min(seconds, 3 * before) - before) / 8


def scheduled(levels: Any) -> Any:
    """A program's levels as the row of numbers that ``kernels/runner.py`` reads."""
    from deepdive.kernels.runner import STARTS

    plan: list[int] = []
    records: list[tuple[int, list[int]]] = []  # where the place of a record goes, and the record
    for clears, runs in levels:
        blocks = [record for run in runs for record in _records(*run)]
        plan += [len(clears), len(blocks)]
        for offset, size, start in clears:
            plan += [offset, size, STARTS[start]]
        for record in blocks:
            records.append((len(plan), record))
            plan.append(0)
    for place, record in records:
        plan[place] = len(plan)
        plan += record
    return np.array(plan or [0], np.int64)


def _records(functions: Any, rows: int, block: int) -> list[list[int]]:
    """For each block its rows and the functions that run on them."""
    addresses = [function() for function in functions]
    found = []
    for first in range(0, rows, block):
        last = min(first + block, rows)
        record = [first, last, len(addresses)]
        found.append(record + addresses)
    return found


def _computed(value: Value, known: dict[Value, Any]) -> Any:
    """A value by the NumPy speaker."""
    arguments = []
    for argument in value.arguments.values():
        is_value = isinstance(argument, Value)
        arguments.append(known[argument] if is_value else argument)
    word = getattr(numpy_cpu, value.word)
    out = word(*arguments)
    return float(out) if value.dtype is NUMBER else out


def _shown(memory: Any, place: Any, value: Value) -> Any:
    """A value in memory: a view with its strides."""
    strides = [stride * memory.itemsize for stride in place.strides]
    start = memory[place.offset :]
    return np.lib.stride_tricks.as_strided(start, value.shape, strides)


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _addresses(arrays: list[Any]) -> Any:
    return np.array([_address(array) for array in arrays], np.int64)


@functools.cache
def gate() -> Any:
    """The gate that lets one parallel program run at a time."""
    from deepdive.kernels.jit import gate as found

    return found


STALLED = 2e-3  # seconds: what a tick of the scheduler costs at least
TRIAL = 50  # runs after which the other way is tried once
SHORT, LONG = 0.03, 1.0  # seconds on one thread after the first stall, and at most
SERIAL = 4e6  # operations below which a second thread costs more than it gives
PARALLEL = 4e8  # operations above which it always pays

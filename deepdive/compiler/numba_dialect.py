"""Generated loops: a program of plain Python that Numba compiles.

Each group of loops is a function over a block of rows; ``work`` runs on every thread, takes turns
with the blocks of each level, and waits for the others at its end.  All intermediate values lie
in one piece of memory per dtype at fixed offsets.
"""

from __future__ import annotations

from operator import is_
from typing import Any

import numpy as np

from deepdive.backend import numpy_cpu
from deepdive.compiler import geometry
from deepdive.compiler.fuse import Plan
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value
from deepdive.compiler.program import ProgramText
from deepdive.compiler.text import ARENAS


class NumbaDialect:
    """The program of a graph as Numba loops, ready to run."""

    def __init__(self, graph: Graph, threads: int) -> None:
        from deepdive.compiler.store import load
        from deepdive.kernels import entry

        self.plan = plan = Plan(graph)
        self.text = text = ProgramText(plan, threads if plan.work() > SERIAL else 1)
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
        self._written = set(self.text.aliases.values())  # inputs the loops store into
        self._away: list[Any] = []  # those that lie elsewhere during a call, and their copies
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
        for array, copy in self._away:
            array[...] = copy
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
        self._away = []
        for i, (array, held) in enumerate(zip(arrays, self._held, strict=True)):
            if array is held:
                continue
            if not array.flags.c_contiguous:
                copy = np.ascontiguousarray(array)
                if self.plan.graph.inputs[self._array_places[i]] in self._written:
                    self._away.append((array, copy))
                array = copy
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

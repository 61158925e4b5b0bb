"""A compiled function: its programs, one per signature, each recorded once and then replayed.

A call looks up the program for the signature of its arguments; if there is none, or a Python
value the program froze has changed, the function is traced again.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from operator import attrgetter, is_
from typing import Any

from deepdive import config
from deepdive.backend import numpy_cpu, speakers
from deepdive.compiler import simplify
from deepdive.compiler.device_dialect import device_program
from deepdive.compiler.explain import closed_over, explained, facts_of
from deepdive.compiler.fuse import Unsupported
from deepdive.compiler.graph import Graph
from deepdive.compiler.lazyarray import LazyArray
from deepdive.compiler.line_dialect import LineDialect
from deepdive.compiler.picture import Drawn, drawn
from deepdive.compiler.settle import settled
from deepdive.compiler.store import remember
from deepdive.compiler.trace import (
    ARRAY,
    STATE,
    TENSOR,
    Tracer,
    is_recorded,
    leaves,
    rebuilt,
    settled_array,
    speaker_of,
    structure,
    value_of,
)
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import GraphError, MissingExtraError

LOCK = threading.RLock()  # one trace at a time: Tensors hold recorded arrays meanwhile
ARRAYS = (Tensor, numpy_cpu.ARRAY_TYPE)
PLAIN = frozenset(ARRAYS)
DATA = attrgetter("_data")


class Compiled:
    """A function and the programs made of it, one per signature."""

    def __init__(self, function: Callable[..., Any], dialect: str, keep_grads: bool) -> None:
        self.function = function
        self.dialect = dialect
        self.keep_grads = keep_grads
        self.programs: dict[Any, list[Program]] = {}
        self.latest: Program | None = None
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if config.watch is not None and hasattr(config.watch, "eager"):  # it wants to see all
            return self.function(*args, **kwargs)
        plain = not kwargs and _all_arrays(args)
        flat = list(args) if plain else leaves((args, kwargs))
        form = None if plain else structure((args, kwargs))
        latest = self.latest
        if latest is not None and latest.form == form and latest.fits(flat):
            with latest.lock:  # its buffers serve one call at a time
                latest.flat = flat
                if latest.holds():
                    return latest.run()
        return self._sought(flat, form, args, kwargs)

    def _sought(self, flat: list[Any], form: Any, args: Any, kwargs: Any) -> Any:
        """The way of a call that the program of the last one does not serve."""
        key = (form, *map(signature, flat))
        for program in self.programs.setdefault(key, []):
            with program.lock:
                program.flat = flat
                if program.holds():
                    self.latest = program
                    return program.run()
        with LOCK:
            program = Program(self, args, kwargs, flat, form)
        self.programs[key].insert(0, program)
        self.latest = program
        with program.lock:
            program.flat = flat
            program.holds()  # reads the state
            return program.run()

    def _repr_svg_(self) -> str | None:
        """What a notebook shows: the picture, once there is a program."""
        return None if self.latest is None else self.draw()

    def _program(self) -> Program:
        if self.latest is None:
            raise GraphError("compile: nothing is compiled yet", fix="call the function once")
        return self.latest

    @property
    def graph(self) -> Graph:
        """The graph of the program compiled last."""
        return self._program().graph

    @property
    def source(self) -> str:
        """The generated Python of the program compiled last."""
        return self._program().code.source

    def explain(self) -> str:
        """What the program does, what it froze, and how long it took to make."""
        return self._program().explain()

    def drawn(self) -> Drawn:
        """The program compiled last as plain data to draw: values, edges, fused groups."""
        return drawn(self._program())

    def draw(self, path: Any = None, format: str | None = None) -> str:
        """Draw the program compiled last: its values, and a box around what is fused.

        Args:
            path: the file, written whole or not at all; None to get the SVG itself.
            format: ``"svg"`` or ``"png"``; by default what the path ends with.

        Returns:
            the path, or without one the text of the SVG.

        Raises:
            GraphError: before the first call.
            ArgumentError: for an unknown format.

        >>> import deepdive as dd
        >>> double = dd.compile(lambda x: x * 2 + 1)
        >>> out = double(dd.ones(3))
        >>> double.draw().startswith("<?xml")
        True
        """
        return config.painter[0](self.drawn(), path, format)

    def __repr__(self) -> str:
        count = sum(len(programs) for programs in self.programs.values())
        return f"<compiled {self.function!r}: {count} programs>"


def signature(leaf: Any) -> Any:
    """What of an argument decides which program serves: shape and dtype, or the value itself."""
    array = leaf._data if isinstance(leaf, Tensor) else leaf
    if type(array) is numpy_cpu.ARRAY_TYPE:
        return (array.shape, array.dtype, leaf is array)
    if isinstance(array, LazyArray):
        return (array.shape, array.dtype, False)
    if type(array) in speakers.BY_TYPE:
        return (array.shape, array.dtype, leaf is array, type(array))
    try:
        hash(leaf)
    except TypeError:
        return (type(leaf), id(leaf))
    return (type(leaf), leaf)


def _all_arrays(args: Any) -> bool:
    """Whether these arguments are a flat row of arrays, as a training step's usually are."""
    return PLAIN.issuperset(map(type, args))


def is_array(leaf: Any) -> bool:
    """Whether an argument is an array of some device, or a Tensor."""
    return isinstance(leaf, ARRAYS) or type(leaf) in speakers.BY_TYPE


class Program:
    """One trace of a function, simplified, generated, and ready to run."""

    def __init__(self, owner: Compiled, args: Any, kwargs: Any, flat: list[Any], form: Any) -> None:
        started = time.perf_counter()
        self.lock = threading.Lock()
        self.flat: list[Any] = flat
        self.form = form
        self.expected = [signature(leaf) for leaf in flat]
        self.others = [x for x in flat if not is_array(x)]  # alive, their ids are theirs
        self.tracer = tracer = Tracer()
        for leaf in flat:
            if isinstance(leaf, Tensor):
                tracer.meet(speaker_of(settled_array(leaf)))
        self.tree, graph = self._trace(owner, args, kwargs)
        self.single = self.tree is TENSOR
        self._take_grads(graph, owner.keep_grads)
        self.graph = simplify.simplified(graph)
        self.traced = time.perf_counter() - started
        self.frozen = [read() for read in tracer.guards]
        self.settled = [read() for read in tracer.seldom]
        self.changes = config.changes.number
        self._split_sources()
        self.code, self.lost = self._generate(owner.dialect)
        self.made = time.perf_counter() - started
        self.closed = closed_over(owner.function)
        self.function = owner.function
        self.calls = 0
        self.first = self.fastest = float("inf")  # seconds
        for source in self.code.sources:  # they are in the cache
            remember(source, lambda: facts_of(self))

    def _trace(self, owner: Compiled, args: Any, kwargs: Any) -> Any:
        """Run the function once: what it returned, and the graph of it all."""
        return self.tracer.run(owner.function, *self._recorded(args, kwargs))

    def _generate(self, dialect: str) -> Any:
        return generated(self.graph, dialect, self.tracer.home)

    def _is_tracked(self, leaf: Any) -> bool:
        """Whether an argument may get a gradient."""
        return isinstance(leaf, Tensor) and leaf.requires_grad and leaf.is_leaf

    def _recorded(self, args: Any, kwargs: Any) -> Any:
        """The arguments as the traced function gets them: Tensors of the recording for arrays."""
        position = iter(range(len(self.flat)))

        def recorded(leaf: Any) -> Any:
            i = next(position)
            if not is_array(leaf):
                return leaf
            read = functools.partial(self._argument, i)
            tensor = wrap(self.tracer.argument(read(), read, f"argument {i}"))
            if self._is_tracked(leaf):
                tensor.requires_grad_()
                self.tracer.tracked.append((i, tensor))
            return tensor

        return rebuilt((args, kwargs), recorded)

    def _take_grads(self, graph: Graph, keep: bool) -> None:
        """Gradients left in ``.grad`` are results too, or are dropped."""
        self.results = len(graph.outputs)
        self.dropped: list[Tensor] = []
        self.grad_tensors: list[Tensor] = []
        for tensor, grad in self.tracer.grads:
            if not keep and self.tracer.dropped(tensor):
                self.dropped.append(tensor)
            else:
                self.grad_tensors.append(tensor)
                graph.outputs.append(value_of(grad))
        tracked = [(i, t._grad) for i, t in self.tracer.tracked if is_recorded(t._grad)]
        self.grad_arguments = [i for i, _ in tracked]
        graph.outputs += [value_of(grad) for _, grad in tracked]

    def _split_sources(self) -> None:
        """State is read before a call, and looked at; numbers and arguments are read in it."""
        sources = self.tracer.sources
        state = [source for source in sources if source.kind in STATE]
        self.state_reads = [source.read for source in state]
        kind = self.tracer.home.ARRAY_TYPE
        self.state_kinds = [(s.value.shape, s.value.dtype, kind) for s in state]
        self.state: list[Any] = [None] * len(state)
        # Arrays lie where they were unless a Tensor got another one, or they are gradients.
        self.tensors = [source.tensor for source in state if source.kind == "state"]
        self.seen: list[Any] = [None] * len(self.tensors)
        self.only_tensors = all(source.kind != "gradient" for source in state)
        self.reads = [source.read for source in sources[len(state) :]]

    def _argument(self, i: int) -> Any:
        leaf = self.flat[i]
        array = leaf._data if isinstance(leaf, Tensor) else leaf
        return settled_array(leaf) if type(array) is LazyArray else array

    def fits(self, flat: list[Any]) -> bool:
        """Whether arguments like these were traced."""
        return [*map(signature, flat)] == self.expected

    def holds(self) -> bool:
        """Whether the Python values the trace depended on are still the same."""
        for read, then in zip(self.tracer.guards, self.frozen, strict=True):
            if read() != then:
                return False
        if self.changes != config.changes.number:
            if [read() for read in self.tracer.seldom] != self.settled:
                return False
            self.changes = config.changes.number
        if self.only_tensors and self.calls and all(map(is_, map(DATA, self.tensors), self.seen)):
            return True
        arrays = [read() for read in self.state_reads]
        if [(array.shape, array.dtype, type(array)) for array in arrays] != self.state_kinds:
            return False
        self.state = arrays
        self.seen = [tensor._data for tensor in self.tensors]
        return True

    def run(self) -> Any:
        """One call, with the arguments in ``flat``."""
        started = time.perf_counter()
        for effect in self.tracer.effects:
            effect()
        outputs = self.code.run([*self.state, *[read() for read in self.reads]])
        if len(outputs) > self.results:
            self._store_grads(outputs[self.results :])
        self.flat = []
        self._count(time.perf_counter() - started)
        for tensor in self.dropped:
            tensor._grad = None
        if self.single:
            return wrap(outputs[0])
        arrays = iter(outputs)
        return rebuilt(self.tree, lambda leaf: _result(leaf, arrays))

    def _count(self, seconds: float) -> None:
        if not self.calls:
            self.first = seconds
        self.calls += 1
        if seconds < self.fastest:
            self.fastest = seconds

    def _store_grads(self, grads: list[Any]) -> None:
        """Put gradients where eager mode would: replaced in state, added to in arguments."""
        count = len(self.grad_tensors)
        for tensor, grad in zip(self.grad_tensors, grads[:count], strict=True):
            tensor._grad = grad
        for i, grad in zip(self.grad_arguments, grads[count:], strict=True):
            leaf = self.flat[i]
            old = getattr(leaf._grad, "_data", leaf._grad)
            leaf._grad = grad if old is None else old + grad

    def explain(self) -> str:
        """The story of this program, in lines."""
        return explained(self)


def generated(graph: Graph, dialect: str, home: Any, captures: bool = True) -> tuple[Any, str]:
    """The program in the best dialect there is on a device, and why it is not a better one.

    Raises:
        Unsupported: if Numba was asked for and cannot have it.
    """
    if home is not numpy_cpu:
        if dialect == "numba":
            raise Unsupported("the loops are for the CPU", got=f"a program on {home.DEVICE!r}")
        why = f"it computes on {home.DEVICE!r}"
        if dialect == "numpy":
            return LineDialect(settled(graph), home), why
        return device_program(graph, home, captures), why
    if dialect == "numpy":
        return LineDialect(settled(graph)), "the NumPy dialect was asked for"
    try:
        from deepdive.compiler.staged import of_loops
        from deepdive.kernels.jit import gate

        return of_loops(graph, gate.threads(), thrifty=dialect == "auto"), ""
    except (Unsupported, MissingExtraError) as error:
        if dialect == "numba":
            raise
        return LineDialect(settled(graph)), str(error)


def _result(leaf: Any, arrays: Any) -> Any:
    if leaf is not TENSOR and leaf is not ARRAY:
        return leaf
    array = next(arrays)
    return wrap(array) if leaf is TENSOR else array

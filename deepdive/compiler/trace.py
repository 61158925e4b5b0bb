"""Tracing: one run of a function with recorded arrays, and where its inputs come from.

Every Tensor that existed before and is touched becomes an input, read anew at each call; what is
written into one is written back at the end.  Numbers that change from call to call (a learning
rate, a step count, random counters) are inputs too, each with a function that reads it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from deepdive import config
from deepdive.backend import numpy_cpu, speakers
from deepdive.compiler import lazyarray
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value
from deepdive.compiler.lazyarray import LazyArray, LazyNumber
from deepdive.core.clash import two_devices
from deepdive.core.tensor import Tensor
from deepdive.errors import GraphError

STATE = ("state", "array", "gradient")  # read before each run; all else after its effects
TENSOR, ARRAY = object(), object()  # places of results

PLAIN = (bool, int, float, str, tuple, type(None))


class Source(NamedTuple):
    """Where a program's input comes from: ``read()`` gives the array or number of this call."""

    value: Value
    read: Callable[[], Any]
    kind: str  # "argument", "state", "array", "gradient", "random", "number" or "host"
    name: str = ""
    tensor: Any = None  # whose array it is, if it is state


class Adopted(NamedTuple):
    """A Tensor that takes part in the trace: its box in the recording, and what it held before.

    ``first_grad`` stands in the recording for the gradient it came with.
    """

    tensor: Tensor
    box: LazyArray
    array: Any
    node: Any
    grad: Any
    first_grad: Any


class Held(NamedTuple):
    """An array the program reads: its box in the recording, and the input value it began as."""

    array: Any
    box: LazyArray
    first: Value


class Tracer:
    """Records one run of a function.

    Attributes:
        sources: the inputs in the order they appeared.
        effects: what the host does before each replay (counting steps, drawing random keys).
        constants: descriptions of Python values the program has frozen, for ``explain()``.
        origin: the operator at work, for ``explain()``.
        home: the speaker of the program's arrays; None until the first Tensor is met.
    """

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.effects: list[Callable[[], None]] = []
        self.guards: list[Callable[[], Any]] = []
        self.seldom: list[Callable[[], Any]] = []
        self.modules: set[int] = set()
        self.adopted: dict[int, Adopted] = {}
        self.held: dict[int, Held] = {}
        self.tracked: list[tuple[int, Tensor]] = []  # arguments that may get gradients
        self.forgotten: set[int] = set()  # Tensors whose gradient was cleared
        self.updated: set[int] = set()  # Tensors whose gradient an optimizer used
        self.origin = ""
        self.home: Any = None
        self.of_host: set[int] = set()  # ids of input values that are NumPy's arrays
        self.speaker = lazyarray.speaker

    # --- inputs --------------------------------------------------------------------------------
    def argument(self, array: Any, read: Callable[[], Any], name: str) -> LazyArray:
        """An array argument of the traced function."""
        if type(array) is not numpy_cpu.ARRAY_TYPE:  # NumPy's go where the program is
            self.meet(speaker_of(array))
        value = self._input(array, name)
        self.sources.append(Source(value, read, "argument", name))
        box = LazyArray(value)
        box.tracer = self
        self.held[id(box)] = Held(array, box, value)
        return box

    def adopt(self, tensor: Tensor) -> LazyArray:
        """The recorded array of a Tensor that existed before; it holds it until the trace ends."""
        array = tensor._data
        if type(array) is LazyArray and array.tracer is self:
            return array
        array = settled_array(tensor)
        self.meet(speaker_of(array))
        tensor._data = array
        box = self._hold(array, lambda: settled_array(tensor), "state", tensor)
        grad = first = tensor._grad
        if grad is not None:
            first = self._hold(_array_of(grad), lambda: _array_of(tensor._grad), "gradient")
        self.adopted[id(tensor)] = Adopted(tensor, box, array, tensor._node, grad, first)
        self.seldom.append(lambda: tensor.requires_grad)
        tensor._data, tensor._grad = box, first
        return box

    def cleared(self, tensor: Tensor) -> None:
        """Note that the function forgets the gradient a Tensor comes with, whatever it is."""
        self.adopt(tensor)
        self.forgotten.add(id(tensor))

    def fresh(self, array: Any) -> Any:
        """An array made inside the function: what is written into it is gone after the call.

        One of another device stays as it is: who computes with it meets two devices.
        """
        if type(array) is LazyArray or not self.is_home(speaker_of(array)):
            return array
        return LazyArray(Value(CONSTANT, {}, array.shape, array.dtype, array))

    def array(self, array: Any) -> LazyArray:
        """A bare array, taken by reference: the program sees what it holds at each call."""
        if type(array) is not numpy_cpu.ARRAY_TYPE:
            self.meet(speaker_of(array))
        return self._hold(array, lambda: array, "array")

    def _input(self, array: Any, origin: str) -> Value:
        """The value that an array from outside is in the graph."""
        value = Value(INPUT, {}, array.shape, array.dtype, origin=origin)
        if type(array) is numpy_cpu.ARRAY_TYPE:
            self.of_host.add(id(value))
        return value

    def _hold(
        self, array: Any, read: Callable[[], Any], kind: str, tensor: Any = None
    ) -> LazyArray:
        known = self.held.get(id(array))
        if known is None:
            value = self._input(array, kind)
            self.sources.append(Source(value, read, kind, tensor=tensor))
            known = self.held[id(array)] = Held(array, LazyArray(value), value)
        return known.box

    def original(self, tensor: Tensor) -> Any:
        """The array a Tensor held before the trace."""
        kept = self.adopted.get(id(tensor))
        return tensor._data if kept is None else kept.array

    def number(self, read: Callable[[], float], name: str) -> LazyNumber:
        """A Python number read anew at each call."""
        value = Value(INPUT, {}, (), NUMBER, origin=name)
        self.sources.append(Source(value, read, "number", name))
        return LazyNumber(value)

    def effect(self, action: Callable[[], None]) -> None:
        """Something the host does at each replay, before inputs are read."""
        self.effects.append(action)

    def guard(self, read: Callable[[], Any]) -> None:
        """A Python value the trace depends on: another value means another program."""
        self.guards.append(read)

    def saw(self, module: Any) -> None:
        """A module takes part: its mode and options are constants, checked when some change."""
        if id(module) not in self.modules:
            self.modules.add(id(module))
            self.seldom.append(lambda: [_seen(v) for v in vars(module).values()])

    def asked(self, array: Any, question: Callable[[Any], Any], now: bool = True) -> Any:
        """The answer for an input's values, guarded; None for what only the program computes.

        A question that can wait is put at each call, and answered when the device has got there.
        """
        if type(array) is not LazyArray:
            array = self.array(array)
        known = {id(held.first): held.array for held in self.held.values()}
        read = next((s.read for s in self.sources if s.value is array.value), None)
        if read is None:
            return None
        held = known[id(array.value)]
        speaker = speaker_of(held)
        if hasattr(speaker, "later") and not now:
            self.effect(lambda: speaker.later(read(), question))
            return None
        if speaker is numpy_cpu:
            self.guard(lambda: question(read()))
            return question(held)
        self.guard(lambda: question(speakers.to_host(read())))
        return question(speakers.to_host(held))

    def draw(self, generator: Any) -> tuple[Any, Any]:
        """A random draw: at each replay the generator advances as it would have eagerly."""
        drawn: list[Any] = [None]

        def advance() -> None:
            drawn[0] = generator.advance()

        key, _ = generator.peek()
        self.effect(advance)
        self.guard(lambda: generator.peek()[0])
        return key, self.number(lambda: drawn[0][1], "random counter")

    def drawn(self, generator: Any, draw: Callable[[], Any]) -> LazyArray:
        """Random numbers that the host draws before each replay, as it would have eagerly."""
        state = generator.get_state()
        numbers = [untraced(draw)]
        generator.set_state(state)

        def again() -> None:
            numbers[0] = draw()

        self.effect(again)
        value = self._input(numbers[0], "random")
        self.sources.append(Source(value, lambda: numbers[0], "random"))
        return LazyArray(value)

    # --- the device ----------------------------------------------------------------------------
    def is_home(self, speaker: Any) -> bool:
        """Whether this is the device of the program; the first that is met becomes it."""
        if self.home is None:
            self.home = speaker
        return self.home is speaker

    def meet(self, speaker: Any) -> None:
        """Arrays of a device take part.

        Raises:
            DeviceError: if the program computes on another one.
        """
        if not self.is_home(speaker):
            raise two_devices("", speaker.DEVICE, self.home.DEVICE)

    def _delivered(self, source: Source) -> Source:
        """A source of NumPy's arrays for a program on another device: sent there at each call."""
        if id(source.value) not in self.of_host:
            return source
        send, read = self.home.asarray, source.read
        kind = "host" if source.kind in STATE else source.kind
        source.value.origin = kind  # it is another array each time
        return source._replace(read=lambda: send(read()), kind=kind)

    # --- the run -------------------------------------------------------------------------------
    def run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call `function` while everything is recorded; afterwards all Tensors hold arrays again.

        Returns:
            what the function returned, and the graph of it all (see :meth:`finish`).
        """
        recording = config.lazy_mode.set(lazyarray.speaker)
        tracing = config.tracing.set(self)
        try:
            out = function(*args, **kwargs)
            graph = self.finish(out)
            return rebuilt(out, self._left_out), graph
        finally:
            config.tracing.reset(tracing)
            config.lazy_mode.reset(recording)
            self.release()

    def finish(self, out: Any) -> Graph:
        """The graph: returned values, gradients left in ``.grad``, and what state became."""
        self.results = [leaf for leaf in leaves(out) if self._left_out(leaf) is not leaf]
        self.grads = self._gradients()
        final = {id(held.box): held.box.value for held in self.held.values()}
        for kept in self.adopted.values():  # a name bound to another array, as `x[i] = …` does
            if kept.tensor._data is not kept.box:
                final[id(kept.box)] = value_of(kept.tensor)
        writes = [
            (held.first, final[id(held.box)])
            for held in self.held.values()
            if final[id(held.box)] is not held.first
        ]
        outputs = [value_of(result) for result in self.results]
        grads = [value_of(grad) for _, grad in self.grads]
        needed = set(map(id, Graph([], [*outputs, *grads], writes).values()))
        self.sources = [s for s in self.sources if s.kind != "gradient" or id(s.value) in needed]
        if self.home is None:
            self.home = numpy_cpu
        if self.home is not numpy_cpu:
            self.sources = list(map(self._delivered, self.sources))
        self.sources.sort(key=lambda source: source.kind not in STATE)
        graph = Graph([source.value for source in self.sources], outputs, writes)
        graph.verify()
        return graph

    def _left_out(self, leaf: Any) -> Any:
        """What stands for a result the program computes; state that is returned is itself."""
        if not is_recorded(leaf) or id(leaf) in self.adopted:
            return leaf
        return TENSOR if isinstance(leaf, Tensor) else ARRAY

    def _gradients(self) -> list[tuple[Tensor, Any]]:
        """The gradients the function leaves in Tensors that existed before."""
        found = []
        for kept in self.adopted.values():
            tensor, grad = kept.tensor, kept.tensor._grad
            if not is_recorded(grad) or _array_of(grad) is kept.first_grad:
                continue
            found.append((tensor, grad))
            if id(tensor) not in self.forgotten:  # added to what was there
                self.guard(functools.partial(_without_grad, tensor))
        return found

    def gradient(self, tensor: Tensor) -> Any:
        """What an optimizer is about to use up: the gradient of a parameter, or None."""
        self.adopt(tensor)
        self.updated.add(id(tensor))
        grad = _array_of(tensor._grad)
        if id(tensor) not in self.forgotten and grad is self.adopted[id(tensor)].first_grad:
            self.guard(functools.partial(_without_grad, tensor))
        return grad

    def dropped(self, tensor: Tensor) -> bool:
        """Whether a Tensor's gradient is cleared, computed and used up within each call."""
        return id(tensor) in self.forgotten and id(tensor) in self.updated

    def release(self) -> None:
        """Give every adopted Tensor its own array back."""
        for kept in self.adopted.values():
            kept.tensor._data = kept.array
            kept.tensor._grad = kept.grad
            kept.tensor._node = kept.node

    def refuse_to_look(self) -> None:
        """Raise: a value was asked for that no program run has computed yet.

        Raises:
            GraphError: naming the user's line.
        """
        frame = sys._getframe(1)
        while frame.f_back is not None:
            if not frame.f_globals.get("__name__", "").startswith("deepdive."):
                break
            frame = frame.f_back
        raise GraphError(
            "compile: the function looks at a value while it is being recorded",
            where=f"{frame.f_code.co_filename}:{frame.f_lineno}",
            fix="no .item(), print, float(), `if` or loop on tensor values inside; use "
            "where(condition, x, y), or return the tensor and look at it outside",
        )


def is_recorded(item: Any) -> bool:
    """Whether `item` is a Tensor or array of the recording."""
    return type(getattr(item, "_data", item)) in (LazyArray, LazyNumber)


def _array_of(grad: Any) -> Any:
    return grad._data if isinstance(grad, Tensor) else grad


def _without_grad(tensor: Tensor) -> bool:
    return tensor._grad is None


def _seen(item: Any) -> Any:
    """What of a module's attribute a program depends on: plain values, layers, parameters."""
    if type(item) in PLAIN:
        return item
    part = hasattr(item, "named_parameters") or (isinstance(item, Tensor) and item.requires_grad)
    return id(item) if part else None


def speaker_of(array: Any) -> Any:
    """The speaker of an array, NumPy's for subclasses of its own."""
    return speakers.BY_TYPE.get(type(array), numpy_cpu)


def settled_array(tensor: Tensor) -> Any:
    """The array of a Tensor; what lazy mode put off is computed now."""
    array = tensor._data
    if type(array) is LazyArray:
        array = tensor._data = untraced(lambda: lazyarray.realize(tensor._data))
    return array


def untraced(action: Callable[[], Any]) -> Any:
    """``action()``, nothing recorded."""
    token = config.tracing.set(None)
    try:
        return action()
    finally:
        config.tracing.reset(token)


def value_of(item: Any) -> Value:
    """The graph value of a recorded Tensor, array or number."""
    return getattr(item, "_data", item).value  # type: ignore[no-any-return]


def leaves(tree: Any) -> list[Any]:
    """What is inside nested tuples, lists and dicts, in order."""
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in leaves(item)]
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree]


def structure(tree: Any) -> Any:
    """The nesting of a tree without its leaves, to compare and to look up.

    >>> structure(((1, [2]), {"x": 3})) == structure(((4, [5]), {"x": 6}))
    True
    """
    if isinstance(tree, dict):
        return (dict, *((name, structure(item)) for name, item in tree.items()))
    if isinstance(tree, (tuple, list)):
        return (type(tree), *map(structure, tree))
    return None


def rebuilt(tree: Any, change: Callable[[Any], Any]) -> Any:
    """`tree` with ``change(leaf)`` in place of every leaf."""
    if isinstance(tree, dict):
        return {name: rebuilt(item, change) for name, item in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(rebuilt(item, change) for item in tree))
    if isinstance(tree, (tuple, list)):
        return type(tree)(rebuilt(item, change) for item in tree)
    return change(tree)

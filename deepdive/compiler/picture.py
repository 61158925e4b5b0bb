"""What there is to draw of a program, as plain data: its values, what they read, what is fused.

The rooms that draw lie below this one; they get a :class:`Drawn` and hand the painter up
(``config.painter``).  Numbers such as a learning rate are left out: they are in ``explain()``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from deepdive.compiler.expressions import VIRTUAL
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Value, typed, values_in
from deepdive.compiler.settle import root

SEEDS = "param_groups"  # what tells an optimizer among the things a function uses
MOST = 3  # operands a line names


class Part(NamedTuple):
    """One value: a box of the picture.

    ``kind`` is "input", "constant", or "value"; ``is_stored`` whether it lies in memory – else
    it lives in registers only; ``group`` the number of the fused group that computes it, or None.
    """

    name: str
    text: str  # the word and its operands; empty for what comes from outside
    shape: str
    kind: str
    is_stored: bool
    group: int | None


class Drawn(NamedTuple):
    """The parts of a program, edges as pairs of their numbers, and the titles of fused groups."""

    parts: list[Part]
    edges: list[tuple[int, int]]
    groups: list[str]


def drawn(program: Any) -> Drawn:
    """The picture of a :class:`~deepdive.compiler.compiled.Program`, in either dialect."""
    names = {**program.code.graph.names(), **names_of(program)}
    plan = getattr(program.code, "plan", None)
    if plan is not None:
        return of_plan(names, plan)
    return Sketch(names, program.code.graph).of_lines(getattr(program.code, "chains", None))


def of_plan(names: dict[Value, str], plan: Any) -> Drawn:
    """A fused program: values in groups of loops; views cost nothing and are not shown."""
    sketch = Sketch(names, plan.graph)
    titles = []
    nodes = [(i, node) for i, group in enumerate(plan.groups) for node in group.nodes]
    places = {node: sketch.enter(node.value, i, _stored(plan, node)) for i, node in nodes}
    makers = {node.value: place for node, place in places.items() if node.kind != "partial"}
    for node, place in places.items():
        if node.kind == "partial":  # its total is elsewhere, under the same name
            sketch.edges.append((place, makers[node.value]))
        for read in node.reads.values():
            source = makers.get(read.base)
            if source is None:
                source = sketch.outside(read.base)
            sketch.edges.append((source, place))
    for i, group in enumerate(plan.groups):
        rows = "in one piece" if group.rows == 1 else f"{group.rows} rows in blocks"
        titles.append(f"group {i}, level {group.level}: {rows}")
    return sketch.finished(makers, titles)


def _stored(plan: Any, node: Any) -> bool:
    return node.value in plan.stored or node.kind == "partial"


class Sketch:
    """Collects parts and edges."""

    def __init__(self, names: dict[Value, str], graph: Any) -> None:
        self.names = names
        self.graph = graph
        self.parts: list[Part] = []
        self.edges: list[tuple[int, int]] = []
        self.sources: dict[Value, int] = {}

    def enter(self, value: Value, group: int | None, is_stored: bool) -> int:
        """A computed value; gives its number."""
        operands = list(self._operands(value))
        more = ["…"] if len(operands) > MOST else []
        text = f"{value.word}({', '.join([*operands[:MOST], *more])})"
        part = Part(self.names[value], text, _shape(value), "value", is_stored, group)
        return self._add(part)

    def _operands(self, value: Value) -> Iterator[str]:
        """The names of what a value is made of, views by what they show; and plain numbers."""
        for name, argument in value.arguments.items():
            if name in ("x", "y") and isinstance(argument, (int, float)):
                yield f"{argument:.4g}"
            for operand in values_in([argument]):
                is_made = operand.dtype is NUMBER and operand.word != INPUT
                yield "a number" if is_made else self.names[root(operand)]

    def outside(self, value: Value) -> int:
        """What comes from outside: an input, a constant, or what the host computes."""
        if value not in self.sources:
            kind = value.word if value.word in (INPUT, CONSTANT) else "value"
            text = "" if value.word == INPUT else value.word
            is_stored = value.word not in VIRTUAL  # such as zeros: written where they are read
            part = Part(self.names[value], text, _shape(value), kind, is_stored, None)
            self.sources[value] = self._add(part)
        return self.sources[value]

    def of_lines(self, chains: Any = None) -> Drawn:
        """A program with a box for each line; what a GPU runs as one kernel is a group."""
        makers: dict[Value, int] = {}
        units = [] if chains is None else chains.kernels()
        groups = {}
        stored = set()
        for i, unit in enumerate(units):
            stored.update(chains.stored(unit))
            for value in unit.values:
                groups[value] = i
        for value in self.graph.values():
            if value.dtype is NUMBER or value.word in (INPUT, CONSTANT):
                continue
            is_stored = value in stored or value not in groups
            makers[value] = self.enter(value, groups.get(value), is_stored)
            for operand in value.operands():
                if operand.dtype is NUMBER:
                    continue
                source = makers.get(operand)
                if source is None:
                    source = self.outside(operand)
                self.edges.append((source, makers[value]))
        titles = [f"kernel of {len(unit.values)} words" for unit in units]
        return self.finished(makers, titles)

    def finished(self, makers: dict[Value, int], titles: list[str]) -> Drawn:
        """All of it, with what each value becomes: new state, or a result."""
        fates = [(value, f"→ {self.names[target]}") for target, value in self.graph.writes]
        fates += [(value, "→ result") for value in self.graph.outputs]
        for value, fate in fates:
            place = makers.get(self._computed(value, makers))
            if place is not None:
                part = self.parts[place]
                self.parts[place] = part._replace(shape=f"{part.shape} {fate}")
        return Drawn(self.parts, list(dict.fromkeys(self.edges)), titles)

    def _computed(self, value: Value, makers: dict[Value, int]) -> Value:
        """The value that a view shows."""
        while value not in makers and value.operands():
            value = value.operands()[0]
        return value

    def _add(self, part: Part) -> int:
        self.parts.append(part)
        return len(self.parts) - 1


def _shape(value: Value) -> str:
    """``(64, 10)``, with the dtype where it is not float32.

    >>> from deepdive import int64
    >>> _shape(Value(INPUT, {}, (), int64))
    'scalar int64'
    """
    if value.dtype is NUMBER or value.dtype.name != "float32":
        return typed(value).replace("() ", "scalar ")
    return str(value.shape) if value.shape else "scalar"


# --- names ----------------------------------------------------------------------------------------
def names_of(program: Any) -> dict[Value, str]:
    """What users call the inputs: parameters by their path, slots of optimizers, arguments."""
    tracer = program.tracer
    called = parameter_names(program.function)
    told = _names_in(used_by(program.function))
    found: dict[Value, str] = {}
    boxes = {id(kept.box): kept.tensor for kept in tracer.adopted.values()}
    for held in tracer.held.values():
        tensor = boxes.get(id(held.box))
        name = told.get(id(tensor)) or told.get(id(held.array))
        if name:
            found[held.first] = name
    for source in tracer.sources:
        if source.kind in ("argument", "random", "number"):
            found.setdefault(source.value, source.name or source.kind)
    arguments = [source.value for source in tracer.sources if source.kind == "argument"]
    if len(called) == len(arguments) == len(program.expected):
        found.update(zip(arguments, called, strict=True))
    return found


def parameter_names(function: Any) -> list[str]:
    """The names of a function's parameters, where Python knows them.

    >>> parameter_names(lambda x, target: x)
    ['x', 'target']
    """
    try:
        return list(inspect.signature(getattr(function, "forward", function)).parameters)
    except (TypeError, ValueError):
        return []


def _names_in(things: dict[str, Any]) -> dict[int, str]:
    """Names by the id of what they name; the first one wins."""
    found: dict[int, str] = {}
    optimizers = []
    for name, thing in things.items():
        found.setdefault(id(thing), name)
        for walk in ("named_parameters", "named_buffers"):
            if callable(getattr(type(thing), walk, None)):
                for path, tensor in getattr(thing, walk)():
                    found.setdefault(id(tensor), path)
        if hasattr(thing, SEEDS):
            optimizers.append(thing)
    for optimizer in optimizers:
        for group, states in zip(optimizer.param_groups, optimizer._states, strict=True):
            for p, slots in zip(group["params"], states, strict=True):
                owner = found.get(id(p), "a parameter")
                for slot, array in slots.items():
                    found.setdefault(id(array), f"{slot} of {owner}")
    return found


def used_by(function: Any) -> dict[str, Any]:
    """What a function takes from outside, by name; a module is what it is.

    >>> rate = 3
    >>> used_by(lambda x: x * rate)
    {'rate': 3}
    """
    owner = getattr(function, "__self__", None)
    found = {} if owner is None else {"self": owner}
    if hasattr(function, "named_parameters"):
        return {"model": function}
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        return found
    cells = function.__closure__ or ()
    for name, cell in zip(code.co_freevars, cells, strict=True):
        found[name] = getattr(cell, "cell_contents", None)
    for name in code.co_names:
        if name in function.__globals__:
            found.setdefault(name, function.__globals__[name])
    return found

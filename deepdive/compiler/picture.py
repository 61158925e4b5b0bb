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
    """The picture of a :class:`~deepdive.compiler.compiled.Program`, in any dialect."""
    code = program.code
    told = names_of(program)
    if hasattr(code, "parts"):
        return of_stages(code, {**code.names(), **told})
    graph = code.graph
    sketch = Sketch({**graph.names(), **told})
    if hasattr(code, "plan"):
        makers = sketch.loops(code.plan)
    else:
        makers = sketch.lines(graph, chains=getattr(code, "chains", None))
    sketch.note(makers, graph.writes, graph.outputs)
    return sketch.finished()


def of_stages(code: Any, names: dict[Value, str]) -> Drawn:
    """Loops and words that are called, stage by stage."""
    sketch = Sketch(names)
    made: list[dict[Value, int]] = []
    titles = code.titles()
    links = list(code.links())
    for i, part in enumerate(code.parts):
        for place, value, maker, source in links:
            if place == i:
                sketch.link(value, source, made[maker])
        if hasattr(part, "plan"):
            makers = sketch.loops(part.plan, f"{titles[i]}, ")
        else:
            makers = sketch.lines(part.graph, len(sketch.titles))
            sketch.titles.append(titles[i])
        made.append(makers)
        graph = part.graph
        results = code.stages[i].results
        sketch.note(makers, graph.writes, graph.outputs[:results])
    for target, maker, value in code.late():
        sketch.note(made[maker], [(target, value)], [])
    return sketch.finished()


def _stored(plan: Any, node: Any) -> bool:
    return node.value in plan.stored or node.kind == "partial"


class Sketch:
    """Collects parts and edges."""

    def __init__(self, names: dict[Value, str]) -> None:
        self.names = names
        self.parts: list[Part] = []
        self.edges: list[tuple[int, int]] = []
        self.titles: list[str] = []
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

    def loops(self, plan: Any, title: str = "") -> dict[Value, int]:
        """A fused program: values in groups of loops; views cost nothing and are not shown."""
        first = len(self.titles)
        nodes = [(i, node) for i, group in enumerate(plan.groups, first) for node in group.nodes]
        places = {node: self.enter(node.value, i, _stored(plan, node)) for i, node in nodes}
        makers = {node.value: place for node, place in places.items() if node.kind != "partial"}
        for node, place in places.items():
            if node.kind == "partial":  # its total is elsewhere, under the same name
                self.edges.append((place, makers[node.value]))
            for read in node.reads.values():
                source = makers.get(read.base)
                if source is None:
                    source = self.outside(read.base)
                self.edges.append((source, place))
        for i, group in enumerate(plan.groups):
            rows = "in one piece" if group.rows == 1 else f"{group.rows} rows in blocks"
            self.titles.append(f"{title}group {i}, level {group.level}: {rows}")
        return makers

    def lines(self, graph: Any, group: int | None = None, chains: Any = None) -> dict[Value, int]:
        """A box for each line, all in one group or none; what a GPU runs as one kernel is one."""
        makers: dict[Value, int] = {}
        units = [] if chains is None else chains.kernels()
        groups = {}
        stored = set()
        for i, unit in enumerate(units):
            stored.update(chains.stored(unit))
            for value in unit.values:
                groups[value] = i
        for value in graph.values():
            if value.dtype is NUMBER or value.word in (INPUT, CONSTANT):
                continue
            is_stored = value in stored or value not in groups
            makers[value] = self.enter(value, groups.get(value, group), is_stored)
            for operand in value.operands():
                if operand.dtype is NUMBER:
                    continue
                source = makers.get(operand)
                if source is None:
                    source = self.outside(operand)
                self.edges.append((source, makers[value]))
        self.titles += [f"kernel of {len(unit.values)} words" for unit in units]
        return makers

    def note(self, makers: dict[Value, int], writes: Any, results: list[Value]) -> None:
        """Say beside values what they become: new state, or a result."""
        fates = [(value, self.names[target]) for target, value in writes]
        fates += [(value, "result") for value in results]
        for value, fate in fates:
            place = makers.get(self._computed(value, makers))
            if place is not None:
                part = self.parts[place]
                shape = f"{part.shape} → {fate}"
                self.parts[place] = part._replace(shape=shape)

    def link(self, value: Value, source: Value, makers: dict[Value, int]) -> None:
        """What one stage takes is what another one made, or what that shows."""
        source = self._computed(source, makers)
        box = makers.get(source, self.sources.get(source))
        if box is not None:
            self.sources[value] = box

    def finished(self) -> Drawn:
        """All of it."""
        return Drawn(self.parts, list(dict.fromkeys(self.edges)), self.titles)

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

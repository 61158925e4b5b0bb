"""Stages: what the loops cannot say is called as it is, between programs of loops.

A training step that sorts in its middle is cut where the data passes from loops to a word and
back; even stages are NumPy's, odd ones are loops::

    stage 1   loops       z = relu(x @ W1.T + b1)
    stage 2   called      s = sort(z), o = argsort(z)
    stage 3   loops       the rest of the forward pass, the loss, its gradient down to s
    stage 4   called      dz = zeros, dz[o] += ds
    stage 5   loops       dW1, and the update of all parameters

A value's stage is the largest of its operands', or the next one of its kind.  Views, zeros and
numbers cost nothing: each stage makes those it needs itself.  Updates of state wait for the last
stage, so all words read old state, and an error in one leaves no step half done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from deepdive.backend import numpy_cpu
from deepdive.compiler.expressions import CASTS
from deepdive.compiler.graph import (
    CONSTANT,
    INPUT,
    NUMBER,
    Graph,
    Value,
    ordered,
    replaced,
    rewritten,
    typed,
)
from deepdive.compiler.layout import own
from deepdive.compiler.lower import PASSES, primitive
from deepdive.compiler.nodes import Node, Places, Unsupported, entered
from deepdive.compiler.settle import settled
from deepdive.compiler.simplify import simplified

READ_UNCONVERTED = (*CASTS, "uint8", NUMBER)  # dtypes that loops read
BY_NATURE = {  # words that are the host's in any program
    "random_bits": "the host draws",
    "copy": "old state that is still wanted",
}
FEW, LITTLE = 8, 1e5  # values, operations: with less, a stage of loops does not pay


class Speech:
    """Which values the loops can say, asked one after the other, operands first.

    Attributes:
        rule: how a value is said in primitive words.
        nodes: what loops compute.
        called: values to be called as they are, and why.
    """

    def __init__(self, rule: Callable[[Value], Value] = primitive) -> None:
        self.rule = rule
        self.places: Places = {}
        self.nodes: dict[Value, Node] = {}
        self.called: dict[Value, str] = {}
        self._seen: set[int] = set()

    def mixed(self, value: Value) -> Value:
        """`value` in primitive words, if the loops know all of them; else as it is."""
        found = self.rule(value)
        parts = ordered([found], self._seen)
        refusals = [self._refused(part) for part in parts]
        if not any(refusals):
            return found
        for part in ordered([value], self._seen):
            self._refused(part)
        return value

    def hear(self, graph: Graph) -> list[Value]:
        """Ask about all values of a graph; gives them in order."""
        values = graph.values()
        for value in values:
            self._refused(value)
        return values

    def _refused(self, value: Value) -> str:
        """Why a value has to be called as it is; empty if loops say it."""
        reason = self._reason(value)
        if reason:
            self.places[value] = own(value)
            self.called[value] = reason
        return reason

    def _reason(self, value: Value) -> str:
        if value.dtype is NUMBER:
            return ""
        if value.word in (INPUT, CONSTANT):
            self.places[value] = own(value)
            return ""
        try:
            _check_operands(value)
            node = entered(value, self.places)
        except Unsupported as error:
            return error.what
        if node is not None:
            if 0 in (*node.space, *value.shape):
                return "no loop for an empty array"
            self.nodes[value] = node
        return ""


def _check_operands(value: Value) -> None:
    """Refuse to read what loops have no name for.

    Raises:
        Unsupported: for float64, float16 …
    """
    for operand in value.operands():
        dtype = NUMBER if operand.dtype is NUMBER else operand.dtype.name
        if dtype not in READ_UNCONVERTED:
            raise Unsupported(f"the loops compute in float32, not {dtype}", got=typed(operand))


def mixed(graph: Graph) -> Graph:
    """The same computation in words of loops where they have them, in its own elsewhere."""
    for rule in PASSES:
        graph = rewritten(graph, Speech(rule).mixed)
    return settled(simplified(graph))


class Stage(NamedTuple):
    """A part of a graph that runs in one piece.

    Attributes:
        number: even for words called as they are, odd for loops.
        graph: what it computes; its inputs are those of the whole, then values of other stages.
        takes: where they are found, among the inputs of the whole and what stages gave before.
        results: how many of its outputs leave the whole program; the rest is for later stages.
    """

    number: int
    graph: Graph
    takes: list[int]
    results: int

    @property
    def is_loops(self) -> bool:
        """Whether loops compute it."""
        return self.number % 2 == 1


class Cut:
    """A graph in stages.

    Attributes:
        stages: in the order they run.
        results: where the outputs of the whole are found: inputs first, then what stages gave.
        late: writes that no stage does: (number of the input, where the value is found).
    """

    def __init__(self, graph: Graph, thrifty: bool) -> None:
        self.graph = graph
        self.speech = Speech()
        self.nodes = self.speech.nodes
        self.called = self.speech.called
        self.values = self.speech.hear(graph)
        self._number()
        while thrifty and self._give_up_small():
            self._number()
        self.last = self._postpone()
        self.places = {value: i for i, value in enumerate(graph.inputs)}
        self.results = [-1] * len(graph.outputs)
        self.count = len(graph.inputs)
        self._find_wanted()
        self.stages = [self._stage(number) for number in self._used()]
        self.late = [
            (graph.inputs.index(target), self.places[value])
            for target, value in graph.writes
            if not self._is_written_by(self.last, value)
        ]

    # --- which stage ----------------------------------------------------------------------------
    def _number(self) -> None:
        """Number the stages: as early as operands allow."""
        self.numbers: dict[Value, int] = {}
        for value in self.values:
            number = max((self.numbers[o] for o in value.operands()), default=0)
            if value in self.nodes:
                number += number % 2 == 0
            elif value in self.called:
                number += number % 2
            self.numbers[value] = number

    def _give_up_small(self) -> bool:
        """Call what stands in stages of loops that are too small to pay; whether there are any."""
        stages: dict[int, list[Value]] = {}
        for value in self.nodes:
            stages.setdefault(self.numbers[value], []).append(value)
        found = False
        for values in stages.values():
            work = sum(self.nodes[value].work() for value in values)
            if len(values) < FEW and work < LITTLE and all(map(_can_be_called, values)):
                found = True
                for value in values:
                    del self.nodes[value]
                    self.called[value] = "too little between words that are called"
        return found

    def _postpone(self) -> int:
        """Put the updates of state, as far as they are maps, behind all words; gives that stage."""
        made = {value for _, value in self.graph.writes if value in self.nodes}
        words = max((self.numbers[value] for value in self.called), default=0)
        last = max([words + 1, *(self.numbers[value] for value in made)])
        users = self.graph.users()
        kept = set(self.graph.outputs)
        waiting: set[Value] = set()
        for value in reversed(self.values):
            node = self.nodes.get(value)
            if node is None or node.kind != "map" or value in kept:
                continue
            can_wait = all(u in waiting and u.shape == value.shape for u in users[value])
            if can_wait and (users[value] or value in made):
                self.numbers[value] = last
                waiting.add(value)
        return last

    def _is_made(self, value: Value) -> bool:
        """Whether one stage makes a value; else each makes its own."""
        return value in self.nodes or value in self.called

    def _used(self) -> list[int]:
        """The numbers of the stages there are."""
        wanted = [*self.graph.outputs, *self._late_values()]
        made = [value for value in self.values if self._is_made(value)]
        return sorted({self.numbers[value] for value in (*made, *wanted)})

    # --- what passes from stage to stage ----------------------------------------------------------
    def _late_values(self) -> list[Value]:
        """Values for state that the last stage does not make, or not only for that."""
        return [v for _, v in self.graph.writes if not self._is_written_by(self.last, v)]

    def _is_written_by(self, number: int, value: Value) -> bool:
        return value in self.nodes and self.numbers[value] == number == self.last

    def _find_wanted(self) -> None:
        """What each stage gives to later ones."""
        roots: dict[Value, list[Value]] = {}
        self.passing: set[Value] = set(self._late_values())
        for value in self.values:
            read = [root for operand in value.operands() for root in roots[operand]]
            if self._is_made(value):
                roots[value] = [value]
                here = self.numbers[value]
                self.passing |= {root for root in read if self.numbers[root] != here}
            else:
                roots[value] = list(dict.fromkeys(read))

    def _stage(self, number: int) -> Stage:
        """The part of the graph that one stage computes."""
        of_all = enumerate(self.graph.outputs)
        results = [(i, value) for i, value in of_all if self.numbers[value] == number]
        outputs = [value for _, value in results]
        done = set(outputs)
        for value in self.values:
            if value in self.passing and self.numbers[value] == number and value not in done:
                outputs.append(value)
        writes = [pair for pair in self.graph.writes if self._is_written_by(number, pair[1])]
        graph, sources = self._part(number, outputs, writes)
        takes = [self.places[value] for value in sources]
        for place, value in enumerate(outputs, self.count):
            self.places[value] = place
        for place, (i, _) in enumerate(results, self.count):
            self.results[i] = place
        self.count += len(outputs)
        return Stage(number, graph, takes, len(results))

    def _part(
        self, number: int, outputs: list[Value], writes: list[tuple[Value, Value]]
    ) -> tuple[Graph, list[Value]]:
        """A graph of these values, and what its inputs are in the whole."""
        wanted = self._needed(number, [*outputs, *(value for _, value in writes)])
        targets = {target for target, _ in writes}
        sources = [v for v in self.graph.inputs if v in wanted or v in targets]
        inputs = list(sources)
        new: dict[Value, Value] = {}
        for value in self.values:
            if value not in wanted:
                continue
            if value.word in (INPUT, CONSTANT):
                new[value] = value
            elif self._is_made(value) and self.numbers[value] != number:
                new[value] = Value(INPUT, {}, value.shape, value.dtype, origin=value.word)
                sources.append(value)
                inputs.append(new[value])
            else:
                arguments = replaced(value.arguments, lambda operand: new[operand])
                kind = (value.shape, value.dtype, value.array, value.origin)
                new[value] = Value(value.word, arguments, *kind)
        found = [new[value] for value in outputs]
        return Graph(inputs, found, [(target, new[value]) for target, value in writes]), sources

    def _needed(self, number: int, outputs: list[Value]) -> set[Value]:
        """Everything a stage computes or takes."""
        needed: set[Value] = set()
        todo = list(outputs)
        while todo:
            value = todo.pop()
            if value not in needed:
                needed.add(value)
                if not self._is_made(value) or self.numbers[value] == number:
                    todo += value.operands()
        return needed

    # --- what there is to tell --------------------------------------------------------------------
    def reasons(self) -> list[str]:
        """The words that are called, how often, and why: ``sort 2 (no loop for …)``."""
        counts = Counter((value.word, reason) for value, reason in self.called.items())
        return [
            f"{word}{f' {count}' if count > 1 else ''} ({reason})"
            for (word, reason), count in counts.items()
        ]


def check_words(values: dict[Value, str]) -> None:
    """Refuse words that NumPy does not know: those that only loops have.

    Raises:
        Unsupported: naming the first.
    """
    for value, reason in values.items():
        if not hasattr(numpy_cpu, value.word):
            raise Unsupported(f"{value.word} can not be called: {reason}", got=typed(value))


def _can_be_called(value: Value) -> bool:
    """Whether NumPy knows the word, and gives the dtype that the loops would give."""
    dtypes = {operand.dtype for operand in value.operands()} - {NUMBER}
    same = value.word not in ("sum", "max", "min") or dtypes == {value.dtype}
    return same and hasattr(numpy_cpu, value.word)

"""The graph of a recorded computation: values, each made by one word from earlier values.

A value knows its word, the word's arguments by name (other values, numbers, tuples), its shape and
its dtype.  That is all later stages need: the vocabulary says what a word means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from deepdive.errors import GraphError

INPUT = "input"  # comes from outside at each call
CONSTANT = "constant"  # an array known when the graph was made
NUMBER = "number"  # dtype of a Python number: weak, it never widens an array


class Value:
    """One value of a graph.

    Attributes:
        word: the vocabulary word that makes it, INPUT or CONSTANT.
        arguments: the word's arguments by name, values among them.
        shape, dtype: of the array; dtype is NUMBER for a Python number.
        array: the array, once it is there.
        origin: the operator that said the word.
    """

    __slots__ = ("arguments", "array", "dtype", "origin", "shape", "word")

    def __init__(
        self,
        word: str,
        arguments: dict[str, Any],
        shape: tuple[int, ...],
        dtype: Any,
        array: Any = None,
        origin: str = "",
    ) -> None:
        self.word = word
        self.arguments = arguments
        self.shape = shape
        self.dtype = dtype
        self.array = array
        self.origin = origin

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    @property
    def nbytes(self) -> int:
        """Bytes of memory; a number takes none."""
        return 0 if self.dtype is NUMBER else self.size * self.dtype.itemsize

    def operands(self) -> list[Value]:
        """The values among the arguments, in order."""
        return list(values_in(self.arguments.values()))

    def __repr__(self) -> str:
        return f"<{self.word} {typed(self)}>"


def typed(value: Value) -> str:
    """``(64, 10) float32``."""
    name = value.dtype if value.dtype is NUMBER else value.dtype.name
    return f"{value.shape} {name}"


def said(word: str, like: Value, extents: Any = None, /, **arguments: Any) -> Value:
    """A value made by `word`, with the dtype and origin of `like`, and its shape or another.

    >>> x = Value(INPUT, {}, (2, 3), NUMBER)
    >>> said("reshape", x, (6,), x=x, shape=(6,))
    <reshape (6,) number>
    """
    shape = like.shape if extents is None else extents
    return Value(word, arguments, shape, like.dtype, origin=like.origin)


def reduced_axes(value: Value) -> tuple[int, ...]:
    """The axes a reduction takes together, counted from the front.

    >>> x = Value(INPUT, {}, (2, 3), NUMBER)
    >>> reduced_axes(said("sum", x, (2,), x=x, axis=-1))
    (1,)
    """
    rank = len(value.arguments["x"].shape)
    axis = value.arguments["axis"]
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % rank for a in axes) if rank else ()


def values_in(items: Any) -> Iterator[Value]:
    """All values inside nested lists, tuples and slices."""
    stack = [iter(items)]
    while stack:
        for item in stack[-1]:
            if isinstance(item, Value):
                yield item
            elif isinstance(item, (tuple, list)):
                stack.append(iter(item))
                break
            elif isinstance(item, slice):
                stack.append(iter((item.start, item.stop, item.step)))
                break
        else:
            stack.pop()


def replaced(item: Any, change: Callable[[Value], Any]) -> Any:
    """`item` with ``change(value)`` in place of every value inside it."""
    if isinstance(item, Value):
        return change(item)
    if type(item) in (tuple, list):
        return type(item)(replaced(part, change) for part in item)
    if isinstance(item, slice):
        parts = (item.start, item.stop, item.step)
        return slice(*(replaced(part, change) for part in parts))
    if isinstance(item, dict):
        return {name: replaced(part, change) for name, part in item.items()}
    return item


def ordered(outputs: list[Value], done: set[int] | None = None) -> list[Value]:
    """Everything `outputs` need, operands first; without recursion, each value once.

    Values whose ids are in `done` are left out, with all they need; those found are noted there.
    """
    done = set() if done is None else done
    order: list[Value] = []
    stack: list[tuple[Value, Iterator[Value]]] = []
    for output in outputs:
        if id(output) not in done:
            done.add(id(output))
            stack.append((output, iter(output.operands())))
        while stack:
            value, waiting = stack[-1]
            for operand in waiting:
                if id(operand) not in done:
                    done.add(id(operand))
                    stack.append((operand, iter(operand.operands())))
                    break
            else:
                order.append(value)
                stack.pop()
    return order


class Graph:
    """What one program computes.

    Attributes:
        inputs: INPUT values in the order the program takes them.
        outputs: values the program returns.
        writes: (input, value) pairs: at the end the input's own buffer gets the value.
    """

    def __init__(
        self, inputs: list[Value], outputs: list[Value], writes: list[tuple[Value, Value]]
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.writes = writes

    def values(self) -> list[Value]:
        """All values in an order of computation; inputs nobody needs are left out."""
        return ordered([*self.outputs, *(value for _, value in self.writes)])

    def users(self) -> dict[Value, list[Value]]:
        """For each value the values computed from it."""
        found: dict[Value, list[Value]] = {}
        for value in self.values():
            found.setdefault(value, [])
            for operand in value.operands():
                found[operand].append(value)
        return found

    def verify(self) -> None:
        """Refuse a graph whose writes and inputs contradict each other.

        Raises:
            GraphError: for an unknown input, or a write of another shape or dtype.
        """
        known = {id(value) for value in self.inputs}
        for value in self.values():
            if value.word == INPUT and id(value) not in known:
                raise GraphError("graph: an input the program does not take", got=repr(value))
        for target, value in self.writes:
            if target.shape != value.shape or target.dtype != value.dtype:
                raise GraphError(
                    "graph: a write must fit its buffer",
                    got=typed(value),
                    expected=typed(target),
                )

    def names(self) -> dict[Value, str]:
        """A short name for each value: inputs ``x0``, ``x1`` …, the rest ``v0``, ``v1`` …"""
        names = {value: f"x{i}" for i, value in enumerate(self.inputs)}
        rest = [value for value in self.values() if value not in names]
        return {**names, **{value: f"v{i}" for i, value in enumerate(rest)}}

    def __str__(self) -> str:
        names = self.names()
        lines = [f"{names[v]:>5} = {v.word:<22} {typed(v)}" for v in self.inputs]
        for value in self.values():
            if value.word == INPUT:
                continue
            text = ", ".join(
                f"{name}={shown(argument, names)}" for name, argument in value.arguments.items()
            )
            lines.append(f"{names[value]:>5} = {value.word}({text})  # {typed(value)}")
        lines += [f"{names[target]}[...] = {names[value]}" for target, value in self.writes]
        lines.append("return " + ", ".join(names[value] for value in self.outputs))
        return "\n".join(lines)


def rewritten(graph: Graph, rule: Callable[[Value], Value]) -> Graph:
    """The same computation with ``rule(value)`` for each value, operands before their users.

    The rule gets a copy of the value whose operands are rewritten already; it may keep it.
    """
    new: dict[Value, Value] = {}
    for value in graph.values():
        if value.word in (INPUT, CONSTANT):
            new[value] = value
            continue
        copy = Value(
            value.word,
            replaced(value.arguments, lambda operand: new[operand]),
            value.shape,
            value.dtype,
            value.array,
            value.origin,
        )
        new[value] = rule(copy)
    return Graph(
        graph.inputs,
        [new[value] for value in graph.outputs],
        [(target, new[value]) for target, value in graph.writes],
    )


def shown(item: Any, names: dict[Value, str]) -> str:
    """An argument as source text, values by their names."""
    if isinstance(item, Value):
        return names[item]
    if isinstance(item, tuple):
        inside = ", ".join(shown(part, names) for part in item)
        return f"({inside},)" if len(item) == 1 else f"({inside})"
    if isinstance(item, list):
        return "[" + ", ".join(shown(part, names) for part in item) + "]"
    if isinstance(item, slice):
        parts = (shown(part, names) for part in (item.start, item.stop, item.step))
        return f"slice({', '.join(parts)})"
    if item is Ellipsis:
        return "..."
    return item.name if hasattr(item, "itemsize") and hasattr(item, "name") else repr(item)

"""Which numbers in a recording are the length of the batch: those that grow with it.

A model recorded twice, with batches of B and 2B samples, gives two recordings that differ just
there.
"""

from __future__ import annotations

from typing import Any

from deepdive.compiler.graph import Value
from deepdive.errors import ArgumentError


class Batch:
    """The extents and arguments that grow with the batch.

    Attributes:
        length: of the batch that was recorded.
        axes: for each value the axes that grow.
        sizes: for each value, and each of its arguments that is a tuple of numbers, the places in
            it that grow.
    """

    def __init__(self, length: int = 1) -> None:
        self.length = length
        self.axes: dict[Value, set[int]] = {}
        self.sizes: dict[Value, dict[str, set[int]]] = {}

    def touches(self, value: Value) -> bool:
        """Whether the value, or how it is made, depends on the length of the batch."""
        return bool(self.axes.get(value) or self.sizes.get(value))


def dependent(first: list[Value], second: list[Value], length: int) -> Batch:
    """What differs between two recordings of one model.

    Raises:
        ArgumentError: if more differs than lengths.
    """
    batch = Batch(length)
    if [value.word for value in first] != [value.word for value in second]:
        raise _refused("it does other things with batches of another length")
    for one, two in zip(first, second, strict=True):
        if len(one.shape) != len(two.shape):
            raise _refused("its shapes have other ranks for batches of another length")
        axes = _grown(one.shape, two.shape)
        if axes:
            batch.axes[one] = axes
        sizes: dict[str, set[int]] = {}
        for name, argument in one.arguments.items():
            other = two.arguments[name]
            if _numbers(argument) and _numbers(other) and len(argument) == len(other):
                sizes[name] = _grown(argument, other)
            elif _plain(argument) and argument != other:
                raise _refused(f"{one.word} takes {argument!r} or {other!r}, as the batch is long")
        grown = {name: places for name, places in sizes.items() if places}
        if grown:
            batch.sizes[one] = grown
    return batch


def _grown(one: Any, two: Any) -> set[int]:
    return {i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b}


def _numbers(item: Any) -> bool:
    return isinstance(item, tuple) and all(type(part) is int for part in item)


def _plain(item: Any) -> bool:
    return isinstance(item, (int, float, str, bool))


def _refused(why: str) -> ArgumentError:
    return ArgumentError(
        f"onnx.export: this model cannot take batches of any length: {why}",
        fix="dynamic_batch=False, and args as long as the batches will be",
    )

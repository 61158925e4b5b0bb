"""Which numbers in a recording are the length of the batch: those that grow with it.

A model recorded twice, with batches of B and 2B samples, gives two recordings that differ just
there.
"""

from __future__ import annotations

from typing import Any

from deepdive.compiler.graph import Value
from deepdive.errors import ArgumentError


class Batch:
    """The extents that grow with the batch.

    Attributes:
        length: of the batch that was recorded.
        axes: for each value that grows its axes that do.
    """

    def __init__(self, length: int = 1) -> None:
        self.length = length
        self.axes: dict[Value, set[int]] = {}


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
        pairs = enumerate(zip(one.shape, two.shape, strict=True))
        axes = {axis for axis, (a, b) in pairs if a != b}
        if axes:
            batch.axes[one] = axes
        for name, argument in one.arguments.items():
            other = two.arguments[name]
            fixed = _plain(argument) or (_numbers(argument) and not axes)  # else: sizes, which grow
            if fixed and argument != other:
                raise _refused(f"{one.word} takes {argument!r} or {other!r}, as the batch is long")
    return batch


def _numbers(item: Any) -> bool:
    return isinstance(item, tuple) and all(type(part) is int for part in item)


def _plain(item: Any) -> bool:
    return isinstance(item, (int, float, str, bool))


def _refused(why: str) -> ArgumentError:
    return ArgumentError(
        f"onnx.export: this model cannot take batches of any length: {why}",
        fix="dynamic_batch=False, and args as long as the batches will be",
    )

"""What a :class:`Stepper` yields: one operator on the way back, with values and gradients."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

from deepdive.host import np

MOST = 16  # numbers shown of a value; of a larger one its shape and extent


class Value(NamedTuple):
    """A tensor of the graph: its name, what it holds, the gradient that belongs to it."""

    name: str
    value: Any
    gradient: Any


class Step(NamedTuple):
    """One operator on the way back.

    Attributes:
        number: from 1.
        operator: its name.
        result: what it made, with the gradient that arrives.
        inputs: what it read and tracks, with the gradients it sends.
        code: its ``backward``.
    """

    number: int
    operator: str
    result: Value
    inputs: list[Value]
    code: str

    @property
    def formula(self) -> str:
        """What was computed: ``loss = Sum(v1)``."""
        names = ", ".join(part.name for part in self.inputs)
        return f"{self.result.name} = {self.operator}({names})"

    def __str__(self) -> str:
        lines = [f"{self.number}. {self.formula}"]
        if self.result.value is not None:
            lines.append(f"   {self.result.name} = {shown(self.result.value)}")
        lines.append(f"   gets   dL/d{self.result.name} = {shown(self.result.gradient)}")
        lines.append(textwrap.indent(self.code, "   | "))
        for part in self.inputs:
            lines.append(f"   sends  dL/d{part.name} = {shown(part.gradient)}")
        return "\n".join(lines)


def shown(value: Any) -> str:
    """A value in a line or a few: the numbers of a small one, shape and extent of a large one."""
    array = np.asarray(value)
    if array.size <= MOST:
        text = np.array2string(array, precision=4, suppress_small=True)
        return text.replace("\n", "\n" + " " * 12)
    low, high = float(array.min()), float(array.max())
    return f"{tuple(array.shape)}, from {low:.4g} to {high:.4g}"

"""The ONNX graph under construction."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepdive.compiler.graph import NUMBER, Value
from deepdive.errors import ArgumentError
from deepdive.onnx.batch import Batch


class Writer:
    """The ONNX graph under construction: nodes, constants, and the name of each value.

    Attributes:
        nodes: NodeProtos, in order.
        constants: arrays that are known already, by value.
        batch: what grows with the batch.
    """

    def __init__(self, batch: Batch) -> None:
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper = helper, numpy_helper
        self.batch = batch
        self.nodes: list[Any] = []
        self.constants: dict[Value, Any] = {}
        self.windows: dict[Value, dict[str, Any]] = {}  # views that have no operator of their own
        self._names: dict[Value, str] = {}
        self._tensors: dict[Any, Any] = {}
        self._count = 0
        self._first = ""  # the first input, whose first axis is the batch
        self._batch = ""

    def knows(self, value: Value) -> bool:
        """Whether the value has a name or an array."""
        return value in self._names or value in self.constants

    def take(self, value: Value, name: str) -> None:
        """`value` is an input."""
        self._names[value] = name
        self._first = self._first or name

    def give(self, value: Value, name: str) -> None:
        """`value` is an output."""
        self.nodes.append(self.helper.make_node("Identity", [self.name(value)], [name]))

    def described(self, value: Value, name: str) -> Any:
        """The ValueInfoProto of an input or output."""
        kind = self.helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
        shape: list[Any] = list(value.shape)
        for axis in self.batch.axes.get(value, ()):
            shape[axis] = "batch"
        return self.helper.make_tensor_value_info(name, kind, shape)

    def initializers(self) -> list[Any]:
        """The constants that were used."""
        return list(self._tensors.values())

    def name(self, value: Any, dtype: Any = None) -> str:
        """The name of a value or a number, in `dtype` if that is given."""
        if not isinstance(value, Value):
            return self.constant(np.asarray(value, dtype))
        if value in self.constants:
            array = np.asarray(self.constants[value])
            return self.constant(array if dtype is None else array.astype(dtype))
        name = self._names[value]
        if dtype is None or value.dtype is NUMBER or np.dtype(value.dtype) == np.dtype(dtype):
            return name
        return self.cast(name, dtype)

    def constant(self, array: Any) -> str:
        """The name of a constant; equal ones share it."""
        array = np.array(array, order="C")  # keeps 0-d arrays 0-d
        key = (array.dtype.str, array.shape, array.tobytes())
        found = self._tensors.get(key)
        if found is None:
            name = f"c{len(self._tensors)}"
            found = self.numpy_helper.from_array(array, name)
            self._tensors[key] = found
        return str(found.name)

    def cast(self, name: str, dtype: Any) -> str:
        """`name` in another dtype."""
        kind = self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.node("Cast", name, to=kind)

    def ints(self, *numbers: int) -> str:
        """A constant row of int64."""
        return self.constant(np.array(numbers, np.int64))

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """One more node; the name of its result."""
        self._count += 1
        name = f"v{self._count}"
        made = self.helper.make_node(operator, list(inputs), [name], **attributes)
        self.nodes.append(made)
        return name

    def made(self, value: Value, name: str) -> None:
        """`value` is what the node `name` makes."""
        self._names[value] = name

    def sizes(self, value: Value) -> str:
        """The shape of `value` as a row of int64; what grows with the batch is computed."""
        grown = self.batch.axes.get(value)
        if not grown:
            return self.ints(*value.shape)
        parts = []
        for axis, extent in enumerate(value.shape):
            part = self._length(extent) if axis in grown else self.ints(extent)
            parts.append(part)
        return self.node("Concat", *parts, axis=0)

    def _length(self, extent: int) -> str:
        """A multiple of the length of the batch.

        Raises:
            ArgumentError: if it is none.
        """
        times, rest = divmod(extent, self.batch.length)
        if rest:
            raise ArgumentError(
                "onnx.export: an axis grows with the batch, but not in proportion",
                got=f"{extent} for batches of {self.batch.length}",
                fix="dynamic_batch=False",
            )
        if not self._batch:
            self._batch = self.node("Shape", self._first, start=0, end=1)
        if times == 1:
            return self._batch
        return self.node("Mul", self._batch, self.ints(times))

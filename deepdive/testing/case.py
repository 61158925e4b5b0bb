"""One sample call, ready to be repeated with other numbers in the same places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from deepdive import dtypes
from deepdive.core import random
from deepdive.core.tensor import Tensor, wrap
from deepdive.testing.samples import Sample

Arrays = list[Any]


def arrays_in(value: Any) -> Iterator[Any]:
    """All NumPy arrays in nested lists, tuples and dicts, in order."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        yield from arrays_in(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays_in(item)


def replaced(value: Any, items: Iterator[Any]) -> Any:
    """`value` with its arrays replaced, in order, by the next of `items`."""
    if isinstance(value, np.ndarray):
        return next(items)
    if isinstance(value, dict):
        keys = list(value)
        return dict(zip(keys, replaced(list(value.values()), items), strict=True))
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(item, items) for item in value)
    return value


def is_floating(array: Any) -> bool:
    """Whether the numbers have a fractional part."""
    return dtypes.is_floating(array.dtype)


def listed(outputs: Any) -> list[Tensor]:
    """The Tensors a function gave, as a list."""
    return [outputs] if isinstance(outputs, Tensor) else list(outputs)


class Case:
    """A function, a sample call of it, and what the laws have in common.

    Attributes:
        arrays: all arrays among the arguments.
        places: which of them have gradients.
        differentiable: whether any output has a gradient.
        outputs: the result of the call, a list of arrays.
        weights: fixed random numbers per output; ``Σ weights · outputs`` is what is
            differentiated, so that every element of every output counts.
        directions: fixed random directions, one per place.
    """

    def __init__(self, function: Callable[..., Any], sample: Sample, seed: int) -> None:
        self.function = function
        self.sample = sample
        self.seed = seed
        self.arrays = list(arrays_in((sample.args, sample.kwargs)))
        fixed = self._inside(sample.fixed)
        self.places = []
        for i, array in enumerate(self.arrays):
            if is_floating(array) and i not in fixed:
                self.places.append(i)
        outputs = listed(self.call(self.arrays))
        self.outputs = [out.numpy().copy() for out in outputs]
        numbers = np.random.default_rng(seed + 1)
        self.weights = [numbers.uniform(-1.5, 1.5, out.shape) for out in outputs]
        self.directions = []
        symmetric = self._inside(sample.symmetric)
        for place in self.places:
            shape = self.arrays[place].shape
            direction = numbers.uniform(-1, 1, shape)
            if place in symmetric:
                direction = direction + np.swapaxes(direction, -1, -2)
            self.directions.append(direction)
        _, outputs = self.tracked(self.arrays)
        self.differentiable = self.weighted(outputs) is not None

    def _inside(self, arguments: tuple[int | str, ...]) -> set[int]:
        """The numbers of the arrays inside these arguments."""
        owners: list[Any] = []
        for position, value in enumerate(self.sample.args):
            owners += [position for _ in arrays_in(value)]
        for name, value in self.sample.kwargs.items():
            owners += [name for _ in arrays_in(value)]
        return {i for i, owner in enumerate(owners) if owner in arguments}

    def call(self, items: Arrays) -> Any:
        """The function on `items` in place of the arrays; the same random numbers every time."""
        tensors = [_tensor(item) for item in items]
        args, kwargs = replaced((self.sample.args, self.sample.kwargs), iter(tensors))
        random.manual_seed(self.seed)
        return self.function(*args, **kwargs)

    def tracked(self, arrays: Arrays) -> tuple[list[Tensor], list[Tensor]]:
        """The inputs that have gradients, and the outputs computed from them."""
        tensors = [_tensor(array) for array in arrays]
        inputs = [tensors[i].requires_grad_() for i in self.places]
        outputs = self.call(tensors)
        return inputs, listed(outputs)

    def weighted(self, outputs: list[Tensor]) -> Tensor | None:
        """``Σ weights · outputs`` over the outputs that have gradients; None if none has."""
        total: Any = None
        for out, weight in zip(outputs, self.weights, strict=True):
            if out.requires_grad:
                part = (out * _tensor(weight.astype(out.dtype))).sum()  # type: ignore[operator]
                total = part if total is None else total + part
        return total  # type: ignore[no-any-return]

    def moved(self, step: float, place: int | None = None) -> Arrays:
        """The arrays, moved by `step` along their directions: all, or the one at `place`."""
        arrays = list(self.arrays)
        for i, direction in zip(self.places, self.directions, strict=True):
            if place is None or i == place:
                move = step * direction
                arrays[i] = arrays[i] + move
        return arrays

    def cast(self, dtype: str) -> Arrays:
        """The arrays, the floating ones in another dtype."""
        arrays = list(self.arrays)
        for i, array in enumerate(arrays):
            if is_floating(array):
                arrays[i] = array.astype(dtype)
        return arrays


def _tensor(item: Any) -> Any:
    return item if isinstance(item, Tensor) else wrap(np.asarray(item))

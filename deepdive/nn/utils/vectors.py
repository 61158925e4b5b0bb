"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.shape import Cat


def parameters_to_vector(parameters: Iterable[Any]) -> Tensor:
    """The parameters one behind the other, (N,); gradients flow back into them.

    Raises:
        ArgumentError: if there are none.

    >>> import deepdive as dd
    >>> parameters_to_vector([dd.ones(2), dd.zeros(1, 2)])
    tensor([1., 1., 0., 0.])
    """
    rows = [parameter.reshape(-1) for parameter in parameters]
    if not rows:
        raise ArgumentError("parameters_to_vector: there are no parameters")
    return Cat(0)(*rows)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Write the numbers of a vector (N,) into the parameters, in their order.

    Raises:
        ShapeError: if it has not as many numbers as they have.
    """
    held = list(parameters)
    count = sum(parameter.numel() for parameter in held)
    if tuple(vec.shape) != (count,):
        raise ShapeError(
            f"vector_to_parameters: the vector is {tuple(vec.shape)}", expected=f"({count},)"
        )
    start = 0
    with config.no_grad():
        for parameter in held:
            part = vec[start : start + parameter.numel()]
            parameter.copy_(part.reshape(tuple(parameter.shape)))
            start += parameter.numel()

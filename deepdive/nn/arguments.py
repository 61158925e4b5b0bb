"""The arguments of a layer: are they what they should be, and how are they shown?"""

from __future__ import annotations

from typing import Any

from deepdive.errors import ArgumentError


def sizes(layer: Any, least: int = 1, **given: Any) -> None:
    """Refuse what is no whole number of at least `least`.

    Raises:
        ArgumentError: naming the layer and the argument.
    """
    for name, value in given.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
            raise ArgumentError(
                f"{type(layer).__name__}: {name} is a whole number, {least} or more",
                got=repr(value),
            )


def probability(layer: Any, **given: Any) -> None:
    """Refuse what is not between 0 and 1.

    Raises:
        ArgumentError: naming the layer and the argument.
    """
    for name, value in given.items():
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ArgumentError(
                f"{type(layer).__name__}: {name} is a probability, from 0 to 1", got=repr(value)
            )


def per_axis(layer: Any, name: str, value: Any, n: int, least: int = 0) -> tuple[int, ...]:
    """One size per axis: 3 is (3, 3) for two axes.

    Raises:
        ArgumentError: naming the layer and the argument.
    """
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
    if len(found) != n:
        raise ArgumentError(
            f"{type(layer).__name__}: {name} is one number, or one for each of {n} axes",
            got=repr(value),
        )
    sizes(layer, least, **{f"{name}[{i}]" if n > 1 else name: x for i, x in enumerate(found)})
    return found


def shown(layer: Any, *names: str) -> str:
    """``name=value, …`` of a layer's attributes, for its line in ``print(model)``."""
    return ", ".join(f"{name}={getattr(layer, name)!r}" for name in names)

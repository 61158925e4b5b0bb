"""PyTorch's call forms that the operators themselves do not have.

``inplace`` (accepted, nothing is changed in place), ``dtype`` of the softmax family, and the older
``size_average`` and ``reduce`` of losses, which also stand between other arguments in calls by
position: ``nll_loss(x, y, None, None, -100)``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from deepdive.core.operator import REGISTRY
from deepdive.errors import ArgumentError

Function = Callable[..., Any]
OLD = ("size_average", "reduce")
BOOLEAN = (bool, type(None))


def with_inplace(name: str, place: int) -> Function:
    """The function with an `inplace` after `place` arguments."""
    function = REGISTRY[name]

    @wraps(function)
    def call(*args: Any, inplace: bool = False, **kwargs: Any) -> Any:
        if len(args) > place:
            args = args[:place] + args[place + 1 :]
        return function(*args, **kwargs)

    return call


def with_dtype(name: str) -> Function:
    """A function of the softmax family; with `dtype` the input is converted first."""
    function = REGISTRY[name]

    @wraps(function)
    def call(
        input: Any, dim: int | None = -1, _stacklevel: int = 3, dtype: Any = None, **names: Any
    ) -> Any:
        if dtype is not None:
            input = input.to(dtype)
        return function(input, -1 if dim is None else dim, **names)

    return call


def loss(name: str, order: str) -> Function:
    """A loss that also takes ``size_average`` and ``reduce``; `order` is PyTorch's.

    A call by position is PyTorch's older one if a boolean or None stands where `order` has
    ``size_average``; nothing else that may stand there is.
    """
    function = REGISTRY[name]
    names = order.split()
    place = names.index("size_average")

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place and isinstance(args[place], BOOLEAN):
            if len(args) > len(names):
                raise ArgumentError(
                    f"{name}: takes {len(names)} arguments", expected=", ".join(names)
                )
            kwargs |= zip(names, args, strict=False)
            args = ()
        if "size_average" in kwargs or "reduce" in kwargs:
            given = [kwargs.pop(word, None) for word in OLD]
            if given != [None, None]:
                kwargs["reduction"] = reduction_of(*given)
        return function(*args, **kwargs)

    return call


def reduction_of(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the older arguments mean."""
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"

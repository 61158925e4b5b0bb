"""Modules as functions of their parameters: what derivatives by parameters are taken of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from deepdive.core.operator import tensor_words
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, did_you_mean
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter

Place = tuple[Any, Any, Tensor]  # a dict or list, the key in it, and what stands there


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with other parameters and buffers in place of its own.

    Args:
        parameter_and_buffer_dicts: path → Tensor, or several such dicts; what is not named
            stays as it is.
        args: the arguments, a tuple or a single one.
        tie_weights: a shared parameter is replaced at all its paths, whichever is named.
        strict: refuse dicts that leave a parameter or a buffer out.

    Raises:
        ArgumentError: for a path that is not there, or – with `strict` – is missing.

    >>> import deepdive as dd
    >>> layer = dd.nn.Linear(2, 1)
    >>> state = {"weight": dd.ones(1, 2), "bias": dd.zeros(1)}
    >>> functional_call(layer, state, dd.tensor([[3.0, 4.0]]))
    tensor([[7.]])
    """
    given = _merged(parameter_and_buffer_dicts)
    places = _places(module)
    _check(module, given, places, strict)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(given, places, tie_weights):
        return module(*args, **(kwargs or {}))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters of models of one architecture, stacked along a new first axis; their buffers.

    With :func:`functional_call` and ``vmap`` the models become one: an ensemble.

    Raises:
        ArgumentError: without models, or for models of several classes.

    >>> import deepdive as dd
    >>> parameters, buffers = stack_module_state([dd.nn.Linear(2, 3) for _ in range(5)])
    >>> parameters["weight"].shape
    (5, 3, 2)
    """
    if not models:
        raise ArgumentError("stack_module_state: no models", expected="at least one")
    if len({type(model) for model in models}) > 1:
        raise ArgumentError(
            "stack_module_state: models of one class",
            got=", ".join(sorted({type(model).__name__ for model in models})),
        )
    parameters = _stacked([dict(model.named_parameters()) for model in models])
    buffers = _stacked([dict(model.named_buffers()) for model in models])
    for name, first in models[0].named_parameters():
        parameters[name].requires_grad_(first.requires_grad)
    return parameters, buffers


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {
        name: tensor_words.stack([state[name].detach() for state in states]) for name in states[0]
    }


def _merged(dicts: Any) -> dict[str, Any]:
    parts = [dicts] if isinstance(dicts, Mapping) else list(dicts)
    merged: dict[str, Any] = {}
    for part in parts:
        twice = [name for name in part if name in merged]
        if twice:
            raise ArgumentError(f"functional_call: {twice[0]!r} is in two of the dicts")
        merged.update(part)
    return merged


def _places(module: Module) -> dict[str, Place]:
    """Path → where the parameter or buffer of that path is kept."""
    found: dict[str, Place] = {}
    for path, owner in module.named_modules(False):
        prefix = f"{path}." if path else ""
        for name, tensor in [*owner._own(Parameter), *owner._own_buffers()]:
            found[prefix + name] = (*_holder(owner, name), tensor)
    return found


def _holder(owner: Module, name: str) -> tuple[Any, Any]:
    """The attributes of `owner` and a name there, or one of its lists or dicts and a key."""
    attribute, _, key = name.partition(".")
    if not key:
        return vars(owner), name
    values = vars(owner)[attribute]
    if isinstance(values, tuple):
        raise ArgumentError(
            f"functional_call: {type(owner).__name__}.{attribute} is a tuple, which is not changed",
            fix="keep parameters in a list, a dict or a ParameterList",
        )
    return values, int(key) if isinstance(values, list) else key


def _check(
    module: Module, given: Mapping[str, Any], places: dict[str, Place], strict: bool
) -> None:
    unknown = [name for name in given if name not in places]
    if unknown:
        raise ArgumentError(
            f"functional_call: {type(module).__name__} has no parameter or buffer {unknown[0]!r}",
            fix=did_you_mean(unknown[0], places),
        )
    named = {id(places[name][2]) for name in given}
    missing = [name for name, place in places.items() if id(place[2]) not in named]
    if strict and missing:
        raise ArgumentError(
            "functional_call: strict, and something is left out", got=", ".join(missing[:5])
        )


@contextmanager
def _replaced(given: Mapping[str, Any], places: dict[str, Place], tie: bool) -> Iterator[None]:
    """Inside, the module holds the Tensors of `given`."""
    values = {id(places[name][2]): value for name, value in given.items()}
    if not tie:
        places = {name: places[name] for name in given}
    try:
        for name, (holder, key, tensor) in places.items():
            if tie and id(tensor) in values:
                holder[key] = values[id(tensor)]
            elif name in given:
                holder[key] = given[name]
        yield
    finally:
        for holder, key, tensor in places.values():
            holder[key] = tensor

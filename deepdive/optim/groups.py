"""Parameters and their options, checked: what an optimizer is given becomes a list of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deepdive import dtypes
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, DTypeError, did_you_mean


def _fraction(value: Any) -> bool:
    return 0 <= value < 1


def _fractions(value: Any) -> bool:
    return len(value) == 2 and all(0 <= beta < 1 for beta in value)


def _positive(value: Any) -> bool:
    return value >= 0  # also False for NaN


# The domain of a hyper-parameter is the same in every optimizer that has it.
DOMAINS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("lr", "eps", "weight_decay", "l1", "momentum", "lr_decay", "initial_accumulator_value"),
        (_positive, "a number >= 0"),
    ),
    **dict.fromkeys(("momentum_decay", "lambd", "t0"), (_positive, "a number >= 0")),
    "betas": (_fractions, "two numbers in [0, 1)"),
    "alpha": (_fraction, "a number in [0, 1)"),
    "rho": (_fraction, "a number in [0, 1)"),
}


def listed(params: Any, title: str) -> list[dict[str, Any]]:
    """Groups from Tensors, (name, Tensor) pairs, group dicts, or anything with names.

    Raises:
        ArgumentError: if there is nothing to optimize, or it is not a collection.
    """
    if isinstance(params, Tensor):
        raise ArgumentError(
            f"{title}: params must be a collection of Tensors",
            got=f"one Tensor of shape {tuple(params.shape)}",
            fix=f"{title}([tensor])",
        )
    params = _entries(params, title)
    if not params:
        raise ArgumentError(f"{title}: no parameters to optimize", got="an empty collection")
    if isinstance(params[0], Mapping):
        return params
    return [{"params": params}]


def _entries(params: Any, title: str) -> list[Any]:
    """A list of Tensors or (name, Tensor) pairs."""
    if isinstance(params, Tensor):
        return [params]
    if hasattr(params, "named_parameters"):
        return list(params.named_parameters())
    if isinstance(params, Mapping):
        return list(params.items())  # {"W": tensor}, as in `layer.params`
    if isinstance(params, Iterable) and not isinstance(params, (str, bytes)):
        return list(params)
    raise ArgumentError(
        f"{title}: params must be a collection of Tensors",
        got=type(params).__name__,
        fix=f"{title}(model.parameters())",
    )


def made(group: Mapping[str, Any], defaults: Mapping[str, Any], title: str) -> dict[str, Any]:
    """One complete group: parameters, their names where all have one, all options.

    Raises:
        ArgumentError: for no parameters, misspelt options, and values outside their domain.
    """
    if not isinstance(group, Mapping) or "params" not in group:
        raise ArgumentError(
            f"{title}: a parameter group is a dict with 'params'",
            got=type(group).__name__ if not isinstance(group, Mapping) else list(group),
            fix='{"params": [tensor, …], "lr": 0.1}',
        )
    entries = _entries(group["params"], title)
    names = [entry[0] for entry in entries if isinstance(entry, tuple) and len(entry) == 2]
    if names and len(names) < len(entries):
        raise ArgumentError(f"{title}: either all parameters have names or none")
    tensors = [entry[1] for entry in entries] if names else entries
    for i, tensor in enumerate(tensors):
        check_parameter(tensor, names[i] if names else f"number {i}", title)
    named = {"param_names": names} if names else {}
    options = {k: v for k, v in group.items() if k != "params"}
    check_known(options, [*defaults], title, near_only=True)
    whole = {"params": tensors, **named, **defaults, **options}
    check_domains(whole, title)
    return whole


def check_parameter(tensor: Any, name: str, title: str) -> None:
    """Refuse what cannot be optimized.

    Raises:
        ArgumentError: for what is not a Tensor, or was computed from others.
        DTypeError: for integer data, which small steps would never move.
    """
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"{title}: parameter {name} is not a Tensor", got=type(tensor).__name__)
    if not tensor.is_leaf:
        raise ArgumentError(
            f"{title}: parameter {name} is computed from others; only leaves can be optimized",
            got=f"grad_fn={tensor.grad_fn!r}",
            fix="give the Tensors it was computed from, or x.detach().requires_grad_()",
        )
    if not dtypes.is_floating(tensor.dtype):
        raise DTypeError(
            f"{title}: parameter {name} holds integers, and rounding would undo every step",
            got=f"dtype {tensor.dtype}",
            expected="float32, float64 or float16",
        )


def check_new(group: Mapping[str, Any], others: Iterable[Mapping[str, Any]], title: str) -> None:
    """Refuse a parameter, or a name, that is there twice.

    Raises:
        ArgumentError: naming the place.
    """
    everyone = [*others, group]
    tensors = [id(p) for each in everyone for p in each["params"]]
    if len(set(tensors)) < len(tensors):
        twice = next(p for p in group["params"] if tensors.count(id(p)) > 1)
        raise ArgumentError(
            f"{title}: a parameter is given twice, and would be stepped twice",
            got=f"a Tensor of shape {tuple(twice.shape)}, "
            f"number {tensors.index(id(twice))} and again",
            fix="leave it out of one group; shared parameters are given once",
        )
    names = [name for each in everyone for name in each.get("param_names", ())]
    if len(set(names)) < len(names):
        raise ArgumentError(
            f"{title}: two parameters have the same name",
            got=repr(next(name for name in names if names.count(name) > 1)),
        )
    if names and len(names) < len(tensors):
        raise ArgumentError(f"{title}: either all parameters have names or none")


HINTS = ("foreach", "fused", "capturable", "differentiable")  # PyTorch's ways to compute a step


def without_hints(options: Mapping[str, Any], title: str) -> dict[str, Any]:
    """The options without PyTorch's hints, which are off.

    Raises:
        ArgumentError: for one that is on: it would promise what is not done.
    """
    on = [name for name in HINTS if options.get(name)]
    if on:
        raise ArgumentError(
            f"{title}: {on[0]}=True is one of PyTorch's ways to compute a step, not one of ours",
            expected=f"{on[0]} None or False",
            fix="leave it out; deepdive.compile(step) makes one program of the whole training step",
        )
    return {name: value for name, value in options.items() if name not in HINTS}


def check_known(
    options: Mapping[str, Any], known: list[str], title: str, near_only: bool = False
) -> None:
    """Refuse misspelt options; a group may carry notes of its owner (`near_only`).

    Raises:
        ArgumentError: suggesting the right name.
    """
    for name in options:
        if name in known or name == "param_names":
            continue
        hint = "did you mean 'lr'?" if name == "learning_rate" else did_you_mean(name, known)
        if hint or not near_only:
            raise ArgumentError(
                f"{title}: no hyper-parameter {name!r}", expected=", ".join(known), fix=hint
            )


def check_complete(group: Mapping[str, Any], asked: Iterable[str], title: str) -> None:
    """Refuse a group without a value for something the formula asks for.

    Raises:
        ArgumentError: naming it.
    """
    for name in asked:
        if name not in group:
            raise ArgumentError(f"{title}: {name} has no value", fix=f"{title}(params, {name}=…)")


def check_domains(options: Mapping[str, Any], title: str) -> None:
    """Refuse values that make no sense.

    Raises:
        ArgumentError: with the domain.
    """
    for name in outside(options):
        raise ArgumentError(
            f"{title}: {name} is out of range", got=repr(options[name]), expected=DOMAINS[name][1]
        )


def outside(options: Mapping[str, Any]) -> list[str]:
    """The names of the options whose values are outside their domain."""
    return [name for name in DOMAINS if name in options and not _inside(name, options[name])]


def _inside(name: str, value: Any) -> bool:
    try:
        return bool(DOMAINS[name][0](value))
    except TypeError:
        return False

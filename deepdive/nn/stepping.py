"""``model.step(lr=…)``: an optimizer that a model keeps for itself."""

from __future__ import annotations

from typing import Any


def step(model: Any, optimizer: Any, options: dict[str, Any]) -> None:
    """One step of the model's own optimizer, made anew for another class or other parameters."""
    from deepdive.optim import SGD

    kind = optimizer or SGD
    parameters = [*model.parameters()]
    held = model._stepper
    if held is None or not _fits(held, kind, parameters):
        held = model._stepper = (kind, parameters, kind(parameters, **options))
    engine = held[2]
    for group in getattr(engine, "param_groups", ()):
        group.update(options)
    engine.step()
    for parameter in parameters:
        parameter.grad = None


def _fits(held: Any, kind: Any, parameters: list[Any]) -> bool:
    """Whether an optimizer of this class for these very parameters is there already."""
    held_kind, held_parameters, _ = held
    same = len(held_parameters) == len(parameters)
    pairs = zip(held_parameters, parameters, strict=False)
    return held_kind is kind and same and all(a is b for a, b in pairs)

"""An optimizer's step while a training step is being compiled.

The same formula runs on recorded arrays.  Hyper-parameters become numbers that the program reads
at each call, so a schedule acts as it does eagerly; which terms there are at all (momentum or
none, decay or none) is part of the program, and a change of that means another program.
"""

from __future__ import annotations

from typing import Any

from deepdive.core.tensor import Tensor


def record_step(optimizer: Any, tracer: Any) -> None:
    """Record one update of every parameter that has a gradient."""
    for group, states in zip(optimizer.param_groups, optimizer._states, strict=True):
        slots = optimizer.slots_of(group)
        chosen = [(p, k) for p, k in zip(group["params"], states, strict=True) if _has_grad(p)]
        hyper = {name: _recorded(tracer, group, name) for name in optimizer._asked}
        for name in optimizer._optional:
            hyper[name] = hyper[name] if group[name] else None
        terms = {n: _recorded(tracer, group, n) for n in optimizer._terms if group[n]}
        counts = [kept for _, kept in chosen]
        tracer.effect(lambda counts=counts: _count(counts))
        tracer.guard(lambda g=group, s=states, c=counts: _structure(optimizer, g, s, c))
        if optimizer._counts and counts:
            hyper["t"] = tracer.number(lambda first=counts[0]: first["t"], "step count")
        for p, kept in chosen:
            optimizer._begin(tracer.original(p), kept, slots, group)
            arrays = [tracer.adopt(p), *[tracer.array(kept[slot]) for slot in slots]]
            grad = p._grad._data if isinstance(p._grad, Tensor) else p._grad
            optimizer._apply(tracer.speaker, arrays, grad, hyper, terms)


def _has_grad(p: Tensor) -> bool:
    return p._grad is not None


def _count(counts: list[dict[str, Any]]) -> None:
    for kept in counts:
        kept["t"] += 1


def _recorded(tracer: Any, group: dict[str, Any], name: str) -> Any:
    """A hyper-parameter as the program reads it: numbers anew at each call, the rest as it is."""
    value = group[name]
    if isinstance(value, (tuple, list)):
        return tuple(
            tracer.number(lambda i=i: float(group[name][i]), f"{name}[{i}]")
            for i in range(len(value))
        )
    if isinstance(value, (bool, str)) or value is None:
        return value
    return tracer.number(lambda: float(group[name]), name)


def _structure(optimizer: Any, group: dict[str, Any], states: Any, counts: Any) -> Any:
    """What another program would be needed for: which terms there are, and whose state it is."""
    there = tuple(
        value if isinstance(value, (bool, str)) else bool(value)
        for name, value in group.items()
        if name not in ("params", "param_names")
    )
    ours = any(states is own for own in optimizer._states)
    return there, ours, all(kept["t"] == counts[0]["t"] for kept in counts)

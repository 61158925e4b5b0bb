"""An optimizer's step while a training step is being compiled.

The same formula runs on recorded arrays.  Hyper-parameters become numbers that the program reads
at each call, so a schedule acts as it does eagerly; which terms there are at all (momentum or
none, decay or none) is part of the program, and a change of that means another program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Options = dict[str, Any]
NO_OPTIONS = ("params", "param_names")
FIXED = (bool, str, type(None))


def record_step(optimizer: Any, tracer: Any) -> None:
    """Record one update of every parameter that has a gradient."""
    groups = optimizer.param_groups
    for group, states in zip(groups, optimizer._states, strict=True):
        _record_group(optimizer, tracer, group, states)


def _record_group(optimizer: Any, tracer: Any, group: Options, states: Any) -> None:
    """Record the updates of one parameter group."""
    params = group["params"]
    pairs = zip(params, states, strict=True)
    chosen = [pair for pair in pairs if tracer.gradient(pair[0]) is not None]
    counts = [kept for _, kept in chosen]
    read = _Reader(tracer, group)
    hyper = _hyper(optimizer, read)
    present = [name for name in optimizer._terms if group[name]]
    terms = {name: read(name) for name in present}
    tracer.effect(lambda: _count(counts))
    tracer.guard(_Structure(optimizer, group, states, counts))
    steps = {kept["t"] for kept in counts}
    together = len(steps) <= 1
    if optimizer._counts and counts and together:
        hyper["t"] = _step_count(tracer, counts[0])
    slots = optimizer.slots_of(group)
    for p, kept in chosen:
        if optimizer._counts and not together:
            hyper["t"] = _step_count(tracer, kept)
        original = tracer.original(p)
        optimizer._begin(original, kept, slots, group)
        state = [tracer.array(kept[slot]) for slot in slots]
        arrays = [tracer.adopt(p), *state]
        grad = tracer.gradient(p)
        optimizer._apply(tracer.speaker, arrays, grad, hyper, terms)


def _step_count(tracer: Any, kept: Options) -> Any:
    return tracer.number(lambda: kept["t"], "step count")


def _count(counts: list[Options]) -> None:
    for kept in counts:
        kept["t"] += 1


class _Reader:
    """Options as the program reads them: numbers anew at each call, the rest as it is."""

    def __init__(self, tracer: Any, group: Options) -> None:
        self.tracer = tracer
        self.group = group

    def __call__(self, name: str) -> Any:
        value = self.group[name]
        if isinstance(value, (tuple, list)):
            places = range(len(value))
            return tuple(self.item(name, place) for place in places)
        if isinstance(value, FIXED):
            return value
        return self.number(lambda: self.group[name], name)

    def item(self, name: str, place: int) -> Any:
        """One number of several, such as the first of ``betas``."""
        label = f"{name}[{place}]"
        return self.number(lambda: self.group[name][place], label)

    def number(self, read: Callable[[], Any], name: str) -> Any:
        """A float that the program asks for at each call."""
        return self.tracer.number(lambda: float(read()), name)


def _hyper(optimizer: Any, read: _Reader) -> Options:
    """What the formula asks for; an optional hyper-parameter that is off is None."""
    hyper = {name: read(name) for name in optimizer._asked}
    for name in optimizer.fixed:
        hyper[name] = read.group[name]
    for name in optimizer._optional:
        if not read.group[name]:
            hyper[name] = None
    return hyper


class _Structure:
    """:func:`_structure`, worked out anew only when an option or the step counts changed."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts
        self.seen: Any = None
        self.answer: Any = None

    def __call__(self) -> Any:
        optimizer, group, states, counts = self.parts
        steps = {kept["t"] for kept in counts}
        owners = map(id, optimizer._states)
        seen = [*group.values(), *owners, len(steps)]
        if seen != self.seen:
            self.seen = seen
            self.answer = _structure(optimizer, group, states, counts)
        return self.answer


def _structure(optimizer: Any, group: Options, states: Any, counts: Any) -> Any:
    """What another program would be needed for: which terms there are, and whose state it is."""
    names = [name for name in group if name not in NO_OPTIONS]
    kinds = [_kind(group[name]) for name in names]
    kinds += [group[name] for name in optimizer.fixed]
    ours = any(states is own for own in optimizer._states)
    steps = {kept["t"] for kept in counts}
    together = len(steps) <= 1
    return tuple(kinds), ours, together


def _kind(value: Any) -> Any:
    return value if isinstance(value, FIXED) else bool(value)

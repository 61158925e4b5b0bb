"""An optimizer's state as plain data and arrays, and back again with every misfit reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deepdive.backend import speakers
from deepdive.errors import CheckpointError
from deepdive.optim.groups import outside

Groups = list[dict[str, Any]]
State = Mapping[str, Any]

OURS = ("params", "param_names", "initial_lr")  # in groups, yet no hyper-parameters


def keys(param_groups: Groups) -> list[list[str]]:
    """A key per parameter and group: its name where it has one, else its position."""
    found: list[list[str]] = []
    position = 0
    for group in param_groups:
        numbers = [str(position + i) for i in range(len(group["params"]))]
        position += len(numbers)
        found.append(list(group.get("param_names", numbers)))
    return found


def saved(optimizer: Any) -> dict[str, Any]:
    """See :meth:`deepdive.optim.Optimizer.state_dict`."""
    kept: dict[str, Any] = {}
    options: Groups = []
    groups = optimizer.param_groups
    for group, states, names in zip(groups, optimizer._states, keys(groups), strict=True):
        slots = optimizer.slots_of(group)
        for p, state, name in zip(group["params"], states, names, strict=True):
            if state["t"]:
                optimizer._begin(p._data, state, slots, group)
                copies = {slot: _copied(state[slot]) for slot in slots}
                kept[name] = {"t": state["t"], **copies}
        # what else the owner noted in a group stays out: it may not be plain data
        saved_names = [name for name in (*optimizer.defaults, "initial_lr") if name in group]
        values = {name: _plain(group[name]) for name in saved_names}
        options.append({**values, "params": names})
    return {"state": kept, "param_groups": options}


def _copied(array: Any) -> Any:
    return speakers.to_host(speakers.BY_TYPE[type(array)].copy(array))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def load(optimizer: Any, state_dict: State) -> None:
    """See :meth:`deepdive.optim.Optimizer.load_state_dict`."""
    title = type(optimizer).__name__
    states, loaded = _parts(state_dict, title)
    pairs, misfits = _paired(optimizer.param_groups, loaded)
    known = {name for _, name in pairs}
    misfits += [f"{name}: in no group" for name in states if name not in known]
    for p, name in pairs:
        misfits += [f"{name}: {words}" for words in _misfits(p, states.get(name))]
    for i, (group, options) in enumerate(zip(optimizer.param_groups, loaded, strict=False)):
        words = [*_option_misfits(optimizer, group, options)]
        misfits += [f"group {i}: {each}" for each in words]
        if not words:
            wanted = optimizer.slots_of({**group, **options})
            misfits += _slot_misfits(states, options["params"], wanted)
    if misfits:
        raise CheckpointError(
            f"{title}.load_state_dict: the state does not fit\n    " + "\n    ".join(misfits[:20]),
            expected=f"the state of a {title} over the same parameters; nothing was changed",
        )
    _take(optimizer, loaded, [(p, states.get(name)) for p, name in pairs])


def _parts(state_dict: Any, title: str) -> tuple[State, Groups]:
    """The two halves of a state, if it is one."""
    if isinstance(state_dict, Mapping):
        states, loaded = state_dict.get("state"), state_dict.get("param_groups")
        if isinstance(states, Mapping) and isinstance(loaded, list):
            if all(isinstance(each, Mapping) and "params" in each for each in loaded):
                return states, loaded
    raise CheckpointError(
        f"{title}.load_state_dict: this is not an optimizer's state",
        expected="a dict with 'state' and 'param_groups', from state_dict()",
    )


def _paired(groups: Groups, loaded: Groups) -> tuple[list[tuple[Any, str]], list[str]]:
    """(parameter, its key in the file) for all, by name where both sides have names."""
    pairs: list[tuple[Any, str]] = []
    misfits: list[str] = []
    if len(groups) != len(loaded):
        return [], [f"{len(loaded)} parameter groups for {len(groups)}"]
    for i, (group, options) in enumerate(zip(groups, loaded, strict=True)):
        theirs = [str(name) for name in options["params"]]
        ours = list(group.get("param_names", theirs))
        if set(ours) != set(theirs) and all(name.isdecimal() for name in theirs):
            ours = theirs  # saved without names: position decides
        if len(theirs) != len(group["params"]) or len(set(theirs)) < len(theirs):
            misfits.append(f"group {i}: {len(set(theirs))} parameters for {len(group['params'])}")
        elif set(ours) != set(theirs):
            misfits += [f"{name}: not in the state" for name in ours if name not in theirs]
            misfits += [f"{name}: not in the optimizer" for name in theirs if name not in ours]
        else:
            pairs += zip(group["params"], ours, strict=True)
    return pairs, misfits


def _misfits(p: Any, state: Any) -> Iterator[str]:
    """What keeps `state` from being the state of parameter `p`."""
    if state is None:
        return
    if not isinstance(state, Mapping) or type(state.get("t")) is not int or state["t"] < 0:
        yield "no step count 't'"
        return
    for slot, value in state.items():
        shape = getattr(value, "shape", None)
        fits = shape in (p.shape, ())  # a number of the whole parameter's
        if slot != "t" and not fits:
            yield f"{slot} has shape {shape}, the parameter {tuple(p.shape)}"


def _option_misfits(optimizer: Any, group: State, options: State) -> Iterator[str]:
    for name in optimizer.defaults:
        if name not in options:
            yield f"{name!r} is missing"
    for name in options:
        if name not in group and name not in OURS:
            yield f"no hyper-parameter {name!r} here"
    for name in outside(options):
        yield f"{name} is out of range"


def _slot_misfits(states: State, names: list[Any], wanted: tuple[str, ...]) -> Iterator[str]:
    for name in map(str, names):
        state = states.get(name)
        if isinstance(state, Mapping):
            for slot in wanted:
                if slot not in state:
                    yield f"{name}: no {slot!r}"
            for slot in state:
                if slot not in ("t", *wanted):
                    yield f"{name}: {slot!r} is nothing this optimizer keeps"


def _take(optimizer: Any, loaded: Groups, places: list[tuple[Any, Any]]) -> None:
    new = iter(places)
    for i, (group, options) in enumerate(zip(optimizer.param_groups, loaded, strict=True)):
        group.update({k: v for k, v in options.items() if k != "params"})
        optimizer._states[i] = [_taken(*next(new)) for _ in group["params"]]


def _taken(p: Any, state: State | None) -> dict[str, Any]:
    if state is None:
        return {"t": 0}
    speaker = speakers.BY_TYPE[type(p._data)]
    return {
        slot: value if slot == "t" else speaker.copy(speaker.asarray(value))
        for slot, value in state.items()
    }

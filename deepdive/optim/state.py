"""An optimizer's state as plain data and arrays, and back again with every misfit reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deepdive.backend import speakers
from deepdive.errors import CheckpointError
from deepdive.optim.groups import outside

Groups = list[dict[str, Any]]
States = list[list[dict[str, Any]]]


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
    names = keys(optimizer.param_groups)
    for group, states, members in zip(
        optimizer.param_groups, optimizer._states, names, strict=True
    ):
        slots = optimizer.slots_of(group)
        for p, state, name in zip(group["params"], states, members, strict=True):
            if state["t"]:
                optimizer._begin(p._data, state, slots, group)
                kept[name] = {"t": state["t"], **{slot: _copied(state[slot]) for slot in slots}}
        values = {k: _plain(v) for k, v in group.items() if k not in ("params", "param_names")}
        options.append({**values, "params": members})
    return {"state": kept, "param_groups": options}


def _copied(array: Any) -> Any:
    speaker = speakers.BY_TYPE[type(array)]
    return speaker.to_numpy(speaker.copy(array))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def load(optimizer: Any, state_dict: Mapping[str, Any]) -> None:
    """See :meth:`deepdive.optim.Optimizer.load_state_dict`."""
    groups = optimizer.param_groups
    title = type(optimizer).__name__
    loaded = state_dict.get("param_groups") if isinstance(state_dict, Mapping) else None
    if not isinstance(loaded, list) or not isinstance(state_dict.get("state"), Mapping):
        raise CheckpointError(
            f"{title}.load_state_dict: this is not an optimizer's state",
            expected="a dict with 'state' and 'param_groups', from state_dict()",
        )
    pairs, misfits = _paired(groups, loaded)
    places = [(p, state_dict["state"].get(name)) for p, name in pairs]
    for (_, name), (p, state) in zip(pairs, places, strict=True):
        misfits += [f"{name}: {words}" for words in _misfits(p, state)]
    known = {name for _, name in pairs}
    misfits += [f"{name}: in no group" for name in state_dict["state"] if name not in known]
    for i, (group, options) in enumerate(zip(groups, loaded, strict=False)):
        missing = [k for k in optimizer.defaults if k not in options]
        foreign = [k for k in options if k not in group and k not in ("params", "initial_lr")]
        misfits += [f"group {i}: {k!r} is missing" for k in missing]
        misfits += [f"group {i}: no hyper-parameter {k!r} here" for k in foreign]
        if not missing and not foreign:
            wanted = optimizer.slots_of({**group, **options})
            misfits += _missing_slots(state_dict["state"], options["params"], wanted)
        misfits += [f"group {i}: {name} is out of range" for name in outside(options)]
    if misfits:
        raise CheckpointError(
            f"{title}.load_state_dict: the state does not fit\n    " + "\n    ".join(misfits[:20]),
            expected=f"the state of a {title} over the same parameters; nothing was changed",
        )
    _take(optimizer, loaded, places)


def _paired(groups: Groups, loaded: Groups) -> tuple[list[tuple[Any, str]], list[str]]:
    """(parameter, its key in the file) for all, by name where both sides have names."""
    pairs: list[tuple[Any, str]] = []
    misfits: list[str] = []
    if len(groups) != len(loaded):
        return [], [f"{len(loaded)} parameter groups for {len(groups)}"]
    for i, (group, options) in enumerate(zip(groups, loaded, strict=True)):
        theirs = [str(name) for name in options.get("params", ())]
        ours = list(group.get("param_names", theirs))
        if all(name.isdecimal() for name in theirs):
            ours = theirs  # saved without names: position decides
        if len(theirs) != len(group["params"]):
            misfits.append(f"group {i}: {len(theirs)} parameters for {len(group['params'])}")
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
        if slot != "t" and shape != p.shape:
            yield f"{slot} has shape {shape}, the parameter {tuple(p.shape)}"


def _missing_slots(
    states: Mapping[str, Any], names: list[Any], wanted: tuple[str, ...]
) -> Iterator[str]:
    for name in map(str, names):
        state = states.get(name)
        if isinstance(state, Mapping):
            for slot in wanted:
                if slot not in state:
                    yield f"{name}: no {slot!r}"
            for slot in state:
                if slot != "t" and slot not in wanted:
                    yield f"{name}: {slot!r} is nothing this optimizer keeps"


def _take(optimizer: Any, loaded: Groups, places: list[tuple[Any, Any]]) -> None:
    new = iter(places)
    for i, (group, options) in enumerate(zip(optimizer.param_groups, loaded, strict=True)):
        group.update({k: v for k, v in options.items() if k != "params"})
        optimizer._states[i] = [_taken(*next(new)) for _ in group["params"]]


def _taken(p: Any, state: Mapping[str, Any] | None) -> dict[str, Any]:
    if state is None:
        return {"t": 0}
    speaker = speakers.BY_TYPE[type(p._data)]
    return {
        slot: value if slot == "t" else speaker.copy(speaker.asarray(value))
        for slot, value in state.items()
    }

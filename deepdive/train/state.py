"""Everything a training is made of, as arrays and JSON, and back again.

What decides the next step is: weights and buffers, the optimizer's slots and counts, the
schedule's place, all random states, and how many batches of the epoch are done.  The rest – the
running metrics, the history, what handlers remember – is kept so that a resumed training also
tells the same story.
"""

from __future__ import annotations

import platform
import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from deepdive.core.random import Generator, get_rng_state, initial_seed, set_rng_state
from deepdive.errors import CheckpointError, DeepDiveError

FORMAT = 1  # of state.json
EMA_PREFIX = "ema/"
COUNTS = ("epoch", "batch", "step", "samples")

State = Mapping[str, Any]


def collected(trainer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what goes into ``state.json``, what goes into ``optimizer.safetensors``) of a trainer."""
    options, arrays = flattened(trainer.optimizer.state_dict())
    if trainer.ema is not None:
        for name, array in trainer.ema.state_dict().items():
            arrays[EMA_PREFIX + name] = array
    scaler = trainer.precision.scaler
    state = {
        "format": FORMAT,
        "versions": versions(),
        "seed": initial_seed(),
        **{name: getattr(trainer, name) for name in COUNTS},
        "stopped": trainer.stopped,
        "sampler": sampler_of(trainer.loader),
        "random": random_states(trainer.loader),
        "optimizer": options,
        "schedule": trainer.schedule.state_dict() if trainer.schedule else None,
        "scaler": scaler.state_dict() if scaler else None,
        "metrics": {name: metric.state_dict() for name, metric in trainer.running.items()},
        "history": trainer.history,
        "handlers": trainer.events.state_dict(),
    }
    return state, arrays


def restore(trainer: Any, state: State, weights: State, arrays: State) -> None:
    """Put a trainer where :func:`collected` was taken.

    Raises:
        CheckpointError: the state is damaged, or of another model, optimizer or data set.
    """
    check(state)
    try:
        _restore(trainer, state, weights, arrays)
    except DeepDiveError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # JSON of another form than ours, somewhere deep inside: no file may do more than this
        raise CheckpointError(f"state.json is damaged: {type(error).__name__}: {error}") from error


def _restore(trainer: Any, state: State, weights: State, arrays: State) -> None:
    if state["format"] > FORMAT:
        raise CheckpointError(
            f"the checkpoint has format {state['format']}, of a later version",
            expected=f"format {FORMAT} at most",
            fix="install the version of DeepDive that wrote it",
        )
    check_sampler(trainer.loader, state)
    averages = {k.removeprefix(EMA_PREFIX): v for k, v in arrays.items() if _is_average(k)}
    slots = {name: array for name, array in arrays.items() if not _is_average(name)}
    trainer.model.load_state_dict(weights)
    trainer.optimizer.load_state_dict(unflattened(state["optimizer"], slots))
    for mine, theirs, what in (
        (trainer.schedule, state["schedule"], "schedule"),
        (trainer.precision.scaler, state["scaler"], "scaler"),
    ):
        if (mine is None) != (theirs is None):
            raise CheckpointError(f"the checkpoint and this training differ: one has no {what}")
        if mine is not None:
            mine.load_state_dict(theirs)
    if trainer.ema is not None:
        trainer.ema.load_state_dict(averages)
    for name, metric in trainer.running.items():
        if name in state["metrics"]:
            metric.load_state_dict(state["metrics"][name])
    trainer.events.load_state_dict(state["handlers"])
    set_random_states(state["random"], trainer.loader)
    for name in COUNTS:
        setattr(trainer, name, state[name])
    trainer.stopped = state["stopped"]
    trainer.history = [dict(record) for record in state["history"]]


def check(state: State) -> None:
    """Whether `state` has the parts it must have, of the right kinds.

    Raises:
        CheckpointError: naming the first that has not.
    """
    kinds: dict[str, Any] = dict.fromkeys(("format", "seed", *COUNTS), int)
    kinds |= dict.fromkeys(("sampler", "random", "optimizer", "metrics", "handlers"), dict)
    kinds |= {"schedule": (dict, type(None)), "scaler": (dict, type(None)), "history": list}
    kinds |= {"stopped": (str, type(None))}
    for name, kind in kinds.items():
        value = state.get(name, check)
        wrong = not isinstance(value, kind) or isinstance(value, bool)
        if wrong or (kind is int and not 0 <= value < 2**64):
            raise CheckpointError(f"state.json: {name!r} is damaged", got=repr(value)[:80])
    if not all(isinstance(record, dict) for record in state["history"]):
        raise CheckpointError("state.json: 'history' is damaged")


def versions() -> dict[str, str]:
    """Of everything that decides about bits."""
    found = {
        "deepdive": str(getattr(sys.modules.get("deepdive"), "__version__", "")),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }
    for name in ("numba", "cupy"):
        if name in sys.modules:
            found[name] = str(getattr(sys.modules[name], "__version__", ""))
    return found


# The order of the data


def sampler_of(loader: Any) -> dict[str, Any]:
    """What a place in an epoch means: so many batches, of such a size."""
    batches = len(loader) if hasattr(loader, "__len__") else None
    return {"batches": batches, "batch_size": getattr(loader, "batch_size", None)}


def check_sampler(loader: Any, state: State) -> None:
    """In the middle of an epoch the batches must be cut as they were.

    Raises:
        CheckpointError: if they are not.
    """
    now, then = sampler_of(loader), state["sampler"]
    if state["batch"] and now != then:
        raise CheckpointError(
            "resume: in the middle of an epoch the data must be the same",
            got=f"{now['batches']} batches of {now['batch_size']}",
            expected=f"{then.get('batches')} batches of {then.get('batch_size')}",
            fix="use the loader of the first run until this epoch is over",
        )


# Random states


def random_states(loader: Any = None) -> dict[str, Any]:
    """All of them: DeepDive's, the loader's own, Python's and NumPy's."""
    kind, numbers, gauss = random.getstate()
    words: Any = np.random.get_state(legacy=True)
    name, keys, position, has_gauss, cached = words
    own = getattr(loader, "generator", None)
    return {
        "deepdive": get_rng_state(),
        "loader": own.get_state() if isinstance(own, Generator) else None,
        "python": [kind, list(numbers), gauss],
        "numpy": [name, keys.tolist(), int(position), int(has_gauss), float(cached)],
    }


def set_random_states(states: State, loader: Any = None) -> None:
    """Continue where :func:`random_states` was called; an error of any kind if it was not."""
    own = getattr(loader, "generator", None)
    kind, numbers, gauss = states["python"]
    name, keys, position, *cached = states["numpy"]
    words = np.array(keys, dtype=np.uint32)
    # NumPy itself does not look at what it is given closely enough
    if words.shape != (624,) or not 0 <= position <= 624:
        raise CheckpointError("state.json: 'random' is damaged", got=f"{words.shape}, {position}")
    set_rng_state(states["deepdive"])
    if isinstance(own, Generator) and states["loader"] is not None:
        own.set_state(states["loader"])
    random.setstate((kind, tuple(numbers), gauss))
    np.random.set_state((name, words, position, *cached))


# The optimizer


def flattened(state: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """An optimizer's state as JSON and as ``slot/parameter`` → array."""
    counts = {name: kept["t"] for name, kept in state["state"].items()}
    arrays = {
        f"{slot}/{name}": array
        for name, kept in state["state"].items()
        for slot, array in kept.items()
        if slot != "t"
    }
    return {"t": counts, "param_groups": state["param_groups"]}, arrays


def unflattened(options: State, arrays: State) -> dict[str, Any]:
    """:func:`flattened` undone.

    Raises:
        CheckpointError: for arrays of no parameter, or a state of another form.
    """
    counts, groups = options.get("t"), options.get("param_groups")
    if not isinstance(counts, dict) or not isinstance(groups, list):
        raise CheckpointError("state.json: 'optimizer' is damaged", got=repr(options)[:80])
    states: dict[str, dict[str, Any]] = {name: {"t": t} for name, t in counts.items()}
    for key, array in arrays.items():
        slot, _, name = key.partition("/")
        if name not in states or slot == "t":
            raise CheckpointError(f"optimizer.safetensors: {key[:80]!r} belongs to no parameter")
        states[name][slot] = array
    return {"state": states, "param_groups": [_with_tuples(group) for group in groups]}


def _with_tuples(group: Any) -> Any:
    """JSON has lists only; options such as ``betas`` are tuples."""
    if not isinstance(group, dict):
        return group
    found = {k: tuple(v) if isinstance(v, list) else v for k, v in group.items()}
    return {**found, "params": group.get("params")}


def _is_average(name: str) -> bool:
    return name.startswith(EMA_PREFIX)

"""Who runs a workload: PyTorch three times, JAX, NumPy by hand, and DeepDive three times.

Every contestant starts from the same weights and is fed the same batch.  One that cannot run, or
whose losses are wrong, or whose parameters stay where PyTorch's move, is left out with a reason.
"""

from __future__ import annotations

import functools
import os
import shutil
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy_mlp
import torch
from contest import Step, difference, first_losses
from workloads import WORKLOADS

import deepdive as dd

EAGER, FUSED, INDUCTOR = "PyTorch", "PyTorch, fused optimizer", "torch.compile"
JAX, HAND = "JAX", "NumPy by hand"
OURS, NUMPY, NUMBA = "DeepDive eager", "DeepDive, NumPy", "DeepDive, Numba"
STEPS = 5
TOLERANCE = 1e-3
Arrays = dict[str, np.ndarray]


class Left(Exception):
    """A contestant cannot take part; the message says why."""


class Entry(NamedTuple):
    """One step, and the parameters by name where the contestant has ours."""

    step: Step
    weights: Callable[[], Arrays] = dict


class Lineup(NamedTuple):
    """Who runs, what the first call took, how far losses are off, and who does not run."""

    steps: dict[str, Step]
    first: dict[str, float]
    off: dict[str, float]
    left: dict[str, str]


class Start(NamedTuple):
    """Where all contestants of a workload start from."""

    name: str
    ours: Any
    theirs: Any
    batch: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, name: str) -> Start:
        dd.manual_seed(0)
        make = WORKLOADS[name][0]
        return cls(name, *make())


def with_pytorch(start: Start, fused: bool = False, compiled: bool = False) -> Entry:
    _, (_, criterion), (_, usual), fast, *_ = WORKLOADS[start.name]
    model = start.theirs
    optimizer = (fast if fused else usual)(model.parameters())
    x, y = map(torch.from_numpy, start.batch)

    def lost(x: Any, y: Any) -> Any:
        return criterion(model(x), y)

    if compiled:
        if not cpp_compiler():
            raise Left("no C++ compiler here: torch.compile needs one whenever it runs")
        torch.compiler.reset()
        lost = torch.compile(lost)

    def step() -> Any:
        optimizer.zero_grad()
        loss = lost(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def weights() -> Arrays:
        return {name: p.detach().numpy().copy() for name, p in model.named_parameters()}

    return Entry(step, weights)


def cpp_compiler() -> str | None:
    """The C++ compiler that torch.compile would call."""
    return shutil.which(os.environ.get("CXX") or "g++")


def with_deepdive(start: Start, dialect: str = "") -> Entry:
    _, (criterion, _), (usual, _), *_ = WORKLOADS[start.name]
    model = start.ours
    optimizer = usual(model.parameters())
    x, y = map(dd.tensor, start.batch)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def weights() -> Arrays:
        return {name: p.numpy().copy() for name, p in model.named_parameters()}

    if dialect:
        step = dd.compile(step, dialect=dialect)
    return Entry(functools.partial(step, x, y), weights)


def with_jax(start: Start) -> Entry:
    """JAX in the layout of images that is faster on this machine, found by trying both."""
    try:
        import jax_twins
    except ImportError as error:
        raise Left("not installed") from error
    make, (_, criterion), (_, usual), *_ = WORKLOADS[start.name]
    optimizer = usual(start.theirs.parameters())
    state = {name: value.numpy() for name, value in start.ours.state_dict().items()}

    def training(layout: str) -> Any:
        return jax_twins.training(
            model=make.__name__,
            loss=criterion.__name__,
            optimizer=type(optimizer).__name__,
            options=optimizer.defaults,
            state=state,
            batch=start.batch,
            layout=layout,
        )

    pictures = start.batch[0].ndim == 4
    layouts = jax_twins.LAYOUTS if pictures else jax_twins.LAYOUTS[:1]
    fastest = min(layouts, key=lambda layout: _trial(training(layout)))
    return Entry(training(fastest))


def _trial(step: Step) -> float:
    """The least seconds of a few steps."""
    step().block_until_ready()
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        step().block_until_ready()
        taken.append(time.perf_counter() - began)
    return min(taken)


def by_hand(start: Start) -> Entry:
    if not start.name.startswith("MLP"):
        raise Left("only the MLP is written by hand")
    optimizer = numpy_mlp.Adam if start.name.endswith("Adam") else numpy_mlp.SGD
    state = {name: value.numpy().copy() for name, value in start.ours.state_dict().items()}
    return Entry(numpy_mlp.training(state, start.batch, optimizer()))


MAKERS: dict[str, Callable[[Start], Entry]] = {
    EAGER: with_pytorch,
    FUSED: functools.partial(with_pytorch, fused=True),
    INDUCTOR: functools.partial(with_pytorch, fused=True, compiled=True),
    JAX: with_jax,
    HAND: by_hand,
    OURS: with_deepdive,
    NUMPY: functools.partial(with_deepdive, dialect="numpy"),
    NUMBA: functools.partial(with_deepdive, dialect="numba"),
}


def lineup(name: str, without: set[str]) -> Lineup:
    """The contestants of a workload after their first steps."""
    torch.set_num_threads(2)
    numba.set_num_threads(2)
    found = Lineup({}, {}, {}, {})
    reference: list[float] = []
    still: set[str] = set()
    for contestant, make in MAKERS.items():
        if contestant in without:
            found.left[contestant] = "not asked for"
            continue
        try:
            entry, first, losses, resting = _first_steps(make, name)
            reference = reference or losses
            still = resting if contestant == EAGER else still
            found.off[contestant] = _checked(losses, reference, resting - still)
        except Exception as error:  # a compiler may fail in any way: the race goes on without it
            found.left[contestant] = _reason(error)
            continue
        found.steps[contestant] = entry.step
        found.first[contestant] = first
    return found


def _first_steps(
    make: Callable[[Start], Entry],
    name: str,
) -> tuple[Entry, float, list[float], set[str]]:
    """A contestant, the seconds of its first step, its first losses, what did not move."""
    entry = make(Start.of(name))
    before = entry.weights()
    began = time.perf_counter()
    losses = first_losses(entry.step, 1)
    first = time.perf_counter() - began
    losses += first_losses(entry.step, STEPS - 1)
    after = entry.weights()
    resting = {key for key, value in before.items() if np.array_equal(value, after[key])}
    return entry, first, losses, resting


def _checked(losses: list[float], reference: list[float], stuck: set[str]) -> float:
    off = difference(losses, reference)
    if stuck:
        names = ", ".join(sorted(stuck))
        raise Left(f"parameters that do not move: {names}; losses differ by {off:.0e}")
    if off > TOLERANCE:
        raise Left(f"losses differ by {off:.0e}")
    return off


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if isinstance(error, Left) else f"{type(error).__name__}: {lines[0]}"

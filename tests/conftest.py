"""What every test gets: a fixed seed, a check that it leaks nothing, the optional shared data."""

import os
import random
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from deepdive import config
from deepdive.core.random import manual_seed

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    """The same random numbers in every run, whichever tests ran before."""
    manual_seed(0)
    random.seed(0)
    np.random.seed(0)


class Watched(NamedTuple):
    """A piece of process-wide state: its name, how to read it, how to put it back."""

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], Any]


def watched() -> Iterator[Watched]:
    """All that a test must leave as it found it; random state alone may change."""
    for name, value in vars(config).items():
        if isinstance(value, ContextVar):
            yield Watched(f"config.{name}", value.get, value.set)
    for slot in config.defaults.__slots__:
        yield Watched(
            f"config.defaults.{slot}",
            lambda slot=slot: getattr(config.defaults, slot),
            lambda value, slot=slot: setattr(config.defaults, slot, value),
        )
    yield Watched("the working folder", os.getcwd, os.chdir)
    yield Watched("np.geterr()", np.geterr, lambda value: np.seterr(**value))
    yield Watched("np.get_printoptions()", np.get_printoptions, _set_printoptions)


def _set_printoptions(options: dict[str, Any]) -> None:
    np.set_printoptions(**{k: v for k, v in options.items() if k != "override_repr"})


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail the test that changes global state, and put the state back for the next one."""
    before = [(item, item.read()) for item in watched()]
    yield
    leaks = []
    for item, value in before:
        after = item.read()
        if after != value:
            item.restore(value)
            leaks.append(f"{item.name} was {value!r} and is {after!r}")
    if leaks:
        pytest.fail("the test leaks global state: " + "; ".join(leaks), pytrace=False)


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """``shared("data/mnist")``: a path among the shared data, or the test is skipped."""
    folder = Path(os.environ.get("DEEPDIVE_SHARED", ROOT.parent / "shared"))

    def locate(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"no {name} in {folder} (DEEPDIVE_SHARED names the folder)")
        return path

    return locate

"""Anomaly detection: the first operator that makes a NaN or an infinity is named, at your line."""

from __future__ import annotations

import sys
from bisect import bisect_right
from contextlib import nullcontext
from typing import Any

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.node import next_index
from deepdive.errors import NonFiniteError
from deepdive.host import NUMPY, np

MOST_PLACES = 200_000  # then the oldest half is forgotten


def _quiet() -> Any:
    """NumPy's warnings off, where it is installed."""
    return np.errstate(all="ignore") if NUMPY else nullcontext()


class Place:
    """Where an operator was called: the user's line, and the modules it ran in."""

    __slots__ = ("line", "modules", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = mutation.caller()
        self.modules = _modules_around()

    def words(self) -> list[str]:
        """The lines an error shows."""
        lines = [f"the call at {self.line}"]
        if self.modules:
            inner, outer = self.modules[0], self.modules[-1]
            paths = [path for path, module in outer.named_modules() if module is inner]
            path = f".{paths[0]}" if paths and paths[0] else ""
            lines.append(f"{type(outer).__name__}{path}: {type(inner).__name__}")
        return lines


def _modules_around() -> list[Any]:
    """The modules whose forward is running, the innermost first."""
    found: list[Any] = []
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "__call__":
            owner = frame.f_locals.get("self")
            if hasattr(type(owner), "named_modules"):
                found.append(owner)
        frame = frame.f_back
    return found


class detect_anomaly:
    """``with detect_anomaly():`` – the first NaN or infinity raises, where it was made.

    Checked are the results of all operators and all gradients.  An infinity counts only where
    no input and no option was infinite: masks of -∞ are no anomaly.  Compiled functions run
    eagerly inside, so that the operator can be named.  It costs a look at every array; outside it
    costs nothing.

    Args:
        check_nan: False switches the checks off.

    Raises:
        NonFiniteError: naming the operator, your file and line, the module, the shapes.

    >>> import deepdive as dd
    >>> with detect_anomaly():
    ...     try:
    ...         dd.tensor([1.0, -1.0]).log()
    ...     except NonFiniteError as error:
    ...         print(error.what, "|", error.got)
    log: made 1 NaN of 2 values | x: (2,) float32, from -1 to 1
    """

    eager = True  # compiled functions run operator by operator

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self._outer: list[Any] = []
        self._places: dict[int, Place] = {}
        self._node: Any = None

    def __enter__(self) -> detect_anomaly:
        self._outer.append(config.watch)
        if self.check_nan:
            config.watch = self
        return self

    def __exit__(self, *exc_info: object) -> None:
        config.watch = self._outer.pop()

    # --- what the core calls -------------------------------------------------------------------
    def forward(self, operator: Any, run: Any, args: Any) -> Any:
        """Called by the core in place of ``run(*args)``."""
        outer = self._outer[-1] if self._outer else None
        with _quiet():  # what NumPy would warn of is said better below
            out = run(*args) if outer is None else outer.forward(operator, run, args)
        if config.tracing.get() is not None and not _under_vmap():
            return out
        index = next_index()  # that of the node about to be made is the next one
        if len(self._places) > MOST_PLACES:
            for old in list(self._places)[: MOST_PLACES // 2]:
                del self._places[old]
        self._places[index] = Place(operator.name)
        given = _named_inputs(operator, args[1:])
        for part in out if isinstance(out, tuple) else (out,):
            found = _anomaly(part, [*given.values(), *_options(operator)])
            if found:
                raise self._error(operator.public_name, found, given, self._places[index])
        return out

    def at(self, node: Any) -> None:
        """The node whose backward comes next."""
        self._node = node

    def backward(self, operator: Any, run: Any, args: Any) -> Any:
        """Called by the core in place of ``run(*args)``."""
        node = self._node
        outer = self._outer[-1] if self._outer else None
        with _quiet():
            grads = run(*args) if outer is None else outer.backward(operator, run, args)
        incoming = args[1]
        for i, part in enumerate(grads if isinstance(grads, (tuple, list)) else (grads,)):
            if node.parents[i : i + 1] == (None,) or node.parents[i : i + 1] == [None]:
                continue  # nobody wants it
            found = None if part is None else _anomaly(part, [incoming])
            if found:
                given = {"incoming gradient": incoming}
                name = f"backward of {operator.public_name}: the gradient of input {i}"
                raise self._error(name, found, given, self._place_of(node))
        return grads

    def _place_of(self, node: Any) -> Place | None:
        keys = list(self._places)
        i = bisect_right(keys, node.index) - 1
        place = self._places[keys[i]] if i >= 0 else None
        return place if place is not None and place.name == node.name else None

    def _error(self, name: str, found: str, given: Any, place: Place | None) -> NonFiniteError:
        error = NonFiniteError(
            f"{name}: made {found}",
            got="; ".join(f"{key}: {_outline(value)}" for key, value in given.items()),
            expected="finite numbers",
        )
        if place is not None:
            error.where += place.words()
        return error


def set_detect_anomaly(mode: bool, check_nan: bool = True) -> None:
    """Switch :class:`detect_anomaly` on or off for the rest of the process."""
    if isinstance(config.watch, detect_anomaly):
        config.watch = config.watch._outer[-1] if config.watch._outer else None
    if mode:
        detect_anomaly(check_nan).__enter__()


def is_anomaly_enabled() -> bool:
    """Whether anomalies are being looked for."""
    return isinstance(config.watch, detect_anomaly)


# --- looking at arrays ---------------------------------------------------------------------------
def _under_vmap() -> bool:
    return hasattr(config.tracing.get(), "randomness")


def _plain(value: Any) -> Any:
    """The array of a Tensor; of a batch, that of all samples."""
    value = getattr(value, "_data", value)
    while hasattr(value, "lent"):
        value = getattr(value.array, "_data", value.array)
    return value


def _is_floating(array: Any) -> bool:
    return hasattr(array, "shape") and dtypes.is_floating(array.dtype)


def _count(word: str, array: Any) -> int:
    xp = speakers.BY_TYPE.get(type(array)) or speakers.BY_DEVICE["cpu"]
    found = getattr(xp, word)(array)
    return int(xp.sum(xp.astype(found, "int64")))


def _anomaly(out: Any, inputs: list[Any]) -> str | None:
    """What is wrong with a result: NaNs, or infinities that no input had."""
    out = _plain(out)
    if not _is_floating(out) or _count("isfinite", out) == out.size:
        return None
    nans = _count("isnan", out)
    infinite = _count("isinf", out)
    values = f"of {out.size} value{'s' * (out.size != 1)}"
    if nans:
        had = any(_is_floating(_plain(x)) and _count("isnan", _plain(x)) for x in inputs)
        more = ", which an input had already" if had else ""
        return f"{nans} NaN{'s' * (nans > 1)} {values}{more}"
    return None if any(map(_is_infinite, inputs)) else f"{infinite} infinite {values}"


def _is_infinite(value: Any) -> bool:
    value = _plain(value)
    if isinstance(value, float):
        return value in (float("inf"), -float("inf"))
    return _is_floating(value) and _count("isinf", value) > 0


def _options(operator: Any) -> list[Any]:
    fields = getattr(operator.contract, "fields", ())
    return [getattr(operator, name) for name in fields]


def _named_inputs(operator: Any, args: Any) -> dict[str, Any]:
    contract = operator.contract
    names = () if contract is None or contract.variadic else contract.inputs
    return {names[i] if i < len(names) else f"input {i}": x for i, x in enumerate(args)}


def _outline(value: Any) -> str:
    """Shape, dtype and range of an array; a number as it is."""
    array = _plain(value)
    if not hasattr(array, "shape"):
        return repr(array)
    words = f"{tuple(array.shape)} {array.dtype}"
    if not array.size or not _is_floating(array):
        return words
    xp = speakers.BY_TYPE.get(type(array)) or speakers.BY_DEVICE["cpu"]
    finite = xp.isfinite(array)
    held = xp.where(finite, array, 0.0)
    low, high = float(xp.min(held)), float(xp.max(held))
    bad = array.size - _count("isfinite", array)
    return f"{words}, from {low:.4g} to {high:.4g}" + (f", {bad} not finite" if bad else "")

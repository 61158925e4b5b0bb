"""How a word is spoken here: its rule first, then a loop.

The vocabulary's rule finds the shape and the dtype of the result, or raises the error a reader can
use.  What is left to a word is how its numbers are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from deepdive import dtypes
from deepdive.backend.native.kernels import (
    map_loop,
    reduce_loop,
    scan_loop,
    zip_loop,
)
from deepdive.backend.native.ndarray import NDArray, asarray, empty, reduced_places
from deepdive.backend.native.scalars import fit
from deepdive.backend.vocabulary import VOCABULARY, Word, rules
from deepdive.errors import DeviceError

Array = Any  # an NDArray
Function = Callable[..., Any]
PLAIN = (bool, int, float)


# --- operands ------------------------------------------------------------------------------------
def operand(word: str, x: Any) -> Any:
    """An operand of `word`: a native array, or a Python number.

    Raises:
        DeviceError: for another library's array.
    """
    if isinstance(x, NDArray) or type(x) in PLAIN or x is None:
        return x
    if isinstance(x, (list, tuple)):
        return asarray(x)
    if hasattr(x, "dtype") and x.shape == ():
        return x.item()  # one number, whoever holds it
    if not hasattr(x, "dtype"):
        return x
    raise DeviceError(
        f"{word}: one operation, two devices",
        got=f"{type(x).__module__}.{type(x).__name__}",
        expected="native arrays",
        fix="copy it over first: asarray(x), or x.to('native') for a Tensor",
    )


def as_array(x: Any, dtype: Any = None) -> Array:
    """`x` as an array, a number as one of `dtype`."""
    return x if isinstance(x, NDArray) else asarray(x, dtype)


@cache
def stored(f: Function, dtype: Any) -> Function:
    """`f`, its result made a number of `dtype`; float buffers round by themselves."""
    if dtype.kind == "f":
        return f
    number = fit(dtype)
    return lambda *numbers: number(f(*numbers))


def _entry(word: str | Word) -> Word:
    return VOCABULARY[word] if isinstance(word, str) else word


# --- words in one of the three shapes ------------------------------------------------------------
def mapped(name: str | Word, f: Function) -> Function:
    """The word that applies `f` to every element."""
    word = _entry(name)

    def speak(x: Any) -> Array:
        x = operand(word.name, x)
        shape, dtype = word.result(x)
        x = as_array(x)
        out = empty(shape, dtype)
        map_loop(out.buffer, stored(f, dtype), x.buffer, x.positions())
        return out

    return _named(speak, word.name)


def zipped(name: str | Word, f: Function) -> Function:
    """The word that applies `f` to pairs of elements, after broadcasting."""
    word = _entry(name)

    def speak(x: Any, y: Any) -> Array:
        x, y = operand(word.name, x), operand(word.name, y)
        shape, dtype = word.result(x, y)
        common = dtypes.result_type(x, y)
        x, y = _broadcast(x, common, shape), _broadcast(y, common, shape)
        out = empty(shape, dtype)
        run = stored(f, dtype)
        zip_loop(out.buffer, run, x.buffer, x.positions(), y.buffer, y.positions())
        return out

    return _named(speak, word.name)


def _broadcast(x: Any, common: Any, shape: Any) -> Array:
    """`x` as an array of `shape`; a number is rounded to a common float type first."""
    if not isinstance(x, NDArray):
        wide = isinstance(x, int) and common.kind in "iu"  # no type of its own: 2³² stays 2³²
        x = asarray(x, ("uint64" if x >> 63 == 1 else dtypes.int64) if wide else common)
    return x if x.shape == shape else x.expand(shape)


def reduced(name: str, f: Function, start: Any) -> Function:
    """The word that reduces axes with `f`; `start` is a number, or found from the dtype."""
    word = VOCABULARY[name]

    def speak(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
        x = as_array(operand(name, x))
        shape, dtype = word.result(x, axis, keepdims)
        out = empty(shape, dtype)
        first = start(dtype) if callable(start) else start
        rows, steps = reduced_places(x, rules.some_axes(name, axis, x.shape))
        reduce_loop(out.buffer, stored(f, dtype), first, x.buffer, rows, steps)
        return out

    return _named(speak, name)


def scanned(name: str, f: Function, start: Any) -> Function:
    """The word that keeps what `f` has gathered after each element along an axis."""
    word = VOCABULARY[name]

    def speak(x: Any, axis: int) -> Array:
        x = as_array(operand(name, x))
        _, dtype = word.result(x, axis)
        out = x.astype(dtype).copy()
        rows, steps = reduced_places(out, (rules.one_axis(name, axis, x.shape),))
        scan_loop(out.buffer, stored(f, dtype), start, out.buffer, rows, steps)
        return out

    return _named(speak, name)


# --- words of any other kind ---------------------------------------------------------------------
def word(function: Function) -> Function:
    """Make ``function(shape, dtype, *arguments)`` a word: the rule finds shape and dtype.

    Its first two parameters are those of the result, then come the word's own, in their order.
    """
    name = function.__name__
    entry = VOCABULARY[name]

    def speak(*args: Any, **kwargs: Any) -> Any:
        given = _native(name, entry.bind(args, kwargs))
        shape = entry.shape_rule(name, **given)
        return function(shape, entry.dtype_rule(name, given), *given.values())

    return _named(speak, name, function.__doc__)


def said(name: str, function: Function, xp: Any) -> Function:
    """The word `name`, said in other words of `xp` by `function`, after its rule has agreed."""
    entry = VOCABULARY[name]

    def speak(*args: Any, **kwargs: Any) -> Any:
        given = _native(name, entry.bind(args, kwargs))
        entry.result(**given)
        return function(xp, *given.values())

    return _named(speak, name, function.__doc__)


def _native(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments, other libraries' arrays refused."""
    return {key: operand(name, x) if hasattr(x, "dtype") else x for key, x in given.items()}


def _named(function: Function, name: str, doc: str | None = None) -> Function:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc or f"{VOCABULARY.get(name, name)}."
    return function

"""What each step ends with: has the exercise been solved, and if not, what is wrong?"""

from collections.abc import Callable
from typing import Any


class Wrong(Exception):
    """A check found a mistake; the text says what was asked, what came and what should have."""


def expect(got: Any, wanted: Any, where: str, tolerance: float = 1e-6) -> None:
    """Refuse `got` unless it equals `wanted`: numbers, arrays, and lists of them, nearly.

    >>> expect(0.1 + 0.2, 0.3, "a sum")
    >>> expect([1, 2], [1, 3], "counting")
    Traceback (most recent call last):
    verdict.Wrong: counting: expected [1, 3], got [1, 2]
    """
    if not nearly(got, wanted, tolerance):
        raise Wrong(f"{where}: expected {wanted!r}, got {got!r}")


def nearly(got: Any, wanted: Any, tolerance: float = 1e-6) -> bool:
    """Equality that forgives rounding; NaN is nearly nothing."""
    if hasattr(wanted, "tolist"):  # a NumPy array: shape and numbers
        if getattr(got, "shape", None) != wanted.shape:
            return False
        return nearly(got.tolist(), wanted.tolist(), tolerance)
    if isinstance(wanted, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(wanted):
            return False
        return all(nearly(g, w, tolerance) for g, w in zip(got, wanted, strict=True))
    try:
        return bool(got == wanted or abs(got - wanted) <= tolerance * (1 + abs(wanted)))
    except TypeError:
        return False


def nudge_all(function: Callable, *arrays: Any, h: float = 1e-6) -> list[Any]:
    """The slope of function(*arrays), a number, in every number of every array, by trying."""
    answers = []
    for array in arrays:
        slopes = array.copy()
        for place in range(array.size):
            kept = array.flat[place]
            array.flat[place] = kept + h
            up = function(*arrays)
            array.flat[place] = kept - h
            down = function(*arrays)
            array.flat[place] = kept
            slopes.flat[place] = (up - down) / (2 * h)
        answers.append(slopes)
    return answers


def verdict(exercise: Callable, check: Callable) -> str:
    """One line: solved, not solved yet, or what is wrong.  Never raises."""
    try:
        check(exercise)
    except NotImplementedError:
        line = exercise.__code__.co_firstlineno
        return f"not solved yet – edit exercise(), line {line} of this file, and run it again"
    except Wrong as wrong:
        return f"not right yet – {wrong}"
    except Exception as error:
        return f"it raised {type(error).__name__}: {error}"
    return "solved – on to the next step"


def conclude(exercise: Callable, check: Callable) -> None:
    """Print the verdict; the last line of every step."""
    print("\nexercise:", verdict(exercise, check))

"""What dtype a word's result has: PyTorch's promotion.

A dtype rule takes the word's name and its arguments by name, as a mapping; the shape rule has been
asked before, and has refused what cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deepdive import dtypes
from deepdive.backend.vocabulary.rules import dtype_of
from deepdive.errors import DTypeError
from deepdive.host import np

Given = Mapping[str, Any]

UINT32 = np.dtype("uint32")  # only random bits have this type


def _floating(dtype: Any) -> Any:
    return dtype if dtypes.is_floating(dtype) else dtypes.default_float()


# --- one operand -------------------------------------------------------------------------------
def same(word: str, given: Given) -> Any:
    """The operand's dtype."""
    return dtype_of(given["x"])


def to_float(word: str, given: Given) -> Any:
    """The operand's dtype; integers and bools become the default float."""
    return _floating(dtype_of(given["x"]))


def signed(word: str, given: Given) -> Any:
    """The operand's dtype, for words that bool has no answer to."""
    dtype = dtype_of(given["x"])
    if dtype.kind == "b":
        raise DTypeError(f"{word}: a bool has no negative", fix="logical_not(x), or make it int64")
    return dtype


def squared(word: str, given: Given) -> Any:
    """The operand's dtype; int64 for bool."""
    return dtypes.result_type(given["x"], 2)


def counted(word: str, given: Given) -> Any:
    """Sums and products of integers and bools are int64, so that they do not overflow early."""
    dtype = dtype_of(given["x"])
    return dtype if dtypes.is_floating(dtype) else dtypes.int64


# --- several operands --------------------------------------------------------------------------
def promoted(word: str, given: Given) -> Any:
    """The promotion of x and y."""
    return dtypes.result_type(given["x"], given["y"])


def promoted_float(word: str, given: Given) -> Any:
    """As :func:`promoted`; integers and bools become the default float."""
    return _floating(promoted(word, given))


def promoted_numbers(word: str, given: Given) -> Any:
    """As :func:`promoted`, for words that have no meaning for two bools."""
    dtype = promoted(word, given)
    if dtype.kind == "b":
        fix = "logical_xor(x, y), or make them int64"
        raise DTypeError(f"{word}: both operands are bool", expected="numbers", fix=fix)
    return dtype


def powers(word: str, given: Given) -> Any:
    """As :func:`promoted_numbers`.

    Raises:
        DTypeError: for integers with a negative exponent, as far as that is known.
    """
    dtype = promoted_numbers(word, given)
    exponent = getattr(given["y"], "values", given["y"])
    negative: Any = False if exponent is None or dtypes.is_floating(dtype) else exponent < 0
    if negative is True or (hasattr(negative, "any") and negative.any()):
        what = f"{word}: integers have no negative powers"
        raise DTypeError(what, expected="floats", fix="x.float() ** y, or x ** -1.0")
    return dtype


def bits(word: str, given: Given) -> Any:
    """The promotion of the operands, for words that work on bits.

    Raises:
        DTypeError: for floats.
    """
    for operand in given.values():
        dtype = dtype_of(operand)
        if dtypes.is_floating(dtype):
            what = f"{word}: {dtype} has no bits to work on"
            raise DTypeError(what, expected="integers or bool", fix="compare first, e.g. x > 0")
    return dtypes.result_type(*given.values())


def promoted_bounds(word: str, given: Given) -> Any:
    """The promotion of the operand and the bounds that are given."""
    return dtypes.result_type(*(each for each in given.values() if each is not None))


def promoted_list(word: str, given: Given) -> Any:
    """The promotion of all arrays of a list."""
    return dtypes.result_type(*given["arrays"])


def promoted_arrays(word: str, given: Given) -> Any:
    """The promotion of all operands that are arrays."""
    return dtypes.result_type(*(each for each in given.values() if hasattr(each, "dtype")))


# --- the same for all operands -----------------------------------------------------------------
def boolean(word: str, given: Given) -> Any:
    """Always bool."""
    return dtypes.bool_


def positions(word: str, given: Given) -> Any:
    """Always int64."""
    return dtypes.int64


def random_words(word: str, given: Given) -> Any:
    """Always uint32."""
    return UINT32


# --- creation: the dtype that was asked for, or … ----------------------------------------------
def _asked(given: Given) -> Any:
    dtype = given["dtype"]
    return None if dtype is None else dtypes.as_dtype(dtype)


def wanted(word: str, given: Given) -> Any:
    """The dtype that was asked for."""
    return dtypes.as_dtype(given["dtype"])


def created(word: str, given: Given) -> Any:
    """… the default float."""
    asked = _asked(given)
    return dtypes.default_float() if asked is None else asked


def filled(word: str, given: Given) -> Any:
    """… the value's."""
    asked, value = _asked(given), given["value"]
    if asked is not None:
        return asked
    number = isinstance(value, (bool, int, float))  # np.float64 is one, too
    return dtypes.number_dtype(value) if number else value.dtype


def counting(word: str, given: Given) -> Any:
    """… int64 if all bounds are integers, else the default float."""
    asked = _asked(given)
    if asked is not None:
        return asked
    floating = any(isinstance(number, float) for number in given.values())
    return dtypes.default_float() if floating else dtypes.int64


def data(word: str, given: Given) -> Any:
    """… the array's own, or the common one of the numbers in nested lists."""
    asked, x = _asked(given), given["x"]
    if asked is not None:
        return asked
    if hasattr(x, "dtype"):
        return dtypes.as_dtype(x.dtype)
    found = [_number_dtype(word, number) for number in _leaves(x)]
    return dtypes.result_type(*found) if found else dtypes.default_float()


def _number_dtype(word: str, x: Any) -> Any:
    """The dtype of a number in a list; floats of any width become the default there."""
    if isinstance(x, (bool, int, float)):
        return dtypes.number_dtype(x)
    if not hasattr(x, "dtype"):
        raise DTypeError(f"{word}: {x!r} is not a number", expected="numbers, lists or an array")
    return dtypes.default_float() if dtypes.is_floating(x.dtype) else x.dtype


def _leaves(x: Any) -> Iterator[Any]:
    """The numbers of nested lists, in order."""
    pending = [x]
    while pending:
        item = pending.pop()
        if isinstance(item, (list, tuple)):
            pending.extend(reversed(item))
        else:
            yield item

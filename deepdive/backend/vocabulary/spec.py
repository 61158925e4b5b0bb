"""Arrays without values, and the speaker whose words run the rules on them.

Every word gives the exact shape and dtype of its result and computes nothing.  That words the
error after a real speaker refused, and it is what a tracer records with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from deepdive import dtypes
from deepdive.backend.vocabulary.matrices import VOCABULARY
from deepdive.backend.vocabulary.rules import Shape
from deepdive.backend.vocabulary.word import Word
from deepdive.errors import DeepDiveError, GraphError, did_you_mean
from deepdive.host import np


def _pair(name: str) -> tuple[Callable[[Spec, Any], Any], Callable[[Spec, Any], Any]]:
    """The methods of a Python operator: spec ∘ other and other ∘ spec."""
    return (
        lambda spec, other: say(VOCABULARY[name], spec, other),
        lambda spec, other: say(VOCABULARY[name], other, spec),
    )


def _single(name: str) -> Callable[[Spec], Any]:
    """The method of a Python operator with one operand."""
    return lambda spec: say(VOCABULARY[name], spec)


class Spec:
    """An array without values: shape, dtype and Python's operators.

    ``values`` are the known numbers of an index (see :func:`spec_of`): range checks and masks
    need them.

    >>> Spec((3, 1), "float32") * Spec((4,), "float32") + 1
    Spec((3, 4), float32)
    """

    __slots__ = ("dtype", "shape", "values")
    __array_ufunc__ = None  # NumPy's arrays and scalars leave their operators to ours

    def __init__(self, shape: Any, dtype: Any, values: Any = None) -> None:
        self.shape: Shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.values = values

    def __repr__(self) -> str:
        return f"Spec({self.shape}, {self.dtype.name})"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def T(self) -> Spec:
        return Spec(self.shape[::-1], self.dtype)

    __add__, __radd__ = _pair("add")
    __sub__, __rsub__ = _pair("subtract")
    __mul__, __rmul__ = _pair("multiply")
    __truediv__, __rtruediv__ = _pair("divide")
    __floordiv__, __rfloordiv__ = _pair("floor_divide")
    __mod__, __rmod__ = _pair("remainder")
    __pow__, __rpow__ = _pair("pow")
    __matmul__, __rmatmul__ = _pair("matmul")
    __and__, __rand__ = _pair("bitwise_and")
    __or__, __ror__ = _pair("bitwise_or")
    __xor__, __rxor__ = _pair("bitwise_xor")
    __lt__, __gt__ = _pair("less")[0], _pair("greater")[0]
    __le__, __ge__ = _pair("less_equal")[0], _pair("greater_equal")[0]
    __eq__, __ne__ = _pair("equal")[0], _pair("not_equal")[0]
    __neg__, __abs__, __invert__ = map(_single, ("negative", "abs", "bitwise_invert"))
    __hash__ = object.__hash__
    __getitem__ = _pair("getitem")[0]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array of shape ()")
        return self.shape[0]

    def __iter__(self) -> Iterator[Spec]:
        return (self[i] for i in range(len(self)))

    def _unknown(self, *args: Any) -> Any:
        """Refuses to be a number."""
        raise GraphError(
            "this array has no values yet: it only stands for a shape and a dtype",
            got=repr(self),
            fix="no `if`, float() or loop on values; use where(condition, x, y)",
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _unknown
    item = tolist = __array__ = _unknown


def spec_of(x: Any) -> Any:
    """The Spec of an array; numbers, None, slices stay what they are, lists go inside.

    Arrays of integers or bools may be an index: their Spec knows their values.

    >>> import numpy as np
    >>> spec_of([np.zeros((2, 3)), 0.5, None])
    [Spec((2, 3), float64), 0.5, None]
    """
    if isinstance(x, (tuple, list)):
        return type(x)(spec_of(item) for item in x)
    if isinstance(x, (Spec, type, float)) or not hasattr(x, "dtype"):
        return x
    return Spec(x.shape, x.dtype, None if dtypes.is_floating(x.dtype) else x)


def say(word: Word, *args: Any, **kwargs: Any) -> Any:
    """What `word` would give: a Spec, or a tuple of them."""
    shape, dtype = word.result(*args, **kwargs)
    if isinstance(shape, list):
        return tuple(Spec(each, dtype) for each in shape)
    return Spec(shape, dtype)


class SpecSpeaker:
    """The speaker of Specs: ``xp.matmul(x, y)`` is a Spec of the product's shape and dtype.

    >>> xp = SpecSpeaker()
    >>> xp.sum(Spec((2, 3), "bool"), axis=1)
    Spec((2,), int64)
    """

    def __init__(self) -> None:
        for word in VOCABULARY.values():
            setattr(self, word.name, partial(say, word))

    def __getattr__(self, name: str) -> Any:
        hint = did_you_mean(name, VOCABULARY)
        raise AttributeError(f"no word {name!r} in the vocabulary" + (f": {hint}" if hint else ""))


speaker = SpecSpeaker()


def explain(
    run: Callable[..., object], args: Sequence[Any], error: BaseException, name: str
) -> DeepDiveError | None:
    """The words for an `error` a speaker raised: what the rules say to the same call.

    Args:
        run: an operator's forward, called as ``run(xp, *specs)``.
        args: the arrays (and numbers, and None) the real speaker refused.
        error: what it raised.
        name: the operator's name, put in front unless it is the word's.

    Returns:
        The rule's error; None if no rule objects, or `error` is one of our own already.

    >>> x, y = Spec((256, 784), "float32"), Spec((512, 784), "float32")
    >>> print(explain(lambda xp, x, y: xp.matmul(x, y), [x, y], ValueError(), "linear"))
    linear: matmul: x is (256, 784) and y is (512, 784): 784 != 512
      expected: x (…, 512), as y has 512 rows
      fix: transpose one operand, e.g. x @ y.T
    """
    if isinstance(error, DeepDiveError):
        return None
    try:
        run(speaker, *spec_of(list(args)))
    except GraphError:
        return None  # the rules would have to know values
    except DeepDiveError as found:
        if not found.what.startswith(f"{name}:"):
            found.what = f"{name}: {found.what}"
            found.args = (found.what,)
        return found.with_traceback(None)
    except Exception:
        return None  # an error of the operator's own, not of the words it says
    return None

"""bfloat16: operators compute with it in float32, and round once at their end.

Eight bits are too few to compute with: a sum of ones in bfloat16 stays at 256.  So an operator
that meets such numbers is given them as float32, whatever it does with them, and what it gives
back is rounded – PyTorch's rule on the CPU.  The same holds for its gradient, which is rounded to
the dtype of its input by the engine.  What is saved for the backward pass stays bfloat16.

This is the one place where that is done: no word of the vocabulary, no operator and no rule knows
of it, and where nobody uses such numbers nothing is done at all.  An operator is widened by a
subclass of its class, so that it is still what it was to all who look at it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from deepdive.dtypes import NARROW, float32, is_floating

# What only moves numbers, and may give a view of them, and what refuses floats: these go forward
# as they are.
MOVES = frozenset(
    """
    BitwiseAnd BitwiseInvert BitwiseOr BitwiseXor
    AsType BroadcastTo Cat Clone Contiguous Embedding Flip Gather GetItem Move Permute Reshape
    SetItem Squeeze Stack TakeAlongDim Unsqueeze
    """.split()
)

PRODUCTS = frozenset(("Matmul", "Linear"))  # left as they are where the device is made for them


def widened(operator: Any, arrays: list[Any]) -> Any:
    """The operator to apply to `arrays` instead of `operator`: itself, unless there is bfloat16.

    >>> widened("any operator", [1.0])
    'any operator'
    """
    if not NARROW:
        return operator
    kinds = {array.dtype for array in arrays if hasattr(array, "dtype")}
    if NARROW.isdisjoint(kinds):
        return operator
    target = None
    if all(kind in NARROW or not is_floating(kind) for kind in kinds):
        target = NARROW.intersection(kinds).pop()
    cls: Any = getattr(operator, "plain", type(operator))
    wide: Any = object.__new__(_wide_class(cls, target))
    wide.__dict__ = operator.__dict__  # what forward leaves there is looked for there
    return wide


@cache
def _wide_class(cls: Any, target: Any) -> Any:
    """The class of `cls`'s widened operators, under its name."""
    ours = cls.__module__.startswith("deepdive.")  # others may have taken the name
    words = {
        "__module__": cls.__module__,
        "__doc__": cls.__doc__,
        "plain": cls,
        "target": target,
        "moves": ours and cls.__name__ in MOVES,
        "multiplies": ours and cls.__name__ in PRODUCTS,
    }
    return type(cls.__name__, (Widened, cls), words)


class Widened:
    """What an operator does differently with bfloat16; put in front of its class.

    Attributes:
        plain: that class.
        target: the dtype its result is rounded to; None where wider numbers are among the inputs.
        moves, multiplies: whether it only moves numbers, and whether it is a product.
    """

    plain: type
    target: Any
    moves: bool
    multiplies: bool

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """All that an operator says about itself stays as it is: nothing is read anew."""

    def forward(self, xp: Any, *arrays: Any) -> Any:
        forward = super().forward  # type: ignore[misc]
        if self.moves:
            return forward(xp, *arrays)
        if self.multiplies and hasattr(type(xp), "multiplies_narrow"):
            out = forward(xp.products, *arrays)
        else:
            out = forward(xp, *[widen(xp, array) for array in arrays])
        rounds = self.target is not None and out.dtype == float32
        return xp.astype(out, self.target) if rounds else out

    def backward(self, xp: Any, grad: Any, *saved: Any) -> Any:
        backward = super().backward  # type: ignore[misc]
        if self.multiplies and hasattr(type(xp), "multiplies_narrow"):
            return backward(xp.products, grad, *saved)
        return backward(xp, widen(xp, grad), *[widen(xp, value) for value in saved])


def widen(xp: Any, value: Any) -> Any:
    """`value` in float32 if it is bfloat16; in lists of arrays too."""
    if isinstance(value, list):
        return [widen(xp, each) for each in value]
    narrow = hasattr(value, "ndim") and value.dtype in NARROW  # nodes have a dtype, too
    return xp.astype(value, float32) if narrow else value

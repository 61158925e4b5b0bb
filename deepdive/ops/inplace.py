"""Changing tensors in place: ``+=`` and PyTorch's methods with a trailing underscore.

On tensors that are being tracked ``+=`` rebinds the name to a new value, with right gradients, and
the underscore methods raise: a changed array would falsify gradients without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.operator import NUMBERS, add_method
from deepdive.core.tensor import Tensor, array_of, changing
from deepdive.errors import DTypeError, GraphError, ShapeError


def writable(tensor: Tensor, name: str) -> Any:
    """The array of `tensor`, about to be written into.

    Raises:
        GraphError: if the tensor is being tracked.
    """
    if tensor._node is not None and config.grad_mode.get():
        raise GraphError(
            f"{name}: this tensor is tracked, and an in-place change would falsify its gradient",
            got=repr(tensor._node),
            fix=f"{_instead(name)}do it inside `with deepdive.no_grad():`",
        )
    array = changing(tensor)
    mutation.stamp(array, mutation.caller())
    return array


def _instead(name: str) -> str:
    """The line to write where the method has a twin that computes a new tensor."""
    plain = name.rstrip("_")
    return f"write x = x.{plain}(…), or " if hasattr(Tensor, plain) else ""


def _operand(tensor: Tensor, value: Any) -> Any:
    changing(tensor)  # while we record, a recorded array from here on
    return value if type(value) in NUMBERS else array_of(value, _speaker(tensor))


def _speaker(tensor: Tensor) -> Any:
    return speakers.BY_TYPE[type(tensor._data)]


def _write(tensor: Tensor, name: str, values: Any) -> Tensor:
    target = writable(tensor, name)
    if type(values) in speakers.BY_TYPE and type(values) is not type(target):
        values = _speaker(tensor).asarray(values)
    try:
        _speaker(tensor).write(target, values)
    except ValueError:
        raise _misfit(name, values, target) from None
    return tensor


def check_kind(tensor: Tensor, values: Any, name: str) -> None:
    """A result is written into a tensor of its kind, or of a higher one.

    Raises:
        DTypeError: for floats into integers, numbers into booleans.
    """
    ranks = dtypes.KIND_RANK
    if ranks[values.dtype.kind] > ranks[tensor.dtype.kind]:
        raise DTypeError(
            f"{name}: the result does not fit into the tensor",
            got=str(values.dtype),
            expected=str(tensor.dtype),
            fix="convert the tensor first, e.g. x = x.float()",
        )


def _misfit(name: str, values: Any, target: Any) -> ShapeError:
    return ShapeError(
        f"{name}: the values do not fit into the tensor",
        got=f"shape {tuple(values.shape)}",
        expected=f"shape {tuple(target.shape)}, or one that broadcasts to it",
    )


def _binary(word: str, name: str) -> Callable[[Tensor, Any], Tensor]:
    def method(self: Tensor, other: Any) -> Tensor:
        operand = _operand(self, other)
        try:
            values = getattr(_speaker(self), word)(self._data, operand)
        except ValueError:
            raise _misfit(name, operand, self._data) from None
        check_kind(self, values, name)
        return _write(self, name, values)

    return _titled(method, name, f"``x = {word}(x, other)``, in place.")


def _augmented(word: str, dunder: str, plain: str) -> Callable[[Tensor, Any], Tensor]:
    in_place = _binary(word, dunder)

    def method(self: Tensor, other: Any) -> Tensor:
        tracked = self._node is not None or (isinstance(other, Tensor) and other.requires_grad)
        if tracked and config.grad_mode.get():
            return getattr(self, plain)(other)  # type: ignore[no-any-return]
        if isinstance(other, Tensor):
            array_of(other, _speaker(self))
        return in_place(self, other)

    return _titled(method, dunder, f"``x {word}= other``: in place only where nothing is tracked.")


def _titled(method: Any, name: str, doc: str) -> Any:
    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    return method


for _word, _plain in (
    ("add", "add"),
    ("subtract", "sub"),
    ("multiply", "mul"),
    ("divide", "div"),
    ("pow", "pow"),
):
    add_method(f"{_plain}_", _binary(_word, f"{_plain}_"))

for _word, _stem in (
    ("add", "add"),
    ("subtract", "sub"),
    ("multiply", "mul"),
    ("divide", "truediv"),
    ("pow", "pow"),
):
    add_method(f"__i{_stem}__", _augmented(_word, f"__i{_stem}__", f"__{_stem}__"))


def copy_(self: Tensor, source: Any) -> Tensor:
    """Overwrite the values with those of `source`, broadcast and cast."""
    return _write(self, "copy_", _operand(self, source))


def fill_(self: Tensor, value: float) -> Tensor:
    """Set every element to `value`."""
    return _write(self, "fill_", _operand(self, value))


def zero_(self: Tensor) -> Tensor:
    """Set every element to 0."""
    return _write(self, "zero_", 0)


for _method in (copy_, fill_, zero_):
    add_method(_method.__name__, _method)

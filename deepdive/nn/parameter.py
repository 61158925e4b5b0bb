"""Parameter: a Tensor that a module counts among its own."""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, GraphError
from deepdive.utils.budget import spend


class Parameter(Tensor):
    """A tensor that is learned: assigned to a module, it belongs to ``module.parameters()``.

    Args:
        data: numbers, lists or an array, which are copied; a Tensor, whose memory is shared.
        requires_grad: False freezes it.

    Raises:
        DTypeError: for integers, unless ``requires_grad=False``.

    >>> Parameter([1.0, 2.0])
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        if isinstance(data, Tensor):
            self._data = data._data
            self._node = self._grad = self._seed = self._skeleton = None
        else:
            super().__init__(data, requires_grad=False)
        if requires_grad:
            self.requires_grad_()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_place("p[…] = value", "p.data[…] = value")
        super().__setitem__(index, value)  # type: ignore[misc]

    def _check_place(self, change: str, line: str) -> None:
        """Refuse what would make this a result of itself, or change a name and not the weights.

        Raises:
            GraphError: if the parameter is tracked and recording is on.
        """
        if self._node is not None and config.grad_mode.get():
            raise GraphError(
                f"{change}: this parameter is tracked, and a change would be recorded, not learned",
                got=repr(self._node),
                fix=f"write {line}, or do it inside `with deepdive.no_grad():`",
            )

    def __deepcopy__(self, memo: Any) -> Any:
        spend(self._data.size)
        return super().__deepcopy__(memo)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def _augmented(name: str, sign: str) -> Any:
    inner = getattr(Tensor, name)

    def method(self: Parameter, other: Any) -> Any:
        self._check_place(f"p {sign} value", f"p.data {sign} value")
        return inner(self, other)

    return method


for _name, _sign in (
    ("add", "+="),
    ("sub", "-="),
    ("mul", "*="),
    ("truediv", "/="),
    ("pow", "**="),
):
    setattr(Parameter, f"__i{_name}__", _augmented(f"__i{_name}__", _sign))


def as_parameter(name: str, value: Any) -> Parameter:
    """`value` as a Parameter; a plain Tensor becomes one itself, so whoever holds it holds it on.

    Raises:
        ArgumentError: for a tensor computed from others.
    """
    if isinstance(value, Parameter):
        return value
    if not isinstance(value, Tensor):
        return Parameter(value)
    if not value.is_leaf:
        raise ArgumentError(
            f"a parameter is no result of a computation, {name!r} is",
            got=f"grad_fn={value.grad_fn!r}",
            fix="register its .detach(), or compute it in forward",
        )
    value.__class__ = Parameter
    return value  # type: ignore[return-value]

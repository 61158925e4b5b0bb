"""Parameters in a list, and by name; both are modules, so that their parameters are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter


class _Parameters(Module):
    """What the two share: entries are attributes, named by position or key."""

    def _put(self, name: str, value: Any) -> None:
        if not isinstance(value, Parameter):
            if not isinstance(value, Tensor):
                raise ArgumentError(
                    f"{type(self).__name__}: only parameters and tensors can be put in",
                    got=repr(value)[:80],
                )
            value = Parameter(value)
        self._check_name(name)
        object.__setattr__(self, name, None)
        setattr(self, name, value)

    def _entries(self) -> list[tuple[str, Any]]:
        return self._own(Parameter)

    def __len__(self) -> int:
        return len(self._entries())

    def __repr__(self) -> str:
        lines = []
        for name, value in self._entries():
            size = "x".join(map(str, value.shape)) or "1"
            lines.append(f"  ({name}): Parameter containing: [{value.dtype} of size {size}]")
        body = "\n".join(["", *lines, ""]) if lines else ""
        return f"{type(self).__name__}({body})"


class ParameterList(_Parameters):
    """A list of parameters; plain tensors become some.

    >>> import deepdive as dd
    >>> weights = ParameterList([dd.zeros(2), dd.zeros(3, 1)])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self.extend(values or ())

    def append(self, value: Any) -> ParameterList:
        """Put one at the end."""
        self._put(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Put all at the end."""
        for value in values:
            self.append(value)
        return self

    def _position(self, index: int) -> int:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ParameterList has {n} parameters, there is no [{index}]")
        return index % n

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ParameterList([value for _, value in self._entries()[index]])
        return self._entries()[self._position(index.__index__())][1]

    def __setitem__(self, index: int, value: Any) -> None:
        self._put(str(self._position(index)), value)

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in self._entries())

    def __contains__(self, value: object) -> bool:
        return any(value is own for own in self)


class ParameterDict(_Parameters):
    """Parameters by name; plain tensors become some."""

    def __init__(self, parameters: Any = None) -> None:
        self.update(parameters or {})

    def update(self, parameters: Any) -> None:
        """Take over a mapping, or pairs of a name and a tensor."""
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        if isinstance(parameters, ParameterDict):
            pairs = parameters.items()
        for name, value in pairs:
            self._put(name, value)

    def __getitem__(self, name: str) -> Any:
        found = vars(self).get(name)
        if not isinstance(found, Parameter):
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, value: Any) -> None:
        self._put(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]
        delattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def keys(self) -> list[str]:
        """The names."""
        return [name for name, _ in self._entries()]

    def values(self) -> list[Any]:  # type: ignore[override]
        """The parameters."""
        return [value for _, value in self._entries()]

    def items(self) -> list[tuple[str, Any]]:
        """Names and parameters."""
        return self._entries()

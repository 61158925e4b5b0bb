"""``scatter_``, ``index_add_``, ``masked_fill_`` and their like: the operators, in place.

Where what is written is tracked, the name is bound to the new value with its history, as
``x[i] = values`` does; a tensor that is itself tracked refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive.core.operator import REGISTRY, add_method
from deepdive.core.tensor import Tensor
from deepdive.ops import inplace, scattering, selecting  # noqa: F401 – the operators named below
from deepdive.ops.indexing import rebind

NAMES = """
    scatter scatter_add scatter_reduce index_add index_copy index_fill index_put index_reduce
    masked_fill masked_scatter put tril triu
"""
RESHAPING = "squeeze unsqueeze transpose swapaxes swapdims t"


def _tracks(values: Any) -> bool:
    return any(isinstance(value, Tensor) and value.requires_grad for value in values)


def in_place(name: str) -> Callable[..., Tensor]:
    """The method `name_` that writes what the operator `name` gives into its first tensor."""
    plain: Any = REGISTRY[name]

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        inplace.writable(self, f"{name}_")
        result = plain(self, *args, **kwargs)
        if result.requires_grad and _tracks((*args, *kwargs.values())):
            rebind(self, result)
            return self
        inplace.check_kind(self, result, f"{name}_")
        return inplace.copy_(self, result)

    return inplace._titled(method, f"{name}_", f"``x = x.{name}(…)``, in place.")  # type: ignore


def reshaping(name: str) -> Callable[..., Tensor]:
    """The method `name_` that gives the tensor itself another shape; the elements stay."""
    plain: Any = REGISTRY[name]

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        inplace.writable(self, f"{name}_")
        rebind(self, plain(self.detach(), *args, **kwargs))
        return self

    return inplace._titled(method, f"{name}_", f"``x = x.{name}(…)``, in place.")  # type: ignore


def fill_diagonal_(self: Any, fill_value: float, wrap: bool = False) -> Tensor:
    """Set the main diagonal to `fill_value`; `wrap` goes on below in tall matrices."""
    array = inplace.writable(self, "fill_diagonal_")
    step = sum(array.shape[1:]) + 1 if self.ndim == 2 else 0
    if self.ndim != 2:
        index: Any = tuple([*range(min(self.shape))] for _ in self.shape)
    else:
        rows, columns = self.shape
        last = self.numel() if wrap else min(rows, columns) * columns
        places = range(0, last, step)
        index = [p // columns for p in places], [p % columns for p in places]
    self[index] = fill_value
    return self  # type: ignore[no-any-return]


for _name in NAMES.split():
    add_method(f"{_name}_", in_place(_name))
for _name in RESHAPING.split():
    add_method(f"{_name}_", reshaping(_name))
add_method("fill_diagonal_", fill_diagonal_)

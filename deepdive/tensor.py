"""Façade: ``deepdive.tensor([1., 2.])`` makes a tensor, and system A imports its names from here.

``from deepdive.tensor import Tensor, Operator, register, Add, Mul`` – every operator class is here
under its own name.  The module is callable so that both spellings of ``deepdive.tensor`` hold.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from deepdive.core.function import Function as Function
from deepdive.core.operator import REGISTRY
from deepdive.core.operator import Operator as Operator
from deepdive.core.operator import register as register
from deepdive.core.tensor import Tensor as Tensor
from deepdive.errors import did_you_mean
from deepdive.ops import creation


class _CallableModule(ModuleType):
    """A module that is also the function :func:`deepdive.ops.creation.tensor`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return creation.tensor(*args, **kwargs)


def _classes() -> dict[str, Any]:
    found = {f.operator.__name__: f.operator for f in REGISTRY.values() if hasattr(f, "operator")}
    return {**found, **{cls.name: cls for cls in found.values() if hasattr(cls, "name")}}


def __getattr__(name: str) -> Any:
    classes = _classes()
    if name in classes:
        return classes[name]
    near = did_you_mean(name, classes)
    raise AttributeError(
        f"module 'deepdive.tensor' has no {name!r}" + (f"; {near}" if near else "")
    )


sys.modules[__name__].__class__ = _CallableModule

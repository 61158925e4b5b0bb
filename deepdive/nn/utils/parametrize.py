"""Parameters that are functions of others, as in PyTorch's ``nn.utils.parametrize``.

The layer gets a class of its own, in which the parameter is a property: reading it computes
``parametrization(original)``, so the layer's ``forward`` stays as it is and gradients flow into the
original.  The original is saved as ``parametrizations.weight.original``, as in PyTorch.

>>> import deepdive as dd
>>> from deepdive import nn
>>> class Symmetric(nn.Module):
...     def forward(self, x):
...         return x.triu() + x.triu(1).T
>>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
>>> bool((layer.weight == layer.weight.T).all())
True
>>> [name for name, _ in layer.named_parameters()]
['bias', 'parametrizations.weight.original']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn.containers import ModuleDict, ModuleList
from deepdive.nn.parameter import Parameter

Cache = dict[tuple[int, str], Any]
_cache: ContextVar[Cache | None] = ContextVar("parametrizations", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """Within, each parametrised tensor is computed once, however often it is read."""
    token = _cache.set({} if _cache.get() is None else _cache.get())
    try:
        yield
    finally:
        _cache.reset(token)


class ParametrizationList(ModuleList):
    """The parametrisations of one tensor, and the original, or ``original0``, ``original1`` …"""

    def __init__(self, modules: Any, value: Tensor, learned: bool) -> None:
        super().__init__(modules)
        with config.no_grad():
            inner = _undone([*self], value)
        parts = inner if isinstance(inner, (tuple, list)) else (inner,)
        names = ["original"]
        if parts is inner:
            names = [f"original{i}" for i in range(len(parts))]
        self.count = len(parts)
        for name, part in zip(names, parts, strict=True):
            if not learned:
                self.register_buffer(name, part.detach())
            elif len(parts) == 1 and isinstance(value, Parameter):
                value.data = part.detach().clone().data  # the object stays: optimizers know it
                setattr(self, name, value)
            else:
                own = part.detach().clone()
                setattr(self, name, Parameter(own, value.requires_grad))

    def originals(self) -> list[Any]:
        """What is learned or saved."""
        names = ["original"]
        if "original" not in vars(self):
            names = [f"original{i}" for i in range(self.count)]
        return [getattr(self, name) for name in names]

    def forward(self, *inputs: Any) -> Any:
        """The tensor that the layer sees."""
        first, *others = self
        out = first(*self.originals())
        for module in others:
            out = module(out)
        return out

    def right_inverse(self, value: Any) -> None:
        """Make `value` the tensor that the layer sees, by changing the original."""
        with config.no_grad():
            inner = _undone([*self], value)
            parts = inner if isinstance(inner, (tuple, list)) else (inner,)
            for original, part in zip(self.originals(), parts, strict=True):
                original.copy_(part)


def _undone(modules: list[Any], value: Any) -> Any:
    for module in reversed(modules):
        if not hasattr(type(module), "right_inverse"):
            continue  # the original starts as the tensor itself
        value = module.right_inverse(value)
    return value


def with_properties(
    module: Any, title: str, getters: dict[str, Callable[[Any], Any]], setter: Any = None
) -> None:
    """Give `module` a class of its own, called `title`, in which these attributes are computed."""
    cls = type(module)
    original = vars(cls).get("original_class", cls)
    kept = {name: x for name, x in vars(cls).items() if name in vars(cls).get("computed", ())}
    made: dict[str, Any] = {"original_class": original, "computed": (*kept, *getters)}
    for name, getter in getters.items():
        kept[name] = property(getter, None if setter is None else setter(name))
    made |= {"__module__": original.__module__, "__doc__": original.__doc__}
    module.__class__ = type(title, (original,), {**made, **kept})


def without_property(module: Any, name: str) -> None:
    """The attribute is a plain one again; after the last the class is the first one."""
    cls = type(module)
    original, computed = cls.original_class, [x for x in cls.computed if x != name]
    kept = {x: vars(cls)[x] for x in computed}
    module.__class__ = original
    if kept:
        title = cls.__name__
        namespace = {"original_class": original, "computed": tuple(computed), **kept}
        module.__class__ = type(title, (original,), namespace)


def register_parametrization(
    module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False
) -> Any:
    """From now on ``module.<tensor_name>`` is ``parametrization(original)``; gives `module`.

    Args:
        parametrization: a module; with a method ``right_inverse`` it also says what the original
            is for a given value, perhaps a tuple of several.
        unsafe: allow another shape or dtype than the tensor has.

    Raises:
        ArgumentError: if there is no such parameter or buffer, or its shape would change.
    """
    if is_parametrized(module, tensor_name):
        module.parametrizations[tensor_name].append(parametrization)
        return module
    value = vars(module).get(tensor_name)
    if not isinstance(value, Tensor):
        raise ArgumentError(
            f"register_parametrization: {type(module).__name__} has no parameter {tensor_name!r}",
            expected=" or ".join(name for name, _ in module.named_parameters(recurse=False)),
        )
    learned = isinstance(value, Parameter)
    shape, dtype = tuple(value.shape), value.dtype
    parts = ParametrizationList([parametrization], value, learned)
    with config.no_grad():
        now = parts()
    if not unsafe and (tuple(now.shape), now.dtype) != (shape, dtype):
        raise ArgumentError(
            f"register_parametrization: {tensor_name} would change its shape or dtype",
            got=f"{now.dtype} {tuple(now.shape)}",
            expected=f"{dtype} {shape}",
            fix="unsafe=True, if that is meant",
        )
    if not isinstance(vars(module).get("parametrizations"), ModuleDict):
        module.parametrizations = ModuleDict()
    delattr(module, tensor_name)
    buffers = {name: kept for name, kept in module._buffers.items() if name != tensor_name}
    module._buffers = buffers
    module.parametrizations[tensor_name] = parts
    title = type(module).__name__
    title = title if title.startswith("Parametrized") else f"Parametrized{title}"
    with_properties(module, title, {tensor_name: _getter(tensor_name)}, _setter)
    return module


def _getter(name: str) -> Callable[[Any], Any]:
    def read(module: Any) -> Any:
        cache = _cache.get()
        if cache is None:
            return module.parametrizations[name]()
        key = (id(module), name)
        if key not in cache:
            cache[key] = module.parametrizations[name]()
        return cache[key]

    return read


def _setter(name: str) -> Callable[[Any, Any], None]:
    def write(module: Any, value: Any) -> None:
        module.parametrizations[name].right_inverse(value)

    return write


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether `module` has a parametrised tensor, or the one of this name."""
    found = vars(module).get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return bool(len(found)) if tensor_name is None else tensor_name in found


def type_before_parametrizations(module: Any) -> type:
    """The class a parametrised module had."""
    return getattr(type(module), "original_class", type(module))  # type: ignore[no-any-return]


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """The tensor is an ordinary one again: as it was seen, or the original; gives `module`.

    Raises:
        ArgumentError: if it is not parametrised, or has several originals and one shall stay.
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(f"remove_parametrizations: {tensor_name!r} is not parametrised")
    parts = module.parametrizations[tensor_name]
    originals = parts.originals()
    if len(originals) > 1 and not leave_parametrized:
        raise ArgumentError(
            f"remove_parametrizations: {tensor_name!r} has {len(originals)} originals",
            fix="leave_parametrized=True",
        )
    with config.no_grad():
        seen = getattr(module, tensor_name).detach().clone()
    without_property(module, tensor_name)
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        del module.parametrizations
    value = originals[0]
    if not isinstance(value, Parameter):
        module.register_buffer(tensor_name, seen if leave_parametrized else value)
        return module
    if len(originals) > 1:
        value = Parameter(seen, any(part.requires_grad for part in originals))
    elif leave_parametrized:
        value.data = seen.data
    setattr(module, tensor_name, value)
    return module

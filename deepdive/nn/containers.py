"""Modules that hold other modules: one after another, in a list, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deepdive.errors import ArgumentError
from deepdive.nn.module import Module


class Container(Module):
    """Base of the containers: children by name, which are also what it is made of in text."""

    children_are_arguments = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__ and "children_are_arguments" not in cls.__dict__:
            cls.children_are_arguments = False  # a subclass that makes its children itself

    @classmethod
    def from_children(cls, children: list[tuple[str | None, Module]]) -> Any:
        """The container of these children; one without a name is called by its position."""
        made = cls()
        for i, (name, child) in enumerate(children):
            made.add_module(str(i) if name is None else name, child)
        return made

    def add_module(self, name: str, module: Module) -> None:
        """Put `module` at the end, under `name`.

        Raises:
            ArgumentError: if it is no module, or the name is not free or has a dot.
        """
        if not isinstance(module, Module):
            kind = isinstance(module, type) and issubclass(module, Module)
            fix = f"make it first: {module.__name__}()" if kind else None
            if isinstance(module, (list, tuple)):
                fix = f"unpack it: {type(self).__name__}(*layers)"
            raise ArgumentError(
                f"{type(self).__name__}: only modules can be put in",
                got=repr(module)[:80],
                fix=fix,
            )
        self._check_name(name)
        vars(self)[name] = module

    def __len__(self) -> int:
        return len(self.own_modules())

    def __contains__(self, module: object) -> bool:
        return any(module is child for _, child in self.own_modules())


class _Ordered(Container):
    """What Sequential and ModuleList share: children by position."""

    def __iter__(self) -> Iterator[Module]:
        return (child for _, child in self.own_modules())

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self.own_modules()[self._position(index)][1]
        part = self.own_modules()[index]
        return type(self).from_children([(None if key.isdigit() else key, m) for key, m in part])

    def __setitem__(self, index: int, module: Module) -> None:
        name = self.own_modules()[self._position(index)][0]
        self.add_module(name, module)

    def __delitem__(self, index: Any) -> None:
        kept = self.own_modules()
        del kept[index if isinstance(index, slice) else self._position(index)]
        self._refill(kept)

    def insert(self, index: int, module: Module) -> Any:
        """Put `module` before position `index`."""
        entries = self.own_modules()
        entries.insert(index, (str(len(entries)), module))
        return self._refill(entries)

    def append(self, module: Module) -> Any:
        """Put `module` at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Put all `modules` at the end."""
        for module in modules:
            self.append(module)
        return self

    def _position(self, index: Any) -> int:
        n = len(self)
        if not -n <= index.__index__() < n:
            raise IndexError(f"{type(self).__name__} has {n} modules, there is no [{index}]")
        return int(index) % n

    def _refill(self, entries: list[tuple[str, Module]]) -> Any:
        """Children in a new order; those called by position are numbered again."""
        for name, _ in self.own_modules():
            delattr(self, name)
        for i, (name, module) in enumerate(entries):
            self.add_module(str(i) if name.isdigit() else name, module)
        return self


class Sequential(_Ordered):
    """Layers one after another: ``Sequential(a, b)(x)`` is ``b(a(x))``.

    Args:
        layers: modules, or one mapping name → module.

    Raises:
        ArgumentError: for anything that is no module.

    >>> from deepdive import nn
    >>> nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    children_are_arguments = True

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            named: Any = layers[0].items()
        else:
            named = ((str(i), layer) for i, layer in enumerate(layers))
        for name, layer in named:
            self.add_module(name, layer)

    def forward(self, x: Any) -> Any:
        for _, layer in self.own_modules():
            x = layer(x)
        return x


class ModuleList(_Ordered):
    """A list of modules; iterating, indexing and slicing are a list's."""

    children_are_arguments = True

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def __repr__(self) -> str:
        """Equal neighbours are written once: ``(0-2): 3 x ReLU()``."""
        runs: list[list[Any]] = []
        for i, (_, child) in enumerate(self.own_modules()):
            text = repr(child)
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        lines = [
            f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}"
            for a, b, text in runs
        ]
        body = "\n  " + "\n".join(lines).replace("\n", "\n  ") + "\n" if lines else ""
        return f"{type(self).__name__}({body})"


class ModuleDict(Container):
    """Modules by name."""

    children_are_arguments = True

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Take over all of `modules`."""
        for name, module in modules.items():
            self.add_module(name, module)

    def __getitem__(self, name: str) -> Module:
        found = vars(self).get(name)
        if not isinstance(found, Module):
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        del vars(self)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def keys(self) -> list[str]:
        """The names."""
        return [name for name, _ in self.own_modules()]

    def values(self) -> list[Module]:
        """The modules."""
        return [module for _, module in self.own_modules()]

    def items(self) -> list[tuple[str, Module]]:
        """Names and modules."""
        return self.own_modules()

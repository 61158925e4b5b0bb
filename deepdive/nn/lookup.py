"""What every module can also do: find parts by their path, take parts by name."""

from __future__ import annotations

from typing import Any

from deepdive.errors import ArgumentError, did_you_mean
from deepdive.nn.hooks import Hooks


class Lookups(Hooks):
    """A base of :class:`Module`."""

    named_modules: Any
    named_parameters: Any
    named_buffers: Any

    # --- by path ---------------------------------------------------------------------------------
    def get_submodule(self, target: str) -> Any:
        """The module at a path such as ``"layers.0.norm"``; ``""`` is this one.

        Raises:
            AttributeError: if there is none, as in PyTorch.
        """
        return self._at("module", target, self.named_modules(remove_duplicate=False))

    def get_parameter(self, target: str) -> Any:
        """The parameter at a path such as ``"layers.0.weight"``."""
        return self._at("parameter", target, self.named_parameters())

    def get_buffer(self, target: str) -> Any:
        """The buffer at a path such as ``"norm.running_mean"``."""
        return self._at("buffer", target, self.named_buffers())

    def _at(self, kind: str, target: str, named: Any) -> Any:
        found = dict(named)
        if target not in found:
            hint = did_you_mean(target, found)
            text = f"{type(self).__name__} has no {kind} {target!r}"
            raise AttributeError(f"{text}; {hint}" if hint else text)
        return found[target]

    def add_module(self, name: str, module: Any) -> None:
        """Make `module` (or None) a part, under `name`.

        Raises:
            ArgumentError: if it is no module, or the name cannot be one.
        """
        if module is not None and not isinstance(module, Lookups):
            raise ArgumentError(
                f"{type(self).__name__}.add_module: {name!r} is no module", got=repr(module)[:80]
            )
        self._check_name(name)  # type: ignore[attr-defined]
        setattr(self, name, module)

    def register_module(self, name: str, module: Any) -> None:
        """:meth:`add_module`."""
        self.add_module(name, module)

"""What every module can also do: find parts by their path, take parts by name, hook gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive.core.node import Node
from deepdive.core.operator import Operator
from deepdive.core.tensor import HookHandle, Tensor
from deepdive.errors import ArgumentError, GraphError, did_you_mean


class Passed(Operator):
    """``x`` itself, as a tensor of its own, for a hook to sit on."""

    def forward(self, xp, x):
        return xp.copy(x)

    def backward(self, xp, grad):
        return grad


class Lookups:
    """A base of :class:`Module`."""

    named_modules: Any
    named_parameters: Any
    named_buffers: Any
    register_forward_hook: Any
    register_forward_pre_hook: Any
    _hooks: Any

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

    # --- gradients -------------------------------------------------------------------------------
    def register_full_backward_pre_hook(self, hook: Callable[[Any, Any], Any]) -> HookHandle:
        """Call ``hook(module, grad_output)`` before the gradients go through the module.

        `grad_output` is a tuple, one entry per output; what the hook returns replaces it.
        """

        def watch(module: Any, inputs: Any, output: Any) -> Any:
            parts = output if isinstance(output, tuple) else (output,)
            if any(_tracked(x) for x in parts):
                parts = _watched(parts, lambda grads: hook(module, grads), "grad_output")
            return parts if isinstance(output, tuple) else parts[0]

        handle: HookHandle = self.register_forward_hook(watch)
        # Gradients go backwards: what acts on them first is put on last, but the hooks that only
        # look at them look at what all of these have made of them.
        after = self._hooks[1]
        after.insert(sum(hasattr(h, "looks") for h in after), after.pop())
        return handle

    def register_full_backward_hook(self, hook: Callable[[Any, Any, Any], Any]) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the input's gradients are known.

        Both are tuples, one entry per positional input and per output, None where nothing flows.
        What the hook returns replaces `grad_input`.
        """
        outputs: list[Any] = []  # the gradients of the outputs, as they arrive

        def before(module: Any, inputs: Any) -> Any:
            if not any(_tracked(x) for x in inputs):
                return None
            return _watched(inputs, lambda grads: hook(module, grads, tuple(outputs)), "grad_input")

        def after(module: Any, inputs: Any, output: Any) -> Any:
            parts = output if isinstance(output, tuple) else (output,)
            if not any(_tracked(x) for x in parts):
                return output
            outputs[:] = [None] * len(parts)
            alone = not any(_tracked(x) for x in inputs)

            def arrived(place: int, grad: Any) -> None:
                outputs[place] = grad
                if alone and None not in outputs:
                    hook(module, (None,) * len(inputs), tuple(outputs))

            parts = _copies(parts, arrived)
            return parts if isinstance(output, tuple) else parts[0]

        after.looks = True  # type: ignore[attr-defined]
        both = _Both(self.register_forward_pre_hook(before), self.register_forward_hook(after))
        for hooks in self._hooks:
            hooks.insert(0, hooks.pop())
        return both


class _Both(HookHandle):
    """Removes two hooks at once."""

    def __init__(self, first: HookHandle, second: HookHandle) -> None:
        self._parts = first, second

    def remove(self) -> None:
        """Take both hooks away; a second call does nothing."""
        for part in self._parts:
            part.remove()


def _tracked(x: Any) -> bool:
    return isinstance(x, Tensor) and isinstance(x._node, Node)


def _copies(parts: Any, arrived: Callable[[int, Any], Any]) -> tuple[Any, ...]:
    """Copies of the tensors; ``arrived(place, grad)`` is called for each gradient."""

    def watched(place: int, x: Any) -> Any:
        if not _tracked(x):
            return x
        copy = Passed()(x)
        copy.register_hook(lambda grad: arrived(place, grad))
        return copy

    return tuple(watched(place, x) for place, x in enumerate(parts))


def _watched(parts: Any, hook: Callable[[Any], Any], what: str) -> tuple[Any, ...]:
    """Copies of the tensors; when the gradients of all are known, ``hook(grads)`` is called."""
    count = sum(_tracked(x) for x in parts)
    grads: dict[int, Any] = {}

    def arrived(place: int, grad: Any) -> Any:
        grads[place] = grad
        if len(grads) < count:
            return None
        row = tuple(grads.get(i) for i in range(len(parts)))
        grads.clear()
        changed = hook(row)
        if changed is None:
            return None
        if count > 1:
            raise GraphError(
                f"a module hook replaces {what}, of which there are {count}",
                fix="register hooks on the tensors themselves: x.register_hook(…)",
            )
        return changed[place] if isinstance(changed, tuple) else changed

    return _copies(parts, arrived)

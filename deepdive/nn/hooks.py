"""Hooks: functions called before and after a module's forward, and when its gradients are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive.core.node import Node
from deepdive.core.operator import Operator
from deepdive.core.tensor import HookHandle, Tensor
from deepdive.errors import GraphError


class WithOptions:
    """A hook that is also given the keyword arguments."""

    def __init__(self, hook: Any) -> None:
        self.hook = hook


class Passed(Operator):
    """``x`` itself, as a tensor of its own, for a hook to sit on."""

    def forward(self, xp, x):
        return xp.copy(x)

    def backward(self, xp, grad):
        return grad


class Hooks:
    """A base of :class:`Module`."""

    forward: Any
    _hooks: Any = None  # (before forward, after forward): two lists, once there is a hook

    # --- forward ---------------------------------------------------------------------------------
    def _forward_with_hooks(self, inputs: Any, options: Any) -> Any:
        before, after = self._hooks
        for hook in [*before]:
            if type(hook) is WithOptions:
                changed = hook.hook(self, inputs, options)
                inputs, options = (inputs, options) if changed is None else changed
                continue
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs, **options)
        for hook in [*after]:
            if type(hook) is WithOptions:
                changed = hook.hook(self, inputs, options, output)
            else:
                changed = hook(self, inputs, output)
            output = output if changed is None else changed
        return output

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, inputs)`` before forward; what it returns replaces the inputs.

        Args:
            prepend: before the hooks that are there already.
            with_kwargs: ``hook(module, inputs, options)`` is called, and returns both or None.
        """
        return self._hooked(0, WithOptions(hook) if with_kwargs else hook, prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, inputs, output)`` after forward; a result replaces the output.

        Args:
            prepend: before the hooks that are there already.
            with_kwargs: ``hook(module, inputs, options, output)`` is called.
        """
        return self._hooked(1, WithOptions(hook) if with_kwargs else hook, prepend)

    def _hooked(self, which: int, hook: Any, prepend: bool) -> HookHandle:
        if self._hooks is None:
            self._hooks = ([], [])
        hooks = self._hooks[which]
        handle = HookHandle(hooks, hook)
        if prepend:
            hooks.insert(0, hooks.pop())
        return handle

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

        handle = self.register_forward_hook(watch)
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
        first = self.register_forward_pre_hook(before, prepend=True)
        return _Both(first, self.register_forward_hook(after, prepend=True))


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

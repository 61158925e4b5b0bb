"""Hooks that run once a leaf's gradient has been added up."""

from __future__ import annotations

from collections.abc import Callable

from deepdive.core.autograd.engine import AfterHook
from deepdive.core.operator import add_method
from deepdive.core.tensor import HookHandle, Tensor
from deepdive.errors import GraphError


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> HookHandle:
    """Call ``hook(tensor)`` after a backward pass has added to this leaf's ``.grad``.

    The place to use a gradient up at once, so that all of them are never there together.

    Raises:
        GraphError: for a tensor that is no leaf or tracks no gradient.

    >>> import deepdive as dd
    >>> w = dd.tensor([1.0, 2.0], requires_grad=True)
    >>> handle = w.register_post_accumulate_grad_hook(lambda w: print(w.grad))
    >>> (w * w).sum().backward()
    tensor([2., 4.])
    """
    node = self._node
    if node is None or node.operator is not None:
        raise GraphError(
            "register_post_accumulate_grad_hook: only leaves gather a gradient",
            got=repr(self.grad_fn) if node is not None else "a tensor that tracks no gradient",
            fix="register_hook, which shows the gradient of any tensor",
        )
    if not callable(hook):
        raise GraphError("register_post_accumulate_grad_hook: no function", got=repr(hook))
    if node.hooks is None:
        node.hooks = []
    return HookHandle(node.hooks, AfterHook(hook))


add_method("register_post_accumulate_grad_hook", register_post_accumulate_grad_hook)

"""Function: operators in PyTorch's spelling, with a context, on raw arrays.

``forward(ctx, *args)`` gets the arrays of its tensor arguments, ``backward(ctx, grad_output)``
returns a gradient per tensor argument (or one per argument, None where there is none).  First
order only: for gradients of gradients write an :class:`~deepdive.core.operator.Operator`.
"""

from __future__ import annotations

import functools
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.backend.widening import widen
from deepdive.core import operator as door
from deepdive.core.node import Node
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import GraphError, OperatorError


class Context:
    """What ``forward`` leaves for ``backward``: saved arrays and any attribute.

    Attributes:
        saved_tensors: the arrays given to :meth:`save_for_backward`.
        needs_input_grad: a flag per argument.
    """

    saved_tensors: tuple[Any, ...] = ()
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *arrays: Any) -> None:
        """Keep `arrays` until the backward pass."""
        self.saved_tensors = arrays


class StaticCall:
    """One application of a static ``forward``/``backward`` pair, as the engine sees an operator."""

    contract = None

    def __init__(self, cls: Any, ctx: Context, positions: list[int], arity: int) -> None:
        self.cls, self.ctx, self.positions, self.arity = cls, ctx, positions, arity
        self.name = self.public_name = cls.__name__

    def backward(self, xp: Any, grad: Any) -> tuple[Any, ...]:
        """The gradients of the tensor arguments, in order."""
        if isinstance(grad, Tensor):
            raise GraphError(
                f"backward of {self.name}: a static backward has no second derivative",
                fix="write it as an Operator with forward(self, xp, …) and backward(self, xp, …)",
            )
        grads = self.cls.backward(self.ctx, grad)
        if not isinstance(grads, (tuple, list)):
            grads = (grads,)
        if len(grads) == self.arity:
            grads = [grads[i] for i in self.positions]
        if len(grads) != len(self.positions):
            raise OperatorError(
                f"backward of {self.name}: one gradient per tensor argument",
                got=f"{len(grads)} gradients",
                expected=f"{len(self.positions)} (or one per argument: {self.arity})",
            )
        return tuple(None if g is None else widen(xp, getattr(g, "_data", g)) for g in grads)


def apply_static(cls: Any, *args: Any, **kwargs: Any) -> Tensor:
    """Run a class with static ``forward(ctx, …)`` and ``backward(ctx, grad_output)``."""
    ctx = Context()
    positions = [i for i, arg in enumerate(args) if isinstance(arg, Tensor)]
    parents = [args[i]._node for i in positions]
    ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
    arrays = [arg._data if isinstance(arg, Tensor) else arg for arg in args]
    call = StaticCall(cls, ctx, positions, len(args))
    forward = functools.partial(cls.forward, **kwargs) if kwargs else cls.forward
    if config.watch is None:
        out = forward(ctx, *arrays)
    else:
        out = config.watch.forward(call, forward, (ctx, *arrays))
    if isinstance(out, Tensor):
        out = out._data
    if positions:
        speaker = speakers.BY_TYPE[type(arrays[positions[0]])]
    else:
        speaker = speakers.of_device(config.defaults.device)
    result = wrap(out if type(out) is speaker.ARRAY_TYPE else speaker.asarray(out))
    if config.grad_mode.get() and any(parent is not None for parent in parents):
        result._node = Node(call, parents, (), result.shape, result.dtype, result)
    return result


class Function:
    """Base for operators in PyTorch's spelling; apply them with ``Name.apply(…)``.

    >>> import deepdive as dd
    >>> class Double(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         return 2 * grad_output
    >>> x = dd.Tensor([1.0, 5.0])
    >>> Double.apply(x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    @staticmethod
    def forward(ctx: Context, *args: Any, **kwargs: Any) -> Any:
        """Compute the result's array from the arguments' arrays."""
        raise NotImplementedError("write forward(ctx, …) as a static method")

    @staticmethod
    def backward(ctx: Context, grad_output: Any) -> Any:
        """Return a gradient per tensor argument."""
        raise NotImplementedError("write backward(ctx, grad_output) as a static method")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Tensor:
        """Apply the operator to tensors and other values."""
        return apply_static(cls, *args, **kwargs)


def _static_function(cls: Any) -> Any:
    def function(*args: Any, **kwargs: Any) -> Tensor:
        return apply_static(cls, *args, **kwargs)

    return function


door.static_apply[0] = _static_function

"""Tensor: an array, its gradient, and the node that made it. No mathematics here.

Operators register themselves as methods (see :mod:`deepdive.core.operator`); the engine attaches
``backward`` in the same way.  So this file imports neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.node import Node
from deepdive.core.printing import format_tensor
from deepdive.errors import DeviceError, DTypeError, GraphError, ShapeError


class Tensor:
    """An n-dimensional array that can remember how it was computed.

    ``Tensor(data)`` tracks gradients unless ``requires_grad=False`` is given, also for integer
    data (its gradient is floating); :func:`deepdive.tensor` follows PyTorch and does not.

    Args:
        data: numbers, nested lists, an array or a Tensor; copied.  Python floats become the
            default dtype; arrays keep theirs.
        grad: a gradient to start from; on the root of a graph it seeds :meth:`backward`.
        device: ``"cpu"``.
        requires_grad: whether operations on this tensor are recorded.
        dtype: convert the data to this type.

    Raises:
        DTypeError: for data that are not numbers, and for an explicit ``requires_grad=True`` on
            integers.

    >>> a = Tensor([1.0, 2.0])
    >>> (a * a).sum().backward()
    >>> a.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_node", "_seed", "_skeleton")

    _data: Any
    _node: Node | None
    _grad: Any
    _seed: Any
    _skeleton: Node | None

    def __init__(
        self,
        data: Any,
        grad: Any = None,
        device: str | None = None,
        requires_grad: bool | None = None,
        dtype: Any = None,
    ) -> None:
        speaker = speakers.of_device(device or config.defaults.device)
        self._data = speaker.copy(array_of(data, speaker, dtype))
        self._node = self._grad = self._seed = self._skeleton = None
        if requires_grad:
            self.requires_grad_()
        elif requires_grad is None:
            self._become_leaf()
        if grad is not None:
            self.grad = grad

    def _become_leaf(self) -> None:
        data = self._data
        self._node = Node(None, (), (), data.shape, dtypes.gradient_dtype(data.dtype), self)

    # --- the array -----------------------------------------------------------------------------
    @property
    def data(self) -> Any:
        """The backend array itself: what is written into it changes the tensor."""
        return speakers.BY_TYPE[type(self._data)].expose(self._data)

    @data.setter
    def data(self, value: Any) -> None:
        speaker = speakers.BY_TYPE[type(self._data)]
        array = array_of(value, speaker)
        if speaker.owner(array) is speaker.owner(self._data) and array.shape == self._data.shape:
            mutation.stamp(self._data, mutation.caller())  # `t.data -= …` wrote into this memory
            return
        if self._node is not None and array.shape != self._data.shape:
            if self._node.operator is not None:
                raise ShapeError(
                    "data: a computed tensor keeps its shape",
                    got=tuple(array.shape),
                    expected=tuple(self._data.shape),
                    fix="assign to a leaf, or detach() first",
                )
            self._node.shape = array.shape
        self._data = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return len(self._data.shape)

    @property
    def device(self) -> str:
        """``"cpu"`` – the name of the device that holds the array."""
        return speakers.BY_TYPE[type(self._data)].DEVICE  # type: ignore[no-any-return]

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the extent of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    def element_size(self) -> int:
        """Bytes per element."""
        return int(self._data.dtype.itemsize)

    def is_floating_point(self) -> bool:
        """Whether the elements have a fractional part."""
        return dtypes.is_floating(self.dtype)

    def numpy(self) -> Any:
        """The values as a NumPy array that shares memory where it can; history is left behind."""
        return speakers.BY_TYPE[type(self._data)].to_numpy(self._data)

    def tolist(self) -> Any:
        """Nested Python lists, or a Python number for a 0-d tensor."""
        return self._data.tolist()

    def item(self) -> Any:
        """The one element as a Python number.

        Raises:
            ShapeError: if there is not exactly one element.
        """
        if self._data.size != 1:
            raise ShapeError(
                "item: only a tensor of one element is a number",
                got=f"shape {tuple(self.shape)}",
                fix="reduce it first, e.g. .mean(), or use .tolist()",
            )
        return self._data.item()

    def cpu(self) -> Tensor:
        """This tensor on the CPU."""
        return self.to("cpu")

    def cuda(self, index: int = 0) -> Tensor:
        """This tensor on a GPU."""
        return self.to(f"cuda:{index}")

    # --- gradients -----------------------------------------------------------------------------
    @property
    def grad(self) -> Tensor | None:
        """The gradient gathered by :meth:`backward`, a Tensor of the same shape, or None."""
        grad = self._grad
        if grad is not None and not isinstance(grad, Tensor):
            self._grad = grad = wrap(grad)
        return grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                value = wrap(array_of(value, speakers.BY_TYPE[type(self._data)]))
            if tuple(value.shape) != tuple(self.shape):
                raise ShapeError(
                    "grad: a gradient has the shape of its tensor",
                    got=tuple(value.shape),
                    expected=tuple(self.shape),
                )
        self._grad = value
        if self._node is not None and self._node.operator is not None:
            self._seed = value

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch recording on or off for a leaf, in place.

        Raises:
            DTypeError: for integer and boolean tensors, which have no gradient.
            GraphError: when switched off on a computed tensor; use :meth:`detach`.
        """
        if requires_grad and self._node is None:
            if not dtypes.is_floating(self.dtype):
                raise DTypeError(
                    "requires_grad: only floating tensors have gradients",
                    got=f"dtype {self.dtype}",
                    expected="float32, float64 or float16",
                    fix="convert first, e.g. tensor(..., dtype=deepdive.float32)",
                )
            self._become_leaf()
        elif not requires_grad and self._node is not None:
            if self._node.operator is not None:
                raise GraphError(
                    "requires_grad_(False): this tensor was computed from others",
                    got=f"grad_fn={self._node!r}",
                    fix="use .detach()",
                )
            self._node.disown()
            self._node = None
        return self

    @property
    def is_leaf(self) -> bool:
        """True unless the tensor was computed from tensors that require gradients."""
        return self._node is None or self._node.operator is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None for a leaf."""
        return None if self.is_leaf else self._node

    @property
    def op(self) -> Any:
        """The operator that made this tensor; None for a leaf."""
        return None if self._node is None else self._node.operator

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The tensors it was computed from, as far as they are still alive and tracked."""
        node = self._skeleton or self._node
        if node is None:
            return ()
        return tuple(None if parent is None else parent.output() for parent in node.parents)

    def detach(self) -> Tensor:
        """A tensor on the same memory that tracks nothing."""
        return wrap(self._data)

    def detach_(self) -> Tensor:
        """Cut this tensor's history, in place."""
        if self._node is not None:
            self._node.disown()
        self._node = self._skeleton = None
        return self

    def retain_grad(self) -> None:
        """Nothing to do: every tensor still held gets its ``.grad`` (PyTorch's habit accepted)."""

    def register_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call ``hook(grad)`` when this tensor's gradient is known; a returned Tensor replaces it.

        Raises:
            GraphError: if the tensor tracks no gradient.
        """
        if self._node is None:
            raise GraphError(
                "register_hook: this tensor tracks no gradient", fix="call requires_grad_() first"
            )
        if self._node.hooks is None:
            self._node.hooks = []
        return HookHandle(self._node.hooks, hook)

    # --- Python's protocols --------------------------------------------------------------------
    def __repr__(self) -> str:
        extras = []
        if self._node is not None:
            leaf = self._node.operator is None
            extras = ["requires_grad=True" if leaf else f"grad_fn={self._node!r}"]
        return format_tensor(self._data, extras=extras)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ShapeError(
                "bool: the truth of several elements is ambiguous",
                got=f"shape {tuple(self.shape)}",
                fix="use .any() or .all()",
            )
        return bool(self._data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iub":
            raise TypeError("only integer tensors of one element can be an index")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.shape else format(repr(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None and self._node.operator is not None:
            raise GraphError(
                "deepcopy: only leaves can be copied with their requires_grad",
                fix="use .detach() or .clone()",
            )
        twin = new_tensor(type(self))
        twin._data = speakers.BY_TYPE[type(self._data)].copy(self._data)
        twin._node = twin._grad = twin._seed = twin._skeleton = None
        if self._node is not None:
            twin._become_leaf()
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        return (_unpickled, (type(self), self.numpy(), self.requires_grad))

    # Comparison operators are elementwise, so identity is the hash, as in PyTorch.
    __hash__ = object.__hash__


class HookHandle:
    """Removes a hook again: ``handle.remove()``."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)


new_tensor = Tensor.__new__


def wrap(array: Any) -> Tensor:
    """A Tensor on `array` itself, tracking nothing."""
    tensor = new_tensor(Tensor)
    tensor._data = array
    tensor._node = tensor._grad = tensor._seed = tensor._skeleton = None
    return tensor


def _unpickled(cls: type[Tensor], array: Any, requires_grad: bool) -> Tensor:
    """Rebuild for the standard library's copying between processes; files never use pickle."""
    tensor = new_tensor(cls)
    tensor._data = array
    tensor._node = tensor._grad = tensor._seed = tensor._skeleton = None
    if requires_grad:
        tensor._become_leaf()
    return tensor


def array_of(data: Any, speaker: Any, dtype: Any = None) -> Any:
    """The `speaker`'s array for a Tensor, an array, numbers or nested lists of these.

    Raises:
        DeviceError: if a Tensor lives on another device.
    """
    if isinstance(data, Tensor):
        if type(data._data) is not speaker.ARRAY_TYPE:
            raise DeviceError(
                "one operation, two devices",
                got=data.device,
                expected=speaker.DEVICE,
                fix=f"move it first: x.to({speaker.DEVICE!r})",
            )
        data = data._data
    elif isinstance(data, (list, tuple)) and _holds_tensors(data):
        data = [array_of(item, speaker) for item in data]
        if dtype is None and data:
            dtype = dtypes.result_type(*[item.dtype for item in data])
    return speaker.asarray(data, dtype)


def _holds_tensors(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, Tensor)

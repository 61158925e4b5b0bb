"""Module: a part of a model that knows its parameters, its parts and its mode.

There is no registry to keep up to date: what belongs to a module is what its attributes hold.
So a subclass needs no ``super().__init__()``, and a parameter's path (``layers.0.weight``) is the
path one would write to reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, TypeVar

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, DeepDiveError, DTypeError, did_you_mean
from deepdive.nn import architecture, loading, stepping
from deepdive.nn.incoming import as_tensors
from deepdive.nn.lookup import Lookups
from deepdive.nn.parameter import Parameter, as_parameter

M = TypeVar("M", bound="Module")
Named = Iterator[tuple[str, Any]]


class Module(Lookups):
    """Base of all layers and models.

    A subclass assigns Parameters and Modules to attributes and defines ``forward`` (or
    ``__call__``).  ``model(x)`` takes arrays as well as Tensors.

    >>> from deepdive import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         self.hidden = nn.Linear(2, 3)
    ...         self.head = nn.Linear(3, 1)
    ...
    ...     def forward(self, x):
    ...         return self.head(self.hidden(x).relu())
    >>> [name for name, _ in Net().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'head.weight', 'head.bias']
    """

    training = True
    _recipe: architecture.Recipe  # the arguments it was made with, for model.arc
    children_are_arguments: ClassVar[bool] = False  # True for containers
    _buffers: Mapping[str, bool] = {}  # name → whether it is saved
    _stepper: Any = None  # the optimizer that step() keeps

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = object.__new__(cls)
        self.__dict__["_recipe"] = architecture.Recipe(args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        architecture.know(cls)
        if "__call__" in cls.__dict__ and cls.forward is Module.forward:
            cls.forward = cls.__dict__["__call__"]  # type: ignore[method-assign]
            del cls.__call__  # it may be defined in forward's place; the way in stays this one

    # --- calling -------------------------------------------------------------------------------
    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; a subclass says it."""
        raise NotImplementedError(f"{type(self).__name__} defines neither forward nor __call__")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        for x in inputs:
            if type(x) is not Tensor:
                inputs = as_tensors(inputs, self)
                break
        tracer = config.tracing.get()
        if tracer is not None:
            tracer.saw(self)
        try:
            if self._hooks is None:
                return self.forward(*inputs, **options)
            return self._forward_with_hooks(inputs, options)
        except DeepDiveError as error:
            self._locate(error)
            raise

    def _locate(self, error: Any) -> None:
        """Let the error say where it happened, as seen from this module."""
        innermost, line = getattr(error, "module", (self, None))
        paths = [path for path, module in self.named_modules() if module is innermost]
        if not paths:
            return
        if line in error.where:
            error.where.remove(line)
        extra = innermost.extra_repr().replace(", bias=True", "")  # what is as usual
        line = f"{type(innermost).__name__}({extra})"
        if paths[0]:
            line = f"{type(self).__name__}.{paths[0]}: {line}"
        error.where.append(line)
        error.module = (innermost, line)

    # --- what belongs to it --------------------------------------------------------------------
    def _own(self, kind: Any) -> list[tuple[str, Any]]:
        """Attributes of a kind, also those in lists, tuples and dicts, in the order they came."""
        found = []
        for name, value in vars(self).items():
            if isinstance(value, kind):
                found.append((name, value))
            elif type(value) in (list, tuple, dict) and value:
                items = value.items() if type(value) is dict else enumerate(value)
                if isinstance(next(iter(items))[1], (Module, Parameter)):
                    items = value.items() if type(value) is dict else enumerate(value)
                    found += [(f"{name}.{key}", x) for key, x in items if isinstance(x, kind)]
        return found

    def own_modules(self) -> list[tuple[str, Module]]:
        """The modules one level below; one that is there twice comes twice."""
        return self._own(Module)

    def named_modules(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This one (path ``""``) and all below it, parents first: each once, or at every path."""
        seen: set[int] = set()
        pending: list[Any] = [("", self, ())]
        while pending:
            path, module, above = pending.pop()
            if id(module) in (seen if remove_duplicate else above):
                continue
            seen.add(id(module))
            yield path, module
            prefix = f"{path}." if path else ""
            above = (*above, id(module))
            for name, child in reversed(module.own_modules()):
                pending.append((prefix + name, child, above))

    def named_parameters(self, recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths, a shared one once."""
        return _once(self._named(lambda module: module._own(Parameter), recurse))

    def named_buffers(self, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their paths, a shared one once."""
        return _once(self._named(lambda module: module._own_buffers(), recurse))

    def _named(self, own: Callable[[Module], Any], recurse: bool) -> Named:
        """What each module has of its own, at every path it can be reached by."""
        for path, module in self.named_modules(False) if recurse else [("", self)]:
            prefix = f"{path}." if path else ""
            for name, value in own(module):
                yield prefix + name, value

    def _own_buffers(self, saved: bool = False) -> list[tuple[str, Tensor]]:
        found = [(name, getattr(self, name), keep) for name, keep in self._buffers.items()]
        return [(name, x) for name, x, keep in found if x is not None and (keep or not saved)]

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules one level below, each once."""
        return _once(self.own_modules())

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def children(self) -> Iterator[Module]:
        """The modules one level below."""
        return (module for _, module in self.named_children())

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """What is learned."""
        return (parameter for _, parameter in self.named_parameters(recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """What is saved, but not learned."""
        return (buffer for _, buffer in self.named_buffers(recurse))

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Make `tensor` (or None) a part of the state that is not learned."""
        if tensor is not None and not isinstance(tensor, Tensor):
            tensor = Tensor(tensor, requires_grad=False)
        self._check_name(name)
        vars(self)[name] = tensor
        self._buffers = {**self._buffers, name: persistent}

    def register_parameter(self, name: str, value: Any) -> None:
        """Make `value` (or None) a parameter; a Tensor becomes one itself, an array is copied."""
        self._check_name(name)
        vars(self)[name] = None if value is None else as_parameter(name, value)

    def _check_name(self, name: str) -> None:
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            raise ArgumentError(
                f"{type(self).__name__}: not a name for a parameter or a buffer",
                got=repr(name),
                expected="a name without dots that the class does not use itself",
            )

    @property
    def params(self) -> Params:
        """The parameters as a mapping, path → Tensor; assigning one registers what it holds."""
        return Params(self)

    @params.setter
    def params(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.register_parameter(name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) is Tensor and isinstance(vars(self).get(name), Parameter):
            raise ArgumentError(
                f"{type(self).__name__}.{name} is a parameter, a plain Tensor would not be one",
                fix=f"write .{name} = nn.Parameter(…), or .{name}.data = … to keep it",
            )
        config.changes.number += 1  # compiled programs look again
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):  # a property whose own code lacked an attribute
            return object.__getattribute__(self, name)
        near = (
            None if name.startswith("__") else did_you_mean(name, [*vars(self), *dir(type(self))])
        )
        hint = f"; {near}" if near else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

    # --- mode, gradients, place ----------------------------------------------------------------
    def train(self: M, mode: bool = True) -> M:
        """Training mode, in which Dropout drops and BatchNorm counts."""
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze all parameters, or free them again."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients (or set them to 0)."""
        tracer = config.tracing.get()
        for parameter in self.parameters():
            if tracer is not None and set_to_none:
                tracer.cleared(parameter)
            grad = parameter.grad
            parameter.grad = None if set_to_none or grad is None else grad * 0

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call ``function(module)`` for every module, children first."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Move to a device, convert floating numbers to a dtype; parameters stay the same objects.

        Raises:
            DTypeError: for a dtype without fractions.
            DeviceError: for a device that is not there.
        """
        for _, tensor in [*self.named_parameters(), *self.named_buffers()]:
            moved: Any = tensor.detach().to(*args, **kwargs)  # type: ignore[attr-defined]
            if not tensor.is_floating_point():  # whole numbers keep their dtype
                moved = tensor.detach().to(moved.device)  # type: ignore[attr-defined]
            elif not dtypes.is_floating(moved.dtype):
                raise DTypeError("to: a model computes with fractions", got=moved.dtype)
            loading.replace(tensor, moved._data)
            if tensor._grad is not None:
                tensor.grad = tensor.grad.to(*args, **kwargs)  # type: ignore[union-attr]
        return self

    def cpu(self: M) -> M:
        """On the CPU."""
        return self.to("cpu")

    def cuda(self: M, index: int | None = None) -> M:
        """On a GPU."""
        return self.to("cuda" if index is None else f"cuda:{index}")

    def float(self: M) -> M:
        """In float32."""
        return self.to("float32")

    def double(self: M) -> M:
        """In float64."""
        return self.to("float64")

    def half(self: M) -> M:
        """In float16."""
        return self.to("float16")

    def bfloat16(self: M) -> M:
        """In bfloat16, which the extra ``[bf16]`` brings."""
        return self.to("bfloat16")

    # --- state ---------------------------------------------------------------------------------
    def _state(self) -> dict[str, Tensor]:
        return dict(self._named(lambda m: [*m._own(Parameter), *m._own_buffers(saved=True)], True))

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and saved buffers, path → Tensor on the same memory."""
        return {name: tensor.detach() for name, tensor in self._state().items()}

    def load_state_dict(
        self, state: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> loading.LoadReport:
        """Take over the values of `state` (Tensors or arrays), and report what fitted.

        Raises:
            CheckpointError: if strict and anything is missing, unexpected or of another shape;
                then the model is as it was.
        """
        return loading.load(self._state(), state, strict, assign)

    def save(self, folder: Any, save_arc: bool = True, extra: Any = None) -> None:
        """Write weights, and the architecture as text, into a folder: both or neither.

        Args:
            folder: made if need be; a save that is there already is replaced as a whole.
            save_arc: whether to write the architecture.
            extra: a dict of JSON values to keep beside them, such as the epoch.

        Raises:
            CheckpointError: if the architecture cannot be written, or the folder cannot.
        """
        from deepdive.io.checkpoint import save_folder

        arc = architecture.to_arc(self) if save_arc else None
        weights = {name: speakers.to_host(x._data) for name, x in self._state().items()}
        save_folder(folder, arc, weights, extra)

    def load(self: M, folder: Any) -> M:
        """Take over the weights saved in a folder.

        Raises:
            CheckpointError: if they do not fit this model; then it is as it was.
        """
        from deepdive.io.checkpoint import load_folder

        self.load_state_dict(load_folder(folder).weights)
        return self

    def step(
        self, optimizer: Any = None, lr: Any = None, weight_decay: Any = None, **options: Any
    ) -> None:
        """One optimizer step over all parameters, then the gradients are cleared.

        Args:
            optimizer: a class, of which one instance is kept from call to call; default SGD.
            lr, weight_decay, options: its hyper-parameters, where not its defaults are meant.
        """
        given = {"lr": lr, "weight_decay": weight_decay}
        options |= {name: value for name, value in given.items() if value is not None}
        stepping.step(self, optimizer, options)

    # --- text ----------------------------------------------------------------------------------
    def extra_repr(self) -> str:
        """What stands in the brackets of the layer's own line."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        parts = [f"({key}): {child!r}" for key, child in self.own_modules()]
        if not parts:
            return f"{name}({extra})"
        lines = [extra, *parts] if extra else parts
        return f"{name}(\n  " + "\n".join(lines).replace("\n", "\n  ") + "\n)"

    def _repr_html_(self) -> str | None:
        return config.notebook[0](self)


class Params(MutableMapping[str, Tensor]):
    """A live view of a module's parameters, path → Tensor."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def __getitem__(self, path: str) -> Tensor:
        found = vars(self._module).get(path)
        if not isinstance(found, Parameter):
            found = dict(self._module.named_parameters())[path]
        return found

    def __setitem__(self, name: str, value: Any) -> None:
        self._module.register_parameter(name, value)

    def __delitem__(self, name: str) -> None:
        delattr(self._module, name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._module.named_parameters())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


def _once(named: Any) -> Named:
    """Each value under its first name only."""
    seen: set[int] = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value

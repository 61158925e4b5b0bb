"""What an operator class says about itself, read once when the class is made.

``forward(self, xp, x, w, b=None)`` names the inputs, annotated class fields are the static
parameters, and the parameter names of ``backward`` say what has to be saved.
"""

from __future__ import annotations

from typing import Any

from deepdive.errors import OperatorError, did_you_mean

# NumPy's words for PyTorch's, and PyTorch's for ours, in one place
ALIASES = {"axis": "dim", "keepdims": "keepdim", "other": "y", "exponent": "y"}
ALIASES |= {"weight": "w", "bias": "b"}
VARIADIC = 0x04  # inspect.CO_VARARGS
REQUIRED = object()


class Contract:
    """The reading of one operator class.

    Attributes:
        inputs: names of the tensor inputs; with ``*xs`` only that one.
        required: how many of them have no default.
        variadic: whether the inputs are ``*xs``.
        fields: static parameters, name → default (REQUIRED where there is none).
        order: public argument names in order.
        plan: for each value ``backward`` asks for, its position in the row
            ``[*inputs, out, needs, *shapes, *kept]`` that the door lays out.
        asks: those names.
        special: whether the row needs more than inputs, out and needs.
        shapes: whether a shape is asked for; else their places in the row hold anything.
        keeps: whether ``forward`` puts values aside with ``self.keep``.
        shared: one instance for all calls without arguments of their own, or None.
    """

    __slots__ = (
        "asks",
        "differentiable",
        "fields",
        "inputs",
        "keeps",
        "kept",
        "order",
        "plan",
        "required",
        "shapes",
        "shared",
        "special",
        "variadic",
    )

    def __init__(self, cls: type) -> None:
        forward: Any = cls.forward  # type: ignore[attr-defined]
        code = forward.__code__
        names = code.co_varnames
        self.variadic = bool(code.co_flags & VARIADIC)
        if self.variadic:
            self.inputs = (names[code.co_argcount + code.co_kwonlyargcount],)
            self.required = 1
        else:
            self.inputs = names[2 : code.co_argcount]
            self.required = len(self.inputs) - len(forward.__defaults__ or ())
        if not self.inputs:
            raise OperatorError(
                f"{cls.__name__}.forward needs an input",
                expected="def forward(self, xp, x): …",
            )
        self.fields = _fields(cls)
        self.order = self._public_order(cls)
        self.keeps = "keep" in code.co_names
        self.differentiable = getattr(cls, "backward", None) is not None
        self._read_backward(cls)
        self.shared: Any = None

    def _public_order(self, cls: type) -> tuple[str, ...]:
        signature = getattr(cls, "signature", None)
        if signature is None:
            return (*self.inputs, *self.fields)
        order = tuple(name.strip() for name in signature.split(","))
        if sorted(order) != sorted((*self.inputs, *self.fields)):
            raise OperatorError(
                f"{cls.__name__}.signature must name every input and field once",
                got=signature,
                expected=", ".join((*self.inputs, *self.fields)),
            )
        return order

    def _read_backward(self, cls: type) -> None:
        self.asks: tuple[str, ...] = ()
        self.plan: tuple[int, ...] = ()
        self.special = self.keeps or self.required < len(self.inputs)
        self.shapes = False
        self.kept: tuple[str, ...] = ()
        if not self.differentiable:
            return
        code = cls.backward.__code__  # type: ignore[attr-defined]
        self.asks = code.co_varnames[3 : code.co_argcount]
        shapes = [f"{name}_shape" for name in self.inputs]
        row = [*self.inputs, "out", "needs", *shapes]
        self.shapes = not set(shapes).isdisjoint(self.asks)
        unknown = [name for name in self.asks if name not in row]
        if unknown and not self.keeps:
            raise OperatorError(
                f"{cls.__name__}.backward asks for {unknown[0]!r}, which nobody provides",
                expected=", ".join(row) + ", or a name given to self.keep in forward",
                fix=did_you_mean(unknown[0], row),
            )
        self.kept = tuple(unknown)
        row += unknown
        self.plan = tuple(row.index(name) for name in self.asks)
        self.special = self.special or any(i > row.index("needs") for i in self.plan)


def _fields(cls: type) -> dict[str, Any]:
    """Annotated class attributes, base classes first; private and ClassVar ones are no fields."""
    fields: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        # From 3.14 on a class works its annotations out when they are asked for.
        for name, annotation in getattr(base, "__annotations__", {}).items():
            if not name.startswith("_") and "ClassVar" not in str(annotation):
                fields[name] = getattr(cls, name, REQUIRED)
    return fields


def known(name: str, order: tuple[str, ...]) -> str:
    """The parameter a keyword means: itself, NumPy's word for it, or PyTorch's ``input``."""
    if name in order:
        return name
    if name == "axis" and "dims" in order:  # the plural, where several axes are usual
        return "dims"
    if name in ("input", "self"):
        return "x" if "x" in order else order[0]
    return ALIASES.get(name, name)


def named(public_name: str, order: Any, taken: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments given by name under the names of `order`; `taken` were given already.

    Raises:
        OperatorError: for a repeated or unknown one.
    """
    values: dict[str, Any] = {}
    for name, value in kwargs.items():
        name = known(name, order)
        if name not in order or name in taken or name in values:
            problem = "unknown argument" if name not in order else "got twice"
            raise OperatorError(
                f"{public_name}: {problem} {name!r}",
                expected=f"{public_name}({', '.join(order)})",
                fix=did_you_mean(name, order),
            )
        values[name] = value
    return values


def bind(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Sort a call's arguments into inputs and fields.

    Raises:
        OperatorError: for too many, missing, repeated or unknown arguments.
    """
    contract = cls.contract
    order = contract.order
    if len(args) > len(order):
        args = _gathered(cls, args)
    values = dict(zip(order, args, strict=False))
    values |= named(cls.public_name, order, values, kwargs)
    inputs = [values.get(name) for name in contract.inputs]
    for name, value in zip(contract.inputs[: contract.required], inputs, strict=False):
        if value is None:
            raise OperatorError(
                f"{cls.public_name}: missing argument {name!r}",
                expected=f"{cls.public_name}({', '.join(order)})",
            )
    fields = {name: values[name] for name in contract.fields if name in values}
    return (inputs[0] if contract.variadic else inputs), fields


def _gathered(cls: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """``x.reshape(2, 3)`` for ``x.reshape((2, 3))``: trailing integers fill the last parameter."""
    order = cls.contract.order
    head, tail = args[: len(order) - 1], args[len(order) - 1 :]
    if getattr(cls, "gathers", False) and all(hasattr(item, "__index__") for item in tail):
        return (*head, tuple(item.__index__() for item in tail))
    raise OperatorError(
        f"{cls.public_name}: takes {len(order)} arguments",
        got=f"{len(args)}",
        expected=f"{cls.public_name}({', '.join(order)})",
    )

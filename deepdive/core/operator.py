"""Operators: two short functions over an array vocabulary, and the door that applies them.

The door is :func:`apply`: it takes the arrays out of the tensors, promotes their dtypes, calls
``forward`` with the speaker of these arrays, wraps the result and – if a gradient is wanted –
records a node with exactly what ``backward`` asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar

from deepdive import config, dtypes
from deepdive.backend.speakers import BY_TYPE, of_device
from deepdive.backend.widening import widened
from deepdive.core.clash import device_error
from deepdive.core.contract import REQUIRED, Contract, bind, named
from deepdive.core.node import Node
from deepdive.core.tensor import Tensor, array_of, wrap
from deepdive.errors import (
    DeepDiveError,
    DeviceError,
    DTypeError,
    OperatorError,
    ShapeError,
    did_you_mean,
)

C = TypeVar("C")

FLOAT32 = dtypes.float32
KEYWORDS = 0x08  # inspect.CO_VARKEYWORDS
NUMBERS = frozenset((int, float, bool, type(None)))
grad_enabled = config.grad_mode.get
recording = config.lazy_mode.get


class Operator:
    """Base of all operators.

    A subclass writes ``forward(self, xp, *inputs)`` and, unless it has no gradient,
    ``backward(self, xp, grad, …)``, which asks by name for what it needs: any input, ``out``,
    ``<input>_shape``, ``needs`` (a flag per input) and whatever ``forward`` put aside with
    ``self.keep(name=value)``.  Annotated class fields are static parameters.

    ``promotes`` says what the door does with mixed dtypes: ``"common"`` brings all inputs to
    PyTorch's result type, ``"float"`` also makes integers the default float, ``"number"`` makes
    booleans int64, ``"rest"`` leaves the first input out, None leaves them all.

    >>> import deepdive as dd
    >>> class Cube(Operator):
    ...     def forward(self, xp, x):
    ...         return x * x * x
    ...
    ...     def backward(self, xp, grad, x):
    ...         return 3 * grad * x * x
    >>> x = dd.Tensor([2.0])
    >>> Cube()(x).backward()
    >>> x.grad
    tensor([12.])
    """

    name: ClassVar[str] = "Operator"  # in messages and graphs: the class's
    public_name: ClassVar[str] = "Operator"  # what users call it by
    contract: ClassVar[Contract]
    promotes: ClassVar[str | None] = None
    static: ClassVar[bool] = False
    forward: ClassVar[Any]
    backward: ClassVar[Any] = None
    named_form: ClassVar[Any] = None  # see further_arguments

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = cls.public_name = cls.__name__
        forward = cls.__dict__.get("forward")
        if isinstance(forward, staticmethod):
            cls.static = True  # the ctx contract: see deepdive.core.function
        elif hasattr(cls, "forward"):
            cls.contract = Contract(cls)
            if not cls.contract.keeps and REQUIRED not in cls.contract.fields.values():
                cls.contract.shared = cls()

    def __init__(self, *values: Any, **fields: Any) -> None:
        known = self.contract.fields
        for name, value in zip(known, values, strict=False):
            fields.setdefault(name, value)
        for name, value in fields.items():
            if name not in known:
                raise OperatorError(
                    f"{self.name}: no parameter {name!r}",
                    expected=", ".join(known) or "none",
                    fix=did_you_mean(name, known),
                )
            setattr(self, name, tuple(value) if isinstance(value, list) else value)
        for name, default in known.items():
            if default is REQUIRED and name not in fields:
                raise OperatorError(f"{self.name}: missing parameter {name!r}")

    def __call__(self, *inputs: Any) -> Tensor:
        """Apply the operator to tensors."""
        return apply(self, inputs)

    def keep(self, **values: Any) -> None:
        """Put values computed by ``forward`` aside for ``backward``."""
        self.kept = values

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in self.contract.fields)
        return f"{self.name}({', '.join(fields)})"


def apply(operator: Any, args: Any) -> Tensor:
    """Run `operator` on `args` (tensors, arrays, numbers or None) and record it if need be."""
    arrays: list[Any] = []
    parents: list[Node | None] = []
    kind: Any = None
    plain = True  # all arrays of one type
    single = True  # all of them float32
    tracked = False
    for arg in args:
        if isinstance(arg, Tensor):
            array = arg._data
            node = arg._node
            if node is not None:
                tracked = True
            parents.append(node)
            if array.dtype is not FLOAT32:
                single = False
            if type(array) is not kind:
                plain = plain and kind is None
                kind = type(array)
            arrays.append(array)
        else:
            arrays.append(arg)
            parents.append(None)
            plain = plain and type(arg) in NUMBERS
    if not plain or kind is None or recording():
        (operator, arrays), parents = _arrays_of(operator, args), as_parents(parents)
        kind = next(type(a) for a in arrays if type(a) in BY_TYPE)
    elif not single:
        operator, arrays = _settled(operator, arrays, BY_TYPE[kind])
    xp = BY_TYPE[kind]
    try:
        out = run_forward(operator, xp, arrays) if config.watch else operator.forward(xp, *arrays)
    except Exception as error:
        raise _worded(operator, arrays, error) from error
    if type(out) is not kind:  # a whole-array reduction gives NumPy's scalar
        out = xp.as_zero_d(out)
    result = wrap(out)
    if tracked and grad_enabled() and operator.contract.differentiable:
        record(operator, arrays, parents, out, result)
    return result


def run_forward(operator: Any, xp: Any, arrays: list[Any]) -> Any:
    """Run ``forward`` under the eyes of a profiler or the like."""
    return config.watch.forward(operator, operator.forward, (xp, *arrays))


def record(operator: Any, arrays: list[Any], parents: Any, out: Any, result: Tensor) -> None:
    """Give `result` a node with what the operator's ``backward`` asks for.

    The row of all there is to ask for: inputs, out, needs (a parent where a gradient flows, else
    None), then shapes and kept values.
    """
    contract = operator.contract
    saved: Any = ()
    if contract.special:
        row = _whole_row(operator, contract, arrays, parents, out)
        saved = [row[i] for i in contract.plan]
        if contract.keeps:  # higher orders run forward again, and need its inputs
            saved += arrays
    elif contract.plan:
        row = [arrays, out, parents] if contract.variadic else [*arrays, out, parents]
        saved = [row[i] for i in contract.plan]
    dtype = out.dtype
    if dtype is not FLOAT32:
        dtype = dtypes.gradient_dtype(dtype)
    result._node = Node(operator, parents, saved, out.shape, dtype, result)


def _whole_row(operator: Any, contract: Contract, arrays: Any, parents: Any, out: Any) -> Any:
    """The row with absent optional inputs, shapes and kept values filled in."""
    if contract.variadic:
        row = [arrays, out, parents, [a.shape for a in arrays]]
    else:
        absent = [None] * (len(contract.inputs) - len(arrays))
        parents += absent
        inputs = [*arrays, *absent]
        row = [*inputs, out, parents]
        row += [getattr(a, "shape", ()) for a in inputs] if contract.shapes else inputs
    if contract.keeps:
        row += [operator.kept[name] for name in contract.kept]
        operator.kept = None
    return row


def _arrays_of(operator: Any, args: Any) -> tuple[Any, list[Any]]:
    """The slow way in: other devices, arrays and lists among the arguments, mixed dtypes."""
    speaker = recording() or _speaker_for(args)
    arrays = [arg if type(arg) in NUMBERS else _array(operator, arg, speaker) for arg in args]
    if not any(type(a) is speaker.ARRAY_TYPE for a in arrays):
        if not args or args[0] is None:
            raise OperatorError(f"{operator.public_name}: no tensor among the arguments")
        arrays[0] = speaker.asarray(args[0])
    return _settled(operator, arrays, speaker)


def _settled(operator: Any, arrays: list[Any], speaker: Any) -> tuple[Any, list[Any]]:
    """The operator that computes with these dtypes, and the arrays in those it wants."""
    if operator.promotes is not None:
        arrays = promote(operator.promotes, arrays, speaker)
    return widened(operator, arrays), arrays


def as_parents(nodes: Any) -> Any:
    """The nodes as a recorder sees them: vmap sums up what comes to those from outside."""
    return getattr(recording(), "parents", list)(nodes)


def _speaker_for(args: Any) -> Any:
    """The speaker of the first tensor, else of the first array, else of the default device.

    One that can adopt the arrays of others – the lazy one – goes before them.
    """
    raw = [arg._data if isinstance(arg, Tensor) else arg for arg in args]
    tensors = [a for a, arg in zip(raw, args, strict=True) if isinstance(arg, Tensor)]
    found = [BY_TYPE[type(a)] for a in tensors or raw if type(a) in BY_TYPE]
    if not found:
        return of_device(config.defaults.device)
    return next((speaker for speaker in found if hasattr(speaker, "adopt")), found[0])


def _array(operator: Any, arg: Any, speaker: Any) -> Any:
    try:
        return array_of(arg, speaker)
    except DeepDiveError as error:
        if isinstance(error, (DeviceError, DTypeError, ShapeError)):
            error.what = f"{operator.public_name}: {error.what}"
        raise


def promote(mode: str, arrays: list[Any], speaker: Any) -> list[Any]:
    """Bring the arrays of one operation to PyTorch's common dtype; numbers stay numbers."""
    if mode == "rest":  # the first operand is a condition
        rest = arrays[1:]
        if all(type(a) in NUMBERS for a in rest):
            rest[0] = speaker.asarray(rest[0], dtypes.result_type(*rest))
        return [arrays[0], *promote("common", rest, speaker)]
    operands = [a for a in arrays if a is not None]
    target = dtypes.result_type(*operands)
    if mode == "float" and not dtypes.is_floating(target):
        target = dtypes.default_float()
    if mode == "number" and target.kind == "b":
        target = dtypes.int64
    return [
        a if type(a) in NUMBERS or a.dtype == target else speaker.astype(a, target) for a in arrays
    ]


def _worded(operator: Any, arrays: list[Any], error: Exception) -> Exception:
    """The library's own words for what a speaker refused, or the error as it is."""
    if device := device_error(operator, arrays, error):
        return device
    if isinstance(error, (DeepDiveError, KeyboardInterrupt, MemoryError)):
        return error
    contract = operator.contract
    for name, array in zip(contract.inputs[: contract.required], arrays, strict=False):
        if array is None:
            what = f"{operator.public_name}: {name} is None"
            return OperatorError(what, expected="a tensor, an array or a number")
    from deepdive.backend.vocabulary.spec import explain

    def run(xp: Any, *specs: Any) -> Any:
        return operator.forward(xp, *specs)

    found = explain(run, arrays, error, operator.public_name)
    return error if found is None else found


# --- registration ------------------------------------------------------------------------------
REGISTRY: dict[str, Callable[..., Any]] = {}  # public name → function


class TensorSpeaker:
    """The vocabulary spoken with Tensors: each word is the public function of an operator."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # doctest and its like look around
            raise AttributeError(name)
        raise OperatorError(
            f"no operator speaks the word {name!r} on Tensors, so it has no second derivative",
            fix=did_you_mean(name, self.__dict__),
        )


tensor_words = TensorSpeaker()


def public_function(cls: Any) -> Callable[..., Tensor]:
    """The function users call: binds arguments, applies the operator."""
    contract = cls.contract
    shared, variadic = contract.shared, contract.variadic
    arity = len(contract.inputs)
    quick = shared is not None and not variadic and contract.order[:arity] == contract.inputs

    def function(*args: Any, **kwargs: Any) -> Tensor:
        if quick and len(args) == arity and not kwargs:
            return apply(shared, args)
        if kwargs and cls.named_form is not None:
            return cls.named_form(*args, **kwargs)  # type: ignore[no-any-return]
        inputs, fields = bind(cls, args, kwargs)
        return apply(cls(**fields) if fields or shared is None else shared, inputs)

    return function


def register(*names: Any, word: str | None = None, method: bool = True) -> Any:
    """Make an operator public: a function, a Tensor method, a word, and its tests.

    ``@register`` names it in snake case; ``@register("log_softmax", "logsoftmax")`` gives a name
    and aliases; ``@register(None)`` keeps it internal; ``register("name", cls)`` registers a class
    (also one with the static ``forward(ctx, …)`` contract) by hand.

    Args:
        names: public names, the first being the main one.
        word: its name in the vocabulary, where that differs.
        method: whether Tensor gets a method of these names.

    Raises:
        OperatorError: for a class that is no operator.
    """
    if len(names) == 1 and isinstance(names[0], type):
        return _register(names[0], (snake_case(names[0].__name__),), word, method)
    if len(names) == 2 and isinstance(names[1], type):
        return _register(names[1], (names[0],), word, method)
    return lambda cls: _register(cls, names, word, method)


def _register(cls: Any, names: tuple[Any, ...], word: str | None, method: bool) -> Any:
    if hasattr(cls, "forward") and not hasattr(cls, "contract"):
        function = cls.apply if hasattr(cls, "apply") else static_apply[0](cls)
    elif hasattr(cls, "contract"):
        function = public_function(cls)
    else:
        raise OperatorError(
            f"register: {cls!r} is no operator",
            expected="a class with forward(self, xp, …) or a static forward(ctx, …)",
        )
    public = [name for name in names if name is not None]
    for name in public if method else ():
        _check_free(name)  # a class that is refused leaves no trace
    cls.public_name = public[0] if public else cls.__name__
    describe(function, cls, cls.public_name)
    for name in public:
        REGISTRY[name] = function
        if method:
            add_method(name, function)
    setattr(tensor_words, word or cls.public_name, function)
    return cls


def describe(function: Any, cls: Any, name: str) -> None:
    """Let ``help()`` show the operator's own words."""
    if hasattr(function, "__func__"):
        return
    function.__name__ = function.__qualname__ = name
    function.__doc__ = cls.__doc__
    function.__module__ = cls.__module__
    function.operator = cls


def _check_free(name: str) -> None:
    if name in Tensor.__dict__ and not hasattr(Tensor.__dict__[name], "registered"):
        raise OperatorError(f"register: Tensor has an attribute {name!r} of its own")


def add_method(name: str, function: Callable[..., Any]) -> None:
    """Attach a Tensor method; what :class:`Tensor` defines itself is never replaced."""
    _check_free(name)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    attached: Any = function if not hasattr(function, "__func__") else method
    attached.registered = True
    setattr(Tensor, name, attached)


def add_property(name: str, getter: Callable[[Tensor], Any]) -> None:
    """Attach a read-only Tensor attribute."""
    setattr(Tensor, name, property(getter))


def derive(*names: str, word: str | None = None, method: bool = True) -> Callable[[C], C]:
    """Register a function that is algebra on other operators, under `names`."""

    def decorate(function: C) -> C:
        public = names or (function.__name__,)  # type: ignore[attr-defined]
        door = _door(function, public[0])
        for name in public:
            REGISTRY[name] = door
            if method:
                add_method(name, door)
        setattr(tensor_words, word or public[0], door)
        return function

    return decorate


def _door(function: Any, name: str) -> Any:
    """`function`, its arguments also by the names NumPy and PyTorch give them."""
    code = function.__code__
    order = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if code.co_flags & KEYWORDS:
        return function

    @wraps(function)
    def door(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            taken = order[: min(len(args), code.co_argcount)]
            kwargs = named(name, order, taken, kwargs)
        return function(*args, **kwargs)

    return door


def further_arguments(cls: Any) -> Callable[[C], C]:
    """Give an operator's function arguments that are not its own, as ``alpha`` of ``add``.

    Calls with arguments by name go to the decorated function; all others pay nothing for it.
    """

    def decorate(function: C) -> C:
        cls.named_form = staticmethod(_door(function, cls.public_name))
        return function

    return decorate


def snake_case(name: str) -> str:
    """``LeakyRelu`` → ``leaky_relu``; ``ReLU`` → ``relu``.

    >>> snake_case("LogSoftmax")
    'log_softmax'
    """
    out = ""
    for i, letter in enumerate(name):
        if letter.isupper() and i and name[i - 1].islower():
            out += "_"
        out += letter.lower()
    return out


static_apply: list[Any] = [None]  # deepdive.core.function puts its adapter here

"""The lazy speaker: words are recorded, and computed when a value is asked for.

A LazyArray is an array whose operators and words make graph values.  Under :func:`lazy` it
computes itself, each value at most once, as soon as somebody looks; under a tracer nobody may
look, and the recording becomes a program.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from deepdive import config, dtypes
from deepdive.backend import numpy_cpu, speakers
from deepdive.backend.vocabulary.spec import Spec, spec_of
from deepdive.backend.vocabulary.words import VOCABULARY
from deepdive.compiler.graph import CONSTANT, NUMBER, Value, ordered, replaced
from deepdive.errors import GraphError, did_you_mean


def _pair(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def method(array: Any, other: Any) -> Any:
        if getattr(other, "outranks", False):  # an array that may have ours inside
            return NotImplemented
        return say(name, array, other)

    return method, lambda array, other: say(name, other, array)


def _single(name: str) -> Callable[..., Any]:
    return lambda array: say(name, array)


class LazyArray(Spec):
    """An array that is a graph value, computed or not.

    >>> x = LazyArray(Value(CONSTANT, {}, (2,), numpy_cpu.ones((2,)).dtype, numpy_cpu.ones((2,))))
    >>> y = x + 1
    >>> y.value.array is None, y.tolist(), y.value.array is None
    (True, [2.0, 2.0], False)
    """

    __slots__ = ("tracer", "value")

    def __init__(self, value: Value) -> None:
        self.tracer = config.tracing.get()  # whose recording it belongs to; None in lazy mode
        dtype = dtypes_of_number(value) if value.dtype is NUMBER else value.dtype
        super().__init__(value.shape, dtype)
        self.value = value

    def __repr__(self) -> str:
        return f"LazyArray({self.shape}, {self.dtype.name})"

    __add__, __radd__ = _pair("add")
    __sub__, __rsub__ = _pair("subtract")
    __mul__, __rmul__ = _pair("multiply")
    __truediv__, __rtruediv__ = _pair("divide")
    __floordiv__, __rfloordiv__ = _pair("floor_divide")
    __mod__, __rmod__ = _pair("remainder")
    __pow__, __rpow__ = _pair("pow")
    __matmul__, __rmatmul__ = _pair("matmul")
    __and__, __rand__ = _pair("bitwise_and")
    __or__, __ror__ = _pair("bitwise_or")
    __xor__, __rxor__ = _pair("bitwise_xor")
    __lt__, __gt__ = _pair("less")[0], _pair("greater")[0]
    __le__, __ge__ = _pair("less_equal")[0], _pair("greater_equal")[0]
    __eq__, __ne__ = _pair("equal")[0], _pair("not_equal")[0]
    __neg__, __abs__, __invert__ = map(_single, ("negative", "abs", "bitwise_invert"))
    __hash__ = object.__hash__
    __getitem__ = _pair("getitem")[0]

    def __setitem__(self, index: Any, values: Any) -> None:
        self.value = say("setitem", self, index, values).value

    def reshape(self, *shape: Any) -> LazyArray:
        return say("reshape", self, shape[0] if isinstance(shape[0], tuple) else shape)

    def astype(self, dtype: Any, copy: bool = True) -> LazyArray:
        return say("astype", self, dtype)

    def copy(self) -> LazyArray:
        return say("copy", self)

    # --- looking at values ---------------------------------------------------------------------
    def item(self) -> Any:
        return realize(self).item()

    def tolist(self) -> Any:
        return realize(self).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return numpy_cpu.asarray(realize(self), dtype)

    def __bool__(self) -> bool:
        return bool(realize(self))

    def __float__(self) -> float:
        return float(realize(self))

    def __int__(self) -> int:
        return int(realize(self))

    __index__ = __int__


def dtypes_of_number(value: Value) -> Any:
    """The dtype a recorded Python number has where one is asked for."""
    return numpy_cpu.asarray(0.0).dtype


class LazyNumber:
    """A Python number that is known only when the program runs: a learning rate, a step count.

    Arithmetic with numbers gives numbers, computed in double precision on the host; arithmetic
    with arrays gives arrays of their dtype.
    """

    __slots__ = ("value",)
    __array_ufunc__ = None

    def __init__(self, value: Value) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"LazyNumber({self.value.word})"

    __add__, __radd__ = _pair("add")
    __sub__, __rsub__ = _pair("subtract")
    __mul__, __rmul__ = _pair("multiply")
    __truediv__, __rtruediv__ = _pair("divide")
    __pow__, __rpow__ = _pair("pow")
    __lt__, __gt__ = _pair("less")[0], _pair("greater")[0]
    __le__, __ge__ = _pair("less_equal")[0], _pair("greater_equal")[0]
    __neg__ = _single("negative")
    __hash__ = object.__hash__

    def _unknown(self) -> Any:
        raise GraphError(
            "compile: this number is known only when the program runs",
            fix="do not branch on a learning rate or a step count inside the compiled function",
        )

    __bool__ = __float__ = __int__ = __index__ = __round__ = _unknown

    def __lshift__(self, other: Any) -> Any:
        return self._unknown()  # a generator's own methods look at the count of draws


# Words that make a number of numbers; all others make arrays.
ON_NUMBERS = frozenset(
    "add subtract multiply divide pow negative sqrt exp log less greater less_equal "
    "greater_equal maximum minimum".split()
)


def say(name: str, *args: Any, **kwargs: Any) -> Any:
    """Record one word: its result is known by shape and dtype only."""
    word = VOCABULARY[name]
    given = word.bind(args, kwargs)
    arguments = {key: _recorded(item) for key, item in given.items()}
    tracer = config.tracing.get()
    origin = "" if tracer is None else tracer.origin
    if name in ON_NUMBERS and not any(map(_is_array, given.values())) and _has_number(given):
        return LazyNumber(Value(name, arguments, (), NUMBER, origin=origin))
    shape, dtype = word.result(**{key: _seen(item) for key, item in given.items()})
    if isinstance(shape, list):
        raise GraphError(
            f"{name}: its size depends on values, so it cannot be recorded",
            fix="use where(condition, x, y) or a mask of fixed size",
        )
    return LazyArray(Value(name, arguments, tuple(shape), dtype, origin=origin))


def _is_array(item: Any) -> bool:
    if isinstance(item, (tuple, list)):
        return any(_is_array(part) for part in item)
    return hasattr(item, "dtype") and hasattr(item, "shape")


def _has_number(given: dict[str, Any]) -> bool:
    return any(isinstance(item, LazyNumber) for item in given.values())


def _recorded(item: Any) -> Any:
    """An argument as the graph keeps it: values for arrays, the rest as it is."""
    if isinstance(item, (LazyArray, LazyNumber)):
        return item.value
    if isinstance(item, (tuple, list)):
        return type(item)(_recorded(part) for part in item)
    if isinstance(item, slice):
        return slice(*(_recorded(part) for part in (item.start, item.stop, item.step)))
    if type(item) in speakers.BY_TYPE or (hasattr(item, "dtype") and hasattr(item, "ndim")):
        return constant(item).value
    return item


def _seen(item: Any) -> Any:
    """An argument as the shape and dtype rules see it."""
    if isinstance(item, LazyNumber):
        return 1.0
    if isinstance(item, LazyArray):
        known = None if dtypes.is_floating(item.dtype) else item.value.array
        return Spec(item.shape, item.dtype, None if _is_elsewhere(known) else known)
    if isinstance(item, (tuple, list)):
        return type(item)(_seen(part) for part in item)
    return Spec(item.shape, item.dtype) if _is_elsewhere(item) else spec_of(item)


def _is_elsewhere(item: Any) -> bool:
    """Whether `item` is an array of another device than the CPU: nobody looks at its values."""
    speaker = speakers.BY_TYPE.get(type(item), numpy_cpu)
    return speaker is not numpy_cpu and not hasattr(speaker, "adopt")


def constant(array: Any) -> LazyArray:
    """A LazyArray that is there already; a tracer takes the array as an input, by reference."""
    if not _is_elsewhere(array):
        array = numpy_cpu.asarray(array)
    tracer = config.tracing.get()
    if tracer is not None:
        return tracer.array(array)  # type: ignore[no-any-return]
    return LazyArray(Value(CONSTANT, {}, array.shape, array.dtype, array))


def realize(x: LazyArray) -> Any:
    """The array of `x`: what is missing is computed, each value once, and its history dropped.

    Raises:
        GraphError: while a function is being compiled; values are not there yet.
    """
    target = x.value
    if target.array is None:
        tracer = config.tracing.get()
        if tracer is not None:
            tracer.refuse_to_look()
        for value in ordered([target]):
            if value.array is None:
                compute(value)
                value.arguments = {}
    return target.array


def compute(value: Value) -> None:
    """Fill ``value.array`` by the NumPy speaker; the operands are there."""
    arguments = replaced(value.arguments, lambda operand: operand.array)
    out = getattr(numpy_cpu, value.word)(*arguments.values())
    value.array = numpy_cpu.asarray(out) if type(out) is not numpy_cpu.ARRAY_TYPE else out


class LazySpeaker:
    """The speaker of LazyArrays: every word of the vocabulary records itself."""

    ARRAY_TYPE = LazyArray

    @property
    def DEVICE(self) -> str:
        """The device of the program being recorded; lazy mode computes on the CPU."""
        home = getattr(config.tracing.get(), "home", None)
        return "cpu" if home is None else str(home.DEVICE)

    def __init__(self) -> None:
        for name in VOCABULARY:
            setattr(self, name, partial(say, name))

    def __getattr__(self, name: str) -> Any:
        near = did_you_mean(name, VOCABULARY)
        raise AttributeError(f"no word {name!r} in the vocabulary" + (f": {near}" if near else ""))

    def asarray(self, x: Any, dtype: Any = None) -> LazyArray:
        """`x` as a LazyArray; a Python number or an array becomes a constant."""
        if isinstance(x, LazyNumber):
            return say("full", (), x)
        if not isinstance(x, LazyArray):
            x = constant(x if _is_elsewhere(x) else numpy_cpu.asarray(x, dtype))
        return x if dtype is None or x.dtype == dtype else say("astype", x, dtype)

    def adopt(self, tensor: Any) -> LazyArray:
        """The array of a Tensor made eagerly: a constant, or an input of the traced program."""
        tracer = config.tracing.get()
        if tracer is not None:
            return tracer.adopt(tensor)
        array = tensor._data
        return array if type(array) is LazyArray else constant(array)

    def recorder_for(self, device: Any) -> Any:
        """Who makes arrays for a speaker's device: this one, unless the program is elsewhere."""
        tracer = config.tracing.get()
        return self if tracer is None or tracer.is_home(device) else device

    as_zero_d = asarray

    def write(self, target: LazyArray, values: Any) -> None:
        """From now on `target` is `values`: what was recorded before keeps the old value."""
        values = self.asarray(values)
        if values.dtype != target.dtype:
            values = say("astype", values, target.dtype)
        if values.shape != target.shape:
            values = say("broadcast_to", values, target.shape)
        target.value = values.value

    def owner(self, x: LazyArray) -> Any:
        return x

    def to_numpy(self, x: LazyArray) -> Any:
        return realize(x)

    readable = to_numpy

    def expose(self, x: LazyArray) -> Any:
        return numpy_cpu.expose(realize(x))


speaker = LazySpeaker()
speakers.BY_TYPE[LazyArray] = speaker


class lazy:
    """``with lazy():`` – operations are recorded, and computed when a value is asked for.

    >>> import deepdive as dd
    >>> with dd.lazy():
    ...     y = dd.tensor([1.0, 2.0]) * 3
    >>> y.cached_data is None
    True
    >>> y.tolist(), y.cached_data is None
    ([3.0, 6.0], False)
    """

    def __init__(self, mode: bool = True) -> None:
        self.mode = speaker if mode else None
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        self._tokens.append(config.lazy_mode.set(self.mode))

    def __exit__(self, *exc_info: object) -> None:
        config.lazy_mode.reset(self._tokens.pop())


def set_lazy(mode: bool) -> None:
    """Switch lazy mode on or off for the rest of this thread or task."""
    config.lazy_mode.set(speaker if mode else None)


def is_lazy() -> bool:
    """Whether operations are recorded here instead of computed."""
    return config.lazy_mode.get() is not None

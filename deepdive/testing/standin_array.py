"""The strict array of the stand-in: memory on a "device" that nobody may look into by accident.

It behaves as CuPy's ``ndarray`` does, or more strictly: NumPy functions, ``float()``, ``bool()``,
iteration and operands from the host are refused, and ``get()`` is the only way out.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np

from deepdive.backend.vocabulary.rules_index import axes_taken

OWNERS: weakref.WeakValueDictionary[int, StandInArray] = weakref.WeakValueDictionary()


class OutOfMemoryError(MemoryError):
    """The device has no room for an array (CuPy's name)."""


class MemoryPool:
    """Counts the bytes of the arrays alive, up to a limit; the calls are those of CuPy's pool."""

    def __init__(self) -> None:
        self.used = self.most = self.limit = 0

    def malloc(self, size: int) -> Any:
        """What ``using_allocator`` is given; arrays here count themselves."""
        raise NotImplementedError

    def take(self, count: int) -> None:
        if self.limit and self.used + count > self.limit:
            raise OutOfMemoryError(
                f"Out of memory allocating {count:,} bytes (allocated so far: {self.used:,} bytes,"
                f" limit set to: {self.limit:,} bytes)."
            )
        self.used += count
        self.most = max(self.most, self.used)

    def used_bytes(self) -> int:
        return self.used

    def total_bytes(self) -> int:
        return max(self.most, self.used)

    def free_all_blocks(self) -> None:
        self.most = self.used

    def set_limit(self, size: int = 0) -> None:
        self.limit = size


def opened(value: Any) -> Any:
    """NumPy's arrays behind device arrays, inside lists and tuples too; host arrays are refused."""
    if isinstance(value, StandInArray):
        return value._host
    if isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"Unsupported type {type(value)}: a host array among device arrays")
    if isinstance(value, (tuple, list)):
        return type(value)(opened(item) for item in value)
    exported = getattr(value, "__cuda_array_interface__", None)
    return value if exported is None else exported["standin"]._host


def _refuse(what: str) -> NoReturn:
    raise TypeError(
        f"{what} would copy from the device to the host behind the reader's back; "
        "use `.get()` to construct a NumPy array explicitly"
    )


def _refusal(name: str) -> Callable[..., NoReturn]:
    return lambda self, *args, **kwargs: _refuse(name)


class StandInArray:
    """An array on the stand-in device; see the module's docstring."""

    __slots__ = ("__weakref__", "_counted", "_host", "base")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]
    pool = MemoryPool()

    _host: Any
    base: Any
    _counted: int

    @classmethod
    def computed(cls, function: Callable[[], Any]) -> Any:
        """What a function of NumPy's gives, on the device; a capture keeps the function too."""
        value = function()
        if CAPTURES:
            value = CAPTURES[-1].kept(value, function)
        return cls.sealed(value)

    @classmethod
    def sealed(cls, value: Any) -> Any:
        """What a NumPy function gave, on the device; several results one by one."""
        if isinstance(value, (tuple, list)):
            return type(value)(cls.sealed(item) for item in value)
        if isinstance(value, np.dtype) or not isinstance(value, (np.ndarray, np.generic)):
            return value
        host = np.asarray(value)
        root = _root(host)
        array = cls.__new__(cls)
        array._host = host
        array._counted = 0
        array.base = None if root is host else OWNERS.get(id(root))
        if array.base is None:
            if CAPTURES:
                CAPTURES[-1].check_memory()
            cls.pool.take(root.nbytes)
            array._counted = root.nbytes
            OWNERS[id(root)] = array
        return array

    def __del__(self) -> None:
        self.pool.used -= getattr(self, "_counted", 0)

    # --- what it is ----------------------------------------------------------------------------
    shape = property(operator.attrgetter("_host.shape"))
    dtype = property(operator.attrgetter("_host.dtype"))
    ndim = property(operator.attrgetter("_host.ndim"))
    size = property(operator.attrgetter("_host.size"))
    strides = property(operator.attrgetter("_host.strides"))
    itemsize = property(operator.attrgetter("_host.itemsize"))
    nbytes = property(operator.attrgetter("_host.nbytes"))
    flags = property(operator.attrgetter("_host.flags"))
    T = property(lambda self: self.sealed(self._host.T))
    __cuda_array_interface__ = property(lambda self: {"standin": self})

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        return f"StandInArray({self.shape}, {self.dtype})"

    # --- the one way out -----------------------------------------------------------------------
    def get(
        self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True
    ) -> Any:
        """A NumPy array of the values."""
        refuse_in_capture("a copy to the host")
        if out is None:
            return np.array(self._host, order=order)  # type: ignore[call-overload]
        out[...] = self._host
        return out

    def set(self, values: Any, stream: Any = None) -> None:
        """Overwrite the values with those of a NumPy array of this shape and dtype."""
        refuse_in_capture("a copy from the host")
        if not isinstance(values, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if values.shape != self.shape or values.dtype != self.dtype:
            raise ValueError("Shape or dtype mismatch")
        self._host[...] = values

    for _name in (
        *("__array__", "__array_ufunc__", "__array_function__"),
        *("__float__", "__int__", "__bool__", "__index__", "__complex__"),
        *("__iter__", "__contains__", "item", "tolist", "__array_interface__"),
    ):
        locals()[_name] = _refusal(_name)
    __array_struct__ = property(_refusal("__array_struct__"))

    # --- values on the device ------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Any:
        place = _wrapped(index, self.shape)
        basic = all(part is None or isinstance(part, (int, slice, type(...))) for part in place)
        if basic and ... not in place:
            place = (*place, ...)  # a view of no axes, where NumPy would give a number
        if basic:
            return self.sealed(self._host[place])
        return self.computed(lambda: self._host[_wrapped(index, self.shape)])

    def __setitem__(self, index: Any, values: Any) -> None:
        def change() -> None:
            self._host[_wrapped(index, self.shape)] = opened(values)

        changed(self, change)

    def copy(self, order: str = "C") -> Any:
        return self.computed(lambda: self._host.copy(order))

    def astype(self, dtype: Any, order: str = "K", copy: bool = True) -> Any:
        if not copy and self.dtype == dtype:
            return self
        with np.errstate(all="ignore"):
            return self.computed(lambda: self._host.astype(dtype, order=order))

    def view(self, dtype: Any = None) -> Any:
        return self.sealed(self._host.view() if dtype is None else self._host.view(dtype))

    def fill(self, value: Any) -> None:
        if isinstance(value, StandInArray) and value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        changed(self, lambda: self._host.fill(opened(value)))

    def reshape(self, *shape: Any) -> Any:
        return self.computed(lambda: self._host.reshape(*shape))

    def transpose(self, *axes: Any) -> Any:
        return self.sealed(self._host.transpose(*axes))


# --- capturing: what is asked is kept, not done ------------------------------------------------
class Capture:
    """The work asked of a stream meanwhile: functions to call again, into the same memory.

    To know shapes and dtypes it is also done at once, but what lies outside is not touched, and
    what was made is spoilt at the end.
    """

    def __init__(self) -> None:
        self.work: list[Callable[[], Any]] = []
        self.made: list[Any] = []

    def kept(self, value: Any, function: Callable[[], Any]) -> Any:
        """The result of a function, in memory that is filled anew at each launch."""
        if isinstance(value, (tuple, list)):
            given = [partial(_part, function, i) for i in range(len(value))]
            return type(value)(map(self.kept, value, given))
        if not isinstance(value, (np.ndarray, np.generic)):
            return value
        host = np.asarray(value)
        if id(_root(host)) not in OWNERS:  # else a view of what is there

            def fill() -> None:
                host[...] = function()

            self.work.append(fill)
            self.made.append(host)
        return host

    def check_memory(self) -> None:
        """Memory of the usual pool would be given to somebody else later."""
        if not PRIVATE_POOLS:
            raise RuntimeError("memory of a pool that outlives no graph, taken in a capture")

    def ended(self) -> list[Callable[[], Any]]:
        """All that was asked; nothing has been computed."""
        for host in self.made:
            host[...] = 77
        return self.work

    def owns(self, array: StandInArray) -> bool:
        """Whether the memory of an array was taken meanwhile."""
        return any(_root(host) is _root(array._host) for host in self.made)


def _part(function: Callable[[], Any], place: int) -> Any:
    return function()[place]


CAPTURES: list[Capture] = []
PRIVATE_POOLS: list[Any] = []


def changed(target: StandInArray, action: Callable[[], None]) -> None:
    """Change memory, in a capture at each launch."""
    if CAPTURES:
        CAPTURES[-1].work.append(action)
    if not CAPTURES or CAPTURES[-1].owns(target):
        action()


def refuse_in_capture(what: str) -> None:
    """What waits or crosses to the host cannot be captured."""
    if CAPTURES:
        raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {what} while a stream is captured")


def _root(host: Any) -> Any:
    """The array that owns the memory of `host`."""
    while True:
        base = host.base
        if not isinstance(base, np.ndarray):  # as_strided puts an object of its own in between
            base = getattr(base, "base", None)
        if base is None:
            return host
        host = base


def _wrapped(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index with NumPy's arrays in it; as on a GPU an element out of range wraps around."""
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple(opened(part) for part in parts)
    arrays = [np.asarray(part) if isinstance(part, list) else part for part in parts]
    used = sum(axes_taken(part) for part in arrays)
    axis = 0
    out: list[Any] = []
    for part in arrays:
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu" and axis < len(shape):
            if shape[axis]:
                part = np.mod(part, shape[axis])
        axis += len(shape) - used if part is ... else axes_taken(part)
        out.append(part)
    return tuple(out)


# --- Python's operators ------------------------------------------------------------------------
def _operate(name: str, *operands: Any) -> Any:
    with np.errstate(all="ignore"):
        return getattr(operator, name)(*opened(list(operands)))


def _foreign(other: Any) -> bool:
    """Operands that bring their own operators, such as Tensors."""
    known = (StandInArray, bool, int, float, np.ndarray, np.generic)
    return not isinstance(other, known) and not hasattr(other, "__cuda_array_interface__")


def _attach(name: str, reflected: bool, in_place: bool) -> None:
    def forward(self: Any, other: Any) -> Any:
        if _foreign(other):
            return NotImplemented
        return self.computed(lambda: _operate(name, self, other))

    def backward(self: Any, other: Any) -> Any:
        if _foreign(other):
            return NotImplemented
        return self.computed(lambda: _operate(name, other, self))

    def inside(self: Any, other: Any) -> Any:
        def change() -> None:
            result = _operate(name, self, other)
            if not np.can_cast(result.dtype, self.dtype, "same_kind"):
                raise TypeError(f"Cannot cast output from {result.dtype} to {self.dtype}")
            self._host[...] = result

        changed(self, change)
        return self

    setattr(StandInArray, f"__{name.rstrip('_')}__", forward)
    if reflected:
        setattr(StandInArray, f"__r{name.rstrip('_')}__", backward)
    if in_place:
        setattr(StandInArray, f"__i{name.rstrip('_')}__", inside)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor"):
    _attach(_name, reflected=True, in_place=True)
_attach("matmul", reflected=True, in_place=False)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _attach(_name, reflected=False, in_place=False)


def _single(name: str) -> Any:
    return lambda self: self.computed(lambda: _operate(name, self))


for _name in ("neg", "abs", "invert"):
    setattr(StandInArray, f"__{_name}__", _single(_name))

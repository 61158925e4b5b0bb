"""The loops of ``kernels`` as machine code, where Numba is installed (the extra ``[jit]``).

There is no second copy of them: the very function Python runs is handed to Numba, together with
what it is to do to a number, and the buffers are passed as they are.  Compiling takes a third of a
second, so a loop is left to Python until it has cost as much there: whatever a program does, it
waits at most twice as long as it would have with the better choice.

``DEEPDIVE_NATIVE_JIT=0`` leaves all loops to Python; ``=1`` compiles each at once.
"""

from __future__ import annotations

import dis
import functools
import logging
import os
import threading
from array import array
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter
from types import BuiltinFunctionType, CellType, FunctionType
from typing import Any

log = logging.getLogger("deepdive")

SMALL = 256  # elements: less than this Python does in the time Numba takes to look at its arguments
PRICE = 0.4  # seconds it takes to compile a loop
KEPT = 1 << 14  # elements: so many places are worth keeping as a buffer
FAST = {"reassoc", "contract", "nsz"}  # sums of products may be reordered; NaN and ∞ stay

Function = Callable[..., Any]
Key = tuple[Any, ...]


class Policy:
    """When loops are compiled: after so many seconds in Python, or never (None)."""

    def __init__(self) -> None:
        asked = os.environ.get("DEEPDIVE_NATIVE_JIT", "")
        self.price: float | None = {"0": None, "1": 0.0}.get(asked, PRICE)
        if find_spec("numba") is None:
            self.price = None


policy = Policy()
_lock = threading.Lock()


class Loop:
    """A loop that becomes machine code once it has been worth it, for each kind of arguments.

    Args:
        function: out and the other buffers, places and functions of numbers → None.
        lists: whether Python is quicker on lists than on the buffers that are only read.
        fast: whether sums may be reordered.
    """

    def __init__(self, function: Function, lists: bool = False, fast: bool = False) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.lists = lists
        self.fast = fast
        self.spent: dict[Key, float] = {}  # seconds in Python
        self.compiled: dict[Key, Function | None] = {}  # None: Numba could not

    def __call__(self, *args: Any) -> None:
        if policy.price is None or max(map(_length, args)) < SMALL:
            self._by_python(args)
            return
        key = tuple(map(_kind, args))
        if key not in self.compiled:
            self._tried(key, args)
            return
        run = self.compiled[key]
        if run is None:
            self._by_python(args)
        else:
            run(*map(_passed, args))

    def _tried(self, key: Key, args: tuple[Any, ...]) -> None:
        """Python once more, and what it costs noted; or compiled, if it has cost enough."""
        spent = self.spent.get(key, 0.0)
        if policy.price is not None and spent >= policy.price:
            self._first(key, args)
            return
        start = perf_counter()
        self._by_python(args)
        self.spent[key] = spent + perf_counter() - start

    def _by_python(self, args: tuple[Any, ...]) -> None:
        if self.lists:
            rest = [x.tolist() if isinstance(x, array) else x for x in args[1:]]
            args = (args[0], *rest)
        self.function(*args)

    def _first(self, key: Key, args: tuple[Any, ...]) -> None:
        """Compile, and run; where Numba cannot, say so once and leave the loop to Python."""
        passed = [_passed(x) for x in args]
        before = args[0][:]
        with _lock:
            try:
                run = _compile(self.function, self.fast)
                run(*passed)
                self.compiled[key] = run if _exact(args) else None
            except Exception as error:
                name = f"{self.function.__name__} of {key}"
                log.info("native: %s stays with Python: %s", name, str(error).split("\n")[0])
                self.compiled[key] = None
        if self.compiled[key] is None:
            args[0][:] = before
            self._by_python(args)


def loop(function: Function) -> Loop:
    """Make a function a loop."""
    return Loop(function)


def product_loop(function: Function) -> Loop:
    """A loop whose sums may be reordered, and that Python runs on lists."""
    return Loop(function, lists=True, fast=True)


# --- arguments -----------------------------------------------------------------------------------
def _length(x: Any) -> int:
    return len(x) if hasattr(x, "__len__") else 0


def _kind(x: Any) -> Any:
    """What decides whether compiled code fits: functions themselves, the type of all else."""
    if callable(x):
        return x
    if isinstance(x, (range, list)):
        return "q"
    return x.typecode if isinstance(x, array) else type(x)


def _passed(x: Any) -> Any:
    """An argument as Numba takes it: buffers as memory views, places as a buffer."""
    if isinstance(x, array):
        return memoryview(x)
    if isinstance(x, range):
        return _places(x) if len(x) <= KEPT else _counted(x)
    if isinstance(x, list):
        return memoryview(array("q", x))
    return machine(x) if callable(x) else x


@functools.lru_cache(256)
def _places(places: range) -> memoryview:
    return memoryview(array("q", places))


_numbers = array("q")


def _counted(places: range) -> memoryview:
    """The numbers of a long range: a part of one buffer that all share, if they are neighbours."""
    global _numbers
    if places.step == 1 and places.start >= 0:
        if len(_numbers) < places.stop:
            _numbers = _filled(range(2 * places.stop))
        return memoryview(_numbers)[places.start : places.stop]
    return memoryview(_filled(places))


def _filled(places: range) -> Any:
    out = array("q", bytes(8)) * len(places)
    _compile(_count)(memoryview(out), places.start, places.step)
    return out


def _count(out: Any, start: int, step: int) -> None:
    for k in range(len(out)):
        out[k] = start + k * step


# --- compiling -----------------------------------------------------------------------------------
@functools.cache
def _compile(function: Function, fast: bool = False) -> Any:
    """Numba's version of a function that calls nothing but what Numba knows."""
    import numba

    options = {"fastmath": FAST} if fast else {}
    return numba.njit(error_model="numpy", nogil=True, **options)(_rebuilt(function, fast))


def machine(function: Function) -> Any:
    """What is done to a number, compiled.

    A function that only guards against Python's exceptions names, as ``machine``, the one it
    guards: machines answer 1 / 0 and log(-1) themselves.
    """
    function = getattr(function, "machine", function)
    if isinstance(function, (BuiltinFunctionType, type)):
        return _called(function)
    return _compile(function)


@functools.cache
def _called(builtin: Any) -> Any:
    return _compile(lambda *numbers: builtin(*numbers))


def _rebuilt(function: Any, fast: bool) -> FunctionType:
    """The same code, calling the compiled forms of the functions it calls."""
    code, given = function.__code__, function.__globals__
    loaded = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    names = {name: _inside(given[name], fast) for name in loaded if name in given}
    cells = [_inside(cell.cell_contents, False) for cell in function.__closure__ or ()]
    closure = tuple(CellType(value) for value in cells)
    base = {"__builtins__": given["__builtins__"], "__name__": function.__module__}
    return FunctionType(code, base | names, function.__name__, function.__defaults__, closure)


def _inside(value: Any, fast: bool) -> Any:
    value = getattr(value, "machine", value)
    return _compile(value, fast) if isinstance(value, FunctionType) else value


def _exact(args: tuple[Any, ...]) -> bool:
    """Whether no integers went through floats: Numba takes uint64 + int64 for one."""
    out = args[0]
    if not isinstance(out, array) or out.typecode in "fd":
        return True
    known = [s for x in args if callable(x) for s in machine(x).nopython_signatures]
    whole = [s for s in known if not any(str(each).startswith("float") for each in s.args)]
    return not any(str(s.return_type).startswith("float") for s in whole)

"""An optimizer's update as one kernel: its formula, run once on symbols, becomes CUDA.

A formula such as Adam's is a dozen elementwise words; said one by one each is a launch, which costs
Python more than the GPU.  So the formula is run on :class:`Element` and :class:`Number` in place of
arrays and hyper-parameters: what it does to elements is written down as a kernel, what it does to
numbers is worked out by Python before each launch, in double precision as always.  The kernel
rounds after each operation, as the words do.  A formula that looks at values, or says a word that
is not here, is left to the words.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

THREADS = 256
STATIC = (bool, str, type(None))
FUNCTIONS = {"sqrt": "sqrt", "exp": "exp", "log": "log", "abs": "fabs"}
TYPES = {"float32": "float", "float64": "double"}
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}
COMPARED = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class Unfusable(Exception):
    """A formula does something a kernel cannot be made of."""


class Number:
    """A number of the host: a function of the hyper-parameters."""

    def __init__(self, of: Callable[[tuple[float, ...]], Any]) -> None:
        self.of = of

    def __bool__(self) -> bool:
        raise Unfusable("the formula decides by the value of a number")

    def __neg__(self) -> Number:
        of = self.of
        return Number(lambda values: -of(values))


class Element:
    """An element of the arrays: a name in the kernel."""

    def __init__(self, code: Kernel, name: str) -> None:
        self.code, self.name = code, name

    def __bool__(self) -> bool:
        raise Unfusable("the formula decides by the value of an element")

    def __neg__(self) -> Element:
        return self.code.line(f"-{self.name}")

    def __abs__(self) -> Element:
        return self.code.call("abs", self)


def _numbers(name: str, x: Any, y: Any) -> Number:
    function = getattr(operator, name)
    left, right = _asked(x), _asked(y)
    return Number(lambda values: function(left(values), right(values)))


def _asked(x: Any) -> Callable[[Any], Any]:
    return x.of if isinstance(x, Number) else lambda values: x


def _combined(name: str, x: Any, y: Any) -> Any:
    """``x ∘ y``: worked out by the host where both are numbers, else a line of the kernel."""
    code = next((each.code for each in (x, y) if isinstance(each, Element)), None)
    if code is None:
        return _numbers(name, x, y)
    if name == "pow":
        return code.power(x, y)
    if name in COMPARED:
        return code.line(f"{code.term(x)} {COMPARED[name]} {code.term(y)}", "bool")
    return code.line(f"{code.term(x)} {SYMBOLS[name]} {code.term(y)}")


def _attach(name: str) -> None:
    def forward(self: Any, other: Any) -> Any:
        return _combined(name, self, other)

    def backward(self: Any, other: Any) -> Any:
        return _combined(name, other, self)

    for kind in (Number, Element):
        setattr(kind, f"__{name}__", forward)
        if name not in COMPARED:
            setattr(kind, f"__r{name}__", backward)


for _name in (*SYMBOLS, "pow", *COMPARED):
    _attach(_name)


class Kernel:
    """The kernel being written; to the formula it is the speaker ``xp``."""

    def __init__(self, dtype: str, count: int) -> None:
        self.type = TYPES[dtype]
        self.lines: list[str] = []
        self.numbers: list[Number] = []
        self.arrays = [Element(self, f"a{i}") for i in range(count)]
        self.results: dict[int, str] = {}

    # --- what is written -----------------------------------------------------------------------
    def line(self, text: str, kind: str | None = None) -> Element:
        """A new name for the value of `text`."""
        name = f"v{len(self.lines)}"
        self.lines.append(f"const {kind or self.type} {name} = {text};")
        return Element(self, name)

    def term(self, x: Any) -> str:
        """An operand in the kernel; a number becomes one of its arguments."""
        if isinstance(x, Element):
            return x.name
        if isinstance(x, (Number, int, float)):
            self.numbers.append(x if isinstance(x, Number) else Number(lambda values: x))
            return f"n{len(self.numbers) - 1}"
        raise Unfusable(f"a {type(x).__name__} among the operands")

    def call(self, name: str, x: Any) -> Element:
        suffix = "f" if self.type == "float" else ""
        return self.line(f"{FUNCTIONS[name]}{suffix}({self.term(x)})")

    def power(self, x: Any, y: Any) -> Element:
        if not isinstance(x, Element) or y not in (2, 0.5):
            raise Unfusable("a power that is no square and no root")
        return self.line(f"{x.name} * {x.name}") if y == 2 else self.call("sqrt", x)

    # --- the words -----------------------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        if name in FUNCTIONS:
            return lambda x: self.call(name, x)
        raise Unfusable(f"the word {name!r}")

    def sign(self, x: Any) -> Element:
        name = self.term(x)
        return self.line(f"{name} != {name} ? {name} : ({name} > 0) - ({name} < 0)")

    def square(self, x: Any) -> Element:
        return self.power(x, 2)

    def maximum(self, x: Any, y: Any) -> Element:
        """The larger; NaN if one of them is."""
        a, b = self.term(x), self.term(y)
        return self.line(f"({a} > {b} || {a} != {a}) ? {a} : {b}")

    def minimum(self, x: Any, y: Any) -> Element:
        """The smaller; NaN if one of them is."""
        a, b = self.term(x), self.term(y)
        return self.line(f"({a} < {b} || {a} != {a}) ? {a} : {b}")

    def where(self, condition: Any, x: Any, y: Any) -> Element:
        return self.line(f"{self.term(condition)} ? {self.term(x)} : {self.term(y)}")

    def write(self, target: Element, values: Any) -> None:
        self.results[self.arrays.index(target)] = self.term(values)

    # --- the text ------------------------------------------------------------------------------
    def source(self) -> str:
        """The kernel in CUDA C++."""
        kind = self.type
        written = set(self.results)
        parameters = ["long long size"]
        for i in range(len(self.arrays)):
            parameters.append(f"{kind}* p{i}" if i in written else f"const {kind}* p{i}")
        parameters += [f"{kind} n{i}" for i in range(len(self.numbers))]
        loads = [f"const {kind} a{i} = p{i}[i];" for i in range(len(self.arrays))]
        stores = [f"p{i}[i] = {name};" for i, name in sorted(self.results.items())]
        body = "\n    ".join([*loads, *self.lines, *stores])
        return f"""
extern "C" __global__ void update({", ".join(parameters)}) {{
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= size) return;
    {body}
}}
"""


class Plan:
    """A compiled update, and the numbers it wants."""

    def __init__(self, cp: Any, code: Kernel, dtype: Any) -> None:
        # --fmad=false: round after each operation, as the words do one by one
        self.kernel = cp.RawKernel(code.source(), "update", options=("--fmad=false",))
        self.numbers, self.dtype = code.numbers, dtype
        self.known: Any = None
        self.arguments: list[Any] = []

    def run(self, arrays: list[Any], values: tuple[float, ...]) -> None:
        if values != self.known:  # the same for all parameters of a step
            self.known = values
            self.arguments = [self.dtype.type(number.of(values)) for number in self.numbers]
        size = arrays[0].size
        grid = (-(-size // THREADS),)
        self.kernel(grid, (THREADS,), (np.int64(size), *arrays, *self.arguments))


class Fused:
    """Updates as kernels, made when they are first needed."""

    def __init__(self, cp: Any) -> None:
        self.cp = cp
        self.plans: dict[Any, Plan | None] = {}

    def update(self, owner: Any, arrays: list[Any], hyper: Any, terms: Any) -> bool:
        """Run ``owner._apply(xp, arrays, g, hyper, terms)``, g the last of `arrays`, as a kernel.

        Returns:
            False if that cannot be; then nothing was done.
        """
        if not hasattr(self.cp, "RawKernel") or not _alike(arrays):
            return False
        dtype = arrays[0].dtype
        options = [*hyper.items(), *((f"term {name}", value) for name, value in terms.items())]
        key = (type(owner), len(arrays), dtype.name, *((name, _kind(x)) for name, x in options))
        if key not in self.plans:
            self.plans[key] = self._planned(owner, dtype, len(arrays), hyper, terms)
        plan = self.plans[key]
        if plan is None:
            return False
        if arrays[0].size:
            plan.run(arrays, tuple(_flat([value for _, value in options])))
        return True

    def _planned(self, owner: Any, dtype: Any, count: int, hyper: Any, terms: Any) -> Plan | None:
        """The plan for this formula, or None if it does not give itself to a kernel."""
        code = Kernel(dtype.name, count)
        places = iter(range(1000))
        given = {name: _symbol(value, places) for name, value in hyper.items()}
        more = {name: _symbol(value, places) for name, value in terms.items()}
        *own, g = code.arrays
        try:
            owner._apply(code, own, g, given, more)
        except (Unfusable, TypeError, AttributeError):
            return None
        return Plan(self.cp, code, dtype)


def _alike(arrays: list[Any]) -> bool:
    """Whether element i of one array belongs to element i of all others, in memory too."""
    first = arrays[0]
    if first.dtype.name not in TYPES:
        return False
    for array in arrays:
        if array.dtype != first.dtype or array.shape != first.shape:
            return False
        if not array.flags.c_contiguous:
            return False
    return True


def _kind(value: Any) -> Any:
    """What of a hyper-parameter is part of the kernel: all but the values of numbers."""
    if isinstance(value, (tuple, list)):
        return tuple(_kind(each) for each in value)
    return (type(value), value) if isinstance(value, STATIC) else "number"


def _flat(values: Any) -> list[float]:
    """The numbers among hyper-parameters, in order."""
    found: list[float] = []
    for value in values:
        if isinstance(value, (tuple, list)):
            found += _flat(value)
        elif not isinstance(value, STATIC):
            found.append(value)
    return found


def _symbol(value: Any, places: Any) -> Any:
    """A number's symbol, which knows its place among all of them."""
    if isinstance(value, (tuple, list)):
        return tuple(_symbol(each, places) for each in value)
    if isinstance(value, STATIC):
        return value
    place = next(places)
    return Number(lambda values: values[place])

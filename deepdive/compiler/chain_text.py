"""The CUDA source of a chain: one thread per element, one line per word.

Each line computes in the dtype the word computes in, and rounds as the word does; a number that
changes from call to call is read from memory, where the host puts it before each call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from deepdive.compiler.chain_halves import HALVES, functions, rounded
from deepdive.compiler.expressions import ARITHMETIC, COMPARED, VIRTUAL
from deepdive.compiler.graph import NUMBER, Value
from deepdive.compiler.layout import Place, spread

TYPES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int32": "int",
    "uint32": "unsigned int",
    "int64": "long long",
    "float32": "float",
    "float64": "double",
    "float16": "unsigned short",
    "bfloat16": "unsigned short",
}  # in memory
REGISTERS = {**TYPES, **dict.fromkeys(HALVES, "float")}
MADE = ("bool", "int32", "int64", "float16", "float32", "float64", "bfloat16")
PAIRS = {
    **ARITHMETIC,
    "maximum": "({0} > {1} || {0} != {0}) ? {0} : {1}",  # a NaN wins
    "minimum": "({0} < {1} || {0} != {0}) ? {0} : {1}",
}
FLOATING = {
    "divide": "{0} / {1}",
    "atan2": "atan2@({0}, {1})",
    "sigmoid": "1 / (1 + exp@(-{0}))",
    "reciprocal": "1 / {0}",
    **{name: f"{name}@({{0}})" for name in "sqrt exp expm1 log log1p log2 log10".split()},
    **{name: f"{name}@({{0}})" for name in "sin cos tan sinh cosh tanh erf".split()},
    **{name: f"{name}@({{0}})" for name in "asin acos atan asinh acosh atanh".split()},
    **{name: f"{name}@({{0}})" for name in "floor ceil trunc".split()},
    "round": "rint@({0})",
}
SINGLE = {
    "negative": "-{0}",
    "square": "{0} * {0}",
    "copy": "{0}",
    "sign": "{0} != {0} ? {0} : ({0} > 0) - ({0} < 0)",
}
ASKED = {"isnan": "{0} != {0}", "isfinite": "{0} - {0} == 0", "logical_not": "!({0} != 0)"}
LOGICAL = {
    "logical_and": "({0} != 0) && ({1} != 0)",
    "logical_or": "({0} != 0) || ({1} != 0)",
    "logical_xor": "({0} != 0) != ({1} != 0)",
}
BITS = {"bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}"}
OTHERS = ("abs", "where", "astype", "pow")
TO_BOOL = {**COMPARED, **ASKED, **LOGICAL}
TEXTS = {**PAIRS, **FLOATING, **SINGLE, **TO_BOOL, **BITS}
WORDS = frozenset((*TEXTS, *OTHERS))
REAL = frozenset("float16 float32 float64".split())
MOVED = ("astype", "where", "copy")  # words that bfloat16 and mixed halves are there for


def is_elementwise(value: Value) -> bool:
    """Whether a chain may hold this word: of its dtypes, and of operands that broadcast.

    >>> x = Value("input", {}, (2,), np.dtype("float32"))
    >>> is_elementwise(Value("tanh", {"x": x}, (2,), x.dtype))
    True
    """
    if value.word not in WORDS or value.dtype is NUMBER or not value.size:
        return False
    kinds = [v.dtype.name for v in value.operands() if v.dtype is not NUMBER]
    if not kinds or any(kind not in TYPES for kind in kinds) or value.dtype.name not in MADE:
        return False
    if "bfloat16" in (value.dtype.name, *kinds) and value.word not in MOVED:
        return False
    if value.dtype.name in HALVES and "float64" in kinds:
        return False  # by way of float32 it would be rounded twice
    if value.word in FLOATING or value.word == "pow":
        return value.dtype.name in REAL and all(kind in REAL for kind in kinds)
    return value.word not in PAIRS or value.dtype.name != "bool"


class ChainText:
    """Writes one kernel.

    Args:
        values: the words, in order.
        stored: those of them that go to memory.
        places: where all values lie.
        number: the index of a changing number among those of the program.

    Attributes:
        reads: the values in memory that the kernel wants, in the order of its parameters.
        source: the text; equal kernels have equal texts.
    """

    def __init__(
        self,
        values: list[Value],
        stored: list[Value],
        places: dict[Value, Place],
        number: Callable[[Any], int],
    ) -> None:
        self.places = places
        self.number = number
        self.known: dict[Value, str] = {}
        self.loads: dict[tuple[Value, str], str] = {}
        self.reads: list[Value] = []
        self.lines: list[str] = []
        self.counts = False  # whether it wants the numbers
        self.wide = values[0].size > np.iinfo(np.int32).max
        for value in values:
            kind = value.dtype.name
            text = rounded(self._expression(value), kind)
            name = f"v{len(self.known)}"
            self.lines.append(f"const {REGISTERS[kind]} {name} = {text};")
            self.known[value] = name
        self.stored = stored
        self.source = self._source()

    # --- expressions ---------------------------------------------------------------------------
    def _expression(self, value: Value) -> str:
        """The right side of the line of a word."""
        arguments = value.arguments
        kind = _operation(value)

        def operand(name: str, wanted: str = kind) -> str:
            return self._operand(arguments[name], value, wanted)

        suffix = "" if kind == "float64" else "f"
        if value.word == "abs":
            x = operand("x")
            return f"fabs{suffix}({x})" if kind in REAL else f"{x} < 0 ? -{x} : {x}"
        if value.word == "astype":
            x = operand("x", arguments["x"].dtype.name)
            return f"{x} != 0" if kind == "bool" else f"({REGISTERS[kind]}){x}"
        if value.word == "where":
            condition = self._operand(arguments["condition"], value, "bool")
            return f"{condition} ? {operand('x')} : {operand('y')}"
        if value.word == "pow":
            return self._power(operand("x"), arguments["y"], operand, suffix)
        names = ("x", "y") if "y" in arguments else ("x",)
        return TEXTS[value.word].replace("@", suffix).format(*map(operand, names))

    def _power(self, x: str, exponent: Any, operand: Any, suffix: str) -> str:
        if not isinstance(exponent, Value) and exponent in (2, 0.5):
            return f"{x} * {x}" if exponent == 2 else f"sqrt{suffix}({x})"
        return f"pow{suffix}({x}, {operand('y')})"

    def _operand(self, item: Any, value: Value, wanted: str) -> str:
        """An operand in the dtype of the operation: a number, a register, or loaded once."""
        if isinstance(item, Value) and item.dtype is NUMBER:
            return self._told(item, wanted)
        if not isinstance(item, Value):
            return self._literal(item, wanted)
        base, offset, strides = self.places[item]
        if is_virtual(base):
            return self._literal(_one_number(base), wanted)
        filled = spread(strides, item.shape, value.shape)
        index = _index(value.shape, filled, offset)
        name = self.known.get(base) if index == "i" and base.size == value.size else None
        if name is None:
            name = self._loaded(base, index)
        if base.dtype.name == wanted:
            return name
        return rounded(f"({REGISTERS[wanted]}){name}", wanted)

    def _told(self, number: Any, wanted: str) -> str:
        """A number the host tells, in the dtype of the operation."""
        self.counts = True
        return rounded(f"({REGISTERS[wanted]})numbers[{self.number(number)}]", wanted)

    def _literal(self, number: Any, wanted: str) -> str:
        if isinstance(number, bool) or wanted == "bool":
            return str(int(bool(number)))
        if isinstance(number, float) and not math.isfinite(number):
            return self._told(number, wanted)  # C has no literal for it
        text = repr(number) if number >= 0 else f"({number!r})"
        return rounded(f"({REGISTERS[wanted]}){text}", wanted)

    def _loaded(self, base: Value, index: str) -> str:
        if (base, index) not in self.loads:
            if base not in self.reads:
                self.reads.append(base)
            name = f"a{len(self.loads)}"
            kind = base.dtype.name
            text = f"p{self.reads.index(base)}[{index}]"
            text = f"from_{kind}({text})" if kind in HALVES else text
            self.lines.append(f"const {REGISTERS[kind]} {name} = {text};")
            self.loads[base, index] = name
        return self.loads[base, index]

    # --- the text ------------------------------------------------------------------------------
    def _source(self) -> str:
        integer = "long long" if self.wide else "int"
        parameters = [f"{integer} size"]
        parameters += [f"const {TYPES[v.dtype.name]}* p{i}" for i, v in enumerate(self.reads)]
        parameters += [f"{TYPES[v.dtype.name]}* q{i}" for i, v in enumerate(self.stored)]
        if self.counts:
            parameters.append("const double* numbers")
        stores = []
        for i, value in enumerate(self.stored):
            name, kind = self.known[value], value.dtype.name
            name = f"to_{kind}({name})" if kind in HALVES else name
            stores.append(f"q{i}[i] = {name};")
        kinds = {value.dtype.name for value in (*self.known, *self.reads)}
        body = "\n    ".join([*self.lines, *stores])
        return f"""{functions(kinds)}
extern "C" __global__ void chain({", ".join(parameters)}) {{
    const {integer} i = blockIdx.x * ({integer})blockDim.x + threadIdx.x;
    if (i >= size) return;
    {body}
}}
"""


def _operation(value: Value) -> str:
    """The dtype a word computes in: of its result, or of what it compares."""
    if value.word not in TO_BOOL:
        return str(value.dtype.name)
    arrays = [v for v in value.operands() if v.dtype is not NUMBER]
    kind = np.result_type(*(v.dtype for v in arrays))
    fractions = any(isinstance(a, float) for a in value.arguments.values())
    changing = any(v.dtype is NUMBER for v in value.operands())
    if kind.kind in "biu" and (fractions or changing):
        return "float32"
    return str(kind.name)


def is_virtual(value: Value) -> bool:
    """Whether a value is one known number everywhere: written where it is read."""
    if value.word not in VIRTUAL or value.word == "arange":
        return False
    return value.word != "full" or isinstance(value.arguments["value"], (int, float))


def _one_number(value: Value) -> Any:
    if value.word == "full":
        return value.arguments["value"]
    return int(value.word == "ones")


def _index(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> str:
    """Where in memory element i of `shape` lies: runs of axes that lie densely are one.

    >>> _index((64, 10), (10, 1), 0), _index((64, 10), (0, 1), 0), _index((64, 10), (1, 0), 3)
    ('i', 'i % 10', 'i / 10 + 3')
    """
    axes = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    runs: list[list[int]] = []  # extent, stride, elements inside
    if not axes:  # one element, number 0
        return f"i + {offset}" if offset else "i"
    inside = 1
    for extent, stride in reversed(axes):
        if runs and stride == runs[-1][0] * runs[-1][1]:
            runs[-1][0] *= extent
        else:
            runs.append([extent, stride, inside])
        inside *= extent
    terms = []
    for place, (extent, stride, step) in enumerate(runs, 1):
        if stride:
            text = "i" if step == 1 else f"i / {step}"
            text = text if place == len(runs) else f"{text} % {extent}"
            terms.append(text if stride == 1 else f"({text}) * {stride}")
    terms += [str(offset)] if offset or not terms else []
    return " + ".join(terms)

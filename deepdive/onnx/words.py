"""Each word of the vocabulary in ONNX's operators (https://onnx.ai/onnx/operators, opset 18).

A word is written by a function ``(writer, value, **arguments) -> name``; most are one operator and
stand in a table.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepdive import dtypes
from deepdive.compiler.graph import NUMBER, Value
from deepdive.errors import DeepDiveError
from deepdive.onnx.table import SPECIAL, said
from deepdive.onnx.words_shape import axes_of
from deepdive.onnx.writer import Writer

UNARY = {
    "negative": "Neg",
    "abs": "Abs",
    "sign": "Sign",
    "floor": "Floor",
    "ceil": "Ceil",
    "round": "Round",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "asin": "Asin",
    "acos": "Acos",
    "atan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "tanh": "Tanh",
    "asinh": "Asinh",
    "acosh": "Acosh",
    "atanh": "Atanh",
    "reciprocal": "Reciprocal",
    "erf": "Erf",
    "sigmoid": "Sigmoid",
    "isnan": "IsNaN",
    "isinf": "IsInf",
    "logical_not": "Not",
    "copy": "Identity",
    "contiguous": "Identity",
}
ARITHMETIC = {  # operands in the result's dtype
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "maximum": "Max",
    "minimum": "Min",
    "pow": "Pow",
    "matmul": "MatMul",
}
COMPARISONS = {  # operands in one dtype, the result is bool
    "equal": "Equal",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
}
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
REDUCTIONS = {
    "sum": "ReduceSum",
    "prod": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "mean": "ReduceMean",
    "logsumexp": "ReduceLogSumExp",
}


def write_word(writer: Writer, value: Value) -> None:
    """Write the nodes of one value.

    Raises:
        DeepDiveError: for a word that has none.
    """
    word, arguments = value.word, value.arguments
    if word in SPECIAL:
        name = SPECIAL[word](writer, value, *arguments.values())
    elif word in UNARY:
        name = writer.node(UNARY[word], writer.name(arguments["x"], _float(value, word)))
    elif word in ARITHMETIC:
        operands = [writer.name(operand, value.dtype) for operand in arguments.values()]
        name = writer.node(ARITHMETIC[word], *operands)
    elif word in COMPARISONS:
        name = writer.node(COMPARISONS[word], *_common(writer, *arguments.values()))
    elif word in LOGIC:
        name = writer.node(LOGIC[word], *(writer.name(x, bool) for x in arguments.values()))
    elif word in REDUCTIONS:
        name = _reduction(writer, value, **arguments)
    else:
        raise DeepDiveError(
            f"onnx.export: the word {word!r} has no ONNX operators here",
            got=f"in {value.origin}" if value.origin else None,
            fix="write the model without it, or add it to deepdive/onnx/words.py",
        )
    if name:
        writer.made(value, name)


def _float(value: Value, word: str) -> Any:
    """ONNX's functions do not promote: the operand in the result's dtype, where it has one."""
    return None if word in ("isnan", "isinf") else value.dtype


def _common(writer: Writer, x: Any, y: Any) -> list[str]:
    dtypes = [np.dtype(v.dtype) for v in (x, y) if isinstance(v, Value) and v.dtype is not NUMBER]
    dtype = np.result_type(*dtypes)
    if dtype.kind == "b":
        dtype = np.dtype(np.int32)
    return [writer.name(x, dtype), writer.name(y, dtype)]


def _reduction(writer: Writer, value: Value, x: Any, axis: Any, keepdims: bool) -> str:
    axes = axes_of(axis, len(x.shape))
    keep = int(bool(keepdims))
    operator = REDUCTIONS[value.word]
    name = writer.name(x, value.dtype)
    return writer.node(operator, name, writer.ints(*axes), keepdims=keep)


@said("argmax", "argmin")
def _argument(writer: Writer, value: Value, x, axis, keepdims: bool) -> str:
    name = writer.name(x)
    if axis is None:
        name, axis = writer.node("Reshape", name, writer.ints(-1)), 0
    operator = "ArgMax" if value.word == "argmax" else "ArgMin"
    return writer.node(operator, name, axis=axis, keepdims=int(bool(keepdims)))


@said("where")
def _where(writer: Writer, value: Value, condition, x, y) -> str:
    chosen = writer.name(condition, bool)
    return writer.node("Where", chosen, writer.name(x, value.dtype), writer.name(y, value.dtype))


@said("not_equal")
def _not_equal(writer: Writer, value: Value, x, y) -> str:
    return writer.node("Not", writer.node("Equal", *_common(writer, x, y)))


@said("square")
def _square(writer: Writer, value: Value, x) -> str:
    name = writer.name(x, value.dtype)
    return writer.node("Mul", name, name)


@said("expm1")
def _expm1(writer: Writer, value: Value, x) -> str:
    e = writer.node("Exp", writer.name(x, value.dtype))
    return writer.node("Sub", e, writer.name(1, value.dtype))


@said("log1p")
def _log1p(writer: Writer, value: Value, x) -> str:
    one = writer.name(1, value.dtype)
    return writer.node("Log", writer.node("Add", writer.name(x, value.dtype), one))


@said("log2", "log10")
def _log_to(writer: Writer, value: Value, x) -> str:
    base = math.log(2 if value.word == "log2" else 10)
    log = writer.node("Log", writer.name(x, value.dtype))
    return writer.node("Div", log, writer.name(base, value.dtype))


@said("logaddexp")
def _logaddexp(writer: Writer, value: Value, x, y) -> str:
    first, second = writer.name(x, value.dtype), writer.name(y, value.dtype)
    largest = writer.node("Max", first, second)
    apart = writer.node("Abs", writer.node("Sub", first, second))
    e = writer.node("Exp", writer.node("Neg", apart))
    tail = writer.node("Log", writer.node("Add", e, writer.name(1, value.dtype)))
    return writer.node("Add", largest, tail)


@said("floor_divide")
def _floor_divide(writer: Writer, value: Value, x, y) -> str:
    operands = (writer.name(x, "float64"), writer.name(y, "float64"))
    return writer.cast(writer.node("Floor", writer.node("Div", *operands)), value.dtype)


@said("remainder")
def _remainder(writer: Writer, value: Value, x, y) -> str:
    first, second = writer.name(x, value.dtype), writer.name(y, value.dtype)
    if not dtypes.is_floating(value.dtype):
        return writer.node("Mod", first, second)
    whole = writer.node("Floor", writer.node("Div", first, second))
    return writer.node("Sub", first, writer.node("Mul", whole, second))


@said("trunc")
def _trunc(writer: Writer, value: Value, x) -> str:
    name = writer.name(x)
    sign = writer.node("Sign", name)
    return writer.node("Mul", sign, writer.node("Floor", writer.node("Abs", name)))


@said("isfinite")
def _isfinite(writer: Writer, value: Value, x) -> str:
    name = writer.name(x)
    wrong = writer.node("Or", writer.node("IsNaN", name), writer.node("IsInf", name))
    return writer.node("Not", wrong)


@said("clip")
def _clip(writer: Writer, value: Value, x, min, max) -> str:
    name = writer.name(x, value.dtype)
    if min is not None:
        name = writer.node("Max", name, writer.name(min, value.dtype))
    if max is not None:
        name = writer.node("Min", name, writer.name(max, value.dtype))
    return name


@said("astype")
def _astype(writer: Writer, value: Value, x, dtype) -> str:
    return writer.cast(writer.name(x), value.dtype)


@said("zeros", "ones", "full")
def _filled(writer: Writer, value: Value, *arguments) -> str:
    """As large as the batch: constants are folded, so this one grows."""
    number = {"zeros": 0, "ones": 1}.get(value.word, value.arguments.get("value"))
    return writer.node("Expand", writer.name(number, value.dtype), writer.sizes(value))


@said("zeros_like", "ones_like")
def _filled_like(writer: Writer, value: Value, x) -> str:
    number = writer.name(int(value.word == "ones_like"), value.dtype)
    return writer.node("Expand", number, writer.sizes(value))

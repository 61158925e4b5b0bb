"""Data types by name, and PyTorch's promotion of mixed types.

A dtype is NumPy's dtype object, so ``x.dtype == np.float32`` and ``np.zeros(3, x.dtype)`` hold;
without NumPy its place is taken by :class:`deepdive.host.DType`.
Where NumPy and PyTorch promote differently, PyTorch's rule counts: ``int64 + float32`` is
``float32``, not ``float64``, and a 0-d operand or a Python number never widens an array of the
same kind.  Reference: https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.dtype

``bfloat16`` – float32's range, eight bits of precision – is NumPy's by the package ml_dtypes, the
extra ``[bf16]``, imported when the name is first used; see :mod:`deepdive.backend.widening`.
"""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.errors import DTypeError, did_you_mean, missing_extra
from deepdive.host import np

DType = Any  # a NumPy dtype object; users may pass a name, a NumPy type or a Python type

bool_ = np.dtype("bool")
uint8 = np.dtype("uint8")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")

BY_NAME = {
    "bool": bool_,
    "uint8": uint8,
    "int8": int8,
    "int16": int16,
    "int32": int32,
    "int64": int64,
    "float16": float16,
    "float32": float32,
    "float64": float64,
    # PyTorch's second names
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
}

FLOATING = "fV"  # NumPy's kind of float, and the one that ml_dtypes gives bfloat16
KIND_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}
LATE = ("bfloat16",)  # in BY_NAME once it was asked for

NARROW: set[Any] = set()  # the types that operators compute with in float32: bfloat16, or none


def as_dtype(dtype: DType) -> Any:
    """The dtype object for a name, a NumPy type, a Python type or a dtype.

    Python's own ``float`` is the default dtype, ``int`` is ``int64``.

    Raises:
        DTypeError: for complex numbers, strings, objects and unknown names.

    >>> as_dtype("long")
    dtype('int64')
    """
    if dtype is float:
        return default_float()
    if isinstance(dtype, str) and dtype in BY_NAME:
        return BY_NAME[dtype]
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    name = str(dtype) if resolved is None else resolved.name
    if name in LATE:
        return _bfloat16()
    if resolved is None or name not in BY_NAME:
        raise DTypeError(
            f"no dtype {dtype!r}",
            expected=", ".join([*list(BY_NAME)[:9], *LATE]),
            fix=did_you_mean(str(dtype), [*BY_NAME, *LATE]),
        )
    return BY_NAME[name]


def _bfloat16() -> Any:
    """The dtype, known by its name from now on.

    Raises:
        MissingExtraError: without the package ml_dtypes.
    """
    if "bfloat16" not in BY_NAME:
        try:
            import ml_dtypes
        except ImportError:
            raise missing_extra("ml_dtypes", "bf16", "bfloat16") from None
        BY_NAME["bfloat16"] = np.dtype(ml_dtypes.bfloat16)
        NARROW.add(BY_NAME["bfloat16"])
    return BY_NAME["bfloat16"]


def __getattr__(name: str) -> Any:
    if name in LATE:
        return as_dtype(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def default_float() -> Any:
    """What Python floats become (see :func:`deepdive.set_default_dtype`)."""
    return BY_NAME[config.defaults.dtype]


config._dtype_of[0] = as_dtype


def is_floating(dtype: Any) -> bool:
    """Whether numbers of this type have a fractional part, and so a gradient."""
    return dtype.kind in FLOATING


def gradient_dtype(dtype: Any) -> Any:
    """The type a gradient has: the tensor's own where that is floating."""
    return dtype if dtype.kind in FLOATING else default_float()


def number_dtype(number: Any) -> Any:
    """The dtype a Python number has when it stands alone."""
    if isinstance(number, bool):
        return bool_
    return int64 if isinstance(number, int) else default_float()


def result_type(*operands: Any) -> Any:
    """PyTorch's result type for arrays, dtypes and Python numbers in one operation.

    Three classes of operands: arrays with dimensions, 0-d arrays, Python numbers.  A later class
    counts only if its *kind* (bool < integer < floating) is higher than that of all before it.

    >>> result_type(np.zeros(3, "int64"), np.zeros(3, "float32")).name
    'float32'
    >>> result_type(np.zeros(3, "float32"), np.float64(1.0)).name
    'float32'
    """
    classes: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for operand in operands:
        if isinstance(operand, (bool, int, float)) and not isinstance(operand, np.generic):
            classes[2].append(number_dtype(operand))
        elif isinstance(operand, np.dtype):
            classes[0].append(operand)
        else:
            classes[0 if operand.ndim else 1].append(operand.dtype)
    result: Any = None
    for members in classes:
        if members:
            common = members[0]
            for dtype in members[1:]:
                common = _promote(common, dtype)
            if result is None or KIND_RANK[common.kind] > KIND_RANK[result.kind]:
                result = common
    return result


def _promote(a: Any, b: Any) -> Any:
    """The common type of two arrays: the wider of one kind, else the higher kind as it is."""
    rank_a, rank_b = KIND_RANK[a.kind], KIND_RANK[b.kind]
    if rank_a != rank_b:
        return a if rank_a > rank_b else b
    if a != b and (a in NARROW or b in NARROW):  # NumPy knows no common type of the two halves
        return np.promote_types(float32, b if a in NARROW else a)
    return np.promote_types(a, b)

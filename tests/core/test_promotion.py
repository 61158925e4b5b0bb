"""The dtype of a result is PyTorch's, for all pairs of dtypes and all kinds of operands."""

import itertools

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import DeepDiveError

torch = pytest.importorskip("torch")

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
KINDS = {
    "tensor": lambda dtype: (np.ones(2, dtype), torch.ones(2, dtype=getattr(torch, dtype))),
    "0-d": lambda dtype: (np.ones((), dtype), torch.ones((), dtype=getattr(torch, dtype))),
}
NUMBERS = {"True": True, "2": 2, "2.5": 2.5}
BINARY = ("add", "sub", "mul", "true_divide", "pow", "maximum", "eq", "lt", "remainder", "atan2")
FLOATS = ("float16", "float32", "float64")


# Where PyTorch refuses, ours may be kinder; and its `True ** True` alone stays a boolean.
KINDER = ("PyTorch error", "bool __pow__ True: int64, PyTorch bool")


def disagreements(rows):
    """The rows ``what, ours, PyTorch's`` that differ and are not on purpose."""
    texts = [f"{what}: {ours}, PyTorch {theirs}" for what, ours, theirs in rows if ours != theirs]
    return "\n".join(text for text in texts if not text.endswith(KINDER))


def result(call):
    """The dtype's name, or "error"."""
    try:
        out = call()
    except (DeepDiveError, RuntimeError, TypeError, NotImplementedError):
        return "error"
    return str(out.dtype).replace("torch.", "")


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("left", KINDS)
@pytest.mark.parametrize("right", KINDS)
def test_tensors(name, left, right):
    rows = []
    for one, other in itertools.product(DTYPES, DTYPES):
        (x, a), (y, b) = KINDS[left](one), KINDS[right](other)
        with np.errstate(all="ignore"):
            ours = result(lambda x=x, y=y: getattr(dd, name)(dd.tensor(x), dd.tensor(y)))
        theirs = result(lambda a=a, b=b: getattr(torch, name)(a, b))
        rows.append((f"{one} {name} {other}", ours, theirs))
    assert not disagreements(rows)


@pytest.mark.parametrize("name", ["__add__", "__rsub__", "__mul__", "__truediv__", "__pow__"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_numbers(name, kind, number):
    rows = []
    for dtype in DTYPES:
        x, a = KINDS[kind](dtype)
        ours = result(lambda x=x: getattr(dd.tensor(x), name)(number))
        theirs = result(lambda a=a: getattr(a, name)(number))
        rows.append((f"{dtype} {name} {number}", ours, theirs))
    assert not disagreements(rows)


@pytest.mark.parametrize("name", ["cat", "where"])
def test_joining(name):
    rows = []
    for one, other in itertools.product(DTYPES, DTYPES):
        (x, a), (y, b) = KINDS["tensor"](one), KINDS["tensor"](other)
        if name == "cat":
            ours = result(lambda x=x, y=y: dd.cat([dd.tensor(x), dd.tensor(y)]))
            theirs = result(lambda a=a, b=b: torch.cat([a, b]))
        else:
            mask = np.array([True, False])
            ours = result(
                lambda x=x, y=y, mask=mask: dd.where(dd.tensor(mask), dd.tensor(x), dd.tensor(y))
            )
            theirs = result(lambda a=a, b=b, mask=mask: torch.where(torch.tensor(mask), a, b))
        rows.append((f"{name}({one}, {other})", ours, theirs))
    assert not disagreements(rows)


@pytest.mark.parametrize("number", [2, 2.5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_where_with_a_number(dtype, number):
    (x, a), mask = KINDS["tensor"](dtype), np.array([True, False])
    ours = result(lambda: dd.where(dd.tensor(mask), dd.tensor(x), number))
    assert ours == result(lambda: torch.where(torch.tensor(mask), a, number))


def test_matmul_of_one_dtype_and_of_several_floats():
    for dtype in DTYPES[1:]:
        x = dd.tensor(np.ones((2, 2), dtype))
        assert (x @ x).dtype == np.dtype(dtype)
    # PyTorch refuses mixed types here; ours promotes as everywhere else
    for one, other in itertools.product(FLOATS, FLOATS):
        x, y = dd.tensor(np.ones((2, 2), one)), dd.tensor(np.ones((2, 2), other))
        assert (x @ y).dtype == np.promote_types(one, other)


@pytest.mark.parametrize("name", ["exp", "sqrt", "sin", "log1p", "sigmoid", "mean", "reciprocal"])
def test_functions_of_integers_are_floating(name):
    for dtype in DTYPES:
        x, a = KINDS["tensor"](dtype)
        if name == "mean" and dtype not in FLOATS:  # PyTorch refuses; ours gives the mean
            assert dd.tensor(x).mean().dtype == np.float32
            continue
        ours = result(lambda x=x: getattr(dd, name)(dd.tensor(x)))
        assert ours == result(lambda a=a: getattr(torch, name)(a)), dtype


@pytest.mark.parametrize(
    "name", ["sum", "prod", "cumsum", "cumprod", "amax", "abs", "square", "neg"]
)
def test_functions_that_keep_or_widen_integers(name):
    rows = []
    for dtype in DTYPES:
        x, a = KINDS["tensor"](dtype)
        args = (0,) if name.startswith("cum") else ()
        ours = result(lambda x=x, args=args: getattr(dd, name)(dd.tensor(x), *args))
        theirs = result(lambda a=a, args=args: getattr(torch, name)(a, *args))
        rows.append((f"{name}({dtype})", ours, theirs))
    assert not disagreements(rows)


def test_booleans_never_become_small_integers():
    yes = dd.tensor([True])
    for out in (yes**yes, yes % yes, yes // yes, yes.square(), yes.sum(), yes.cumsum(0)):
        assert out.dtype == np.int64


def test_where_of_two_numbers():
    mask = dd.tensor([True, False])
    assert dd.where(mask, 1.0, 2).dtype == np.float32
    assert dd.where(mask, 1, 2).dtype == np.int64


def test_the_default_dtype_is_what_python_floats_become():
    dd.set_default_dtype("float64")
    try:
        assert dd.tensor([1.0]).dtype == np.float64
        assert (dd.tensor([1]) * 0.5).dtype == np.float64
        assert dd.zeros(2).dtype == np.float64
    finally:
        dd.set_default_dtype("float32")
    assert (dd.tensor([1]) * 0.5).dtype == np.float32

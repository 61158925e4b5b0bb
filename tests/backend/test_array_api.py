"""The native array against the Python array API standard.

The referee is ``array_api_strict``, the consortium's own minimal implementation; the table at the
end of docs/array_api.md is what LEFT_OUT and OTHERWISE say here.
"""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend.native import NDArray, asarray
from deepdive.errors import DeviceError, ShapeError

strict = pytest.importorskip("array_api_strict")
native = asarray(0).__array_namespace__()
DOCS = Path(__file__).parents[2] / "docs" / "array_api.md"

# What the standard has and the native array has not
LEFT_OUT = {"complex64", "complex128", "fft", "linalg"}
# Its own switches, which are not the standard's
FLAGS = {name for name in strict.__all__ if "strict_flags" in name.lower() or name == "Device"}
FLAGS.add("ArrayAPIStrictFlags")
NAMES = sorted(n for n in strict.__all__ if not n.startswith("__") and n not in FLAGS | LEFT_OUT)
FUNCTIONS = [
    n for n in NAMES if callable(getattr(strict, n)) and not hasattr(getattr(strict, n), "mro")
]
FUNCTIONS = [n for n in FUNCTIONS if n not in native.__array_namespace_info__().dtypes()]


def test_what_is_left_out_is_not_there_and_is_written_down():
    text = DOCS.read_text(encoding="utf-8")
    for name in LEFT_OUT:
        assert not hasattr(native, name) and f"`{name}`" in text


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert hasattr(native, name)


POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_call_the_standard_allows_is_taken(name):
    theirs = inspect.signature(getattr(strict, name)).parameters.values()
    ours = inspect.signature(getattr(native, name)).parameters.values()
    if any(p.kind in ANY for p in ours):
        return  # a word binds its arguments itself, and the calls below show how
    places = [p for p in ours if p.kind in POSITIONAL]
    assert len(places) >= sum(p.kind in POSITIONAL for p in theirs)
    named = {p.name for p in ours if p.kind is not inspect.Parameter.POSITIONAL_ONLY}
    wanted = {p.name for p in theirs if p.kind not in (inspect.Parameter.POSITIONAL_ONLY, *ANY)}
    assert wanted <= named
    needed = [p for p in ours if p.default is p.empty and p.kind not in ANY]
    assert len(needed) <= sum(p.default is p.empty for p in theirs)


# Expressions, evaluated with each namespace as xp and with these arrays in it
ARRAYS = {
    "x": ([[0.5, -1.5, 2.0], [4.0, 0.25, -3.0]], "float32"),
    "y": ([[2.0, 1.0, -1.0], [0.5, 4.0, 3.0]], "float32"),
    "p": ([0.125, 0.5, 0.75], "float64"),
    "s": ([math.inf, -math.inf, math.nan, 0.0, -0.0], "float32"),
    "n": ([[3, 1, 2], [5, 7, 2]], "int64"),
    "m": ([4, -3, 2], "int32"),
    "u": ([1, 2, 250], "uint8"),
    "w": ([1, 2, 65000], "uint16"),
    "b": ([True, False, True], "bool"),
    "e": ([], "float32"),
}
ELEMENTWISE = (
    "abs ceil cos exp expm1 floor negative positive round sign sin sinh cosh square tan tanh"
)
FRACTIONS = "asin acos atan atanh asinh log log1p log2 log10 sqrt reciprocal"
PAIRS = (
    "add subtract multiply divide floor_divide remainder maximum minimum equal not_equal less "
    "less_equal greater greater_equal copysign hypot nextafter atan2 logaddexp"
)
BITS = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift"
REDUCTIONS = "sum prod max min mean std var all any argmax argmin count_nonzero"
UNSIGNED = ("sum", "prod", "cumulative_sum", "cumulative_prod")  # wider than PyTorch's
CALLS = [
    *(f"xp.{word}({x})" for word in ELEMENTWISE.split() for x in ("x", "p")),
    *(f"xp.{word}({x})" for word in "abs negative positive sign square".split() for x in "nm"),
    *(f"xp.{word}(n)" for word in "ceil floor trunc round".split()),
    *(f"xp.{word}({x})" for word in FRACTIONS.split() for x in ("p", "s")),
    *(f"xp.{word}(s)" for word in "isnan isinf isfinite signbit exp floor sign".split()),
    *(f"xp.{word}(x, y)" for word in PAIRS.split()),
    *(f"xp.{word}(x, 2.0)" for word in PAIRS.split()),
    *(f"xp.{word}(n, m)" for word in PAIRS.split()[:5] + PAIRS.split()[6:14] if word != "divide"),
    *(f"xp.{word}(m[:1], xp.asarray([3], dtype=xp.int32))" for word in BITS.split()),
    *(f"xp.logical_{word}(b, xp.asarray([True, True, False]))" for word in ("and", "or", "xor")),
    "xp.logical_not(b)",
    "xp.bitwise_invert(n)",
    "xp.pow(y, 2.0)",
    "xp.pow(n, m[2:])",
    "xp.acosh(p + 1)",
    "xp.clip(x, -1.0, 1.0)",
    "xp.clip(n, min=2)",
    "xp.trunc(x)",
    "xp.conj(x)",
    *(f"xp.{word}(x)" for word in REDUCTIONS.split()),
    *(f"xp.{word}(x, axis=1)" for word in REDUCTIONS.split()),
    *(f"xp.{word}(x, axis=-1, keepdims=True)" for word in REDUCTIONS.split()),
    *(f"xp.{word}(x, axis=(0, 1))" for word in REDUCTIONS.split() if "arg" not in word),
    "xp.sum(n)",
    "xp.sum(m)",
    "xp.sum(u, dtype=xp.uint16)",
    "xp.prod(n, axis=0)",
    "xp.sum(x, dtype=xp.float64)",
    "xp.var(x, correction=1)",
    "xp.std(x, axis=0, correction=1.0)",
    "xp.cumulative_sum(x, axis=1)",
    "xp.cumulative_sum(m, include_initial=True)",
    "xp.cumulative_prod(n, axis=0)",
    "xp.diff(n)",
    "xp.diff(x, axis=0, n=1)",
    "xp.diff(m, n=2)",
    "xp.diff(m, prepend=m[:1], append=m[1:])",
    "xp.arange(5)",
    "xp.arange(1, 7, 2)",
    "xp.arange(0.0, 1.0, 0.25, dtype=xp.float64)",
    "xp.zeros((2, 3), dtype=xp.uint16)",
    "xp.zeros(3, dtype=xp.int8)",
    "xp.ones((2,), dtype=xp.uint64)",
    "xp.full((2, 2), 7)",
    "xp.full(2, True)",
    "xp.full((2,), 7, dtype=xp.uint32)",
    "xp.zeros_like(x)",
    "xp.ones_like(n, dtype=xp.float32)",
    "xp.full_like(u, 3)",
    "xp.eye(3, dtype=xp.float32)",
    "xp.eye(2, 4, k=1, dtype=xp.int64)",
    "xp.linspace(0.0, 1.0, 5, dtype=xp.float64)",
    "xp.linspace(2, 8, 3, endpoint=False, dtype=xp.float64)",
    "xp.tril(x)",
    "xp.triu(x, k=1)",
    *(f"xp.meshgrid(m, m[:2], indexing='{order}')[{i}]" for order in ("xy", "ij") for i in (0, 1)),
    "xp.asarray([[1, 2], [3, 4]])",
    "xp.asarray(x, copy=True)",
    "xp.asarray(n, dtype=xp.float64)",
    "xp.astype(x, xp.int32)",
    "xp.astype(n, xp.float32, copy=False)",
    "xp.astype(u, xp.int8)",
    "xp.matmul(x, y.mT)",
    "xp.matmul(xp.astype(m, xp.int64), n.mT)",
    "xp.matrix_transpose(x)",
    "xp.tensordot(x, y, axes=2)",
    "xp.tensordot(x, y, axes=((1,), (1,)))",
    "xp.tensordot(x[0, :], y[1, :], axes=0)",
    "xp.vecdot(x, y)",
    "xp.vecdot(x, y, axis=-2)",
    "xp.reshape(x, (3, 2))",
    "xp.reshape(x, (-1,))",
    "xp.reshape(x, (6,), copy=True)",
    "xp.permute_dims(x, (1, 0))",
    "xp.moveaxis(xp.zeros((2, 3, 4), dtype=xp.int8), 0, -1)",
    "xp.moveaxis(xp.zeros((2, 3, 4), dtype=xp.int8), (0, 1), (2, 0))",
    "xp.expand_dims(x, axis=1)",
    "xp.squeeze(xp.expand_dims(x, axis=0), axis=0)",
    "xp.flip(x)",
    "xp.flip(x, axis=1)",
    "xp.roll(x, 2)",
    "xp.roll(x, (1, -1), axis=(0, 1))",
    "xp.concat([x, y], axis=1)",
    "xp.concat([x, y], axis=None)",
    "xp.stack([x, y], axis=-1)",
    "xp.unstack(x, axis=1)[2]",
    "xp.repeat(m, 2)",
    "xp.repeat(x, xp.asarray([1, 0, 2]), axis=1)",
    "xp.tile(m, (2,))",
    "xp.tile(x, (2, 1, 2))",
    "xp.broadcast_to(m, (2, 3))",
    "xp.broadcast_arrays(m, n)[0]",
    "xp.take(x, xp.asarray([2, 0]), axis=1)",
    "xp.take_along_axis(x, xp.asarray([[2, 0], [1, 1]]), axis=1)",
    "xp.nonzero(b)[0]",
    "xp.where(b, x, y)",
    "xp.searchsorted(xp.sort(m), m)",
    "xp.searchsorted(xp.asarray([1.0, 1.0, 2.0]), xp.asarray([1.0, 3.0]), side='right')",
    "xp.searchsorted(m, m, sorter=xp.argsort(m))",
    "xp.sort(x, axis=0)",
    "xp.sort(n, descending=True)",
    "xp.argsort(n, axis=1, stable=True)",
    "xp.argsort(n, descending=True)",
    "xp.unique_values(n)",
    *(f"xp.unique_counts(n)[{i}]" for i in (0, 1)),
    *(f"xp.unique_inverse(n)[{i}]" for i in (0, 1)),
    *(f"xp.unique_all(n)[{i}]" for i in range(4)),
    "xp.isin(n, m)",
    "x[1, ::-1]",
    "x[..., None]",
    "x[x > 0.0]",
    "n[1, xp.asarray([2, 0])]",
    "n[xp.asarray([1, 0]), xp.asarray([2, 0])]",
    "x.mT",
    "x + 1",
    "2 * n",
    "n << 1",
    "n >> 1",
    "-x",
    "~b",
    "x @ y.mT",
    "w + 1",
    "xp.sum(e)",
    "xp.prod(e)",
    "xp.concat([e, e])",
    "+x",
    "x[xp.asarray(True)]",
    "x[xp.asarray(False)]",
    "xp.asarray(5.0, dtype=xp.float32)[xp.asarray(False)]",
    "x[xp.zeros((0, 3), dtype=xp.bool)]",
    "xp.eye(3, k=-(2**63) - 1, dtype=xp.float32)",
    "xp.full(2, 6e-83, dtype=xp.float64)",
    "xp.full_like(p, 6e-83)",
    "xp.arange(-16777217, 0, 524289.0, dtype=xp.float64)",
    "xp.cumulative_sum(n, axis=0, dtype=xp.int8)",
    "xp.sum(n, dtype=xp.uint8)",
    "xp.prod(n, dtype=xp.int8)",
    "xp.copysign(-3, p)",
    "xp.copysign(1e-38, x)",
    "xp.bitwise_left_shift(n, xp.asarray([40, 8, 9], dtype=xp.int8))",
    "xp.bitwise_right_shift(-n, xp.asarray([1, 2, 40], dtype=xp.int8))",
    "xp.vecdot(m, xp.asarray([1, 2, 3], dtype=xp.int32))",
    "xp.real(x)",
    *(f"xp.{word}(u)" for word in UNSIGNED),
]


REFUSED = {
    "xp.expand_dims(x, axis=5)": IndexError,
    "xp.expand_dims(x, axis=-4)": IndexError,
    "xp.squeeze(x, axis=0)": ValueError,
    "xp.squeeze(x, axis=5)": ShapeError,
    "xp.vecdot(x, y, axis=-3)": ShapeError,
    "xp.vecdot(x, y[:, :1])": ValueError,
    "xp.nonzero(xp.asarray(1))": ValueError,
    "x[xp.zeros((2, 2), dtype=xp.bool)]": IndexError,
}


def given(xp):
    rows = {}
    for name, (numbers, dtype) in ARRAYS.items():
        rows[name] = xp.asarray(numbers, dtype=getattr(xp, dtype))
    return {"xp": xp, **rows}


@pytest.mark.parametrize("call", REFUSED)
def test_refusals(call):
    with pytest.raises(REFUSED[call]):
        eval(call, given(native))


@pytest.mark.parametrize("call", CALLS)
def test_calls(call):
    with np.errstate(all="ignore"):
        theirs = eval(call, given(strict))
    ours = eval(call, given(native))
    assert isinstance(ours, NDArray)
    assert ours.shape == theirs.shape and ours.ndim == theirs.ndim and ours.size == theirs.size
    expected = np.asarray(theirs)
    if "arange(5)" not in call:
        assert ours.dtype == expected.dtype
    exact = 0 if expected.dtype.kind != "f" else 1e-6 if expected.dtype == "float32" else 1e-13
    found = np.reshape(ours.tolist(), expected.shape)  # a list of nothing has no shape
    np.testing.assert_allclose(found, expected, rtol=exact, atol=exact)


def test_functions_of_dtypes():
    for name, dtype in native.__array_namespace_info__().dtypes().items():
        theirs = getattr(strict, name)
        for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating"):
            assert native.isdtype(dtype, kind) == strict.isdtype(theirs, kind)
        assert native.isdtype(dtype, ("numeric", dtype)) and native.isdtype(dtype, dtype)
        if native.isdtype(dtype, "integral"):
            ours, wanted = native.iinfo(dtype), strict.iinfo(theirs)
            assert (ours.bits, ours.min, ours.max) == (wanted.bits, wanted.min, wanted.max)
        if native.isdtype(dtype, "real floating"):
            ours, wanted = native.finfo(dtype), strict.finfo(theirs)
            for field in ("bits", "eps", "max", "min", "smallest_normal"):
                assert getattr(ours, field) == float(getattr(wanted, field))
    assert native.can_cast(native.int8, native.int16) and not native.can_cast(native.int16, "int8")
    assert native.result_type(native.int8, native.uint8) == native.int16
    assert native.result_type(asarray([1.0]), 2) == native.float32


def test_promotion_within_a_kind_is_the_standards():
    kinds = [["int8", "int16", "int32", "int64"], ["uint8", "uint16", "uint32", "uint64"]]
    for names in ([*kinds[0], *kinds[1]], ["float32", "float64"]):
        for one in names:
            for two in names:
                if {one, two} & {"uint64"} and {one, two} & set(kinds[0]):
                    continue  # the standard has no answer
                ours = native.result_type(getattr(native, one), getattr(native, two))
                theirs = strict.result_type(getattr(strict, one), getattr(strict, two))
                assert ours.name == str(theirs).rpartition(".")[2]


# Where PyTorch counts: call → what the library gives
OTHERWISE = {
    "u.sum()": "int64",  # the standard has no such method, and for xp.sum(u) wants uint64
    "x + xp.asarray(1.0, dtype=xp.float64)": "float32",  # the standard: float64
    "xp.sqrt(n)": "float32",  # the standard leaves it open
}


def test_where_pytorch_counts():
    text = DOCS.read_text(encoding="utf-8")
    for call, dtype in OTHERWISE.items():
        assert eval(call, given(native)).dtype == dtype
        assert f"`{call}`" in text


def test_numbers_are_written_in_the_precision_of_the_array():
    x = native.zeros(2, dtype=native.float64)
    x[0] = -1.3407807929942594e154
    x[native.asarray([False, True])] = 6e-83
    assert x.tolist() == [-1.3407807929942594e154, 6e-83]


def test_arrays_and_their_namespace():
    x = asarray([[1.0, 2.0]])
    assert x.__array_namespace__(api_version="2024.12") is native
    assert x.device == "native" and x.to_device("native") is x
    with pytest.raises(DeviceError):
        x.to_device("cpu")
    with pytest.raises(DeviceError):
        native.zeros(2, device="cuda")
    assert native.zeros(2, device=x.device).device == "native"
    with pytest.raises(ShapeError, match="mT"):
        x[0].mT
    with pytest.raises(ValueError, match="copy=False"):
        native.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match="copy=False"):
        native.reshape(asarray([[1, 2, 3], [4, 5, 6]]).T, (6,), copy=False)
    assert native.asarray(x, copy=False).buffer is x.buffer
    # array_api_strict 2.6 forgets to invert
    assert native.isin(asarray([3, 2]), asarray([2]), invert=True).tolist() == [True, False]
    assert complex(x[0, 0]) == 1 + 0j
    assert x.__dlpack_device__() == (1, 0)
    shared = np.from_dlpack(x)
    shared[0, 0] = 7.0
    assert x.tolist() == [[7.0, 2.0]]
    assert native.from_dlpack(shared).tolist() == [[7.0, 2.0]]
    with pytest.raises(BufferError):
        native.from_dlpack(shared, copy=False)
    info = native.__array_namespace_info__()
    assert info.default_device() in info.devices()
    assert info.default_dtypes()["real floating"] == dd.get_default_dtype()
    assert set(info.capabilities()) == set(strict.__array_namespace_info__().capabilities())

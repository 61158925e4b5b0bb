"""Every word in pure Python gives what NumPy's speaker gives, on every layout of memory."""

import ast
import warnings

import numpy as np
import pytest

from deepdive.backend import numpy_cpu
from deepdive.backend.native import namespace as xp
from deepdive.backend.native import philox
from deepdive.backend.native.ndarray import NDArray
from deepdive.backend.random_numpy import fork_stream, random_bits
from deepdive.backend.vocabulary import VOCABULARY
from deepdive.errors import DeepDiveError, DeviceError, DTypeError

FLOATS = ["float32", "float64"]
DTYPES = [*FLOATS, "int64", "int32", "int16", "int8", "uint8", "bool"]
SHAPES = [(), (1,), (5,), (0,), (3, 4), (3, 0), (2, 1, 3)]
draw = np.random.RandomState(0)


def numbers(shape, dtype="float64", low=-3.0, high=3.0):
    return np.asarray(draw.uniform(low, high, shape)).astype(dtype)


# --- the same array in other layouts -----------------------------------------------------------
def plain(x):
    return xp.asarray(x)


def transposed(x):
    return xp.asarray(x.T).T


def gaps(x):
    return xp.asarray(np.repeat(x, 2, -1))[..., ::2] if x.ndim else xp.asarray(x)


def backwards(x):
    return xp.asarray(x[::-1])[::-1] if x.ndim else xp.asarray(x)


def inside(x):
    """Part of a larger array: the offset counts."""
    frame = np.pad(x, 1)
    return xp.asarray(frame)[(slice(1, -1),) * x.ndim]


LAYOUTS = [plain, transposed, gaps, backwards, inside]


def native(value, layout=plain):
    """NumPy's arrays in an argument made native ones, lists and tuples gone through."""
    if isinstance(value, np.ndarray):
        return layout(value)
    if isinstance(value, (list, tuple)):
        return type(value)(native(item, layout) for item in value)
    return value


def check(name, *args, layout=plain, dtypes_too=False, **kwargs):
    """The word on native arrays and on NumPy's: equal values and shapes, or both refuse."""
    given = native(args, layout)
    before = [repr(x) for x in given if isinstance(x, NDArray)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(numpy_cpu, name)(*args, **kwargs)
    got = getattr(xp, name)(*given, **kwargs)
    several = isinstance(expected, tuple)
    for ours, theirs in zip(*((got, expected) if several else ((got,), (expected,))), strict=True):
        assert type(ours) is NDArray
        assert ours.shape == theirs.shape, name
        if dtypes_too:
            assert ours.dtype == theirs.dtype, name
        wide = theirs.dtype in ("float64", "int64", "bool")
        tolerance = 1e-12 if wide else 3e-6
        np.testing.assert_allclose(
            np.array(ours.tolist()).reshape(ours.shape).astype(ours.dtype),
            theirs,
            rtol=tolerance,
            atol=tolerance,
            err_msg=f"{name} {layout.__name__}",
        )
    assert [repr(x) for x in given if isinstance(x, NDArray)] == before  # operands unchanged
    return got


# --- the list ----------------------------------------------------------------------------------
@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda word: word.name)
def test_examples_hold(word):
    call, value = word.example.split(" → ")
    result = eval(call, {"xp": xp})
    assert isinstance(result, (NDArray, tuple))
    result = [part.tolist() for part in result] if isinstance(result, tuple) else result.tolist()
    np.testing.assert_allclose(result, ast.literal_eval(value), rtol=1e-6)


PARAMETERS = {name: word.parameters for name, word in VOCABULARY.items()}
UNARY = [n for n, p in PARAMETERS.items() if p == "x" and n not in ("nonzero",)]
BINARY = [n for n, p in PARAMETERS.items() if p == "x, y" and n != "matmul"]
BITS = {"bitwise_invert", "bitwise_and", "bitwise_or", "bitwise_xor"}
REDUCTIONS = [n for n, p in PARAMETERS.items() if p.startswith("x, axis=None")]
SAME_TYPE = {"abs", "negative", "sign", "floor", "ceil", "trunc", "round", "add", "multiply"}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name, shape, layout):
    dtype = "int64" if name in BITS else "float64"
    check(name, numbers(shape, dtype), layout=layout)
    if dtype == "float64":
        check(name, numbers(shape, "float32"), layout=layout, dtypes_too=True)


@pytest.mark.parametrize("name", sorted({*UNARY} & SAME_TYPE | {"copy", "zeros_like"}))
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
def test_one_operand_of_every_dtype(name, dtype):
    check(name, numbers((7,), dtype, -100, 100), dtypes_too=True)


EDGES = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 800.0, -800.0, 0.5, -2.5, 1e300])


@pytest.mark.parametrize("name", [n for n in UNARY if n not in BITS])
def test_one_operand_at_the_edges(name):
    check(name, EDGES)


@pytest.mark.parametrize("name", [n for n in BINARY if n not in BITS])
def test_two_operands_at_the_edges(name):
    check(name, EDGES[:, None].copy(), EDGES[None, :].copy())


PAIRS = [((3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 2)), ((0, 3), (1, 3)), ((2, 1, 3), (2, 3))]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name, layout):
    for a, b in PAIRS:
        dtype = "int64" if name in BITS else "float64"
        low = 0.1 if name == "pow" else -3.0
        check(name, numbers(a, dtype, low), numbers(b, dtype), layout=layout)
        if dtype == "float64":
            check(name, numbers(a, "float32", low), numbers(b, "float32"), layout=layout)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "less", "equal", "logical_xor"])
def test_two_operands_of_every_dtype(name, dtype):
    x, y = numbers((6,), dtype, -100, 100), numbers((6,), dtype, -100, 100)
    check(name, x, y, dtypes_too=True)


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "subtract", "pow"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8"])
def test_whole_numbers(name, dtype):
    x = np.array([-7, 7, 100, 0, 5], "int64").astype(dtype)
    y = np.array([2, 3, 4, 0, 1], "int64").astype(dtype)
    check(name, x, y, dtypes_too=True)


def test_integers_wrap_around():
    check("add", np.array([2**63 - 1, -(2**63)]), np.array([1, -1]), dtypes_too=True)
    check("multiply", np.array([200], "uint8"), np.array([3], "uint8"), dtypes_too=True)
    check("negative", np.array([-128], "int8"), dtypes_too=True)


def test_numbers_have_no_dtype_of_their_own():
    x = numbers((3,), "float32")
    check("multiply", x, 0.1, dtypes_too=True)
    check("less", np.array([0.1], "float32"), 0.1)  # 0.1 is rounded to float32 before
    bits = np.array([2**32 - 1], "uint32")
    words = xp.random_bits(0, 0, (3,))
    assert (words < 2**32).all().item() and bits.dtype == words.dtype


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, layout):
    for shape in [(), (5,), (3, 4), (2, 3, 4)]:
        axes = [None, *range(-len(shape), len(shape))]
        if name not in ("argmax", "argmin"):
            axes += [(0, -1)] * (len(shape) > 1)
        for axis in axes:
            for keepdims in (False, True):
                check(name, numbers(shape), axis, keepdims, layout=layout)


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all", "mean"])
def test_reductions_of_nothing(name):
    for axis in (None, 0, 1):
        check(name, numbers((3, 0)), axis)
    assert xp.logsumexp(xp.zeros((2, 0)), 1).tolist() == [float("-inf")] * 2


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "all", "argmax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_of_every_dtype(name, dtype):
    check(name, numbers((3, 4), dtype, -5, 5), 0, dtypes_too=True)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin", "sort", "argsort"])
def test_nan_comes_first_or_last(name):
    check(name, np.array([[1.0, np.nan, 3.0, np.nan], [2.0, 1.0, 2.0, 1.0]]), -1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod", "sort", "argsort"])
def test_along_an_axis(name, layout):
    for dtype in ("float64", "int64", "int32"):
        for axis in (0, 1, -1):
            check(name, numbers((3, 4), dtype, -4, 4), axis, layout=layout)
    if "sort" in name:
        check(name, numbers((9,), "int64"), 0, True, layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_matmul(layout):
    shapes = [((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((2, 0), (0, 3))]
    shapes += [((5, 1, 2, 3), (4, 3, 2)), ((2, 3, 4), (4, 5)), ((0, 3, 4), (4, 2))]
    for a, b in shapes:
        for dtype in ("float64", "float32", "int64", "bool"):
            check("matmul", numbers(a, dtype), numbers(b, dtype), layout=layout, dtypes_too=True)


# --- everything that has arguments of its own --------------------------------------------------
X, Y3 = numbers((3, 4)), numbers((2, 3, 4))
IMAGE, KERNEL = numbers((2, 4, 6, 5)), numbers((6, 2, 3, 2))
WAYS = [((1, 1), (0, 0), (1, 1), 2), ((2, 1), (1, 1), (1, 2), 2), ((2, 2), (2, 1), (2, 1), 2)]
CALLS = [
    ("asarray", [[1, 2], [3, 4]]),
    ("asarray", X),
    ("asarray", X, "float32"),
    ("zeros", (2, 0)),
    ("ones", (2, 3), "int64"),
    ("full", (2, 3), 2.5),
    ("full", (2, 3), numbers((3,)), "float64"),
    ("arange", 5),
    ("arange", 1, 8, 2),
    ("arange", 1.0, 0.0, -0.25),
    ("eye", 3),
    ("eye", 3, 5, -1, "int64"),
    ("astype", numbers((9,), "float64", -300, 300), "uint8"),
    ("astype", np.array([0.5, 0.0, np.nan]), "bool"),
    ("astype", np.array([True, False]), "float32"),
    ("where", X > 0, X, 0.0),
    ("where", numbers((4,)) > 0, X, Y3),
    ("clip", X, -1.0, None),
    ("clip", X, None, numbers((4,))),
    ("reshape", Y3, (4, -1)),
    ("reshape", Y3, (6, 2, 2)),
    ("permute_dims", Y3, (2, 0, -2)),
    ("broadcast_to", X, (2, 3, 4)),
    ("broadcast_to", numbers((3, 1)), (3, 0)),
    ("expand_dims", X, (0, -1)),
    ("squeeze", numbers((1, 3, 1)), (0, -1)),
    ("squeeze", numbers((1, 3, 1)), None),
    ("flip", Y3, (0, -1)),
    ("flip", Y3, None),
    ("concat", [X, X[:1]], 0),
    ("concat", [X, X[:, :2].astype("float64")], -1),
    ("stack", [X, X], 1),
    ("stack", [X, X], -1),
    ("pad", X, ((1, 2), (0, 3)), 7.0),
    ("tril", Y3, 1),
    ("triu", Y3, -1),
    ("tril", X > 0),
    ("roll", X, 5, 1),
    ("roll", Y3, (1, -1), (0, 2)),
    ("roll", Y3, 7, None),
    ("getitem", Y3, (0, ..., slice(None, None, -2))),
    ("getitem", Y3, (slice(1, None), None, 2)),
    ("getitem", Y3, np.array([[1, 0], [-1, 1]])),
    ("getitem", Y3, (slice(None), [0, 2], [1, -1])),
    ("getitem", Y3, ([0, 1], slice(None), [1, -1])),
    ("getitem", Y3, ([[0], [1]], [0, 2])),
    ("getitem", Y3, (0, slice(None), [1, -1])),
    ("getitem", Y3, (slice(None), 1, [1, -1])),
    ("getitem", Y3, (None, [0, 1], None)),
    ("getitem", Y3, Y3 > 0),
    ("getitem", Y3, (slice(None), Y3[0] > 0)),
    ("getitem", Y3, (Y3[:, 0, 0] < 9, 0)),
    ("getitem", X, ([],)),
    ("getitem", X, np.zeros((2, 0), "int64")),
    ("getitem", X, True),
    ("getitem", X, False),
    ("getitem", X, ()),
    ("setitem", X, 1, 5.0),
    ("setitem", X, (slice(None), [0, 0]), numbers((3, 2))),
    ("setitem", X, X > 0, 0.0),
    ("setitem", X, (slice(None, None, 2), slice(1, 3)), numbers((1, 2, 2))),
    ("index_add", X, np.array([0, 0, 2]), numbers((3, 4))),
    ("index_add", X, (slice(None), [1, 1]), 2.0),
    ("index_add", X, (slice(1), 2), numbers((1,))),
    ("take_along_axis", X, np.array([[2, 0, 1, -1]]), 0),
    ("take_along_axis", X, np.array([[3, 3], [0, 1], [2, -4]]), 1),
    ("scatter_add", X, np.array([[2, 0, 1, 2], [2, 1, 1, 0]]), numbers((2, 4)), 0),
    ("scatter_add", X, np.array([[1, 1, 1], [0, 3, 3]]), numbers((3, 3)), 1),
    ("nonzero", Y3 > 0),
    ("windows", Y3, (2, 2), (1, 2), (1, 1)),
    ("windows", numbers((9,)), (3,), (2,), (2,)),
    ("overlap_add", numbers((2, 3, 3, 2, 2)), (2, 4, 6), (1, 2), (1, 1)),
    ("random_bits", 5 << 64 | 77, 9, (3, 7)),
    *[("convolution", IMAGE, KERNEL, *way) for way in WAYS],
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_calls(layout):
    for name, *args in CALLS:
        check(name, *args, layout=layout, dtypes_too=name != "asarray")


@pytest.mark.parametrize("way", WAYS)
def test_gradients_of_convolutions(way):
    out = numpy_cpu.convolution(IMAGE, KERNEL, *way)
    grad = numbers(out.shape)
    check("convolution_input_grad", grad, KERNEL, IMAGE.shape, *way)
    check("convolution_weight_grad", IMAGE, grad, KERNEL.shape, *way)


@pytest.mark.parametrize("lead", [(), (2,), (0,), (2, 1)])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_matrices(lead, n):
    """The decompositions in core words are LAPACK's, signs included; also in float32."""
    draw = np.random.default_rng(n)
    tall, x = draw.normal(size=(*lead, n + 2, n)), draw.normal(size=(*lead, n, n))
    mirrored = np.swapaxes(x, -1, -2)
    calls = [("qr_rows", tall), ("qr_rows", x), ("svd_rows", tall), ("slogdet_rows", x)]
    calls += [("svd_rows", np.swapaxes(tall, -1, -2)), ("eigh_rows", x + mirrored)]
    calls += [("cholesky", x @ mirrored + np.eye(n)), ("solve", x, tall[..., :n, :])]
    for dtype, tolerance in (("float64", 1e-10), ("float32", 1e-3)):
        for name, *arrays in calls:
            given = [array.astype(dtype) for array in arrays]
            expected = getattr(numpy_cpu, name)(*given)
            found = xp.to_numpy(getattr(xp, name)(*map(native, given)))
            assert found.dtype == expected.dtype, name
            np.testing.assert_allclose(found, expected, tolerance, tolerance, err_msg=name)


def test_every_word_was_called():
    called = {call[0] for call in CALLS} | {*UNARY, *BINARY, *REDUCTIONS, "matmul"}
    called |= {"cumulative_sum", "cumulative_prod", "sort", "argsort"}
    called |= {"convolution_input_grad", "convolution_weight_grad"}
    called |= {"cholesky", "solve", "slogdet_rows", "qr_rows", "eigh_rows", "svd_rows"}
    assert called == set(VOCABULARY)


def test_random_streams_are_numpys():
    for key, number in [(0, 0), (7, 3), (5 << 64 | 77, 12)]:
        assert philox.fork_stream(key, number) == fork_stream(key, number)
        assert philox.words(key, number, 21) == random_bits(key, number, (21,)).tolist()


# --- refusals ----------------------------------------------------------------------------------
REFUSED = [
    ("add", (np.ones((3, 4)), np.ones((2, 4))), "do not broadcast: axis 0 has 3 and 2"),
    ("matmul", (np.ones((3, 4)), np.ones((3, 4))), "4 != 3"),
    ("sum", (np.ones((3, 4)), 2), "axis 2 is out of range for shape (3, 4)"),
    ("max", (np.ones((3, 0)), 1), "nothing to choose from"),
    ("reshape", (np.ones(12), (5, -1)), "12 elements do not fill (5, -1)"),
    ("getitem", (np.ones(3), 3), "index 3 is out of range for axis 0 of shape (3,)"),
    ("getitem", (np.ones(3), np.array([0, -4])), "index -4 is out of range"),
    ("getitem", (np.ones(3), np.ones(2, bool)), "the mask is (2,), and x has (3,) there"),
    ("setitem", (np.ones((3, 4)), 0, np.ones(3)), "do not fill x[index], which is (4,)"),
    ("pow", (np.array([2]), np.array([-1])), "integers have no negative powers"),
    ("pow", (np.array([2]), -1), "integers have no negative powers"),
    ("negative", (np.ones(2, bool),), "a bool has no negative"),
    ("zeros", ((2,), "float16"), "native arrays have no float16"),
    ("asarray", ("text",), "'text' is not a number"),
    ("asarray", ([[1], [1, 2]],), "rows of different shapes"),
    ("take_along_axis", (np.ones((2, 2)), np.array([[2]]), 0), "index 2 is out of range"),
]


@pytest.mark.parametrize("name, args, words", REFUSED, ids=lambda value: str(value)[:24])
def test_refusals_are_the_rules(name, args, words):
    with pytest.raises(DeepDiveError) as caught:
        getattr(xp, name)(*native(args))
    assert words in str(caught.value)


def test_other_arrays_are_refused():
    ours, theirs = xp.asarray([1.0, 2.0]), np.ones(2, "float32")
    for run in (
        lambda: xp.add(ours, theirs),
        lambda: ours * theirs,
        lambda: theirs * ours,
        lambda: xp.matmul(theirs, ours),
        lambda: xp.sum(theirs),
        lambda: ours[np.array([0])],
        lambda: theirs[xp.asarray([0])],
        lambda: np.exp(ours),
        lambda: np.asarray(ours),
    ):
        with pytest.raises((DeviceError, TypeError)):
            run()
    with pytest.raises(DeviceError, match="one operation, two devices"):
        theirs - ours
    assert (ours * np.float32(2)).tolist() == [2.0, 4.0]  # one number is no array


def test_what_has_no_numbers_is_refused():
    with pytest.raises(DTypeError):
        xp.asarray([None])

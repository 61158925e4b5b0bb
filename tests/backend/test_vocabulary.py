"""The vocabulary's rules against what the NumPy speaker does, and against PyTorch's dtypes."""

import ast
import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdive import config
from deepdive.backend import numpy_cpu
from deepdive.backend.vocabulary import (
    VOCABULARY,
    Spec,
    SpecSpeaker,
    explain,
    spec_of,
)
from deepdive.backend.vocabulary.word import EXTENDED
from deepdive.errors import DeepDiveError

spec = SpecSpeaker()
FLOATS = ["float16", "float32", "float64"]
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", *FLOATS]
FAST = settings(max_examples=150, deadline=None, derandomize=True)


def words_like(*names):
    """The words that have the very parameters and shape rule of one of `names`."""
    kinds = {(VOCABULARY[name].parameters, VOCABULARY[name].shape_rule) for name in names}
    return sorted(
        n for n, word in VOCABULARY.items() if (word.parameters, word.shape_rule) in kinds
    )


UNARY, BINARY = words_like("exp"), words_like("add")
REDUCTIONS = words_like("sum", "max", "argmax")


def array(shape, dtype="float32"):
    """Numbers from 0 on, so that every dtype holds them."""
    return (np.arange(math.prod(shape)) % 7).reshape(shape).astype(dtype)


def attempt(run):
    with np.errstate(all="ignore"):
        try:
            return run(), None
        except Exception as error:
            return None, error


def check(name, *args, dtypes_too=True, **kwargs):
    """The rule says what the speaker does: the same shape and dtype, or both refuse."""
    result, refusal = attempt(lambda: getattr(numpy_cpu, name)(*args, **kwargs))
    expected, error = attempt(lambda: getattr(spec, name)(*spec_of(args), **kwargs))
    told = f"{name}{args} {kwargs}: speaker {refusal!r}, rule {error!r}"
    assert (refusal is None) == (error is None), told
    if error is not None:
        assert isinstance(error, DeepDiveError), told
        return error
    several = isinstance(result, tuple)
    for got, rule in zip(
        *((result, expected) if several else ((result,), (expected,))), strict=True
    ):
        assert got.shape == rule.shape, told
        assert not dtypes_too or got.dtype == rule.dtype, told
    return expected


# --- the list ----------------------------------------------------------------------------------
def test_every_word_is_spoken_and_named():
    missing = [name for name in VOCABULARY if not hasattr(numpy_cpu, name)]
    assert missing == []
    assert set(VOCABULARY) >= EXTENDED
    assert all(word.meaning and " → " in word.example for word in VOCABULARY.values())


@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda word: word.name)
def test_rules_and_speaker_take_the_parameters(word):
    names = [text.partition("=")[0] for text in word.parameters.split(", ")]
    inspect.signature(word.shape_rule).bind(word.name, **dict.fromkeys(names))
    function = getattr(numpy_cpu, word.name)
    if not isinstance(function, np.ufunc):
        inspect.signature(function).bind(*names)


@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda word: word.name)
def test_examples_hold(word):
    call, value = word.example.split(" → ")
    assert call.startswith(f"xp.{word.name}(")
    result, error = attempt(lambda: eval(call, {"xp": numpy_cpu}))
    assert error is None
    result = [part.tolist() for part in result] if isinstance(result, tuple) else result
    np.testing.assert_allclose(result, ast.literal_eval(value), rtol=1e-6)
    assert isinstance(eval(call, {"xp": spec_with_indices()}), (Spec, tuple))


def spec_with_indices():
    """The Spec speaker, with indices whose values are known."""
    speaker = SpecSpeaker()
    speaker.asarray = lambda x: spec_of(np.asarray(x))
    return speaker


# --- creation ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["zeros", "ones"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), [2, 2], 4, (-1, 2), 2.5])
@pytest.mark.parametrize("dtype", [None, "int32", np.float64])
def test_zeros_and_ones(name, shape, dtype):
    check(name, shape, dtype)


def test_full_eye_like_astype():
    for value in (1, 2.5, True, np.float64(2)):
        check("full", (2, 3), value)
    check("full", (2,), 1, "float16")
    for args in [(3,), (3, 4), (0,), (2, 3, 1), (-1,), (2, 2, 0, "int8")]:
        check("eye", *args)
    for name in ("zeros_like", "ones_like"):
        check(name, array((2, 3), "int16"))
    for dtype in DTYPES:
        check("astype", array((2, 3)), dtype)


@given(st.integers(-9, 9), st.none() | st.integers(-9, 9), st.integers(-3, 3), st.booleans())
@FAST
def test_arange(start, stop, step, floating):
    scale = 0.5 if floating else 1
    check("arange", start * scale, None if stop is None else stop * scale, step * scale)


@pytest.mark.parametrize(
    "x",
    [
        1,
        2.5,
        True,
        [],
        [1, 2],
        [[1.5], [2]],
        [[], []],
        [True, False],
        [True, 2],
        (1, (2)),
        [[1, 2], [3]],
        [1, [2]],
        [[1, [2]]],
        ["a"],
        None,
        array((2, 3), "float64"),
        np.float64(3),
        [np.float32(1), np.float32(2)],
        [array((2,)), array((2,))],
    ],
    ids=repr,
)
def test_asarray(x):
    check("asarray", x)


# --- elementwise -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", FLOATS)
def test_one_operand(name, dtype):
    for shape in [(), (3,), (2, 0, 3)]:
        check(name, array(shape, dtype))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", FLOATS)
def test_two_operands(name, dtype):
    for a, b in [
        ((), ()),
        ((3,), ()),
        ((2, 1), (3,)),
        ((4, 1, 3), (2, 1)),
        ((0,), (1,)),
        ((2,), (3,)),
    ]:
        check(name, array(a, dtype), array(b, dtype))
    check(name, array((2, 3), dtype), 2.0)
    check(name, 2, array((2, 3), dtype))


SHAPES = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple)


@given(SHAPES, SHAPES, SHAPES)
@FAST
def test_broadcasting(a, b, c):
    check("multiply", array(a), array(b))
    check("where", array(a, "bool"), array(b), array(c))
    check("clip", array(a), array(b), array(c))
    if len(a) <= len(b):
        check("broadcast_to", array(a), b)


@pytest.mark.parametrize("name", ["abs", "negative", "floor", "equal", "add", "bitwise_xor", "pow"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_integer_operands(name, dtype):
    operands = [array((3,), dtype)] * (2 if name in BINARY else 1)
    check(name, *operands)


TORCH_NAMES = {"negative": "neg", "asin": "asin", "bitwise_invert": "bitwise_not"}
TORCH_REFUSES_BOOL = {"abs", "floor", "ceil", "trunc", "round"}  # here: the bool itself


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_one_operand_are_pytorchs(name, dtype):
    function = getattr(torch, TORCH_NAMES.get(name, name))
    expected, refusal = attempt(lambda: function(torch.ones(2, dtype=getattr(torch, dtype))))
    got, error = attempt(lambda: getattr(spec, name)(Spec((2,), dtype)))
    if dtype == "bool" and name in TORCH_REFUSES_BOOL:
        assert error is None
    else:
        assert (refusal is None) == (error is None), (refusal, error)
    if error is None and refusal is None:
        assert f"torch.{got.dtype}" == str(expected.dtype)


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", DTYPES)
def test_mixed_dtypes_are_pytorchs(a, b):
    promoted = str(torch.result_type(*(torch.ones(2, dtype=getattr(torch, t)) for t in (a, b))))
    x, y = Spec((2,), a), Spec((2,), b)
    for name in ("add", "multiply", "maximum", "where", "concat", "clip", "divide", "less"):
        args = {"where": (x > 0, x, y), "concat": ([x, y], 0), "clip": (x, y)}.get(name, (x, y))
        expected = {
            "less": "torch.bool",
            "divide": promoted if "float" in promoted else "torch.float32",
        }
        got = getattr(spec, name)(*args).dtype
        assert f"torch.{got}" == expected.get(name, promoted), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [True, 2, 2.5])
def test_numbers_and_0d_arrays_widen_as_in_pytorch(dtype, number):
    x = torch.ones(2, dtype=getattr(torch, dtype))
    assert f"torch.{(Spec((2,), dtype) * number).dtype}" == str((x * number).dtype)
    assert f"torch.{(number + Spec((2,), dtype)).dtype}" == str((number + x).dtype)
    zero_d = torch.ones((), dtype=torch.float64)
    assert f"torch.{(Spec((2,), dtype) * Spec((), 'float64')).dtype}" == str((x * zero_d).dtype)


def test_integers_become_the_default_float():
    config.set_default_dtype("float64")
    try:
        assert spec.exp(Spec((2,), "int64")).dtype == "float64"
        assert (Spec((), "int64") * 0.5).dtype == "float64"
        assert spec.zeros((2,)).dtype == "float64"
    finally:
        config.set_default_dtype("float32")


# --- reductions --------------------------------------------------------------------------------
AXES = st.none() | st.integers(-4, 4) | st.lists(st.integers(-3, 3), max_size=3).map(tuple)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(SHAPES, AXES, st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_reductions(name, shape, axis, keepdims):
    if name == "logsumexp" and 0 in shape:  # -inf in PyTorch; a speaker may refuse
        return
    check(name, array(shape), axis, keepdims)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "any", "argmax", "cumulative_sum"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_reductions_are_pytorchs(name, dtype):
    function = getattr(torch, {"max": "amax", "cumulative_sum": "cumsum"}.get(name, name))
    expected, refusal = attempt(lambda: function(torch.ones(2, dtype=getattr(torch, dtype)), 0))
    got = getattr(spec, name)(Spec((2,), dtype), 0).dtype
    if refusal is None and (name, dtype) != ("any", "uint8"):  # there PyTorch keeps uint8
        assert f"torch.{got}" == str(expected.dtype)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod", "sort", "argsort", "flip"])
@given(SHAPES.filter(bool), st.integers(-4, 4))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_along_an_axis(name, shape, axis):
    check(name, array(shape), axis)


@given(SHAPES, SHAPES)
@FAST
def test_matmul(a, b):
    check("matmul", array(a), array(b))


@given(st.data(), SHAPES, SHAPES)
@FAST
def test_matmul_that_fits(data, a, b):
    n, k, m = (data.draw(st.integers(0, 3)) for _ in range(3))
    check("matmul", array((*a, n, k)), array((*b, k, m)))
    check("matmul", array((k,)), array((*b, k, m)))
    check("matmul", array((*a, n, k)), array((k,)))


# --- shape -------------------------------------------------------------------------------------
@given(SHAPES, st.lists(st.sampled_from([-1, -1, 0, 1, 2, 3, 4, 6]), max_size=4).map(tuple))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_reshape(shape, new):
    check("reshape", array(shape), new)


@given(SHAPES, st.lists(st.integers(-3, 3), max_size=4).map(tuple))
@FAST
def test_permute_dims(shape, axes):
    check("permute_dims", array(shape), axes)
    for order in [tuple(range(len(shape))), tuple(range(-len(shape), 0))[::-1]]:
        check("permute_dims", array(shape), order)


@given(SHAPES, st.integers(-5, 5) | st.lists(st.integers(-4, 4), max_size=2).map(tuple))
@FAST
def test_expand_and_squeeze(shape, axis):
    check("expand_dims", array(shape), axis)
    check("squeeze", array(shape), axis)


@given(st.lists(SHAPES, max_size=3), SHAPES, st.integers(-4, 4))
@FAST
def test_concat_and_stack(shapes, shape, axis):
    check("concat", [array(each) for each in shapes], axis)
    check("stack", [array(each) for each in shapes], axis)
    check("concat", [array(shape)] * 2, axis)
    check("stack", [array(shape)] * 2, axis)


def test_concat_sizes_add_up():
    assert check("concat", [array((2, n, 3)) for n in (1, 0, 4)], -2).shape == (2, 5, 3)


@given(SHAPES, st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 2)), max_size=3).map(tuple))
@FAST
def test_pad(shape, widths):
    check("pad", array(shape), widths)
    check("pad", array(shape), ((1, 2),) * len(shape), 1.0)


@given(SHAPES.filter(lambda shape: len(shape) > 1), st.integers(-2, 2))
@FAST
def test_triangles(shape, k):
    check("tril", array(shape), k)
    check("triu", array(shape), k)


@given(
    SHAPES,
    st.integers(-2, 9) | st.tuples(st.integers(0, 2), st.integers(0, 2)),
    AXES.filter(lambda axis: axis != ()),
)
@FAST
def test_roll(shape, shift, axis):
    check("roll", array(shape), shift, axis)


# --- indexing ----------------------------------------------------------------------------------
@st.composite
def indices(draw):
    """A shape and an index, which mostly fits: every kind of part NumPy knows."""
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 3]), max_size=4).map(tuple))
    common = draw(st.sampled_from([(2,), (1, 2), (3, 1), ()]))
    parts, axis = [], 0
    while axis < len(shape) + draw(st.sampled_from([0] * 20 + [1])) and draw(st.integers(0, 5)):
        kind = draw(
            st.sampled_from(["int", "slice", "none", "array", "list", "mask", "dots", "bool"])
        )
        size = shape[axis] if axis < len(shape) else 1
        number = st.integers(-size, max(size - 1, 0)) | st.integers(-4, 3)
        if kind == "array":
            count = math.prod(common)
            numbers = draw(st.lists(number, min_size=count, max_size=count))
            parts.append(np.array(numbers, "int64").reshape(common))
        elif kind == "mask":
            n = draw(st.integers(1, 2))
            mask = array(shape[axis : axis + n], "int64") % 2 == draw(st.integers(0, 1))
            parts.append(mask)
            axis += n - 1
        else:
            part = {
                "int": number,
                "slice": st.builds(slice, *[st.none() | st.integers(-4, 4)] * 3),
                "none": st.none(),
                "list": st.lists(number, max_size=2),
                "dots": st.just(...),
                "bool": st.sampled_from([None] * 5 + [True, False]),
            }[kind]
            parts.append(draw(part))
        axis += kind not in ("none", "dots", "bool")
    index = parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)
    return shape, index


@given(indices())
@settings(max_examples=1500, deadline=None, derandomize=True)
def test_getitem(case):
    shape, index = case
    x = array(shape)
    out = check("getitem", x, index)
    if isinstance(out, Spec):
        assert spec.setitem(spec_of(x), spec_of(index), 0.0).shape == shape
        assert spec.index_add(spec_of(x), spec_of(index), out).shape == shape


def index_add(xp, x, index, values):
    return xp.index_add(x, index, values)


@given(SHAPES, SHAPES)
@FAST
def test_setitem_and_index_add(shape, values):
    for index in [(..., None), slice(1, None), (slice(None), np.array([0, 0]))]:
        check("setitem", array(shape), index, array(values))
        # NumPy's own add.at reads beyond its values when they have too many axes.
        if explain(index_add, [array(shape), index, array(values)], ValueError(), "") is None:
            check("index_add", array(shape), index, array(values))


@given(st.data(), SHAPES, st.integers(-3, 3))
@FAST
def test_take_along_axis_and_scatter_add(data, shape, axis):
    sizes = [data.draw(st.sampled_from([0, 1, n, n])) for n in shape]
    place = array(tuple(sizes), "int64") % 2
    check("take_along_axis", array(shape), place, axis)
    check("scatter_add", array(shape), place, array(tuple(sizes)), axis)


def test_nonzero_and_random_bits():
    for shape in [(), (3,), (2, 3), (0, 2)]:
        check("nonzero", array(shape, "int64"))
    for shape in [(), (3,), (2, 5)]:
        check("random_bits", 1, 2, shape)


# --- windows -----------------------------------------------------------------------------------
GEOMETRY = st.tuples(
    *[st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2)]
)


@given(st.lists(GEOMETRY, min_size=1, max_size=2))
@FAST
def test_windows(axes):
    spatial, size, stride, dilation, _ = zip(*axes, strict=True)
    view = check("windows", array((2, 3, *spatial)), size, stride, dilation)
    if isinstance(view, Spec):
        check("overlap_add", array(view.shape), (2, 3, *spatial), stride, dilation)


@given(st.lists(GEOMETRY, min_size=1, max_size=2), st.sampled_from([1, 2]), st.integers(1, 2))
@FAST
def test_convolutions_are_pytorchs(axes, groups, wrong):
    spatial, size, stride, dilation, padding = zip(*axes, strict=True)
    x, w = array((2, 2 * groups, *spatial)), array((2 * groups, 2, *size))
    way = (stride, padding, dilation, groups)
    out = check("convolution", x, w, *way)
    convolve = torch.conv1d if len(axes) == 1 else torch.conv2d
    expected, refusal = attempt(lambda: convolve(torch.tensor(x), torch.tensor(w), None, *way))
    assert isinstance(out, Spec) == (refusal is None)
    if isinstance(out, Spec):
        assert out.shape == expected.shape
        grad = array(out.shape)
        assert check("convolution_input_grad", grad, w, x.shape, *way).shape == x.shape
        assert check("convolution_weight_grad", x, grad, w.shape, *way).shape == w.shape
        bad = array((*out.shape[:-1], out.shape[-1] + 1))
        check("convolution_input_grad", bad, w, x.shape, *way)
        check("convolution_weight_grad", x, bad, w.shape, *way)

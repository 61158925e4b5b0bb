"""What the vocabulary says when a call is wrong, and the arrays without values that find out."""

import numpy as np
import pytest

from deepdive.backend import numpy_cpu
from deepdive.backend.vocabulary import Spec, SpecSpeaker, explain, spec_of
from deepdive.errors import (
    ArgumentError,
    DeepDiveError,
    DTypeError,
    GraphError,
    IndexRangeError,
    OperatorError,
    ShapeError,
)

spec = SpecSpeaker()


def array(shape):
    """The numbers 0, 1, 2 … as float32."""
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def attempt(run):
    try:
        return run(), None
    except Exception as error:
        return None, error


# --- the words of the errors -------------------------------------------------------------------
x34, x24, ints = Spec((3, 4), "float32"), Spec((2, 4), "float32"), Spec((2,), "int64")
x3, mask = Spec((3,), "float32"), Spec((3, 4), "bool")
image, kernel = Spec((2, 3, 8, 8), "float32"), Spec((4, 3, 3, 3), "float32")
WAY = (1, 1), (0, 0), (1, 1), 1

WORDS = [
    ("zeros", ((2, -1),), "-1 is no size, in shape (2, -1)"),
    ("zeros", (2.5,), "a size must be an integer\n  got: 2.5"),
    ("zeros", ((2,), "float31"), "no dtype 'float31'"),
    ("arange", (3, 0, 0), "the step is 0"),
    ("asarray", ([[1], [1, 2]],), "rows of different shapes, (1,) and (2,)\n  fix: give every row"),
    ("asarray", ([1, [2]],), "lists and numbers stand side by side"),
    ("asarray", ("text",), "'text' is not a number"),
    ("add", (x34, x24), "shapes (3, 4) and (2, 4) do not broadcast: axis 0 has 3 and 2"),
    ("add", (x34, x3), "axis -1 has 4 and 3\n  fix: give y a last axis of size 1, y[..., None]"),
    ("add", (x3, x34), "fix: give x a last axis of size 1"),
    ("add", (x34, x34.T), "axis 0 has 3 and 4\n  fix: transpose one operand, e.g. y.T: (3, 4)"),
    ("where", (mask, x24, 0.0), "shapes (3, 4) and (2, 4) do not broadcast: axis 0 has 3 and 2"),
    ("negative", (mask,), "a bool has no negative\n  fix: logical_not(x)"),
    ("subtract", (mask, mask), "both operands are bool"),
    ("bitwise_and", (x3, x3), "float32 has no bits to work on\n  expected: integers or bool"),
    ("sum", (x34, 2), "axis 2 is out of range for shape (3, 4)\n  expected: -2 … 1"),
    ("sum", (x34, (0, -2)), "an axis is given twice in (0, -2), shape (3, 4)"),
    ("sum", (x34, 0.5), "axis must be an integer\n  got: 0.5"),
    ("sum", (Spec((), "int64"), 1), "expected: no axis: the array has one element"),
    ("max", (Spec((3, 0), "float32"), 1), "nothing to choose from: axis 1 of (3, 0) is empty"),
    ("argmax", (x34, (0, 1)), "axis must be an integer\n  got: (0, 1)"),
    (
        "matmul",
        (x34, x34),
        "x is (3, 4) and y is (3, 4): 4 != 3\n  expected: x (…, 3), as y has 3 rows\n"
        "  fix: transpose one operand, e.g. x @ y.T",
    ),
    (
        "matmul",
        (x34, x3),
        "4 != 3\n  expected: x (…, 3), as y has 3 rows\n  fix: transpose one operand, e.g. x.T @ y",
    ),
    (
        "matmul",
        (x34, Spec((5, 3), "int64")),
        "y has 5 rows\n  fix: exchange the operands: y @ x",
    ),
    ("matmul", (x34, 2.0), "y is a number, shape ()\n  fix: multiply: x * y"),
    (
        "matmul",
        (Spec((3, 2, 4), "int64"), Spec((2, 4, 5), "int64")),
        "the batch axes (3,) and (2,)",
    ),
    ("reshape", (x34, (5, -1)), "12 elements do not fill (5, -1)\n  got: x of shape (3, 4)"),
    ("reshape", (x34, (-1, -1)), "only one size may be -1, in (-1, -1)"),
    ("reshape", (x34, (-2, 6)), "-2 is no size, in (-2, 6)"),
    ("permute_dims", (x34, (0,)), "(0,) does not name every axis of shape (3, 4) once"),
    (
        "broadcast_to",
        (x34, (3, 5)),
        "(3, 4) does not broadcast to (3, 5): axis 1 has 4, not 1 or 5",
    ),
    ("broadcast_to", (x34, (4,)), "(3, 4) has more axes than (4,)"),
    ("expand_dims", (x34, 3), "axis 3 is out of range"),
    ("squeeze", (x34, 0), "axis 0 of shape (3, 4) has 3 elements, not 1"),
    ("flip", (x34, 2), "axis 2 is out of range"),
    (
        "concat",
        ([x34, x24], 1),
        "array 1 is (2, 4) and array 0 is (3, 4)\n  expected: equal sizes on all axes but 1",
    ),
    ("concat", ([], 0), "no arrays to join"),
    ("concat", ([2.0, 3.0], 0), "no axis to join\n  fix: use stack"),
    ("stack", ([x34, x24], 0), "array 1 is (2, 4) and array 0 is (3, 4)\n  expected: equal shapes"),
    ("pad", (x34, ((1, 1),)), "widths ((1, 1),) for x of shape (3, 4)\n  expected: 2 pairs"),
    ("pad", (x3, ((-1, 1),)), "a width is negative in ((-1, 1),)\n  fix: cut with a slice"),
    ("tril", (x3,), "x is (3,)\n  expected: a matrix"),
    ("roll", (x34, (1, 2, 3), (0, 1)), "3 shifts for 2 axes"),
    ("getitem", (x34, 3), "index 3 is out of range for axis 0 of shape (3, 4)\n  expected: -3 … 2"),
    ("getitem", (x34, (0, [1, -5])), "index -5 is out of range for axis 1 of shape (3, 4)"),
    ("getitem", (x34, (0, 0, 0)), "an index for 3 axes, and x has 2: shape (3, 4)"),
    ("getitem", (x34, (..., ...)), "an index has at most one Ellipsis"),
    ("getitem", (x34, 0.5), "an index must be an integer\n  got: 0.5"),
    (
        "getitem",
        (x34, x3),
        "an index is integer or bool\n  got: an index of float32\n  fix: index.astype",
    ),
    ("getitem", (x34, ([0, 1], [0, 1, 2])), "index arrays (2,) and (3,) do not broadcast"),
    ("getitem", (x34, np.ones(2, bool)), "the mask is (2,), and x has (3,) there"),
    ("getitem", (x34, slice(None, None, 0)), "the step of a slice is 0"),
    ("getitem", (x34, slice(0.5)), "a slice has integer bounds"),
    ("getitem", (x34, [[0], [0, 1]]), "rows of an index list differ in length"),
    ("getitem", (x34, mask), "depends on values that are not known yet"),
    ("setitem", (x34, 0, x3), "values of shape (3,) do not fill x[index], which is (4,)"),
    ("index_add", (x34, [0, 0], x3), "values of shape (3,) do not fill x[index], which is (2, 4)"),
    ("take_along_axis", (x34, ints, 0), "x is (3, 4) and indices are (2,)"),
    ("take_along_axis", (x34, x34, 0), "indices are integers\n  got: indices of float32"),
    ("scatter_add", (x3, Spec((4,), "int64"), x3, 0), "indices (4,) reach beyond axis 0"),
    ("scatter_add", (x3, ints, x34, 0), "x is (3,) and values are (3, 4)"),
    ("nonzero", (2.0,), "x is a number, shape ()"),
    (
        "windows",
        (x3, (4,), (1,), (1,)),
        "a window of 4 is larger than the input of 3 on spatial axis 0",
    ),
    (
        "windows",
        (x3, (1, 1), (1, 1), (1, 1)),
        "size (1, 1) for x of shape (3,), which has fewer axes",
    ),
    ("windows", (x3, (2,), (0,), (1,)), "stride is (0,)\n  expected: numbers ≥ 1"),
    ("windows", (x3, (2,), (1, 1), (1,)), "stride (1, 1) for 1 spatial axes"),
    ("overlap_add", (x34, (9,), (1,), (1,)), "windows (3, 4) do not come from (9,)"),
    ("convolution", (image, kernel, (1,), *WAY[1:]), "stride (1,) for 2 spatial axes"),
    (
        "convolution",
        (image, Spec((4, 2, 3, 3), "float32"), *WAY),
        "3 channels != 2\n  got: groups=1",
    ),
    ("convolution", (image, kernel, *WAY[:3], 3), "4 output channels are not 3 equal groups"),
    ("convolution", (image[0], kernel, *WAY), "fix: a batch of one: reshape x to (1, 3, 8, 8)"),
    (
        "convolution",
        (image, Spec((4, 3, 9, 9), "float32"), *WAY),
        "fix: padding of 1 on spatial axis 0",
    ),
    (
        "convolution_input_grad",
        (image, kernel, (2, 3, 8, 8), *WAY),
        "the convolution's result is (2, 4, 6, 6)",
    ),
    ("convolution_weight_grad", (image, image, (4, 3, 3, 3), *WAY), "grad is (2, 3, 8, 8)"),
    ("sum", (x34, 0, False, 1), "4 arguments\n  expected: sum(x, axis=None, keepdims=False)"),
    ("matmul", (x34,), "'y' is missing\n  expected: matmul(x, y)"),
]


@pytest.mark.parametrize(("name", "args", "words"), WORDS, ids=lambda value: str(value)[:30])
def test_words_of_the_errors(name, args, words):
    with pytest.raises(DeepDiveError) as caught:
        getattr(spec, name)(*args)
    text = str(caught.value)
    assert words in text
    assert text.startswith(f"{name}: ") or "no dtype" in text


def test_unknown_parameters_and_words_are_suggested():
    with pytest.raises(OperatorError, match=r"no parameter 'keepdim'\n.*\n.*mean 'keepdims'"):
        spec.sum(x34, keepdim=True)
    with pytest.raises(AttributeError, match=r"no word 'log_add_exp' .* mean 'logaddexp'"):
        spec.log_add_exp(x34, x34)


def test_kinds_of_errors():
    for name, args, kinds in [
        ("add", (x34, x24), (ShapeError, ValueError)),
        ("getitem", (x34, 3), (IndexRangeError, ShapeError, IndexError)),
        ("bitwise_or", (x34, x34), (DTypeError, TypeError)),
        ("windows", (x3, (2,), (0,), (1,)), (ArgumentError, ValueError)),
        ("nonzero", (x34,), (GraphError,)),
    ]:
        error = attempt(lambda name=name, args=args: getattr(spec, name)(*args))[1]
        assert all(isinstance(error, kind) for kind in kinds)


# --- Specs -------------------------------------------------------------------------------------
def test_python_operators_say_words():
    x, y = Spec((3, 1), "float32"), Spec((4,), "int64")
    for out in [x + y, y - x, 2 * x * y, x / y, x // y, y % x, x**y, 2**x * y, y / x]:
        assert (out.shape, out.dtype) == ((3, 4), "float32")
    for out in [x < y, x >= y, x == y, x != y]:
        assert (out.shape, out.dtype) == ((3, 4), "bool")
    bits = (y & 1) | (1 ^ ~y)
    assert (bits.shape, bits.dtype) == ((4,), "int64")
    assert (1 / y).dtype == "float32"
    assert (-abs(x)).shape == (3, 1)
    assert (x.T @ x).shape == (1, 1)
    assert (y[1:, None].ndim, y[1:, None].size, len(x)) == (2, 3, 3)
    assert [row.shape for row in x] == [(1,)] * 3
    assert repr(x) == "Spec((3, 1), float32)"


def test_specs_take_the_lead_over_numpy_arrays_and_scalars():
    x = Spec((3, 1), "float32")
    for out in [np.ones(4, "float32") * x, np.float64(2) * x, np.ones((5, 3), "float32") @ x]:
        assert isinstance(out, Spec)
    assert (np.float64(2) * x).dtype == "float32"


@pytest.mark.parametrize("use", [bool, float, int, np.asarray, lambda s: s.item()])
def test_a_spec_has_no_values(use):
    with pytest.raises(GraphError, match="this array has no values yet"):
        use(Spec((), "float32"))


def test_spec_of_keeps_numbers_and_the_values_of_indices():
    index = np.array([0, 2])
    specs = spec_of([array((3,)), index, 2.5, None, slice(1), (index,)])
    assert [type(each) for each in specs] == [Spec, Spec, float, type(None), slice, tuple]
    assert specs[0].values is None and specs[1].values is index and specs[5][0].values is index
    assert spec.getitem(specs[0], spec_of(array((3,)) > 1)).shape == (1,)


# --- explain -----------------------------------------------------------------------------------
def attend(xp, q, k, scale):
    return xp.matmul(q * scale, k)


def test_explain_puts_the_operators_name_in_front():
    args = [array((2, 5, 8)), array((2, 5, 8)), 0.5]
    refusal = attempt(lambda: attend(numpy_cpu, *args))[1]
    found = explain(attend, args, refusal, "attend")
    assert type(found) is ShapeError
    assert str(found) == (
        "attend: matmul: x is (2, 5, 8) and y is (2, 5, 8): 8 != 5\n"
        "  expected: x (…, 5), as y has 5 rows\n"
        "  fix: transpose y's last two axes"
    )
    assert found.args == (found.what,)
    same = explain(lambda xp, q, k, scale: xp.matmul(q, k), args, refusal, "matmul")
    assert str(same).startswith("matmul: x is")


def test_explain_an_index_by_its_values():
    args = [array((3, 4)), np.array([0, 3])]

    def run(xp, w, index):
        return xp.getitem(w, index)

    found = explain(run, args, IndexError(), "embedding")
    assert isinstance(found, IndexError)
    assert str(found).startswith("embedding: getitem: index 3 is out of range for axis 0 of shape")


def test_explain_says_nothing_where_the_rules_have_nothing_to_say():
    fits = [array((3, 4)), array((4, 5)), 0.5]
    assert explain(attend, fits, MemoryError(), "attend") is None
    misfit = [array((3, 4)), array((3, 4)), 0.5]
    assert explain(attend, misfit, ShapeError("its own"), "attend") is None
    assert explain(lambda xp, x: 1 // 0, [fits[0]], ValueError(), "own") is None
    assert explain(lambda xp, x: 1 if x.sum else x[x > 0], [fits[0]], ValueError(), "own") is None
    assert explain(lambda xp, x: x[x > 0], [fits[0]], ValueError(), "own") is None

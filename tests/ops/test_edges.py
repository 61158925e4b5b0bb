"""Special points – zeros of both signs, ties, infinities, NaN, huge and tiny – are PyTorch's."""

import warnings

import numpy as np
import pytest

import deepdive as dd
from deepdive import Tensor
from deepdive.errors import DTypeError, ShapeError

torch = pytest.importorskip("torch")

SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -3.0, 6.0, 1e-30, 30.0, -200.0, np.inf, -np.inf, np.nan]
)
UNARY = """
    abs acos acosh asin asinh atan atanh ceil cos cosh erf exp expm1 floor log log10 log1p log2
    neg reciprocal round rsqrt sigmoid sign sin sinh sqrt square tan tanh trunc
    relu silu elu leaky_relu hardtanh relu6 logsigmoid softplus gelu
""".split()
BINARY = "add sub mul true_divide maximum minimum pow atan2 logaddexp remainder".split()
WHOLE = "sum mean amax amin prod logsumexp cumsum cumprod softmax log_softmax std var".split()

# Where a slope differs on purpose, by the point; NumPy's NaN at NaN is right everywhere.
ELSEWHERE = {
    "acosh": lambda x: x < 1,  # outside the domain
    "remainder": lambda x, y: np.isinf(x) | np.isinf(y) | (y == 0),
    "pow": lambda x, y=0.5: (x == 0) & (y < 1) | np.isinf(x),  # infinite, of the other sign
    "prod": lambda x: (
        np.abs(x).max(keepdims=True, initial=0) > 1e200
    ),  # infinite on the way, or not
    "cumprod": lambda x: np.abs(x).max(keepdims=True, initial=0) > 1e200,
    "var": lambda x: np.isinf(x).any(keepdims=True),
    "std": lambda x: np.isinf(x).any(keepdims=True),
}


def run(function, make, arrays):
    tensors = [make(a) for a in arrays]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = function(*tensors)
        if not out.requires_grad:
            return out.detach().numpy(), None
        out.sum().backward()
    zeros = [np.zeros(a.shape) for a in arrays]
    pairs = zip(tensors, zeros, strict=True)
    return out.detach().numpy(), [z if t.grad is None else t.grad.numpy() for t, z in pairs]


def agree(name, *arrays, args=()):
    there = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    ours = run(lambda *t: getattr(dd, name)(*t, *args), Tensor, arrays)
    theirs = run(lambda *t: there(*t, *args), lambda a: torch.tensor(a, requires_grad=True), arrays)
    odd = sum(np.isnan(a) for a in arrays).astype(bool)
    if name in ELSEWHERE:
        odd = odd | ELSEWHERE[name](*arrays)
    if ours[0].shape == odd.shape:
        same = np.isclose(ours[0], theirs[0], 1e-6, 1e-12, equal_nan=True)
        assert (same | odd).all(), (arrays, ours[0], theirs[0])
    else:
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-12)
    for mine, yours in zip(ours[1] or (), theirs[1] or (), strict=True):
        same = np.isclose(mine, yours, 1e-6, 1e-12, equal_nan=True)
        assert (same | odd).all(), (arrays, mine, yours)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(name):
    agree(name, SPECIAL)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two(name):
    x, y = (grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    agree(name, x, y)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -0.5, 2.0, 0.0])
def test_powers(exponent):
    agree("pow", SPECIAL, args=(exponent,))


@pytest.mark.parametrize(
    "row",
    [
        [0.0, 0.0],
        [1.0, 1.0, 0.0],
        [np.inf, 1.0],
        [-np.inf, -np.inf],
        [np.nan, 1.0],
        [1e300, -1e300],
        [7.0],
    ],
)
@pytest.mark.parametrize("name", WHOLE)
def test_reductions_of_rows(name, row):
    agree(name, np.array([row]), args=(1,))


@pytest.mark.parametrize("limits", [(0.0, 1.0), (-1.0, 3.0), (1.0, 1.0)])
def test_clamp_at_its_edges(limits):
    agree("clamp", SPECIAL, args=limits)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "all", "any", "logsumexp"])
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_empty_reductions(name, shape):
    agree(name, np.zeros(shape), args=(len(shape) - 1,))


@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (4, 1)])
def test_linear_takes_a_bias_with_one_axis(shape):
    with pytest.raises(ShapeError, match=rf"^linear: b is \({shape[0]}, {shape[1]}\)\n.*\(4,\)"):
        dd.linear(dd.ones(2, 3), dd.ones(4, 3), dd.ones(*shape))


@pytest.mark.parametrize("power", [-1, dd.tensor([2, -1])])
def test_integers_have_no_negative_powers(power):
    with pytest.raises(DTypeError, match=r"^pow: integers have no negative powers\n.*\n  fix: x"):
        dd.tensor([1, 2]) ** power


INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


@pytest.mark.parametrize("places", INTEGERS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_are_pytorchs_for_all_pairs_of_dtypes(dtype, places):
    rng = np.random.default_rng(0)
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, 60, dtype=dtype, endpoint=True)
    y = rng.integers(0, 70, 60).astype(places)  # beyond the bits there are, too
    for ours, theirs in (
        (dd.tensor(x) << dd.tensor(y), torch.tensor(x) << torch.tensor(y)),
        (dd.tensor(x) >> dd.tensor(y), torch.tensor(x) >> torch.tensor(y)),
        (dd.tensor(x) << 72, torch.tensor(x) << 72),
        (dd.tensor(x) >> 72, torch.tensor(x) >> 72),
        (dd.tensor(x) >> 3, torch.tensor(x) >> 3),
    ):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float64"])
@pytest.mark.parametrize("word", ["sum", "prod", "cumsum", "cumprod", "nansum"])
def test_reductions_give_the_dtype_that_is_asked_for(word, dtype):
    x = np.array([[100, 27, 3], [5, 6, 9]], np.int32)
    along = (1,) if word.startswith("cum") else ()
    ours = getattr(dd, word)(dd.tensor(x), *along, dtype=getattr(dd, dtype))
    theirs = getattr(torch, word)(torch.tensor(x), *along, dtype=getattr(torch, dtype))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)

"""NumPy's functions called with Tensors: which record gradients, and which give plain arrays."""

import numpy as np
import pytest

import deepdive as dd
from deepdive.core.interop import FUNCTIONS, UFUNCS

X = np.array([[0.5, -1.5, 2.0], [0.25, 3.0, -0.75]])
UNIT = np.array([[0.5, -0.25], [0.75, 0.125]])

# The call → its arguments; NumPy on plain arrays is the referee
OURS = {  # Tensors come back, tracked
    **dict.fromkeys("exp sin cos tanh square negative absolute expm1 sinh cosh".split(), (X,)),
    **dict.fromkeys("arcsin arccos arctan arctanh arcsinh".split(), (UNIT,)),
    **{name: (np.abs(X),) for name in "sqrt log log1p log2 log10 reciprocal".split()},
    **dict.fromkeys("add subtract multiply divide arctan2 logaddexp".split(), (X, X + 4)),
    **dict.fromkeys("maximum minimum hypot".split(), (X, X + 0.1)),
    **dict.fromkeys("sum mean prod max min amax amin cumsum cumprod".split(), (X,)),
    "power": (np.abs(X), X),
    "matmul": (X, X.T),
    "dot": (X[0], X[1]),
    "outer": (X[0], X[1]),
    "where": (X > 0, X, X * 2),
    "clip": (X, -1.0, 1.0),
    "reshape": (X, (3, 2)),
    "squeeze": (X[None],),
    "roll": (X, 1),
    "tril": (X,),
    "triu": (X,),
    "concatenate": ([X, X],),
    "stack": ([X, X],),
}
AXES = dict.fromkeys("sum mean max min argmax argmin cumsum cumprod var std".split(), (X,))
PLAIN = {  # what only NumPy has gives what NumPy gives
    "median": (X,),
    "trapezoid": (X,),
    "histogram": (X,),
    "percentile": (X, 30),
    "array_equal": (X, X),
    "allclose": (X, X),
    "cov": (X,),
    "interp": (X[0], np.arange(3.0), np.arange(3.0)),
}


def tensors(args, tracked):
    def made(a):
        if isinstance(a, list):
            return [made(each) for each in a]
        if isinstance(a, np.ndarray):
            return dd.tensor(a, requires_grad=tracked and a.dtype.kind == "f")
        return a

    return [made(a) for a in args]


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("name", sorted(OURS))
def test_functions_of_both(name, tracked):
    out = getattr(np, name)(*tensors(OURS[name], tracked))
    expected = getattr(np, name)(*OURS[name])
    assert isinstance(out, dd.Tensor)
    assert out.requires_grad == tracked
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", sorted(AXES))
def test_axis_means_the_same(name, axis, tracked):
    out = getattr(np, name)(*tensors(AXES[name], tracked), axis=axis)
    np.testing.assert_allclose(
        np.asarray(out), getattr(np, name)(*AXES[name], axis=axis), rtol=1e-12
    )


@pytest.mark.parametrize("name", ["var", "std"])
def test_variances_divide_by_n_as_in_numpy(name):
    function, x = getattr(np, name), dd.tensor(X, requires_grad=True)
    for options in ({}, {"ddof": 1}, {"axis": 1, "ddof": 0, "keepdims": True}):
        out = function(x, **options)
        assert out.requires_grad
        np.testing.assert_allclose(out.detach().numpy(), function(X, **options), rtol=1e-12)


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("name", sorted(PLAIN))
def test_functions_only_numpy_has_end_history_visibly(name, tracked):
    out = getattr(np, name)(*tensors(PLAIN[name], tracked))
    expected = getattr(np, name)(*PLAIN[name])
    assert not isinstance(out, dd.Tensor)
    for found, wanted in zip(
        out if isinstance(out, tuple) else [out],
        expected if isinstance(expected, tuple) else [expected],
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_numbers_through_a_ufunc_have_their_gradient():
    x = dd.tensor(X, requires_grad=True)
    np.sum(np.exp(x) * np.multiply(2.0, x)).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(X) * (1 + X), rtol=1e-12)


def test_asarray_of_a_tracked_tensor_shares_its_memory():
    x = dd.tensor(X, requires_grad=True)
    assert np.shares_memory(np.asarray(x), x.detach().numpy())
    assert not np.shares_memory(np.array(x, copy=True), x.detach().numpy())
    assert np.asarray(x, dtype="float32").dtype == np.float32
    assert np.asarray(dd.tensor(X, device="native")).tolist() == X.tolist()


def test_the_tables_name_functions_numpy_has():
    assert all(hasattr(np, name) for name in [*UFUNCS, *FUNCTIONS])

"""Derivatives as functions, held against PyTorch's."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import Tensor
from deepdive.core.autograd import hvp, jvp, vjp
from deepdive.errors import GraphError

torch = pytest.importorskip("torch")

X, Y = (np.random.default_rng(k).uniform(0.5, 1.5, (3, 4)) for k in (0, 1))
U, V = (np.random.default_rng(k).standard_normal((3, 4)) for k in (2, 3))


def f(x, y):
    """Works for both libraries."""
    return (x * y).exp() / (x + y**2) + (x @ y.T).sum(1).reshape(3, 1)


def scalar(x, y):
    return f(x, y).sin().sum()


def ours(*arrays):
    return tuple(dd.tensor(a) for a in arrays)


def theirs(*arrays):
    return tuple(torch.tensor(a) for a in arrays)


def close(found, expected):
    found, expected = (v if isinstance(v, tuple) else (v,) for v in (found, expected))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_vjp():
    out, pull = vjp(f, ours(X, Y))
    expected, slopes = torch.autograd.functional.vjp(f, theirs(X, Y), torch.tensor(U))
    close(out, expected)
    close(pull(dd.tensor(U)), slopes)
    close(pull(dd.tensor(U)), slopes)  # as often as wanted


def test_jvp():
    found = jvp(f, ours(X, Y), ours(U, V))
    close(found, torch.autograd.functional.jvp(f, theirs(X, Y), theirs(U, V)))


def test_hvp():
    found = hvp(scalar, ours(X, Y), ours(U, V))
    expected = torch.autograd.functional.hvp(scalar, theirs(X, Y), theirs(U, V))
    close(found[0], expected[0])
    close(found[1], expected[1])


def test_single_inputs_give_single_results():
    x, u = dd.tensor(X), dd.tensor(U)
    assert isinstance(vjp(dd.exp, x)[1](u), Tensor)
    assert isinstance(jvp(dd.exp, x, u)[1], Tensor)
    assert isinstance(hvp(lambda t: t.exp().sum(), x, u)[1], Tensor)


@pytest.mark.parametrize("x", [0.7, [0.7], np.zeros((0, 2))])
def test_scalars_and_empty_inputs(x):
    x = dd.tensor(x)
    close(jvp(dd.exp, x, dd.ones_like(x))[1], torch.tensor(np.exp(x.numpy())))


def test_functions_that_do_not_depend_on_an_input():
    x, y = ours(X, Y)
    _, slope = jvp(lambda x, y: x * 2, (x, y), (dd.tensor(U), dd.tensor(V)))
    close(slope, torch.tensor(2 * U))
    assert vjp(lambda x, y: x * 2, (x, y))[1](dd.tensor(U))[1].tolist() == np.zeros((3, 4)).tolist()
    assert hvp(lambda x: x.sum(), x, dd.tensor(U))[1].tolist() == np.zeros((3, 4)).tolist()
    big = dd.tensor([np.inf])
    assert vjp(lambda x, y: x * 2, (big, big))[1](dd.ones(1))[1].tolist() == [0.0]


class TestGrad:
    def test_several_outputs_and_inputs(self):
        x, y = Tensor(X), Tensor(Y)
        found = dd.grad([(x * y).sum(), x.exp()], [x, y], [None, dd.tensor(U)])
        a, b = (torch.tensor(v, requires_grad=True) for v in (X, Y))
        expected = torch.autograd.grad([(a * b).sum(), a.exp()], [a, b], [None, torch.tensor(U)])
        close(found, expected)
        assert x.grad is None and y.grad is None

    def test_with_respect_to_a_value_in_between(self):
        x = Tensor(X)
        y = x * 2
        (found,) = dd.grad((y**3).sum(), y)
        close(found, torch.tensor(12 * X**2))

    def test_the_output_itself(self):
        x = Tensor(2.0)
        assert dd.grad(x, x)[0].item() == 1.0

    def test_only_what_leads_there_is_walked(self):
        class Forbidden(dd.Operator):
            def forward(self, xp, x):
                return 2 * x

            def backward(self, xp, grad):
                raise AssertionError("not on the way")

        x, y = Tensor(1.0), Tensor(1.0)
        assert dd.grad(x * 3 + Forbidden()(y), x)[0].item() == 3.0

    def test_errors(self):
        x, y = Tensor(X), Tensor(Y)
        with pytest.raises(GraphError, match=r"(?s)inputs\[1\] has no part.*allow_unused"):
            dd.grad((x * 2).sum(), [x, y])
        assert dd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
        with pytest.raises(GraphError, match=r"inputs\[0\] tracks no gradient"):
            dd.grad((x * 2).sum(), dd.tensor(X))
        with pytest.raises(GraphError, match=r"outputs\[0\] tracks no gradient"):
            dd.grad(dd.ones(()), x)
        with pytest.raises(GraphError, match="one element"):
            dd.grad(x * 2, x)


class TestGradcheck:
    def test_right_and_wrong(self):
        class Wrong(dd.Operator):
            def forward(self, xp, x):
                return x * x

            def backward(self, xp, grad, x):
                return grad * x

        x = Tensor(X)
        assert dd.gradcheck(dd.exp, x)
        assert dd.gradgradcheck(dd.exp, x)
        assert not dd.gradcheck(Wrong(), x, raise_exception=False)
        with pytest.raises(GraphError, match=r"(?s)gradient of input 0 is wrong.*differences"):
            dd.gradcheck(Wrong(), x)
        with pytest.raises(GraphError, match="no input requires"):
            dd.gradcheck(dd.exp, dd.tensor(X))

    def test_several_inputs(self):
        assert dd.gradcheck(f, (Tensor(X), Tensor(Y)))
        assert dd.gradgradcheck(f, (Tensor(X), dd.tensor(Y)))

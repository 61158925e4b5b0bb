"""System D, Needle: its table, line by line, in its users' words."""

import math
import tracemalloc

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import deepdive as dd
from deepdive import nn
from deepdive.backend.native import asarray
from deepdive.errors import ShapeError
from deepdive.tensor import PowerScalar, Tensor


@pytest.fixture
def lazy():
    """Lazy mode for one test."""
    with dd.lazy():
        yield


class TestGraphValues:
    """a tensor knows the operator and the inputs that made it (`t.op`, `t.inputs`) and whether its
    value is there yet (`t.cached_data`, `t.realize_cached_data()`); an operator with parameters
    is made and applied, `PowerScalar(3)(a)`
    """

    def test_op_and_inputs(self):
        a, b = Tensor([2.0, 3.0]), Tensor([4.0, 5.0])
        c = a * b
        assert type(c.op).__name__ == "Mul"
        assert c.inputs[0] is a
        assert c.inputs[1] is b
        assert (a.op, a.inputs) == (None, ())
        assert repr(c.grad_fn) == "<MulBackward0>"

    def test_eager_values_are_there(self):
        c = Tensor([2.0]) + 1
        assert c.cached_data.tolist() == [3.0]
        assert c.realize_cached_data().tolist() == [3.0]

    def test_an_operator_with_parameters(self):
        a = Tensor([1.0, 2.0])
        b = PowerScalar(3)(a)
        assert b.tolist() == [1.0, 8.0]
        assert b.op.scalar == 3
        b.sum().backward()
        assert a.grad.tolist() == [3.0, 12.0]
        assert dd.tensor([2.0]).power_scalar(2).tolist() == [4.0]


class TestLazyMode:
    """lazily built tensors compute only when a value is needed (printing, `.numpy()`, `.item()`),
    and each at most once
    """

    LOOKS = {
        "print": lambda t: repr(t),
        "numpy": lambda t: t.numpy(),
        "item": lambda t: t.sum().item(),
        "tolist": lambda t: t.tolist(),
        "float": lambda t: float(t.sum()),
        "bool": lambda t: bool(t.sum() > 0),
        "realize": lambda t: t.realize_cached_data(),
        "asarray": lambda t: np.asarray(t),
        "format": lambda t: f"{t.sum():.1f}",
    }

    @pytest.mark.parametrize("look", LOOKS)
    def test_looking_computes(self, lazy, look):
        x = dd.tensor([1.0, 2.0])
        y = (x * 3).exp()
        assert y.cached_data is None
        self.LOOKS[look](y)
        assert y.cached_data is not None
        np.testing.assert_allclose(y.numpy(), np.exp([3.0, 6.0]), rtol=1e-6)

    def test_shapes_and_dtypes_are_known_without_computing(self, lazy):
        x = dd.ones(2, 3)
        y = (x @ dd.ones(3, 4)).sum(0, keepdim=True) > 1
        assert (y.shape, y.dtype.name, y.ndim, y.numel()) == ((1, 4), "bool", 2, 4)
        assert y.cached_data is None

    def test_each_value_at_most_once(self, lazy, monkeypatch):
        from deepdive.compiler import lazyarray

        computed = []
        compute = lazyarray.compute

        def counted(value):
            computed.append(value)
            compute(value)

        monkeypatch.setattr(lazyarray, "compute", counted)
        x = dd.tensor([1.0, 2.0], requires_grad=True)
        y = x.exp()
        a, b = y + 1, y * 2
        assert not computed
        a.numpy(), b.numpy(), a.tolist(), repr(b), (a + b).sum().item()
        (a * b).sum().backward()
        x.grad.numpy(), x.grad.tolist()
        assert len(computed) == len(set(map(id, computed)))
        words = [value.word for value in computed]
        assert words.count("exp") == 1

    def test_errors_come_at_once(self, lazy):
        with pytest.raises(dd.errors.ShapeError, match="matmul"):
            dd.ones(2, 3) @ dd.ones(4, 5)

    def test_set_lazy(self):
        dd.set_lazy(True)
        try:
            assert dd.is_lazy()
            assert (dd.ones(2) + 1).cached_data is None
        finally:
            dd.set_lazy(False)
        assert (dd.ones(2) + 1).cached_data is not None

    def test_modes_can_be_mixed(self):
        with dd.lazy():
            y = dd.ones(2) * 3
            with dd.lazy(False):
                z = y + dd.ones(2)
        assert (y + z).tolist() == [7.0, 7.0]

    def test_changes_in_place(self, lazy):
        x = dd.ones(3)
        y = x * 2
        x.add_(5)
        x[1] = 0
        assert (x.tolist(), y.tolist()) == ([6.0, 0.0, 6.0], [2.0] * 3)

    def test_training(self):
        """An epoch recorded is an epoch computed."""
        found = []
        for mode in (False, True):
            dd.manual_seed(0)
            model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
            optimizer = dd.optim.Adam(model.parameters(), lr=0.01)
            with dd.lazy(mode):
                for _ in range(5):
                    optimizer.zero_grad()
                    loss = nn.functional.cross_entropy(model(dd.ones(4, 5)), dd.arange(4) % 3)
                    loss.backward()
                    optimizer.step()
                    found.append(loss.item())
        assert found[:5] == pytest.approx(found[5:], rel=1e-6)


class TestGradientsAsAGraph:
    """the backward pass builds new graph, so gradients of gradients work to any order"""

    @pytest.mark.parametrize("mode", [False, True])
    def test_any_order(self, mode):
        with dd.lazy(mode):
            x = dd.tensor(2.0, requires_grad=True)
            y, found = x**5, []
            for _ in range(5):
                (y,) = dd.grad(y, [x], create_graph=True)
                found.append(y.item())
        assert found == [80.0, 160.0, 240.0, 240.0, 120.0]

    def test_a_gradient_has_a_history(self):
        x = Tensor([3.0])
        (slope,) = dd.grad(x * x, [x], create_graph=True)
        assert slope.op is not None


class TestDetach:
    """cuts history, as PyTorch's does; ten thousand updates in a loop hold constant memory"""

    def test_it_tracks_nothing(self):
        x = Tensor([1.0])
        y = (x * 2).detach()
        assert (y.requires_grad, y.op, y.inputs) == (False, None, ())
        assert y.requires_grad_().requires_grad

    @pytest.mark.parametrize("mode", [False, True])
    def test_constant_memory(self, mode):
        w, grad = dd.zeros(100), dd.ones(100)
        tracemalloc.start()
        try:
            with dd.lazy(mode):
                for i in range(10_000):
                    w = (w - grad * 0.001).detach()
                    if mode and i % 10 == 0:
                        w.realize_cached_data()
                    if i == 1000:
                        before = tracemalloc.get_traced_memory()[0]
            after = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert after - before < 50_000
        assert w.numpy() == pytest.approx(-10.0, rel=1e-3)


class TestGradientCheck:
    """`gradient_check(f, *args)`: central differences against the analytic gradient, for forward-op
    and for whole-backward mode
    """

    @pytest.mark.parametrize("backward", [False, True])
    def test_right_gradients_are_returned(self, backward):
        a, b = Tensor(np.random.randn(3, 4)), Tensor(np.random.randn(4, 2))
        found = dd.gradient_check(dd.matmul, a, b, backward=backward)
        np.testing.assert_allclose(found[0], np.ones((3, 2)) @ b.numpy().T)
        np.testing.assert_allclose(found[1], a.numpy().T @ np.ones((3, 2)))

    def test_options_and_integers_pass_through(self):
        x = dd.randn(2, 3)
        found = dd.gradient_check(dd.summation, x, axes=(0,))
        assert found[0].tolist() == [[1.0] * 3] * 2
        index = dd.tensor([1, 0])
        assert len(dd.gradient_check(lambda x, i: x[i], x, index)) == 1

    def test_wrong_gradients_are_refused(self):
        class Wrong(dd.Operator):
            def forward(self, xp, x):
                return xp.exp(x)

            def backward(self, xp, grad, x):
                return grad * x

        with pytest.raises(dd.errors.GraphError):
            dd.gradient_check(Wrong(), dd.randn(3))
        assert dd.autograd.gradcheck is dd.gradcheck


class TestOperators:
    """power by a scalar, broadcast_to, summation over axes, reshape, transpose, matmul with batch
    broadcasting, negate, divide, log, exp, relu, logsumexp, tanh, stack/split, flip, dilate, conv
    """

    x = np.array([[0.5, 1.0, 1.5], [2.0, 0.25, 3.0]])
    CASES = {
        "power": (lambda x: x**3, lambda x: x**3),
        "broadcast_to": (lambda x: x.broadcast_to((4, 2, 3)), lambda x: np.stack([x] * 4)),
        "summation": (lambda x: dd.summation(x, (1,)), lambda x: x.sum(1)),
        "reshape": (lambda x: dd.reshape(x, (3, 2)), lambda x: x.reshape(3, 2)),
        "transpose": (lambda x: dd.transpose(x, 0, 1), lambda x: x.T),
        "matmul": (lambda x: dd.matmul(x.reshape(2, 1, 3), x.t()), lambda x: x[:, None] @ x.T),
        "negate": (lambda x: dd.negate(x), lambda x: -x),
        "divide": (lambda x: dd.divide(1.0, x), lambda x: 1 / x),
        "log": (lambda x: dd.log(x), np.log),
        "exp": (lambda x: dd.exp(x), np.exp),
        "relu": (lambda x: dd.relu(x - 1.2), lambda x: np.maximum(x - 1.2, 0)),
        "logsumexp": (lambda x: dd.logsumexp(x, 1), lambda x: np.log(np.exp(x).sum(1))),
        "tanh": (lambda x: dd.tanh(x), np.tanh),
        "stack": (lambda x: dd.stack([x, 2 * x], 1), lambda x: np.stack([x, 2 * x], 1)),
        "split": (lambda x: dd.split(x, 1, 0)[1], lambda x: x[1:]),
        "flip": (lambda x: dd.flip(x, (0,)), lambda x: x[::-1]),
    }

    @pytest.mark.parametrize("mode", [False, True])
    @pytest.mark.parametrize("name", CASES)
    def test_values_and_gradients(self, name, mode):
        ours, theirs = self.CASES[name]
        with dd.lazy(mode):
            np.testing.assert_allclose(ours(dd.tensor(self.x)).numpy(), theirs(self.x))
            dd.gradient_check(ours, dd.tensor(self.x))

    def test_dilate(self):
        x = np.arange(1.0, 5).reshape(2, 2)
        expected = np.zeros((4, 6))
        expected[::2, ::3] = x
        found = dd.dilate(dd.dilate(dd.tensor(x), (0,), 1), (1,), 2)
        assert found.tolist() == expected.tolist()
        dd.gradient_check(lambda x: dd.dilate(x, (0, 1), 1), dd.tensor(x))

    def test_conv(self):
        x, w = np.random.randn(2, 3, 5, 5), np.random.randn(4, 3, 3, 3)
        expected = np.zeros((2, 4, 3, 3))
        for i in range(3):
            for j in range(3):
                window = x[:, :, i : i + 3, j : j + 3]
                expected[:, :, i, j] = np.einsum("bchw,ochw->bo", window, w)
        found = nn.functional.conv2d(dd.tensor(x), dd.tensor(w))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
        dd.gradient_check(nn.functional.conv2d, dd.tensor(x[:1]), dd.tensor(w[:1]), tol=1e-5)


def test_softmax_loss():
    """`softmax_loss(logits, one_hot)`"""
    logits, labels = np.random.randn(6, 4), np.array([0, 1, 2, 3, 0, 1])
    found = dd.softmax_loss(dd.tensor(logits), nn.functional.one_hot(labels, 4))
    rest = np.log(np.exp(logits).sum(1)) - logits[np.arange(6), labels]
    assert found.item() == pytest.approx(rest.mean(), rel=1e-6)


@pytest.mark.parametrize("mode", [False, True])
def test_one_epoch_of_a_two_layer_net_in_ten_lines(mode):
    """one epoch of a two-layer ReLU net in ten lines"""
    X = np.random.randn(200, 8).astype("f")
    labels = np.digitize(X[:, 0], [-0.5, 0.5])
    one_hot = np.eye(3, dtype="f")[labels]
    with dd.lazy(mode):
        W1, W2 = (Tensor(np.random.randn(m, n).astype("f") / m**0.5) for m, n in ((8, 30), (30, 3)))
        for _ in range(10):
            for i in range(0, 200, 20):
                x, y = X[i : i + 20], one_hot[i : i + 20]
                W1.grad = W2.grad = None
                loss = dd.softmax_loss(dd.relu(dd.tensor(x) @ W1) @ W2, dd.tensor(y))
                loss.backward()
                W1 = Tensor(W1.detach() - 0.5 * W1.grad)
                W2 = Tensor(W2.detach() - 0.5 * W2.grad)
        guesses = (dd.relu(dd.tensor(X) @ W1) @ W2).numpy().argmax(1)
    assert (guesses == labels).mean() > 0.85


class TestNDArray:
    """its announced future: an own n-d array (strides, offset, compact; views never copy)"""

    @staticmethod
    def counted(*shape):
        """0, 1, 2 … in a shape, and the same in NumPy."""
        numbers = np.arange(math.prod(shape), dtype="float32").reshape(shape)
        return asarray(numbers), numbers

    # Needle's calls, and NumPy's for the same view
    VIEWS = {
        "permute": (lambda a: a.permute((2, 0, 1)), lambda a: a.transpose(2, 0, 1)),
        "transposed": (lambda a: a.T, lambda a: a.T),
        "a row": (lambda a: a[1], lambda a: a[1]),
        "a slice": (lambda a: a[1:3, ::2], lambda a: a[1:3, ::2]),
        "a slice of one": (lambda a: a[:, 2:3, 1:], lambda a: a[:, 2:3, 1:]),
        "backwards": (lambda a: a[::-1, :, ::-2], lambda a: a[::-1, :, ::-2]),
        "reshaped": (lambda a: a.reshape((4, 15)), lambda a: a.reshape(4, 15)),
        "split": (lambda a: a.T.reshape((5, 3, 2, 2)), lambda a: a.T.reshape(5, 3, 2, 2)),
        "flat": (lambda a: a.flat, lambda a: a.reshape(-1)),
        "a new axis": (lambda a: a[:, None, 1], lambda a: a[:, None, 1]),
        "strided": (
            lambda a: a.as_strided((3, 3), (15, 2), 4),
            lambda a: as_strided(a.reshape(-1)[4:], (3, 3), (60, 8)),
        ),
        "view of a view": (
            lambda a: a[1:].permute((1, 2, 0))[::2, 1:4][0],
            lambda a: a[1:].transpose(1, 2, 0)[::2, 1:4][0],
        ),
    }

    @pytest.mark.parametrize("name", VIEWS)
    def test_views_never_copy(self, name):
        ours, theirs = self.counted(4, 3, 5)
        view, numpys = (make(a) for make, a in zip(self.VIEWS[name], (ours, theirs), strict=True))
        assert view.buffer is ours.buffer and view.base is ours
        assert view.shape == numpys.shape and view.tolist() == numpys.tolist()
        assert view.strides == tuple(step // 4 for step in numpys.strides)
        assert view.offset == (numpys.ctypes.data - theirs.ctypes.data) // 4

    @pytest.mark.parametrize("name", VIEWS)
    def test_compact(self, name):
        ours, theirs = self.counted(4, 3, 5)
        view, numpys = (make(a) for make, a in zip(self.VIEWS[name], (ours, theirs), strict=True))
        packed = view.compact()
        assert view.is_compact() == numpys.flags.c_contiguous
        assert (packed is view) == view.is_compact()
        assert packed.is_compact() and packed.tolist() == numpys.tolist()
        if packed is not view:
            assert packed.buffer is not ours.buffer and packed.offset == 0
            packed[...] = -1.0
            assert ours.tolist() == theirs.tolist()

    @pytest.mark.parametrize("name", VIEWS)
    def test_setitem_on_views_writes_into_the_array(self, name):
        ours, theirs = self.counted(4, 3, 5)
        view, numpys = (make(a) for make, a in zip(self.VIEWS[name], (ours, theirs), strict=True))
        view[0] = 100.0
        numpys[0] = 100.0
        view[-1:] = view[:1]
        numpys[-1:] = numpys[:1]
        view[...] += 1.0
        numpys[...] += 1.0
        assert ours.tolist() == theirs.tolist()

    def test_setitem_takes_arrays_numbers_and_masks(self):
        ours, theirs = self.counted(4, 6)
        for a, row in ((ours, asarray([7.0, 8.0, 9.0])), (theirs, np.array([7.0, 8.0, 9.0]))):
            a[1:3, ::2] = row
            a[a > 20] = 0
            a[:, 1][2:] = -1
            a[[0, 3], [5, 5]] = row[:2]
        assert ours.tolist() == theirs.tolist()

    def test_broadcasting_is_a_view_that_cannot_be_written(self):
        ours, _ = self.counted(1, 3)
        wide = ours.broadcast_to((4, 3))
        assert wide.strides == (0, 1) and wide.buffer is ours.buffer and not wide.is_compact()
        with pytest.raises(ShapeError, match="share their memory"):
            wide[...] = 1.0
        wide[2, 1] = 5.0  # one element is one place
        assert ours.tolist() == [[0.0, 5.0, 2.0]]

    def test_computing_on_views(self):
        ours, theirs = self.counted(4, 3, 5)
        rows = [
            (ours.permute((2, 1, 0)) + ours[::-1].T, theirs.transpose(2, 1, 0) + theirs[::-1].T),
            (ours[:, 1].T @ ours[:, ::2][:, 0], theirs[:, 1].T @ theirs[:, ::2][:, 0]),
            (ours[1:, :, ::2].sum(1), theirs[1:, :, ::2].sum(1)),
            (ours.T.max((0, 2)), theirs.T.max((0, 2))),
        ]
        for found, expected in rows:
            assert found.is_compact() and found.tolist() == expected.tolist()

    def test_numpy_sees_the_same_memory(self):
        ours, _ = self.counted(4, 3)
        ours.T[1:].numpy()[0, 0] = 50.0
        assert ours[0, 1].item() == 50.0

    def test_zero_size_and_numbers(self):
        empty, _ = self.counted(3, 0, 2)
        assert empty.is_compact() and empty.permute((2, 1, 0)).shape == (2, 0, 3)
        empty[...] = 1.0
        assert empty.sum().item() == 0.0 and empty.reshape((0, 6)).tolist() == []
        number = self.counted(2)[0][1]
        assert (number.shape, number.strides, number.offset) == ((), (), 1)
        number[()] = 9.0
        assert number.base.tolist() == [0.0, 9.0]

    def test_a_tensor_on_it(self):
        x = Tensor([[1.0, 2.0], [3.0, 4.0]], device="native")
        y = x.transpose(0, 1)
        assert y._data.buffer is x._data.buffer and y._data.strides == (1, 2)
        (y @ x).sum().backward()
        assert x.grad.tolist() == [[6.0, 6.0], [14.0, 14.0]]

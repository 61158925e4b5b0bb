"""System B, othergrad: a lab on autograd – its table, line by line, in its users' words."""

import io
import itertools

import numpy as np
import pytest

import deepdive as dd
from deepdive import datautils, nn, optim
from deepdive.core.autograd import engine
from deepdive.dash import Progress
from deepdive.errors import DTypeError, GraphError
from deepdive.tensor import Function, Tensor
from tests.systems.pytorch_beside import compare, on_both, random, torch, twins

# --- Tensor, Function --------------------------------------------------------------------------


class TestFunction:
    """`Tensor`, `Function`: an operator is a `Function` with `forward` and `backward`; the graph is
    walked by topological sort, each node once: O(nodes), also for diamonds.
    """

    def test_an_operator_is_a_function(self):
        class Swish(Function):
            @staticmethod
            def forward(ctx, x, beta):
                gate = 1 / (1 + np.exp(-beta * x))
                ctx.save_for_backward(x, gate)
                ctx.beta = beta
                return x * gate

            @staticmethod
            def backward(ctx, grad_output):
                x, gate = ctx.saved_tensors
                return grad_output * (gate + ctx.beta * x * gate * (1 - gate)), None

        ours, theirs = twins(random(4, 3))
        compare(Swish.apply(ours[0], 1.0), torch.nn.functional.silu(theirs[0]), ours, theirs)
        assert "Swish" in repr(Swish.apply(ours[0], 1.0).grad_fn)

    def test_each_node_once_also_for_diamonds(self):
        """A ladder of n diamonds has 2ⁿ paths and 2n + 1 nodes."""
        calls = []

        class Twice(Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            def backward(ctx, grad_output):
                calls.append(1)
                return 2 * grad_output

        rungs = 60
        x = y = Tensor(1.0)
        for _ in range(rungs):
            half = Twice.apply(y)
            y = half * 0.25 + half * 0.25
        y.backward()
        assert len(calls) == rungs
        assert x.grad.item() == 1

    def test_time_grows_with_the_nodes(self, monkeypatch):
        """O(nodes): the number of gradients computed is the number of operators."""
        visited = []
        inner = engine.gradients
        monkeypatch.setattr(
            engine, "gradients", lambda node, *rest: visited.append(node) or inner(node, *rest)
        )
        x = y = Tensor([1.0, 2.0])
        for _ in range(200):
            y = y * y / (y + x)
        y.sum().backward()
        assert len(visited) == len(set(visited)) == 200 * 3 + 1


class TestRequiresGrad:
    """`requires_grad`: only floating tensors: asking for it on integers is an error that says so.
    If no input requires a gradient, no graph is kept.
    """

    @pytest.mark.parametrize("data", [[1, 2], True, np.arange(3, dtype=np.int32)])
    def test_integers(self, data):
        for ask in (
            lambda: Tensor(data, requires_grad=True),
            lambda: dd.tensor(data, requires_grad=True),
            lambda: dd.tensor(data).requires_grad_(),
        ):
            with pytest.raises(DTypeError) as caught:
                ask()
            for words in ("only floating tensors", "got: dtype", "expected: float32", "fix: "):
                assert words in str(caught.value)

    def test_no_graph_without_a_gradient(self):
        a, b = Tensor([1.0], requires_grad=False), dd.tensor([2.0])
        out = (a * b).exp().sum()
        assert not out.requires_grad
        assert out.grad_fn is None
        assert out.inputs == ()
        with dd.no_grad():
            assert (Tensor([1.0]) * 2).grad_fn is None

    def test_only_where_it_is_required(self):
        a, b = Tensor([2.0]), dd.tensor([3.0])
        (a * b).backward()
        assert a.grad.item() == 3
        assert b.grad is None


# --- broadcasting ------------------------------------------------------------------------------


class TestBroadcasting:
    """Gradients right for **any** pair of compatible shapes, e.g. `(3,5,7,5,2)` with
    `(5,7,1,1)`.
    """

    def test_the_example(self):
        on_both(
            lambda a, b: a * b + b, random(3, 5, 7, 5, 2), random(5, 7, 1, 1), rtol=1e-4, atol=1e-4
        )

    @pytest.mark.parametrize("operation", ["+", "-", "*", "/"])
    def test_every_pair_of_small_shapes(self, operation):
        """All shapes of up to three axes of 1 or n: 225 pairs, 0-d ones among them."""
        function = eval(f"lambda a, b: a {operation} b")
        sizes = (2, 3, 4)
        shapes = [
            shape
            for rank in range(4)
            for shape in itertools.product(*[(1, n) for n in sizes[3 - rank :]])
        ]
        assert len(shapes) == 15
        for x, y in itertools.product(shapes, shapes):
            on_both(function, random(*x, positive=True), random(*y, positive=True), rtol=1e-4)

    def test_empty_and_repeated(self):
        on_both(lambda a, b: a * b, random(0, 3), random(1, 3))
        on_both(lambda a: a * a.reshape(3, 1) + a, random(3))


class TestOperators:
    """`.T`, `@`, `relu`, stable `log_softmax`, `exp`, `log`, `sum`, `max` with `axis`/`keepdims`:
    float32 throughout without overflow.
    """

    def test_transpose_and_matmul(self):
        on_both(lambda a, b: a.T @ b, random(4, 3), random(4, 5))

    @pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
    @pytest.mark.parametrize("keepdims", [False, True])
    def test_sum_and_max(self, axis, keepdims):
        x = random(3, 4, 5)
        ours, theirs = twins(x)
        dims = axis if axis is not None else (0, 1, 2)
        expected = theirs[0].sum(dims, keepdim=keepdims)
        compare(ours[0].sum(axis=axis, keepdims=keepdims), expected, ours, theirs, 1e-4, 1e-5)
        if isinstance(axis, int):
            ours, theirs = twins(x)
            expected = theirs[0].amax(axis, keepdim=keepdims)
            out = ours[0].max(axis=axis, keepdims=keepdims)
            compare(out, expected, ours, theirs)

    def test_max_of_all(self):
        on_both(lambda a: a.max(), random(3, 4))

    @pytest.mark.parametrize("scale", [1.0, 1e4, 1e30])
    def test_log_softmax_is_stable_in_float32(self, scale):
        x = (random(4, 6) * scale).astype(np.float32)
        ours, theirs = twins(x)
        out = ours[0].log_softmax(axis=-1)
        assert out.dtype == np.float32
        compare(out, theirs[0].log_softmax(-1), ours, theirs)
        assert np.isfinite(out.numpy()).all()

    def test_float32_throughout(self):
        x = Tensor(random(4, 6))
        steps = [
            x.relu(),
            x.exp(),
            (x * x + 1).log(),
            x.sum(axis=0),
            x.max(axis=1),
            x.mean(),
        ]
        steps += [x.T @ x, x**2, x / 3, 2 * x, x - 1.5, x * np.float64(2.0), x.log_softmax(-1)]
        assert {step.dtype for step in steps} == {np.dtype("float32")}
        for step in steps:
            x.grad = None
            step.sum().backward()
            assert x.grad.dtype == np.float32


class TestBackward:
    """`backward(retain_graph=False)`: the graph is freed unless asked; a second backward over a
    freed graph is a clear error.
    """

    def test_a_second_backward(self):
        x = Tensor([3.0])
        y = x * x
        y.backward()
        with pytest.raises(GraphError) as caught:
            y.backward()
        assert "already freed (at Mul)" in str(caught.value)
        assert "fix: call the first backward(retain_graph=True)" in str(caught.value)
        with pytest.raises(GraphError, match="already freed"):
            (y * 2).backward()  # what was computed from it later cannot reach x, either
        assert x.grad.item() == 6

    def test_retain_graph(self):
        x = Tensor([3.0])
        y = x * x
        for turn in (1, 2, 3):
            y.backward(retain_graph=True)
            assert x.grad.item() == 6 * turn

    def test_the_graph_is_freed(self):
        x = Tensor(np.ones(1000))
        hidden = x.exp()
        loss = hidden.sum()
        node = hidden.grad_fn
        assert any(isinstance(saved, np.ndarray) for saved in node.saved)
        loss.backward()
        assert repr(node.saved) == "<freed>"


class TestModule:
    """`nn.Module` with a user's own `__call__` **or** `forward`;
    `nn.CrossEntropyLoss()(logits, class_indices)`
    """

    def test_own_call_or_own_forward(self):
        class WithCall(nn.Module):
            def __init__(self):
                self.layer = nn.Linear(3, 2)

            def __call__(self, x):
                return self.layer(x).relu()

        class WithForward(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(3, 2)

            def forward(self, x):
                return self.layer(x).relu()

        one, other, x = WithCall(), WithForward(), random(4, 3)
        other.load_state_dict(one.state_dict())
        np.testing.assert_array_equal(one(x), other(x))
        assert len(list(one.parameters())) == len(list(other.parameters())) == 2
        np.testing.assert_array_equal(nn.Sequential(one, nn.ReLU())(x), one(x))

    @pytest.mark.parametrize("indices", [np.array([0, 2, 1]), [0, 2, 1], Tensor([0, 2, 1])])
    def test_cross_entropy_of_class_indices(self, indices):
        ours, theirs = twins(random(3, 4))
        expected = torch.nn.CrossEntropyLoss()(theirs[0], torch.tensor([0, 2, 1]))
        compare(nn.CrossEntropyLoss()(ours[0], indices), expected, ours, theirs)


class TestOptim:
    """`optim.SGD(model.parameters(), lr=…, momentum=0.9, nesterov=True)`, Adam, Adagrad;
    `zero_grad()`; an MLP on MNIST with a progress bar.
    """

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
            ("SGD", {"lr": 0.1}),
            ("Adam", {"lr": 0.01}),
            ("Adagrad", {"lr": 0.1}),
        ],
    )
    def test_the_steps_are_pytorchs(self, name, options):
        theirs = torch.nn.Linear(3, 2)
        ours = nn.Linear(3, 2)
        ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
        first = getattr(optim, name)(ours.parameters(), **options)
        second = getattr(torch.optim, name)(theirs.parameters(), **options)
        for _ in range(8):
            x = random(5, 3)
            for optimizer, loss in (
                (first, (ours(x) ** 2).mean()),
                (second, (theirs(torch.tensor(x)) ** 2).mean()),
            ):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        first.zero_grad()
        assert all(p.grad is None for p in ours.parameters())
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(a, b.detach(), rtol=1e-4, atol=1e-6)

    def test_an_mlp_on_mnist_with_a_progress_bar(self, shared):
        mnist = datautils.MNIST(shared("data/mnist"), train=True)

        class MLP(nn.Module):
            def __init__(self):
                self.l1, self.l2 = nn.Linear(784, 64), nn.Linear(64, 10)

            def __call__(self, x):
                return self.l2(self.l1(x).relu())

        model = MLP()
        optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)
        screen = io.StringIO()
        losses = []
        loader = datautils.DataLoader(datautils.Subset(mnist, range(3200)), batch_size=32)
        for x, y in Progress(loader, stream=screen):
            logits = model(x.reshape(len(x), 784).astype(np.float32) / 255)
            loss = nn.CrossEntropyLoss()(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert np.mean(losses[-20:]) < 0.3 * np.mean(losses[:3])
        assert "100" in screen.getvalue()

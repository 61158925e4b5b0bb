"""What a compiled function reads and writes: it acts on tensors as the function itself does."""

import threading

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.errors import ShapeError
from deepdive.nn import functional as F


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)


def twins(make, *rest):
    """Two equal models, each with what ``rest`` makes of its parameters."""
    first, second = make(), make()
    second.load_state_dict(first.state_dict())
    return [(m, *(f(m.parameters()) for f in rest)) for m in (first, second)]


class TestArguments:
    """A program serves the arguments it was made for; others get one of their own."""

    def test_shapes_and_dtypes(self, compiled):
        f = compiled(lambda x: (x * 2).sum(0))
        for x in (dd.ones(2, 3), dd.ones(4, 3), dd.ones(3), dd.ones(2, 3, dtype="float64")):
            for _ in range(2):
                found = f(x)
                close(found, (x * 2).sum(0))
                assert found.dtype == x.dtype
        assert sum(map(len, f.programs.values())) == 4

    def test_integers(self, compiled):
        def f(x):
            return x * 2 + 1, x.float() / 2, x > 1, x // 2, x % 2, x.sum(), x.amax(), -x

        x = dd.tensor([0, 1, 2, 3, -4])
        for found, expected in zip(compiled(f)(x), f(x), strict=True):
            assert found.tolist() == expected.tolist()
            assert found.dtype == expected.dtype

    def test_images_of_bytes(self, compiled):
        f = compiled(lambda x: x.float() / 255 - 0.5)
        x = np.arange(256, dtype="uint8")
        close(f(x), x.astype("f") / 255 - 0.5)
        for dtype in ("int8", "int16", "float16"):
            y = np.arange(-5, 5).astype(dtype)
            close(f(y), y.astype("f") / 255 - 0.5)

    def test_views(self, compiled):
        f = compiled(lambda x: x * 2 + 1)
        x = np.arange(12, dtype="f").reshape(3, 4)
        for view in (x.T, x[:, ::2], x[:, ::-1], x[1:, 1:]):
            for _ in range(2):
                close(f(view), view * 2 + 1)

    def test_values_changed_in_place(self, compiled):
        f, x = compiled(lambda x: x + 1), np.zeros(3, "f")
        assert f(x).tolist() == [1.0] * 3
        x[:] = 5
        assert f(x).tolist() == [6.0] * 3

    def test_constants_and_names(self, compiled):
        f = compiled(lambda x, k=1, *, mode="add": x + k if mode == "add" else x * k)
        x = dd.full((2,), 3.0)
        assert f(x).tolist() == [4.0] * 2
        assert f(x, 5).tolist() == f(x, k=5).tolist() == [8.0] * 2
        assert f(x, 5, mode="mul").tolist() == [15.0] * 2
        assert f(x, True, mode="mul").tolist() == [3.0] * 2
        assert f(x).tolist() == [4.0] * 2

    def test_names_and_nesting_are_part_of_the_signature(self, compiled):
        x, y = dd.ones(2), dd.full((2,), 5.0)
        f = compiled(lambda **k: k["a"] - k["b"])
        assert f(a=x, b=y).tolist() == [-4.0] * 2
        assert f(b=x, a=y).tolist() == [4.0] * 2
        g = compiled(lambda a, b: a[0] - (b[0] if isinstance(b, list) else b * 2))
        assert g([x, y], y).tolist() == [-9.0] * 2
        assert g([x], [y, y]).tolist() == [-4.0] * 2

    def test_nested_results(self, compiled):
        f = compiled(lambda x: {"a": [x + 1, 3, None], "b": (x * 2, "text")})
        found = f(dd.ones(1))
        assert found["a"][0].item() == 2.0
        assert found["a"][1:] == [3, None]
        assert (found["b"][0].item(), found["b"][1]) == (2.0, "text")

    def test_gradients_of_arguments(self, compiled):
        def f(x, w):
            loss = (x @ w).square().sum()
            loss.backward()
            return loss

        g, x = compiled(f), dd.randn(2, 3)
        w, v = (dd.ones(3, 2, requires_grad=True) for _ in range(2))
        for _ in range(3):
            close(g(x, w), f(x, v))
            close(w.grad, v.grad)


class TestChangesBetweenCalls:
    """What is changed between two calls acts as it does eagerly."""

    @staticmethod
    def step(model, optimizer, x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    def pair(self, compiled, make=lambda: nn.Linear(4, 3), adam=False):
        kind = optim.Adam if adam else optim.SGD
        (m, o), (n, p) = twins(make, lambda parameters: kind(parameters, lr=0.1))
        program = compiled(lambda x: self.step(m, o, x))
        return (m, o, program), (n, p, lambda x: self.step(n, p, x))

    def follow(self, sides, change=lambda i, model, optimizer: None, steps=6):
        """Both sides on the same batches; before each step `change` acts on both."""
        for i, x in enumerate(dd.randn(steps, 8, 4)):
            losses = []
            for model, optimizer, step in sides:
                change(i, model, optimizer)
                dd.manual_seed(i)
                losses.append(step(x).item())
            assert losses[0] == pytest.approx(losses[1], rel=1e-5), f"step {i}"
        close(sides[0][0].state_dict()["weight"], sides[1][0].state_dict()["weight"])

    def test_learning_rate(self, compiled):
        def change(i, model, optimizer):
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)

        sides = self.pair(compiled)
        self.follow(sides, change)
        assert sum(map(len, sides[0][2].programs.values())) == 1

    def test_decay_switched_on(self, compiled):
        def change(i, model, optimizer):
            optimizer.param_groups[0]["weight_decay"] = 0.0 if i < 3 else 0.1 * i

        self.follow(self.pair(compiled), change)

    def test_loaded_state(self, compiled):
        saved = {}

        def change(i, model, optimizer):
            if i == 2:
                saved[id(model)] = model.state_dict(), optimizer.state_dict()
            if i == 4:
                model.load_state_dict(saved[id(model)][0])
                optimizer.load_state_dict(saved[id(model)][1])

        self.follow(self.pair(compiled, adam=True), change)

    def test_new_data(self, compiled):
        def change(i, model, optimizer):
            if i == 2:
                model.weight.data = np.full((3, 4), 0.5, "f")
            if i == 4:
                model.weight.data[0] = 1

        self.follow(self.pair(compiled), change)

    def test_frozen_and_freed(self, compiled):
        def change(i, model, optimizer):
            model.bias.requires_grad_(i not in (2, 3))

        self.follow(self.pair(compiled), change)

    def test_step_counts_that_differ(self, compiled):
        def change(i, model, optimizer):
            if i == 2:  # the bias falls a step behind
                optimizer.step = lambda: None
                optimizer.zero_grad()
                model.weight.grad = dd.ones(3, 4)
                type(optimizer).step(optimizer)
                del optimizer.step

        self.follow(self.pair(compiled, adam=True), change)

    def test_state_of_another_shape(self, compiled):
        w = dd.ones(3)
        f = compiled(lambda x: x * w)
        x = dd.tensor(2.0)
        assert f(x).tolist() == [2.0] * 3
        w.data = np.ones(5, "f")
        assert f(x).tolist() == [2.0] * 5
        w.data = np.ones(5)
        assert f(x).dtype == np.float64

    def test_mode(self, compiled):
        model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
        twin = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
        twin.load_state_dict(model.state_dict())
        f = compiled(model)
        for i, training in enumerate((True, False, True, True, False)):
            x = dd.randn(8, 4)
            model.train(training)
            twin.train(training)
            dd.manual_seed(i)
            found = f(x)
            dd.manual_seed(i)
            close(found, twin(x))
        for name, value in twin.state_dict().items():
            close(model.state_dict()[name], value)

    def test_replaced_layers(self, compiled):
        class Net(nn.Module):
            def __init__(self):
                self.layer = nn.Linear(4, 3)
                self.scale = 2.0

            def forward(self, x):
                return self.layer(x) * self.scale

        net, x = Net(), dd.randn(2, 4)
        f = compiled(net)
        close(f(x), net(x))
        net.layer = nn.Linear(4, 3)
        close(f(x), net(x))
        net.layer.weight = nn.Parameter(dd.ones(3, 4))
        close(f(x), net(x))
        net.scale = 3.0
        close(f(x), net(x))

    def test_random_numbers(self, compiled):
        def f(x):
            dropped = F.dropout(x, 0.5)
            return x + dd.randn(3, 4), dd.rand(2), dropped, dd.randint(0, 9, (3,)), dd.randperm(5)

        g, x, found = compiled(f), dd.ones(3, 4), []
        for function in (f, g):
            dd.manual_seed(3)
            results = [*function(x), *function(x), dd.rand(2)]
            dd.manual_seed(4)
            found.append([*results, *function(x)])
        for one, other in zip(*found, strict=True):
            assert one.tolist() == other.tolist()

    def test_targets(self, compiled):
        f = compiled(F.cross_entropy)
        x = dd.randn(4, 3)
        for target in ([0, 1, 2, 0], [0, -100, 2, 1], [1, 1, 1, 1], [-100, -100, -100, 2]):
            close(f(x, np.array(target)), F.cross_entropy(x, np.array(target)))
        words = []
        for function in (F.cross_entropy, f):
            with pytest.raises(ShapeError) as caught:
                function(x, np.array([0, 1, 2, 3]))
            words.append(str(caught.value))
        assert words[0].splitlines()[0] == words[1].splitlines()[0]


class TestGradients:
    """``.grad`` after a call is what it is eagerly, unless an optimizer has used it up."""

    @pytest.mark.parametrize("keep", [False, True])
    def test_they_accumulate_over_calls(self, compiled, keep):
        (m,), (n,) = twins(lambda: nn.Linear(3, 2))

        def f(model, x):
            loss = model(x).square().mean()
            loss.backward()
            return loss

        g = compiled(lambda x: f(m, x), keep_grads=keep)
        for i, x in enumerate(dd.randn(5, 4, 3)):
            close(g(x), f(n, x))
            close(m.weight.grad, n.weight.grad)
            if i == 2:
                m.zero_grad()
                n.zero_grad()

    def test_an_optimizer_alone(self, compiled):
        (m, o), (n, p) = twins(lambda: nn.Linear(3, 2), lambda w: optim.Adam(w, lr=0.1))
        program = compiled(lambda: o.step())
        for i, x in enumerate(dd.randn(4, 4, 3)):
            for model, optimizer, step in ((m, o, program), (n, p, p.step)):
                optimizer.zero_grad()
                model(x).square().sum().backward()
                if i == 2:
                    model.bias.grad = None
                step()
            close(m.weight, n.weight)
            close(m.bias, n.bias)

    @pytest.mark.parametrize("keep", [False, True])
    def test_of_a_whole_step(self, compiled, keep):
        (m, o), (n, p) = twins(lambda: nn.Linear(3, 2), lambda w: optim.SGD(w, lr=0.1))
        step = TestChangesBetweenCalls.step
        g = compiled(lambda x: step(m, o, x), keep_grads=keep)
        for x in dd.randn(3, 4, 3):
            g(x)
            step(n, p, x)
        if keep:
            close(m.weight.grad, n.weight.grad)
        else:
            assert m.weight.grad is None

    def test_clipping(self, compiled):
        (m, o), (n, p) = twins(lambda: nn.Linear(3, 2), lambda w: optim.SGD(w, lr=0.1))

        def step(model, optimizer, x):
            optimizer.zero_grad()
            loss = (model(x) * 10).square().sum()
            loss.backward()
            norm = optim.clip_grad_norm_(model.parameters(), 1.0)
            optim.clip_grad_value_(model, 0.3)
            optimizer.step()
            return loss, norm

        g = compiled(lambda x: step(m, o, x))
        for x in dd.randn(4, 4, 3):
            for found, expected in zip(g(x), step(n, p, x), strict=True):
                close(found, expected)
            close(m.weight, n.weight)


def test_an_exception_leaves_everything_as_it_was(compiled):
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model(dd.ones(1, 3)).sum().backward()
    before = [(p._data, p.grad, p._node, p.grad.tolist(), p.tolist()) for p in model.parameters()]

    def f(x):
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
        raise ValueError("stop")

    g = compiled(f)
    for _ in range(2):
        with pytest.raises(ValueError, match="stop"):
            g(dd.ones(4, 3))
    for p, (data, grad, node, numbers, values) in zip(model.parameters(), before, strict=True):
        assert p._data is data
        assert p.grad is grad
        assert p._node is node
        assert (p.grad.tolist(), p.tolist()) == (numbers, values)
    assert not dd.is_lazy()


def test_programs_share_a_model(compiled):
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    step = compiled(lambda x: TestChangesBetweenCalls.step(model, optimizer, x))
    look = compiled(model)
    x = dd.randn(4, 3)
    for _ in range(3):
        close(look(x), model(x))
        step(x)


def test_tensors_of_lazy_mode(compiled):
    """Recorded arrays are computed on the way in, as arguments and as state."""
    w = dd.ones(3)
    f = compiled(lambda x: x * w)
    with dd.lazy():
        x = dd.ones(3) * 2
        w.mul_(5)
    for _ in range(2):
        assert f(x).tolist() == [10.0] * 3
    with dd.lazy():
        w.add_(1)
    assert f(x).tolist() == [12.0] * 3


def test_two_threads(compiled):
    f = compiled(lambda x: (x @ x.t()).exp().sum(-1))
    inputs = [dd.randn(8, 8) * 0.1 for _ in range(2)]
    expected = [(x @ x.t()).exp().sum(-1) for x in inputs]
    wrong = []

    def work(i):
        for _ in range(50):
            try:
                close(f(inputs[i]), expected[i])
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

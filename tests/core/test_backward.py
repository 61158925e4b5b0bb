"""The backward pass: whose gradients, in which order, how often, and what is an error."""

import threading

import numpy as np
import pytest

import deepdive as dd
from deepdive import Tensor
from deepdive.errors import GraphError, OperatorError, ShapeError


class TestGradients:
    def test_the_expression_of_system_c(self):
        a, b = Tensor(2.0), Tensor(1.0)
        e = (a + b) * (b + 1)
        e.backward()
        assert (a.grad.item(), b.grad.item(), e.grad.item()) == (2.0, 5.0, 1.0)

    def test_every_held_tensor_gets_its_gradient(self):
        x = Tensor([1.0, 2.0])
        y = x * 3
        z = y * y
        total = z.sum()
        total.backward()
        assert y.grad.tolist() == [6.0, 12.0]
        assert z.grad.tolist() == [1.0, 1.0]
        assert total.grad.item() == 1.0
        assert x.grad.tolist() == [18.0, 36.0]

    def test_gradients_accumulate(self):
        x = Tensor([1.0, 2.0])
        for _ in range(3):
            (x * 2).sum().backward()
        assert x.grad.tolist() == [6.0, 6.0]

    def test_accumulation_leaves_the_earlier_gradient_object_alone(self):
        x = Tensor([1.0])
        (x * 2).sum().backward()
        first = x.grad
        (x * 2).sum().backward()
        assert first.item() == 2.0

    def test_two_tensors_never_share_a_gradients_memory(self):
        x, y = Tensor([1.0]), Tensor([2.0])
        total = x + y
        total.backward(np.array([1.0], "float32"))
        x.grad.data[0] = 100.0
        assert y.grad.item() == total.grad.item() == 1.0

    def test_the_seed_is_not_taken_over(self):
        seed = np.array([1.0, 10.0], "float32")
        x = Tensor([1.0, 2.0])
        y = x.clone()
        y.backward(seed)
        x.grad.data[0] = 7.0
        assert seed.tolist() == [1.0, 10.0]

    @pytest.mark.parametrize("make", [list, np.array, dd.tensor, Tensor])
    def test_a_gradient_can_be_passed(self, make):
        x = Tensor([1.0, 2.0])
        (x * 3).backward(make([1.0, 10.0]))
        assert x.grad.tolist() == [3.0, 30.0]
        assert x.grad.dtype == np.float32

    def test_a_gradient_set_on_the_root_seeds_the_walk(self):
        x = Tensor([1.0, 2.0])
        y = x * 3
        y.grad = np.array([1.0, 10.0])
        y.backward()
        assert x.grad.tolist() == [3.0, 30.0]
        assert y.grad.tolist() == [1.0, 10.0]

    def test_a_value_used_many_times(self):
        x = Tensor(3.0)
        y = x * x
        (y * y + y * x - y).backward()  # x⁴ + x³ - x²
        assert x.grad.item() == pytest.approx(4 * 27 + 3 * 9 - 6)

    def test_each_node_is_visited_once(self):
        calls = []

        class Twice(dd.Operator):
            def forward(self, xp, x):
                return 2 * x

            def backward(self, xp, grad):
                calls.append(1)
                return 2 * grad

        x = Tensor(1.0)
        y = x
        for _ in range(40):  # a ladder of diamonds: 2⁴⁰ paths
            y = Twice()(y)
            y = (y + y) * 0.25
        y.backward()
        assert len(calls) == 40
        assert x.grad.item() == pytest.approx(1.0)

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ((3, 5, 7, 5, 2), (5, 7, 1, 1)),
            ((1,), ()),
            ((), (2, 3)),
            ((4, 1), (1, 5)),
            ((2, 1, 3), (4, 1)),
            ((0, 3), (1,)),
            ((1, 1, 1), (1,)),
        ],
    )
    @pytest.mark.parametrize("name", ["add", "mul", "sub", "div", "maximum"])
    def test_broadcasting_like_pytorch(self, name, left, right):
        torch = pytest.importorskip("torch")
        rng = np.random.default_rng(0)
        arrays = [rng.uniform(0.5, 2, shape) for shape in (left, right)]
        weight = rng.standard_normal(np.broadcast_shapes(left, right))
        ours = [Tensor(a) for a in arrays]
        theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        (getattr(dd, name)(*ours) * weight).sum().backward()
        (getattr(torch, name)(*theirs) * torch.tensor(weight)).sum().backward()
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-12, atol=1e-12)

    def test_the_gradient_has_the_inputs_dtype(self):
        x = Tensor(np.array([1.0], "float32"))
        y = Tensor(np.array([2.0], "float64"))
        (x * y).sum().backward()
        assert x.grad.dtype == np.float32
        assert y.grad.dtype == np.float64


class TestErrors:
    def test_several_elements(self):
        with pytest.raises(GraphError, match=r"(?s)one element.*\(2,\).*mean\(\)\.backward"):
            (Tensor([1.0, 2.0]) * 2).backward()

    def test_nothing_tracked(self):
        with pytest.raises(GraphError, match=r"(?s)tracks no gradient.*requires_grad=True"):
            dd.tensor(1.0).backward()

    def test_a_gradient_of_another_shape(self):
        with pytest.raises(ShapeError, match=r"(?s)\(3,\).*\(2,\)"):
            (Tensor([1.0, 2.0]) * 2).backward(np.ones(3))

    def test_a_freed_graph(self):
        x = Tensor([1.0])
        middle = x * x
        total = middle.sum()
        total.backward()
        with pytest.raises(GraphError, match=r"(?s)already freed.*retain_graph=True"):
            total.backward()
        with pytest.raises(GraphError, match="already freed"):
            (middle * 2).sum().backward()

    def test_retain_graph(self):
        x = Tensor([1.0, 2.0])
        total = (x * x).sum()
        total.backward(retain_graph=True)
        total.backward()
        assert x.grad.tolist() == [4.0, 8.0]
        with pytest.raises(GraphError, match="freed"):
            total.backward()

    def test_a_backward_that_gives_the_wrong_shape(self):
        class Wrong(dd.Operator):
            def forward(self, xp, x):
                return 2 * x

            def backward(self, xp, grad):
                return grad[:1, :2]

        with pytest.raises(OperatorError, match=r"(?s)backward of Wrong.*wrong shape.*\(1, 2\)"):
            Wrong()(Tensor(np.ones((2, 3)))).sum().backward()

    def test_a_backward_that_gives_too_many(self):
        class Wrong(dd.Operator):
            def forward(self, xp, x):
                return 2 * x

            def backward(self, xp, grad):
                return grad, grad

        with pytest.raises(OperatorError, match=r"(?s)one gradient per input.*2 gradients"):
            Wrong()(Tensor(1.0)).backward()

    def test_gradient_mode_is_restored_after_an_error(self):
        class Fails(dd.Operator):
            def forward(self, xp, x):
                return 2 * x

            def backward(self, xp, grad):
                raise ValueError("of the user's own")

        with pytest.raises(ValueError, match="own"):
            Fails()(Tensor(1.0)).backward()
        assert dd.is_grad_enabled()


class TestCreateGraph:
    def test_any_order(self):
        x = Tensor(2.0)
        y = x**5
        expected = [5 * 16, 20 * 8, 60 * 4, 120 * 2, 120]
        for value in expected:
            (y,) = dd.grad(y, x, create_graph=True)
            assert y.item() == pytest.approx(value)

    def test_grads_carry_history(self):
        x = Tensor([1.0, 2.0])
        (x**3).sum().backward(create_graph=True)
        first = x.grad
        assert first.requires_grad
        x.grad = None
        first.sum().backward()
        assert x.grad.tolist() == [6.0, 12.0]


class TestHooks:
    @pytest.mark.parametrize("start", [2.0, [2.0, 3.0]])
    def test_a_hook_sees_and_replaces(self, start):
        x = Tensor(start)
        y = x * 3
        seen = []
        y.register_hook(lambda grad: seen.append(grad.tolist()))
        y.register_hook(lambda grad: grad * 2)
        (y * 1).sum().backward()
        ones = np.ones_like(start)
        assert seen == [ones.tolist()]
        assert y.grad.tolist() == (2 * ones).tolist()
        assert x.grad.tolist() == (6 * ones).tolist()

    def test_removal(self):
        x = Tensor([1.0])
        handle = x.register_hook(lambda grad: grad * 100)
        handle.remove()
        handle.remove()
        (x * 1).sum().backward()
        assert x.grad.item() == 1.0

    def test_under_create_graph_the_hook_is_part_of_the_graph(self):
        x = Tensor(2.0)
        x.register_hook(lambda grad: grad * grad)
        (first,) = dd.grad(x**2, x, create_graph=True)  # (2x)²
        assert first.item() == 16.0
        x2 = dd.grad(first, x)[0]  # 8x, squared again by the hook
        assert x2.item() == 256.0

    def test_a_hook_keeps_the_shape(self):
        x = Tensor([1.0, 2.0])
        x.register_hook(lambda grad: grad.sum())
        with pytest.raises(ShapeError, match=r"(?s)hook.*\(\).*\(2,\)"):
            (x * 1).sum().backward()

    def test_arrays_and_other_dtypes_are_taken(self):
        x = Tensor([1.0, 2.0])
        x.register_hook(lambda grad: np.array([5.0, 6.0]))
        (x * 1).sum().backward()
        assert x.grad.tolist() == [5.0, 6.0]
        assert x.grad.dtype == np.float32

    def test_untracked(self):
        with pytest.raises(GraphError, match="tracks no gradient"):
            dd.tensor(1.0).register_hook(print)


class TestModes:
    def test_blocks(self):
        x = Tensor(1.0)
        with dd.no_grad():
            assert not (x * 2).requires_grad
            with dd.enable_grad():
                assert (x * 2).requires_grad
            assert not (x * 2).requires_grad
        with dd.set_grad_enabled(False):
            assert not dd.is_grad_enabled()
        assert (x * 2).requires_grad

    def test_decorators(self):
        x = Tensor(1.0)
        plain = dd.no_grad(lambda: x * 2)
        called = dd.no_grad()(lambda: (x * 2, dd.enable_grad(lambda: x * 2)()))
        assert not plain().requires_grad
        assert [y.requires_grad for y in called()] == [False, True]

    def test_restored_after_an_error(self):
        with pytest.raises(ZeroDivisionError), dd.no_grad():
            1 / 0
        assert dd.is_grad_enabled()

    def test_one_block_object_can_be_entered_twice(self):
        block = dd.no_grad()
        with block, block:
            pass
        assert dd.is_grad_enabled()

    def test_threads_do_not_disturb_each_other(self):
        inside, seen = threading.Barrier(2, timeout=10), []

        def off():
            with dd.no_grad():
                inside.wait()
                inside.wait()

        def on():
            inside.wait()
            seen.append(dd.is_grad_enabled())
            inside.wait()

        threads = [threading.Thread(target=f) for f in (off, on)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert seen == [True]

    def test_threads_train_side_by_side(self):
        results = {}

        def work(k):
            x = Tensor(float(k))
            for _ in range(200):
                x.grad = None
                (x * x).backward()
            results[k] = x.grad.item()

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert results == {k: 2.0 * k for k in range(4)}

    def test_no_graph_without_gradients(self):
        out = dd.ones(2) * 3 + 1
        assert out.grad_fn is None and out.is_leaf and not out.requires_grad

    def test_detach(self):
        x = Tensor([1.0])
        y = (x * 2).detach()
        assert not y.requires_grad
        y.data[0] = 5.0  # the same memory
        w = y.requires_grad_()
        (w * w).sum().backward()
        assert w.grad.item() == 10.0
        assert x.grad is None
        z = x * 2
        z.detach_()
        assert not z.requires_grad

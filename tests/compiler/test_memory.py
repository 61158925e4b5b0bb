"""Who owns what: results are values, and changes in place reach the tensors of the caller."""

import numpy as np

import deepdive as dd


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)


class TestMemory:
    """Results are values: nobody changes them afterwards, and old state is old."""

    def test_a_result_survives_the_next_call(self, compiled):
        f = compiled(lambda x: (x + 1).reshape(-1))
        first = f(dd.ones(2, 3))
        f(dd.zeros(2, 3))
        assert first.tolist() == [2.0] * 6

    def test_a_repeated_result_can_be_written(self, compiled):
        f = compiled(lambda x: ((x + 1).sum().expand(3), x.clone(), x.clone()))
        x = dd.ones(2)
        wide, one, other = f(x)
        wide.add_(1)
        one.add_(5)
        assert (wide.tolist(), other.tolist(), x.tolist()) == ([5.0] * 3, [1.0] * 2, [1.0] * 2)

    def test_old_state_is_returned_as_it_was(self, compiled):
        w = dd.ones(3)

        def f(x):
            old = w.clone()
            w.copy_(w + x)
            return old

        g = compiled(f)
        results = [g(dd.ones(3)) for _ in range(3)]
        assert [r.tolist() for r in results] == [[1.0] * 3, [2.0] * 3, [3.0] * 3]
        assert w.tolist() == [4.0] * 3

    def test_state_can_change_places(self, compiled):
        a, b, s = dd.tensor([1.0, 2.0]), dd.tensor([3.0, 4.0]), dd.tensor([[1.0, 2.0], [3.0, 4.0]])

        def f():
            old = a.clone()
            a.copy_(b)
            b.copy_(old)
            s.copy_(s.t())

        g = compiled(f)
        g()
        assert (a.tolist(), b.tolist()) == ([3.0, 4.0], [1.0, 2.0])
        assert s.tolist() == [[1.0, 3.0], [2.0, 4.0]]
        g()
        assert (a.tolist(), b.tolist()) == ([1.0, 2.0], [3.0, 4.0])

    def test_a_loop_reads_old_state_before_it_writes(self, compiled):
        a, mean = dd.tensor([1.0, 2.0, 3.0]), dd.zeros(3)

        def f(x):
            old = a.clone()
            a.copy_(a * 2 + x)
            mean.copy_(mean * 0.5 + old)
            return (a - old).sum()

        g = compiled(f)
        assert [g(dd.ones(3)).item() for _ in range(2)] == [9.0, 18.0]
        assert (a.tolist(), mean.tolist()) == ([7.0, 11.0, 15.0], [3.5, 6.0, 8.5])

    def test_returned_state_is_the_tensor_itself(self, compiled):
        w = dd.ones(3)

        def f(x):
            w.add_(x)
            return w.sum(), w

        total, found = compiled(f)(dd.ones(3))
        assert found is w
        assert total.item() == 6.0

    def test_tensors_made_inside_are_new_at_each_call(self, compiled):
        def f(x):
            total, table = dd.zeros(2), dd.tensor([1.0, 2.0])
            total += x
            table.mul_(x)
            return total, table

        g = compiled(f)
        for _ in range(3):
            total, table = g(dd.full((2,), 3.0))
            assert (total.tolist(), table.tolist()) == ([3.0, 3.0], [3.0, 6.0])


class TestInPlace:
    """Changes in place reach the tensors of the caller, at each call."""

    def test_state(self, compiled):
        w, expected = dd.zeros(3, 4), dd.zeros(3, 4)

        def f(w, x):
            w[1] = x
            w[0, 2] = 7.0
            w.mul_(2)
            w.clamp_(-3, 3)
            return w.sum()

        g = compiled(lambda x: f(w, x))
        for x in dd.randn(3, 4):
            close(g(x), f(expected, x))
            close(w, expected)

    def test_fill_is_repeated(self, compiled):
        w = dd.ones(3)

        def f():
            w.zero_()
            w.fill_(7.0)

        g = compiled(f)
        for _ in range(2):
            w.copy_(dd.ones(3))
            g()
            assert w.tolist() == [7.0] * 3

    def test_arguments(self, compiled):
        def f(x):
            x.add_(1)
            return x * 2

        g, x = compiled(f), dd.ones(3)
        assert [g(x).tolist() for _ in range(2)] == [[4.0] * 3, [6.0] * 3]
        assert x.tolist() == [3.0] * 3

    def test_strided_state(self, compiled):
        w = dd.zeros(2, 3)
        w.data = np.asfortranarray(np.arange(6, dtype="f").reshape(2, 3))

        def f(x):
            w.add_(x)
            return w.sum()

        g = compiled(f)
        assert [g(dd.ones(2, 3)).item() for _ in range(2)] == [21.0, 27.0]
        close(w, np.arange(6).reshape(2, 3) + 2)


def test_rows_added_at_negative_places(compiled):
    """A negative index counts from the end, and reaches nothing outside of its array."""
    rows, x = dd.tensor([0, -1, 2, -1]), dd.randn(3, 4).requires_grad_()

    def f(x):
        y = x * 1.0
        return dd.grad((y[rows] * dd.ones(4, 4)).sum(), y)[0]

    assert compiled(f)(x)[:, 0].tolist() == [1.0, 0.0, 3.0]

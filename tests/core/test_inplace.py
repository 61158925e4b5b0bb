"""Changing tensors in place: what rebinds, what raises, what is noticed afterwards."""

import operator

import numpy as np
import pytest

import deepdive as dd
from deepdive import Tensor
from deepdive.errors import GraphError, ShapeError

AUGMENTED = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.ipow: operator.pow,
}


@pytest.mark.parametrize(("augmented", "plain"), AUGMENTED.items())
@pytest.mark.parametrize("other", [3.0, "tensor"])
def test_augmented_assignment_on_tracked_tensors_has_right_gradients(augmented, plain, other):
    other = Tensor([2.0, 0.5]) if other == "tensor" else other
    x, twin = Tensor([1.5, 2.5]), Tensor([1.5, 2.5])
    y, expected = x * 1, twin * 1
    before = y
    y = augmented(y, other)
    assert y is not before
    assert before.tolist() == [1.5, 2.5]
    (y * y).sum().backward()
    result = plain(expected, other)
    (result * result).sum().backward()
    assert x.grad.tolist() == twin.grad.tolist()


@pytest.mark.parametrize(("augmented", "plain"), AUGMENTED.items())
def test_augmented_assignment_elsewhere_is_in_place(augmented, plain):
    x = dd.tensor([1.5, 2.5])
    before, array = x, x._data
    x = augmented(x, 2.0)
    assert x is before and x._data is array
    assert x.tolist() == plain(np.array([1.5, 2.5]), 2.0).tolist()


def test_under_no_grad_a_leaf_changes_in_place_and_stays_a_leaf():
    w = Tensor([1.0, 2.0])
    same = w
    (w * w).sum().backward()
    with dd.no_grad():
        w -= 0.5 * w.grad
        w[0] = 7.0
        w.mul_(2)
    assert w is same and w.is_leaf and w.requires_grad
    assert w.tolist() == [14.0, 0.0]


def test_an_untracked_tensor_that_takes_a_tracked_one_becomes_tracked():
    total, x = dd.zeros(()), Tensor(3.0)
    for _ in range(3):
        total += x * x
    total.backward()
    assert x.grad.item() == 18.0


@pytest.mark.parametrize(
    "index", [0, -1, slice(1, None), [0, 2], (slice(None), 0), np.array([True, False, True])]
)
def test_item_assignment_on_tracked_tensors(index):
    torch = pytest.importorskip("torch")
    start = np.arange(6.0).reshape(3, 2) + 1
    value = np.random.default_rng(0).standard_normal(start[index].shape)
    x, v = Tensor(start), Tensor(value)
    y = x * 2
    y[index] = v
    (y**3).sum().backward()
    a, b = (torch.tensor(n, requires_grad=True) for n in (start, value))
    c = a * 2
    c[index] = b
    (c**3).sum().backward()
    np.testing.assert_allclose(x.grad, a.grad.numpy())
    np.testing.assert_allclose(v.grad, b.grad.numpy())


def test_item_assignment_before_a_use_does_not_change_what_was_used():
    x = Tensor([1.0, 2.0])
    y = x * 1
    used = y * y
    y[0] = 100.0
    (used.sum() + y.sum()).backward()
    assert x.grad.tolist() == [2.0, 5.0]


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_", "copy_", "fill_"])
def test_underscore_methods(name):
    tracked, plain = Tensor([4.0, 6.0]), dd.tensor([4.0, 6.0])
    with pytest.raises(GraphError, match=rf"(?s){name}.*falsify.*no_grad"):
        getattr(tracked, name)(2.0)
    with pytest.raises(GraphError, match=name):
        getattr(tracked * 1, name)(2.0)
    assert getattr(plain, name)(2.0) is plain
    expected = {"add_": 6.0, "sub_": 2.0, "mul_": 8.0, "div_": 2.0, "copy_": 2.0, "fill_": 2.0}
    assert plain.tolist()[0] == expected[name]


def test_zero_and_clamp():
    x = dd.tensor([-3.0, 0.5, 3.0])
    assert x.clamp_(-1, 1).tolist() == [-1.0, 0.5, 1.0]
    assert x.zero_().tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(GraphError, match="zero_"):
        Tensor([1.0]).zero_()


def test_values_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"(?s)add_.*\(2,\)"):
        dd.ones(2).add_(dd.ones(3))
    with pytest.raises(ShapeError, match="copy_"):
        dd.ones(2).copy_(dd.ones(3, 2))
    with pytest.raises(ShapeError, match="setitem"):
        x = dd.ones(2)
        x[0:2] = dd.ones(3)


CHANGES = {
    "add_": lambda w: w.add_(1),
    "item": lambda w: w.__setitem__(0, 9.0),
    "data": lambda w: setattr(w, "data", operator.isub(w.data, 1)),
    "data[…]": lambda w: w.data.__setitem__(..., 0.0),
    "a view of data": lambda w: w.data[0:1].__setitem__(0, 9.0),
    "copy_": lambda w: w.copy_(dd.zeros(2)),
    "through a view": lambda w: w[0:1].zero_(),
    "through detach": lambda w: w.detach().zero_(),
    "np.add(out=)": lambda w: np.add(w, 1, out=w),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_after_saving_is_noticed_with_its_line(change):
    x, w = Tensor([1.0, 2.0]), dd.tensor([3.0, 4.0])
    total = (x * w).sum()
    change(w)
    with pytest.raises(GraphError, match=r"(?s)Mul.*changed in place") as caught:
        total.backward()
    assert "test_inplace.py:" in caught.value.got


def test_a_change_of_a_leaf_under_no_grad_is_noticed():
    x = Tensor([1.0, 2.0])
    total = (x * x).sum()
    with dd.no_grad():
        x -= 1
    with pytest.raises(GraphError, match="changed in place"):
        total.backward()


def test_what_is_not_saved_may_change():
    x, w = Tensor([1.0, 2.0]), dd.tensor([3.0, 4.0])
    total = (x + w).sum()
    w.zero_()
    total.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_change_before_saving_is_no_error():
    w = dd.tensor([3.0, 4.0])
    w.add_(1)
    x = Tensor([1.0, 2.0])
    (x * w).sum().backward()
    assert x.grad.tolist() == [4.0, 5.0]


def test_training_by_hand_follows_the_recurrence():
    a, b = Tensor(2.0), Tensor(1.0)
    u, v = 2.0, 1.0
    for _ in range(10):
        e = (a + b) * (b + 1)
        e.backward()
        with dd.no_grad():
            a -= 0.01 * a.grad
            b -= 0.01 * b.grad
        a.grad = b.grad = None
        u, v = u - 0.01 * (v + 1), v - 0.01 * (u + 2 * v + 1)
        assert (a.item(), b.item()) == pytest.approx((u, v), rel=1e-5)

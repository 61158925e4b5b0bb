"""One table tests every optimizer: the same gradients, PyTorch's and ours, a hundred steps."""

import inspect
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from deepdive import optim, tensor
from deepdive.errors import ArgumentError, ShapeError

SHAPES = [(7, 5), (5,), (), (1,), (2, 3, 2), (0, 4)]

# Every optimizer × options that change its structure or its arithmetic.
COMMON = [{}, {"weight_decay": 0.1}, {"maximize": True, "lr": 1e-3}]
TABLE = [
    *[("SGD", {"lr": 0.05, **more}) for more in COMMON],
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.4, "weight_decay": 1e-2}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 1e-2}),
    *[("Adam", more) for more in COMMON],
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    *[("AdamW", more) for more in COMMON],
    ("AdamW", {"lr": 0.01, "amsgrad": True, "betas": (0.5, 0.9)}),
    *[("Adagrad", more) for more in COMMON],
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.3, "eps": 1e-3}),
    *[("RMSprop", more) for more in COMMON],
    ("RMSprop", {"alpha": 0.9, "eps": 1e-4, "momentum": 0.5}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-3, "centered": True}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-3, "centered": True, "momentum": 0.9, "lr": 1e-3}),
    *[("Adadelta", more) for more in COMMON],
    ("Adadelta", {"rho": 0.5, "eps": 1e-3, "lr": 0.3}),
    *[("Adamax", more) for more in COMMON],
    ("Adamax", {"betas": (0.5, 0.9), "eps": 1e-3}),
    *[("NAdam", more) for more in COMMON],
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.1}),
    *[("RAdam", more) for more in COMMON],
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "betas": (0.8, 0.95)}),
    *[("ASGD", more) for more in COMMON],
    ("ASGD", {"lr": 0.05, "lambd": 0.01, "alpha": 0.5, "t0": 20}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.2), "maximize": True}),
]


def twins(dtype, shapes=SHAPES):
    """Equal parameters for PyTorch and for us."""
    rng = np.random.default_rng(1)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return theirs, [tensor(a, requires_grad=True) for a in arrays]


def walk(theirs, ours, their_optimizer, our_optimizer, steps):
    """The same steps for both: gradients of a bowl, with noise that no cancellation hides in."""
    rng = np.random.default_rng(2)
    for _ in range(steps):
        for t, p in zip(theirs, ours, strict=True):
            noise = rng.standard_normal(tuple(p.shape))
            grad = np.asarray(0.5 * t.detach().numpy() + 0.2 + noise, p.dtype)
            t.grad, p.grad = torch.tensor(grad), grad
        their_optimizer.step()
        our_optimizer.step()


def close(theirs, ours, tolerance):
    for t, p in zip(theirs, ours, strict=True):
        want, got = t.detach().numpy(), p.numpy()
        assert got.dtype == want.dtype
        scale = max(np.abs(want).max(), 1e-2) if want.size else 1.0
        assert np.abs(got - want).max(initial=0.0) <= tolerance * scale


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
@pytest.mark.parametrize(("name", "options"), TABLE)
def test_a_hundred_steps_as_in_pytorch(name, options, dtype, tolerance):
    with numbers_in(dtype):
        _hundred_steps(name, options, dtype, tolerance)


@contextmanager
def numbers_in(dtype):
    """In the default dtype PyTorch keeps the numbers of a step that are tensors there."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _hundred_steps(name, options, dtype, tolerance):
    theirs, ours = twins(dtype)
    before = [(p, p.numpy()) for p in ours]
    pair = getattr(torch.optim, name)(theirs, **options), getattr(optim, name)(ours, **options)
    walk(theirs, ours, *pair, steps=100)
    close(theirs, ours, tolerance)
    assert all(p.numpy() is array for p, array in before)  # the memory stays


@pytest.mark.parametrize("name", sorted({name for name, _ in TABLE}))
def test_defaults_and_order_of_arguments_are_pytorchs(name):
    theirs, ours = twins("float32", [(2,)])
    their_group = getattr(torch.optim, name)(theirs).param_groups[0]
    our_group = getattr(optim, name)(ours).param_groups[0]
    shared = set(our_group) - {"params", "l1", "initial_accumulator_value"}
    shared -= {"weight_decay"} if name == "Rprop" else set()  # PyTorch's has none
    assert {k: our_group[k] for k in shared} == {k: their_group[k] for k in shared}
    assert ("weight_decay" in shared or name == "Rprop") and "maximize" in shared
    kinds = inspect.signature(getattr(optim, name)).parameters.values()
    positional = [each.name for each in kinds if each.kind is each.POSITIONAL_OR_KEYWORD]
    their_order = list(inspect.signature(getattr(torch.optim, name)).parameters)
    assert positional == their_order[: len(positional)]


@pytest.mark.parametrize("name", sorted({name for name, _ in TABLE}))
def test_l1_is_the_gradient_of_the_absolute_value(name):
    """``l1=0.2`` equals a loss with ``0.2 Σ|w|`` added."""
    _, plain = twins("float64")
    _, with_l1 = twins("float64")
    one = getattr(optim, name)(plain, lr=0.01)
    other = getattr(optim, name)(with_l1, lr=0.01, l1=0.2)
    for _ in range(20):
        for p, q in zip(plain, with_l1, strict=True):
            p.grad = 0.3 * p.numpy() + 0.2 * np.sign(p.numpy())
            q.grad = 0.3 * q.numpy()
        one.step()
        other.step()
    for p, q in zip(plain, with_l1, strict=True):
        np.testing.assert_allclose(q.numpy(), p.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), TABLE)
@pytest.mark.parametrize("transposed", [False, True])
def test_blocks_give_the_same_bits_as_one_piece(name, options, transposed, monkeypatch):
    from deepdive.optim import optimizer as engine

    shapes = [(11, 13), (1, 300), (300,), (5, 4, 3, 2), (3,)]
    results = []
    for block in (17, 10**9):
        monkeypatch.setattr(engine, "BLOCK", block)
        _, ours = twins("float32", shapes)
        if transposed:  # parameters and gradients that are not contiguous
            for p in ours:
                p.data = np.array(p.numpy(), order="F")
        optimizer = getattr(optim, name)(ours, **options, l1=0.01)
        rng = np.random.default_rng(3)
        for _ in range(5):
            for p in ours:
                grad = rng.standard_normal(tuple(p.shape)[::-1]).astype("float32").T
                p.grad = grad if transposed else np.ascontiguousarray(grad)
            optimizer.step()
        results.append([p.numpy().tobytes() for p in ours])
    assert results[0] == results[1]


@pytest.mark.parametrize("name", sorted({name for name, _ in TABLE}))
def test_frozen_parameters_are_skipped_and_steps_are_counted_per_parameter(name):
    with numbers_in("float64"):
        _with_a_frozen_one(name)


def _with_a_frozen_one(name):
    theirs, ours = twins("float64", [(3,), (4,)])
    pair = getattr(torch.optim, name)(theirs), getattr(optim, name)(ours)
    rng = np.random.default_rng(4)
    for i in range(6):
        for j in range(2):
            grad = rng.standard_normal(3 + j)
            frozen = j == 1 and i < 4
            theirs[j].grad = None if frozen else torch.tensor(grad)
            ours[j].grad = None if frozen else grad
        pair[0].step()
        pair[1].step()
        if i == 3:
            assert np.array_equal(ours[1].numpy(), twins("float64", [(3,), (4,)])[1][1].numpy())
    close(theirs, ours, 1e-13)
    assert [kept["t"] for kept in pair[1].state] == [6, 2]


def test_groups_have_options_of_their_own_and_are_live():
    theirs, ours = twins("float64", [(3,), (4,)])

    def groups(ps):
        return [{"params": [ps[0]], "lr": 0.5}, {"params": ps[1], "momentum": 0.9}]

    pair = torch.optim.SGD(groups(theirs), lr=0.01), optim.SGD(groups(ours), lr=0.01)
    walk(theirs, ours, *pair, steps=5)
    for each in pair:
        each.param_groups[0]["lr"] = 0.001
        each.param_groups[1]["weight_decay"] = 0.3
    walk(theirs, ours, *pair, steps=5)
    close(theirs, ours, 1e-13)


def test_momentum_switched_on_while_training():
    theirs, ours = twins("float64", [(3,)])
    pair = torch.optim.SGD(theirs, lr=0.1), optim.SGD(ours, lr=0.1)
    walk(theirs, ours, *pair, steps=3)
    for each in pair:
        each.param_groups[0]["momentum"] = 0.9
    walk(theirs, ours, *pair, steps=3)
    close(theirs, ours, 1e-13)


def test_a_numpy_or_tensor_rate_does_not_widen_the_arithmetic():
    results = []
    for lr in (0.1, np.float64(0.1), tensor(0.1, dtype="float64")):
        _, ours = twins("float32", [(50,)])
        optimizer = optim.SGD(ours, lr=lr, momentum=0.9)
        for _ in range(5):
            ours[0].grad = ours[0].numpy() * np.float32(0.3)
            optimizer.step()
        results.append(ours[0].numpy().tobytes())
    assert results[0] == results[1] == results[2]


def test_training_really_finds_the_line():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((64, 2)).astype("float32")
    y = x @ np.array([[2.0], [-3.0]], "float32") + 0.5
    w, b = tensor(np.zeros((2, 1), "float32"), requires_grad=True), tensor([0.0])
    b.requires_grad_()
    optimizer = optim.Adam([w, b], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        ((tensor(x) @ w + b - tensor(y)) ** 2).mean().backward()
        optimizer.step()
    np.testing.assert_allclose(w.numpy().ravel(), [2.0, -3.0], atol=1e-3)
    np.testing.assert_allclose(b.numpy(), [0.5], atol=1e-3)


def test_the_average_of_asgd_is_pytorchs():
    theirs, ours = twins("float64")
    options = {"lr": 0.05, "lambd": 0.01, "t0": 20}
    pair = torch.optim.ASGD(theirs, **options), optim.ASGD(ours, **options)
    walk(theirs, ours, *pair, steps=50)
    for t, kept in zip(theirs, pair[1].state, strict=True):
        np.testing.assert_allclose(kept["ax"], pair[0].state[t]["ax"].numpy(), rtol=1e-6, atol=1e-7)


def test_lion_is_its_formula():
    _, (w,) = twins("float64", [(5, 3)])
    expected, m = w.numpy().copy(), np.zeros((5, 3))
    optimizer = optim.Lion([w], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    rng = np.random.default_rng(0)
    for _ in range(30):
        g = rng.standard_normal((5, 3))
        expected = expected * (1 - 0.01 * 0.1) - 0.01 * np.sign(0.9 * m + 0.1 * g)
        m = 0.95 * m + 0.05 * g
        w.grad = g
        optimizer.step()
    np.testing.assert_allclose(w.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("adjust", [None, "original", "match_rms_adamw"])
@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_muon_follows_pytorchs_but_for_its_bfloat16(shape, adjust):
    theirs, ours = twins("float32", [shape])
    options = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.05, "adjust_lr_fn": adjust}
    pair = torch.optim.Muon(theirs, **options), optim.Muon(ours, **options)
    walk(theirs, ours, *pair, steps=20)
    close(theirs, ours, 2e-2)


def test_muon_steps_are_nearly_orthogonal():
    from deepdive.backend import numpy_cpu
    from deepdive.optim.signs import orthogonal

    x = np.random.default_rng(0).standard_normal((20, 30))
    coefficients = (3.4445, -4.775, 2.0315)
    values = np.linalg.svd(orthogonal(numpy_cpu, x, coefficients, 8, 1e-7))[1]
    assert values.min() > 0.6 and values.max() < 1.3
    with pytest.raises(ShapeError, match="parameters are matrices"):
        optim.Muon([tensor([1.0], requires_grad=True)])


@pytest.mark.parametrize(("name", "options"), TABLE)
def test_states_go_round(name, options):
    """Ten steps equal five, a state dict in another optimizer, and five more."""
    _, whole = twins("float64", [(3, 2), (4,)])
    _, parts = twins("float64", [(3, 2), (4,)])
    first, second = (getattr(optim, name)(ps, **options) for ps in (whole, parts))
    rng = np.random.default_rng(6)
    for step in range(10):
        if step == 5:
            fresh = getattr(optim, name)(parts, **options)
            fresh.load_state_dict(second.state_dict())
            second = fresh
        for p, q in zip(whole, parts, strict=True):
            p.grad = rng.standard_normal(tuple(p.shape))
            q.grad = p.grad.numpy().copy()
        first.step()
        second.step()
    for p, q in zip(whole, parts, strict=True):
        assert np.array_equal(p.numpy(), q.numpy())


@pytest.mark.parametrize("name", sorted({name for name, _ in TABLE} | {"Lion"}))
def test_hints_of_pytorch_are_taken_where_they_are_off(name):
    _, ours = twins("float32", [(2,)])
    optimizer = getattr(optim, name)(ours, foreach=None, fused=False, capturable=False)
    assert "fused" not in optimizer.param_groups[0]
    for hint in ("foreach", "fused", "differentiable"):
        with pytest.raises(ArgumentError, match=f"{hint}=True is one of PyTorch's ways"):
            getattr(optim, name)(ours, **{hint: True})
    with pytest.raises(ArgumentError, match="no hyper-parameter 'learning_rate'"):
        getattr(optim, name)(ours, learning_rate=0.1)

"""vmap: axes, nesting, randomness, what it refuses; per-sample gradients; inside and around."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import func, nn
from deepdive.errors import ArgumentError, GraphError, ShapeError

RNG = np.random.default_rng(0)
X, W, Y = (RNG.standard_normal(shape) for shape in ((4, 3), (3, 2), (5, 4, 3)))


def close(found, expected):
    if isinstance(expected, torch.Tensor):
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-12)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        close(list(found.values()), list(expected.values()))
    else:
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            close(a, b)


@pytest.mark.parametrize("in_dims", [(0, None), (1, 0), (None, 1), (-2, -2)])
@pytest.mark.parametrize("out_dims", [0, 1, -1])
def test_axes_in_and_out_as_in_pytorch(in_dims, out_dims):
    a = RNG.standard_normal((3, 3, 2))
    b = RNG.standard_normal((3, 3))

    def f(x, y):
        shape = (3, 2) if x.shape[0] == 3 and x.ndim == 2 else tuple(x.shape)
        return (x.sin().reshape(shape).sum(0) if x.ndim == 2 else x.sum(0)) * y.sum()

    found = func.vmap(f, in_dims, out_dims)(dd.tensor(a), dd.tensor(b))
    close(found, torch.func.vmap(f, in_dims, out_dims)(torch.tensor(a), torch.tensor(b)))


def test_nested_arguments_and_results():
    def f(state, pair):
        return {"sum": state["a"] + pair[0], "pair": (pair[1].sum(), state["b"] * 2)}

    def arguments(make):
        return {"a": make(X), "b": make(W)}, (make(X), make(Y))

    in_dims = ({"a": 0, "b": None}, (0, 1))
    found = func.vmap(f, in_dims, {"sum": 1, "pair": 0})(*arguments(dd.tensor))
    expected = torch.func.vmap(f, in_dims, {"sum": 1, "pair": 0})(*arguments(torch.tensor))
    close(found, expected)


def test_three_levels():
    def outer(module, x, y):
        inner = module.vmap(lambda a, b: (a * b).sum() / (a @ b).exp(), (None, 0))
        return module.vmap(module.vmap(inner, (0, None)), (None, 0))(x, y)

    close(outer(func, dd.tensor(X), dd.tensor(Y)), outer(torch.func, *map(torch.tensor, (X, Y))))


def test_chunks_give_the_same():
    f = func.vmap(lambda x, w: (x @ w).tanh(), (0, None), 1)
    whole = f(dd.tensor(X), dd.tensor(W))
    parts = func.vmap(lambda x, w: (x @ w).tanh(), (0, None), 1, chunk_size=3)
    assert np.array_equal(parts(dd.tensor(X), dd.tensor(W)).numpy(), whole.numpy())


def test_gradients_flow_to_what_is_outside():
    """Arguments, closures, and both in a vmap of a vmap."""
    x, w = dd.tensor(X, requires_grad=True), dd.tensor(W, requires_grad=True)
    tx, tw = (torch.tensor(a, requires_grad=True) for a in (X, W))

    def run(module, x, w):
        def inner(a):
            return module.vmap(lambda b: (a @ w).sin().sum() * b)(a)

        return (module.vmap(inner)(x) ** 2).sum()

    run(func, x, w).backward()
    run(torch.func, tx, tw).backward()
    close([x.grad, w.grad], [tx.grad, tw.grad])


def test_detach_and_no_grad_inside_stop_gradients():
    w = dd.tensor(W, requires_grad=True)

    def f(x):
        with dd.no_grad():
            still = (w * 2).sum()
        return (x @ w).sum() * still + (x @ w.detach()).sum() * w.sum().detach()

    func.vmap(f)(dd.tensor(X)).sum().backward()
    expected = np.outer(X.sum(0), np.ones(2)) * 2 * W.sum()
    np.testing.assert_allclose(w.grad.numpy(), expected)


def test_gradients_are_the_operators_own():
    """A square root at 0, whose slope the operator takes as 0, is no NaN through vmap."""
    x = dd.tensor([[1.0, 1.0], [1.0, 3.0]], requires_grad=True)
    func.vmap(lambda a: a.std())(x).sum().backward()
    want = dd.tensor([[1.0, 1.0], [1.0, 3.0]], requires_grad=True)
    (want[0].std() + want[1].std()).backward()
    np.testing.assert_allclose(x.grad.numpy(), want.grad.numpy())


def test_gradients_asked_for_inside():
    """``grad`` by what is shared gives each sample's own; ``backward`` adds them up."""
    w = dd.tensor(W, requires_grad=True)

    def by_grad(x):
        return dd.grad((x @ w).sin().sum(), w)[0]

    slopes = func.vmap(by_grad)(dd.tensor(X)).numpy()
    for i in range(4):
        alone = dd.grad((dd.tensor(X[i]) @ w).sin().sum(), w)[0]
        np.testing.assert_allclose(slopes[i], alone.numpy())

    def by_backward(x):
        loss = (x @ w).sin().sum()
        loss.backward()
        return loss.detach()

    func.vmap(by_backward)(dd.tensor(X))
    np.testing.assert_allclose(w.grad.numpy(), slopes.sum(0))


def test_a_single_result_counts_once():
    w = dd.tensor(W, requires_grad=True)
    out, single = func.vmap(lambda x: (x.sum(), w * 3), out_dims=(0, None))(dd.tensor(X))
    assert out.shape == (4,) and single.shape == (3, 2)
    single.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), np.full((3, 2), 3.0))


@pytest.mark.parametrize("transform", ["jacrev", "jacfwd", "hessian"])
def test_transforms_around_vmap(transform):
    """The rows of the outer transform meet the samples of a vmap that is over already."""

    def f(module, w, x):
        inner = module.vmap(module.vmap(lambda a, b: (a * b).sin() @ w, (None, 0)), (0, None))
        out = inner(x, x) ** 2
        return out.sum() if transform == "hessian" else out.sum(1)

    found = getattr(func, transform)(lambda w: f(func, w, dd.tensor(X)))(dd.tensor(W))
    module = torch.func
    want = getattr(module, transform)(lambda w: f(module, w, torch.tensor(X)))(torch.tensor(W))
    close(found, want)


def test_no_memory_stays():
    """The graph of a vmap is gone with its result, without the garbage collector."""
    import gc
    import weakref

    gc.disable()
    try:
        w = dd.tensor(W, requires_grad=True)
        out = func.vmap(lambda x: (x @ w).tanh())(dd.tensor(X, requires_grad=True))
        node = weakref.ref(out._node.operator.frame)
        del out
        assert node() is None
    finally:
        gc.enable()


def mlp():
    dd.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 3))


def test_per_sample_gradients_are_those_of_a_loop():
    model, loss = mlp(), nn.CrossEntropyLoss()
    x, y = dd.randn(8, 6), dd.tensor(RNG.integers(0, 3, 8))
    state = {name: p.detach() for name, p in model.named_parameters()}

    def of_one(state, x, y):
        return loss(func.functional_call(model, state, x[None]), y[None])

    found = func.vmap(func.grad(of_one), (None, 0, 0))(state, x, y)
    for i in range(8):
        model.zero_grad()
        loss(model(x[i : i + 1]), y[i : i + 1]).backward()
        for name, p in model.named_parameters():
            np.testing.assert_allclose(found[name][i].numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2])
def test_per_sample_gradients_of_a_convolution(groups):
    x, w = dd.tensor(RNG.standard_normal((5, 4, 7, 6))), RNG.standard_normal((6, 4 // groups, 3, 2))

    def of_one(w, x):
        out = dd.nn.functional.conv2d(x[None], w, None, (2, 1), (1, 0), (1, 2), groups)
        return (out**3).sum()

    found = func.vmap(func.grad(of_one), (None, 0))(dd.tensor(w), x)
    for i in range(5):
        alone = func.grad(of_one)(dd.tensor(w), x[i])
        np.testing.assert_allclose(found[i].numpy(), alone.numpy(), rtol=1e-9, atol=1e-9)


def test_an_ensemble_is_one_model():
    models = [mlp() for _ in range(3)]
    for i, model in enumerate(models):
        model[0].weight.data += i
    x = dd.randn(8, 6)
    parameters, buffers = func.stack_module_state(models)
    assert parameters["0.weight"].requires_grad and not buffers

    def run(state, x):
        return func.functional_call(models[0], state, x)

    found = func.vmap(run, (0, None))(parameters, x)
    for i, model in enumerate(models):
        np.testing.assert_allclose(found[i].numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)


def test_randomness():
    x = dd.zeros(4, 1000)

    def drop(x):
        return dd.nn.functional.dropout(x + 1, 0.5)

    def noise(x):
        return x + dd.rand(1000)

    for f in (drop, noise):
        with pytest.raises(GraphError, match="draws random numbers"):
            func.vmap(f)(x)
        same = func.vmap(f, randomness="same")(x).numpy()
        assert (same == same[0]).all()
        different = func.vmap(f, randomness="different")(x).numpy()
        assert len({row.tobytes() for row in different}) == 4
        assert abs(different.mean() - same.mean()) < 0.1
    nested = func.vmap(func.vmap(drop, randomness="different"), randomness="same")
    out = nested(dd.zeros(3, 2, 1000)).numpy()
    assert (out == out[0]).all() and (out[0, 0] != out[0, 1]).any()
    with pytest.raises(ArgumentError, match="unknown randomness"):
        func.vmap(drop, randomness="some")


def test_writing_inside():
    def f(x):
        out = dd.zeros_like(x)
        out[0] = x[1]
        out += x
        return out

    found = func.vmap(f)(dd.tensor(X)).numpy()
    expected = X.copy()
    expected[:, 0] += X[:, 1]
    np.testing.assert_allclose(found, expected)

    def g(x):
        out = dd.zeros(3)  # becomes each sample's own
        out += x
        return out

    np.testing.assert_allclose(func.vmap(g)(dd.tensor(X)).numpy(), X, rtol=1e-6)
    count = dd.zeros(())

    def counted(x):
        nonlocal count
        count += 1
        return x + count

    assert func.vmap(counted)(dd.zeros(4)).tolist() == [1] * 4 and count.item() == 1
    outside = dd.zeros(3, dtype="float64")

    def g(x):
        out = outside
        out += x
        return out

    with pytest.raises(GraphError, match="write into an array that all share"):
        func.vmap(g)(dd.tensor(X))


def test_a_mask_of_each_sample_filled_with_a_number():
    def f(x, v):
        out = x * 1
        out[x > 0] = v
        out[out < -1] = v + 1
        return out

    v = np.arange(4.0)
    found = func.vmap(f)(dd.tensor(X), dd.tensor(v)).numpy()
    expected = np.where(X > 0, v[:, None], X)
    np.testing.assert_allclose(found, np.where(expected < -1, v[:, None] + 1, expected))


def test_what_is_asked_of_values_is_asked_of_each_sample():
    index = dd.tensor([[0, 2], [1, 2]])
    assert func.vmap(dd.nn.functional.one_hot)(index).shape == (2, 2, 3)
    with pytest.raises(GraphError, match="largest class"):
        func.vmap(dd.nn.functional.one_hot)(dd.tensor([[0, 2], [1, 1]]))
    with pytest.raises(ShapeError, match="index 7 is out of range"):
        func.vmap(lambda i: dd.nn.functional.embedding(i, dd.ones(3, 2)))(dd.tensor([[0], [7]]))


def test_printing_shows_all_samples():
    seen = []
    func.vmap(lambda x: seen.append(repr(x)) or x)(dd.tensor([[1.0], [2.0]]))
    assert seen[0].split() == ["tensor([[1.],", "[2.]])"]


def test_what_lies_outside_is_as_it_was():
    shared = dd.tensor(W)
    array = shared._data
    func.vmap(lambda x: (x @ shared).sum())(dd.tensor(X))
    assert shared._data is array and dd.is_grad_enabled()
    with pytest.raises(ZeroDivisionError):
        func.vmap(lambda x: x / (1 // 0))(dd.tensor(X))
    assert type((dd.tensor(X) * 2)._data) is np.ndarray


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: x if x.sum() > 0 else -x, GraphError, "every sample has its own"),
        (lambda x: x * x.sum().item(), GraphError, "every sample has its own"),
        (lambda x: x[x > 0], GraphError, "a mask"),
        (lambda x: x.shape[0], ArgumentError, "gives Tensors"),
        (lambda x: x @ x.reshape(3, 1) @ dd.ones(2, 2), ShapeError, "matmul"),
    ],
)
def test_what_has_no_meaning_is_refused_in_words(f, error, words):
    with pytest.raises(error, match=words):
        func.vmap(f)(dd.tensor(X))


def test_arguments_that_do_not_fit():
    x = dd.tensor(X)
    with pytest.raises(ShapeError, match="disagree on the number of samples"):
        func.vmap(lambda a, b: a)(x, dd.tensor(W))
    with pytest.raises(ShapeError, match="no argument has an axis"):
        func.vmap(lambda a: a, None)(x)
    with pytest.raises(ArgumentError, match="in_dims does not fit"):
        func.vmap(lambda a: a, (0, 0))(x)
    with pytest.raises(ArgumentError, match="is no Tensor"):
        func.vmap(lambda a, b: a)(x, 2.0)
    with pytest.raises(ShapeError, match="no axis 2"):
        func.vmap(lambda a: a, 2)(x)
    with pytest.raises(ArgumentError, match="out_dims is None"):
        func.vmap(lambda a: a, 0, None)(x)


def test_under_compile():
    w = dd.tensor(W, requires_grad=True)

    def step(x):
        return func.vmap(func.grad(lambda a: (a @ w).tanh().sum()))(x)

    x = dd.tensor(X)
    compiled = dd.compile(step, dialect="numpy")
    for _ in range(2):
        np.testing.assert_allclose(compiled(x).numpy(), step(x).numpy(), rtol=1e-9)
    with dd.no_grad():
        w.data *= 2
    np.testing.assert_allclose(compiled(x).numpy(), step(x).numpy(), rtol=1e-9)


def test_lazily_and_natively():
    expected = func.vmap(lambda a: (a * a).sum())(dd.tensor(X)).numpy()
    with dd.lazy():
        assert np.allclose(func.vmap(lambda a: (a * a).sum())(dd.tensor(X)).numpy(), expected)
    x = dd.tensor(X, device="native")
    found = func.vmap(lambda a: (a * a).sum())(x)
    assert found.device == "native" and np.allclose(found.tolist(), expected)

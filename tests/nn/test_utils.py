"""nn.utils, hooks of gradients, and finding parts by their path: all as PyTorch has them."""

import copy

import numpy as np
import pytest
import torch
from torch import nn as tnn

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, CheckpointError, GraphError, ShapeError
from deepdive.nn.architecture import to_arc
from deepdive.nn.utils import parametrizations, parametrize

rng = np.random.default_rng(0)


def numbers(*shape):
    return rng.normal(size=shape).astype("float32")


# --- vectors -----------------------------------------------------------------------------------
def test_parameters_as_a_vector_and_back():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    vector = nn.utils.parameters_to_vector(model.parameters())
    want = np.concatenate([p.numpy().ravel() for p in model.parameters()])
    assert np.array_equal(vector.numpy(), want)
    (vector * vector).sum().backward()
    assert np.allclose(model[0].weight.grad.numpy(), 2 * model[0].weight.numpy())
    first = model[0].weight
    nn.utils.vector_to_parameters(dd.arange(11).float(), model.parameters())
    assert model[0].weight is first and first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert model[1].bias.tolist() == [10]
    with pytest.raises(ShapeError, match=r"expected: \(11,\)"):
        nn.utils.vector_to_parameters(dd.zeros(10), model.parameters())


# --- parametrisations --------------------------------------------------------------------------
LAYERS = ["Linear(4, 3)", "Conv2d(2, 4, 3)", "Linear(4, 3, bias=False)"]
INPUTS = {"Linear": (5, 4), "Conv2d": (2, 2, 5, 5)}


def pair(text):
    return eval(text, vars(nn).copy()), eval(text, vars(tnn).copy())


def trained_alike(ours, theirs, shape, steps=3):
    """Outputs, gradients and states agree while both learn."""
    optimizers = [dd.optim.SGD(ours.parameters(), 0.1), torch.optim.SGD(theirs.parameters(), 0.1)]
    for _ in range(steps):
        x = numbers(*shape)
        got, want = ours(dd.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-4, atol=1e-5)
        for optimizer, out in zip(optimizers, (got, want), strict=True):
            optimizer.zero_grad()
            (out**2).mean().backward()
            optimizer.step()
    for name, value in theirs.state_dict().items():
        mine = ours.state_dict()[name].numpy()
        np.testing.assert_allclose(mine, value.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("text", LAYERS)
@pytest.mark.parametrize("which", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_normed_weights_are_pytorchs(text, which, old):
    ours, theirs = pair(text)
    ours.load_state_dict(theirs.state_dict())
    rooms = (nn.utils, tnn.utils) if old else (parametrizations, tnn.utils.parametrizations)
    for room, layer in zip(rooms, (ours, theirs), strict=True):
        getattr(room, which)(layer)
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    shape = INPUTS[text.split("(")[0]]
    trained_alike(ours, theirs, shape)
    ours.eval(), theirs.eval()
    trained_alike(ours, theirs, shape, 1)
    with pytest.raises(CheckpointError, match="computed from others"):
        to_arc(ours)
    before = ours(dd.tensor(numbers(*shape) * 0 + 1)).numpy()
    if old:
        getattr(nn.utils, f"remove_{which}")(ours)
    else:
        parametrize.remove_parametrizations(ours, "weight")
    assert type(ours) in (nn.Linear, nn.Conv2d) and isinstance(ours.weight, nn.Parameter)
    after = ours(dd.tensor(numbers(*shape) * 0 + 1)).numpy()
    np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-6)
    assert {*ours.state_dict()} <= {"weight", "bias"} and to_arc(ours)


@pytest.mark.filterwarnings("ignore")
def test_weight_norm_with_one_length_and_of_a_recurrent_layer():
    ours, theirs = pair("Linear(4, 3)")
    for room, layer in ((nn.utils, ours), (tnn.utils, theirs)):
        room.weight_norm(layer, dim=None)
    assert ours.weight_g.shape == () == tuple(theirs.weight_g.shape)
    ours, theirs = pair("GRU(3, 4)")
    ours.load_state_dict(theirs.state_dict())
    parametrizations.weight_norm(ours, "weight_hh_l0")
    tnn.utils.parametrizations.weight_norm(theirs, "weight_hh_l0")
    x = numbers(5, 2, 3)
    want = theirs(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(ours(x)[0].numpy(), want, rtol=1e-4, atol=1e-5)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x

    def right_inverse(self, x):
        return x / 2


def test_parametrisations_of_ones_own():
    layer = nn.Linear(3, 3)
    first, weight = layer.weight, layer.weight.numpy().copy()
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)
    assert layer.parametrizations.weight.original is first  # optimizers know it
    np.testing.assert_allclose(layer.weight.numpy(), weight)
    np.testing.assert_allclose(first.numpy(), weight / 2)
    layer.weight = dd.ones(3, 3)
    assert (first.numpy() == 0.5).all()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "bias", Doubled())
    layer.parametrizations.weight.original.data[...] = np.arange(9.0).reshape(3, 3)
    assert layer.weight.tolist() == [[0, 2, 4], [2, 8, 10], [4, 10, 16]]
    assert parametrize.is_parametrized(layer, "bias") and parametrize.is_parametrized(layer)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer(dd.ones(1, 3)).sum().backward()
    assert first.grad is not None
    twin = copy.deepcopy(layer)
    assert np.array_equal(twin.weight.numpy(), layer.weight.numpy())
    with parametrize.cached():
        assert layer.weight is layer.weight
    assert layer.weight is not layer.weight
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is first and first.tolist()[0] == [0, 1, 2]
    assert parametrize.is_parametrized(layer, "bias")
    parametrize.remove_parametrizations(layer, "bias")
    assert type(layer) is nn.Linear and not parametrize.is_parametrized(layer)


def test_what_parametrisations_refuse():
    class Flat(nn.Module):
        def forward(self, x):
            return x.reshape(-1)

    layer = nn.Linear(3, 2)
    with pytest.raises(ArgumentError, match="no parameter 'wieght'"):
        parametrize.register_parametrization(layer, "wieght", Doubled())
    with pytest.raises(ArgumentError, match="would change its shape"):
        parametrize.register_parametrization(layer, "weight", Flat())
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)
    with pytest.raises(ArgumentError, match="not parametrised"):
        parametrize.remove_parametrizations(layer, "weight")
    parametrizations.weight_norm(layer)
    with pytest.raises(ArgumentError, match="2 originals"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    with pytest.raises(ArgumentError, match="has none"):
        nn.utils.remove_weight_norm(nn.Linear(2, 2))


def test_a_parametrised_layer_trains_compiled():
    results = []
    for wrap in (lambda f: f, dd.compile):
        dd.manual_seed(0)
        model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 3)), nn.ReLU())
        model.append(parametrizations.weight_norm(nn.Linear(3, 1)))
        optimizer = dd.optim.SGD(model.parameters(), 0.1)

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step = wrap(step)
        x = dd.tensor(np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4))
        results.append([step(x).item() for _ in range(4)])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4)


# --- hooks of gradients ------------------------------------------------------------------------
def hooked(n, tensor, make):
    """What hooks saw of a small model, in either library."""
    torch.manual_seed(0)
    theirs = tnn.Sequential(tnn.Linear(3, 4), tnn.Tanh(), tnn.Linear(4, 2))
    model = n.Sequential(n.Linear(3, 4), n.Tanh(), n.Linear(4, 2))
    model.load_state_dict(theirs.state_dict())
    seen = []

    def hook(module, grad_input, grad_output):
        seen.append([None if g is None else g.numpy().copy() for g in (*grad_input, *grad_output)])

    def pre_hook(module, grad_output):
        return (grad_output[0] * 2,)

    handles = [layer.register_full_backward_hook(hook) for layer in model]
    handles.append(model[2].register_full_backward_pre_hook(pre_hook))
    handles.append(model[1].register_full_backward_hook(lambda m, gi, go: (gi[0] * 3,)))
    x = tensor(np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3))
    model(x).sum().backward()
    count = len(seen)
    for handle in handles:
        handle.remove()
    model(x).sum().backward()
    assert len(seen) == count == 3
    return seen, [p.grad.numpy() for p in model.parameters()]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_backward_hooks_see_what_pytorchs_see():
    ours, grads = hooked(nn, dd.tensor, None)
    theirs, wanted = hooked(tnn, torch.tensor, None)
    for mine, other in zip(ours, theirs, strict=True):
        for a, b in zip(mine, other, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_hooks_of_several_inputs_and_outputs():
    class Both(nn.Module):
        def forward(self, x, y):
            return x * y, x + y

    layer, seen = Both(), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x, y = dd.tensor([2.0], requires_grad=True), dd.tensor([3.0], requires_grad=True)
    product, total = layer(x, y)
    (product + 0 * total.detach()).sum().backward()
    (gx, gy), (first, second) = seen[0]
    assert (gx.item(), gy.item(), first.item(), second) == (3, 2, 1, None)
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[1]))
    with pytest.raises(GraphError, match="replaces grad_input, of which there are 2"):
        layer(x, y)[0].sum().backward()


def test_forward_hooks_with_options_and_in_front():
    results = []
    for n, tensor in ((nn, dd.tensor), (tnn, torch.tensor)):

        class Scaled(n.Module):
            def forward(self, x, scale=1.0):
                return x * scale

        layer, calls = Scaled(), []
        layer.register_forward_pre_hook(lambda m, x, c=calls: c.append("second"))
        layer.register_forward_pre_hook(lambda m, x, c=calls: c.append("first"), prepend=True)

        def more(module, inputs, options):
            return inputs, {"scale": options["scale"] + 1}

        layer.register_forward_pre_hook(more, with_kwargs=True)
        layer.register_forward_hook(lambda m, x, k, out: out + k["scale"], with_kwargs=True)
        layer.register_forward_hook(lambda m, x, out: out * 10, prepend=True)
        results.append((layer(tensor([1.0]), scale=2.0).item(), calls))
    assert results[0] == results[1] == (33.0, ["first", "second"])


# --- by path -----------------------------------------------------------------------------------
def test_parts_by_their_path():
    model = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.BatchNorm1d(2)))
    assert model.get_submodule("1.0") is model[1][0] and model.get_submodule("") is model
    assert model.get_parameter("0.weight") is model[0].weight
    assert model.get_buffer("1.0.running_mean") is model[1][0].running_mean
    for wrong in (
        lambda: model.get_submodule("1.1"),
        lambda: model.get_parameter("0.wieght"),
        lambda: model.get_buffer("0.weight"),
    ):
        with pytest.raises(AttributeError, match="has no"):
            wrong()
    net = nn.Module()
    net.add_module("head", nn.Linear(2, 1))
    net.register_module("nothing", None)
    assert [*net.state_dict()] == ["head.weight", "head.bias"] and net.nothing is None
    with pytest.raises(ArgumentError, match="is no module"):
        net.add_module("x", 3)


# --- init --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("shape", "groups"), [((4, 2, 3), 1), ((4, 2, 3, 5), 2), ((2, 3, 1, 2, 3), 1)]
)
def test_dirac(shape, groups):
    ours, theirs = dd.ones(*shape), torch.ones(shape)
    nn.init.dirac_(ours, groups)
    tnn.init.dirac_(theirs, groups)
    assert np.array_equal(ours.numpy(), theirs.numpy())
    with pytest.raises(ShapeError, match="3 to 5 axes"):
        nn.init.dirac_(dd.ones(3, 3))


def test_every_initialiser_of_pytorch_is_here():
    wanted = {n for n in dir(tnn.init) if n.endswith("_") and not n.startswith("_")}
    assert {n for n in wanted if not hasattr(nn.init, n)} == set()
    names = "linear conv1d conv2d conv_transpose3d sigmoid tanh relu leaky_relu selu".split()
    for name in names:
        assert nn.init.calculate_gain(name) == pytest.approx(tnn.init.calculate_gain(name))
    assert nn.init.calculate_gain("leaky_relu", 0.3) == tnn.init.calculate_gain("leaky_relu", 0.3)

"""Modules: what belongs to them, how they are called, what they say when something is wrong."""

import copy
import pickle

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, CheckpointError, DTypeError, ShapeError


class Net(nn.Module):
    """No super().__init__(), a list, a dict, a shared layer, a buffer."""

    def __init__(self):
        self.first = nn.Linear(4, 3)
        self.blocks = [nn.Linear(3, 3), nn.Linear(3, 3)]
        self.heads = {"a": nn.Linear(3, 2), "b": nn.Linear(3, 2)}
        self.again = self.first
        self.scale = nn.Parameter([1.0, 2.0])
        self.register_buffer("seen", dd.zeros(1))
        self.register_buffer("scratch", dd.zeros(1), persistent=False)

    def forward(self, x):
        for block in self.blocks:
            x = block(x if x.shape[-1] == 3 else self.first(x))
        return self.heads["a"](x) * self.scale


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(4, 3)
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)])
        self.heads = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 2), "b": torch.nn.Linear(3, 2)})
        self.again = self.first
        self.scale = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        self.register_buffer("seen", torch.zeros(1))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)


def test_names_are_pytorchs():
    ours, theirs = Net(), TorchNet()
    assert sorted(ours.state_dict()) == sorted(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_buffers()] == [n for n, _ in theirs.named_buffers()]
    assert len([*ours.parameters()]) == len([*theirs.parameters()])
    assert [n for n, _ in ours.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in ours.named_children()] == [
        "first",
        "blocks.0",
        "blocks.1",
        "heads.a",
        "heads.b",
    ]
    assert len([*ours.modules()]) == 6 and len([*ours.buffers()]) == 2


def test_weights_come_from_pytorch_and_go_back():
    ours, theirs = Net(), TorchNet()
    report = ours.load_state_dict(theirs.state_dict())
    assert report.complete and len(report.loaded) == len(theirs.state_dict())
    assert "All keys matched" in repr(report)
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name].numpy(), value.numpy())
    theirs.load_state_dict({n: torch.tensor(x.numpy()) for n, x in Net().state_dict().items()})


def test_a_module_may_hold_the_one_above_it():
    net = Net()
    net.first.__dict__["owner"] = net
    assert len([*net.modules()]) == 6 and len([*net.named_parameters()]) == 11
    assert "first.owner.scale" not in net.state_dict()


def test_an_assigned_parameter_is_the_same_object_everywhere():
    net = Net()
    assert net.again is net.first and net.params["scale"] is net.scale
    assert next(net.first.parameters()) is net.first.weight
    net.first = nn.Linear(4, 3, bias=False)
    assert "first.weight" in net.params and "first.bias" not in net.params


def test_a_layer_of_system_a():
    w = dd.Tensor(np.eye(3, dtype="float32"))

    class Scale(nn.Layer):
        def __init__(self, start):
            self.params = {"W": start, "b": np.zeros(3, "float32")}

        def __call__(self, x):
            return x @ self.params["W"] + self.params["b"]

    layer = Scale(w)
    assert [*layer.params] == ["W", "b"] and layer.params["W"] is w is layer.W
    model = nn.Sequential(layer, nn.ReLU())
    out = model(np.ones((2, 3)))  # an array
    out.sum().backward()
    assert [*model.params] == ["0.W", "0.b"] and w.grad.shape == (3, 3)
    before = w.numpy().copy()
    layer.step(nn.SGD, 0.5, 0.0)
    np.testing.assert_allclose(w.numpy(), before - 0.5 * 2)
    assert w.grad is None and layer.params["b"].grad is None
    layer.params["c"] = dd.Tensor([1.0])
    assert [*layer.params] == ["W", "b", "c"] and len(layer.params) == 3
    del layer.params["c"]
    assert "c" not in layer.params and repr(layer.params).startswith("{'W': Parameter")


def test_a_computed_tensor_is_no_parameter():
    with pytest.raises(ArgumentError, match="no result of a computation, 'w' is"):
        nn.ReLU().register_parameter("w", dd.Tensor([1.0]) * 2)


def test_call_instead_of_forward_keeps_the_way_in():
    class Double(nn.Module):
        def __call__(self, x):
            return x * 2

    class More(Double):
        def __call__(self, x):
            return super().__call__(x) + 1

    class Louder(nn.Linear):
        def __call__(self, x):
            return super().__call__(x) * 0

    calls = []
    layer = Double()
    layer.register_forward_hook(lambda module, inputs, output: calls.append(type(inputs[0])))
    assert layer([1, 2]).tolist() == [2, 4] and calls == [dd.Tensor]
    assert More()(np.array([1])).tolist() == [3]
    assert Louder(2, 1)(dd.ones(1, 2)).tolist() == [[0.0]]
    assert layer.forward(dd.ones(1)).tolist() == [2.0]
    with pytest.raises(NotImplementedError, match="Lazy defines neither forward nor __call__"):
        type("Lazy", (nn.Module,), {})()(dd.ones(1))


def test_inputs_become_tensors_without_a_copy():
    class Kept(nn.Module):
        def forward(self, x, *rest):
            self.got = (x, *rest)
            return x

    layer, array = Kept(), np.arange(3)
    out = layer(array, [1, 2], "word", np.ones(2, "float32"))
    assert np.shares_memory(out.data, array) and out.dtype == np.int64 and not out.requires_grad
    assert layer.got[1] == [1, 2] and layer.got[2] == "word"
    assert isinstance(layer.got[3], dd.Tensor)
    assert layer([[1.0, 2.0]]).shape == (1, 2)
    assert layer([dd.ones(1)]) == [layer.got[0][0]]  # a list of Tensors stays one


def test_hooks():
    layer = nn.Linear(2, 1)
    seen = []
    before = layer.register_forward_pre_hook(lambda module, inputs: inputs[0] * 2)
    after = layer.register_forward_hook(lambda module, inputs, output: output + 1)
    silent = layer.register_forward_hook(lambda module, inputs, output: seen.append(output.item()))
    x = dd.ones(1, 2)
    got = layer(x)
    want = layer.forward(x * 2) + 1
    assert got.item() == want.item() == seen[0]
    for handle in (before, after, silent):
        handle.remove()
    assert layer(x).item() == layer.forward(x).item() and len(seen) == 1


class TestErrorsSayWhere:
    def test_three_modules_deep(self):
        class Body(nn.Module):
            def __init__(self):
                self.layers = nn.Sequential(nn.Linear(4, 3), nn.Linear(512, 10))

            def forward(self, x):
                return self.layers(x)

        class Big(nn.Module):
            def __init__(self):
                self.body = Body()

            def __call__(self, x):
                return self.body(x)

        with pytest.raises(ShapeError) as caught:
            Big()(np.ones((2, 4), "float32"))
        places = [line for line in str(caught.value).splitlines() if line.startswith("  in ")]
        assert places == ["  in Big.body.layers.1: Linear(in_features=512, out_features=10)"]

    def test_a_module_alone_and_one_that_is_no_part(self):
        with pytest.raises(ShapeError) as caught:
            nn.Linear(3, 2, bias=False)(dd.ones(1, 4))
        line = "  in Linear(in_features=3, out_features=2, bias=False)"
        assert line in str(caught.value).splitlines()
        stray = nn.Linear(3, 2)

        class Outer(nn.Module):
            def forward(self, x):
                return stray(x)

        with pytest.raises(ShapeError, match=r"in Linear\(in_features=3, out_features=2\)"):
            Outer()(dd.ones(1, 4))

    def test_an_error_of_the_model_itself_and_a_second_call(self):
        class Root(nn.Module):
            def forward(self, x):
                return x @ dd.ones(3, 3)

        root = Root()
        for _ in range(2):
            with pytest.raises(ShapeError) as caught:
                root(dd.ones(1, 2))
            assert str(caught.value).count("  in ") == 1


def test_typos_and_failing_properties():
    net = Net()
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'frist'; did you mean"):
        net.frist
    with pytest.raises(AttributeError, match="no attribute 'train_'"):
        net.train_

    class Broken(nn.Module):
        @property
        def size(self):
            return self.sise

    with pytest.raises(AttributeError, match="'sise'"):
        Broken().size


def test_a_parameter_is_not_lost_by_assignment():
    layer = nn.Linear(2, 1)
    with pytest.raises(ArgumentError, match=r"Linear.weight is a parameter(.|\n)*nn.Parameter"):
        layer.weight = dd.ones(1, 2)
    layer.weight = nn.Parameter(dd.ones(1, 2))
    layer.bias = None
    assert layer(dd.ones(1, 2)).item() == 2 and [*layer.params] == ["weight"]


@pytest.mark.parametrize("name", ["a.b", "", "forward", 3])
def test_names_that_cannot_be(name):
    for register in (nn.Module().register_buffer, nn.Module().register_parameter):
        with pytest.raises(ArgumentError, match="not a name for a parameter or a buffer"):
            register(name, None)


def test_modes_and_gradients():
    net = Net()
    assert net.training and net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.train().heads["a"].training
    net(dd.ones(2, 4)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0, 0] and net.heads["b"].weight.grad is None
    net.zero_grad()
    assert net.scale.grad is None
    net.requires_grad_(False)
    assert not net(dd.ones(2, 4)).requires_grad
    names = []
    net.apply(lambda module: names.append(type(module).__name__))
    assert names == ["Linear"] * 5 + ["Net"]


def test_to_keeps_identity_and_integers():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    held = [*net.parameters()]
    net(dd.randn(4, 2)).sum().backward()
    assert net.double() is net
    assert all(a is b for a, b in zip(held, net.parameters(), strict=True))
    assert {p.dtype.name for p in held} == {p.grad.dtype.name for p in held} == {"float64"}
    assert net[1].running_mean.dtype == np.float64 and net[1].num_batches_tracked.dtype == np.int64
    net.zero_grad()
    net(np.ones((3, 2))).sum().backward()
    assert held[0].grad.dtype == np.float64
    assert net.to("cpu").float().to(dd.float64).half().to("float32")[0].weight.dtype == np.float32
    with pytest.raises(DTypeError, match="a model computes with fractions"):
        net.to("int64")
    with pytest.raises(dd.errors.DeviceError):
        net.to("cuda")


def test_copies_are_independent():
    net = Net()
    net(dd.ones(1, 4)).sum().backward()
    net.step(nn.Adam, lr=0.1)
    twin = copy.deepcopy(net)
    assert twin.again is twin.first and twin.first is not net.first
    np.testing.assert_array_equal(twin(dd.ones(1, 4)).numpy(), net(dd.ones(1, 4)).numpy())
    before = net.scale.tolist()
    twin(dd.ones(1, 4)).sum().backward()
    twin.step(nn.Adam, lr=0.1)
    assert net.scale.tolist() == before != twin.scale.tolist()
    assert all(p.requires_grad for p in twin.parameters())
    other = pickle.loads(pickle.dumps(nn.Linear(2, 3)))  # the standard library's copying
    assert [*other.params] == ["weight", "bias"]


class TestStep:
    def test_follows_pytorch_with_adam_keeping_its_state(self):
        ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        theirs = torch.nn.Sequential(
            torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
        ).double()
        theirs.load_state_dict({n: torch.tensor(x.numpy()) for n, x in ours.state_dict().items()})
        optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01, weight_decay=0.1)
        x = np.random.randn(5, 3)
        for _ in range(5):
            (ours(x) ** 2).mean().backward()
            ours.step(lr=0.01, optimizer=nn.Adam, weight_decay=0.1)
            optimizer.zero_grad()
            (theirs(torch.tensor(x)) ** 2).mean().backward()
            optimizer.step()
        for name, value in theirs.state_dict().items():
            np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-10)
        assert all(p.grad is None for p in ours.parameters())

    def test_the_learning_rate_may_change(self):
        layer = nn.Linear(1, 1, bias=False)
        layer.weight.data[...] = 0
        for lr, want in ((1.0, -1.0), (0.5, -1.5)):
            layer(dd.ones(1, 1)).sum().backward()
            layer.step(lr=lr)
            assert layer.weight.item() == want

    def test_other_hyperparameters_and_an_optimizer_of_ones_own(self):
        class Plain:
            def __init__(self, params, lr):
                self.params, self.lr = params, lr

            def step(self):
                for p in self.params:
                    p.data -= self.lr * p.grad

        layer = nn.Linear(1, 1, bias=False)
        layer.weight.data[...] = 0
        for want in (-1.0, -2.5):  # the second step carries half of the first
            layer(dd.ones(1, 1)).sum().backward()
            layer.step(nn.SGD, 1.0, momentum=0.5)
            assert layer.weight.item() == want
        layer(dd.ones(1, 1)).sum().backward()
        layer.step(Plain, lr=1.0)
        assert layer.weight.item() == -3.5

    def test_new_parameters_are_seen(self):
        model = nn.Sequential(nn.Linear(1, 1))
        model(dd.ones(1, 1)).sum().backward()
        model.step(lr=0.1)
        model.append(nn.Linear(1, 1))
        before = model[1].weight.item()
        model(dd.ones(1, 1)).sum().backward()
        model.step(lr=0.1)
        assert model[1].weight.item() != before


class TestLoading:
    def test_a_report_and_nothing_half_loaded(self):
        net = Net()
        before = {name: x.numpy().copy() for name, x in net.state_dict().items()}
        state = {name: x + 1 for name, x in before.items()}
        state["frist.weight"] = state.pop("first.weight")
        state["scale"] = np.ones(3, "float32")
        state["seen"] = np.ones(1, "int64")
        with pytest.raises(CheckpointError) as caught:
            net.load_state_dict(state)
        text = str(caught.value)
        assert "nothing was loaded" in text and "1 missing:\n  'first.weight'" in text
        assert "'frist.weight'  (did you mean 'first.weight'?)" in text
        assert "'scale': shape (3,), the model has (2,)" in text
        assert "'seen': dtype int64, the model has float32" in text
        for name, value in before.items():
            np.testing.assert_array_equal(net.state_dict()[name].numpy(), value)
        report = net.load_state_dict(state, strict=False)
        assert report.missing_keys == ["first.weight"]
        assert report.unexpected_keys == ["frist.weight"]
        assert [*report.mismatched] == ["scale", "seen"] and not report.complete
        np.testing.assert_array_equal(net.blocks[0].bias.numpy(), before["blocks.0.bias"] + 1)
        assert "and 1 more" not in repr(report)

    def test_a_prefix_is_recognised(self):
        layer = nn.Linear(2, 1)
        state = {f"module.{name}": x for name, x in layer.state_dict().items()}
        with pytest.raises(CheckpointError, match=r"removeprefix\('module.'\)"):
            layer.load_state_dict(state)

    def test_long_lists_are_cut_and_lists_and_words_are_judged(self):
        model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(10)])
        with pytest.raises(CheckpointError, match=r"20 missing:(.|\n)*… and 10 more"):
            model.load_state_dict({})
        layer = nn.Linear(2, 1)
        layer.load_state_dict({"weight": [[1.0, 2.0]], "bias": [0.5]})
        assert layer([[1.0, 1.0]]).item() == 3.5
        with pytest.raises(CheckpointError, match="1 mismatched:\n  'bias'"):
            layer.load_state_dict({"weight": [[1.0, 2.0]], "bias": "word"})

    def test_dtype_is_the_models_unless_assigned(self):
        layer = nn.Linear(2, 1)
        state = {"weight": np.ones((1, 2)), "bias": np.zeros(1)}
        held = layer.weight
        layer.load_state_dict(state)
        assert layer.weight.dtype == np.float32
        layer.load_state_dict(state, assign=True)
        assert layer.weight is held and held.dtype == np.float64
        assert np.shares_memory(held.data, state["weight"])
        layer(np.ones((1, 2))).sum().backward()
        assert held.grad.dtype == np.float64

    def test_state_dict_shares_memory(self):
        layer = nn.Linear(2, 1)
        state = layer.state_dict()
        assert type(state["weight"]) is dd.Tensor and not state["weight"].requires_grad
        layer.weight.data[...] = 7
        assert state["weight"].tolist() == [[7.0, 7.0]]


def test_parameter():
    shared = dd.ones(2)
    p = nn.Parameter(shared)
    assert np.shares_memory(p.data, shared.data) and p.requires_grad and not shared.requires_grad
    assert repr(p) == repr(torch.nn.Parameter(torch.ones(2)))
    assert not nn.Parameter([1, 2], requires_grad=False).requires_grad
    with pytest.raises(DTypeError, match="only floating tensors have gradients"):
        nn.Parameter([1, 2])


def test_printed_tree_is_pytorchs():
    ours = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()]))
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),
        torch.nn.ModuleList([torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.Tanh()]),
    )
    assert repr(ours) == repr(theirs)

    class Extra(nn.Module):
        def __init__(self):
            self.inner = ours

        def extra_repr(self):
            return "size=3"

    class TorchExtra(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = theirs

        def extra_repr(self):
            return "size=3"

    assert repr(Extra()) == repr(TorchExtra()).replace("TorchExtra", "Extra")

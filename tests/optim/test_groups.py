"""What optimizers are made of: arguments, groups, state, and an own optimizer."""

import json

import numpy as np
import pytest

import deepdive as dd
from deepdive import errors, optim
from deepdive.io import safetensors


def leaf(*shape):
    return dd.tensor(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape), requires_grad=True)


class Model:
    """Anything with named_parameters()."""

    def __init__(self):
        self.w, self.b = leaf(3, 2), leaf(2)

    def named_parameters(self):
        yield "layer.weight", self.w
        yield "layer.bias", self.b


KINDS = {
    "list": lambda m: [m.w, m.b],
    "iterator": lambda m: iter([m.w, m.b]),
    "pairs": lambda m: m.named_parameters(),
    "module": lambda m: m,
    "mapping": lambda m: {"layer.weight": m.w, "layer.bias": m.b},
    "groups": lambda m: [{"params": [m.w]}, {"params": m.b, "lr": 0.5}],
    "groups of pairs": lambda m: [{"params": [("layer.weight", m.w)]}, {"params": {"b": m.b}}],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_argument_steps_the_same_parameters(kind):
    model = Model()
    optimizer = optim.SGD(KINDS[kind](model), lr=0.5)
    before = model.w.numpy().copy(), model.b.numpy().copy()
    model.w.grad, model.b.grad = np.ones((3, 2)), np.ones(2)
    optimizer.step()
    assert np.array_equal(model.w.numpy(), before[0] - 0.5)
    assert np.array_equal(model.b.numpy(), before[1] - 0.5)
    optimizer.zero_grad(set_to_none=False)
    assert model.w.grad.tolist() == [[0, 0]] * 3
    optimizer.zero_grad()
    assert model.w.grad is None and model.b.grad is None


ERRORS = [
    (lambda: optim.SGD([]), errors.ArgumentError, "SGD: no parameters to optimize"),
    (lambda: optim.SGD(iter(())), errors.ArgumentError, "no parameters to optimize"),
    (lambda: optim.SGD(leaf(2)), errors.ArgumentError, r"fix: SGD\(\[tensor\]\)"),
    (lambda: optim.SGD(3), errors.ArgumentError, "must be a collection of Tensors"),
    (lambda: optim.SGD("wb"), errors.ArgumentError, "must be a collection of Tensors"),
    (lambda: optim.SGD([leaf(2) * 2]), errors.ArgumentError, "only leaves can be optimized"),
    (lambda: optim.SGD([np.ones(2)]), errors.ArgumentError, "number 0 is not a Tensor"),
    (lambda: optim.SGD([("w", 1.0)]), errors.ArgumentError, "parameter w is not a Tensor"),
    (lambda: optim.SGD([dd.tensor([1, 2])]), errors.DTypeError, "holds integers"),
    (lambda: optim.SGD([leaf(2)] * 2), errors.ArgumentError, "a parameter is given twice"),
    (
        lambda: optim.SGD([("w", leaf(2)), ("w", leaf(2))]),
        errors.ArgumentError,
        "two parameters have the same name\n  got: 'w'",
    ),
    (lambda: optim.SGD([("w", leaf(2)), leaf(2)]), errors.ArgumentError, "have names or none"),
    (lambda: optim.SGD([{"lr": 1.0}]), errors.ArgumentError, "a dict with 'params'"),
    (
        lambda: optim.SGD([{"params": [leaf(2)], "weight_decy": 1.0}]),
        errors.ArgumentError,
        "no hyper-parameter 'weight_decy'(.|\n)*did you mean 'weight_decay'",
    ),
    (
        lambda: optim.SGD([{"params": [leaf(2)], "learning_rate": 1.0}]),
        errors.ArgumentError,
        "did you mean 'lr'",
    ),
    (lambda: optim.SGD([leaf(2)], lr=-1), errors.ArgumentError, "SGD: lr is out of range"),
    (lambda: optim.SGD([leaf(2)], lr=float("nan")), errors.ArgumentError, "lr is out of range"),
    (lambda: optim.SGD([leaf(2)], lr="fast"), errors.ArgumentError, "expected: a number >= 0"),
    (lambda: optim.SGD([leaf(2)], momentum=-0.1), errors.ArgumentError, "momentum is out"),
    (lambda: optim.SGD([leaf(2)], weight_decay=-1), errors.ArgumentError, "weight_decay is out"),
    (lambda: optim.SGD([leaf(2)], l1=-1), errors.ArgumentError, "l1 is out of range"),
    (lambda: optim.SGD([leaf(2)], nesterov=True), errors.ArgumentError, "nesterov needs momentum"),
    (lambda: optim.Adam([leaf(2)], eps=-1), errors.ArgumentError, "Adam: eps is out of range"),
    (
        lambda: optim.Adam([leaf(2)], betas=(0.9, 1.0)),
        errors.ArgumentError,
        r"betas is out of range(.|\n)*two numbers in \[0, 1\)",
    ),
    (lambda: optim.Adam([leaf(2)], betas=0.9), errors.ArgumentError, "betas is out of range"),
    (lambda: optim.RMSprop([leaf(2)], alpha=1.5), errors.ArgumentError, "alpha is out of range"),
    (lambda: optim.Optimizer([leaf(2)], {"lr": 1}), errors.OperatorError, "has none"),
]


@pytest.mark.parametrize(("make", "kind", "words"), ERRORS)
def test_words_of_errors(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_a_group_added_later():
    a, b = leaf(2), leaf(3)
    optimizer = optim.Adam([a])
    optimizer.add_param_group({"params": [b], "lr": 0.5, "name": "head"})
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 0.5]
    assert optimizer.param_groups[1]["name"] == "head"
    with pytest.raises(errors.ArgumentError, match="given twice"):
        optimizer.add_param_group({"params": [a]})
    with pytest.raises(errors.ArgumentError, match="have names or none"):
        optimizer.add_param_group({"params": [("c", leaf(1))]})
    assert len(optimizer.param_groups) == 2
    a.grad, b.grad = np.ones(2), np.ones(3)
    optimizer.step()
    assert [sorted(kept) for kept in optimizer.state] == [["m", "t", "v"]] * 2


def test_an_own_optimizer_is_its_formula():
    class Lion(optim.Optimizer):
        """Chen et al. 2023."""

        slots = ("m",)
        elementwise = True

        def update(self, xp, w, g, m, *, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
            step = xp.sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * w
            return w - lr * step, betas[1] * m + (1 - betas[1]) * g

    w = dd.tensor([1.0, -2.0], requires_grad=True)
    optimizer = Lion([w], lr=0.5, weight_decay=0.1)
    w.grad = [3.0, -4.0]
    optimizer.step()
    np.testing.assert_allclose(w.numpy(), [1 - 0.5 * 1.1, -2 + 0.5 * 1.2], rtol=1e-6)
    np.testing.assert_allclose(optimizer.state[0]["m"], [0.03, -0.04], rtol=1e-5)
    with pytest.raises(errors.ArgumentError, match="Lion: no hyper-parameter 'momentum'"):
        Lion([w], momentum=0.9)


def test_a_formula_on_top_of_another():
    class Slow(optim.SGD):
        def update(self, xp, w, g, velocity=None, *, t, lr):
            return (w - lr / t * g,)

    w = dd.tensor([4.0], requires_grad=True)
    optimizer = Slow([w], lr=1.0)
    for _ in range(2):
        w.grad = [1.0]
        optimizer.step()
    assert w.tolist() == [2.5]


def test_a_formula_that_lacks_a_value():
    class Bare(optim.Optimizer):
        def update(self, xp, w, g, *, lr):
            return (w - lr * g,)

    with pytest.raises(errors.ArgumentError, match=r"lr has no value(.|\n)*Bare\(params, lr=…\)"):
        Bare([leaf(2)])
    assert Bare([leaf(2)], lr=0.1).param_groups[0]["lr"] == 0.1


def test_repr_shows_the_options():
    text = repr(optim.SGD([{"params": [leaf(2)]}, {"params": leaf(3), "lr": 0.5}], lr=0.1))
    assert text.startswith("SGD(\n  1 parameters: weight_decay=0.0")
    assert "lr=0.1" in text.splitlines()[1] and "lr=0.5" in text.splitlines()[2]


def test_an_own_step_in_the_style_of_pytorch():
    class Plain(optim.Optimizer):
        def __init__(self, params, lr=0.5):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.data -= group["lr"] * p.grad

    w = dd.tensor([1.0, 2.0], requires_grad=True)
    optimizer = Plain([w])
    (w * w).sum().backward()
    optimizer.step()
    assert w.tolist() == [0.0, 0.0]


def test_a_formula_without_blocks_may_look_at_the_whole_array():
    class Normed(optim.Optimizer):
        def update(self, xp, w, g, *, lr=1.0):
            return (w - lr * g / xp.sqrt(xp.sum(g * g)),)

    w = dd.tensor(np.zeros(100_000, "float32"), requires_grad=True)
    w.grad = np.ones(100_000, "float32")
    Normed([w]).step()
    np.testing.assert_allclose(w.numpy(), -1 / np.sqrt(100_000), rtol=1e-4)


def test_a_closure_is_run_with_gradients_on():
    w = dd.tensor([2.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with dd.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.tolist() == [1.0]


def test_a_step_between_forward_and_backward_is_noticed():
    w = dd.tensor([2.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = [1.0]
    optim.SGD([w]).step()
    with pytest.raises(errors.GraphError, match="changed in place"):
        loss.backward()


# --- state ---------------------------------------------------------------------------------------
MAKERS = {
    "SGD": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
    "SGD without slots": lambda ps: optim.SGD(ps, lr=0.1),
    "Adam": lambda ps: optim.Adam(ps, amsgrad=True),
    "AdamW": lambda ps: optim.AdamW(ps),
    "Adagrad": lambda ps: optim.Adagrad(ps, initial_accumulator_value=0.1),
    "RMSprop": lambda ps: optim.RMSprop(ps, momentum=0.9, centered=True),
    "Adadelta": lambda ps: optim.Adadelta(ps),
    "Adamax": lambda ps: optim.Adamax(ps),
}


def advance(model, optimizer, seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        model.w.grad = rng.standard_normal((3, 2))
        model.b.grad = rng.standard_normal(2)
        optimizer.step()


def through_files(state, folder):
    """Written as safetensors and JSON, and read again."""
    arrays = {
        f"{slot}/{name}": kept.pop(slot)
        for name, kept in state["state"].items()
        for slot in [slot for slot in kept if slot != "t"]
    }
    safetensors.save(folder / "state.safetensors", arrays)
    plain = json.loads(json.dumps(state))
    for key, array in safetensors.load(folder / "state.safetensors").items():
        slot, name = key.split("/", 1)
        plain["state"][name][slot] = array
    return plain


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("kind", ["module", "list"])
def test_saved_loaded_and_continued_gives_the_same_bits(maker, kind, tmp_path):
    straight = Model()
    advance(straight, MAKERS[maker](KINDS[kind](straight)), range(8))
    first = Model()
    optimizer = MAKERS[maker](KINDS[kind](first))
    optimizer.param_groups[0]["lr"] = optimizer.defaults["lr"]
    advance(first, optimizer, range(4))
    state = through_files(optimizer.state_dict(), tmp_path)
    advance(first, optimizer, [9])  # what comes later is not in the state
    second = Model()
    advance(second, MAKERS[maker](KINDS[kind](second)), range(4))
    fresh = MAKERS[maker](KINDS[kind](second))
    fresh.load_state_dict(state)
    assert fresh.param_groups[0]["lr"] == optimizer.defaults["lr"]
    advance(second, fresh, range(4, 8))
    assert second.w.numpy().tobytes() == straight.w.numpy().tobytes()
    assert second.b.numpy().tobytes() == straight.b.numpy().tobytes()


def test_state_has_names_where_they_are_known_and_positions_elsewhere():
    model = Model()
    for kind, names in (("module", ["layer.weight", "layer.bias"]), ("groups", ["0", "1"])):
        optimizer = optim.Adam(KINDS[kind](model))
        advance(model, optimizer, [0])
        state = optimizer.state_dict()
        assert list(state["state"]) == names
        assert [name for group in state["param_groups"] for name in group["params"]] == names


def test_by_name_the_order_does_not_matter():
    model = Model()
    optimizer = optim.Adam(model)
    advance(model, optimizer, [0])
    turned = optim.Adam(list(model.named_parameters())[::-1])
    turned.load_state_dict(optimizer.state_dict())
    assert turned.state[1]["m"].tolist() == optimizer.state[0]["m"].tolist()
    assert turned.param_groups[0]["params"][0] is model.b


def test_names_that_look_like_positions_are_names():
    model = Model()
    optimizer = optim.Adam([("1", model.w), ("0", model.b)])
    advance(model, optimizer, [0])
    turned = optim.Adam([("0", model.b), ("1", model.w)])
    turned.load_state_dict(optimizer.state_dict())
    assert turned.state[1]["m"].shape == (3, 2)


def test_momentum_switched_on_just_before_saving():
    model = Model()
    optimizer = optim.SGD(model)
    advance(model, optimizer, [0])
    optimizer.param_groups[0]["momentum"] = 0.9
    fresh = optim.SGD(model)
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.state[0]["velocity"].tolist() == [[0, 0]] * 3


def test_notes_in_a_group_stay_with_their_owner():
    def made(note):
        return optim.SGD([{"params": [leaf(2)], "note": note}])

    state = made(print).state_dict()
    json.dumps(state)
    other = made("mine")
    other.load_state_dict(state)
    assert other.param_groups[0]["note"] == "mine"


def test_a_tensor_as_rate_is_saved_as_a_number():
    optimizer = optim.SGD([leaf(2)], lr=dd.tensor(0.5))
    assert json.loads(json.dumps(optimizer.state_dict()))["param_groups"][0]["lr"] == 0.5


def test_a_frozen_parameter_has_no_state_to_save():
    model = Model()
    optimizer = optim.Adam(model)
    model.b.grad = np.ones(2)
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state["state"]) == ["layer.bias"]
    optimizer.load_state_dict(state)
    assert [kept["t"] for kept in optimizer.state] == [0, 1]


def spoil_shape(state):
    state["state"]["layer.bias"]["m"] = np.ones(5)


def spoil_slot(state):
    del state["state"]["layer.bias"]["v"]


def spoil_foreign_slot(state):
    state["state"]["layer.bias"]["velocity"] = np.ones(2)


def spoil_count(state):
    state["state"]["layer.bias"]["t"] = -1


def spoil_name(state):
    state["param_groups"][0]["params"][0] = "layer.wait"


def spoil_number(state):
    state["param_groups"][0]["params"].pop()


def spoil_group(state):
    state["param_groups"].append({"params": []})


def spoil_option(state):
    state["param_groups"][0]["momentum"] = 0.9


def spoil_missing(state):
    del state["param_groups"][0]["lr"]


def spoil_value(state):
    state["param_groups"][0]["lr"] = -1.0


def spoil_all(state):
    state.clear()


def spoil_type(state):
    state["param_groups"][0] = 3


def spoil_twice(state):
    state["param_groups"][0]["params"] = ["0", "0"]


def spoil_extra(state):
    state["state"]["other"] = {"t": 1}


MISFITS = [
    (spoil_type, "this is not an optimizer's state"),
    (spoil_twice, "group 0: 1 parameters for 2"),
    (spoil_extra, "other: in no group"),
    (spoil_shape, r"layer.bias: m has shape \(5,\), the parameter \(2,\)"),
    (spoil_slot, "layer.bias: no 'v'"),
    (spoil_foreign_slot, "layer.bias: 'velocity' is nothing this optimizer keeps"),
    (spoil_count, "layer.bias: no step count 't'"),
    (spoil_name, "layer.weight: not in the state\n    layer.wait: not in the optimizer"),
    (spoil_number, "group 0: 1 parameters for 2"),
    (spoil_group, "2 parameter groups for 1"),
    (spoil_option, "group 0: no hyper-parameter 'momentum' here"),
    (spoil_missing, "group 0: 'lr' is missing"),
    (spoil_value, "lr is out of range"),
    (spoil_all, "this is not an optimizer's state"),
]


@pytest.mark.parametrize(("spoil", "words"), MISFITS)
def test_a_state_that_does_not_fit_is_refused_and_nothing_changes(spoil, words):
    model = Model()
    optimizer = optim.Adam(model)
    advance(model, optimizer, [0, 1])
    state = optimizer.state_dict()
    spoil(state)
    before = [(kept["t"], kept["m"].tobytes()) for kept in optimizer.state]
    with pytest.raises(errors.CheckpointError, match=words):
        optimizer.load_state_dict(state)
    assert [(kept["t"], kept["m"].tobytes()) for kept in optimizer.state] == before
    assert optimizer.param_groups[0]["lr"] == 1e-3

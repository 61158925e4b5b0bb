"""Sequential, ModuleList and ModuleDict against PyTorch's."""

from collections import OrderedDict

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError


def make(module):
    """The same small model in either library."""
    return module.Sequential(
        OrderedDict(
            fc1=module.Linear(4, 3),
            act=module.ReLU(),
            tail=module.Sequential(module.Linear(3, 3), module.Linear(3, 2)),
        )
    )


def test_named_children_states_and_text():
    ours, theirs = make(nn), make(torch.nn)
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.randn(2, 4).astype("float32")
    want = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).numpy(), want, rtol=1e-5, atol=1e-6)
    assert ours.forward(dd.tensor(x)).shape == (2, 2)


def test_positions():
    a, b, c, d = (nn.Identity() for _ in range(4))
    model = nn.Sequential(a, b, c)
    assert len(model) == 3 and model[0] is a and model[-1] is c and [*model] == [a, b, c]
    assert b in model and d not in model
    part = model[1:]
    assert isinstance(part, nn.Sequential) and [*part] == [b, c]
    assert [name for name, _ in part.named_children()] == ["0", "1"]
    model[1] = d
    assert [*model.append(b)] == [a, d, c, b]
    del model[0]
    assert [name for name, _ in model.named_children()] == ["0", "1", "2"] and model[0] is d
    assert [*model.insert(1, a)] == [d, a, c, b]
    del model[1:3]
    assert [*model.extend([a, c])] == [d, b, a, c]
    with pytest.raises(IndexError, match="Sequential has 4 modules, there is no \\[4\\]"):
        model[4]


def test_one_layer_twice_runs_twice_and_counts_once():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    x = dd.randn(1, 2)
    assert len([*model.parameters()]) == 2 and len(model) == 3
    np.testing.assert_array_equal(model(x).numpy(), layer(layer(x).relu()).numpy())


def test_what_is_refused():
    with pytest.raises(
        ArgumentError, match=r"only modules can be put in(.|\n)*make it first: ReLU"
    ):
        nn.Sequential(nn.ReLU)
    with pytest.raises(ArgumentError, match="ModuleList: only modules"):
        nn.ModuleList([3])
    with pytest.raises(ArgumentError, match="not a name"):
        nn.ModuleDict({"a.b": nn.ReLU()})


def test_module_list():
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    theirs = torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(3)])
    assert [*layers.state_dict()] == [*theirs.state_dict()] and repr(layers) == repr(theirs)
    layers.append(nn.ReLU())
    assert isinstance(layers[1:3], nn.ModuleList) and len(layers[1:3]) == 2
    assert repr(nn.ModuleList()) == repr(torch.nn.ModuleList())


def test_module_dict():
    ours = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    theirs = torch.nn.ModuleDict({"a": torch.nn.Linear(1, 1), "b": torch.nn.ReLU()})
    assert repr(ours) == repr(theirs) and [*ours.state_dict()] == [*theirs.state_dict()]
    ours["c"] = nn.Tanh()
    assert [*ours] == ours.keys() == ["a", "b", "c"] and len(ours) == 3 and "c" in ours
    assert ours.values()[2] is ours["c"] and ours.items()[0][0] == "a"
    del ours["c"]
    for missing in (lambda: ours["c"], lambda: ours.__delitem__("c"), lambda: ours["training"]):
        with pytest.raises(KeyError):
            missing()

"""``nn.functional`` has PyTorch's names, and its functions are the library's own."""

import inspect

import torch.nn.functional as F

import deepdive as dd
from deepdive.nn import functional


def public():
    return {n: f for n, f in vars(functional).items() if callable(f) and not n.startswith("_")}


def test_every_name_is_one_of_pytorchs():
    ours = set(public()) - {"softmax_loss", "Tensor", "Any"}  # softmax_loss is system D's
    assert len(ours) > 40
    assert {name for name in ours if not hasattr(F, name)} == set()


def test_they_are_the_operators():
    for name, function in public().items():
        if name in dd.REGISTRY:
            assert function is dd.REGISTRY[name], name


def test_parameters_come_in_pytorchs_order():
    gone = {"size_average", "reduce", "return_indices", "inplace", "_stacklevel", "dtype"}
    for name, function in public().items():
        if (
            not inspect.isfunction(function)
            or name not in dd.REGISTRY
            or hasattr(function, "operator")
        ):
            continue
        try:
            theirs = list(inspect.signature(getattr(F, name)).parameters)
        except (TypeError, ValueError, AttributeError):
            continue
        ours = list(inspect.signature(function).parameters)
        shared = [p for p in theirs if p in ours and p not in gone]
        assert [p for p in ours if p in shared] == shared, name

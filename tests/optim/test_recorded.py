"""Compiled steps follow eager ones, for every optimizer and option, while a schedule acts."""

import pytest

import deepdive as dd
from deepdive import nn, optim

CASES = {
    "sgd": (optim.SGD, {"lr": 0.1}),
    "integer lr": (optim.SGD, {"lr": 1}),
    "momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.1}),
    "nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "decay": (optim.SGD, {"lr": 0.1, "weight_decay": 0.01, "l1": 0.001}),
    "maximize": (optim.SGD, {"lr": 0.01, "maximize": True}),
    "adam": (optim.Adam, {"lr": 0.1, "weight_decay": 0.01}),
    "amsgrad": (optim.Adam, {"lr": 0.1, "amsgrad": True}),
    "adamw": (optim.AdamW, {"lr": 0.1}),
    "adagrad": (optim.Adagrad, {"lr": 0.1}),
    "nadam": (optim.NAdam, {"lr": 0.1, "weight_decay": 0.01}),
    "nadam decoupled": (optim.NAdam, {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    "radam": (optim.RAdam, {"lr": 0.1, "betas": (0.5, 0.7)}),
    "asgd": (optim.ASGD, {"lr": 0.1, "t0": 2}),
    "rprop": (optim.Rprop, {}),
    "lion": (optim.Lion, {"lr": 0.01, "weight_decay": 0.1}),
    "adamax": (optim.Adamax, {"lr": 0.1}),
    "adadelta": (optim.Adadelta, {}),
    "rmsprop": (optim.RMSprop, {"lr": 0.1, "momentum": 0.5, "centered": True}),
}


def losses(kind, options, compiled):
    """Six steps on one batch; the learning rate falls after every second."""
    dd.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = kind(model.parameters(), **options)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    program = dd.compile(step, dialect="numpy") if compiled else step
    found = []
    for x in dd.randn(6, 8, 4):
        found.append(program(x).item())
        schedule.step()
    return found


@pytest.mark.parametrize("case", CASES)
def test_compiled_steps_follow_eager_ones(case):
    kind, options = CASES[case]
    expected = losses(kind, options, compiled=False)
    assert losses(kind, options, compiled=True) == pytest.approx(expected, rel=1e-4)
    assert len(set(expected)) == 6


def test_muon_compiled():
    """Its number of steps is a part of the program; its rate is not."""

    def weights(compiled):
        dd.manual_seed(0)
        w = dd.randn(4, 3, requires_grad=True)
        optimizer = optim.Muon([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            (x @ w).square().mean().backward()
            optimizer.step()

        program = dd.compile(step, dialect="numpy") if compiled else step
        for i, x in enumerate(dd.randn(6, 8, 4)):
            optimizer.param_groups[0]["ns_steps"] = 5 if i < 3 else 2
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
            program(x)
        return w.numpy()

    assert weights(True) == pytest.approx(weights(False), rel=1e-4)

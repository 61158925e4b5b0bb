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

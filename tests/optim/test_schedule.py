"""Every schedule against PyTorch's, fifty steps; and resumed in the middle."""

import json

import numpy as np
import pytest
import torch

from deepdive import errors, optim, tensor
from deepdive.optim import lr_scheduler as ours
from deepdive.optim.schedule import LRScheduler

theirs = torch.optim.lr_scheduler


def halved(step):
    return 1 / (1 + 0.5 * step)


TABLE = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("StepLR", {"step_size": 1}),
    ("MultiStepLR", {"milestones": [30, 3, 11, 11], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 17}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.2, "total_iters": 9}),
    ("LambdaLR", {"lr_lambda": halved}),
    ("LambdaLR", {"lr_lambda": [halved, lambda step: 0.9**step]}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 30, "power": 2.5}),
    ("MultiplicativeLR", {"lr_lambda": halved}),
    ("MultiplicativeLR", {"lr_lambda": [halved, lambda step: 0.95]}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60}),
    (
        "OneCycleLR",
        {
            "max_lr": [0.5, 1],
            "epochs": 6,
            "steps_per_epoch": 10,
            "pct_start": 0.4,
            "anneal_strategy": "linear",
            "three_phase": True,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60, "cycle_momentum": False, "div_factor": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 7}),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": [0.2, 0.3],
            "step_size_up": 4,
            "step_size_down": 6,
            "mode": "triangular2",
        },
    ),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 7, "mode": "exp_range", "gamma": 0.95},
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 7,
            "scale_fn": halved,
            "scale_mode": "iterations",
            "cycle_momentum": False,
        },
    ),
]


def pair():
    """An optimizer of two groups, ours and theirs."""
    p, q = tensor([1.0], requires_grad=True), tensor([2.0], requires_grad=True)
    a, b = (torch.ones(1, requires_grad=True) for _ in range(2))
    return (
        optim.SGD([{"params": [p]}, {"params": [q], "lr": 0.4}], lr=0.1, momentum=0.5),
        torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.4}], lr=0.1, momentum=0.5),
    )


def run(schedule, steps):
    """The rates – and then the momenta – in force at each step, as the optimizer sees them."""
    rates = []
    for _ in range(steps):
        groups = schedule.optimizer.param_groups
        rates.append([group["lr"] for group in groups])
        assert schedule.get_last_lr() == rates[-1]
        if schedule.__class__.__name__ in ("OneCycleLR", "CyclicLR"):
            rates[-1] += [group["momentum"] for group in groups]
        schedule.optimizer.step()
        schedule.step()
    return np.array(rates)


@pytest.mark.parametrize(("name", "options"), TABLE)
def test_fifty_steps_as_in_pytorch(name, options):
    mine, other = pair()
    got = run(getattr(ours, name)(mine, **options), 50)
    want = run(getattr(theirs, name)(other, **options), 50)
    # PyTorch's cosine is a recurrence, which gathers roundings
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


def test_one_after_the_other_as_in_pytorch():
    mine, other = pair()

    def sequence(module, optimizer):
        parts = [
            module.LinearLR(optimizer, 0.1, 1.0, 5),
            module.CosineAnnealingLR(optimizer, 20),
            module.ExponentialLR(optimizer, 0.9),
        ]
        return module.SequentialLR(optimizer, parts, milestones=[5, 20])

    # PyTorch's optimizers count as not yet stepped while the parts are made
    got, want = run(sequence(ours, mine), 50), run(sequence(theirs, other), 50)
    # from a milestone on PyTorch multiplies what was, with the same result
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("name", "options"), [*TABLE, ("WarmupCosine", {"a": 4, "b": 30})])
@pytest.mark.parametrize("by", ["state_dict", "last_epoch"])
def test_resumed_at_any_step_the_rates_are_the_same_bits(name, options, by):
    positional = tuple(options.values()) if name == "WarmupCosine" else ()
    options = {} if positional else options
    whole = run(getattr(ours, name)(pair()[0], *positional, **options), 40)
    first = getattr(ours, name)(pair()[0], *positional, **options)
    run(first, 13)
    if by == "state_dict":
        second = getattr(ours, name)(pair()[0], *positional, **options)
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    else:
        second = getattr(ours, name)(pair()[0], *positional, **options, last_epoch=12)
    assert np.array_equal(run(second, 27), whole[13:])


def test_resumed_with_its_optimizer_the_first_rate_is_still_known():
    mine, _ = pair()
    run(ours.StepLR(mine, 2), 5)
    fresh, _ = pair()
    fresh.load_state_dict(mine.state_dict())
    again = ours.StepLR(fresh, 2, last_epoch=4)
    np.testing.assert_allclose(again.get_last_lr(), [0.1 * 0.1**2, 0.4 * 0.1**2])


def test_warmup_and_cosine():
    mine, _ = pair()
    rates = run(ours.WarmupCosine(mine, warmup_steps=4, total_steps=12, min_lr=0.01), 20)[:, 0]
    np.testing.assert_allclose(rates[:5], [0.02, 0.04, 0.06, 0.08, 0.1])
    np.testing.assert_allclose(rates[8], (0.1 + 0.01) / 2)  # half way down
    np.testing.assert_allclose(rates[12:], 0.01)
    assert (np.diff(rates[4:13]) < 0).all()


def test_an_own_schedule_is_its_formula():
    class Root(LRScheduler):
        def lr(self, step, base):
            return base / (1 + step) ** 0.5

    np.testing.assert_allclose(run(Root(pair()[0]), 4)[:, 1], 0.4 / np.sqrt([1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda o: ours.StepLR(o, 0), "StepLR: step_size is too small"),
        (lambda o: ours.CosineAnnealingLR(o, 0), "T_max is too small"),
        (lambda o: ours.LinearLR(o, total_iters=0), "total_iters is too small"),
        (lambda o: ours.WarmupCosine(o, 10, 10), "total_steps is too small"),
        (lambda o: ours.WarmupCosine(o, -1, 10), "warmup_steps is too small"),
        (lambda o: ours.LambdaLR(o, [halved]), "one function, or one per parameter group"),
        (lambda o: ours.StepLR([o], 3), "the first argument is the optimizer"),
        (lambda o: ours.SequentialLR(o, [ours.StepLR(o, 3)], [4]), "one rising milestone"),
        (
            lambda o: ours.SequentialLR(o, [ours.StepLR(pair()[0], 3)], []),
            "must have the same optimizer",
        ),
    ],
)
def test_words_of_errors(make, words):
    with pytest.raises(errors.ArgumentError, match=words):
        make(pair()[0])


@pytest.mark.parametrize("state", [{}, {"last_epoch": -3, "base_lrs": [1, 2]}, {"last_epoch": 1}])
def test_a_state_that_does_not_fit_is_refused(state):
    schedule = ours.StepLR(pair()[0], 3)
    with pytest.raises(errors.CheckpointError, match="'last_epoch' >= 0 and 2 'base_lrs'"):
        schedule.load_state_dict(state)


def test_chained_as_in_pytorch():
    mine, other = pair()

    def chained(module, optimizer):
        parts = [module.ConstantLR(optimizer, 0.1, 4), module.ExponentialLR(optimizer, 0.9)]
        return module.ChainedScheduler(parts, optimizer)

    np.testing.assert_allclose(run(chained(ours, mine), 30), run(chained(theirs, other), 30))
    with pytest.raises(errors.ArgumentError, match="at least one"):
        ours.ChainedScheduler([])


def test_restarts_at_fractions_of_epochs_as_in_pytorch():
    mine, other = pair()
    got = ours.CosineAnnealingWarmRestarts(mine, 3, 2)
    want = theirs.CosineAnnealingWarmRestarts(other, 3, 2)
    for epoch in (0, 0.25, 2.9, 3.1, 8.5, 9.0, 20.7):
        got.step(epoch)
        want.step(epoch)
        np.testing.assert_allclose(got.get_last_lr(), want.get_last_lr())


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"mode": "max", "factor": 0.5, "patience": 0, "cooldown": 2, "min_lr": [0.05, 0.01]},
        {"threshold": 0.1, "threshold_mode": "abs", "patience": 1},
    ],
)
def test_plateaus_as_in_pytorch(options):
    mine, other = pair()
    got, want = ours.ReduceLROnPlateau(mine, **options), theirs.ReduceLROnPlateau(other, **options)
    numbers = np.random.default_rng(0).standard_normal(40).cumsum() * 0.1 - np.arange(40) * 0.01
    for i, number in enumerate(numbers):
        if i == 20:
            state = json.loads(json.dumps(got.state_dict()))
            got = ours.ReduceLROnPlateau(mine, **options)
            got.load_state_dict(state)
        got.step(number)
        want.step(number)
        assert got.get_last_lr() == pytest.approx(want.get_last_lr())
    assert got.get_last_lr()[0] < 0.1


def test_a_cycle_has_an_end_and_needs_momentum():
    schedule = ours.OneCycleLR(pair()[0], 0.5, total_steps=3)
    schedule.step()
    schedule.step()
    with pytest.raises(errors.ArgumentError, match="step 4 of 3"):
        schedule.step()
    plain = optim.Adagrad([tensor([1.0], requires_grad=True)])
    with pytest.raises(errors.ArgumentError, match="no momentum to cycle"):
        ours.CyclicLR(plain, 0.1, 0.2)
    adam = optim.Adam([tensor([1.0], requires_grad=True)])
    ours.OneCycleLR(adam, 0.5, total_steps=10)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)

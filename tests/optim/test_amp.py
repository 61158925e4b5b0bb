"""autocast and GradScaler beside PyTorch's, on the CPU and on the stand-in."""

import threading

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.amp import GradScaler, autocast
from deepdive.core import operator
from deepdive.errors import (
    ArgumentError,
    CheckpointError,
    DeviceError,
    DTypeError,
    GraphError,
)
from deepdive.nn import functional as F
from deepdive.testing import standin

DEVICES = ["cpu", standin.DEVICE]
HALVES = ["float16", "bfloat16"]


def twin_models():
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 6 * 6, 16),
        torch.nn.LayerNorm(16),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 5),
    )
    ours = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 6 * 6, 16),
        nn.LayerNorm(16),
        nn.ReLU(),
        nn.Linear(16, 5),
    )
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("device", DEVICES)
def test_a_model_as_in_pytorch(device, half):
    ours, theirs = twin_models()
    ours.to(device)
    numbers = np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype("float32")
    labels = [0, 4, 2]
    with torch.autocast("cpu", dtype=getattr(torch, half)):
        out = theirs(torch.tensor(numbers))
        loss = torch.nn.functional.cross_entropy(out, torch.tensor(labels))
    with autocast(device, half):
        found = ours(dd.tensor(numbers, device=device))
        our_loss = F.cross_entropy(found, dd.tensor(labels, device=device))
    assert found.dtype == half
    assert our_loss.dtype == "float32"
    coarse = 8 if half == "bfloat16" else 1  # it has three bits less
    expected = out.detach().float().numpy()
    np.testing.assert_allclose(
        found.float().numpy(), expected, rtol=2e-2 * coarse, atol=5e-3 * coarse
    )
    np.testing.assert_allclose(our_loss.item(), loss.item(), rtol=1e-2)
    loss.backward()
    our_loss.backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.grad.dtype == "float32"
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=5e-2, atol=1e-2 * coarse)


HALF, SINGLE = "float16", "float32"


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("call", "given", "wanted"),
    [
        (lambda x: x @ x, SINGLE, HALF),
        (lambda x: F.linear(x, x), SINGLE, HALF),
        (lambda x: x.exp(), HALF, SINGLE),
        (lambda x: x.softmax(-1), HALF, SINGLE),
        (lambda x: x.sum(), HALF, SINGLE),
        (lambda x: F.layer_norm(x, (2,)), HALF, SINGLE),
        (lambda x: F.mse_loss(x, x), HALF, SINGLE),
        (lambda x: x**2, HALF, SINGLE),
        (lambda x: x.relu(), HALF, HALF),
        (lambda x: x + x, HALF, HALF),
        (lambda x: x * x.float(), HALF, SINGLE),
        (lambda x: dd.cat([x, x.float()]), HALF, SINGLE),
        (lambda x: x.reshape(4), HALF, HALF),
        (lambda x: x @ x, "float64", "float64"),
        (lambda x: x.exp(), "float64", "float64"),
    ],
)
def test_what_runs_in_which_precision(call, given, wanted, device, half):
    given, wanted = (half if each == HALF else each for each in (given, wanted))
    x = dd.tensor([[0.5, 1.0], [2.0, 0.25]], dtype=given, device=device)
    with autocast(device, half):
        assert call(x).dtype == wanted


def test_the_half_of_a_device_is_pytorchs():
    for device in ("cpu", "cuda"):
        assert autocast(device).dtype.name == str(torch.get_autocast_dtype(device))[6:]
    assert autocast(standin.DEVICE).dtype == "float16"  # it plays a GPU
    assert autocast("cpu", torch.bfloat16).dtype == dd.bfloat16


def test_blocks_nest_and_end():
    x = dd.ones(2, 2)
    plain = operator.apply
    with autocast("cpu", HALF):
        assert operator.apply is not plain
        assert (x @ x).dtype == HALF
        with autocast("cpu", enabled=False):
            assert (x @ x).dtype == SINGLE
            assert not dd.is_autocast_enabled("cpu")
        assert dd.is_autocast_enabled("cpu")
        with pytest.raises(ZeroDivisionError), autocast("cpu"):
            _ = 1 / 0
        assert (x @ x).dtype == HALF
    assert (x @ x).dtype == SINGLE
    assert operator.apply is plain  # nothing is left on the eager path


def test_only_tensors_of_the_device_are_meant():
    x, y = dd.ones(2, 2), dd.ones(2, 2, device=standin.DEVICE)
    with autocast(standin.DEVICE):
        assert ((x @ x).dtype, (y @ y).dtype) == (SINGLE, HALF)
    with autocast("cuda"):
        assert ((x @ x).dtype, (y @ y).dtype) == (SINGLE, SINGLE)


def test_other_threads_do_not_see_it():
    seen = []
    with autocast("cpu", HALF):
        thread = threading.Thread(target=lambda: seen.append((dd.ones(2, 2) @ dd.ones(2, 2)).dtype))
        thread.start()
        thread.join()
    assert seen == [SINGLE]


def test_as_a_decorator():
    @autocast("cpu", HALF)
    def product(x):
        """Square."""
        return x @ x

    assert product(dd.ones(2, 2)).dtype == HALF
    assert product.__doc__ == "Square."


def test_gradients_of_gradients():
    x = dd.tensor([[0.5, 1.0], [2.0, 0.25]], requires_grad=True)
    with autocast("cpu", HALF):
        y = (x @ x).float().square().sum()
    (first,) = dd.grad(y, x, create_graph=True)
    (second,) = dd.grad(first.sum(), x)
    assert (first.dtype, second.dtype) == (SINGLE, SINGLE)
    z = ((x @ x) ** 2).sum()
    (plain,) = dd.grad(z, x)
    np.testing.assert_allclose(first.detach().numpy(), plain.numpy(), rtol=1e-2)


def test_what_is_no_half_precision():
    with pytest.raises(DTypeError, match="float64"):
        autocast("cpu", dd.float64)
    with pytest.raises(DTypeError, match="native"):
        autocast("native", "float16")
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        autocast("gpu")


# --- GradScaler --------------------------------------------------------------------------------
OPTIONS = {"init_scale": 16.0, "growth_interval": 2, "growth_factor": 4.0, "backoff_factor": 0.25}


@pytest.mark.parametrize("device", DEVICES)
def test_steps_as_in_pytorch(device):
    """Good gradients, infinite ones, NaN: the same weights, scales and states step by step."""
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    v = dd.tensor([1.0, -2.0], device=device, requires_grad=True)
    theirs = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    ours = dd.optim.SGD([v], lr=0.1, momentum=0.9)
    their_scaler = torch.amp.GradScaler("cpu", **OPTIONS)
    scaler = GradScaler(**OPTIONS)
    for factor in (1.0, 0.5, float("inf"), 2.0, float("nan"), 1.0, 1.0, 1.0):
        their_scaler.scale((w * w * factor).sum()).backward()
        scaler.scale((v * v * factor).sum()).backward()
        if factor == 0.5:
            their_scaler.unscale_(theirs)
            scaler.unscale_(ours)
            np.testing.assert_allclose(v.grad.numpy(), w.grad.numpy())
        their_scaler.step(theirs)
        scaler.step(ours)
        their_scaler.update()
        scaler.update()
        theirs.zero_grad()
        ours.zero_grad()
        assert scaler.state_dict() == their_scaler.state_dict()
        np.testing.assert_allclose(v.numpy(), w.detach().numpy(), rtol=1e-6)


def test_a_state_goes_on():
    scaler = GradScaler(**OPTIONS)
    scaler.load_state_dict(torch.amp.GradScaler("cpu", init_scale=64.0).state_dict())
    assert (scaler.get_scale(), scaler.get_growth_interval()) == (64.0, 2000)
    for wrong in ({}, {"scale": 1.0}, None, {**scaler.state_dict(), "scale": float("inf")}):
        with pytest.raises(CheckpointError, match="not a scaler's state"):
            scaler.load_state_dict(wrong)
    assert scaler.get_scale() == 64.0


def test_several_losses_and_optimizers():
    a = dd.tensor([1.0], requires_grad=True)
    b = dd.tensor([1.0], requires_grad=True)
    first, second = dd.optim.SGD([a], lr=1.0), dd.optim.SGD([b], lr=1.0)
    scaler = GradScaler(init_scale=2.0)
    losses = scaler.scale([(a * 2).sum(), (b * float("inf")).sum()])
    for loss in losses:
        loss.backward()
    scaler.step(first)
    scaler.step(second)
    scaler.update()
    assert (a.item(), b.item(), scaler.get_scale()) == (-1.0, 1.0, 1.0)


def test_gradients_are_clipped_after_unscaling():
    w = dd.tensor([3.0, 4.0], requires_grad=True)
    optimizer, scaler = dd.optim.SGD([w], lr=1.0), GradScaler(init_scale=1024.0)
    scaler.scale((w * w / 2).sum()).backward()
    scaler.unscale_(optimizer)
    norm = dd.optim.clip_grad_norm_([w], 1.0)
    assert norm.item() == 5.0
    scaler.step(optimizer)
    np.testing.assert_allclose(w.numpy(), [2.4, 3.2], rtol=1e-5)


def test_one_number_a_step_is_waited_for(monkeypatch):
    w = dd.ones(3, device=standin.DEVICE, requires_grad=True)
    optimizer, scaler = dd.optim.Adam([w]), GradScaler()
    host = standin.speaker.host
    scaler.scale((w * w).sum()).backward()
    before = host.copies
    scaler.unscale_(optimizer)
    assert host.copies == before
    scaler.step(optimizer)
    assert host.copies == before + 1


def test_calls_in_the_wrong_order():
    w = dd.ones(2, requires_grad=True)
    optimizer, scaler = dd.optim.SGD([w], lr=0.1), GradScaler()
    with pytest.raises(GraphError, match="no step"):
        scaler.update()
    with pytest.raises(GraphError, match="no parameter"):
        scaler.step(optimizer)
    scaler = GradScaler()
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    with pytest.raises(GraphError, match="called already"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(GraphError, match="called already"):
        scaler.step(optimizer)
    with pytest.raises(GraphError, match="after step"):
        scaler.unscale_(optimizer)
    scaler.update()
    with pytest.raises(ArgumentError, match="closure"):
        scaler.step(optimizer, lambda: None)
    half = dd.ones(2, dtype="float16", requires_grad=True)
    GradScaler(init_scale=4.0).scale(half.sum()).backward()
    with pytest.raises(DTypeError, match="float16"):
        scaler.unscale_(dd.optim.SGD([half], lr=0.1))


def test_not_enabled_does_nothing():
    w = dd.ones(2, requires_grad=True)
    optimizer, scaler = dd.optim.SGD([w], lr=1.0), GradScaler(enabled=False)
    loss = w.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.0, 0.0]
    assert (scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (1.0, {}, False)
    scaler.load_state_dict({})


def test_factors_grow_and_shrink():
    for wrong in ({"growth_factor": 1.0}, {"backoff_factor": 1.0}, {"backoff_factor": 0.0}):
        with pytest.raises(ArgumentError, match="factor"):
            GradScaler(**wrong)
    scaler = GradScaler()
    scaler.set_growth_factor(3.0)
    scaler.set_backoff_factor(0.1)
    scaler.set_growth_interval(7)
    found = scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()
    assert found == (3.0, 0.1, 7)


@pytest.mark.parametrize("device", DEVICES)
def test_a_network_learns_in_mixed_precision(device):
    dd.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).to(device)
    optimizer, scaler = dd.optim.Adam(model.parameters(), 1e-2), GradScaler(init_scale=2.0**14)
    loader = dd.datautils.DataLoader(dd.datautils.Digits(), 128, shuffle=True, device=device)
    losses = []
    for _ in range(2):
        for x, y in loader:
            with autocast(device, HALF):
                loss = F.cross_entropy(model(x.reshape(len(x), 64).float() / 16), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.35 * losses[0]

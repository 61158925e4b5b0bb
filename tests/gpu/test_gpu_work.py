"""On a real GPU: layers, optimizers, loaders, mixed precision, trainings as on the CPU."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.backend.speakers import of_device
from deepdive.errors import OutOfMemoryError
from deepdive.nn import functional as F
from tests.nn.test_layers import LAYERS
from tests.optim.test_optimizers import TABLE


def close(ours, theirs, tolerance):
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), tolerance, tolerance)


@pytest.fixture
def no_copies(monkeypatch):
    return lambda mode="error": monkeypatch.setattr(of_device("cuda").host, "mode", mode)


@pytest.mark.parametrize(("text", "shape"), LAYERS, ids=[text for text, _ in LAYERS])
def test_layers(text, shape):
    dd.manual_seed(0)
    here = eval(f"nn.{text}", {"nn": nn})
    dd.manual_seed(0)
    there = eval(f"nn.{text}", {"nn": nn}).cuda()
    numbers = np.random.default_rng(1).standard_normal(shape).astype("float32")
    x = dd.tensor(numbers, requires_grad=True)
    y = dd.tensor(numbers, device="cuda", requires_grad=True)
    dd.manual_seed(3)
    out = here(x)
    out.square().sum().backward()
    dd.manual_seed(3)
    found = there(y)
    found.square().sum().backward()
    close(found.detach(), out.detach(), 1e-3)
    if x.grad is not None:
        close(y.grad, x.grad, 1e-3)
    for p, q in zip(here.parameters(), there.parameters(), strict=True):
        if p.grad is not None:
            close(q.grad, p.grad, 2e-3)


@pytest.mark.parametrize(("name", "options"), TABLE)
def test_optimizers(name, options, no_copies):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype("float32") for shape in [(7, 5), (), (400, 500)]]
    here = [dd.tensor(a, requires_grad=True) for a in arrays]
    there = [dd.tensor(a, device="cuda", requires_grad=True) for a in arrays]
    pair = [getattr(optim, name)(params, **options) for params in (here, there)]
    for _ in range(3):
        for p, q in zip(here, there, strict=True):
            p.grad = rng.standard_normal(tuple(p.shape)).astype("float32")
            q.grad = p.grad.to("cuda")
        pair[0].step()
        no_copies("error")
        pair[1].step()
        no_copies("default")
    for p, q in zip(here, there, strict=True):
        close(q.detach(), p.detach(), 1e-4)


def test_dropout_is_that_of_the_cpu():
    dd.manual_seed(5)
    here = F.dropout(dd.ones(1000), 0.3)
    dd.manual_seed(5)
    assert (F.dropout(dd.ones(1000, device="cuda"), 0.3).numpy() == here.numpy()).all()


def test_a_pictures_net_learns_without_waiting(no_copies):
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8)),
        nn.Conv2d(1, 16, 3),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 9, 10),
    ).cuda()
    optimizer = optim.Adam(model.parameters(), 1e-2)
    digits = dd.datautils.Digits(train=True)
    loader = dd.datautils.DataLoader(digits, 64, shuffle=True, device="cuda", num_workers=2)
    for _ in range(6):
        for x, y in loader:
            no_copies("error")
            loss = F.cross_entropy(model(x.float() / 16), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            no_copies("default")
    model.eval()
    right = total = 0
    for x, y in dd.datautils.DataLoader(dd.datautils.Digits(train=False), 256, device="cuda"):
        right += int((model(x.float() / 16).argmax(1) == y).sum())
        total += len(y)
    assert right / total > 0.9


def test_a_loader_keeps_its_promises_under_pressure():
    """Batches that are computed with late are still those that were sent."""
    data = np.arange(64 * 50_000, dtype=np.float32).reshape(64, 50_000)
    sums, wanted = [], data.reshape(-1, 4 * 50_000).sum(1, dtype=np.float64)
    busy = dd.randn(1500, 1500, device="cuda")
    for x in dd.datautils.DataLoader(data, 4, device="cuda"):
        busy = (busy @ busy).tanh()
        sums.append(x.double().sum())
    np.testing.assert_allclose([s.item() for s in sums], wanted, rtol=1e-6)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_mixed_precision_learns(half):
    if half == "bfloat16" and not dd.cuda.is_bf16_supported():
        pytest.skip("bfloat16 needs CuPy 14 and ml_dtypes")
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).cuda()
    optimizer = optim.Adam(model.parameters(), 1e-2)
    scaler = dd.amp.GradScaler(enabled=half == "float16")
    losses = []
    for x, y in dd.datautils.DataLoader(dd.datautils.Digits(), 64, shuffle=True, device="cuda"):
        with dd.autocast("cuda", half):
            loss = F.cross_entropy(model(x.reshape(len(x), 64).float() / 16), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_a_full_gpu_says_what_it_holds():
    pool = of_device("cuda").cp.get_default_memory_pool()
    x = dd.ones(1000, 1000, device="cuda")
    dd.cuda.empty_cache()
    pool.set_limit(size=pool.used_bytes() + (1 << 20))
    try:
        with pytest.raises(OutOfMemoryError, match="MiB in use"):
            x * x
    finally:
        pool.set_limit(size=0)


def test_streams_and_events():
    start, end = (dd.cuda.Event(enable_timing=True) for _ in range(2))
    x = dd.randn(500, 500, device="cuda")
    start.record()
    with dd.cuda.Stream() as side:
        y = x @ x
    side.synchronize()
    end.record()
    end.synchronize()
    assert start.elapsed_time(end) >= 0
    np.testing.assert_allclose(y.numpy(), x.numpy() @ x.numpy(), rtol=1e-3, atol=1e-3)
    assert dd.cuda.memory_allocated() > 0
    assert dd.cuda.get_device_name() in dd.cuda.memory_summary()


def test_other_libraries_read_it():
    """A raw CuPy array takes our Tensors as operands: ``p.data -= lr * p.grad``."""
    p = dd.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    (p * p).sum().backward()
    p.data -= 0.5 * p.grad
    assert p.tolist() == [0.0, 0.0]

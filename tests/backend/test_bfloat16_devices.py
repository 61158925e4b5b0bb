"""bfloat16 where work is done: training narrow and mixed, products on a GPU, a CuPy without it."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.backend.cupy_gpu import GpuSpeaker
from deepdive.errors import DTypeError
from deepdive.nn import functional as F
from deepdive.testing import standin

pytest.importorskip("ml_dtypes")
HALF = "bfloat16"
DEVICES = ["cpu", standin.DEVICE]


# --- training -----------------------------------------------------------------------------------
def digits(train):
    """All pictures in rows, and their labels."""
    data = dd.datautils.Digits(train=train)
    images, labels = next(iter(dd.datautils.DataLoader(data, len(data))))
    return np.asarray(images, "float32").reshape(len(data), 64) / 16, np.asarray(labels)


def accuracy(device, half, epochs=4):
    """On the test digits, after some epochs in float32 or in mixed precision."""
    (x, y), (test_x, test_y) = digits(True), digits(False)
    dd.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
    optimizer = dd.optim.Adam(model.parameters(), lr=5e-3)
    scaler = dd.amp.GradScaler(init_scale=1.0, enabled=half is not None)
    order = np.random.default_rng(0)
    for _ in range(epochs):
        places = order.permutation(len(x))
        for start in range(0, len(x), 64):
            rows = places[start : start + 64]
            batch = dd.tensor(x[rows], device=device)
            labels = dd.tensor(y[rows].astype("int64"), device=device)
            with dd.autocast(device, half or HALF, enabled=half is not None):
                loss = F.cross_entropy(model(batch), labels)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    assert {p.dtype for p in model.parameters()} == {dd.float32}
    found = model(dd.tensor(test_x, device=device)).argmax(1).cpu().numpy()
    return float((found == test_y).mean())


@pytest.mark.parametrize("device", DEVICES)
def test_mixed_precision_reaches_what_float32_reaches(device):
    full = accuracy(device, None)
    assert full > 0.9
    assert abs(accuracy(device, HALF) - full) <= 0.01


OPTIMIZERS = [("SGD", {"momentum": 0.9, "weight_decay": 0.01}), ("Adam", {}), ("AdamW", {})]
OPTIMIZERS += [("RMSprop", {}), ("Adagrad", {})]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_optimizers_of_narrow_parameters(name, options, device):
    """Weights and state are bfloat16, and follow PyTorch's within their eight bits."""
    numbers = np.random.default_rng(0).standard_normal((6, 5))
    v = dd.tensor(numbers, device=device).bfloat16().requires_grad_()
    w = torch.tensor(numbers).bfloat16().requires_grad_()
    ours = getattr(dd.optim, name)([v], lr=0.05, **options)
    theirs = getattr(torch.optim, name)([w], lr=0.05, **options)
    for factor in (1.0, 0.5, 2.0, 1.0, 0.25):
        (v * v * factor).sum().backward()
        (w * w * factor).sum().backward()
        for optimizer in (ours, theirs):
            optimizer.step()
            optimizer.zero_grad()
    assert v.dtype == dd.bfloat16
    kept = [value for value in ours.state[0].values() if hasattr(value, "dtype")]
    assert {value.dtype.name for value in kept if value.ndim} <= {HALF}
    np.testing.assert_allclose(v.detach().tolist(), w.tolist(), rtol=2**-5, atol=2**-7)


@pytest.mark.parametrize("device", DEVICES)
def test_every_optimizer_goes_down(device):
    """Also those that follow no formula of PyTorch's in half precision."""
    goal = dd.tensor(np.random.default_rng(1).standard_normal((6, 5)), device=device).bfloat16()
    optimizers = vars(dd.optim).values()
    kinds = [k for k in optimizers if isinstance(k, type) and issubclass(k, dd.optim.Optimizer)]
    assert len(kinds) > 10
    for kind in kinds:
        if kind is dd.optim.Optimizer:
            continue
        w = dd.zeros(6, 5, dtype=HALF, device=device).requires_grad_()
        optimizer = kind([w], lr=0.05)

        def closure(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((w - goal) ** 2).float().sum()
            loss.backward()
            return loss

        first = closure().item()
        for _ in range(10):
            optimizer.step(closure)
        assert closure().item() < first, kind
        assert w.dtype == dd.bfloat16


def test_clipping_and_scaling_keep_the_dtype():
    for device in DEVICES:
        w = dd.ones(1000, dtype=HALF, device=device).requires_grad_()
        for norm in (2.0, 1.0, float("inf")):
            w.grad = None
            (w * 3).sum().backward()
            found = dd.optim.clip_grad_norm_([w], 1.0, norm_type=norm).item()
            assert found == pytest.approx(float(np.linalg.norm(np.full(1000, 3.0), norm)), rel=1e-6)
            assert w.grad.dtype == dd.bfloat16
        dd.optim.clip_grad_value_([w], 2.0**-12)
        assert (w.grad.dtype, w.grad[0].item()) == (dd.bfloat16, 2.0**-12)
        optimizer, scaler = dd.optim.SGD([w], lr=1.0), dd.amp.GradScaler(init_scale=8.0)
        optimizer.zero_grad()
        scaler.scale(w.sum()).backward()
        scaler.step(optimizer)
        assert (w.grad[0].item(), w.grad.dtype, w[0].item()) == (1.0, dd.bfloat16, 0.0)


# --- on a GPU -----------------------------------------------------------------------------------
def test_products_are_cublas_own(monkeypatch):
    """With one matrix they stay narrow, forward and backward; batches of matrices do not."""
    seen = []
    multiply = standin.speaker.matmul

    def watched(x, y):
        seen.append((x.dtype.name, x.ndim, y.ndim))
        return multiply(x, y)

    monkeypatch.setattr(standin.speaker, "matmul", watched)
    dd.manual_seed(0)
    layer = nn.Linear(4, 3).to(standin.DEVICE).bfloat16()
    x = dd.randn(2, 5, 4, device=standin.DEVICE).bfloat16().requires_grad_()
    layer(x).sum().backward()
    assert seen == [(HALF, 2, 2)] * 3
    expected = nn.Linear(4, 3).bfloat16()
    expected.load_state_dict(layer.state_dict())
    here = x.detach().cpu().requires_grad_()
    expected(here).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), here.grad.tolist(), rtol=2**-7)
    for p, q in zip(layer.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.tolist(), q.grad.tolist(), rtol=2**-7, atol=2**-9)
    seen.clear()
    (x @ x.transpose(1, 2)).sum()
    (x[0, 0] @ x[0, 0]).sum()
    assert {name for name, *_ in seen} == {"float32"}


def test_a_cupy_without_bfloat16_says_so():
    cp = standin.make_cupy()
    cp.__version__ = "13.6.0"
    speaker = GpuSpeaker(cp, cp.standin_cupyx, "old")
    narrow, wide = np.ones(2, dd.bfloat16), speaker.asarray(np.ones(2, "float32"))
    for call in (
        lambda: speaker.asarray(narrow),
        lambda: speaker.asarray([1.0], HALF),
        lambda: speaker.astype(wide, dd.bfloat16),
        lambda: speaker.zeros((2,), dd.bfloat16),
        lambda: speaker.full((2,), 1.0, dtype=dd.bfloat16),
        lambda: speaker.empty((2,), dd.bfloat16),
    ):
        with pytest.raises(DTypeError, match="needs CuPy 14") as caught:
            call()
        assert "CuPy 13.6.0" in str(caught.value)
    assert speaker.astype(wide, "float16").dtype == "float16"
    assert speaker.zeros((2,)).dtype == "float32"


def test_the_module_cuda_knows():
    assert not dd.cuda.is_bf16_supported() or dd.cuda.is_available()
    with standin.playing_cupy() as cp:
        assert dd.cuda.is_bf16_supported()
        assert (dd.ones(2, device="cuda").bfloat16() + 1).dtype == dd.bfloat16
        cp.__version__ = "13.6.0"
        assert not dd.cuda.is_bf16_supported()


def test_an_array_from_elsewhere_is_known():
    """A GPU's array another library gives may be the first bfloat16 of the process."""
    array = standin.speaker.asarray(np.ones(300, dd.bfloat16))
    dd.dtypes.NARROW.clear()
    dd.dtypes.BY_NAME.pop(HALF)
    assert dd.tensor(array, device=standin.DEVICE).sum().item() == 300

"""Layers, losses, optimizers and whole trainings on the GPU's speaker, run on the stand-in.

What they compute is compared with the CPU; that they never look at a value is shown by the debug
mode, in which the first copy to the host would raise."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.errors import ArgumentError, DeviceError
from deepdive.nn import functional as F
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER
from tests.nn.test_layers import LAYERS
from tests.optim.test_optimizers import TABLE

THERE = standin.DEVICE
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def no_copies(monkeypatch):
    """A block in which a copy to the host raises."""
    host = standin.speaker.host

    class Block:
        def __enter__(self):
            host.mode = "error"

        def __exit__(self, *exc_info):
            host.mode = "default"

    yield Block()
    host.mode = "default"


def close(ours, theirs, tolerance=1e-4):
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), tolerance, tolerance)


def twins(make):
    """A model here, and the same there."""
    dd.manual_seed(0)
    here = make()
    dd.manual_seed(0)
    return here, make().to(THERE)


@pytest.mark.parametrize(("text", "shape"), LAYERS, ids=[text for text, _ in LAYERS])
def test_layers(text, shape, no_copies):
    here, there = twins(lambda: eval(f"nn.{text}", {"nn": nn}))
    for mode in (True, False):
        here.train(mode)
        there.train(mode)
        numbers = np.random.default_rng(1).standard_normal(shape).astype("float32")
        x = dd.tensor(numbers, requires_grad=True)
        y = dd.tensor(numbers, device=THERE, requires_grad=True)
        dd.manual_seed(3)
        out = here(x)
        out.square().sum().backward()
        dd.manual_seed(3)
        with no_copies:
            found = there(y)
            found.square().sum().backward()
        assert found.device == THERE
        close(found.detach(), out.detach())
        if x.grad is not None:
            close(y.grad, x.grad)
    for (name, p), (_, q) in zip(here.named_parameters(), there.named_parameters(), strict=True):
        assert q.device == THERE, name
        if p.grad is not None:
            close(q.grad, p.grad, 1e-3)
    for name, value in here.state_dict().items():
        np.testing.assert_allclose(
            np.asarray(there.state_dict()[name]), np.asarray(value), 1e-4, 1e-5
        )


@pytest.mark.parametrize(("name", "options"), TABLE)
def test_optimizers(name, options, no_copies):
    shapes = [(7, 5), (5,), (), (2, 3, 2), (0, 4), (70_000, 2)]
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    here = [dd.tensor(a, requires_grad=True) for a in arrays]
    there = [dd.tensor(a, device=THERE, requires_grad=True) for a in arrays]
    pair = [getattr(optim, name)(params, **options) for params in (here, there)]
    for _ in range(3):
        for p, q in zip(here, there, strict=True):
            p.grad = rng.standard_normal(tuple(p.shape)).astype("float32")
            q.grad = p.grad.to(THERE)
        pair[0].step()
        with no_copies:
            optim.clip_grad_norm_(there, 1e9)
            pair[1].step()
            pair[1].zero_grad()
    for p, q in zip(here, there, strict=True):
        close(q.detach(), p.detach(), 1e-5)
    state = pair[1].state_dict()
    pair[1].load_state_dict(state)
    for kept in pair[1].state:
        assert all(type(value) in (int, standin.speaker.ARRAY_TYPE) for value in kept.values())


FUSED = {"SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adadelta", "Adamax"}


@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler to run CUDA's source")
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "options"), TABLE)
def test_updates_as_one_kernel(name, options, dtype, monkeypatch):
    """The kernel made of a formula gives the bits that its words give one by one."""
    fused = standin.speaker.fused
    numbers = np.random.default_rng(0).standard_normal((4, 999)).astype(dtype)

    def trained():
        p = dd.tensor(numbers[0], device=THERE, requires_grad=True)
        optimizer = getattr(optim, name)([p], **options)
        schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        for g in numbers[1:]:
            p.grad = g
            optimizer.step()
            schedule.step()
        return [
            p.numpy(),
            *(
                x
                for kept in optimizer.state_dict()["state"].values()
                for k, x in kept.items()
                if k != "t"
            ),
        ]

    monkeypatch.setattr(fused, "plans", {})
    one = trained()
    assert name not in FUSED or [*fused.plans.values()] != [None] * len(fused.plans)
    monkeypatch.setattr(fused, "update", lambda *args: False)
    words = trained()
    assert [x.tobytes() for x in one] == [x.tobytes() for x in words]


def test_a_formula_that_looks_at_values_is_left_to_the_words():
    class Odd(optim.Optimizer):
        elementwise = True

        def update(self, xp, w, g, *, t, lr=0.5):
            return (w - lr * g if t > 1 else w + g,)

    class Whole(optim.Optimizer):
        elementwise = True

        def update(self, xp, w, g, *, lr=0.5):
            return (w - lr * xp.tanh(g).reshape(g.shape),)

    for kind in (Odd, Whole):
        here = dd.tensor([1.0, 2.0], requires_grad=True)
        there = here.detach().to(THERE).requires_grad_()
        for p in (here, there):
            optimizer = kind([p])
            for _ in range(3):
                p.grad = [0.5, -1.0]
                optimizer.step()
        close(there.detach(), here.detach(), 1e-6)


def test_parameters_and_gradients_that_are_no_rows():
    here = dd.tensor(np.arange(6.0).reshape(2, 3).T, requires_grad=True)
    there = here.detach().to(THERE).requires_grad_()
    for p in (here, there):
        optimizer = optim.Adam([p], 0.1)
        (p.T @ p).sum().backward()
        optimizer.step()
    close(there.detach(), here.detach(), 1e-6)


def test_state_follows_a_model_that_moves():
    model = nn.Linear(3, 2)
    optimizer = optim.Adam(model.parameters())
    for device in ("cpu", THERE, "cpu"):
        model.to(device)
        model(dd.ones(1, 3, device=device)).sum().backward()
        optimizer.step()
    assert [kept["t"] for kept in optimizer.state] == [3, 3]


def test_clipping_is_that_of_the_cpu(no_copies):
    here = dd.tensor([3.0, 4.0], requires_grad=True)
    there = here.detach().to(THERE).requires_grad_()
    for bound in (1.0, 100.0):
        here.grad, there.grad = [3.0, 4.0], [3.0, 4.0]
        norm = optim.clip_grad_norm_([here], bound)
        with no_copies:
            found = optim.clip_grad_norm_([there], bound)
        close(found, norm)
        close(there.grad, here.grad)


# --- random numbers ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "draw",
    [
        lambda device: dd.rand(5, 3, device=device),
        lambda device: dd.randn(7, device=device),
        lambda device: dd.randint(0, 9, (4,), device=device),
        lambda device: dd.randperm(9, device=device),
        lambda device: F.dropout(dd.ones(100, device=device), 0.3),
        lambda device: nn.Dropout2d(0.4)(dd.ones(8, 5, 3, 3, device=device)),
        lambda device: dd.rand_like(dd.ones(4, device=device)),
    ],
)
def test_the_same_random_numbers(draw, no_copies):
    dd.manual_seed(11)
    here = draw("cpu")
    dd.manual_seed(11)
    with no_copies:
        there = draw(THERE)
    assert there.device == THERE
    assert there.numpy().tobytes() == here.numpy().tobytes()


# --- the loader --------------------------------------------------------------------------------
DATA = dd.datautils.TensorDataset(dd.arange(10).float().reshape(5, 2), dd.arange(5))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("device", ["cpu", "native", THERE])
def test_batches_come_on_the_device(device, workers, no_copies):
    loader = dd.datautils.DataLoader(DATA, 2, device=device, num_workers=workers)
    with no_copies:
        batches = list(loader)
    assert [(len(x), len(y)) for x, y in batches] == [(2, 2), (2, 2), (1, 1)]
    assert {part.device for batch in batches for part in batch} == {device}
    assert [label for _, y in batches for label in y.tolist()] == [0, 1, 2, 3, 4]
    assert batches[2][0].tolist() == [[8.0, 9.0]]


def test_dicts_and_texts_are_delivered():
    samples = [{"x": np.ones(2), "name": "a"}, {"x": np.zeros(2), "name": "b"}]
    (batch,) = dd.datautils.DataLoader(samples, 2, device=THERE)
    assert batch["x"].device == THERE
    assert batch["name"] == ["a", "b"]


def test_a_loader_that_is_left_early_waits_for_what_is_under_way():
    batches = iter(dd.datautils.DataLoader(DATA, 1, device=THERE))
    next(batches)
    batches.close()


def test_pinned_memory():
    with standin.playing_cupy():
        x, y = next(iter(dd.datautils.DataLoader(DATA, 2, pin_memory=True)))
        assert x.device == "cpu"
        assert y.tolist() == [0, 1]
    with pytest.warns(RuntimeWarning, match="pin_memory does nothing here"):
        next(iter(dd.datautils.DataLoader(DATA, 2, pin_memory=True)))


def test_unknown_devices_are_refused_at_once():
    with pytest.raises(DeviceError, match="unknown device"):
        dd.datautils.DataLoader(DATA, device="gpu")


# --- whole trainings ---------------------------------------------------------------------------
def test_a_step_never_waits(no_copies):
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(4 * 5 * 5, 10),
    ).to(THERE)
    optimizer = optim.AdamW(model.parameters(), 1e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    x = dd.randn(6, 1, 12, 12, device=THERE)
    target = dd.randint(0, 10, (6,), device=THERE)
    losses = []
    for _ in range(5):
        with no_copies:
            loss = F.cross_entropy(model(x), target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_training_there_is_training_here():
    def make():
        return nn.Sequential(
            nn.Linear(64, 32), nn.LayerNorm(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)
        )

    here, there = twins(make)
    digits = dd.datautils.Digits(train=True)
    losses = {}
    for model, device in ((here, "cpu"), (there, THERE)):
        dd.manual_seed(5)
        optimizer = optim.SGD(model.parameters(), 0.1, momentum=0.9)
        loader = dd.datautils.DataLoader(digits, 100, shuffle=True, device=device)
        losses[device] = []
        for x, y in loader:
            loss = F.cross_entropy(model(x.reshape(len(x), 64).float() / 16), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[device].append(loss.item())
    np.testing.assert_allclose(losses[THERE], losses["cpu"], rtol=1e-3)
    for p, q in zip(here.parameters(), there.parameters(), strict=True):
        close(q.detach(), p.detach(), 1e-3)


def test_saved_there_loaded_here(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to(THERE)
    model.save(tmp_path)
    again = nn.load_from_arc(tmp_path)
    for p, q in zip(model.parameters(), again.parameters(), strict=True):
        assert (p.device, q.device) == (THERE, "cpu")
        close(p.detach(), q.detach(), 0)
    model.load(tmp_path)
    assert all(p.device == THERE for p in model.parameters())


@pytest.fixture
def mnist(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 96), ("t10k", 32)):
        images = rng.integers(0, 255, (count, 28, 28)).astype(np.uint8)
        dd.datautils.write_idx(tmp_path / f"{split}-images-idx3-ubyte.gz", images)
        labels = rng.integers(0, 10, count).astype(np.uint8)
        dd.datautils.write_idx(tmp_path / f"{split}-labels-idx1-ubyte.gz", labels)
    return tmp_path


@pytest.mark.parametrize(("name", "limit"), [("mnist.py", "96"), ("mnist_cnn.py", "32")])
def test_the_examples(name, limit, mnist, monkeypatch, capsys):
    words = ["--data", str(mnist), "--device", "cuda", "--limit", limit, "--epochs", "1"]
    monkeypatch.setattr(sys, "argv", [name, *words])
    monkeypatch.chdir(mnist)
    with standin.playing_cupy() as cp:
        found = runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        assert all(type(p.data) is cp.ndarray for p in found["model"].parameters())
        assert type(found["loss"].data) is cp.ndarray
    assert "test accuracy" in capsys.readouterr().out


# --- deepdive.cuda -----------------------------------------------------------------------------
def test_the_module_cuda():
    assert not dd.cuda.is_available() or dd.cuda.device_count()
    with standin.playing_cupy():
        assert dd.cuda.is_available()
        assert dd.cuda.device_count() == 1
        assert dd.cuda.current_device() == 0
        assert dd.cuda.get_device_name() == "the stand-in"
        assert dd.cuda.get_device_capability() == (8, 6)
        dd.cuda.set_device("cuda:0")
        start, end = dd.cuda.Event(enable_timing=True), dd.cuda.Event(enable_timing=True)
        start.record()
        before = dd.cuda.memory_allocated()
        x = dd.ones(1000, device="cuda")
        assert dd.cuda.memory_allocated() - before >= 4000
        assert dd.cuda.memory_reserved() >= dd.cuda.memory_allocated()
        assert "the stand-in" in dd.cuda.memory_summary()
        end.record()
        dd.cuda.synchronize()
        assert end.query()
        assert start.elapsed_time(end) >= 0
        with dd.cuda.Stream() as stream:
            (x + 1).sum()
        stream.synchronize()
        stream.wait_stream(dd.cuda.Stream())
        del x
        dd.cuda.empty_cache()
        assert dd.cuda.memory_reserved() == dd.cuda.memory_allocated()
        assert dd.cuda.mem_get_info()[1] > 0
        dd.cuda.manual_seed_all(3)
        assert dd.initial_seed() == 3


def test_the_debug_mode():
    with standin.playing_cupy():
        x = dd.ones(3, device="cuda")
        dd.cuda.set_sync_debug_mode("error")
        assert dd.cuda.get_sync_debug_mode() == 2
        one = x[0]
        looks = [one.item, one.tolist, x.cpu, x.numpy, x.__repr__, one.__float__, one.__bool__]
        for look in [*looks, lambda: x[x > 0]]:
            with pytest.raises(DeviceError, match="waits for the GPU") as caught:
                look()
            assert "test_standin_training.py" in str(caught.value)
        dd.cuda.set_sync_debug_mode(1)
        with pytest.warns(UserWarning, match="waits for the GPU"):
            assert x.sum().item() == 3
        dd.cuda.set_sync_debug_mode("default")
        with pytest.raises(ArgumentError, match="unknown mode"):
            dd.cuda.set_sync_debug_mode("loud")


def test_without_cupy():
    code = """
import sys
sys.modules["cupy"] = None  # as if it were not installed
import warnings
import deepdive as dd
assert dd.CUPY_AVAILABLE is False
assert dd.cuda.is_available() is False and dd.cuda.device_count() == 0
for ask in (lambda: dd.ones(1).to("cuda"), lambda: dd.ones(1).cuda(), dd.cuda.synchronize,
            lambda: dd.nn.Linear(1, 1).to("cuda:0"), lambda: dd.set_default_device("cuda")):
    try:
        ask()
    except dd.errors.DeviceError as error:
        assert "deepdive-ml[cuda12]" in error.fix and "check_cupy" in error.fix, error
    else:
        raise SystemExit("computed on no GPU")
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    assert dd.utils.import_cupy_else_numpy().__name__ == "numpy"
assert "cuda12" in str(heard[0].message)
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})


def test_import_never_asks_for_cupy():
    code = """
import sys
class Found(Exception): pass
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("cupy", "cupyx"): raise Found(name)
sys.meta_path.insert(0, Finder())
import deepdive as dd
dd.nn.Linear(2, 2)(dd.ones(1, 2)).sum().backward()
dd.optim, dd.datautils, dd.cuda, dd.utils, dd.dash, dd.train
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})

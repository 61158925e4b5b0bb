"""Training compiled is training: losses, parameters and optimizer state stay together for long."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.nn import functional as F

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: optim.Adam(p, lr=1e-3),
    "adamw": lambda p: optim.AdamW(p, lr=1e-3, weight_decay=0.1),
}


# No biases that normalisation or softmax takes out again: their gradients are rounding errors
# alone, which Adam makes into steps of full size.
def mlp():
    return nn.Sequential(
        nn.Linear(20, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 10), nn.LayerNorm(10)
    )


def dropped():
    return nn.Sequential(
        nn.Linear(20, 16, bias=False),
        nn.BatchNorm1d(16),
        nn.Tanh(),
        nn.Dropout(0.3),
        nn.Linear(16, 10),
    )


def cnn():
    return nn.Sequential(
        nn.ReShape((-1, 1, 4, 5)), nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(36, 10),
    )  # fmt: skip


def lenet():
    return nn.Sequential(
        nn.ReShape((-1, 1, 4, 5)), nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 4, (2, 1)), nn.ReLU(), nn.Flatten(), nn.Linear(8, 10),
    )  # fmt: skip


class Recurrent(nn.Module):
    """A loop over time, written out."""

    def __init__(self):
        self.inside = nn.Linear(5 + 8, 8)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = x.reshape(-1, 4, 5)
        h = dd.zeros(x.shape[0], 8)
        for t in range(4):
            h = self.inside(dd.cat([x[:, t], h], 1)).tanh()
        return self.head(h)


class Attention(nn.Module):
    """One block of a GPT on the twenty numbers seen as four tokens."""

    def __init__(self):
        self.token, self.place = nn.Embedding(7, 8), nn.Embedding(4, 8)
        self.norm, self.qkv = nn.LayerNorm(8), nn.Linear(8, 24, bias=False)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.head = nn.Linear(32, 10, bias=False)
        self.mask = dd.tensor(np.tril(np.ones((4, 4), "f")))

    def forward(self, x):
        index = (x[:, :4] * 2 + 3).clamp(0, 6).long()
        x = self.token(index) + self.place(dd.arange(4))
        B, T, D = x.shape
        parts = self.qkv(self.norm(x)).split(D, 2)
        q, k, v = (t.reshape(B, T, 2, D // 2).permute(0, 2, 1, 3) for t in parts)
        scores = (q @ k.transpose(-2, -1) * 0.5).masked_fill(self.mask == 0, float("-inf"))
        x = x + (F.softmax(scores, -1) @ v).permute(0, 2, 1, 3).reshape(B, T, D)
        x = x + self.down(F.gelu(self.up(x)))
        return self.head(x.flatten(1))


MODELS = {
    "mlp": mlp, "dropout": dropped, "cnn": cnn, "lenet": lenet, "loop": Recurrent,
    "attention": Attention,
}  # fmt: skip


def trained(make, kind, steps, compile=None):
    """Losses, the model's state and the optimizer's after some steps on fixed batches."""
    dd.manual_seed(0)
    model = make()
    optimizer = OPTIMIZERS[kind](model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = step if compile is None else compile(step)
    random = np.random.default_rng(0)
    x, y = random.standard_normal((5, 12, 20)).astype("f"), random.integers(0, 10, (5, 12))
    losses = [run(x[i % 5], y[i % 5]).item() for i in range(steps)]
    return losses, model.state_dict(), optimizer.state, dd.get_rng_state()


def check(name, kind, steps, compile, tolerance=2e-3):
    expected, state, slots, random = trained(MODELS[name], kind, steps)
    found, its_state, its_slots, its_random = trained(MODELS[name], kind, steps, compile)
    assert found == pytest.approx(expected, rel=tolerance, abs=1e-4)
    assert min(expected[-5:]) < expected[0]
    assert random == its_random
    for key, value in state.items():
        close(its_state[key], value, key, tolerance)
    for one, other in zip(its_slots, slots, strict=True):
        assert one["t"] == other["t"] == steps
        for slot in other:
            close(one[slot], other[slot], slot, tolerance)


def close(found, expected, name, tolerance):
    found, expected = np.asarray(found), np.asarray(expected)
    size = float(np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, tolerance, tolerance * size, err_msg=name)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("name", MODELS)
def test_a_hundred_steps_in_numpy(name, kind):
    check(name, kind, 100, lambda f: dd.compile(f, dialect="numpy"))


@pytest.mark.parametrize("name, kind", [("mlp", "adam"), ("dropout", "sgd"), ("lenet", "adamw")])
def test_thirty_steps_in_loops(name, kind):
    pytest.importorskip("numba")
    check(name, kind, 30, dd.compile)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("name", MODELS)
def test_a_hundred_steps_in_loops(name, kind):
    pytest.importorskip("numba")
    check(name, kind, 100, dd.compile)


STRIDED = {
    "stride": {"stride": 2, "padding": 1},
    "a row and a column left over": {"stride": 2},
    "different ways": {"stride": (2, 3), "padding": (1, 2)},
    "stride and dilation": {"stride": 3, "padding": 1, "dilation": 2},
    "stride and groups": {"stride": 2, "padding": 1, "groups": 2},
    "dilation": {"padding": 2, "dilation": 2},
}


@pytest.mark.parametrize("places", STRIDED.values(), ids=STRIDED)
def test_convolutions_of_all_kinds_run_in_loops(places):
    pytest.importorskip("numba")

    def run(x, w):
        a, b = x * 1.0, w * 1.0
        y = nn.functional.conv2d(a, b, **places)
        return y, *dd.grad((y * y).sum(), [a, b])

    x = dd.randn(8, 4, 13, 11).requires_grad_()
    w = dd.randn(6, 4 // places.get("groups", 1), 3, 3).requires_grad_()
    program = dd.compile(run, dialect="numba")
    for found, expected in zip(program(x, w), run(x, w), strict=True):
        size = np.abs(expected.numpy()).max()
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5 * size)


def test_gradients_are_clipped_in_loops():
    """The norm over all parameters is part of the program."""
    pytest.importorskip("numba")
    x, y = dd.randn(8, 5), dd.tensor([0, 1, 2, 0, 1, 2, 0, 1])

    def losses(prepare):
        dd.manual_seed(3)
        model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
        optimizer = dd.optim.SGD(model.parameters(), lr=0.5)

        def step(x, y):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            norm = dd.optim.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            return loss, norm

        run = prepare(step)
        return [[value.item() for value in run(x, y)] for _ in range(4)], run

    expected, _ = losses(lambda step: step)
    found, run = losses(lambda step: dd.compile(step, dialect="numba"))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert "not in Numba" not in str(run.explain())

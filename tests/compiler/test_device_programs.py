"""Whole training steps as programs of a device: they follow the eager ones, and never look back.

The GPU's speaker runs on the stand-in; its debug mode raises at a copy to the host."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.core.tensor import wrap
from deepdive.errors import DeviceError, GraphError
from deepdive.nn import functional as F
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER

THERE = standin.DEVICE
STEPS = 6


@pytest.fixture
def no_copies(monkeypatch):
    """From here on a copy to the host raises, unless it is said to be all right."""
    monkeypatch.setattr(standin.speaker.host, "mode", "error")

    def allowed(action):
        standin.speaker.host.mode = "default"
        found = action()
        standin.speaker.host.mode = "error"
        return found

    def values(tensors):
        return allowed(lambda: [np.array(t.numpy()) for t in tensors])

    values.allowed = allowed
    return values


def mlp():
    return nn.Sequential(nn.Linear(20, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 10))


def cnn():
    return nn.Sequential(
        nn.ReShape((-1, 1, 4, 5)),
        nn.Conv2d(1, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(24, 10),
    )


class GPT(nn.Module):
    """One block of a GPT on the twenty numbers, seen as indices."""

    def __init__(self):
        self.token, self.place = nn.Embedding(7, 16), nn.Embedding(20, 16)
        self.norm, self.qkv = nn.LayerNorm(16), nn.Linear(16, 48, bias=False)
        self.up, self.down, self.head = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 10)

    def forward(self, x):
        index = (x * 2 + 3).clamp(0, 6).long()
        B, T = index.shape
        x = self.token(index) + self.place(dd.arange(T, device=index.device))
        parts = self.qkv(self.norm(x)).split(16, 2)
        q, k, v = (t.reshape(B, T, 2, 8).permute(0, 2, 1, 3) for t in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + mixed.permute(0, 2, 1, 3).reshape(B, T, 16)
        return self.head((x + self.down(F.gelu(self.up(x)))).mean(1))


WORKS = {
    "mlp": (mlp, lambda p: optim.Adam(p, lr=1e-2), None),
    "cnn": (cnn, lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3), None),
    "gpt": (GPT, lambda p: optim.AdamW(p, lr=1e-2, weight_decay=0.1), 0.5),
}


class Training:
    """A model on a device, its optimizer with a schedule, and one step of both."""

    def __init__(self, name, device, compile, precision=None):
        make, rule, bound = WORKS[name]
        dd.manual_seed(0)
        self.model = make().to(device)
        self.optimizer = rule(self.model.parameters())
        self.schedule = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, STEPS)
        rng = np.random.default_rng(0)
        self.x = dd.tensor(rng.standard_normal((12, 20)).astype("f"), device=device)
        self.y = dd.tensor(rng.integers(0, 10, 12), device=device)

        def step(x, y):
            self.optimizer.zero_grad()
            with dd.autocast(device, precision or "float16", enabled=precision is not None):
                loss = F.cross_entropy(self.model(x), y)
            loss.backward()
            if bound is not None:
                nn.utils.clip_grad_norm_(self.model.parameters(), bound)
            self.optimizer.step()
            return loss

        self.step = dd.compile(step) if compile else step

    def go(self, count=1):
        losses = []
        dd.manual_seed(3)
        for _ in range(count):
            losses.append(self.step(self.x, self.y))
            self.schedule.step()
        return losses

    def state(self):
        slots = [v for kept in self.optimizer.state for k, v in kept.items() if k != "t"]
        tensors = dict(self.model.named_parameters()) | dict(self.model.named_buffers())
        return [*tensors.values(), *map(wrap, slots)]


def close(found, expected, tolerance=1e-5):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", WORKS)
def test_a_program_is_the_step(name, no_copies):
    eager, program = Training(name, THERE, False), Training(name, THERE, True)
    expected, found = eager.go(STEPS), program.go(STEPS)
    close(no_copies(found), no_copies(expected))
    close(no_copies(program.state()), no_copies(eager.state()))
    assert all(type(loss.data) is standin.speaker.ARRAY_TYPE for loss in found)
    assert len(program.step.programs) == 1
    assert [kept["t"] for kept in program.optimizer.state] == [STEPS] * len(eager.optimizer.state)
    here = Training(name, "cpu", False).go(STEPS)
    close(no_copies(found), [loss.numpy() for loss in here], 1e-3)


def test_half_precision(no_copies):
    eager, program = (Training("mlp", THERE, c, "float16") for c in (False, True))
    close(no_copies(program.go(STEPS)), no_copies(eager.go(STEPS)), 1e-3)
    assert "float16" in program.step.source


def test_changes_between_calls(no_copies):
    """A rate set by hand, evaluation mode, a state loaded, parameters moved in memory."""
    sides = [Training("cnn", THERE, compile) for compile in (False, True)]
    rows = []
    for side in sides:
        losses = side.go(2)
        saved = {name: t.clone() for name, t in side.model.state_dict().items()}
        optimizer_saved = no_copies.allowed(side.optimizer.state_dict)
        side.optimizer.param_groups[0]["lr"] = 0.3
        losses += side.go(2)
        side.model.eval()
        losses += side.go(1)
        side.model.train()
        side.model.load_state_dict(saved)
        side.optimizer.load_state_dict(optimizer_saved)
        losses += side.go(2)
        weight = side.model.get_parameter("1.weight")
        weight.data = weight.data * 0.5
        losses += side.go(2)
        rows.append(losses)
    close(no_copies(rows[1]), no_copies(rows[0]))
    close(no_copies(sides[1].state()), no_copies(sides[0].state()))


def test_what_it_tells():
    program = Training("mlp", THERE, True)
    program.go(2)
    told = program.step.explain()
    assert "2 calls, the first" in told
    assert THERE in told
    assert "predicted" not in told  # no roofline is known of a device
    assert f"speakers.of_device({THERE!r})" in program.step.source
    drawing = program.step.draw()
    assert COMPILER is None or "kernel of 12 words" in drawing  # the rule of Adam
    assert "xp.matmul(" in program.step.source


def test_devices_do_not_mix():
    here, there = dd.ones(3), dd.ones(3, device=THERE)
    add = dd.compile(lambda x, y: x + y)
    for x, y in ((here, there), (there, here)):
        with pytest.raises(DeviceError, match="one operation, two devices") as caught:
            add(x, y)
        assert "move it first" in caught.value.fix
    with pytest.raises(DeviceError, match="add: one operation, two devices"):
        dd.compile(lambda x: x + here)(there)
    with pytest.raises(DeviceError, match="one operation, two devices"):
        dd.compile(lambda x: x + dd.ones(3))(there)
    with pytest.raises(DeviceError, match="one operation, two devices"):
        dd.compile(lambda x: x + dd.rand(3))(there)
    with pytest.raises(DeviceError, match="to: one operation, two devices"):
        dd.compile(lambda x: (x * 2).to("cpu"))(there)
    assert add(there, there).tolist() == [2.0, 2.0, 2.0]
    assert add(here, here).device == "cpu"  # one function, a program for each device
    assert repr(add).endswith(": 2 programs>")


def test_a_model_that_moves_gets_another_program():
    model = nn.Linear(3, 1)
    double = dd.compile(lambda: model.weight * 2)
    expected = (model.weight * 2).tolist()
    for device in (THERE, "cpu", "native", THERE):
        model.to(device)
        assert double().device == device
        assert double().tolist() == expected
    assert repr(double).endswith(": 3 programs>")


def test_what_is_made_elsewhere_is_moved():
    """Constants of the host are sent when the function is recorded, NumPy's arrays at each call."""
    table = np.ones(3, "f")
    program = dd.compile(lambda x, y: x * dd.arange(3).to(THERE) + table + y)
    x = dd.ones(3, device=THERE)
    assert program(x, np.zeros(3, "f")).tolist() == [1.0, 2.0, 3.0]
    table += 1
    assert program(x, np.ones(3, "f")).tolist() == [3.0, 4.0, 5.0]
    assert program(x, np.ones(3, "f")).device == THERE


def test_a_look_is_refused():
    with pytest.raises(GraphError, match="looks at a value"):
        dd.compile(lambda x: x * x.sum().item())(dd.ones(2, device=THERE))


def test_a_line_per_word_if_asked_for():
    x = dd.ones(3, device=THERE)
    program = dd.compile(lambda x: (x * 2 + 1).tanh(), dialect="numpy")
    assert [program(x).tolist() for _ in range(3)] == [(x * 2 + 1).tanh().tolist()] * 3
    assert "Chain" not in program.source
    assert "a line per value, in the words of this device" in program.explain()


def test_numba_is_the_cpus():
    with pytest.raises(GraphError, match="the loops are for the CPU"):
        dd.compile(lambda x: x + 1, dialect="numba")(dd.ones(2, device=THERE))


def test_the_trainer_compiles_there():
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((64, 20)).astype("f"), rng.integers(0, 10, 64)
    data = dd.datautils.TensorDataset(dd.tensor(images), dd.tensor(labels))
    losses = []
    for compile in (False, True):
        dd.manual_seed(0)
        model = mlp().to(THERE)
        loader = dd.datautils.DataLoader(data, 16, shuffle=True, device=THERE)
        optimizer = optim.Adam(model.parameters(), 1e-2)
        trainer = dd.train.Trainer(model, optimizer, F.cross_entropy, compile=compile)
        losses.append([row["loss"] for row in trainer.fit(loader, epochs=2)])
    np.testing.assert_allclose(losses[1], losses[0], 1e-5)


def test_an_index_out_of_range_is_noticed_later():
    pick = dd.compile(lambda table, index: F.embedding(index, table))
    table = dd.ones(4, 2, device=THERE)
    assert pick(table, dd.tensor([0, 3], device=THERE)).shape == (2, 2)
    with pytest.raises(dd.errors.DeepDiveError, match="range"):
        pick(table, dd.tensor([0, 9], device=THERE)).tolist()
        pick(table, dd.tensor([0, 1], device=THERE)).tolist()

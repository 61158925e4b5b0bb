"""The loop against the loop of the tutorial, written out; and what happens around it."""

import gc
import math
import os
import signal
import weakref

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.amp import GradScaler
from deepdive.datautils import ArrayDataset, DataLoader
from deepdive.errors import ArgumentError, DeviceError, DTypeError, NonFiniteError
from deepdive.optim.lr_scheduler import CosineAnnealingLR, StepLR
from deepdive.train import Accuracy, EarlyStopping, Interrupted, Mean, StopOnNaN, Trainer
from deepdive.train.precision import Mixed

cross_entropy = nn.functional.cross_entropy


def data(n=40):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    return ArrayDataset(x, (x[:, 0] > 0).astype(np.int64))


def parts(lr=0.1, dropout=0.3):
    dd.manual_seed(5)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2))
    return model, optim.Adam(model.parameters(), lr=lr)


def weights(model):
    return np.concatenate([p.numpy().ravel() for p in model.parameters()])


def test_it_is_the_loop_of_the_tutorial():
    model, optimizer = parts()
    schedule = CosineAnnealingLR(optimizer, 12)
    losses = []
    loader = DataLoader(data(), 16, shuffle=True)
    for _ in range(4):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(y)
        losses.append(total / 40)
    expected = weights(model)

    model, optimizer = parts()
    schedule = CosineAnnealingLR(optimizer, 12)
    trainer = Trainer(model, optimizer, cross_entropy, schedule=schedule)
    history = trainer.fit(DataLoader(data(), 16, shuffle=True), epochs=4)
    assert np.array_equal(weights(model), expected)
    assert [record["loss"] for record in history] == losses
    assert [record["step"] for record in history] == [3, 6, 9, 12]
    assert trainer.samples == 160


def test_accumulated_batches_are_one_large_batch():
    """Also where the last ones are smaller: 16 + 16 + 8 samples are a batch of 40."""
    model, optimizer = parts(dropout=0.0)
    Trainer(model, optimizer, cross_entropy).fit(DataLoader(data(), 40), epochs=3)
    expected = weights(model)
    model, optimizer = parts(dropout=0.0)
    trainer = Trainer(model, optimizer, cross_entropy, accumulate=3)
    history = trainer.fit(DataLoader(data(), 16), epochs=3)
    assert trainer.step == 3 and history[-1]["step"] == 3
    assert weights(model) == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_compiled_and_eager_agree(accumulate):
    results = []
    for compile in (False, True):
        model, optimizer = parts()
        trainer = Trainer(
            model,
            optimizer,
            cross_entropy,
            compile=compile,
            accumulate=accumulate,
            clip_norm=0.5,
            ema=0.8,
            metrics={"accuracy": Accuracy()},
        )
        history = trainer.fit(DataLoader(data(), 16, shuffle=True), 3, DataLoader(data(), 40))
        averages = np.concatenate([a.ravel() for a in trainer.ema.state_dict().values()])
        results.append([weights(model), averages, [list(r.values()) for r in history]])
        assert trainer.grad_norm.item() > 0
    for eager, program in zip(*results, strict=True):
        assert np.allclose(eager, program, rtol=1e-4, atol=1e-6)


def test_gradients_are_clipped():
    class Norms:
        def __init__(self):
            self.found = []

        def on_gradients(self, trainer):
            squares = [(p.grad.numpy() ** 2).sum() for p in trainer.model.parameters()]
            self.found.append((float(trainer_norm(trainer)), math.sqrt(sum(squares))))

    def trainer_norm(trainer):
        return max(abs(p.grad.numpy()).max() for p in trainer.model.parameters())

    norms = Norms()
    model, optimizer = parts()
    trainer = Trainer(
        model, optimizer, cross_entropy, clip_norm=0.01, clip_value=0.002, events=[norms]
    )
    trainer.fit(DataLoader(data(), 16), epochs=1)
    assert len(norms.found) == 3
    for largest, norm in norms.found:
        assert largest <= 0.002 + 1e-9 and norm <= 0.01 + 1e-6
    assert trainer.grad_norm.item() > 0.01  # as it was before


def test_validation_changes_nothing():
    """Neither the random numbers of the training nor the modes of its layers."""
    results = []
    for validation in (None, DataLoader(data(), 7, shuffle=True)):
        model, optimizer = parts()
        trainer = Trainer(model, optimizer, cross_entropy)
        trainer.fit(DataLoader(data(), 16, shuffle=True), 3, validation)
        model[2].eval()
        trainer.validate(DataLoader(data(), 7))
        assert model[0].training and not model[2].training
        results.append(weights(model))
    assert np.array_equal(*results)


def test_validation_measures_the_average_weights():
    model, optimizer = parts()
    trainer = Trainer(model, optimizer, cross_entropy, ema=0.9)
    trainer.fit(DataLoader(data(), 16), 2)
    before = weights(model)
    measured = trainer.validate(DataLoader(data(), 40))["loss"]
    assert np.array_equal(weights(model), before)
    model.load_state_dict(trainer.ema.state_dict(), strict=False)
    x, y = data().arrays
    assert measured == pytest.approx(cross_entropy(model.eval()(x), y).item(), rel=1e-6)
    assert not np.allclose(weights(model), before)


def test_schedules_per_epoch():
    model, optimizer = parts(lr=1.0)
    schedule = StepLR(optimizer, 2, gamma=0.1)
    trainer = Trainer(model, optimizer, cross_entropy, schedule=schedule, schedule_per="epoch")
    history = trainer.fit(DataLoader(data(), 16), epochs=4)
    assert [record["lr"] for record in history] == pytest.approx([1, 1, 0.1, 0.1])


def test_early_stopping_waits_for_its_patience():
    model, optimizer = parts(lr=0.0)
    stopping = EarlyStopping("val_accuracy", patience=2)
    trainer = Trainer(
        model, optimizer, cross_entropy, metrics={"accuracy": Accuracy()}, events=[stopping]
    )
    history = trainer.fit(DataLoader(data(), 16), 50, DataLoader(data(), 16))
    assert len(history) == 3 and "val_accuracy" in trainer.stopped
    with pytest.raises(ArgumentError, match="did you mean 'loss'"):
        Trainer(*parts(), cross_entropy, events=[EarlyStopping("los")]).fit(
            DataLoader(data(), 16), 2
        )


def test_a_loss_that_is_no_number_can_end_the_training():
    model, optimizer = parts()
    with dd.no_grad():
        model[0].weight.fill_(math.nan)
    trainer = Trainer(model, optimizer, cross_entropy, events=[StopOnNaN()])
    with pytest.raises(NonFiniteError, match="step 1"):
        trainer.fit(DataLoader(data(), 16), 2)
    assert isinstance(trainer.error, NonFiniteError)


def test_events_come_in_order():
    model, optimizer = parts()
    trainer = Trainer(model, optimizer, cross_entropy)
    told = []
    for event in ("start", "epoch_start", "gradients", "step", "epoch_end", "stop"):
        trainer.on(event, lambda trainer, event=event: told.append(event))
    trainer.fit(DataLoader(data(), 20), epochs=2)
    epoch = ["epoch_start", *["gradients", "step"] * 2, "epoch_end"]
    assert told == ["start", *epoch, *epoch, "stop"]
    with pytest.raises(ArgumentError, match="did you mean 'step' or 'stop'"):
        trainer.on("stepp", print)
    with pytest.raises(ArgumentError, match="on_epoch_end"):
        Trainer(model, optimizer, cross_entropy, events=[object()])


def test_batches_of_another_form_need_a_forward_of_their_own():
    class Dicts(Trainer):
        def forward(self, batch):
            outputs = self.model(batch["x"])
            return self.loss_of(outputs, batch["y"]), outputs

    model, optimizer = parts()
    x, y = data().arrays
    Dicts(model, optimizer, cross_entropy).fit([{"x": x, "y": y}], epochs=2)
    expected = weights(model)
    model, optimizer = parts()
    Trainer(model, optimizer, cross_entropy).fit([(x, y)], epochs=2)
    assert np.array_equal(weights(model), expected)


def test_mixed_precision_learns_and_is_saved(tmp_path):
    """On the CPU, where it is no gain: the same parts work on a GPU."""

    def made(folder):
        model, optimizer = parts(lr=0.01, dropout=0.0)
        trainer = Trainer(model, optimizer, cross_entropy, clip_norm=1.0, checkpoints=folder)
        trainer.precision = Mixed("cpu")
        kinds = []
        trainer.on("step", lambda trainer: kinds.append(trainer.outputs[0].dtype))
        return trainer, kinds

    whole, kinds = made(tmp_path / "whole")
    history = whole.fit(DataLoader(data(), 16), 4)
    assert set(kinds) == {np.dtype("float16")}
    assert history[-1]["loss"] < history[0]["loss"]
    first, _ = made(tmp_path / "cut")
    first.fit(DataLoader(data(), 16), 2)
    second, _ = made(tmp_path / "cut")
    second.precision.scaler = GradScaler(init_scale=2.0)
    second.fit(DataLoader(data(), 16), 4, resume=True)
    assert second.precision.scaler.get_scale() == 2.0**16
    assert np.array_equal(weights(second.model), weights(whole.model))


def test_bfloat16_learns_and_is_saved(tmp_path):
    """It needs no scaled loss, and goes on where it was."""
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16

    def made(folder, epochs, resume=False):
        model, optimizer = parts(lr=0.01, dropout=0.0)
        options = {"amp": "bfloat16", "checkpoints": folder}
        trainer = Trainer(model, optimizer, cross_entropy, **options)
        kinds = []
        trainer.on("step", lambda trainer: kinds.append(trainer.outputs[0].dtype))
        history = trainer.fit(DataLoader(data(), 16), epochs, resume=resume)
        assert set(kinds) == {np.dtype(bfloat16)}
        assert not trainer.precision.scaler.is_enabled()
        return model, history

    whole, history = made(tmp_path / "whole", 4)
    assert history[-1]["loss"] < history[0]["loss"]
    made(tmp_path / "cut", 2)
    again, _ = made(tmp_path / "cut", 4, resume=True)
    assert np.array_equal(weights(again), weights(whole))


def test_narrow_weights_go_on_where_they_were(tmp_path):
    """Parameters and the optimizer's slots are bfloat16, in checkpoints too: 1 + 2 epochs are 3."""
    pytest.importorskip("ml_dtypes")

    def made(folder, epochs, resume=False):
        dd.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).bfloat16()
        optimizer = dd.optim.Adam(model.parameters(), 0.05)
        trainer = Trainer(model, optimizer, cross_entropy, checkpoints=folder)
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((40, 6)).astype("float32"), rng.integers(0, 3, 40)
        batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8)]
        trainer.fit(batches, epochs, resume=resume)
        slots = [value for value in optimizer.state[0].values() if hasattr(value, "dtype")]
        assert {each.dtype.name for each in slots} == {"bfloat16"}
        return [p.tolist() for p in model.parameters()]

    whole = made(tmp_path / "whole", 3)
    made(tmp_path / "cut", 1)
    assert made(tmp_path / "cut", 3, resume=True) == whole


def test_what_makes_no_sense_is_refused():
    model, optimizer = parts()
    with pytest.raises(DeviceError, match="needs a GPU"):
        Trainer(model, optimizer, cross_entropy, amp=True)
    with pytest.raises(DTypeError, match="no half precision"):
        Trainer(model, optimizer, cross_entropy, amp="float64")
    with pytest.raises(ArgumentError):
        Trainer(model, optimizer, cross_entropy, schedule_per="batch")
    with pytest.raises(ArgumentError, match="no batches"):
        Trainer(model, optimizer, cross_entropy).fit([], epochs=1)
    with pytest.raises(ArgumentError, match="no batches"):
        Trainer(model, optimizer, cross_entropy).fit(iter(DataLoader(data(), 16)), epochs=2)
    with pytest.raises(ArgumentError, match="checkpoints=folder"):
        Trainer(model, optimizer, cross_entropy).fit([], epochs=1, resume=True)


def test_a_signal_ends_the_training_after_a_whole_step():
    model, optimizer = parts()
    trainer = Trainer(model, optimizer, cross_entropy)

    def kill(trainer):
        if trainer.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
            assert trainer.batch == 1  # nothing happens at once

    trainer.on("step", kill)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="SIGTERM after step 4; nothing was saved") as caught:
        trainer.fit(DataLoader(data(), 16), epochs=10)
    assert caught.value.number == signal.SIGTERM and caught.value.folder is None
    assert signal.getsignal(signal.SIGTERM) is before
    trainer.events.called["step"].clear()
    assert len(trainer.fit(DataLoader(data(), 16), epochs=10)) == 10  # the same one goes on


def test_no_graph_outlives_its_step():
    model, optimizer = parts()
    alive = []

    class Watching(Trainer):
        def forward(self, *fields):
            loss, outputs = super().forward(*fields)
            alive.append(weakref.ref(loss))
            return loss, outputs

    trainer = Watching(model, optimizer, cross_entropy, metrics={"mean": MeanOutput()})
    gc.disable()
    try:
        trainer.on("step", lambda t: alive_now.append(sum(ref() is not None for ref in alive)))
        alive_now = []
        trainer.fit(DataLoader(data(), 4), epochs=2)
    finally:
        gc.enable()
    assert set(alive_now) == {0}


class MeanOutput(Mean):
    """The mean of the outputs, from Tensors."""

    def update(self, outputs, target):
        super().update(outputs.mean(), len(target))

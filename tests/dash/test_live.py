"""The live dashboard and the logs, in real processes: terminals that vanish, pipes that break."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepdive import nn
from deepdive.dash import LiveDash, RunLog
from deepdive.dash.curve import Curve
from deepdive.dash.dashboard import visible_length
from deepdive.dash.live import View
from deepdive.dash.norms import activation_norms, gradient_norms
from deepdive.dash.screen import plain_lines
from deepdive.dash.screen_rich import rich_lines
from deepdive.dash.terminal import Terminal
from deepdive.errors import ArgumentError, MissingExtraError
from deepdive.nn.functional import cross_entropy

HERE = Path(__file__).resolve().parent
SCRIPT = str(HERE / "watched_run.py")
KEPT = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
ENVIRONMENT = {**KEPT, "PYTHONPATH": str(HERE.parent.parent), "OMP_NUM_THREADS": "1"}

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")


def run(folder, *words, **options):
    """(steps, sum of the weights, memory …) of a run that ended well, and what it printed."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, SCRIPT, str(folder), *map(str, words)]
    result = subprocess.run(command, env=ENVIRONMENT, text=True, timeout=300, **given)
    assert result.returncode == 0, result.stderr
    return done(folder), result.stderr


def done(folder):
    steps, total, *memory = Path(f"{folder}.done").read_text().split()
    return int(steps), total, [int(each) for each in memory]


def spawn(folder, *words, size=(24, 80), **extra):
    pexpect = pytest.importorskip("pexpect")
    return pexpect.spawn(
        sys.executable,
        [SCRIPT, str(folder), *map(str, words)],
        env={**ENVIRONMENT, "TERM": "xterm-256color", **extra},
        dimensions=size,
        encoding="utf-8",
        timeout=60,
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The sum of the weights of a run nobody looks at."""
    return run(tmp_path_factory.mktemp("bare") / "run", "--bare")[0][:2]


# --- looking on changes nothing ------------------------------------------------------------------


@posix
@pytest.mark.parametrize("look", [(), ("--rich",)], ids=["plain", "rich"])
def test_in_a_terminal(tmp_path, bare, look):
    if look:
        pytest.importorskip("rich")
    child = spawn(tmp_path / "run", *look, "--pause", 0.005)
    text = child.read()
    child.close()
    assert child.exitstatus == 0, text
    assert done(tmp_path / "run")[:2] == bare
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    for expected in ("epoch 3/3", "step 60/60", "samples/s", "left", "MiB", "loss", "val_loss"):
        assert expected in text, expected
    assert re.search(r"gradients +[\d.]+ to [\d.]+ +[▁-█]+", text)
    assert re.search(r"activations +[\d.]+ to [\d.]+ +[▁-█]+", text)
    assert re.search(r"[⠁-⣿]", text)  # curves
    assert re.search(r"\x1b\[\d+A\r", text)  # drawn in place
    for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", text)):
        assert len(line) <= 80, line


@posix
@pytest.mark.parametrize("look", [(), ("--rich",)], ids=["plain", "rich"])
def test_a_window_of_two_columns(tmp_path, bare, look):
    if look:
        pytest.importorskip("rich")
    child = spawn(tmp_path / "run", *look, "--refresh", 0.001, size=(2, 2))
    text = child.read()
    child.close()
    assert child.exitstatus == 0 and "switched off" not in text, text
    assert done(tmp_path / "run")[:2] == bare


VIEW = View(
    epoch=2,
    epochs=3,
    step=1234,
    steps=3000,
    spent=12.0,
    left=15.0,
    rate=4321.0,
    memory=123_456_789,
    facts={"loss": 0.25, "accuracy": 0.9, "val_loss": float("nan"), "a long name": 1e-9},
    charts={
        "loss": {"loss": ([1, 2, 3], [3.0, 2.0, 1.0]), "val_loss": ([2], [float("nan")])},
        "accuracy": {"accuracy": ([1, 2], [0.5, 0.9])},
        "nothing yet": {"nothing yet": ([], [])},
    },
    norms={"gradients": dict.fromkeys("abc", 0.5) | {"d": 0.0, "e": float("inf")}, "none": {}},
    alarms=["the loss became nan at step 18"],
)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("draw", [plain_lines, rich_lines])
def test_windows_of_any_size(draw, encoding):
    if draw is rich_lines:
        pytest.importorskip("rich")
    terminal = Terminal(io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    for terminal.color in (False, True):
        for width in (40, 41, 57, 71, 72, 80, 133, 400)[4 if draw is rich_lines else 0 :]:
            for height in (10, 11, 13, 20, 24, 60):
                lines = draw(VIEW, width, height, terminal)
                assert len(lines) <= height
                assert all(visible_length(line) <= width for line in lines)
                assert encoding == "utf-8" or "".join(lines).isascii()
                assert "1,234/3,000" in "".join(lines) and "ALARM" in "".join(lines)


@posix
def test_a_terminal_that_is_closed(tmp_path, bare):
    """The window is gone, SIGHUP comes, every write fails: the training ends as if not."""
    child = spawn(tmp_path / "run", "--pause", 0.01)
    child.expect("step 2")
    os.close(child.child_fd)
    child.closed = True
    pid = child.pid
    assert os.waitpid(pid, 0) == (pid, 0)
    assert done(tmp_path / "run")[:2] == bare


def test_without_a_terminal(tmp_path, bare):
    found, errors = run(tmp_path / "run", "--refresh", 0.001)
    assert found[:2] == bare
    assert "\x1b" not in errors
    assert re.search(r"epoch 3/3  step 60/60  100 %  loss [\d.]+ ", errors)
    quiet, errors = run(tmp_path / "quiet", "--refresh", 1000)
    assert quiet[:2] == bare and errors.count("\n") <= 2


@posix
@pytest.mark.parametrize("way", [">&- 2>&-", "2>/dev/full"])
def test_streams_that_cannot_be_written(tmp_path, bare, way):
    folder = tmp_path / "run"
    command = f"'{sys.executable}' '{SCRIPT}' '{folder}' --refresh 0.001 --pause 0.003 {way}"
    result = subprocess.run(["bash", "-c", command], env=ENVIRONMENT, timeout=60)
    assert result.returncode in (0, 120)  # 120: Python could not flush at exit
    assert done(folder)[:2] == bare


@posix
def test_a_pipe_that_breaks(tmp_path, bare):
    read, write = os.pipe()
    command = [sys.executable, SCRIPT, str(tmp_path / "run"), "--refresh", "0.001"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=write)
    os.close(write)
    os.read(read, 10)
    os.close(read)
    assert process.wait(60) in (0, 120)
    assert done(tmp_path / "run")[:2] == bare


def test_a_compiled_training_is_watched_too(tmp_path):
    expected = run(tmp_path / "bare", "--compile", "--bare")[0][:2]
    found, errors = run(tmp_path / "run", "--compile", "--refresh", 0.001)
    assert found[:2] == expected
    assert "grad norm 0." in errors


def test_errors_of_its_own_switch_it_off(recwarn):
    class Broken:
        device, step, loss = "cpu", 1, "no number"

    dash = LiveDash()
    dash.is_on = True
    dash.on_step(Broken())
    assert not dash.is_on
    assert "the dashboard is switched off" in str(recwarn.pop(RuntimeWarning).message)
    dash.on_step(Broken())


def test_rich_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(MissingExtraError, match=r"deepdive-ml\[ui\]"):
        LiveDash(rich=True)


# --- the NaN alarm -------------------------------------------------------------------------------


def test_the_alarm(tmp_path):
    _, errors = run(tmp_path / "run", "--nan", 17)
    assert re.findall(r"(?m)^ALARM: .*$", errors) == ["ALARM: the loss became nan at step 18"]
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    alarms = [line for line in lines if line["kind"] == "alarm"]
    assert alarms == [{"kind": "alarm", "step": 18, "what": "the loss became nan at step 18"}]
    assert [line["loss"] for line in lines if line.get("step") == 20] == ["nan", "nan"]


@posix
def test_the_alarm_in_a_terminal(tmp_path):
    child = spawn(tmp_path / "run", "--nan", 17)
    text = child.read()
    assert "\x1b[1;31mALARM: the loss became nan at step 18\x1b[0m" in text


# --- logs ----------------------------------------------------------------------------------------


def test_logs_tell_what_happened(tmp_path):
    run(tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert lines[0]["kind"] == "start"
    steps = [line for line in lines if line["kind"] == "step"]
    assert [line["step"] for line in steps] == list(range(5, 61, 5))
    with open(tmp_path / "run" / "steps.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(r["step"]), float(r["loss"])) for r in rows] == [
        (line["step"], line["loss"]) for line in steps
    ]
    with open(tmp_path / "run" / "epochs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [line for line in lines if line["kind"] == "epoch"]
    assert [float(r["val_loss"]) for r in rows] == [line["val_loss"] for line in epochs]
    assert [int(r["step"]) for r in rows] == [20, 40, 60]


class Standin:
    """As much of a trainer as a log asks for."""

    def __init__(self, step):
        self.step, self.epoch, self.samples = step, 0, 16 * step
        self.loss, self.grad_norm, self.error = 1.0 / (step + 1), None, None
        self.optimizer = type("O", (), {"param_groups": [{"lr": 0.1}]})
        self.history = [{"epoch": step // 4, "step": step, "loss": self.loss}]


def live(log, start, stop):
    """A run's life: it starts after step `start` and ends after step `stop`."""
    log.on_start(Standin(start))
    for step in range(start + 1, stop + 1):
        log.on_step(Standin(step))
        if step % 4 == 0:
            log.on_epoch_end(Standin(step))
    log.on_stop(Standin(stop))


def test_a_resumed_run_tells_of_each_step_once(tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    live(RunLog(once, every=1), 0, 20)
    live(RunLog(twice, every=1), 0, 14)
    with open(twice / "log.jsonl", "a") as file:
        file.write('{"kind": "step", "st')  # it was killed while it wrote
    live(RunLog(twice, every=1), 10, 20)
    for name in ("steps.csv", "epochs.csv"):
        columns = [
            [row.rsplit(",", 1)[0] for row in (folder / name).read_text().splitlines()]
            for folder in (once, twice)
        ]
        assert columns[0] == columns[1]
    kinds = [json.loads(line)["kind"] for line in (twice / "log.jsonl").read_text().splitlines()]
    assert kinds.count("start") == 2 and kinds.count("step") == 20
    live(RunLog(twice, every=1), 0, 2)  # not resumed: a new log
    assert len((twice / "steps.csv").read_text().splitlines()) == 3


def test_a_log_that_cannot_be_written_ends_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    log = RunLog(tmp_path / "file" / "run")
    with pytest.warns(RuntimeWarning, match="the training does not"):
        live(log, 0, 20)
    with pytest.raises(ArgumentError):
        RunLog(tmp_path, every=0)


@posix
def test_a_full_disk_ends_the_log_and_not_the_training(tmp_path, bare):
    import resource

    def short():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    found, errors = run(tmp_path / "run", "--refresh", 1000, preexec_fn=short)
    assert found[:2] == bare
    assert "the training does not" in errors


# --- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "look",
    [(), pytest.param(("--rich",), marks=pytest.mark.slow)],
    ids=["plain", "rich"],
)
def test_ten_thousand_steps_at_constant_memory(tmp_path, look):
    """With curves, norms, JSON, CSV and event files, drawn twenty times a second."""
    if look:
        pytest.importorskip("rich")
    words = ("--steps", 100, "--epochs", 100, "--refresh", 0.05)
    if sys.platform == "win32":
        (steps, _, memory), _ = run(tmp_path / "run", *words)
    else:
        child = spawn(tmp_path / "run", *words, *look)
        child.timeout = 300
        child.read()
        child.close()
        steps, _, memory = done(tmp_path / "run")
    assert steps == 10_000
    assert max(memory[2:]) - memory[1] < 2_000_000, memory


def test_curves_stay_within_their_limit():
    curve = Curve(limit=100)
    for step in range(1, 10_001):
        curve.add(step, step % 7)
        assert len(curve.x) <= 100
    x, y = curve.points()
    assert np.all(np.diff(x) > 0) and x[0] >= 1 and x[-1] <= 10_000
    assert np.mean(y) == pytest.approx(3.0, abs=0.05) and curve.last == 10_000 % 7
    curve.add(10_001, float("nan"))
    assert len(curve.points()[0]) == len(x) and np.isnan(curve.last)


# --- norms ---------------------------------------------------------------------------------------


def test_norms_are_what_they_say():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    model[2].eval()
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    y = np.zeros(8, int)
    cross_entropy(model(x), y).backward()
    total, each = gradient_norms(model)
    joined = np.concatenate([p.grad.numpy().ravel() for p in model.parameters()])
    assert total == pytest.approx(np.linalg.norm(joined), rel=1e-5)
    assert list(each) == [name for name, _ in model.named_parameters()]
    found = activation_norms(model, [x])
    hidden = x @ model[0].weight.numpy().T + model[0].bias.numpy()
    assert found["0"] == pytest.approx(np.sqrt(np.mean(hidden**2)), rel=1e-5)
    assert found["1"] == pytest.approx(np.sqrt(np.mean(np.maximum(hidden, 0) ** 2)), rel=1e-5)
    assert found["2"] == found["1"]  # nothing is dropped
    assert model[0].training and not model[2].training
    assert not any(module._hooks and any(module._hooks) for module in model.modules())

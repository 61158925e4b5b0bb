"""``deepdive train`` that is interrupted and goes on, is watched, or has nobody to talk to."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from deepdive.datautils import Digits


def test_train_goes_on_where_it_stopped(deepdive, environment, tmp_path):
    """Interrupted and resumed it learns the same weights, bit by bit."""
    words = ("train", "digits", "--epochs", "3", "--limit", "600")
    assert deepdive(*words, "--save", "whole").returncode == 0
    code = (
        "import os, signal\n"
        "from deepdive.cli import main, train\n"
        "def stop(trainer):\n"
        "    if trainer.step == 25: os.kill(os.getpid(), signal.SIGTERM)\n"
        "make = train.make_trainer\n"
        "def made(*given):\n"
        "    trainer = make(*given)\n"
        "    trainer.on('step', stop)\n"
        "    return trainer\n"
        "train.make_trainer = made\n"
        f"raise SystemExit(main({[*words, '--save', 'cut']}))"
    )
    cut = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert cut.returncode == 128 + signal.SIGTERM, cut.stderr
    assert "stopped after step 25, saved; go on with: " in cut.stderr
    assert cut.stderr.endswith("--resume\n")
    result = deepdive(*words, "--save", "cut", "--resume")
    assert result.returncode == 0, result.stderr
    assert "epoch 2/3" in result.stderr and "epoch 1/3" not in result.stderr
    same = [(tmp_path / run / "weights.safetensors").read_bytes() for run in ("whole", "cut")]
    assert same[0] == same[1]
    for run in ("whole", "cut"):
        rows = (tmp_path / run / "steps.csv").read_text().splitlines()[1:]
        assert [row.split(",")[0] for row in rows] == ["10", "20", "30", "40", "50"]
    (last,) = (tmp_path / "cut" / "checkpoints").glob("step-00000057")
    np.save(tmp_path / "digit.npy", Digits(train=False).images[:1])
    assert "digit.npy: " in deepdive("predict", last, "digit.npy").stdout
    nowhere = deepdive("train", "digits", "--resume")
    assert nowhere.returncode == 2 and "--save DIR" in nowhere.stderr
    again = deepdive(*words, "--save", "cut")
    assert "checkpoints of an earlier training are now in" in again.stderr


def test_train_live(environment):
    pexpect = pytest.importorskip("pexpect")
    words = "-m deepdive train digits --epochs 2 --live"
    text = pexpect.run(
        f"{sys.executable} {words}", env=environment(TERM="xterm"), timeout=60
    ).decode("utf-8")
    assert "val_accuracy" in text and "epoch 2/2" in text and "test accuracy" in text


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end differently there")
def test_a_training_nobody_reads_goes_on(environment, tmp_path):
    """``deepdive train … | head -1`` trains to its end and saves."""
    command = f"'{sys.executable}' -m deepdive train digits --epochs 3 --save run | head -1"
    subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment(), check=True, capture_output=True
    )
    assert json.loads((tmp_path / "run" / "state.json").read_text())["epochs"] == 3

"""Trainings that are killed, damaged, interrupted or short of disk – in processes of their own."""

import importlib.util
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deepdive import nn
from deepdive.errors import CheckpointError
from deepdive.train import read_checkpoint
from deepdive.train.checkpoints import Checkpoints

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRIPT = str(HERE / "small_run.py")
found = importlib.util.spec_from_file_location("small_run", SCRIPT)
small_run = importlib.util.module_from_spec(found)
found.loader.exec_module(small_run)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


def start(*words, **options):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, words)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(*words, code=0, **options):
    """(what it printed, what it complained about) of a run that ends with `code`."""
    process = start(*words, **options)
    out, errors = process.communicate(timeout=900)
    assert process.returncode == code, out + errors
    return out, errors


def digest(*words):
    return finish(*words)[0].split()[-1]


def folders(run):
    return Checkpoints(run).all()


# --- 2 + 2 = 4 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_two_epochs_and_two_more_are_four(tmp_path, compile):
    """Bit by bit, whatever the number of workers; weights, averages and history."""
    way = ["--compile"] if compile else []
    expected = digest("-", *way)
    for workers in (0, 2):  # and 4, when it goes on
        run = tmp_path / f"{workers} workers"
        first = digest(run, "--epochs", 2, "--workers", workers, *way)
        assert first != expected
        assert digest(run, "--workers", 4 - workers, "--resume", *way) == expected


def test_a_run_cut_in_the_middle_of_an_epoch_ends_the_same(tmp_path):
    expected = digest("-")
    process = start(tmp_path, "--verbose", "--pause", 0.05, "--workers", 2)
    for line in process.stdout:
        if line == "step 7\n":  # the second of five batches of the second epoch
            process.send_signal(signal.SIGINT)
            break
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "stopped by SIGINT after step 7, saved in" in out and "resume" in out
    assert folders(tmp_path)[-1][0] == 7
    assert digest(tmp_path, "--resume") == expected


def test_sigterm_saves_too(tmp_path):
    process = start(tmp_path, "--verbose", "--pause", 0.05)
    assert process.stdout.readline() == "step 1\n"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert digest(tmp_path, "--resume") == digest("-")


# --- kill -9 -------------------------------------------------------------------------------------


def killed_again_and_again(run, kills, epochs, *way):
    """Kills a run at random moments, `kills` times; checks what is left after each."""
    draw = random.Random(kills)
    words = (run, "--every", 1, "--epochs", epochs, "--resume", *way)
    reached = 0
    for number in range(kills):
        process = start(*words, "--verbose")
        if number % 4 == 3:  # while it starts, finds its checkpoint, tidies up
            time.sleep(draw.random() * 0.5)
        else:  # while it learns: a step with its checkpoint takes some 10 ms
            assert process.stdout.readline().startswith("step ")
            time.sleep(draw.random() * 0.03)
        process.kill()
        _, errors = process.communicate()
        assert errors == ""
        found = folders(run)
        step = found[-1][0] if found else 0
        assert step >= reached, "a checkpoint was lost"
        assert len(found) <= 4
        for _, folder in found:
            assert read_checkpoint(folder)[0]["step"] == int(folder[-8:])  # none is torn
        reached = step
    out, errors = finish(*words)
    assert errors == ""
    return out.split()[-1], reached


WAYS = {"eager": (), "compiled": ("--compile", "--workers", "2")}


@pytest.mark.parametrize("way", WAYS)
def test_kill_9_at_random_moments(tmp_path, way):
    epochs = 30  # of five steps: more than a few short lives reach on a fast machine
    found, reached = killed_again_and_again(
        tmp_path, 8 if way == "eager" else 4, epochs, *WAYS[way]
    )
    assert 3 <= reached < 5 * epochs
    assert found == digest("-", "--epochs", epochs, *WAYS[way])


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_kill_9_at_a_hundred_random_moments(tmp_path, way):
    epochs = 600  # of five steps: more than a hundred short lives reach on a fast machine
    found, reached = killed_again_and_again(tmp_path, 100, epochs, *WAYS[way])
    print(f"{way}: reached step {reached} of {5 * epochs} in 100 lives")
    assert 60 <= reached < 5 * epochs
    assert found == digest("-", "--epochs", epochs, *WAYS[way])


# --- damage --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of four epochs with its last three checkpoints, and its digest."""
    run = tmp_path_factory.mktemp("run")
    return run, digest(run, "--keep", 3)


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE = [
    ("weights.safetensors", "flipped"),
    ("model.arc", "flipped"),
    ("SHA256SUMS", "flipped"),
    ("optimizer.safetensors", "truncated"),
    ("SHA256SUMS", "gone"),
    ("state.json", "gone"),
]


@pytest.mark.parametrize(("name", "how"), DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_aloud(tmp_path, finished, name, how):
    run, expected = finished
    shutil.copytree(run, tmp_path / "run")
    last = Path(folders(tmp_path / "run")[-1][1])
    if how == "flipped":
        damage(last / name)
    elif how == "truncated":
        (last / name).write_bytes((last / name).read_bytes()[:-10])
    else:
        (last / name).unlink()
    with pytest.raises(CheckpointError):
        read_checkpoint(last)
    out, errors = finish(tmp_path / "run", "--resume")
    assert "CheckpointWarning: the checkpoint of step 20 is passed over" in errors
    assert name in errors or (name, how) == ("SHA256SUMS", "flipped")
    assert out.split()[-1] == expected  # the last epoch was trained again
    assert last.exists() and (last.parent / "damaged-step-00000020").exists()


def test_all_damaged_is_an_error(tmp_path, finished):
    shutil.copytree(finished[0], tmp_path / "run")
    for _, folder in folders(tmp_path / "run"):
        damage(Path(folder) / "state.json")
    _, errors = finish(tmp_path / "run", "--resume", code=1)
    assert re.search(r"CheckpointError: all \d checkpoints in", errors)


def test_checkpoints_are_whole_models(finished):
    """Each is a folder like those of ``model.save``, and ``sha256sum`` finds it whole."""
    _, folder = folders(finished[0])[-1]
    state, weights, _ = read_checkpoint(folder)
    model = nn.load_from_arc(folder)
    for name, x in model.state_dict().items():
        assert np.array_equal(x.numpy(), weights[name])
    assert {"versions", "seed", "random", "epoch", "step", "schedule", "metrics"} <= set(state)
    assert json.loads(Path(folder, "state.json").read_text())["history"][0]["step"] == 5
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


# --- which ones are kept -------------------------------------------------------------------------


def test_the_last_and_the_best_are_kept(tmp_path):
    finish(tmp_path, "--keep", 2, "--epochs", 8)
    state = read_checkpoint(folders(tmp_path)[-1][1])[0]
    values = [record["val_loss"] for record in state["history"]]
    best = 5 * (1 + int(np.argmin(values)))
    assert [step for step, _ in folders(tmp_path)] == sorted({best, 35, 40})
    assert state["handlers"]["checkpoints"]["best"] == {"step": best, "value": min(values)}


def test_a_new_training_in_an_old_folder_sets_the_old_one_aside(tmp_path):
    finish(tmp_path, "--epochs", 2)
    old = folders(tmp_path)[-1][1]
    kept = read_checkpoint(old)[1]
    _, errors = finish(tmp_path, "--epochs", 1)
    assert "CheckpointWarning: the checkpoints of an earlier training are now in" in errors
    assert [step for step, _ in folders(tmp_path)] == [5]
    aside = read_checkpoint(old.replace("checkpoints", "checkpoints.old"))[1]
    assert all(np.array_equal(kept[name], aside[name]) for name in kept)


def test_another_model_or_data_set_is_refused(tmp_path):
    finish(tmp_path, "--epochs", 1)
    _, errors = finish(tmp_path, "--resume", "--width", 8, code=1)
    assert "CheckpointError: load_state_dict: the state does not fit" in errors


def test_two_processes_do_not_train_into_one_folder(tmp_path):
    first = start(tmp_path, "--verbose", "--pause", 0.05, "--epochs", 1000)
    assert first.stdout.readline() == "step 1\n"
    for more in ((), ("--resume",)):
        _, errors = finish(tmp_path, *more, code=1)
        assert "CheckpointError: another training is writing into" in errors
    first.terminate()
    out, errors = first.communicate(timeout=60)
    assert first.returncode == 143, errors
    step = int(re.search(r"after step (\d+), saved", out)[1])
    assert folders(tmp_path)[-1][0] == step


def test_checkpoints_by_the_clock(tmp_path):
    """Every 0.1 s of a training that takes a second, beside those of the epochs."""
    words = small_run.parser().parse_args([str(tmp_path), "--pause", "0.05"])
    trainer, loader, _ = small_run.make(words)
    trainer.checkpoints.every_seconds, trainer.checkpoints.keep = 0.1, 99
    trainer.on("step", lambda trainer: time.sleep(0.05))
    trainer.fit(loader, 4)
    steps = [step for step, _ in folders(tmp_path)]
    assert {5, 10, 15, 20} <= set(steps) and 8 <= len(steps) <= 20
    best = min(trainer.history, key=lambda record: record["loss"])["step"]
    assert trainer.checkpoints.best_folder() == dict(folders(tmp_path))[best]


# --- no room -------------------------------------------------------------------------------------


def test_no_room_on_the_disk(tmp_path):
    """RLIMIT_FSIZE stands for a full disk: writing fails in the middle of a file."""
    import resource

    expected = digest("-", "--epochs", 2, "--width", 64)
    finish(tmp_path, "--epochs", 1, "--width", 64)
    (step, folder), before = folders(tmp_path)[-1], sorted(os.listdir(tmp_path / "checkpoints"))

    def short():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    words = (tmp_path, "--width", 64, "--resume", "--epochs", 2)
    _, errors = finish(*words, code=1, preexec_fn=short)
    assert "CheckpointError: cannot write" in errors and "File too large" in errors
    assert sorted(os.listdir(tmp_path / "checkpoints")) == before  # nothing is left behind
    assert step == 5 and read_checkpoint(folder)[0]["step"] == 5
    assert digest(*words) == expected


def mounted(path, *options):
    """Whether a small file system could be mounted there."""
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(path)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def test_a_disk_that_is_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted(disk, "-o", "size=256k"):
        pytest.skip("no right to mount a file system")
    try:
        expected = digest("-", "--epochs", 40, "--width", 256)
        words = (disk, "--width", 256, "--resume")
        _, errors = finish(*words, "--epochs", 40, "--keep", 9, code=1)
        assert "CheckpointError: cannot write" in errors and "No space left" in errors
        assert "free some space" in errors
        for _, folder in folders(disk):
            read_checkpoint(folder)
        assert not [name for name in os.listdir(disk / "checkpoints") if name[0] == "."]
        subprocess.run(["mount", "-o", "remount,size=9m", str(disk)], check=True)
        assert digest(*words, "--epochs", 40) == expected
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_folder_that_is_read_only(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        disk.chmod(0o500)
    elif not mounted(disk, "-o", "ro"):
        pytest.skip("no way to make a folder read-only for root")
    try:
        _, errors = finish(disk / "run", code=1)
        assert "CheckpointError: cannot write" in errors
        assert "read-only" in errors.lower() or "Permission" in errors
        assert "step" not in errors.split("CheckpointError")[1].split("fix")[0]  # before the first
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)

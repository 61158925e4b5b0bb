"""The fixtures of conftest.py do what they promise, seen from outside."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LEAKING = """
import os, random
import numpy as np
from deepdive import config
from deepdive.core.random import get_rng_state, manual_seed

draws = []

def test_leaks_grad_mode():
    config.grad_mode.set(False)

def test_leaks_default_dtype():
    config.set_default_dtype("float64")

def test_leaks_folder(tmp_path):
    os.chdir(tmp_path)

def test_leaks_error_state():
    np.seterr(over="ignore", divide="ignore")

def test_finds_everything_restored():
    assert config.grad_mode.get() and config.defaults.dtype == "float32"

def test_may_change_what_it_restores(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with config.no_grad(), np.errstate(all="raise"):
        manual_seed(7)

def draw():
    draws.append((get_rng_state(), random.random(), np.random.rand()))

def test_first_draw():
    draw()

def test_second_draw():
    draw()
    assert draws[0] == draws[1]

def test_shared_data_may_be_absent(shared):
    shared("data/nothing")
"""


def test_leaks_are_failures_and_seeds_are_fixed(tmp_path):
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "test_leaking.py").write_text(LEAKING)
    options = [
        "-c",
        ROOT / "pyproject.toml",
        "--rootdir",
        tmp_path,
        "-rA",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DEEPDIVE_SHARED": str(tmp_path)},
    )
    leaks = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
    assert [line.partition(" - ")[0].rpartition("::test_")[2] for line in leaks] == [
        "leaks_grad_mode",
        "leaks_default_dtype",
        "leaks_folder",
        "leaks_error_state",
    ]
    assert "config.defaults.dtype was 'float32' and is 'float64'" in done.stdout
    assert "1 skipped" in done.stdout and "no data/nothing in" in done.stdout
    assert "8 passed, 1 skipped, 4 errors" in done.stdout, done.stdout

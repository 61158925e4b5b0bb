"""Real processes of ``python -m deepdive``, and one small trained network for all tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def variables(**extra):
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **extra}


@pytest.fixture
def environment():
    """``environment(NO_COLOR="1")``: the variables of a process, with some more."""
    return variables


@pytest.fixture
def deepdive(tmp_path):
    """``deepdive("info")`` runs a command in an empty folder, without a terminal."""

    def run(*words, timeout=60, **extra):
        return process(tmp_path, ["-m", "deepdive", *words], timeout, extra)

    return run


@pytest.fixture
def python_in(tmp_path):
    """``python_in("script.py", "word")`` runs a script there."""

    def run(*words, timeout=60, **extra):
        return process(tmp_path, words, timeout, extra)

    return run


def process(folder, words, timeout, extra):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=variables(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a network that has learned digits for three epochs."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    command = [sys.executable, "-m", "deepdive", "train", "digits", "--epochs", "3"]
    subprocess.run([*command, "--save", str(folder)], env=variables(), check=True, timeout=60)
    return folder

"""The examples on the digits in the wheel, as their readers run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def printed(name, folder, *words):
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_two_numbers_tell_most_of_a_digit(tmp_path):
    text = printed("autoencoder.py", tmp_path, "--epochs", "60")
    error, mean = re.search(r"error ([\d.]+); .*: ([\d.]+)\n", text).groups()
    assert float(error) < 0.55 * float(mean)
    assert len(text.splitlines()) == 1 + 1 + 16 + 1 + 8


def test_the_forger_comes_nearer(tmp_path):
    text = printed("gan.py", tmp_path, "--epochs", "60")
    before, after = re.search(r"digits: ([\d.]+) before, ([\d.]+) now", text).groups()
    assert float(after) < 0.6 * float(before)

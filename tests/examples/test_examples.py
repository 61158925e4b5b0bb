"""The examples as their readers run them, on a few images."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepdive import nn
from deepdive.datautils import write_idx

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def data(tmp_path):
    """A folder like MNIST's: 300 and 100 images, label n being a bright square at place n."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 300), ("t10k", 100)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        images = rng.integers(0, 60, (count, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 4)
            image[row * 7 : row * 7 + 7, column * 7 : column * 7 + 7] = 255
        write_idx(tmp_path / f"{split}-images-idx3-ubyte.gz", images)
        write_idx(tmp_path / f"{split}-labels-idx1-ubyte.gz", labels)
    return tmp_path


def run(name, folder, *words):
    """The example's printed accuracy."""
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), "--data", str(folder), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return float(re.search(r"test accuracy ([\d.]+)%", result.stdout).group(1))


def test_mnist(data):
    assert run("mnist.py", data, "--epochs", "5") > 90
    model = nn.load_from_arc(data / "runs" / "mnist")
    assert (data / "runs" / "mnist" / "model.arc").read_text().split() == [
        *("Sequential", "ReShape(784)", "Linear(784,", "128)", "LayerNorm(128)", "ReLU"),
        *("Linear(128,", "10)", "LayerNorm(10)", "LogSoftmax"),
    ]
    x = np.zeros((2, 28, 28), np.float32)
    assert np.allclose(np.exp(model(x).numpy()).sum(1), 1)


def test_mnist_cnn(data):
    run("mnist_cnn.py", data, "--epochs", "1", "--limit", "64")
    assert (data / "graph.png").read_bytes().startswith(b"\x89PNG")
    model = nn.load_from_arc(data / "runs" / "mnist_cnn")
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    assert shapes == [
        *((4, 1, 3, 3), (4,), (8, 4, 3, 3), (8,)),
        *((1024, 8 * 24 * 24), (1024,), (10, 1024), (10,)),
    ]


def run_names(folder, *words):
    """What names.py printed."""
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / "names.py"), "--data", str(folder), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize("model", ["bigram", "transformer"])
def test_names(tmp_path, model):
    draw = np.random.default_rng(0)
    names = ["".join(draw.choice(["an", "be", "lo"], draw.integers(1, 4))) for _ in range(300)]
    (tmp_path / "names.txt").write_text("\n".join(names))
    words = ("--model", model, "--steps", "60", "--batch", "16", "--save", str(tmp_path / "out"))
    result = run_names(tmp_path, *words, *(["--eager"] if model == "transformer" else []))
    assert result.returncode == 0 and result.stderr == ""
    losses = [float(x) for x in re.findall(r"held out ([\d.]+)", result.stdout)]
    assert losses[-1] < losses[0] < np.log(27) and losses[-1] == losses[-2]
    assert (tmp_path / "out" / "weights.safetensors").exists()


def test_names_says_what_is_wrong(tmp_path):
    result = run_names(tmp_path)
    assert result.returncode == 1 and "there is no" in result.stderr
    (tmp_path / "names.txt").write_text("Emma\nolivia\n")
    result = run_names(tmp_path)
    assert result.returncode == 1 and "'Emma' in it" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("model", "most"), [("bigram", 2.46), ("mlp", 2.2)])
def test_names_reach(shared, model, most):
    out = run_names(shared("data/names"), "--model", model).stdout
    assert float(re.findall(r"held out ([\d.]+) nats", out)[-1]) <= most


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "least"), [("mnist.py", (), 96), ("mnist_cnn.py", ("--limit", "12000"), 94)]
)
def test_on_mnist_itself(shared, tmp_path, name, words, least):
    folder = tmp_path / "data"
    folder.symlink_to(shared("data/mnist"))
    assert run(name, folder, *words, "--save", str(tmp_path / "model")) >= least


def test_resnet(tmp_path):
    """On files in CIFAR-10's format: pictures of class n are bright in row 3 n."""
    draw = np.random.default_rng(0)
    for name, count in [(f"data_batch_{i}", 12) for i in range(1, 6)] + [("test_batch", 20)]:
        labels = draw.integers(0, 10, count).astype(np.uint8)
        images = draw.integers(0, 60, (count, 3, 32, 32)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 3 * label : 3 * label + 3] = 255
        records = np.concatenate((labels[:, None], images.reshape(count, -1)), 1)
        (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    words = ("--width", "4", "--batch", "10", "--epochs", "1", "--save", str(tmp_path / "out"))
    assert 0 <= run("resnet.py", tmp_path, *words) <= 100
    weights = tmp_path / "out" / "weights.safetensors"
    again = ("--width", "4", "--epochs", "0", "--weights", str(weights))
    assert run("resnet.py", tmp_path, *again) == run("resnet.py", tmp_path, *again, "--eager")

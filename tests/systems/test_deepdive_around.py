"""System A as its users write it, around the models: data, pictures, examples.

The docstrings are the table's words.
"""

import os
import re
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

import deepdive
from deepdive import datautils, nn, utils
from deepdive.core.operator import REGISTRY
from deepdive.dash import Dash
from deepdive.errors import DeviceError
from deepdive.tensor import Tensor
from tests.systems.pytorch_beside import random, small_model

ROOT = Path(__file__).resolve().parents[2]


# --- data --------------------------------------------------------------------------------------


class TestDataLoader:
    """`datautils.DataLoader(dataset, batch_size=1, shuffle=False)` takes a Hugging Face `Dataset`
    (or any map-style dataset); yields one array per feature, image columns as number arrays
    `(B, 28, 28)`; the last batch may be smaller; `len()`; can be iterated again and again;
    shuffling is a Fisher–Yates permutation, new each epoch; `.shuffle()` and `.get_batches()` by
    hand.
    """

    @pytest.fixture(scope="class")
    def pictures(self):
        datasets = pytest.importorskip("datasets")
        pytest.importorskip("PIL")
        features = datasets.Features(
            {"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)}
        )
        images = [np.full((28, 28), i, np.uint8) for i in range(10)]
        columns = {"image": images, "label": list(range(10))}
        return datasets.Dataset.from_dict(columns, features=features)

    def test_a_hugging_face_dataset(self, pictures):
        loader = datautils.DataLoader(pictures, batch_size=4)
        assert len(loader) == 3
        for _ in range(2):
            seen = []
            for images, labels in loader:
                assert isinstance(images, np.ndarray)
                assert images.shape == (len(labels), 28, 28)
                np.testing.assert_array_equal(images[:, 3, 3], labels)
                seen.append(labels.tolist())
            assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]

    def test_a_batch_goes_straight_into_a_model(self, pictures):
        model = nn.Sequential(nn.ReShape(784), nn.Linear(784, 10), nn.LogSoftmax())
        for images, labels in datautils.DataLoader(pictures, batch_size=5, shuffle=True):
            nn.NLLLoss()(model(images / 255), labels).backward()
            model.step(lr=0.01)

    def test_any_map_style_dataset(self):
        class Squares:
            def __len__(self):
                return 5

            def __getitem__(self, i):
                return i, np.full(2, i * i)

        batches = list(datautils.DataLoader(Squares(), batch_size=2))
        assert [b[0].tolist() for b in batches] == [[0, 1], [2, 3], [4]]
        assert batches[1][1].tolist() == [[4, 4], [9, 9]]
        assert [len(b[0]) for b in datautils.DataLoader(Squares())] == [1] * 5

    def test_shuffling_is_a_permutation_new_each_epoch(self):
        loader = datautils.DataLoader(np.arange(100), batch_size=7, shuffle=True)
        epochs = [np.concatenate(list(loader)).tolist() for _ in range(3)]
        assert all(sorted(epoch) == list(range(100)) for epoch in epochs)
        assert len({tuple(epoch) for epoch in epochs}) == 3

    def test_every_permutation_is_as_likely(self):
        """Fisher–Yates: all 3! orders come up equally often."""
        loader = datautils.DataLoader(np.arange(3), batch_size=3, shuffle=True)
        counts = {}
        for _ in range(1200):
            (order,) = loader
            counts[tuple(order.tolist())] = counts.get(tuple(order.tolist()), 0) + 1
        assert len(counts) == 6
        assert sum((n - 200) ** 2 / 200 for n in counts.values()) < 20.5  # χ², p = 0.001

    def test_by_hand(self):
        loader = datautils.DataLoader(np.arange(20), batch_size=8)
        assert np.concatenate(list(loader.get_batches())).tolist() == list(range(20))
        loader.shuffle()
        first = np.concatenate(list(loader.get_batches())).tolist()
        assert first == np.concatenate(list(loader.get_batches())).tolist()
        assert first != sorted(first) == list(range(20))

    def test_real_mnist(self, shared):
        """Image columns as number arrays `(B, 28, 28)`."""
        mnist = datautils.MNIST(shared("data/mnist"), train=False)
        images, labels = next(iter(datautils.DataLoader(mnist, batch_size=64)))
        assert images.shape == (64, 28, 28)
        assert labels[:5].tolist() == [7, 2, 1, 0, 4]


# --- seeing ------------------------------------------------------------------------------------


class TestDash:
    """`dash.Dash(num_metrics)`: `.update(*values)` while training, `.plot()`: live curves in the
    terminal.
    """

    def test_update_and_plot(self, capsys):
        dash = Dash(2)
        w = Tensor([4.0])
        for step in range(20):
            loss = (w * w).sum()
            loss.backward()
            dash.update(loss, step)
            dash.plot()
            w.data -= 0.1 * w.grad
            w.grad = None
        assert list(map(len, dash.history.values())) == [20, 20]
        assert capsys.readouterr().out.startswith("step 1")  # plain lines: this is no terminal

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
    def test_curves_in_a_real_terminal(self):
        pexpect = pytest.importorskip("pexpect")
        code = (
            "from deepdive.dash import Dash\n"
            "dash = Dash(2, refresh=0)\n"
            "for i in range(1, 30):\n"
            "    dash.update(1 / i, i * i); dash.plot()\n"
        )
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        child = pexpect.spawn(
            sys.executable,
            ["-c", code],
            cwd=ROOT,
            dimensions=(30, 100),
            env=environment,
            timeout=30,
        )
        child.expect(pexpect.EOF)
        text = child.before.decode("utf-8", "replace")
        assert "metric 1" in text
        assert "metric 2" in text
        assert "\x1b[" in text  # drawn over itself
        assert len(re.findall("[⠀-⣿]", text)) > 100  # curves of Braille dots


# --- GPU ---------------------------------------------------------------------------------------


class TestGpu:
    """`utils.check_cupy()`, `utils.import_cupy_else_numpy()`, `deepdive.CUPY_AVAILABLE`: is a GPU
    array library there; the module to use (a warning when it falls back).
    """

    def test_is_it_there(self):
        assert utils.check_cupy() in (True, False)
        assert deepdive.CUPY_AVAILABLE is utils.check_cupy()
        if utils.check_cupy():
            assert utils.import_cupy_else_numpy().__name__ == "cupy"
            return
        with pytest.warns(RuntimeWarning, match="arrays stay on the CPU"):
            assert utils.import_cupy_else_numpy() is np

    def test_to_cuda(self):
        """`model.to("cuda")`, `tensor.to("cuda")`: moves data to the GPU through CuPy and really
        computes there – or says what to install, and how to check.
        """
        if utils.check_cupy():
            pytest.skip("a GPU is here")
        for move in (
            lambda: Tensor([1.0]).to("cuda"),
            lambda: small_model().to("cuda"),
            lambda: Tensor([1.0], device="cuda"),
        ):
            with pytest.raises(DeviceError) as caught:
                move()
            assert "got: 'cuda'" in str(caught.value)
            assert "fix: pip install 'deepdive-ml[cuda12]'" in str(caught.value)
            assert "deepdive.utils.check_cupy()" in str(caught.value)


# --- examples, packaging -----------------------------------------------------------------------


class TestExamples:
    """`mnist.py`: 784-128-LayerNorm-ReLU-10-LayerNorm-LogSoftmax, batch 64, SGD, live loss and
    accuracy, save. `mnist_cnn.py`: Conv(1→4, 3)-ReLU-Conv(4→8, 3)-ReLU-ReShape-Linear
    1024-ReLU-Linear 10-LogSoftmax, batch 32, weight decay 1e-4, draws its graph at the first step.
    """

    @pytest.mark.parametrize("name", ["mnist", "mnist_cnn"])
    def test_it_runs_on_real_mnist(self, name, shared, tmp_path):
        seeded = f"""if True:
            import deepdive, runpy
            deepdive.manual_seed(1)
            runpy.run_path({str(ROOT / "examples" / name) + ".py"!r}, run_name="__main__")
        """
        command = [sys.executable, "-c", seeded, "--data", shared("data/mnist")]
        limit = {"mnist": "4000", "mnist_cnn": "300"}[name]
        done = subprocess.run(
            [*command, "--epochs", "1", "--limit", limit, "--save", "saved"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        accuracy = float(re.search(r"test accuracy ([\d.]+)%", done.stdout)[1])
        assert accuracy > {"mnist": 75, "mnist_cnn": 11}[name]
        assert "loss" in done.stdout
        assert "accuracy" in done.stdout
        arc = (tmp_path / "saved" / "model.arc").read_text().split("\n")
        layers = [line.strip() for line in arc if line.strip()][1:]
        assert (
            layers
            == {
                "mnist": [
                    "ReShape(784)",
                    "Linear(784, 128)",
                    "LayerNorm(128)",
                    "ReLU",
                    "Linear(128, 10)",
                    "LayerNorm(10)",
                    "LogSoftmax",
                ],
                "mnist_cnn": [
                    "ReShape((1, 28, 28))",
                    "Conv2d(1, 4, 3)",
                    "ReLU",
                    "Conv2d(4, 8, 3)",
                    "ReLU",
                    "ReShape(4608)",
                    "Linear(4608, 1024)",
                    "ReLU",
                    "Linear(1024, 10)",
                    "LogSoftmax",
                ],
            }[name]
        )
        if name == "mnist_cnn":
            assert png_pixels(tmp_path / "graph.png")[0] > 300
        model = nn.load_from_arc(tmp_path / "saved")
        mnist = datautils.MNIST(shared("data/mnist"), train=False)
        right = model(mnist.images[:200] / np.float32(255)).numpy().argmax(1) == mnist.labels[:200]
        assert right.mean() > {"mnist": 0.7, "mnist_cnn": 0.08}[name]


class TestPackaging:
    """a wheel with `pyproject.toml`; API reference generated from docstrings"""

    def test_public_names_have_docstrings(self):
        for module in (nn, deepdive.optim, datautils, utils, deepdive.dash):
            for name in dir(module):
                thing = getattr(module, name)
                own = getattr(thing, "__module__", "").startswith("deepdive")
                if own and not name.startswith("_") and callable(thing):
                    assert thing.__doc__, f"{module.__name__}.{name}"
        assert all(function.__doc__ for function in REGISTRY.values())

    def test_pyproject(self):
        text = (ROOT / "pyproject.toml").read_text()
        assert 'name = "deepdive-ml"' in text
        assert 'dependencies = ["numpy' in text


def png_pixels(path):
    """The rows of a PNG file, decoded by hand: (height, bytes per row)."""
    data = Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, idat = 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        idat += body if kind == b"IDAT" else b""
        place += 12 + length
    assert kind == b"IEND"
    return width, height, len(zlib.decompress(idat))


class TestDrawGraph:
    """`t.draw_graph(namespace=None)`, before and after `backward()`; writes `graph.png` in the
    current folder: a picture of the computational graph: a box per tensor (variable name found in
    `namespace`, shape, has a gradient or not), a node per operator, edges between.
    """

    def test_graph_png_in_the_current_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        w, x = Tensor(random(3, 2)), Tensor(random(5, 3))
        loss = x.dot(w).relu().mean()
        loss.draw_graph()
        width, height, size = png_pixels("graph.png")
        assert min(width, height) > 50
        assert size > height
        first = Path("graph.png").read_bytes()
        loss.backward()
        loss.draw_graph(locals())
        assert Path("graph.png").read_bytes() != first  # now with names and gradients
        assert [p.name for p in tmp_path.iterdir()] == ["graph.png"]

    def test_the_picture_says_names_shapes_gradients_and_operators(self, tmp_path):
        w, x = Tensor(random(3, 2)), Tensor(random(5, 3))
        hidden = x.dot(w)
        loss = hidden.relu().mean()

        def words(name):
            path = loss.draw_graph(
                {"w": w, "x": x, "hidden": hidden, "loss": loss}, tmp_path / name
            )
            return Path(path).read_text()

        before = words("before.svg")
        loss.backward()
        after = words("after.svg")
        for word in ("w", "x", "hidden", "loss", "Matmul", "Relu", "Mean"):
            assert re.search(rf">[^<]*\b{word}\b", after), word
        for shape in ("(3, 2)", "(5, 3)", "(5, 2)"):
            assert shape in after
        assert before != after
        arrows = words("graph.dot").count("->")
        assert arrows == 7  # x, w → Matmul → hidden → Relu → · → Mean → loss


def test_importing_warns_of_nothing_and_prints_nothing():
    with warnings.catch_warnings():
        code = "import deepdive, deepdive.nn, deepdive.optim, deepdive.datautils, deepdive.dash"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

"""Large products and convolutions of eager mode: two ways, one decision, kept on disk."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import deepdive as dd
from deepdive import config
from deepdive.backend import numpy_cpu
from deepdive.backend.two_ways import LEAST, product_work
from deepdive.errors import ShapeError
from deepdive.kernels import choice
from deepdive.nn import functional as F

WORDS = tuple(choice.WAYS)


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


@pytest.fixture
def asked(monkeypatch):
    """Large calls go to the kernels; the words that asked for theirs."""
    found = []

    def kernel(word):
        found.append(word.name)
        return choice.WAYS[word.name]

    monkeypatch.setattr(config, "chooser", [kernel])
    monkeypatch.setattr(config, "eager_kernels", True)
    for name in WORDS:
        monkeypatch.setattr(getattr(numpy_cpu, name), "way", None)
    return found


@pytest.mark.parametrize(
    "shapes",
    [
        ((300, 200), (200, 100)),
        ((3, 4, 60, 50), (3, 4, 50, 70)),
        ((5, 7, 100, 90), (90, 80)),
        ((6, 100, 90), (6, 90, 80)),
        ((300, 200), (200,)),
        ((7, 30, 200), (200,)),
    ],
    ids=str,
)
def test_products_agree_with_numpy(shapes, asked):
    x, y = (draw(*shape) for shape in shapes)
    turned = np.ascontiguousarray(y.T).T if y.ndim > 1 else np.repeat(y, 2)[::2]
    for right in (y, turned):
        out = numpy_cpu.matmul(x, right)
        np.testing.assert_allclose(out, np.matmul(x, right), rtol=1e-4, atol=1e-4)
    assert asked == ["matmul"]  # once


def test_a_product_into_memory_that_is_there(asked):
    into = np.empty((300, 100), "f")
    assert numpy_cpu.matmul(draw(300, 200), draw(200, 100), out=into) is into
    np.testing.assert_allclose(into, draw(300, 200) @ draw(200, 100), rtol=1e-4, atol=1e-4)
    assert asked == ["matmul"]


@pytest.mark.parametrize("way", [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 1), (1, 1, 1, 4)], ids=str)
def test_convolutions_and_their_gradients_agree(way, asked):
    stride, padding, dilation, groups = way
    x = dd.tensor(draw(8, 16, 20, 21), requires_grad=True)
    w = dd.tensor(draw(32, 16 // groups, 3, 3), requires_grad=True)
    b = dd.tensor(draw(32), requires_grad=True)

    def found():
        out = F.conv2d(x, w, b, stride, padding, dilation, groups)
        x.grad = w.grad = b.grad = None
        (out * out).sum().backward()
        return [out.numpy(), *(t.grad.numpy() for t in (x, w, b))]

    by_kernel = found()
    assert {*asked} >= {"convolution", "convolution_input_grad", "convolution_weight_grad"}
    config.eager_kernels = False
    for ours, theirs in zip(by_kernel, found(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max())


def test_the_error_function_agrees(asked):
    x = dd.tensor(draw(100, 90) * 3, requires_grad=True)
    ours = dd.erf(x)
    ours.sum().backward()
    assert asked == ["erf"]
    precise = dd.erf(x.double().detach())
    np.testing.assert_allclose(ours.detach().numpy(), precise.numpy(), rtol=3e-7, atol=1e-9)
    assert dd.erf(x.detach().mT).shape == (90, 100)


def test_only_large_calls_in_single_precision_are_asked_about(asked):
    small, double = draw(8, 8), draw(300, 200).astype("f8")
    assert numpy_cpu.matmul(small, small).shape == (8, 8)
    assert numpy_cpu.matmul(double, double.T).dtype == "f8"
    F.conv1d(dd.tensor(draw(8, 16, 999)), dd.tensor(draw(16, 16, 9)))
    F.conv2d(dd.ones(0, 16, 99, 99), dd.ones(16, 16, 9, 9))
    assert not asked
    assert product_work(draw(2, 64, 64), draw(2, 64, 64)) == 2 * 64 * 64 * 64 >= LEAST
    assert product_work(draw(2, 64, 32), draw(2, 32, 8)) < LEAST


def test_errors_are_those_of_the_word(asked):
    with pytest.raises(ShapeError, match="31 channels"):
        F.conv2d(dd.ones(64, 31, 26, 26), dd.ones(64, 32, 3, 3))
    with pytest.raises(ShapeError, match="transpose one operand"):
        dd.ones(300, 300) @ dd.ones(299, 300)
    assert asked == ["convolution", "matmul"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The file of the verdict, and each asking as in a new process."""
    monkeypatch.setattr(choice, "_path", lambda: tmp_path / "eager.json")
    monkeypatch.setattr(choice, "verdict", choice.verdict.__wrapped__)
    return tmp_path / "eager.json"


def test_what_was_measured_is_kept_and_serves_all_words(place, monkeypatch):
    verdict = choice.verdict()
    kept = json.loads(place.read_text())
    assert kept["faster"] == verdict
    assert all(s > 0 for pair in kept["seconds"].values() for s in pair.values())
    monkeypatch.setattr(choice, "_measured", lambda: pytest.fail("measured again"))
    for name in WORDS:
        word = getattr(numpy_cpu, name)
        expected = choice.WAYS[name] if verdict == choice.KERNEL else word.plain
        assert choice.choose(word) is expected


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"faster": 3}', "\x00"])
def test_a_damaged_file_is_measured_anew(damage, place):
    place.write_text(damage)
    verdict = choice.verdict()
    assert json.loads(place.read_text())["faster"] == verdict


@pytest.mark.parametrize(("kernel", "way"), [(1e-3, "kernel"), (9e-3, "NumPy")])
def test_kernels_are_taken_unless_they_are_slower(kernel, way, monkeypatch):
    seconds = {choice.matmul: kernel, np.matmul: 2e-3}
    monkeypatch.setattr(choice, "_fastest", lambda function, x, y: seconds[function])
    assert choice._measured()["faster"] == way


def test_a_folder_that_cannot_be_written_costs_time_only(place, monkeypatch, caplog):
    monkeypatch.setattr(choice, "_path", lambda: place / "below a file" / "eager.json")
    monkeypatch.setattr("deepdive.kernels.jit._said", [])
    place.write_text("{}")
    assert choice.verdict() in (choice.KERNEL, choice.PLAIN)
    assert "could not be kept" in caplog.text


SCRIPT = """
import hashlib, sys
import numpy as np
import deepdive as dd
x = dd.tensor(np.random.default_rng(0).standard_normal((300, 400)).astype("f"))
out = (x @ x.mT).numpy()
print(hashlib.sha256(out.tobytes()).hexdigest(), "numba" in sys.modules)
"""


def said(tmp_path, **more):
    env = {**os.environ, "DEEPDIVE_CACHE": str(tmp_path), **more}
    run = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, capture_output=True, text=True, env=env, check=True)
    return done.stdout.split(), done.stderr


def test_processes_agree_bit_for_bit_and_say_what_takes_long(tmp_path):
    first, told = said(tmp_path)
    assert "compiling the kernel of matmul" in told
    again, told = said(tmp_path)
    assert (first, told) == (again, "")
    (_, numba), told = said(tmp_path, DEEPDIVE_EAGER_KERNELS="0")
    assert numba == "False" and not told


def test_without_numba_numpy_computes(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'numba' else found(name, *rest)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    (_, numba), told = said(tmp_path, PYTHONPATH=path)
    assert numba == "False" and not told

"""Without NumPy installed the library trains, saves and loads on native arrays."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import host, nn
from deepdive.datautils import Compose, Digits, Flatten, Scale, random_split
from deepdive.host import DType, promote_types
from deepdive.io import safetensors

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "without_numpy.py"
MISSING = "needs the package 'numpy'\n  fix: pip install numpy"


def call(*command, **options):
    """Run a program; its output, or an error that shows what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**kept, **more}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What an interpreter without any installed package finds (-S: no site-packages)."""
    folder = tmp_path_factory.mktemp("native")
    env = environment(PYTHONPATH=str(ROOT))
    out = call(sys.executable, "-S", SCRIPT, folder, 1, cwd=folder, env=env)
    return json.loads(out), folder


def test_the_default_device_is_native(found):
    assert found[0]["device"] == "native"
    assert found[0]["printed"] == (
        "tensor([[1.0000, 2.5000],\n        [3.0000, 4.0000]], device='native')"
    )


def test_random_numbers_are_those_drawn_with_numpy(found):
    dd.manual_seed(7)
    generator = dd.Generator(3).fork(2, 5)
    rows = found[0]["random"]
    # in the order of drawing; the normal ones go through a logarithm and a cosine
    assert rows["rand"] == dd.rand(5).tolist()
    assert rows["double"] == dd.rand(3, dtype="float64").tolist()
    np.testing.assert_allclose(rows["randn"], dd.randn(2, 3).tolist(), rtol=1e-6)
    assert rows["uniform"] == generator.uniform((4,), -2.0, 3.0).tolist()
    assert rows["randint"] == dd.randint(-5, 10, (6,)).tolist()
    assert rows["wide"] == generator.integers(-(1 << 63), (1 << 63) - 1, (4,)).tolist()
    assert rows["randperm"] == dd.randperm(9).tolist()
    assert rows["bernoulli"] == generator.bernoulli(0.3, (8,)).tolist()
    assert rows["dropped"] == dd.dropout(dd.ones(8), 0.5).tolist()
    assert rows["split"] == [list(part.indices) for part in random_split(range(6), [0.5, 0.5])]
    np.testing.assert_allclose(rows["linear"], nn.Linear(3, 2).weight.tolist(), rtol=1e-6)


def test_what_needs_numpy_says_so(found):
    assert [text.partition(" needs")[0] for text in found[0]["refused"]] == [
        "a NumPy array of the values",
        "device 'cpu'",
        "device 'cpu'",
        "deepdive.compiler.compile",
        "deepdive.dash",
    ]
    assert all(text.endswith(MISSING) for text in found[0]["refused"])


def test_only_these_rooms_need_numpy(found):
    """`backend`: the speakers of NumPy and CuPy; `kernels`: Numba, which brings NumPy along."""
    allowed = {"backend", "cli", "compiler", "dash", "kernels", "onnx", "testing", "train"}
    assert set(found[0]["rooms"]) <= allowed


def test_gradients(found):
    assert found[0]["gradients"] == [[3.0, 12.0], [6.0, 12.0], False]


def losses_with_numpy(make_optimizer, steps):
    """The first losses of the same training on the CPU."""
    dd.manual_seed(0)
    data = Digits(train=True, transform=Compose(Scale(1 / 16), Flatten()))
    loader = dd.datautils.DataLoader(data, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = make_optimizer(model.parameters())
    losses = []
    for (x, y), _ in zip(loader, range(steps), strict=False):
        loss = nn.functional.cross_entropy(model(x), dd.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_training_follows_that_with_numpy(found):
    adam = losses_with_numpy(lambda parameters: dd.optim.Adam(parameters, lr=0.01), 10)
    np.testing.assert_allclose(found[0]["losses"], adam, rtol=1e-4)
    sgd = losses_with_numpy(lambda parameters: dd.optim.SGD(parameters, lr=0.1, momentum=0.9), 10)
    np.testing.assert_allclose(found[0]["sgd"], sgd, rtol=1e-4)
    assert found[0]["accuracy"] > 0.85


def test_files_go_both_ways(found):
    written, folder = found
    assert written["loaded"] == {"x": ["int64", [0, 1, 2, 3]], "y": ["float32", [[1.0], [1.0]]]}
    here = safetensors.load(folder / "x.safetensors")
    assert here["x"].dtype == np.int64 and here["x"].tolist() == [0, 1, 2, 3]
    model = nn.load_from_arc(folder)  # saved there, loaded with NumPy
    data = Digits(train=False, transform=Compose(Scale(1 / 16), Flatten()))
    x, labels = data[:]
    right = (model(x).argmax(1).numpy() == labels).mean()
    assert right == pytest.approx(written["accuracy"])


def test_commands(tmp_path):
    env = environment(PYTHONPATH=str(ROOT))
    out = call(sys.executable, "-S", "-m", "deepdive", "info", cwd=tmp_path, env=env)
    assert "pip install numpy" in out
    command = [sys.executable, "-S", "-m", "deepdive", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1 and "needs the package 'numpy'" in done.stderr


@pytest.mark.slow
def test_installed_in_a_real_environment(tmp_path):
    """``pip install --no-deps`` of the wheel into a new environment; then ≥ 90 % in 3 minutes."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "runs")
    shutil.copytree(ROOT, tmp_path / "source", ignore=ignored)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    call(*build, tmp_path / "source")
    [wheel] = tmp_path.glob("*.whl")
    call(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    call(*pip, "--quiet", wheel)
    env = environment()
    written = json.loads(call(python, SCRIPT, tmp_path / "model", 10, cwd=tmp_path, env=env))
    print(f"{written['accuracy']:.1%} in {written['seconds']:.1f} s")
    assert written["accuracy"] >= 0.9 and written["seconds"] < 180


# --- the stand-in for NumPy's dtypes -----------------------------------------------------------
NAMES = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
NAMES += ["bool", "float16", "float32", "float64"]


@pytest.mark.parametrize("name", NAMES)
def test_dtypes_are_what_numpys_are(name):
    ours, theirs = DType(name), np.dtype(name)
    assert (ours.name, ours.kind, ours.itemsize) == (theirs.name, theirs.kind, theirs.itemsize)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    code = f"{theirs.kind}{theirs.itemsize}".replace("b1", "?")
    assert ours == name and ours == theirs and ours == code and ours != "complex64"
    assert DType(code) is DType(theirs) is ours and len({ours, DType(code)}) == 1
    for other in NAMES:
        wide = np.promote_types(theirs, other)
        floating = (theirs.kind == "f") != (np.dtype(other).kind == "f")
        if not floating:
            assert promote_types(ours, DType(other)) == wide.name


def test_dtypes_python_types_and_copies():
    import copy
    import pickle

    assert [DType(t).name for t in (bool, int, float)] == ["bool", "int64", "float64"]
    assert copy.deepcopy(DType("int8")) is pickle.loads(pickle.dumps(DType("int8"))) is DType("i1")
    with pytest.raises(TypeError, match="not understood"):
        DType("complex64")


def test_a_broken_numpy_is_not_taken_for_none(tmp_path):
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("import a_part_that_is_gone")
    env = environment(PYTHONPATH=f"{tmp_path}:{ROOT}")
    command = [sys.executable, "-S", "-c", "import deepdive"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode and "a_part_that_is_gone" in done.stderr


def test_with_numpy_the_host_is_numpy():
    assert host.np is np and host.NUMPY and dd.zeros(1).device == "cpu"

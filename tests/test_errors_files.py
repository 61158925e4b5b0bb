"""Bad files, missing devices and packages, interrupted saves: named exceptions, whole files."""

import gzip
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import errors, nn, optim
from deepdive.datautils import MNIST, DataLoader, write_idx
from deepdive.errors import (
    CheckpointError,
    DataError,
    DeviceError,
    MissingExtraError,
)
from deepdive.tensor import Tensor
from tests.test_errors import ones, says

ROOT = Path(__file__).resolve().parent.parent


# --- devices and extras ------------------------------------------------------------------------


@pytest.mark.skipif(dd.utils.check_cupy(), reason="a GPU is here")
def test_a_gpu_that_is_not_there():
    for call in (
        lambda: ones(2).to("cuda"),
        lambda: ones(2).cuda(),
        lambda: nn.Linear(2, 2).to("cuda:0"),
        lambda: ones(2) + Tensor([1.0], device="cuda"),
        lambda: dd.zeros(2, device="cuda"),
    ):
        says(
            DeviceError,
            call,
            "no CUDA device can be used here",
            "got: 'cuda",
            "expected: CuPy and an NVIDIA GPU",
            "fix: pip install 'deepdive-ml[cuda12]'",
        )
    says(DeviceError, lambda: ones(2).to("tpu"), "unknown device 'tpu'", "expected: 'cpu'")


def test_two_devices_in_one_operation(monkeypatch):
    """A second device, simulated: the operation refuses before it computes anything."""
    from deepdive.backend import speakers

    class Elsewhere(np.ndarray):
        pass

    class Speaker:
        ARRAY_TYPE, DEVICE = Elsewhere, "cuda:0"

    monkeypatch.setitem(speakers.BY_TYPE, Elsewhere, Speaker)
    there = dd.ones(2)
    there._data = np.ones(2, np.float32).view(Elsewhere)
    says(
        DeviceError,
        lambda: dd.ones(2) + there,
        "two devices",
        "got: cuda:0",
        "expected: cpu",
        "fix: move it first: x.to('cpu')",
    )


def in_a_fresh_process(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_missing_extra(tmp_path):
    """Pillow is hidden; ``predict`` needs it for a JPEG."""
    (tmp_path / "seven.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    text = in_a_fresh_process(
        """if True:
        import sys
        sys.modules["PIL"] = None
        from deepdive.cli.images import read_images
        from deepdive.errors import MissingExtraError
        try:
            read_images(sys.argv[1])
        except MissingExtraError as error:
            assert isinstance(error, ImportError)
            print(error)
        """,
        tmp_path / "seven.jpg",
    )
    assert "needs the package 'pillow'" in text
    assert "fix: pip install 'deepdive-ml[hf]'" in text


def test_the_words_of_a_missing_extra():
    error = errors.missing_extra("datasets", "hf", "reading Hugging Face data sets")
    assert isinstance(error, MissingExtraError)
    assert "fix: pip install 'deepdive-ml[hf]'" in str(error)


def test_the_library_works_without_any_extra():
    """NumPy alone: everything else is hidden."""
    text = in_a_fresh_process("""if True:
        import sys
        for name in "PIL datasets torch numba rich cupy safetensors sklearn pandas".split():
            sys.modules[name] = None
        import deepdive as dd
        from deepdive import nn, optim, datautils, dash, io, utils, cli
        data = datautils.DataLoader(datautils.Digits(), batch_size=64, shuffle=True)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        for x, y in data:
            nn.CrossEntropyLoss()(model(x / 16), y).backward()
            model.step(lr=0.1)
        print("fine")
    """)
    assert text == "fine\n"


# --- data files --------------------------------------------------------------------------------


@pytest.fixture
def mnist(tmp_path):
    images, labels = np.zeros((6, 28, 28), np.uint8), np.arange(6, dtype=np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    assert len(MNIST(tmp_path)) == 6
    return tmp_path


def test_missing_files(mnist):
    says(
        DataError,
        lambda: MNIST(mnist, train=False),
        "no file t10k-images-idx3-ubyte",
        "got: none of t10k-images-idx3-ubyte",
        f"expected: one of them in {mnist}",
        "fix: MNIST(root=<folder of the files>), or MNIST(download=True)",
    )


def test_truncated_files(mnist):
    path = mnist / "train-images-idx3-ubyte"
    whole = path.read_bytes()
    for size in (0, 3, 10, 16, 1000, len(whole) - 1):
        path.write_bytes(whole[:size])
        says(DataError, lambda: MNIST(mnist), str(path), "fix: ")
    path.unlink()
    zipped = gzip.compress(whole)
    for size in (5, 20, len(zipped) - 4):
        (mnist / "train-images-idx3-ubyte.gz").write_bytes(zipped[:size])
        says(DataError, lambda: MNIST(mnist), "train-images-idx3-ubyte.gz", "fix: ")


def test_mislabelled_files(mnist):
    images, labels = mnist / "train-images-idx3-ubyte", mnist / "train-labels-idx1-ubyte"
    contents = images.read_bytes(), labels.read_bytes()
    images.write_bytes(contents[1])
    says(DataError, lambda: MNIST(mnist), "does not hold MNIST images", "got: uint8", "fix: ")
    images.write_bytes(contents[0])
    labels.write_bytes(contents[0])
    says(DataError, lambda: MNIST(mnist), "does not hold MNIST labels", "expected: uint8")
    write_idx(labels, np.arange(5, dtype=np.uint8))
    says(DataError, lambda: MNIST(mnist), "a label for each image", "got: 6 images", "5 labels")
    write_idx(labels, np.array([0, 1, 2, 10, 4, 5], np.uint8))
    says(DataError, lambda: MNIST(mnist), "labels must be 0 to 9", "got: 10 at sample 3")
    labels.write_bytes(b"<html>404 Not Found</html>")
    says(DataError, lambda: MNIST(mnist), "not an IDX file", str(labels))
    labels.write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 2**31) + b"123")
    says(DataError, lambda: MNIST(mnist), "truncated", str(labels))


def test_a_sample_that_fails_is_located():
    class Breaks:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return np.zeros(3) + np.zeros(4 if i == 2 else 3)

    with pytest.raises(ValueError) as caught:
        list(DataLoader(Breaks(), 2))
    assert any("sample 2 of Breaks" in note for note in caught.value.__notes__)


# --- saved models ------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).save(tmp_path / "m")
    return tmp_path / "m"


def test_no_model(tmp_path):
    for call in (nn.load_from_arc, nn.Linear(2, 2).load):
        folder = tmp_path / "nowhere"
        says(CheckpointError, lambda c=call, f=folder: c(f), str(folder), "fix: check the name")
        says(CheckpointError, lambda c=call: c(tmp_path), "fix: ")


ARCS = {
    "unknown layer": ("Linaer(3, 4)", "no layer 'Linaer' is known", "did you mean 'Linear'"),
    "a layer of nobody's": ("Mystery(3)", "'Mystery'", "import the module that defines the class"),
    "arguments": ("Linear(3)", "Linear(3) cannot be made", "out_features"),
    "a value": ("Linear(-3, 4)", "in_features is a whole number"),
    "an open bracket": ("Linear(3, 4", "line 2"),
    "code": ("Linear(3, open('x'))", "line 2"),
    "nothing": (None, "no layer in it", "fix: "),
}


@pytest.mark.parametrize("name", ARCS)
def test_a_damaged_arc(saved, name):
    line, *words = ARCS[name]
    (saved / "model.arc").write_text("" if line is None else f"Sequential\n    {line}\n")
    says(CheckpointError, lambda: nn.load_from_arc(saved), *words)


def test_an_arc_of_random_bytes(saved):
    rng = np.random.default_rng(0)
    whole = (saved / "model.arc").read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(0, 256)
        (saved / "model.arc").write_bytes(damaged)
        try:
            nn.load_from_arc(saved)
        except CheckpointError as error:
            assert str(error)


def test_damaged_weights(saved):
    path = saved / "weights.safetensors"
    whole = path.read_bytes()
    for size in (0, 4, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        says(CheckpointError, lambda: nn.load_from_arc(saved), "weights.safetensors")
    path.unlink()
    says(CheckpointError, lambda: nn.load_from_arc(saved), "weights.safetensors")


def test_weights_that_do_not_fit(saved):
    other = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    before = other[0].weight.numpy().copy()
    says(
        CheckpointError,
        lambda: other.load(saved),
        "nothing was loaded",
        "3 mismatched",
        "'0.weight': shape (4, 3), the model has (5, 3)",
        "fix: strict=False loads what fits",
    )
    np.testing.assert_array_equal(other[0].weight, before)
    state = nn.Linear(3, 4).state_dict()
    says(
        CheckpointError,
        lambda: nn.Sequential(nn.Linear(3, 4)).load_state_dict(state),
        "2 missing:\n  '0.weight'",
        "2 unexpected:\n  'weight'  (did you mean '0.weight'?)",
    )
    wrapped = {f"module.{name}": value for name, value in state.items()}
    says(
        CheckpointError, lambda: nn.Linear(3, 4).load_state_dict(wrapped), "removeprefix('module.')"
    )
    says(
        CheckpointError, lambda: nn.Linear(3, 4).load_state_dict("m"), "got: str 'm'", "model.load"
    )
    report = nn.Linear(3, 5).load_state_dict(state, strict=False)
    assert (report.loaded, list(report.mismatched)) == ([], ["weight", "bias"])


def test_an_optimizers_state_that_does_not_fit():
    state = optim.Adam(nn.Linear(3, 4).parameters()).state_dict()
    says(
        CheckpointError,
        lambda: optim.SGD(nn.Linear(3, 4).parameters(), lr=0.1).load_state_dict(state),
        "does not fit",
        "'betas'",
        "nothing was changed",
    )


def test_what_an_arc_cannot_say_is_refused_before_anything_is_written(tmp_path):
    class Holder(nn.Module):
        def __init__(self, thing):
            pass

    says(
        CheckpointError,
        lambda: Holder({1: object()}).save(tmp_path / "m"),
        "Holder was made with something that model.arc cannot hold",
        "got: argument 1: dict",
        "fix: ",
    )
    assert not (tmp_path / "m").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_save_interrupted_half_way_leaves_the_old_files_whole(tmp_path):
    """Killed at many moments: weights and architecture are always those of one save."""
    code = """if True:
        import sys
        from deepdive import nn
        models = [nn.Sequential(nn.Linear(n, 400), nn.Linear(400, n)) for n in (400, 500)]
        print("ready", flush=True)
        for turn in range(1, 100_000):
            for p in models[turn % 2].parameters():
                p.data[:] = turn
            models[turn % 2].save(sys.argv[1])
    """
    folder = tmp_path / "m"
    seen = set()
    for moment in (0.0, 0.003, 0.007, 0.011, 0.016, 0.023, 0.04, 0.055):
        with subprocess.Popen(
            [sys.executable, "-c", code, folder], cwd=ROOT, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(moment)
            if not seen:  # the first save has to be there before the first kill
                while not (folder / "model.arc").exists():
                    time.sleep(0.001)
            os.kill(writer.pid, signal.SIGKILL)
        model = nn.load_from_arc(folder)
        values = {float(v) for p in model.parameters() for v in np.unique(p.numpy())}
        assert len(values) == 1  # all weights of one save …
        assert model[0].in_features == (400, 500)[int(max(values)) % 2]  # … and its architecture
        seen |= values
    leftovers = {path.name for path in folder.iterdir()} - {"model.arc", "weights.safetensors"}
    assert all(name.startswith(".") for name in leftovers)

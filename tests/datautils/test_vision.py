"""IDX files and the data sets made of them: real ones, small ones and damaged ones."""

import functools
import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest

from deepdive.datautils import MNIST, DataLoader, Digits, OneHot, Scale, read_idx, write_idx
from deepdive.datautils.download import data_root, fetch
from deepdive.errors import DataError, DTypeError

TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")


def small_mnist(folder, n=5, ending="", dot=False):
    folder.mkdir(parents=True, exist_ok=True)
    images = np.arange(n * 784).astype(np.uint8).reshape(n, 28, 28)
    labels = (np.arange(n) % 10).astype(np.uint8)
    for name, array in zip(TRAIN, (images, labels), strict=True):
        write_idx(folder / ((name.replace("-idx", ".idx") if dot else name) + ending), array)
    return images, labels


def failure(make):
    with pytest.raises(DataError) as caught:
        make()
    return str(caught.value)


# --- the format --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (0, 4), (2, 3, 4)])
def test_what_is_written_is_read(tmp_path, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    for name in ("a-idx", "a-idx.gz"):
        write_idx(tmp_path / name, array)
        found = read_idx(tmp_path / name)
        assert found.dtype == dtype
        assert found.dtype.isnative
        assert found.shape == shape
        np.testing.assert_array_equal(found, array)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-idx", "a-idx.gz"]


def test_the_bytes_are_those_of_the_format(tmp_path):
    write_idx(tmp_path / "a", np.array([[1, 2], [3, -4]], dtype=np.int16))
    golden = bytes.fromhex("00000b02 00000002 00000002 0001 0002 0003 fffc")
    assert (tmp_path / "a").read_bytes() == golden


def test_a_result_can_be_written_to(tmp_path):
    write_idx(tmp_path / "a", np.zeros(3, np.uint8))
    read_idx(tmp_path / "a")[0] = 1


def test_write_refuses_what_the_format_has_no_code_for(tmp_path):
    with pytest.raises(DTypeError, match="the format has no int64"):
        write_idx(tmp_path / "a", np.zeros(3, np.int64))
    assert not list(tmp_path.iterdir())


def test_damaged_files_of_each_kind(tmp_path):
    good = struct.pack(">BBBBI", 0, 0, 8, 1, 5) + b"12345"
    zipped = gzip.compress(good)
    damaged = bytearray(zipped)
    damaged[-6] ^= 0xFF  # in the checksum
    huge = struct.pack(">BBBBIII", 0, 0, 14, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    cases = {
        b"": "not an IDX file",
        b"\0\0\x08": "not an IDX file",
        b"PNG\x01" + good: "first bytes 50 4e 47 01",
        b"\0\0\x0a\x01\0\0\0\0": "not an IDX file",
        good[:6]: "truncated in the header",
        good[:-1]: "got: 4 bytes of data\n  expected: 5 for shape (5,)",
        good + b"6": "longer than its header says",
        gzip.compress(good[:-1]): "truncated",
        zipped[:-12]: "corrupt gzip data",
        zipped[:12] + b"\xff\xff" + zipped[14:]: "corrupt gzip data",
        bytes(damaged): "corrupt gzip data",
        b"\x1f\x8bxx": "corrupt gzip data",
        huge: "its header asks for too much",
    }
    for content, words in cases.items():
        (tmp_path / "file").write_bytes(content)
        text = failure(lambda: read_idx(tmp_path / "file"))
        assert words in text, (content[:20], text)
        assert str(tmp_path / "file") in text
    assert "cannot be read" in failure(lambda: read_idx(tmp_path / "absent"))
    assert "cannot be read" in failure(lambda: read_idx(tmp_path))


# --- the digits that come with the library -----------------------------------------------------


def test_digits_are_scikit_learns():
    sklearn = pytest.importorskip("sklearn.datasets")
    original = sklearn.load_digits()
    digits = Digits(train=None)
    np.testing.assert_array_equal(digits.images, original.images)
    np.testing.assert_array_equal(digits.labels, original.target)


def test_digits_are_split_once_and_for_all():
    train, held_out, everything = Digits(True), Digits(False), Digits(None)
    assert (len(train), len(held_out), len(everything)) == (1437, 360, 1797)
    assert train.images.dtype == np.uint8
    assert train.labels.dtype == np.int64
    assert train.images.max() == 16
    counts = np.bincount(held_out.labels)
    assert counts.min() >= 34
    assert counts.max() <= 37
    rows = {image.tobytes() for image in held_out.images}
    assert not any(image.tobytes() in rows for image in train.images)
    joined = np.concatenate((train.images, held_out.images)).reshape(1797, -1)
    assert sorted(map(bytes, joined)) == sorted(map(bytes, everything.images.reshape(1797, -1)))
    by_hand = [i for c in range(10) for i in np.flatnonzero(everything.labels == c)][::5]
    np.testing.assert_array_equal(held_out.labels, everything.labels[sorted(by_hand)])


def test_transforms_for_features_and_for_labels():
    digits = Digits(transform=Scale(1 / 16), target_transform=OneHot(10))
    x, y = digits[0]
    assert x.dtype == y.dtype == np.float32
    assert x.max() <= 1
    assert y.tolist() == np.eye(10)[Digits().labels[0]].tolist()
    xs, ys = next(iter(DataLoader(digits, batchsize=32)))
    assert (xs.shape, ys.shape) == ((32, 8, 8), (32, 10))
    np.testing.assert_array_equal(xs[0], x)


# --- MNIST -------------------------------------------------------------------------------------


def test_the_real_mnist(shared):
    folder = shared("data/mnist")
    train, test = MNIST(folder), MNIST(folder, train=False)
    assert train.images.shape == (60000, 28, 28)
    assert test.images.shape == (10000, 28, 28)
    assert train.images.dtype == np.uint8
    assert train.labels.dtype == np.int64
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(train.labels).tolist() == counts
    # the mean and deviation everybody normalises with
    assert train.images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.images.std() / 255 == pytest.approx(0.3081, abs=1e-4)
    for name, sha256 in MNIST.checksums.items():
        unpacked = gzip.decompress((folder / f"{name}.gz").read_bytes())
        assert hashlib.sha256(unpacked).hexdigest() == sha256


@pytest.mark.parametrize("place", [".", "mnist", "MNIST/raw"])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dot", [False, True])
def test_files_are_found_by_each_of_their_names(tmp_path, monkeypatch, place, ending, dot):
    images, labels = small_mnist(tmp_path / place, ending=ending, dot=dot)
    monkeypatch.setenv("DEEPDIVE_DATA", str(tmp_path))
    for found in (MNIST(tmp_path), MNIST()):
        np.testing.assert_array_equal(found.images, images)
        np.testing.assert_array_equal(found.labels, labels)


def test_the_default_root(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DEEPDIVE_DATA", raising=False)
    assert data_root() == tmp_path / ".cache" / "deepdive"
    assert data_root("~/x") == tmp_path / "x"
    monkeypatch.setenv("DEEPDIVE_DATA", "/data")
    assert str(data_root()) == "/data"


def test_missing_files(tmp_path):
    text = failure(lambda: MNIST(tmp_path))
    assert "MNIST: no file train-images-idx3-ubyte" in text
    assert "train-images.idx3-ubyte.gz" in text
    assert str(tmp_path / "MNIST" / "raw") in text
    assert "fix: MNIST(root=<folder of the files>), or MNIST(download=True)" in text
    small_mnist(tmp_path)
    assert "no file t10k-images-idx3-ubyte" in failure(lambda: MNIST(tmp_path, train=False))


def test_files_that_are_not_what_their_names_say(tmp_path):
    images, labels = small_mnist(tmp_path)
    write_idx(tmp_path / TRAIN[1], images)
    text = failure(lambda: MNIST(tmp_path))
    assert f"{tmp_path / TRAIN[1]}: does not hold MNIST labels" in text
    assert "got: uint8 of shape (5, 28, 28)\n  expected: uint8 of shape (N,)" in text
    assert "named wrongly" in text
    write_idx(tmp_path / TRAIN[0], labels)
    text = failure(lambda: MNIST(tmp_path))
    assert "does not hold MNIST images" in text
    assert "expected: uint8 of shape (N, 28, 28)" in text
    write_idx(tmp_path / TRAIN[0], images.astype(np.float32))
    assert "got: float32" in failure(lambda: MNIST(tmp_path))


def test_labels_that_do_not_fit(tmp_path):
    _, labels = small_mnist(tmp_path)
    write_idx(tmp_path / TRAIN[1], labels[:4])
    text = failure(lambda: MNIST(tmp_path))
    assert "there must be a label for each image" in text
    assert "5 images in" in text
    assert "4 labels in" in text
    labels[3] = 10
    write_idx(tmp_path / TRAIN[1], labels)
    assert "labels must be 0 to 9\n  got: 10 at sample 3" in failure(lambda: MNIST(tmp_path))


def test_truncated_mnist_files(tmp_path):
    small_mnist(tmp_path, ending=".gz")
    path = tmp_path / f"{TRAIN[0]}.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert "corrupt gzip data" in failure(lambda: MNIST(tmp_path))


# --- fetching ----------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def test_download_checks_unpacks_and_tries_the_next_mirror(tmp_path, server, monkeypatch):
    folder, url = server
    images, _ = small_mnist(tmp_path / "made")
    sums = {}
    for name in TRAIN:
        content = (tmp_path / "made" / name).read_bytes()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 1))
        sums[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(MNIST, "mirrors", (url + "absent/", url))
    monkeypatch.setattr(MNIST, "checksums", sums)
    np.testing.assert_array_equal(MNIST(tmp_path / "root", download=True).images, images)
    raw = tmp_path / "root" / "MNIST" / "raw"
    assert sorted(p.name for p in raw.iterdir()) == sorted(TRAIN)
    monkeypatch.setattr(MNIST, "mirrors", ())
    np.testing.assert_array_equal(MNIST(tmp_path / "root", download=True).images, images)


def test_downloads_that_fail_leave_nothing_and_say_why(tmp_path, server):
    folder, url = server
    (folder / "a.gz").write_bytes(gzip.compress(b"hello")[:-5])
    (folder / "bad.gz").write_bytes(gzip.compress(b"hello")[:10] + b"\xff" * 20)
    (folder / "b").write_bytes(b"hello")
    target = tmp_path / "new" / "file"
    good = hashlib.sha256(b"hello").hexdigest()
    urls = [url + "none", url + "a.gz", url + "bad.gz", url + "b", "http://127.0.0.1:9/x"]
    text = failure(lambda: fetch(urls, target, "0" * 64, timeout=5))
    assert "download of file failed" in text
    for words in (
        "none: HTTP Error 404",
        "a.gz: Compressed file ended",
        "bad.gz: Error -3",
        good[:16],
        "/x: ",
        "refused",
    ):
        assert words in text
    assert f"put it at {target}" in text
    assert not list(target.parent.iterdir())
    assert fetch(urls, target, good).read_bytes() == b"hello"

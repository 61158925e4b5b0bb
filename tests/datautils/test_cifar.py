"""CIFAR and FashionMNIST: files written in their formats, whole and damaged."""

import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest

from deepdive.datautils import CIFAR10, CIFAR100, FashionMNIST, write_idx
from deepdive.errors import DataError

RNG = np.random.default_rng(0)


def batch(n, labels):
    """Records as the authors' page describes them: labels, then red, green and blue rows."""
    images = RNG.integers(0, 256, (n, 3, 32, 32)).astype(np.uint8)
    numbers = np.stack([np.arange(n) % top for top in labels], 1).astype(np.uint8)
    records = zip(numbers, images, strict=True)
    raw = b"".join(bytes(number) + image.tobytes() for number, image in records)
    return images, numbers[:, -1], raw


@pytest.mark.parametrize("packed", [False, True])
def test_cifar10(tmp_path, packed):
    made = {f"data_batch_{i}.bin": batch(4, [10]) for i in range(1, 6)}
    made["test_batch.bin"] = batch(3, [10])
    write(tmp_path, "cifar-10-batches-bin", "cifar-10-binary.tar.gz", made, packed)
    for train, names in ((True, list(made)[:5]), (False, list(made)[5:])):
        data = CIFAR10(tmp_path, train)
        np.testing.assert_array_equal(data.images, np.concatenate([made[n][0] for n in names]))
        np.testing.assert_array_equal(data.labels, np.concatenate([made[n][1] for n in names]))
    assert len(CIFAR10.classes) == 10


def test_cifar100_takes_the_fine_label(tmp_path):
    made = {"train.bin": batch(120, [20, 100]), "test.bin": batch(5, [20, 100])}
    write(tmp_path, "cifar-100-binary", "cifar-100-binary.tar.gz", made, True)
    assert CIFAR100(tmp_path).labels.tolist() == [*range(100), *range(20)]
    np.testing.assert_array_equal(CIFAR100(tmp_path, train=False).images, made["test.bin"][0])


def write(root, folder, archive, made, packed):
    if not packed:
        (root / folder).mkdir()
        for name, (_, _, raw) in made.items():
            (root / folder / name).write_bytes(raw)
        return
    with tarfile.open(root / archive, "w:gz") as tar:
        for name, (_, _, raw) in made.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))


def test_damaged_files_say_so(tmp_path):
    def failure():
        with pytest.raises(DataError) as caught:
            CIFAR10(tmp_path, train=False)
        return str(caught.value)

    assert "CIFAR10(download=True)" in failure()
    path = tmp_path / "test_batch.bin"
    _, _, raw = batch(2, [10])
    for wrong in (b"", raw[:-1], raw + b"1"):
        path.write_bytes(wrong)
        assert "does not hold CIFAR10 images" in failure()
    path.write_bytes(b"\x0b" + raw[1:])
    assert "labels must be 0 to 9\n  got: 11 at sample 0" in failure()
    path.unlink()
    archive = tmp_path / "cifar-10-binary.tar.gz"
    write(tmp_path, "elsewhere", archive.name, {"test_batch.bin": (0, 0, raw)}, True)
    assert "damaged" in failure()
    write(tmp_path, "cifar-10-batches-bin", archive.name, {"test_batch.bin": (0, 0, raw)}, True)
    archive.write_bytes(archive.read_bytes()[:-900])
    assert "damaged" in failure()


def test_a_link_in_the_archive_is_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(batch(1, [10])[2])
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(info)
    with pytest.raises(DataError, match="damaged"):
        CIFAR10(tmp_path, train=False)


def test_fashion_mnist_is_fetched_as_it_comes(tmp_path, monkeypatch):
    served = tmp_path / "served"
    served.mkdir()
    images = RNG.integers(0, 256, (4, 28, 28)).astype(np.uint8)
    sums = {}
    for name, array in (
        ("train-images-idx3-ubyte", images),
        ("train-labels-idx1-ubyte", np.arange(4, dtype=np.uint8)),
    ):
        write_idx(tmp_path / name, array)
        packed = gzip.compress((tmp_path / name).read_bytes())
        (served / f"{name}.gz").write_bytes(packed)
        sums[name] = hashlib.md5(packed).hexdigest()
        (tmp_path / name).unlink()
    monkeypatch.setattr(FashionMNIST, "mirrors", (f"{served.as_uri()}/",))
    monkeypatch.setattr(FashionMNIST, "checksums", sums)
    data = FashionMNIST(tmp_path / "root", download=True)
    np.testing.assert_array_equal(data.images, images)
    assert data.labels.tolist() == [0, 1, 2, 3]
    assert len(FashionMNIST.classes) == 10
    with pytest.raises(DataError, match=r"FashionMNIST: no file t10k"):
        FashionMNIST(tmp_path / "root", train=False)

"""Images with labels: the digits that come with the library, and MNIST."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

from deepdive.datautils.dataset import ArrayDataset
from deepdive.datautils.download import data_root, fetch
from deepdive.datautils.idx import read_idx
from deepdive.errors import DataError
from deepdive.host import np

Transform = Callable[[Any], Any] | None

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHA256 = {  # of the unpacked files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class _Images(ArrayDataset):
    """Images (N, H, W) of bytes and their labels (N,)."""

    def __init__(self, images: Any, labels: Any, transform: Transform, target: Transform) -> None:
        super().__init__(
            images, labels.astype("int64"), transform=transform, target_transform=target
        )

    @property
    def images(self) -> Any:
        """uint8 (N, H, W), as they came."""
        return self.arrays[0]

    @property
    def labels(self) -> Any:
        """int64 (N,)."""
        return self.arrays[1]


class Digits(_Images):
    """1,797 handwritten digits, 8×8, values 0 to 16; in the library itself, nothing to fetch.

    Args:
        train: True for 1,437 samples, False for the 360 held out, None for all.  Held out is
            every fifth, from the first, of the samples sorted by label (in their order within a
            label): 35 to 37 of each digit.

    E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49, licensed CC BY 4.0.

    >>> Digits(train=True)
    Digits(uint8[1437, 8, 8], int64[1437])
    """

    def __init__(
        self,
        train: bool | None = True,
        transform: Transform = None,
        target_transform: Transform = None,
    ) -> None:
        folder = Path(__file__).parent / "data"
        images = read_idx(folder / "digits-images-idx3-ubyte.gz")
        labels = read_idx(folder / "digits-labels-idx1-ubyte.gz")
        if train is not None:
            held_out = np.zeros(len(labels), dtype="bool")
            held_out[np.argsort(labels, stable=True)[::5]] = True
            chosen = ~held_out if train else held_out
            images, labels = images[chosen], labels[chosen]
        super().__init__(images, labels, transform, target_transform)


class MNIST(_Images):
    """70,000 handwritten digits, 28×28 (LeCun, Cortes, Burges 1998), from IDX files.

    Args:
        root: the folder of the files, plain or gzipped, or one with a sub-folder ``mnist`` or
            ``MNIST/raw``; default ``$DEEPDIVE_DATA``, else ``~/.cache/deepdive``.
        train: the 60,000 for training, or the 10,000 for testing.
        download: fetch what is missing into ``root/MNIST/raw`` (11 MB).

    Raises:
        DataError: for files that are missing, damaged, or not what their names say.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform = None,
        target_transform: Transform = None,
        download: bool = False,
    ) -> None:
        folder = data_root(root)
        split = "train" if train else "t10k"
        image_path = _find(folder, f"{split}-images-idx3-ubyte", download)
        label_path = _find(folder, f"{split}-labels-idx1-ubyte", download)
        images, labels = read_idx(image_path), read_idx(label_path)
        _expect(images, (28, 28), image_path, "images")
        _expect(labels, (), label_path, "labels")
        if len(images) != len(labels):
            raise DataError(
                "MNIST: there must be a label for each image",
                got=f"{len(images)} images in {image_path}, {len(labels)} labels in {label_path}",
            )
        if len(labels) and labels.max() > 9:
            raise DataError(
                f"{label_path}: labels must be 0 to 9",
                got=f"{labels.max()} at sample {int((labels > 9).argmax())}",
            )
        super().__init__(images, labels, transform, target_transform)


def _find(root: Path, name: str, download: bool) -> Path:
    """The file `name` below `root`, with ``-`` or ``.`` before ``idx``, with or without ``.gz``."""
    folders = (root, root / "mnist", root / "MNIST" / "raw")
    names = (name, name.replace("-idx", ".idx"))
    candidates = [f / (n + ending) for f, n, ending in product(folders, names, ("", ".gz"))]
    for path in candidates:
        if path.is_file():
            return path
    target = folders[-1] / name
    if download:
        return fetch([f"{mirror}{name}.gz" for mirror in MIRRORS], target, SHA256[name])
    raise DataError(
        f"MNIST: no file {name}",
        got=f"none of {', '.join(n + e for n, e in product(names, ('', '.gz')))}",
        expected=f"one of them in {', '.join(map(str, folders))}",
        fix="MNIST(root=<folder of the files>), or MNIST(download=True)",
    )


def _expect(array: Any, sample: tuple[int, ...], path: Path, what: str) -> None:
    if array.dtype != "uint8" or array.shape[1:] != sample or not array.ndim:
        raise DataError(
            f"{path}: does not hold MNIST {what}",
            got=f"{array.dtype} of shape {array.shape}",
            expected=f"uint8 of shape {('N', *sample)}".replace("'", ""),
            fix="the file may have been named wrongly",
        )

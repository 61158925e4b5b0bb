"""Images with labels: the digits that come with the library, MNIST and FashionMNIST."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from deepdive.datautils.dataset import ArrayDataset
from deepdive.datautils.download import data_root, fetch
from deepdive.datautils.idx import read_idx
from deepdive.errors import DataError
from deepdive.host import np

Transform = Callable[[Any], Any] | None
TRAIN_X, TRAIN_Y = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_X, TEST_Y = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


class Images(ArrayDataset):
    """Images (N, H, W) or (N, C, H, W) of bytes and their labels (N,)."""

    def __init__(self, images: Any, labels: Any, transform: Transform, target: Transform) -> None:
        super().__init__(
            images, labels.astype("int64"), transform=transform, target_transform=target
        )

    @property
    def images(self) -> Any:
        """uint8, as they came."""
        return self.arrays[0]

    @property
    def labels(self) -> Any:
        """int64 (N,)."""
        return self.arrays[1]


class Digits(Images):
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


class MNIST(Images):
    """70,000 handwritten digits, 28×28 (LeCun, Cortes, Burges 1998), from IDX files.

    Args:
        root: the folder of the files, plain or gzipped, or one with a sub-folder ``mnist`` or
            ``MNIST/raw``; default ``$DEEPDIVE_DATA``, else ``~/.cache/deepdive``.
        train: the 60,000 for training, or the 10,000 for testing.
        download: fetch what is missing into ``root/MNIST/raw`` (11 MB).

    Raises:
        DataError: for files that are missing, damaged, or not what their names say.
    """

    folders: ClassVar = (".", "mnist", "MNIST/raw")  # where to look; downloads go into the last
    mirrors: ClassVar = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    checksums: ClassVar = {  # SHA-256 of the unpacked files
        TRAIN_X: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        TRAIN_Y: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        TEST_X: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        TEST_Y: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform = None,
        target_transform: Transform = None,
        download: bool = False,
    ) -> None:
        name, folder = type(self).__name__, data_root(root)
        image_path = self._find(folder, TRAIN_X if train else TEST_X, download)
        label_path = self._find(folder, TRAIN_Y if train else TEST_Y, download)
        images, labels = read_idx(image_path), read_idx(label_path)
        expect(images, (28, 28), image_path, f"{name} images")
        expect(labels, (), label_path, f"{name} labels")
        if len(images) != len(labels):
            raise DataError(
                f"{name}: there must be a label for each image",
                got=f"{len(images)} images in {image_path}, {len(labels)} labels in {label_path}",
            )
        check_labels(labels, 10, label_path)
        super().__init__(images, labels, transform, target_transform)

    @classmethod
    def _find(cls, root: Path, file: str, download: bool) -> Path:
        """`file` below `root`, with ``-`` or ``.`` before ``idx``, with or without ``.gz``."""
        folders = [root / folder for folder in cls.folders]
        names = [n + end for n in (file, file.replace("-idx", ".idx")) for end in ("", ".gz")]
        for path in (folder / name for folder in folders for name in names):
            if path.is_file():
                return path
        if download:
            return cls._fetch(folders[-1], file)
        raise DataError(
            f"{cls.__name__}: no file {file}",
            got=f"none of {', '.join(names)}",
            expected=f"one of them in {', '.join(map(str, folders))}",
            fix=f"{cls.__name__}(root=<folder of the files>), or {cls.__name__}(download=True)",
        )

    @classmethod
    def _fetch(cls, folder: Path, file: str) -> Path:
        urls = [f"{mirror}{file}.gz" for mirror in cls.mirrors]
        return fetch(urls, folder / file, cls.checksums[file])


class FashionMNIST(MNIST):
    """70,000 pictures of clothes, 28×28, ten kinds (Xiao, Rasul & Vollgraf 2017), MNIST's format.

    Arguments and errors are those of :class:`MNIST`; sub-folders are ``fashion-mnist`` and
    ``FashionMNIST/raw``, and a download takes 31 MB.
    """

    classes: ClassVar = (
        "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot".split()
    )
    folders: ClassVar = (".", "fashion-mnist", "FashionMNIST/raw")
    mirrors: ClassVar = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    )
    checksums: ClassVar = {  # MD5 of the packed files, as their authors publish it
        TRAIN_X: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        TRAIN_Y: "25c81989df183df01b3e8a0aad5dffbe",
        TEST_X: "bef4ecab320f06d8554ea6380940ec79",
        TEST_Y: "bb300cfdad3c16e7a12a480ee83cd310",
    }

    @classmethod
    def _fetch(cls, folder: Path, file: str) -> Path:
        urls = [f"{mirror}{file}.gz" for mirror in cls.mirrors]
        return fetch(urls, folder / f"{file}.gz", cls.checksums[file], unpack=False)


def check_labels(labels: Any, classes: int, path: Path) -> None:
    """Refuse class numbers that are too high.

    Raises:
        DataError: naming the first of them.
    """
    if len(labels) and labels.max() >= classes:
        raise DataError(
            f"{path}: labels must be 0 to {classes - 1}",
            got=f"{labels.max()} at sample {int((labels >= classes).argmax())}",
        )


def expect(array: Any, sample: tuple[int, ...], path: Path, what: str) -> None:
    """Refuse an array that is not uint8 (N, *sample).

    Raises:
        DataError: naming what it is.
    """
    if array.dtype != "uint8" or array.shape[1:] != sample or not array.ndim:
        raise DataError(
            f"{path}: does not hold {what}",
            got=f"{array.dtype} of shape {array.shape}",
            expected=f"uint8 of shape {('N', *sample)}".replace("'", ""),
            fix="the file may have been named wrongly",
        )

"""CIFAR-10 and CIFAR-100: small colour photographs, from the files of plain bytes.

The authors publish the same data as pickles too; those are never read here, for a pickle runs
code.  A record is one or two bytes of labels and 3,072 bytes: 32 × 32 red, then green, then blue
(A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html, section "binary version").
"""

from __future__ import annotations

import os
import tarfile
import zlib
from pathlib import Path
from typing import Any, ClassVar

from deepdive.datautils.download import data_root, fetch
from deepdive.datautils.vision import Images, Transform, check_labels
from deepdive.errors import DataError
from deepdive.host import np

PIXELS = 3 * 32 * 32
URL = "https://www.cs.toronto.edu/~kriz/"


class CIFAR10(Images):
    """60,000 photographs of ten kinds, uint8 (3, 32, 32), with their labels.

    Args:
        root: the folder of ``cifar-10-binary.tar.gz``, of ``cifar-10-batches-bin``, or of the
            ``.bin`` files; default ``$DEEPDIVE_DATA``, else ``~/.cache/deepdive``.
        train: the 50,000 for training, or the 10,000 for testing.
        download: fetch the archive into `root` if nothing is there (170 MB).

    Raises:
        DataError: for files that are missing, damaged, or not what their names say.
    """

    archive: ClassVar = "cifar-10-binary.tar.gz"
    checksum: ClassVar = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    folder: ClassVar = "cifar-10-batches-bin"
    files: ClassVar = {
        True: tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        False: ("test_batch.bin",),
    }
    label_bytes: ClassVar = 1  # of a record; the last of them counts
    mirrors: ClassVar = (URL,)
    classes: ClassVar[Any] = "airplane automobile bird cat deer dog frog horse ship truck".split()
    count: ClassVar = 10

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform = None,
        target_transform: Transform = None,
        download: bool = False,
    ) -> None:
        records = self._records(data_root(root), self.files[bool(train)], download)
        labels = records[:, self.label_bytes - 1]
        images = np.ascontiguousarray(records[:, self.label_bytes :]).reshape(-1, 3, 32, 32)
        super().__init__(images, labels, transform, target_transform)

    def _records(self, root: Path, names: tuple[str, ...], download: bool) -> Any:
        """All records, uint8 (N, labels + pixels), from plain files or out of the archive."""
        for folder in (root, root / self.folder):
            if all((folder / name).is_file() for name in names):
                return self._joined((folder / name, (folder / name).read_bytes()) for name in names)
        archive = root / self.archive
        if not archive.is_file():
            if not download:
                title = type(self).__name__
                raise DataError(
                    f"{title}: no file {names[0]}",
                    expected=f"{self.archive}, or {', '.join(names)}, in {root}",
                    fix=f"{title}(root=<folder of the files>), or {title}(download=True)",
                )
            urls = [mirror + self.archive for mirror in self.mirrors]
            fetch(urls, archive, self.checksum, unpack=False)
        return self._joined(self._members(archive, names))

    def _members(self, archive: Path, names: tuple[str, ...]) -> Any:
        """The wanted members, read and never unpacked: a name in an archive can be a trick."""
        try:
            with tarfile.open(archive) as tar:
                for name in names:
                    stream = tar.extractfile(f"{self.folder}/{name}")
                    if stream is None:
                        raise DataError(f"{archive}: {name} is no file")
                    # one byte more than a whole batch shows one that is too long
                    yield f"{archive}: {name}", stream.read(50_000 * self._record + 1)
        except (tarfile.TarError, KeyError, EOFError, OSError, zlib.error) as error:
            raise DataError(f"{archive}: damaged", got=error, fix="fetch it again") from error

    @property
    def _record(self) -> int:
        return self.label_bytes + PIXELS

    def _joined(self, files: Any) -> Any:
        parts = []
        for path, raw in files:
            if not raw or len(raw) % self._record or len(raw) > 50_000 * self._record:
                raise DataError(
                    f"{path}: does not hold {type(self).__name__} images",
                    got=f"{len(raw)} bytes",
                    expected=f"a multiple of {self._record}, at most 50,000 times that",
                )
            records = np.frombuffer(raw, np.uint8).reshape(-1, self._record)
            check_labels(records[:, self.label_bytes - 1], self.count, path)
            parts.append(records)
        return np.concatenate(parts)


class CIFAR100(CIFAR10):
    """60,000 photographs of a hundred kinds; arguments and errors as :class:`CIFAR10`'s.

    The label is the fine one; the twenty coarse ones are left out.
    """

    archive: ClassVar = "cifar-100-binary.tar.gz"
    checksum: ClassVar = "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
    folder: ClassVar = "cifar-100-binary"
    files: ClassVar = {True: ("train.bin",), False: ("test.bin",)}
    label_bytes: ClassVar = 2
    classes: ClassVar[Any] = None  # in the archive's fine_label_names.txt
    count: ClassVar = 100

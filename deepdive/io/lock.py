"""One writer at a time: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import os
from typing import Any

from deepdive.errors import CheckpointError
from deepdive.io.files import FilePath, explained

NAME = ".lock"


class FolderLock:
    """A folder's lock, through ``flock`` where the system has it; elsewhere it does nothing.

    Args:
        folder: made when the lock is taken.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with FolderLock(folder):
    ...     pass
    """

    def __init__(self, folder: FilePath) -> None:
        self.folder = os.path.abspath(folder)
        self._file: Any = None

    def __enter__(self) -> FolderLock:
        self.take()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def take(self) -> None:
        """Takes the lock; once it is held, a second call does nothing.

        Raises:
            CheckpointError: another process holds it, or the folder cannot be written.
        """
        try:
            import fcntl
        except ImportError:  # Windows
            return
        if self._file is not None:
            return
        path = os.path.join(self.folder, NAME)
        with explained("write", path, CheckpointError):
            os.makedirs(self.folder, exist_ok=True)
            file = open(path, "ab")  # noqa: SIM115  # release() closes it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise CheckpointError(
                f"another training is writing into {self.folder}",
                fix="wait until it is over, or choose another folder",
            ) from None
        except OSError:  # a file system without locks
            file.close()
            return
        self._file = file

    def release(self) -> None:
        """Gives it back, if it is held."""
        if self._file is not None:
            self._file.close()
            self._file = None

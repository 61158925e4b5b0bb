"""Writing a file so that it is the old one or the new one, never half of each.

The new content goes into a nameless neighbour, is forced onto the disk, and takes the name over
in one step (``os.replace``).  Whatever fails before that step leaves the old file as it was.

A process that is killed outright cannot tidy up its neighbour; the next write into the same
folder does, once the leftover is an hour old.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from deepdive.errors import CheckpointError, DeepDiveError

FilePath = str | os.PathLike[str]

LEFTOVER_AGE = 3600.0  # seconds without a write, after which its writer is taken for dead
PREFIX, SUFFIX = ".deepdive-", ".tmp"

FIXES = {
    errno.ENOENT: "make the folder first: os.makedirs({folder!r})",
    errno.ENOTDIR: "a part of the path is a file, not a folder: choose another",
    errno.EISDIR: "name a file inside it",
    errno.EACCES: "choose a place you have the right to use, or ask for it with chmod",
    errno.EPERM: "choose a place you have the right to use, or ask for it with chmod",
    errno.EROFS: "the disk is mounted read-only: choose another place",
    errno.ENOSPC: "free some space and save again; what was there before is untouched",
    errno.EFBIG: "the system, or a limit (ulimit -f), allows no file this large",
    errno.EDQUOT: "your quota is used up: free some space and save again",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextmanager
def explained(action: str, path: FilePath, error: type[DeepDiveError]) -> Iterator[None]:
    """Turns an ``OSError`` of the block into `error`, with what to do about it.

    An error that names another file than `path`, or one beside it, is somebody else's and passes.
    """
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    try:
        yield
    except OSError as failure:
        named = failure.filename
        if isinstance(named, str) and not os.path.abspath(named).startswith(folder):
            raise
        reason = failure.strerror or str(failure)
        fix = FIXES.get(failure.errno or 0, "").format(folder=folder)
        if isinstance(failure, FileNotFoundError) and action == "read":
            fix = "check the name and the folder"
        raise error(f"cannot {action} {path}: {reason}", fix=fix or None) from failure


@contextmanager
def replacing(path: FilePath, error: type[DeepDiveError] = CheckpointError) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends well, and vanishes if not.

    Rights of an existing file are kept; a symbolic link stays one, and its target is replaced.

    Raises:
        CheckpointError (or `error`): missing folder, read-only file or disk, disk full.

    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with replacing(os.path.join(folder, "notes")) as file:
    ...     _ = file.write(b"kept")
    >>> os.listdir(folder)
    ['notes']
    """
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, PREFIX + os.urandom(6).hex() + SUFFIX)
    with explained("write", target, error):
        mode = replaceable(target)
        _sweep(folder)
        with open(temporary, "xb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                file.close()  # Windows does not rename an open file
                if mode is not None:
                    os.chmod(temporary, mode)
                os.replace(temporary, target)
            except BaseException:  # also Ctrl-C: nothing may stay behind
                file.close()
                os.remove(temporary)
                raise
        sync_folder(folder)


def replaceable(target: str) -> int | None:
    """The rights of the file `target`, None if there is none.

    Raises:
        OSError: it may not be replaced, for the reasons ``open(target, "w")`` would have.
    """
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", target)
    if not stat.S_ISREG(mode):  # replacing /dev/null would remove it
        raise OSError(errno.EINVAL, "not a regular file", target)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only", target)
    return stat.S_IMODE(mode)


def write_bytes(path: FilePath, data: bytes, error: type[DeepDiveError] = CheckpointError) -> None:
    """Replaces the file `path` by `data`, whole or not at all (see :func:`replacing`)."""
    with replacing(path, error) as file:
        file.write(data)


def write_text(path: FilePath, text: str, error: type[DeepDiveError] = CheckpointError) -> None:
    """:func:`write_bytes` for text: UTF-8, and lines end with a line feed on every system."""
    write_bytes(path, text.encode("utf-8"), error)


@contextmanager
def reading(path: FilePath, error: type[DeepDiveError] = CheckpointError) -> Iterator[BinaryIO]:
    """The file `path`, opened to read; absent or forbidden files give `error`."""
    with explained("read", path, error):
        mode = os.stat(path).st_mode  # before it is opened: a pipe would block for ever
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise error(f"cannot read {os.fspath(path)}: not a regular file")
        with open(path, "rb") as file:
            yield file


def read_bytes(
    path: FilePath, limit: int | None = None, error: type[DeepDiveError] = CheckpointError
) -> bytes:
    """The content of `path`, refused if it is longer than `limit` bytes."""
    with reading(path, error) as file:
        data = file.read() if limit is None else file.read(limit + 1)
    if limit is not None and len(data) > limit:
        raise error(f"{os.fspath(path)} is too large", expected=f"at most {limit:,} bytes")
    return data


def read_text(
    path: FilePath, limit: int | None = None, error: type[DeepDiveError] = CheckpointError
) -> str:
    """:func:`read_bytes` as text, which must be UTF-8; a byte order mark is dropped."""
    data = read_bytes(path, limit, error)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise error(
            f"{os.fspath(path)} is not UTF-8",
            got=f"byte {data[failure.start]} at {failure.start}",
            fix="save it as UTF-8 text",
        ) from None


def sync_folder(folder: str) -> None:
    """Forces new names onto the disk, where the system can (POSIX)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(folder: str) -> None:
    """Removes what killed writers left here."""
    for entry in os.scandir(folder):
        if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX):
            with suppress(OSError):
                if time.time() - entry.stat().st_mtime > LEFTOVER_AGE:
                    os.remove(entry.path)

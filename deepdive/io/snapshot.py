"""A folder of files that appears whole or not at all, and notices when it was damaged later.

Checkpoints of a training are many, so each is a folder of its own: written beside under a name
that starts with a dot, forced onto the disk file by file, and renamed in one step.  Its file
``SHA256SUMS`` holds a checksum of every other file, in the format of the program ``sha256sum``::

    cd checkpoints/step-00000120 && sha256sum -c SHA256SUMS
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from deepdive.errors import CheckpointError
from deepdive.io.files import FilePath, explained, read_text, reading, sync_folder

SUMS = "SHA256SUMS"
# A folder being written, one about to be replaced, one being removed
UNFINISHED = re.compile(r"\.(.+)\.[0-9a-f]{12}\.(new|old|gone)")
SUM_LINE = re.compile(r"([0-9a-f]{64})  ([\w.-]+)")
MOST_SUMS = 1_000_000  # bytes


def write_snapshot(folder: FilePath, files: Mapping[str, Iterable[Any]]) -> None:
    """Makes `folder` hold exactly these files; one that is there already is replaced.

    Args:
        folder: its parent is made if need be.
        files: name → pieces of bytes.

    Raises:
        CheckpointError: they cannot be written (disk full, read-only …); nothing is left behind,
            and what was there is untouched.

    >>> import tempfile
    >>> folder = os.path.join(tempfile.mkdtemp(), "step-1")
    >>> write_snapshot(folder, {"state.json": [b"{}"]})
    >>> sorted(os.listdir(folder)), check_snapshot(folder)
    (['SHA256SUMS', 'state.json'], ['state.json'])
    """
    folder = os.path.abspath(folder)
    parent, name = os.path.split(folder)
    beside = os.path.join(parent, f".{name}.{os.urandom(6).hex()}")
    with explained("write", folder, CheckpointError):
        os.makedirs(parent, exist_ok=True)
        try:
            os.mkdir(beside + ".new")
            sums = [_write(beside + ".new", name, pieces) for name, pieces in files.items()]
            _write(beside + ".new", SUMS, [line.encode() for line in sums])
            sync_folder(beside + ".new")
            if os.path.isdir(folder):
                os.replace(folder, beside + ".old")
            os.replace(beside + ".new", folder)
        except BaseException:  # also Ctrl-C
            remove_snapshot(beside + ".new")
            raise
        sync_folder(parent)
        remove_snapshot(beside + ".old")


def _write(folder: str, name: str, pieces: Iterable[Any]) -> str:
    """One file, on the disk when this returns; its line for the list of checksums."""
    digest = hashlib.sha256()
    with open(os.path.join(folder, name), "xb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
    return f"{digest.hexdigest()}  {name}\n"


def check_snapshot(folder: FilePath) -> list[str]:
    """The names of the files of a snapshot, each of which has the checksum it was written with.

    Raises:
        CheckpointError: there is no snapshot, or a file is damaged or gone.
    """
    folder = os.path.abspath(folder)
    lines = read_text(os.path.join(folder, SUMS), MOST_SUMS).splitlines()
    names = []
    for line in lines:
        match = SUM_LINE.fullmatch(line)
        if match is None or match[2].startswith("."):
            raise CheckpointError(f"{folder}: {SUMS} is damaged", got=line[:80])
        _check(os.path.join(folder, match[2]), match[1])
        names.append(match[2])
    if not names:
        raise CheckpointError(f"{folder}: {SUMS} is empty")
    return names


def _check(path: str, expected: str) -> None:
    with reading(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if found != expected:
        raise CheckpointError(
            f"{path} is damaged: its checksum is another one",
            got=found,
            expected=expected,
        )


def remove_snapshot(folder: FilePath) -> None:
    """Removes a snapshot; under its final name it vanishes at once, then its files are deleted."""
    folder = os.path.abspath(folder)
    parent, name = os.path.split(folder)
    with suppress(OSError):
        if not UNFINISHED.fullmatch(name):
            gone = os.path.join(parent, f".{name}.{os.urandom(6).hex()}.gone")
            os.replace(folder, gone)
            folder = gone
        for entry in os.scandir(folder):
            os.remove(entry.path)
        os.rmdir(folder)


def sweep(parent: FilePath) -> None:
    """Tidies up what killed processes left: to be called where nobody else is writing.

    A snapshot that was to be replaced, and was not, gets its name back.
    """
    with suppress(OSError):
        for entry in os.scandir(parent):
            match = UNFINISHED.fullmatch(entry.name)
            if match is None or not entry.is_dir(follow_symlinks=False):
                continue
            final = os.path.join(parent, match[1])
            if match[2] == "old" and not os.path.exists(final):
                os.replace(entry.path, final)
            else:
                remove_snapshot(entry.path)

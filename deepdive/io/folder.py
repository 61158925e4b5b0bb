"""Files that belong together: a reader sees all of one save, or all of another.

A model is two files, and a rename moves one.  So a save goes in three steps:

1. every new file is written in full beside the old one: ``.model.arc.next``;
2. ``.save`` is put there, the list of what is to move.  This is one rename: before it the old
   save counts, after it the new one;
3. the files are moved, and ``.save`` is removed.

A process killed before step 2 leaves the old save (and ``.next`` files, which the following save
overwrites).  One killed after step 2 leaves a new save that readers find through the list, and
that the following save moves into place first.  Readers may come at any time; writers of one
folder must take turns.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from deepdive.errors import CheckpointError
from deepdive.io.files import (
    FilePath,
    explained,
    read_text,
    replaceable,
    replacing,
    sync_folder,
    write_text,
)

LIST = ".save"
PUT, DROP = "put", "drop"
TRIES = 20  # a reader meets a writer at most a few times


def write_folder(folder: FilePath, files: Mapping[str, Iterable[Any] | None]) -> None:
    """Writes files into `folder`, all or none; ``None`` removes one, others there are left alone.

    Args:
        folder: made if it is not there.
        files: name → pieces of bytes.

    Raises:
        CheckpointError: as :func:`deepdive.io.files.replacing` does.
    """
    folder = os.path.abspath(folder)
    with explained("write", folder, CheckpointError):
        os.makedirs(folder, exist_ok=True)
        _move(folder)  # what a killed save left to do
    lines = [f"{DROP if pieces is None else PUT} {name}\n" for name, pieces in files.items()]
    listed = os.path.join(folder, LIST)
    try:
        for name, pieces in files.items():
            if pieces is not None:
                _stage(folder, name, pieces)
        write_text(listed, "".join(lines))
    except BaseException:
        for name in files:
            with suppress(OSError):
                if not os.path.exists(listed):  # else the new save counts already
                    os.remove(_staged(folder, name))
        raise
    with explained("write", folder, CheckpointError):
        _move(folder)


def read_folder(folder: FilePath, readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """What each reader makes of its file, all files being of one save; ``None`` for absent ones.

    Raises:
        CheckpointError: there is no such folder, it never keeps still, or a reader raised it.
    """
    folder = os.path.abspath(folder)
    if not os.path.isdir(folder):
        raise CheckpointError(
            f"no saved model at {folder}: no such folder",
            fix="check the name; model.save(folder) makes one",
        )
    for _ in range(TRIES):
        before = _sources(folder, readers)
        try:
            found = {name: before[name] and read(before[name][0]) for name, read in readers.items()}
        except CheckpointError:
            if _sources(folder, readers) == before:
                raise
            continue  # it was moved from under the reader
        if _sources(folder, readers) == before:
            return found
    raise CheckpointError(f"{folder} was rewritten each time it was read", fix="try again")


def _stage(folder: str, name: str, pieces: Iterable[Any]) -> None:
    """Step 1 for one file; what would stop step 3 is found out here."""
    final, staged = os.path.join(folder, name), _staged(folder, name)
    with explained("write", final, CheckpointError):
        mode = replaceable(final)
        with replacing(staged) as file:
            file.writelines(pieces)
        if mode is not None:
            os.chmod(staged, mode)


def _sources(folder: str, names: Iterable[str]) -> dict[str, Any]:
    """Where each file of the newest save lies, with what tells this file from a later one."""
    moves = _moves(folder)
    sources: dict[str, Any] = {}
    for name in names:
        final = os.path.join(folder, name)
        paths = {PUT: [_staged(folder, name), final], DROP: []}.get(moves.get(name, ""), [final])
        sources[name] = None
        for path in reversed(paths):
            with suppress(FileNotFoundError, NotADirectoryError):
                found = os.stat(path)
                sources[name] = path, found.st_ino, found.st_mtime_ns, found.st_size
    return sources


def _move(folder: str) -> None:
    """Step 3; doing it again, or what is left of it, does no harm."""
    moves = _moves(folder)
    for name, move in moves.items():
        with suppress(FileNotFoundError):
            if move == PUT:
                os.replace(_staged(folder, name), os.path.join(folder, name))
            else:
                os.remove(os.path.join(folder, name))
    if moves:
        sync_folder(folder)
        os.remove(os.path.join(folder, LIST))


def _moves(folder: str) -> dict[str, str]:
    """The list of step 2, as file name → what to do; empty where no save is under way."""
    path = os.path.join(folder, LIST)
    try:
        lines = read_text(path, limit=100_000).splitlines()
    except CheckpointError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return {}
        raise
    moves = {}
    for line in lines:
        move, _, name = line.partition(" ")
        is_path = name != os.path.basename(name) or name in ("", ".", "..")
        if move not in (PUT, DROP) or is_path or "\0" in name:
            raise CheckpointError(f"{path} is damaged", got=line, fix="delete it, and save again")
        moves[name] = move
    return moves


def _staged(folder: str, name: str) -> str:
    return os.path.join(folder, f".{name}.next")

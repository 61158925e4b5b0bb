"""Fetch a file once, check it, and never leave half of one behind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepdive.errors import DataError

_CHUNK = 1 << 16


def data_root(root: str | os.PathLike[str] | None = None) -> Path:
    """Where data sets live: `root`, else ``$DEEPDIVE_DATA``, else ``~/.cache/deepdive``."""
    chosen = root or os.environ.get("DEEPDIVE_DATA") or Path.home() / ".cache" / "deepdive"
    return Path(chosen).expanduser()


def fetch(
    urls: Sequence[str], target: Path, checksum: str, timeout: float = 30.0, unpack: bool = True
) -> Path:
    """Download the first of `urls` that answers to `target`, unpacked if it is gzip data.

    The file appears under its name only when it is whole and right.

    Args:
        checksum: SHA-256, or MD5 where nothing better is published, of what is saved: mirrors
            compress differently.
        timeout: seconds without an answer.
        unpack: whether gzip data is unpacked; else the file is saved as it comes.

    Raises:
        DataError: if no address answers, or the content is not what it should be.
    """
    import zlib
    from http.client import HTTPException

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    failures: list[str] = []
    try:
        for url in urls:
            try:
                found = _save(url, part, timeout, checksum, unpack)
            except (OSError, HTTPException, EOFError, zlib.error) as error:
                failures.append(f"{url}: {error}")
                continue
            if found == checksum:
                os.replace(part, target)
                return target
            failures.append(f"{url}: checksum {found[:16]}… is not {checksum[:16]}…")
    finally:
        part.unlink(missing_ok=True)
    raise DataError(
        f"download of {target.name} failed",
        got="; ".join(failures),
        fix=f"fetch it by hand and put it at {target}",
    )


def _save(url: str, part: Path, timeout: float, checksum: str, unpack: bool) -> str:
    """Write the content of `url` to `part`; its checksum, of the kind of `checksum`."""
    import gzip
    import hashlib
    import urllib.request

    digest = hashlib.new("md5" if len(checksum) == 32 else "sha256", usedforsecurity=False)
    with urllib.request.urlopen(url, timeout=timeout) as answer, open(part, "wb") as out:
        stream: Any = gzip.GzipFile(fileobj=answer) if unpack and url.endswith(".gz") else answer
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()

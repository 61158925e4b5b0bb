"""IDX files, the format of MNIST: two zero bytes, a type, the number of axes, their lengths, data.

All integers are big-endian, https://yann.lecun.com/exdb/mnist (section "file formats").
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import IO, Any

from deepdive.errors import DataError, DTypeError
from deepdive.host import np

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}
REFETCH = "fetch the file again"
_CODES = {np.dtype(name).name: code for code, name in TYPES.items()}
_CHUNK = 1 << 20
MOST_AXES = 32
MOST_BYTES = 1 << 32  # a file of some kilobytes can unpack to any size


def read_idx(path: str | os.PathLike[str]) -> Any:
    """The array in an IDX file, plain or gzipped (told by its first bytes, not its name).

    Raises:
        DataError: if the file is missing, corrupt, truncated, too long or no IDX file.
    """
    path = Path(path)
    try:
        with open(path, "rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
            return _read(stream, path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: corrupt gzip data", got=str(error), fix=REFETCH) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read", got=error.strerror or error) from error


def _read(stream: IO[bytes], path: Path) -> Any:
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES:
        raise DataError(
            f"{path}: not an IDX file",
            got=f"first bytes {head.hex(' ') or 'none'}",
            expected="00 00, a type of 08 09 0b 0c 0d 0e, the number of axes",
            fix=REFETCH,
        )
    dtype, ndim = np.dtype(TYPES[head[2]]), head[3]
    lengths = stream.read(4 * ndim)
    if len(lengths) < 4 * ndim:
        raise DataError(
            f"{path}: truncated in the header", got=f"{4 + len(lengths)} bytes", fix=REFETCH
        )
    shape = struct.unpack(f">{ndim}I", lengths)
    # as if empty axes had one element: NumPy cannot have shapes beyond this either
    if ndim > MOST_AXES or math.prod(n or 1 for n in shape) * dtype.itemsize > MOST_BYTES:
        raise DataError(
            f"{path}: its header asks for too much",
            got=f"{ndim} axes, shape {str(shape)[:80]}",
            expected=f"at most {MOST_AXES} axes and {MOST_BYTES:,} bytes",
            fix=REFETCH,
        )
    expected = math.prod(shape) * dtype.itemsize
    data = _read_at_most(stream, expected + 1)
    if len(data) != expected:
        wrong = "truncated" if len(data) < expected else "longer than its header says"
        raise DataError(
            f"{path}: {wrong}",
            got=f"{len(data)} bytes of data" if len(data) < expected else "more bytes of data",
            expected=f"{expected} for shape {shape}",
            fix=REFETCH,
        )
    return _turned(np.frombuffer(data, dtype)).reshape(shape)


def _turned(array: Any) -> Any:
    """A copy with big-endian numbers made the machine's, or the other way round."""
    return array.byteswap() if sys.byteorder == "little" else array.copy()


def _read_at_most(stream: IO[bytes], limit: int) -> bytes:
    # In chunks, so that a header that lies about its size claims no memory.
    chunks, room = [], limit
    while room and (chunk := stream.read(min(room, _CHUNK))):
        chunks.append(chunk)
        room -= len(chunk)
    return b"".join(chunks)


def write_idx(path: str | os.PathLike[str], array: Any) -> None:
    """Write `array` as an IDX file, gzipped if the name ends in ``.gz``; never half a file.

    Raises:
        DTypeError: for a dtype the format has no code for.
    """
    array = np.asarray(array)
    code = _CODES.get(array.dtype.name)
    if code is None or array.ndim > 255:
        raise DTypeError(
            f"write_idx: the format has no {array.dtype}", expected=", ".join(map(str, _CODES))
        )
    head = bytes((0, 0, code, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    data = head + _turned(array.astype(TYPES[code])).tobytes()
    if str(path).endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    temporary = f"{os.fspath(path)}.{os.getpid()}.part"
    try:
        Path(temporary).write_bytes(data)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)

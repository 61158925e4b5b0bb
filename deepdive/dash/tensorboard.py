"""TensorBoard's event files, written without TensorBoard.

A file is a row of records (tensorflow/core/lib/io/record_writer.h)::

    8 bytes   length n, little-endian
    4 bytes   masked crc32c of these 8 bytes
    n bytes   an ``Event`` in protocol buffers' wire format
    4 bytes   masked crc32c of these n bytes

The mask, ``((crc >> 15) | (crc << 17)) + 0xa282ead8``, is there because checksums of data that
holds checksums behave badly.  Of the messages (event.proto, summary.proto) only the fields that
scalars and histograms need are written.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from deepdive.errors import ArgumentError

POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits reversed
MASK_DELTA = 0xA282EAD8
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
# Fields: of Event, of Summary.Value, of HistogramProto
WALL_TIME, STEP, FILE_VERSION, SUMMARY, SESSION_LOG = 1, 2, 3, 5, 7
TAG, SIMPLE_VALUE, HISTOGRAM = 1, 2, 5
LOWEST, HIGHEST, NUMBER, SUM, SQUARES, LIMITS, COUNTS = range(1, 8)
SESSION_START = 1
BINS = 30


class EventWriter:
    """One ``events.out.tfevents.…`` file in a folder: ``tensorboard --logdir FOLDER`` shows it.

    Args:
        folder: made if it is not there.
        purge_step: steps from here on that an earlier file tells of did not count (optional).

    Raises:
        OSError: the file cannot be written.

    >>> import tempfile
    >>> with EventWriter(tempfile.mkdtemp()) as writer:
    ...     writer.scalar("loss", 0.5, step=1)
    >>> os.path.getsize(writer.path) > 50
    True
    """

    def __init__(self, folder: str | os.PathLike[str], purge_step: int | None = None) -> None:
        os.makedirs(folder, exist_ok=True)
        # The clock alone would give two writers of one second the same file
        stamp = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        name = f"events.out.tfevents.{stamp}.{os.urandom(3).hex()}"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "xb")  # noqa: SIM115  # closed by close()
        self._write(_text(FILE_VERSION, b"brain.Event:2"))
        if purge_step is not None:
            started = _number(1, SESSION_START)
            self._write(_number(STEP, purge_step) + _text(SESSION_LOG, started))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """One point of the curve `tag`."""
        one = _text(TAG, tag.encode()) + _key(SIMPLE_VALUE, FIXED32) + struct.pack("<f", value)
        self._summary(one, step)

    def histogram(self, tag: str, values: Any, step: int) -> None:
        """How the finite ones among `values` are distributed, in even bins.

        Raises:
            ArgumentError: if none of them is finite.
        """
        numbers = np.asarray(values, dtype=np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if not numbers.size:
            raise ArgumentError(f"histogram {tag!r}: there is no finite value")
        counts, edges = np.histogram(numbers, BINS)
        facts = [
            (LOWEST, numbers.min()),
            (HIGHEST, numbers.max()),
            (NUMBER, numbers.size),
            (SUM, numbers.sum()),
            (SQUARES, np.square(numbers).sum()),
        ]
        message = b"".join(_double(field, value) for field, value in facts)
        message += _doubles(LIMITS, edges[1:]) + _doubles(COUNTS, counts)
        self._summary(_text(TAG, tag.encode()) + _text(HISTOGRAM, message), step)

    def flush(self) -> None:
        """Hands everything to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        self._file.close()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _summary(self, value: bytes, step: int) -> None:
        self._write(_number(STEP, step) + _text(SUMMARY, _text(1, value)))

    def _write(self, event: bytes) -> None:
        self._file.write(record(_double(WALL_TIME, time.time()) + event))


# The record format


def record(data: bytes) -> bytes:
    """`data` with its length and both checksums."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked(crc32c(data)))


def masked(crc: int) -> int:
    """A checksum as it is stored."""
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def _table() -> list[int]:
    """The remainder of every byte."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_remainders: list[int] = []


def crc32c(data: bytes) -> int:
    """The checksum with Castagnoli's polynomial (RFC 3720, B.4).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if not _remainders:
        _remainders.extend(_table())
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _remainders[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


# Protocol buffers: key = field number and wire type, then the value


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF  # negative numbers are two's complements
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _number(field: int, value: int) -> bytes:
    return _key(field, VARINT) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _key(field, FIXED64) + struct.pack("<d", value)


def _text(field: int, value: bytes) -> bytes:
    return _key(field, BYTES) + _varint(len(value)) + value


def _doubles(field: int, values: Iterable[float]) -> bytes:
    packed = b"".join(struct.pack("<d", value) for value in values)
    return _text(field, packed)

"""Event files, read back by a parser that shares nothing with their writer."""

import glob
import struct

import numpy as np
import pytest

from deepdive.dash import EventWriter
from deepdive.dash.tensorboard import crc32c
from deepdive.errors import ArgumentError


def slow_crc32c(data):
    """The definition: division of polynomials over GF(2), bit by bit, reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_checksums_of_the_standard():
    """RFC 3720, appendix B.4."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(bytes(range(31, -1, -1))) == 0x113FDB5C
    rng = np.random.default_rng(0)
    for size in (0, 1, 7, 100):
        data = rng.bytes(size)
        assert crc32c(data) == slow_crc32c(data)


def records(path):
    """The events of a file as bytes; every length and checksum compared."""
    with open(path, "rb") as file:
        data = file.read()
    found = []
    while data:
        length, check = struct.unpack("<QI", data[:12])
        crc = slow_crc32c(data[:8])
        assert check == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32
        event = data[12 : 12 + length]
        crc = slow_crc32c(event)
        (check,) = struct.unpack("<I", data[12 + length : 16 + length])
        assert check == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32
        found.append(event)
        data = data[16 + length :]
    return found


def fields(message):
    """Protocol buffers: a list of (field number, value) with messages still as bytes."""
    found, i = [], 0

    def varint():
        nonlocal i
        value = shift = 0
        while True:
            byte = message[i]
            i += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while i < len(message):
        key = varint()
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            found.append((key >> 3, varint()))
            continue
        size = size or varint()
        found.append((key >> 3, message[i : i + size]))
        i += size
    assert i == len(message)
    return found


def scalars(path):
    """(tag, step, value) of every scalar in a file."""
    found = []
    for event in map(dict, map(fields, records(path))):
        if 5 in event:
            ((_, value),) = fields(event[5])
            value = dict(fields(value))
            if 2 in value:
                number = struct.unpack("<f", value[2])[0]
                found.append((value[1].decode(), event.get(2, 0), number))
    return found


def test_scalars_come_back(tmp_path):
    expected = []
    with EventWriter(tmp_path) as writer:
        for step in (0, 1, 127, 128, 300, 2**40):
            for tag in ("loss", "Genauigkeit/ä"):
                value = np.float32(step) / 3
                writer.scalar(tag, value, step)
                expected.append((tag, step, value))
        writer.scalar("nan", float("nan"), 1)
    *found, last = scalars(writer.path)
    assert found == expected
    assert last[2] != last[2]
    first = dict(fields(records(writer.path)[0]))
    assert first[3] == b"brain.Event:2"
    assert 1.7e9 < struct.unpack("<d", first[1])[0] < 1e10  # a time in seconds


def test_histograms_count_every_finite_value(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 20))
    values[0, 0] = np.inf
    with EventWriter(tmp_path) as writer:
        writer.histogram("w", values, step=3)
        with pytest.raises(ArgumentError, match="no finite value"):
            writer.histogram("w", [np.nan], step=4)
    event = dict(fields(records(writer.path)[1]))
    assert event[2] == 3
    value = dict(fields(dict(fields(event[5]))[1]))
    message = dict(fields(value[5]))
    finite = values[np.isfinite(values)]
    numbers = {k: struct.unpack("<d", message[k])[0] for k in range(1, 6)}
    assert numbers == pytest.approx(
        {1: finite.min(), 2: finite.max(), 3: 999, 4: finite.sum(), 5: (finite**2).sum()}
    )
    limits, counts = np.frombuffer(message[6]), np.frombuffer(message[7])
    assert counts.sum() == 999
    for limit, below in zip(limits[:-1], counts.cumsum()[:-1], strict=True):
        assert below == pytest.approx((finite < limit).sum(), abs=1)


def test_a_resumed_run_says_from_where(tmp_path):
    """SessionLog START at a step: TensorBoard forgets what came later in older files."""
    with EventWriter(tmp_path, purge_step=7) as writer:
        pass
    event = dict(fields(records(writer.path)[1]))
    assert event[2] == 7 and dict(fields(event[7])) == {1: 1}


def test_two_writers_of_one_moment_have_two_files(tmp_path):
    for _ in range(2):
        EventWriter(tmp_path).close()
    assert len(glob.glob(str(tmp_path / "events.out.tfevents.*"))) == 2

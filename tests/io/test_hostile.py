"""Files made to harm: mutated ones by the thousand, and crafted ones, each with its trick.

Every one must give one of the library's own errors, in bounded memory and time, and run nothing;
``fuzz.py`` beside this file is the fence they are read in.
"""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from deepdive import nn
from deepdive.datautils import read_idx
from deepdive.errors import CheckpointError, DataError, DeepDiveError
from deepdive.io import safetensors
from deepdive.io.arc import ArcError, parse
from deepdive.io.checkpoint import load_folder
from deepdive.io.snapshot import check_snapshot
from deepdive.train import read_checkpoint

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent.parent), "OMP_NUM_THREADS": "1"}


def fuzz(name, count, seed):
    command = [sys.executable, str(HERE / "fuzz.py"), name, str(count), str(seed)]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    print(result.stdout)
    refused = int(result.stdout.split(" refused")[0].split()[-1])
    assert refused > count // 3  # the mutations are no caresses


@pytest.mark.parametrize("name", ["arc", "safetensors", "idx", "state"])
def test_mutated_files(name):
    fuzz(name, 600, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arc", "safetensors", "idx", "state"])
def test_a_hundred_thousand_mutated_files(name):
    fuzz(name, 25_000, 2)


@pytest.fixture(autouse=True)
def bounded(request):
    """Each crafted file: some seconds, and 500 MB that NumPy and Python know of."""
    if "mutated" in request.node.name:  # those have a fence of their own
        yield
        return
    tracemalloc.start()
    start = time.perf_counter()
    yield
    spent, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000_000
    assert spent < 20  # the machine may be busy


# --- safetensors ---------------------------------------------------------------------------------


def blob(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


CRAFTED_SAFETENSORS = {
    "a header longer than the file": (2**63).to_bytes(8, "little") + b"{}",
    "a header of exabytes": b"\xff" * 8 + b"{}",
    "a shape of exabytes": blob({"a": entry([2**40, 2**40], 0, 4)}, bytes(4)),
    "a shape that overflows to its size": blob({"a": entry([2**62, 4], 0, 0)}),
    "overlapping tensors": blob({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
    "the same bytes a thousand times": blob(
        {f"t{i}": entry([1000], 0, 4000) for i in range(1000)}, bytes(4000)
    ),
    "a hole": blob({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)),
    "offsets that go back": blob({"a": entry([1], 4, 0)}, bytes(4)),
    "negative offsets": blob({"a": entry([1], -4, 0)}, bytes(4)),
    "deep nesting": blob(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep objects": blob(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a number of a million digits": blob(b'{"a":' + b"9" * 1_000_000 + b"}"),
    "a name twice": blob(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":1}', b"x"),
    "too many axes": blob({"a": entry([1] * 100, 0, 4)}, bytes(4)),
    "metadata that is no text": blob({"__metadata__": {"a": [1]}}),
    "trailing bytes": blob({"a": entry([1], 0, 4)}, bytes(5000)),
    "not UTF-8": blob(b'{"\xff\xfe": 1}'),
    "NaN": blob(b'{"a": NaN}'),
    "a pickle": b"\x80\x02cos\nsystem\n(S'touch /tmp/pwned'\ntR.",
    "a zip": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("trick", CRAFTED_SAFETENSORS)
def test_crafted_safetensors(tmp_path, trick):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(CRAFTED_SAFETENSORS[trick])
    with pytest.raises(CheckpointError) as caught:
        safetensors.load(path)
    assert len(str(caught.value)) < 5000


def test_names_in_files_are_names_and_no_paths(tmp_path):
    """A tensor may be called ``../../etc/passwd``: it is a key of a dict and nothing else."""
    name = "../../../etc/passwd\0"
    found = safetensors.loads(blob({name: entry([1], 0, 4)}, bytes(4)))
    assert list(found) == [name]


# --- arc -----------------------------------------------------------------------------------------

CRAFTED_ARC = {
    "layers a thousand deep": "\n".join(" " * i + "Sequential" for i in range(1000)),
    "brackets a thousand deep": "ReShape(" + "(" * 1000 + ")" * 1000 + ")",
    "lists a thousand deep": "ReShape(" + "[" * 1000 + "]" * 1000 + ")",
    "a line too many": "ReLU\n" * 100_001,
    "eleven million letters": "#" * 11_000_000,
    "a word of a million letters": "L" * 1_000_000,
    "a number of a million digits": f"Linear({'9' * 1_000_000}, 2)",
    "code": "Linear(__import__('os').system('touch /tmp/pwned'), 2)",
    "a call inside": "Linear(int('3'), 2)",
    "an attribute": "nn.Linear.__class__",
    "a dunder": "__class__",
    "a module of Python": "os.system('true')",
    "bytes that are no text": "ReLU\n\udcff",
    "a null": "ReLU\0",
    "memory for a planet": "Linear(1000000, 1000000)",
    "memory by the layer": "Sequential\n" + "    Linear(8000, 8000)\n" * 1000,
    "memory by a tuple": "Conv2d(1000, 1000, (1000, 1000))",
    "memory by a table": "Embedding(2000000000, 500)",
    "laughs": "Sequential\n" + "    Sequential\n        Linear(4000, 4000)\n" * 10_000,
    "layers by a number": "LSTM(1, 1, num_layers=1000000000)",
    "layers of a transformer": "TransformerEncoder(1000000)\n    TransformerEncoderLayer(8, 2, 8)",
    "negative": "Linear(-5, -5)",
    "a huge float": "Dropout(1e999)",
    "a label of dots": "..: ReLU",
    "a label with a slash": "a/b: ReLU",
}


@pytest.mark.parametrize("trick", CRAFTED_ARC)
def test_crafted_arc(tmp_path, trick):
    nn.Linear(2, 2).save(tmp_path)
    (tmp_path / "model.arc").write_bytes(CRAFTED_ARC[trick].encode(errors="surrogateescape"))
    with pytest.raises(DeepDiveError) as caught:
        nn.load_from_arc(tmp_path)
    assert len(str(caught.value)) < 5000
    assert not Path("/tmp/pwned").exists()


def test_the_depth_that_is_allowed_works():
    lines = parse("\n".join(" " * i + "Sequential" for i in range(199)))
    depth = 0
    while lines:
        lines, depth = lines[0].children, depth + 1
    assert depth == 199
    with pytest.raises(ArcError, match="more than 200 layers"):
        parse("\n".join(" " * i + "Sequential" for i in range(201)))


def test_a_large_model_of_ones_own_is_loaded(tmp_path):
    """The limit goes by the weights that are there, so no honest model meets it."""
    model = nn.Sequential(nn.Linear(2000, 2000), *(nn.Linear(3, 3) for _ in range(300)))
    model.save(tmp_path)
    assert len(list(nn.load_from_arc(tmp_path).parameters())) == 602


# --- idx -----------------------------------------------------------------------------------------


def idx(dtype, *shape, data=b""):
    return bytes((0, 0, dtype, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape) + data


CRAFTED_IDX = {
    "sixteen exabytes": idx(8, 2**32 - 1, 2**32 - 1, data=bytes(10)),
    "255 axes": bytes((0, 0, 8, 255)) + b"\0\0\0\1" * 255 + b"x",
    "255 axes, cut": bytes((0, 0, 8, 255)) + b"\0\0\0\1" * 100,
    "an empty axis beside a huge one": idx(0x0E, 33227, 4067986496, 3283681280, 0),
    "a bomb": gzip.compress(idx(8, 2**32 - 2, data=bytes(50_000_000))),
    "a bomb that tells the truth": gzip.compress(idx(8, 2**31, 3, data=bytes(1_000_000))),
    "a bomb behind a small header": gzip.compress(idx(8, 10, data=bytes(300_000_000)), 1),
    "gzip in gzip": gzip.compress(gzip.compress(idx(8, 1, data=b"x"))),
    "gzip cut": gzip.compress(idx(8, 100, data=bytes(100)))[:-12],
    "gzip with a wrong checksum": gzip.compress(idx(8, 1, data=b"x"))[:-8] + bytes(8),
    "a type there is not": idx(0x0A, 1, data=b"x"),
}


@pytest.mark.parametrize("trick", CRAFTED_IDX)
def test_crafted_idx(tmp_path, trick):
    (tmp_path / "a.idx").write_bytes(CRAFTED_IDX[trick])
    with pytest.raises(DataError):
        read_idx(tmp_path / "a.idx")


# --- state, and folders --------------------------------------------------------------------------

LAUGHS = '{"a": ' + '{"b": [' * 100 + "1" + "]}" * 100 + "}"
CRAFTED_STATE = {
    "nesting": b"[" * 1_000_000,
    "objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "a number": b'{"a": ' + b"9" * 1_000_000 + b"}",
    "no object": b"[]",
    "a word": b"lambda: 0",
    "two": b"{} {}",
    "not UTF-8": b'{"\xff": 1}',
}


@pytest.mark.parametrize("trick", CRAFTED_STATE)
def test_crafted_state(tmp_path, trick):
    nn.Linear(2, 2).save(tmp_path, extra={})
    (tmp_path / "state.json").write_bytes(CRAFTED_STATE[trick])
    with pytest.raises(CheckpointError):
        load_folder(tmp_path)


def test_json_has_no_entities_to_laugh_with(tmp_path):
    """Deep but allowed: what is nested costs what it takes to write, and no more."""
    nn.Linear(2, 2).save(tmp_path, extra={})
    (tmp_path / "state.json").write_text(LAUGHS)
    assert "a" in load_folder(tmp_path).extra


SUM = hashlib.sha256(b"").hexdigest()
CRAFTED_SUMS = {
    "a path upwards": f"{SUM}  ../../secret",
    "an absolute path": f"{SUM}  /etc/passwd",
    "a path of Windows": f"{SUM}  ..\\secret",
    "a hidden file": f"{SUM}  .save",
    "a null": f"{SUM}  a\0b",
    "no sum": "hello",
    "nothing": "",
    "a file that is not there": f"{SUM}  nothing",
    "itself": f"{SUM}  SHA256SUMS",
}


@pytest.mark.parametrize("trick", CRAFTED_SUMS)
def test_crafted_lists_of_checksums(tmp_path, trick):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"")
    (folder / "SHA256SUMS").write_bytes(CRAFTED_SUMS[trick].encode())
    for read in (check_snapshot, read_checkpoint):
        with pytest.raises(CheckpointError):
            read(folder)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "a\0b", "..", ".", ""])
@pytest.mark.parametrize("move", ["put", "drop"])
def test_lists_of_unfinished_saves_name_files_beside_them_only(tmp_path, move, name):
    folder = tmp_path / "model"
    nn.Linear(2, 2).save(folder)
    (tmp_path / "x").write_text("mine")
    (folder / ".save").write_bytes(f"{move} {name}\n".encode())
    with pytest.raises(CheckpointError):
        load_folder(folder)
    with pytest.raises(CheckpointError):
        nn.Linear(2, 2).save(folder)
    assert (tmp_path / "x").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes with names")
@pytest.mark.parametrize("name", ["model.arc", "weights.safetensors", "state.json"])
def test_pipes_and_devices_are_no_files(tmp_path, name):
    """A pipe would wait for ever, ``/dev/zero`` would never end."""
    nn.Linear(2, 2).save(tmp_path, extra={})
    for make in (os.mkfifo, lambda path: os.symlink("/dev/zero", path)):
        (tmp_path / name).unlink()
        make(tmp_path / name)
        with pytest.raises(CheckpointError, match="not a regular file"):
            load_folder(tmp_path)


def test_arrays_are_copies_that_own_their_memory():
    data = bytearray(safetensors.dumps({"a": np.arange(4.0)}))
    found = safetensors.loads(bytes(data))["a"]
    found[0] = 7
    assert found.flags.owndata and found.flags.writeable

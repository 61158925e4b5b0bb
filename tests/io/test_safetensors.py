"""safetensors: golden bytes, agreement with the real package, and files made to deceive."""

import json
import os
import random

import numpy as np
import pytest

from deepdive.errors import ArgumentError, CheckpointError, DTypeError
from deepdive.io import safetensors as ours

GOLDEN = (
    b"\x90\x00\x00\x00\x00\x00\x00\x00"
    b'{"__metadata__":{"format":"pt"},'
    b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
    b'"b":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]}}      '
    b"\x00\x00\x80\x3f\x00\x00\x00\xc0"
    b"\x01"
)

TYPES = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
TYPES += ["float16", "float32", "float64"]


def some_tensors():
    rng = np.random.default_rng(0)
    tensors = {f"t.{name}": rng.integers(0, 2, (3, 5)).astype(name) for name in TYPES}
    tensors["scalar"] = np.array(7.5, "float32")
    tensors["empty"] = np.zeros((0, 4), "float32")
    tensors["empty too"] = np.zeros((2, 0), "int64")
    tensors["Größe/😀\n\"'"] = rng.standard_normal((2, 1, 3)).astype("float32")
    tensors["special"] = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], "float32")
    return tensors


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == np.ascontiguousarray(array).tobytes()


# Writing and reading


def test_golden_bytes():
    tensors = {"b": np.array(True), "a": np.array([1.0, -2.0], "float32")}
    assert ours.dumps(tensors, {"format": "pt"}) == GOLDEN
    assert_same(ours.loads(GOLDEN), tensors)


def test_save_and_load(tmp_path):
    path = tmp_path / "w.safetensors"
    ours.save(path, some_tensors(), {"format": "pt", "epoch": "3"})
    assert_same(ours.load(path), some_tensors())
    assert ours.load_metadata(path) == {"format": "pt", "epoch": "3"}
    assert path.read_bytes() == ours.dumps(some_tensors(), {"epoch": "3", "format": "pt"})
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_nothing_at_all():
    assert ours.loads(ours.dumps({})) == {}


def test_order_of_the_mapping_does_not_matter():
    tensors = some_tensors()
    names = list(tensors)
    random.Random(1).shuffle(names)
    assert ours.dumps({name: tensors[name] for name in names}) == ours.dumps(tensors)


def test_loaded_arrays_are_writable_and_own_their_memory():
    data = ours.dumps({"a": np.arange(3), "b": np.arange(3)})
    found = ours.loads(data)
    found["a"][:] = 9
    assert found["b"].tolist() == [0, 1, 2]
    assert ours.loads(data)["a"].tolist() == [0, 1, 2]
    found = ours.loads(bf16_file([0x3F80], shape=[]))["x"]
    found += 1
    assert found == 2


def test_views_and_foreign_byte_order():
    base = np.arange(12.0).reshape(3, 4)
    tensors = {
        "transposed": base.T,
        "strided": base[::-1, ::2],
        "broadcast": np.broadcast_to(np.float32(1), (2, 3)),
        "big-endian": base.astype(">f8"),
    }
    found = ours.loads(ours.dumps(tensors))
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype.isnative


def bf16_file(halves, shape=None):
    data = np.array(halves, "<u2").tobytes()
    shape = [len(halves)] if shape is None else shape
    return packed({"x": {"dtype": "BF16", "shape": shape, "data_offsets": [0, len(data)]}}, data)


def test_bfloat16_becomes_float32_exactly():
    torch = pytest.importorskip("torch")
    values = torch.tensor([0.0, -0.0, 1.0, -2.5, 3.14159, 1e38, 1e-40, float("inf")])
    halves = values.bfloat16().view(torch.int16).numpy().view("u2")
    found = ours.loads(bf16_file(halves))["x"]
    assert found.dtype == np.float32
    assert found.tobytes() == values.bfloat16().float().numpy().tobytes()
    assert np.isnan(ours.loads(bf16_file([0x7FC0]))["x"]).all()


def test_bfloat16_both_ways(tmp_path):
    """Bit by bit PyTorch's numbers, byte by byte the package's file."""
    torch = pytest.importorskip("torch")
    package = pytest.importorskip("safetensors.torch")
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    halves = torch.from_numpy(np.arange(1 << 16, dtype="uint16").view("int16").copy())
    theirs = {
        "all": halves.view(torch.bfloat16).reshape(256, 256),
        "one": torch.tensor(1.5).bfloat16(),
        "none": torch.zeros(0, 3).bfloat16(),
        "half": torch.ones(3).half(),
        "wide": torch.ones(2),
    }
    data = package.save(theirs, {"format": "pt"})
    (tmp_path / "w.safetensors").write_bytes(data)
    for found in (
        ours.loads(data, keep_bfloat16=True),
        ours.load(tmp_path / "w.safetensors", keep_bfloat16=True),
    ):
        assert found["all"].dtype == found["one"].dtype == found["none"].dtype == bfloat16
        assert found["all"].tobytes() == halves.numpy().tobytes()
        assert (found["one"].shape, float(found["one"]), found["none"].shape) == ((), 1.5, (0, 3))
        assert ours.dumps(found, {"format": "pt"}) == data
        found["all"][0, 0] = 7  # memory of its own
    strided = found["all"][::2, 3:].T
    again = package.load(ours.dumps({"x": strided}))["x"]
    assert again.dtype == torch.bfloat16
    assert again.view(torch.int16).numpy().tobytes() == strided.tobytes()


def test_what_cannot_be_saved():
    with pytest.raises(DTypeError, match="tensor 'c' has a type"):
        ours.dumps({"c": np.zeros(2, complex)})
    with pytest.raises(DTypeError, match="tensor 'o' has a type"):
        ours.dumps({"o": np.array([{}, None])})
    with pytest.raises(ArgumentError, match="not a name"):
        ours.dumps({"__metadata__": np.zeros(2)})
    with pytest.raises(ArgumentError, match="not a name"):
        ours.dumps({3: np.zeros(2)})
    with pytest.raises(ArgumentError, match="maps strings to strings"):
        ours.dumps({}, {"epoch": 3})
    with pytest.raises(ArgumentError, match="half a character"):
        ours.dumps({"\ud800": np.zeros(2)})


# The real package


def test_the_package_reads_ours_and_writes_the_same_bytes(tmp_path):
    real = pytest.importorskip("safetensors.numpy")
    data = ours.dumps(some_tensors(), {"format": "pt"})
    assert_same(real.load(data), some_tensors())
    assert data == real.save(some_tensors(), {"format": "pt"})
    ours.save(tmp_path / "w", some_tensors())
    assert_same(real.load_file(tmp_path / "w"), some_tensors())
    assert (tmp_path / "w").read_bytes() == real.save(some_tensors())


def test_we_read_what_pytorch_users_write(tmp_path):
    torch = pytest.importorskip("torch")
    real = pytest.importorskip("safetensors.torch")
    tensors = {"fc.weight": torch.randn(3, 4), "half": torch.randn(5).bfloat16()}
    real.save_file(tensors, tmp_path / "w", {"format": "pt"})
    found = ours.load(tmp_path / "w")
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor.float().numpy())


# Files made to deceive


def packed(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def one(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


EIGHT = bytes(8)
ATTACKS = {
    "nothing": (b"", "0 bytes are too few"),
    "seven bytes": (b"\0" * 7, "7 bytes are too few"),
    "no header": (EIGHT, "does not start with '{'"),
    "huge length": (packed(b"{}", length=2**64 - 1), "18,446,744,073,709,551,615 bytes long"),
    "length past the end": (packed(b"{}", length=3), "3 bytes long, in a file of 10"),
    "over the limit": (packed(b"{}", length=100_000_001), "at most 100,000,000"),
    "not an object": (packed(b"[]"), "does not start with '{'"),
    "leading space": (packed(b" {}"), "does not start with '{'"),
    "not JSON": (packed(b"{"), "cannot be read"),
    "two objects": (packed(b"{}{}"), "cannot be read"),
    "not UTF-8": (packed(b'{"\xff":1}'), "cannot be read"),
    "deep lists": (packed(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "too deeply"),
    "deep objects": (packed(b'{"x":' * 200_000 + b"1" + b"}" * 200_000), "too deeply"),
    "bytes without a tensor": (packed({}, EIGHT), "8 bytes at its end belong to no tensor"),
    "name twice": (
        packed(b'{"x":%b,"x":%b}' % ((json.dumps(one()).encode(),) * 2), EIGHT),
        "'x' is there twice",
    ),
    "key twice": (
        packed(b'{"x":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}', EIGHT),
        "'shape' is there twice",
    ),
    "NaN": (packed(b'{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', EIGHT), "NaN"),
    "Infinity": (packed(b'{"x":-Infinity}', EIGHT), "Infinity is not JSON"),
    "endless number": (
        packed(b'{"x":{"shape":[' + b"9" * 10_000 + b"]}}"),
        "no size and no offset",
    ),
    "entry is a list": (packed({"x": []}), "tensor 'x': its entry is not an object"),
    "no dtype": (packed({"x": {}}), "tensor 'x': its entry has no 'dtype'"),
    "no offsets": (packed({"x": {"dtype": "F32", "shape": []}}), "has no 'data_offsets'"),
    "unknown dtype": (packed({"x": one("F33")}, EIGHT), "dtype 'F33': did you mean 'F32'"),
    "dtype a number": (packed({"x": one(3)}, EIGHT), "no way to read dtype '3': known are BOOL"),
    "dtype a list": (packed({"x": one(["F32"])}, EIGHT), "no way to read dtype"),
    "float8": (packed({"x": one("F8_E4M3", [8])}, EIGHT), "no way to read dtype 'F8_E4M3'"),
    "shape null": (packed({"x": one(shape=None)}, EIGHT), "shape None is not a list of sizes"),
    "shape with floats": (packed({"x": one(shape=[2.0])}, EIGHT), "is not a list of sizes"),
    "shape with truth": (packed({"x": one(shape=[True, 2])}, EIGHT), "is not a list of sizes"),
    "shape with text": (packed({"x": one(shape=["2"])}, EIGHT), "is not a list of sizes"),
    "negative size": (packed({"x": one(shape=[-2])}, EIGHT), "-2 is no size"),
    "two negative sizes": (packed({"x": one(shape=[-2, -1])}, EIGHT), "-2 is no size"),
    "negative offset": (packed({"x": one(offsets=[-8, 0])}, EIGHT), "-8 is no size and no offset"),
    "one offset": (packed({"x": one(offsets=[0])}, EIGHT), "are not [begin, end]"),
    "three offsets": (packed({"x": one(offsets=[0, 4, 8])}, EIGHT), "are not [begin, end]"),
    "offsets text": (packed({"x": one(offsets="08")}, EIGHT), "are not [begin, end]"),
    "offsets swapped": (packed({"x": one(offsets=[8, 0])}, EIGHT), "would lie at bytes 8 to 0"),
    "past the end": (packed({"x": one()}, bytes(7)), "bytes 0 to 8 of 7: is the file truncated"),
    "far past the end": (
        packed({"x": one(shape=[2**60], offsets=[0, 2**62])}, EIGHT),
        "is the file truncated",
    ),
    "shape too large": (packed({"x": one(shape=[3])}, EIGHT), "takes 12 bytes"),
    "shape too small": (packed({"x": one(shape=[1])}, EIGHT), "its data_offsets span 8"),
    "product wraps to 8 bytes": (
        packed({"x": one(shape=[2**32, 2**32, 2], offsets=[0, 8])}, EIGHT),
        "beyond what an array can have",
    ),
    "product wraps to 0": (
        packed({"x": one(shape=[2**62, 2**62, 0], offsets=[0, 0])}),
        "beyond what an array can have",
    ),
    "33 axes": (packed({"x": one(shape=[1] * 32 + [2])}, EIGHT), "beyond what an array can have"),
    "overlap": (
        packed({"x": one(), "y": one(offsets=[4, 12])}, bytes(12)),
        "tensor 'y': it overlaps the one before: begins at 4, not 8",
    ),
    "the same bytes twice": (packed({"x": one(), "y": one()}, EIGHT), "overlaps"),
    "hole": (
        packed({"x": one(), "y": one(offsets=[12, 20])}, bytes(20)),
        "tensor 'y': it leaves a hole before it: begins at 12, not 8",
    ),
    "hole at the start": (packed({"x": one(offsets=[4, 12])}, bytes(12)), "leaves a hole"),
    "bytes at the end": (packed({"x": one()}, bytes(9)), "1 bytes at its end belong to no tensor"),
    "metadata a list": (packed({"__metadata__": []}), "does not map strings to strings"),
    "metadata of numbers": (packed({"__metadata__": {"a": 1}}), "does not map strings"),
    "half true": (
        packed({"x": one("BOOL", [8])}, b"\0\1\2\0\0\0\0\0"),
        "a truth value that is neither 0 nor 1",
    ),
    "zip": (b"PK\x03\x04\0\0\x08\x08" + bytes(99), "is a zip archive, perhaps of torch.save"),
    "pickle": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "is a pickle"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
}
STRICTER = {"name twice", "half true", "33 axes", "float8", "leading space"}  # than the package


@pytest.mark.parametrize("name", ATTACKS)
def test_deceit_is_refused(name, tmp_path):
    data, reason = ATTACKS[name]
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        ours.load(path)
    assert reason in str(caught.value)
    assert str(caught.value).startswith(str(path))
    with pytest.raises(CheckpointError):
        ours.loads(data)


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - STRICTER))
def test_the_package_refuses_them_too(name):
    real = pytest.importorskip("safetensors")
    with pytest.raises(real.SafetensorError):
        real.deserialize(ATTACKS[name][0])


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "w"
    for length in range(len(GOLDEN)):
        path.write_bytes(GOLDEN[:length])
        with pytest.raises(CheckpointError):
            ours.load(path)
        with pytest.raises(CheckpointError):
            ours.load_metadata(path)


def test_odd_files_that_are_right():
    """Accepted as the package accepts them."""
    real = pytest.importorskip("safetensors.numpy")
    for data in (
        packed({"x": one("U8", [1], [0, 1]), "y": one(offsets=[1, 9])}, bytes(9)),  # unaligned
        packed({"y": one(offsets=[8, 16]), "x": one()}, bytes(range(16))),  # out of order
        packed({"x": one(shape=[2, 0], offsets=[0, 0]), "y": one()}, EIGHT),
        packed({"x": one(more="unknown")}, EIGHT),
        packed(b"{}     \n"),
        packed({"__metadata__": None}),
    ):
        assert_same(ours.loads(data), real.load(data))


def test_damaged_at_random_we_agree_with_the_package():
    """Where both read a file, both read the same; ours reads nothing that the package refuses."""
    real = pytest.importorskip("safetensors.numpy")
    chance = random.Random(0)
    valid = ours.dumps({"a": np.arange(3), "b": np.zeros((2, 1), "float32"), "c": np.array(True)})
    agreed = 0
    for _ in range(4000):
        data = bytearray(valid)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data))
            data[place] = chance.choice(b'0123456789[]{},:"-. eFI\x00\x01\xff')
        try:
            found = ours.loads(bytes(data))
        except CheckpointError:
            continue
        assert_same(found, real.load(bytes(data)))
        agreed += 1
    assert agreed > 50


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        ours.load(tmp_path / "absent")
    with pytest.raises(CheckpointError, match="cannot read"):
        ours.load(tmp_path)
    with pytest.raises(CheckpointError, match="make the folder first"):
        ours.save(tmp_path / "no" / "w", {})

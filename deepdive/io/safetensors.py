"""Weights in the safetensors format: names → arrays, and nothing that could run.

The whole format (https://github.com/huggingface/safetensors)::

    8 bytes     N, the length of the header, little-endian
    N bytes     {"__metadata__": {"format": "pt"},
                 "fc.weight": {"dtype": "F32", "shape": [10, 4], "data_offsets": [0, 160]}, ...}
    the rest    the numbers, little-endian, row by row; together the tensors fill it exactly

What is written here is, byte for byte, what the ``safetensors`` package writes: tensors of wide
numbers first, then by name, so that all of them lie aligned; the header padded with spaces.
What is read is trusted in nothing: a header that lies about anything is a ``CheckpointError``.
Tensors that start at odd places are read, though, as the package reads them: older files have
them, and since numbers are copied out it does no harm.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

from deepdive.dtypes import as_dtype
from deepdive.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    MissingExtraError,
    did_you_mean,
)
from deepdive.host import np
from deepdive.io import files

METADATA = "__metadata__"
MAX_HEADER = 100_000_000  # bytes, as in the package
MAX_BYTES = 2**63 - 1

# The format's order of types, the last ones written first.
DTYPES = {
    "BOOL": np.dtype("bool"),
    "U8": np.dtype("uint8"),
    "I8": np.dtype("int8"),
    "I16": np.dtype("int16"),
    "U16": np.dtype("uint16"),
    "F16": np.dtype("float16"),
    "BF16": np.dtype("uint16"),  # as it is read: the upper half of a float32
    "I32": np.dtype("int32"),
    "U32": np.dtype("uint32"),
    "F32": np.dtype("float32"),
    "F64": np.dtype("float64"),
    "I64": np.dtype("int64"),
    "U64": np.dtype("uint64"),
}
RANK = {name: rank for rank, name in enumerate(DTYPES)}
NAMES = {**{dtype.name: name for name, dtype in DTYPES.items()}, "uint16": "U16"}
NAMES["bfloat16"] = "BF16"

FOREIGN = {
    b"PK\x03\x04": "a zip archive, perhaps of torch.save: convert it with safetensors.torch",
    b"\x80\x02": "a pickle: DeepDive never opens those; convert it with safetensors.torch",
    b"\x93NUMPY": "a NumPy array: read it with numpy.load",
    b"\x89HDF": "an HDF5 file: read it with h5py",
    b"version ": "a Git LFS pointer: fetch the file with `git lfs pull`",
}


class Entry(NamedTuple):
    """What the header says of one tensor; offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def save(
    path: files.FilePath, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes `tensors` to `path`, whole or not at all.

    Raises:
        ArgumentError: names or metadata that are not strings.
        DTypeError: an array of complex numbers, objects or strings.
        CheckpointError: the file cannot be written.
    """
    content = pieces(tensors, metadata)
    with files.replacing(path) as file:
        file.writelines(content)


def load(path: files.FilePath, keep_bfloat16: bool = False) -> dict[str, Any]:
    """The arrays of a file, in the file's order; each is writable and owns its memory.

    ``BF16``, which NumPy does not have, comes back as float32, exactly; with `keep_bfloat16` as
    bfloat16, where the extra ``[bf16]`` is installed.

    Raises:
        CheckpointError: there is no such file, or it is damaged: which tensor, and how.
    """
    with files.reading(path) as file:
        return _read(file, os.fspath(path), keep_bfloat16)


def load_metadata(path: files.FilePath) -> dict[str, str]:
    """The ``__metadata__`` of a file; its tensors are checked but not read."""
    with files.reading(path) as file:
        return _read_header(file, os.fspath(path))[0]


def dumps(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes that :func:`save` writes.

    >>> loads(dumps({"w": np.array([1.0, 2.0])}))
    {'w': array([1., 2.])}
    """
    return b"".join(pieces(tensors, metadata))


def loads(data: bytes, source: str = "these bytes", keep_bfloat16: bool = False) -> dict[str, Any]:
    """The arrays in `data`; like :func:`load`, errors speak of `source`."""
    return _read(BytesIO(data), source, keep_bfloat16)


# Writing


def pieces(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> Iterator[Any]:
    """The content of a file, piece by piece: the header, then one tensor after another.

    Everything is checked before the first piece; no second copy of all weights is made.
    """
    arrays = {name: _storable(name, value) for name, value in tensors.items()}
    order = sorted(arrays, key=lambda name: (-RANK[NAMES[arrays[name].dtype.name]], name))
    header: dict[str, Any] = {METADATA: _checked(metadata)} if metadata is not None else {}
    end = 0
    for name in order:
        array = arrays[name]
        begin, end = end, end + array.nbytes
        header[name] = {
            "dtype": NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    head = _encoded(header)
    body = (_bytes_of(_turned(arrays[name])) for name in order)
    return (piece for group in ([head], body) for piece in group)


def _storable(name: str, value: Any) -> Any:
    """`value` as an array of a type the format has, in row order and the machine's byte order."""
    if not isinstance(name, str) or name == METADATA:
        raise ArgumentError("safetensors: not a name for a tensor", got=repr(name))
    native = hasattr(value, "compact")  # an array of the native backend stays one
    array: Any = value if native else np.asarray(value)
    if array.dtype.name not in NAMES:
        raise DTypeError(
            f"safetensors: tensor {name!r} has a type that the format does not have",
            got=array.dtype,
            expected=", ".join(NAMES),
        )
    if native:
        return array.compact()
    dtype = array.dtype if array.dtype.name == "bfloat16" else np.dtype(array.dtype.name)
    return np.asarray(array, dtype=dtype, order="C")


def _checked(metadata: Mapping[str, str]) -> dict[str, str]:
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ArgumentError("safetensors: metadata maps strings to strings", got={key: value})
    return dict(sorted(metadata.items()))


def _encoded(header: dict[str, Any]) -> bytes:
    import json

    try:
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as failure:
        raise ArgumentError(
            "safetensors: half a character in a name", got=ascii(failure.object)
        ) from None
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ArgumentError(f"safetensors: names and shapes take more than {MAX_HEADER:,} bytes")
    return len(text).to_bytes(8, "little") + text


def _bytes_of(array: Any) -> Any:
    """The memory of a contiguous array, to read from or to write into."""
    return array.memory() if hasattr(array, "memory") else array.reshape(-1).view(np.uint8).data


def _turned(array: Any) -> Any:
    """Little-endian numbers for the machine's own, or the other way round."""
    return array if sys.byteorder == "little" else array.byteswap()


# Reading


def _read(file: BinaryIO, source: str, keep_bfloat16: bool) -> dict[str, Any]:
    _, entries = _read_header(file, source)
    arrays = {}
    for entry in sorted(entries, key=_place):  # no seeking
        raw = np.empty(entry.shape, dtype=DTYPES[entry.dtype])
        if file.readinto(_bytes_of(raw)) != raw.nbytes:  # type: ignore[attr-defined]
            raise _damaged(source, "the file ends within it", entry.name)
        if entry.dtype == "BOOL" and bytes(_bytes_of(raw)).translate(None, b"\0\1"):
            raise _damaged(source, "a truth value that is neither 0 nor 1", entry.name)
        if entry.dtype == "BF16":
            arrays[entry.name] = _kept(_turned(raw)) if keep_bfloat16 else _turned(_from_bf16(raw))
        else:
            arrays[entry.name] = _turned(raw)
    return arrays


def _kept(halves: Any) -> Any:
    """`halves` seen as bfloat16; without the extra, what they are in float32."""
    try:
        return halves.view(as_dtype("bfloat16"))
    except MissingExtraError:
        return _turned(_from_bf16(_turned(halves)))


def _from_bf16(halves: Any) -> Any:
    """float32 whose upper 16 bits are `halves` and whose lower ones are zero, little-endian."""
    out = np.zeros(halves.shape, dtype="float32")
    target, source = _bytes_of(out), _bytes_of(halves)
    target[2::4], target[3::4] = source[::2], source[1::2]
    return out


def _read_header(file: BinaryIO, source: str) -> tuple[dict[str, str], list[Entry]]:
    """Metadata and entries; all claims of the header are checked against the size of the file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8:
        raise _damaged(source, f"{size} bytes are too few for a safetensors file")
    if length > min(MAX_HEADER, size - 8):
        file.seek(0)
        raise _too_long(source, length, size, file.read(8))
    header = _parsed(file.read(length), source)
    metadata = header.pop(METADATA, None)
    if metadata is None:
        metadata = {}
    if type(metadata) is not dict or any(type(value) is not str for value in metadata.values()):
        raise _damaged(source, f"{METADATA} does not map strings to strings")
    body = size - 8 - length
    entries = [_entry(source, name, claims, body) for name, claims in header.items()]
    _check_cover(source, entries, body)
    return metadata, entries


def _too_long(source: str, length: int, size: int, start: bytes) -> CheckpointError:
    for magic, what in FOREIGN.items():
        if start.startswith(magic):
            return CheckpointError(f"{source} is not a safetensors file: it is {what}")
    reason = f"its header would be {length:,} bytes long, in a file of {size:,}"
    if length > MAX_HEADER:
        reason += f" (and at most {MAX_HEADER:,} are allowed)"
    return _damaged(source, reason)


def _parsed(text: bytes, source: str) -> dict[str, Any]:
    """The header as a dict; stricter than Python's json: no NaN, no name twice, no huge number."""
    import json

    def constant(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    if not text.startswith(b"{"):
        raise _damaged(source, "the header does not start with '{'")
    try:
        header = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_natural,
            parse_constant=constant,
        )
    except RecursionError:
        raise _damaged(source, "the header is nested too deeply") from None
    except ValueError as failure:  # also UnicodeDecodeError and JSONDecodeError
        raise _damaged(source, f"the header cannot be read: {failure}") from None
    return dict(header)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


def _natural(digits: str) -> int:
    if not digits.isdigit() or len(digits) > 19:
        raise ValueError(f"{digits[:30]} is no size and no offset")
    return int(digits)


def _entry(source: str, name: str, claims: Any, body: int) -> Entry:
    """One tensor's claims, each for itself."""
    if type(claims) is not dict:
        raise _damaged(source, "its entry is not an object", name)
    for key in ("dtype", "shape", "data_offsets"):
        if key not in claims:
            raise _damaged(source, f"its entry has no {key!r}", name)
    dtype, shape, offsets = claims["dtype"], claims["shape"], claims["data_offsets"]
    if type(dtype) is not str or dtype not in DTYPES:
        near = did_you_mean(str(dtype)[:30], DTYPES) or f"known are {', '.join(DTYPES)}"
        raise _damaged(source, f"no way to read dtype {str(dtype)[:30]!r}: {near}", name)
    if not _naturals(shape):
        raise _damaged(source, f"shape {str(shape)[:60]} is not a list of sizes", name)
    if not _naturals(offsets) or len(offsets) != 2:
        raise _damaged(source, f"data_offsets {str(offsets)[:60]} are not [begin, end]", name)
    entry = Entry(name, dtype, tuple(shape), *offsets)
    _check_size(source, entry, body)
    return entry


def _check_size(source: str, entry: Entry, body: int) -> None:
    """Type, shape and offsets agree, and stay within the file."""
    name, dtype, shape, begin, end = entry
    if not begin <= end <= body:
        reason = f"it would lie at bytes {begin:,} to {end:,} of {body:,}: is the file truncated?"
        raise _damaged(source, reason, name)
    item = DTYPES[dtype].itemsize
    if len(shape) > 32 or math.prod(size or 1 for size in shape) * item > MAX_BYTES:
        raise _damaged(source, f"shape {str(shape)[:60]} is beyond what an array can have", name)
    if math.prod(shape) * item != end - begin:
        reason = f"shape {shape} of {dtype} takes {math.prod(shape) * item:,} bytes"
        raise _damaged(source, f"{reason}, its data_offsets span {end - begin:,}", name)


def _naturals(value: Any) -> bool:
    return type(value) is list and all(type(item) is int for item in value)


def _check_cover(source: str, entries: list[Entry], body: int) -> None:
    """The tensors lie one behind the other, from the first byte to the last."""
    end = 0
    for entry in sorted(entries, key=_place):
        if entry.begin != end:
            fault = "overlaps the one before" if entry.begin < end else "leaves a hole before it"
            raise _damaged(
                source, f"it {fault}: begins at {entry.begin:,}, not {end:,}", entry.name
            )
        end = entry.end
    if end != body:
        raise _damaged(source, f"{body - end:,} bytes at its end belong to no tensor")


def _place(entry: Entry) -> tuple[int, int]:
    return entry.begin, entry.end


def _damaged(source: str, reason: str, tensor: str | None = None) -> CheckpointError:
    where = f"tensor {tensor[:200]!r}: " if tensor is not None else ""
    return CheckpointError(f"{source}: {where}{reason}", fix="download or save the file again")

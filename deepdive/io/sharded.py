"""Weights in several safetensors files, with an index of what is where (Hugging Face's layout).

::

    model-00001-of-00002.safetensors
    model-00002-of-00002.safetensors
    model.safetensors.index.json     {"metadata": {"total_size": 160},
                                      "weight_map": {"fc.weight": "model-00001-of-…", …}}
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import files, safetensors
from deepdive.io.folder import read_folder, write_folder

INDEX = "model.safetensors.index.json"
SINGLE = ("model.safetensors", "weights.safetensors")  # other libraries', and our own
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
MAX_INDEX = 100_000_000  # bytes


def load(path: files.FilePath, keep_bfloat16: bool = False) -> dict[str, Any]:
    """The arrays of a safetensors file, of an index and its files, or of a folder with either.

    For `keep_bfloat16` see :func:`deepdive.io.safetensors.load`.

    Raises:
        CheckpointError: nothing is there, a file is damaged, or does not hold what the index says.
    """
    path = os.fspath(path)
    read = partial(safetensors.load, keep_bfloat16=keep_bfloat16)
    if os.path.isdir(path):
        return _load_folder(path, read)
    if not path.endswith(".json"):
        return read(path)
    folder, places = os.path.dirname(path), _weight_map(path)
    shards = {name: read(os.path.join(folder, name)) for name in set(places.values())}
    return _gathered(path, places, shards)


def _load_folder(path: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """What lies in a folder, also while a save of ours moves in (:mod:`deepdive.io.folder`)."""
    known = (INDEX, *SINGLE)
    places = read_folder(path, {INDEX: _weight_map})[INDEX]
    if places is None:
        for arrays in read_folder(path, dict.fromkeys(SINGLE, read)).values():
            if arrays is not None:
                return arrays  # type: ignore[no-any-return]
        raise CheckpointError(f"no weights in {path}", expected=" or ".join(known))
    shards = read_folder(path, dict.fromkeys(places.values(), read))
    return _gathered(os.path.join(path, INDEX), places, shards)


def _gathered(path: str, places: dict[str, str], shards: Mapping[str, Any]) -> dict[str, Any]:
    for name, shard in places.items():
        if name not in (shards[shard] or ()):
            raise CheckpointError(
                f"{path}: tensor {name!r} is not in {shard}, where the index says it is",
                fix="download or save the files again",
            )
    return {name: shards[shard][name] for name, shard in places.items()}


def _weight_map(path: str) -> dict[str, str]:
    """The index's names and files; the files lie beside it, wherever it says they lie."""
    import json

    try:
        index = json.loads(files.read_text(path, MAX_INDEX))
        places = index["weight_map"]
        pairs = [(name, shard) for name, shard in places.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as failure:
        raise CheckpointError(f"{path} is no index of weights: {failure!r}") from None
    for name, shard in pairs:
        if not isinstance(shard, str) or os.path.basename(shard) != shard or "\\" in shard:
            raise CheckpointError(
                f"{path}: tensor {name!r} is said to be in {shard!r}",
                expected="the name of a file in the same folder",
            )
    return dict(pairs)


def save(
    folder: files.FilePath,
    tensors: Mapping[str, Any],
    max_shard_size: int = 5_000_000_000,
    metadata: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> list[str]:
    """Writes `tensors` into `folder`, in files of at most so many bytes; gives their names.

    One file is ``model.safetensors``; several have an index.  All of them, and `texts` (file name
    → content) take the place of what was there in one step; weights of a former save are removed.

    Raises:
        ArgumentError: for a size that is no positive number.
        CheckpointError: the files cannot be written; what was there before is untouched.
    """
    import json

    if max_shard_size < 1:
        raise ArgumentError("sharded.save: max_shard_size is positive", got=max_shard_size)
    shards, total = _shared_out(tensors, max_shard_size)
    facts = {"format": "pt", **(metadata or {})}  # transformers insists on that word
    written: dict[str, Any] = dict.fromkeys(_weights_in(folder))
    for name, shard in shards.items():
        written[name] = safetensors.pieces(shard, facts)
    if len(shards) > 1:
        places = {tensor: name for name, shard in shards.items() for tensor in shard}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        written[INDEX] = [json.dumps(index, indent=2).encode() + b"\n"]
    for name, text in (texts or {}).items():
        written[name] = [text.encode()]
    write_folder(folder, written)
    return list(shards)


def _shared_out(tensors: Mapping[str, Any], most: int) -> tuple[dict[str, dict[str, Any]], int]:
    """File name → tensors, in the order given; and the bytes of them all."""
    shards: list[dict[str, Any]] = [{}]
    sizes = [0]
    for name, array in tensors.items():
        size = array.dtype.itemsize * array.size
        if sizes[-1] and sizes[-1] + size > most:
            shards.append({})
            sizes.append(0)
        shards[-1][name] = array
        sizes[-1] += size
    names = [SINGLE[0]]
    if len(shards) > 1:
        numbers = range(1, len(shards) + 1)
        names = [f"model-{i:05}-of-{len(shards):05}.safetensors" for i in numbers]
    return dict(zip(names, shards, strict=True)), sum(sizes)


def _weights_in(folder: files.FilePath) -> list[str]:
    """The files of a former save of this kind."""
    try:
        found = os.listdir(folder)
    except OSError:
        return []  # not there yet; what else is wrong with it, writing will tell
    return [name for name in found if name in (INDEX, SINGLE[0]) or SHARD.fullmatch(name)]

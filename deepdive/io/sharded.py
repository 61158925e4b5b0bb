"""Weights in several safetensors files, with an index of what is where (Hugging Face's layout).

::

    model-00001-of-00002.safetensors
    model-00002-of-00002.safetensors
    model.safetensors.index.json     {"metadata": {"total_size": 160},
                                      "weight_map": {"fc.weight": "model-00001-of-…", …}}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import files, safetensors

INDEX = "model.safetensors.index.json"
SINGLE = ("model.safetensors", "weights.safetensors")  # other libraries', and our own
MAX_INDEX = 100_000_000  # bytes


def load(path: files.FilePath) -> dict[str, Any]:
    """The arrays of a safetensors file, of an index and its files, or of a folder with either.

    Raises:
        CheckpointError: nothing is there, a file is damaged, or does not hold what the index says.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        known = (INDEX, *SINGLE)
        found = [name for name in known if os.path.isfile(os.path.join(path, name))]
        if not found:
            raise CheckpointError(f"no weights in {path}", expected=" or ".join(known))
        path = os.path.join(path, found[0])
    if not path.endswith(".json"):
        return safetensors.load(path)
    places = _weight_map(path)
    folder = os.path.dirname(path)
    shards = {name: safetensors.load(os.path.join(folder, name)) for name in set(places.values())}
    for name, shard in places.items():
        if name not in shards[shard]:
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
    folder: files.FilePath, tensors: Mapping[str, Any], max_shard_size: int = 5_000_000_000
) -> list[str]:
    """Writes `tensors` into `folder`, in files of at most so many bytes; gives their names.

    One file is ``model.safetensors``; several have an index, which is written last.

    Raises:
        ArgumentError: for a size that is no positive number.
        CheckpointError: the files cannot be written.
    """
    import json

    if max_shard_size < 1:
        raise ArgumentError("sharded.save: max_shard_size is positive", got=max_shard_size)
    os.makedirs(folder, exist_ok=True)
    shards: list[dict[str, Any]] = [{}]
    sizes = [0]
    for name, array in tensors.items():
        size = array.dtype.itemsize * array.size
        if sizes[-1] and sizes[-1] + size > max_shard_size:
            shards.append({})
            sizes.append(0)
        shards[-1][name] = array
        sizes[-1] += size
    names = [SINGLE[0]]
    if len(shards) > 1:
        numbers = range(1, len(shards) + 1)
        names = [f"model-{i:05}-of-{len(shards):05}.safetensors" for i in numbers]
    for name, shard in zip(names, shards, strict=True):
        safetensors.save(os.path.join(folder, name), shard, {"format": "pt"})
    if len(shards) > 1:
        pairs = zip(names, shards, strict=True)
        places = {tensor: name for name, shard in pairs for tensor in shard}
        index = {"metadata": {"total_size": sum(sizes)}, "weight_map": places}
        files.write_text(os.path.join(folder, INDEX), json.dumps(index, indent=2) + "\n")
    return names

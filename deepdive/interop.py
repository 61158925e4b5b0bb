"""Weights from elsewhere: PyTorch's state dicts, and the files of Hugging Face.

Names stay as they are, since modules have PyTorch's names; `rename` helps where a model's own
parts are called otherwise.  Nothing here imports PyTorch, and no pickle is ever read: a ``.pt``
file is opened with PyTorch, or converted to safetensors there.

>>> import deepdive as dd, numpy as np
>>> layer = dd.nn.Linear(2, 1)
>>> state = from_torch_state_dict({"module.weight": np.ones((1, 2)), "module.bias": np.zeros(1)},
...                               rename=lambda name: name.removeprefix("module."))
>>> layer.load_state_dict(state)
<All keys matched successfully: 2 loaded>
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from deepdive.backend.speakers import to_host
from deepdive.core.tensor import Tensor
from deepdive.dtypes import as_dtype
from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import sharded
from deepdive.io.files import read_text
from deepdive.io.folder import read_folder
from deepdive.nn.loading import LoadReport
from deepdive.ops.creation import as_tensor

Rename = Callable[[str], str | None] | Mapping[str, str] | None


def from_torch_state_dict(
    state: Mapping[str, Any], rename: Rename = None, dtype: Any = None
) -> dict[str, Tensor]:
    """The tensors of PyTorch's ``model.state_dict()`` as ours, name → Tensor on own memory.

    bfloat16 becomes float32, exactly, unless `dtype` says otherwise; tensors on a GPU are fetched.

    Args:
        state: names → PyTorch's tensors (arrays will do).
        rename: a function of a name, giving the new one, or None to leave it out; or a mapping
            of beginnings, the longest that fits counts.
        dtype: what floating numbers become.

    Raises:
        ArgumentError: for what is no state dict, or two tensors of one new name.
    """
    if not isinstance(state, Mapping):
        raise ArgumentError(
            "from_torch_state_dict: a state maps names to tensors",
            got=type(state).__name__,
            fix="pass model.state_dict()",
        )
    renamed = _renaming(rename)
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        new = renamed(name)
        if new is None:
            continue
        if new in found:
            raise ArgumentError(f"from_torch_state_dict: two tensors would be called {new!r}")
        found[new] = _converted(name, value, dtype)
    return found


def _converted(name: str, value: Any, dtype: Any) -> Tensor:
    if hasattr(value, "detach") and not isinstance(value, Tensor):  # one of PyTorch's
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":  # NumPy has no such type
            value = value.float()
        value = value.numpy()
    if not hasattr(value, "dtype"):
        raise ArgumentError(
            f"from_torch_state_dict: {name!r} is no tensor", got=type(value).__name__
        )
    tensor: Any = as_tensor(value).clone()  # type: ignore[attr-defined]
    convert = dtype is not None and tensor.is_floating_point()
    return tensor.to(dtype) if convert else tensor


def _renaming(rename: Rename) -> Callable[[str], str | None]:
    if rename is None:
        return lambda name: name
    if callable(rename):
        return rename
    beginnings = sorted(rename, key=len, reverse=True)

    def renamed(name: str) -> str:
        for old in beginnings:
            if name.startswith(old):
                return rename[old] + name[len(old) :]
        return name

    return renamed


def load_safetensors(
    path: str | os.PathLike[str], rename: Rename = None, dtype: Any = None
) -> dict[str, Tensor]:
    """The tensors of a safetensors file, of ``model.safetensors.index.json``, or of a folder.

    BF16 becomes float32, exactly, unless `dtype` is bfloat16.  The arguments are those of
    :func:`from_torch_state_dict`.

    Raises:
        CheckpointError: nothing is there, or it is damaged.
    """
    keep = dtype is not None and as_dtype(dtype).name == "bfloat16"
    return from_torch_state_dict(sharded.load(path, keep), rename, dtype)


def load_into(
    model: Any, path: str | os.PathLike[str], rename: Rename = None, strict: bool = True
) -> LoadReport:
    """:func:`load_safetensors` into a model; see ``load_state_dict`` for what it reports.

    Raises:
        CheckpointError: nothing is there, it is damaged, or (if strict) does not fit the model.
    """
    report: LoadReport = model.load_state_dict(load_safetensors(path, rename), strict)
    return report


# --- Hugging Face's folders ----------------------------------------------------------------------
CONFIG = "config.json"
MAX_CONFIG = 10_000_000  # bytes
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def save_pretrained(
    model: Any,
    folder: str | os.PathLike[str],
    config: Mapping[str, Any] | None = None,
    max_shard_size: int | str = "5GB",
) -> list[str]:
    """Save a model in Hugging Face's folder layout; gives the names of the weight files.

    ``model.safetensors``, or several files and ``model.safetensors.index.json``; ``config.json``
    holds `config`, and the library's name and version.  All are written, or nothing is changed.
    A tensor that has two names is stored under the first; the file's metadata has the others.

    Args:
        model: a module, or a state dict.
        folder: made if need be; weights of a former save are replaced.
        config: JSON values; transformers wants its own words, such as ``model_type``.
        max_shard_size: bytes of one file at most, a number or such as ``"500MB"``.

    Raises:
        ArgumentError: for values JSON has not, and for what is no size.
        CheckpointError: if the folder cannot be written.
    """
    import json

    facts = {**(config or {}), "library_name": "deepdive", "deepdive_version": _version()}
    try:
        text = json.dumps(facts, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            "save_pretrained: the config cannot be written as JSON",
            got=str(error),
            expected="a dict of texts, finite numbers, booleans, None, lists and dicts",
        ) from error
    state = model if isinstance(model, Mapping) else model.state_dict()
    kept, same = _apart(state)
    return sharded.save(folder, kept, _bytes(max_shard_size), same, {CONFIG: text})


def load_pretrained(
    model: Any, folder: str | os.PathLike[str], rename: Rename = None, strict: bool = True
) -> LoadReport:
    """Load the weights of a folder in Hugging Face's layout; :func:`load_config` has the rest.

    Raises:
        CheckpointError: nothing is there, it is damaged, or (if strict) does not fit the model.
    """
    return load_into(model, folder, rename, strict)


def load_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The ``config.json`` of a folder in Hugging Face's layout.

    Raises:
        CheckpointError: there is none, or it is no JSON object.
    """
    import json

    def read(path: str) -> Any:
        try:
            return json.loads(read_text(path, MAX_CONFIG))
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} is no JSON: {error}") from None

    found = read_folder(folder, {CONFIG: read})[CONFIG]
    if not isinstance(found, dict):
        raise CheckpointError(f"no {CONFIG} in {os.fspath(folder)}", expected="a JSON object")
    return found


def _version() -> str:
    return str(sys.modules["deepdive"].__version__)


def _apart(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays, each once; and the further names of those that have several."""
    kept: dict[str, Any] = {}
    same: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, tensor in state.items():
        array = tensor._data if isinstance(tensor, Tensor) else tensor
        if id(array) in first:
            same[name] = first[id(array)]
        else:
            first[id(array)] = name
            kept[name] = to_host(array) if isinstance(tensor, Tensor) else array
    return kept, same


def _bytes(size: int | str) -> int:
    """A number of bytes, also written with a unit."""
    found = re.fullmatch(r"([0-9]{1,15}) *([A-Z]*)", str(size).strip().upper())
    if found is None or found[2] not in UNITS or not int(found[1]):
        raise ArgumentError(
            "save_pretrained: max_shard_size is no size",
            got=repr(size),
            expected="bytes, or a text such as '500MB' or '5GB'",
        )
    return int(found[1]) * UNITS[found[2]]

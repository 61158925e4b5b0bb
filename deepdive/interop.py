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
from collections.abc import Callable, Mapping
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.io import sharded
from deepdive.nn.loading import LoadReport
from deepdive.ops.creation import as_tensor

Rename = Callable[[str], str | None] | Mapping[str, str] | None


def from_torch_state_dict(
    state: Mapping[str, Any], rename: Rename = None, dtype: Any = None
) -> dict[str, Tensor]:
    """The tensors of PyTorch's ``model.state_dict()`` as ours, name → Tensor on own memory.

    bfloat16 becomes float32, exactly; tensors on a GPU are fetched.

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

    BF16 becomes float32, exactly.  The arguments are those of :func:`from_torch_state_dict`.

    Raises:
        CheckpointError: nothing is there, or it is damaged.
    """
    return from_torch_state_dict(sharded.load(path), rename, dtype)


def load_into(
    model: Any, path: str | os.PathLike[str], rename: Rename = None, strict: bool = True
) -> LoadReport:
    """:func:`load_safetensors` into a model; see ``load_state_dict`` for what it reports.

    Raises:
        CheckpointError: nothing is there, it is damaged, or (if strict) does not fit the model.
    """
    report: LoadReport = model.load_state_dict(load_safetensors(path, rename), strict)
    return report

"""What a module is called with: Tensors as they are, arrays and lists as Tensors."""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core.tensor import Tensor, array_of, wrap


def as_tensors(inputs: tuple[Any, ...], module: Any) -> tuple[Any, ...]:
    """Arrays become tensors, and so does a list of numbers that comes first.

    They share their memory, unless they are NumPy's and the module lives on a device.
    """
    home = _home(inputs, module)
    arrays = tuple(speakers.BY_TYPE)
    out = []
    for x in inputs:
        out.append(_wrapped(x, home) if isinstance(x, arrays) else x)
    if isinstance(out[0], (list, tuple)):
        first = out[0]
        while isinstance(first, (list, tuple)) and first:
            first = first[0]
        if isinstance(first, (int, float)):
            out[0] = _wrapped(out[0], home)
    return tuple(out)


def _home(inputs: tuple[Any, ...], module: Any) -> Any:
    """Whose arrays NumPy's become: those of the first Tensor, or of the first parameter."""
    default = speakers.of_device(config.defaults.device)
    if len(speakers.BY_DEVICE) == 1:
        return default  # there is no other in this process
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    first = tensors[0] if tensors else next(module.parameters(), None)
    if first is None:
        return default
    speaker = speakers.BY_TYPE[type(first._data)]
    recorded = hasattr(speaker, "adopt")
    return default if recorded else speaker


def _wrapped(x: Any, home: Any) -> Tensor:
    own = speakers.BY_TYPE.get(type(x), home)
    if own is speakers.BY_DEVICE.get("cpu"):  # which is not there without NumPy
        own = home
    array = array_of(x, own)
    return wrap(array)

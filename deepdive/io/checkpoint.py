"""The folder a model is saved in: what it is, what it has learned, and where training stands.

::

    model.arc             the architecture, text                     (deepdive.io.arc)
    weights.safetensors   parameter path → array                     (deepdive.io.safetensors)
    state.json            whatever else the caller wants to find again (optional)

All of them are of one save, whenever the saving process may have been killed
(:mod:`deepdive.io.folder`).  Nothing here knows a module: names, arrays and text go in and come
out again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import safetensors
from deepdive.io.arc import MAX_CHARACTERS
from deepdive.io.files import FilePath, read_text
from deepdive.io.folder import read_folder, write_folder

ARC, WEIGHTS, STATE = "model.arc", "weights.safetensors", "state.json"
MAX_STATE = 100_000_000  # bytes
FORMAT = {"format": "pt"}  # what other libraries look for: names and layouts are PyTorch's


class Saved(NamedTuple):
    """What a folder holds; ``arc_text`` and ``extra`` are None where they were not saved."""

    arc_text: str | None
    weights: dict[str, Any]
    extra: dict[str, Any] | None


def save_folder(
    folder: FilePath,
    arc_text: str | None,
    weights: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Saves into `folder`, which is made if need be; the save there before is replaced as a whole.

    Without `arc_text` a ``model.arc`` that is there stays: weights may be saved often, the
    architecture once.  Without `extra` an older ``state.json`` goes: it told of other weights.

    Raises:
        ArgumentError: `extra` is not JSON, or has keys that are not strings.
        CheckpointError: the files cannot be written; what was there is untouched.

    >>> import tempfile, numpy as np
    >>> folder = tempfile.mkdtemp()
    >>> save_folder(folder, "ReLU\\n", {"w": np.ones(2)}, {"epoch": 3})
    >>> load_folder(folder)
    Saved(arc_text='ReLU\\n', weights={'w': array([1., 1.])}, extra={'epoch': 3})
    """
    files: dict[str, Any] = {WEIGHTS: safetensors.pieces(weights, FORMAT), STATE: None}
    if arc_text is not None:
        files[ARC] = [arc_text.encode("utf-8")]
    if extra is not None:
        files[STATE] = [state_bytes(extra)]
    write_folder(folder, files)


def load_folder(folder: FilePath) -> Saved:
    """What :func:`save_folder` last saved there, all of one save.

    Raises:
        CheckpointError: no such folder, no weights in it, or a damaged file.
    """
    readers: dict[str, Callable[[str], Any]] = {
        ARC: lambda path: read_text(path, MAX_CHARACTERS),
        WEIGHTS: partial(safetensors.load, keep_bfloat16=True),
        STATE: read_state,
    }
    found = read_folder(folder, readers)
    if found[WEIGHTS] is None:
        raise CheckpointError(f"no {WEIGHTS} in {folder}", fix="name the folder given to save()")
    return Saved(found[ARC], found[WEIGHTS], found[STATE])


def state_bytes(extra: Mapping[str, Any]) -> bytes:
    """`extra` as JSON, which Python's ``inf`` and ``nan`` may enter."""
    import json

    try:
        text = json.dumps(dict(extra), indent=1)
    except (TypeError, ValueError, RecursionError) as failure:
        raise ArgumentError(f"state.json: {failure}", expected="JSON values") from None
    pending: list[Any] = [extra]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):  # json would make "0" of 0, and not turn it back
                    raise ArgumentError("state.json: keys must be strings", got=repr(key))
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value
    return (text + "\n").encode("utf-8")


def read_state(path: str) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises:
        CheckpointError: it is not there, too large, or no JSON object.
    """
    import json

    try:
        state = json.loads(read_text(path, MAX_STATE))
    except (ValueError, RecursionError) as failure:
        raise CheckpointError(f"{path} is not JSON: {failure}") from None
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} is not a JSON object", got=type(state).__name__)
    return state

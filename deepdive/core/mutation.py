"""Noticing that an array was changed in place after the graph saved it.

A change stamps the array that owns the memory with the node counter.  A node whose saved array
carries a younger stamp than the node itself would compute a wrong gradient, so it refuses.
Identities of dead arrays may be reused: their stamps are older than any node that uses the new
array, so they never raise a false alarm.
"""

from __future__ import annotations

import sys
from typing import Any

from deepdive.backend import speakers
from deepdive.backend.exposed import Exposed
from deepdive.core.node import next_index
from deepdive.errors import GraphError

MOST_STAMPS = 100_000  # then the oldest half is forgotten: nodes that old are long gone

stamps: dict[int, tuple[int, str]] = {}
latest = 0  # the youngest stamp: nodes younger than it need no look at theirs


def stamp(array: Any, place: str = "an optimizer step") -> None:
    """Record that the memory of `array` changes now."""
    owner = speakers.BY_TYPE[type(array)].owner(array)
    global latest
    latest = next_index()
    stamps[id(owner)] = (latest, place)
    if len(stamps) > MOST_STAMPS:
        for key in sorted(stamps, key=lambda key: stamps[key][0])[: MOST_STAMPS // 2]:
            del stamps[key]


def caller() -> str:
    """File and line of the nearest frame outside the library."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("deepdive."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _data_changed(array: Any) -> None:
    """``tensor.data[…] = …`` wrote into `array`."""
    stamp(array, caller())


Exposed.changed = staticmethod(_data_changed)


def check_unchanged(node: Any) -> None:
    """Refuse to differentiate `node` if an array it saved has changed since.

    Raises:
        GraphError: naming the operator, the shape of the array, and the line of the change.
    """
    for saved in node.saved:
        speaker = speakers.BY_TYPE.get(type(saved))
        if speaker is None:
            continue
        changed = stamps.get(id(speaker.owner(saved)))
        if changed is not None and changed[0] > node.index:
            raise GraphError(
                f"backward of {node.name}: an array it saved was changed in place afterwards",
                got=f"a {tuple(saved.shape)} array, changed by {changed[1]}",
                expected="the values the forward pass saw",
                fix="call backward() before the change, or compute a new tensor instead of "
                "changing this one",
            )

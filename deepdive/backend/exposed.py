"""What ``tensor.data`` gives, on every device: the array itself, which reports what is written."""

from __future__ import annotations

from typing import Any


class Exposed:
    """Mixed into an array type whose ``__setitem__`` calls :attr:`changed` afterwards."""

    __slots__ = ()

    changed: Any = None  # who wants to know of written items: deepdive.core.mutation

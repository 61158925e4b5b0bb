"""What a device has to say about an error: two of them in one operation, or one that is full."""

from __future__ import annotations

from typing import Any

from deepdive.backend.speakers import BY_TYPE
from deepdive.errors import DeviceError


def device_error(operator: Any, arrays: list[Any], error: Exception) -> Exception | None:
    """The error to raise instead of `error`, which `operator` met with on `arrays`, or None.

    That is where an array which is no operand, an index, lives on another device, and where the
    speaker has words of its own.

    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> device_error(SimpleNamespace(index=np.zeros(1)), [np.zeros(3)], ValueError()) is None
    True
    """
    speaker: Any = next((BY_TYPE[type(a)] for a in arrays if type(a) in BY_TYPE), None)
    for value in getattr(operator, "__dict__", {}).values():
        for part in value if isinstance(value, tuple) else (value,):
            other = BY_TYPE.get(type(part))
            if speaker is not None and other is not None and other is not speaker:
                return two_devices(f"{operator.public_name}: ", other.DEVICE, speaker.DEVICE)
    return speaker.worded(error) if hasattr(speaker, "worded") else None


def two_devices(name: str, got: str, expected: str) -> DeviceError:
    """The words for it, the same on every device."""
    return DeviceError(
        f"{name}one operation, two devices",
        got=got,
        expected=expected,
        fix=f"move it first: x.to({expected!r})",
    )

"""From one device to another: what ``x.to("native")`` does."""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core.clash import two_devices
from deepdive.core.operator import Operator, record
from deepdive.core.tensor import Tensor, fresh, wrap


class Move(Operator):
    """The same numbers on another device; the gradient comes back to where `x` is."""

    source: str
    target: str

    def forward(self, xp, x):
        return on_device(x, self.target)

    def backward(self, xp, grad):
        return (
            moved(grad, self.source) if isinstance(grad, Tensor) else on_device(grad, self.source)
        )


def on_device(array: Any, device: str) -> Any:
    """A copy of `array` in the memory of `device`."""
    source, target = speakers.BY_TYPE[type(array)], speakers.of_device(device)
    found = target.asarray(speakers.to_host(array))
    apart = hasattr(source, "host") or hasattr(target, "host")  # memory of their own: copied now
    return found if apart else target.copy(found)


def moved(x: Tensor, device: str) -> Tensor:
    """`x` on another device; the operator's door would want its result on the same one.

    Raises:
        DeviceError: for what a compiled program computes: it stays on its device.
    """
    tracer = config.tracing.get()
    if hasattr(x._data, "tracer") and hasattr(tracer, "home"):
        raise two_devices("to: ", device, x.device)
    out = fresh(on_device(x._data, device))
    result = wrap(out)
    if x.requires_grad and config.is_grad_enabled():
        record(Move(x.device, device), [x._data], [x._node], out, result)
    return result

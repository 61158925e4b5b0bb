"""Full or mixed precision: how a loss flows back and an update is applied."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from deepdive.dtypes import float16
from deepdive.errors import ArgumentError, DeviceError
from deepdive.ops.autocast import autocast
from deepdive.optim.scaler import GradScaler

AUTOCAST = "deepdive.amp"  # ``autocast`` and ``GradScaler``
AS_IT_IS = nullcontext()


class Full:
    """Everything in the dtype it has."""

    scaler: Any = None

    def autocast(self) -> Any:
        """Around the forward pass."""
        return AS_IT_IS

    def backward(self, loss: Any) -> None:
        """Gradients of `loss`."""
        loss.backward()

    def unscale(self, optimizer: Any) -> None:
        """Before gradients are looked at."""

    def step(self, optimizer: Any) -> None:
        """The update."""
        optimizer.step()


class Mixed(Full):
    """Products in half precision; in float16 with a scaled loss so that small gradients survive
    (Micikevicius et al. 2018).
    """

    def __init__(self, device: str, half: Any = "float16") -> None:
        self.device = device.partition(":")[0]
        self.half = autocast(self.device, half).dtype
        self.scaler = GradScaler(enabled=self.half == float16)

    def autocast(self) -> Any:
        return autocast(self.device, self.half)

    def backward(self, loss: Any) -> None:
        self.scaler.scale(loss).backward()

    def unscale(self, optimizer: Any) -> None:
        self.scaler.unscale_(optimizer)

    def step(self, optimizer: Any) -> None:
        self.scaler.step(optimizer)
        self.scaler.update()


def precision(model: Any, amp: Any, compile: bool) -> Full:
    """The way for these switches.

    Raises:
        DeviceError: for ``amp=True`` with a model that is not on a GPU.
        DTypeError: for an `amp` that is no half precision.
        ArgumentError: for `amp` together with `compile`.
    """
    if not amp:
        return Full()
    device = device_of(model)
    if amp is True and not device.startswith("cuda"):
        raise DeviceError(
            "Trainer: mixed precision (amp=True) needs a GPU",
            got=f"a model on {device!r}",
            fix="leave amp out, or model.cuda() first; amp='bfloat16' works here too",
        )
    if compile:
        raise ArgumentError("Trainer: amp and compile do not go together", fix="leave one out")
    return Mixed(device, "float16" if amp is True else amp)


def device_of(model: Any) -> str:
    """Where a model's parameters are; ``"cpu"`` for one without."""
    first = next(iter(model.parameters()), None)
    return "cpu" if first is None else str(first.device)

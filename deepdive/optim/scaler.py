"""GradScaler: losses scaled up, so that small gradients survive half precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from deepdive.backend import speakers
from deepdive.backend.widening import widen
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, CheckpointError, DTypeError, GraphError

READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"
NUMBERS = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")


class GradScaler:
    """Multiplies the loss by a large number, and its gradients by the inverse before the update.

    A step whose gradients are infinite or NaN is left out, and the scale halved; after
    `growth_interval` steps without any it is doubled (Micikevicius et al. 2018, section 3.2)::

        for x, y in loader:
            with dd.autocast("cuda"):
                loss = loss_of(model(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)          # only to clip gradients
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()

    Args:
        device: PyTorch's; the scaler follows the gradients wherever they are.
        init_scale: the first scale.
        growth_factor, backoff_factor: what it is multiplied with when all is well, and when not.
        growth_interval: after how many good steps in a row it grows.
        enabled: False makes every method do what would be done without it.

    Raises:
        ArgumentError: for factors that do not grow or do not shrink.

    >>> import deepdive as dd
    >>> w = dd.tensor([1.0], requires_grad=True)
    >>> scaler, optimizer = GradScaler(init_scale=4.0), dd.optim.SGD([w], lr=1.0)
    >>> scaler.scale((w * 3).sum()).backward()
    >>> w.grad
    tensor([12.])
    >>> scaler.step(optimizer); scaler.update(); w
    tensor([-2.], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if growth_factor <= 1:
            raise ArgumentError("GradScaler: growth_factor must be > 1", got=growth_factor)
        if not 0 < backoff_factor < 1:
            raise ArgumentError("GradScaler: backoff_factor lies in (0, 1)", got=backoff_factor)
        self._enabled = enabled
        self._scale = float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._stages: dict[int, str] = {}
        self._finite: dict[int, list[Any]] = {}

    # --- one step ------------------------------------------------------------------------------
    def scale(self, outputs: Any) -> Any:
        """A loss, or losses in a list or tuple, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(each) for each in outputs)
        return outputs * self._scale

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the scale, in order to look at them.

        Raises:
            GraphError: if that was done since the last :meth:`update`.
            DTypeError: for parameters in half precision, whose gradients would lose what was won.
        """
        if not self._enabled:
            return
        stage = self._stages.get(id(optimizer), READY)
        if stage == UNSCALED:
            raise GraphError("unscale_: called already since the last update()")
        if stage == STEPPED:
            raise GraphError("unscale_: called after step()", fix="call it before")
        self._finite[id(optimizer)] = found = []
        for p in _with_gradient(optimizer):
            found.append(self._unscaled(p))
        self._stages[id(optimizer)] = UNSCALED

    def _unscaled(self, p: Tensor) -> Any:
        """Divide one gradient; whether all of it was finite, as an array where the gradient is."""
        grad: Any = p.grad
        if grad.dtype.name == "float16":
            raise DTypeError(
                "unscale_: the parameter is float16, and so is its gradient",
                expected="parameters in float32, and autocast for the products",
            )
        xp = speakers.BY_TYPE[type(grad._data)]
        values = widen(xp, grad._data)
        finite = xp.as_zero_d(xp.all(xp.isfinite(values)))
        p.grad = xp.astype(xp.as_zero_d(values * (1.0 / self._scale)), grad.dtype)
        return finite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()``, unless a gradient is infinite or NaN; what that returned, or None.

        Raises:
            GraphError: if it was called since the last :meth:`update`, or there is no gradient.
            ArgumentError: for a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if args or "closure" in kwargs:
            raise ArgumentError("GradScaler.step: a closure would compute with another scale")
        if self._stages.get(id(optimizer)) == STEPPED:
            raise GraphError("step: called already since the last update()")
        if self._stages.get(id(optimizer)) != UNSCALED:
            self.unscale_(optimizer)
        if not self._finite[id(optimizer)]:
            raise GraphError(
                "step: no parameter of this optimizer has a gradient",
                fix="scaler.scale(loss).backward() comes first",
            )
        self._stages[id(optimizer)] = STEPPED
        return optimizer.step(**kwargs) if self._is_finite(id(optimizer)) else None

    def _is_finite(self, key: int) -> bool:
        """Whether all gradients were finite: the one number of a step that is waited for."""
        arrays = self._finite[key]
        xp = speakers.BY_TYPE[type(arrays[0])]
        if any(type(array) is not type(arrays[0]) for array in arrays):  # several devices
            known = (speakers.BY_TYPE[type(array)].readable(array) for array in arrays)
            return all(bool(array) for array in known)
        finite = xp.as_zero_d(xp.all(xp.stack(arrays)))
        return bool(xp.readable(finite).item())

    def update(self, new_scale: Any = None) -> None:
        """The scale for the next step: smaller after infinite gradients, larger after many steps.

        Args:
            new_scale: sets it by hand.

        Raises:
            GraphError: if no step was made.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._finite:
            raise GraphError("update: no step since the last one", fix="scaler.step(optimizer)")
        elif all(self._is_finite(key) for key, found in self._finite.items() if found):
            self._grow()
        else:
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        self._stages.clear()
        self._finite.clear()

    def _grow(self) -> None:
        self._growth_tracker += 1
        if self._growth_tracker == self._growth_interval:
            grown = self._scale * self._growth_factor
            self._scale = grown if grown < 2.0**128 else self._scale  # finite in float32
            self._growth_tracker = 0

    # --- what it knows -------------------------------------------------------------------------
    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The scale; 1 if it is not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """Its five numbers; nothing if it is not enabled."""
        if not self._enabled:
            return {}
        return {name: getattr(self, f"_{name.lstrip('_')}") for name in NUMBERS}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where :meth:`state_dict` was taken.

        Raises:
            CheckpointError: for anything else, also what a scaler that is not enabled saved.
        """
        if not self._enabled:
            return
        known = isinstance(state_dict, Mapping) and all(
            isinstance(state_dict.get(name), (int, float)) for name in NUMBERS
        )
        if not known or not math.isfinite(state_dict["scale"]):
            raise CheckpointError(
                "GradScaler.load_state_dict: this is not a scaler's state",
                got=f"{state_dict!r:.80}",
                expected=", ".join(NUMBERS),
            )
        for name in NUMBERS:
            setattr(self, f"_{name.lstrip('_')}", state_dict[name])


def _with_gradient(optimizer: Any) -> list[Tensor]:
    params = [p for group in optimizer.param_groups for p in group["params"]]
    return [p for p in params if p.grad is not None]

"""Learning rate schedules: each is a formula of the step, so training resumes at any step.

Names, arguments and values are PyTorch's.  ``scheduler.step()`` follows ``optimizer.step()``,
once per epoch or once per batch, whichever the numbers given count.

>>> import deepdive as dd
>>> optimizer = dd.optim.SGD([dd.tensor([1.0], requires_grad=True)], lr=1.0)
>>> schedule = StepLR(optimizer, step_size=2, gamma=0.1)
>>> for _ in range(2):
...     schedule.step()
>>> schedule.get_last_lr()
[0.1]
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.optim.optimizer import Optimizer


class LRScheduler:
    """Base of all schedules: a subclass writes ``lr(step, base)``.

    Args:
        optimizer: whose groups get ``lr(step, base)``; ``base`` is the group's first rate, which
            stays in ``group["initial_lr"]``.
        last_epoch: the last step already done, to resume after it; -1 to begin.

    Raises:
        ArgumentError: if `optimizer` is none.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(
                f"{type(self).__name__}: the first argument is the optimizer",
                got=type(optimizer).__name__,
            )
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self._move(last_epoch + 1)

    def lr(self, step: int, base: float) -> float:
        """The rate at `step`, for a group whose first rate is `base`."""
        raise NotImplementedError

    def rates(self, step: int) -> list[float]:
        """The rate of each group at `step`."""
        return [self.lr(step, base) for base in self.base_lrs]

    def step(self) -> None:
        """Go on by one step."""
        self._move(self.last_epoch + 1)

    def _move(self, step: int) -> None:
        self.last_epoch = step
        self._last = self.rates(step)
        for group, rate in zip(self.optimizer.param_groups, self._last, strict=False):
            group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        """The rates in force, one per group."""
        return list(self._last)

    def state_dict(self) -> dict[str, Any]:
        """The step and the first rates: all that a formula needs."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where :meth:`state_dict` was taken; the optimizer's rates follow at once.

        Raises:
            CheckpointError: if it is of another number of groups, or no schedule's state.
        """
        step, rates = state_dict.get("last_epoch"), state_dict.get("base_lrs")
        fits = isinstance(step, int) and step >= 0 and isinstance(rates, list)
        if not fits or len(rates or ()) != len(self.base_lrs):
            raise CheckpointError(
                f"{type(self).__name__}.load_state_dict: the state does not fit",
                got=dict(state_dict),
                expected=f"'last_epoch' >= 0 and {len(self.base_lrs)} 'base_lrs'",
            )
        self.base_lrs = [float(rate) for rate in rates or ()]
        self._move(int(step or 0))


class LambdaLR(LRScheduler):
    """``base · lr_lambda(step)``; one function, or one per group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = one_per_group("LambdaLR", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def rates(self, step: int) -> list[float]:
        pairs = zip(self.lr_lambdas, self.base_lrs, strict=True)
        return [base * factor(step) for factor, base in pairs]


def one_per_group(name: str, optimizer: Optimizer, functions: Any) -> list[Callable[..., float]]:
    """The function of each group, where one for all was given or a sequence."""
    groups = len(getattr(optimizer, "param_groups", ()))
    each = [functions] * groups if callable(functions) else list(functions)
    if len(each) != groups:
        raise ArgumentError(
            f"{name}: one function, or one per parameter group",
            got=f"{len(each)} functions",
            expected=f"{groups}",
        )
    return each


class StepLR(LRScheduler):
    """``base · gamma ^ ⌊step / step_size⌋``."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = at_least(1, step_size, "StepLR: step_size")
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        return base * self.gamma ** (step // self.step_size)


class MultiStepLR(LRScheduler):
    """``base · gamma ^ n``, where ``n`` milestones have been reached."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        return base * self.gamma ** bisect_right(self.milestones, step)


class ConstantLR(LRScheduler):
    """``base · factor`` before step `total_iters`, ``base`` from then on."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        return base * self.factor if step < self.total_iters else base


class LinearLR(LRScheduler):
    """``base`` times a factor that goes evenly from `start_factor` to `end_factor`."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = at_least(1, total_iters, "LinearLR: total_iters")
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        done = min(step, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


class ExponentialLR(LRScheduler):
    """``base · gamma ^ step``."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        return base * self.gamma**step


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from ``base`` down to `eta_min` in `T_max` steps, then up again
    (Loshchilov & Hutter 2017, without restarts).
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = at_least(1, T_max, "CosineAnnealingLR: T_max")
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        return cosine(step / self.T_max, base, self.eta_min)


class WarmupCosine(LRScheduler):
    """Up to ``base`` in `warmup_steps` even steps, then half a cosine down to `min_lr`.

    Step 0 already learns, at ``base / (warmup_steps + 1)``; from `total_steps` on the rate stays
    at `min_lr`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        total_steps: int,
        min_lr: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.warmup_steps = at_least(0, warmup_steps, "WarmupCosine: warmup_steps")
        self.total_steps = at_least(warmup_steps + 1, total_steps, "WarmupCosine: total_steps")
        self.min_lr = min_lr
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        if step < self.warmup_steps:
            return base * (step + 1) / (self.warmup_steps + 1)
        done = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        return cosine(min(done, 1.0), base, self.min_lr)


class SequentialLR(LRScheduler):
    """One schedule after the other; each counts its steps from its own milestone.

    Args:
        schedulers: of the same optimizer.
        milestones: the steps at which the second, third … schedule takes over.

    Raises:
        ArgumentError: for another optimizer, or milestones that do not fit.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if len(milestones) != len(schedulers) - 1 or sorted(set(milestones)) != [*milestones]:
            raise ArgumentError(
                "SequentialLR: one rising milestone between each two schedules",
                got=f"{len(schedulers)} schedules, milestones {list(milestones)}",
            )
        if any(each.optimizer is not optimizer for each in schedulers):
            raise ArgumentError("SequentialLR: all schedules must have the same optimizer")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer, last_epoch)

    def rates(self, step: int) -> list[float]:
        i = bisect_right(self.milestones, step)
        start = self.milestones[i - 1] if i else 0
        active = self.schedulers[i]
        active.base_lrs = self.base_lrs
        return active.rates(step - start)


def cosine(done: float, top: float, bottom: float) -> float:
    """From `top` at 0 to `bottom` at 1."""
    return bottom + (top - bottom) * (1 + math.cos(math.pi * done)) / 2


def at_least(least: int, value: int, what: str) -> int:
    if value < least:
        raise ArgumentError(f"{what} is too small", got=value, expected=f">= {least}")
    return value

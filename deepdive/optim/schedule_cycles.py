"""Schedules that go up and down, and those that listen: cycles, restarts, plateaus, chains."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.optim.optimizer import Optimizer
from deepdive.optim.schedule import LRScheduler, at_least, cosine, one_per_group

Number = float | Sequence[float]


class PolynomialLR(LRScheduler):
    """``base · (1 - step / total_iters) ^ power``, 0 from `total_iters` on."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = at_least(1, total_iters, "PolynomialLR: total_iters")
        self.power = power
        super().__init__(optimizer, last_epoch)

    def lr(self, step: int, base: float) -> float:
        left = 1 - min(step, self.total_iters) / self.total_iters
        return base * left**self.power


class MultiplicativeLR(LRScheduler):
    """``base · λ(1) · λ(2) ⋯ λ(step)``; one function, or one per group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = one_per_group("MultiplicativeLR", optimizer, lr_lambda)
        self._known = (0, [1.0] * len(self.lr_lambdas))  # a step, and the products up to it
        super().__init__(optimizer, last_epoch)

    def rates(self, step: int) -> list[float]:
        known, products = self._known
        if step < known:
            known, products = 0, [1.0] * len(products)
        for i in range(known + 1, step + 1):
            pairs = zip(products, self.lr_lambdas, strict=True)
            products = [product * factor(i) for product, factor in pairs]
        self._known = step, products
        return [base * product for base, product in zip(self.base_lrs, products, strict=True)]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from ``base`` to `eta_min`, begun again after `T_0` steps, then after
    ``T_0 · T_mult``, ``T_0 · T_mult²`` … (Loshchilov & Hutter 2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_0 = at_least(1, T_0, "CosineAnnealingWarmRestarts: T_0")
        self.T_mult = at_least(1, T_mult, "CosineAnnealingWarmRestarts: T_mult")
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Go on by one step, or to `epoch`, a fraction perhaps: ``epoch + batch / batches``."""
        if epoch is None:
            super().step()
        else:
            exact: Any = epoch
            at_least(0, exact, "CosineAnnealingWarmRestarts: epoch")
            self._move(exact)
            self.last_epoch = math.floor(epoch)

    def lr(self, step: float, base: float) -> float:
        length, done = self.T_0, step
        while done >= length:
            done -= length
            length *= self.T_mult
            if self.T_mult == 1:
                done %= length
        return cosine(done / length, base, self.eta_min)


class _Cycling(LRScheduler):
    """What schedules share that also move the momentum: against the rate."""

    cycle_momentum: bool

    def momentum(self, step: int, group: int) -> float:
        """The momentum at `step`."""
        raise NotImplementedError

    def _check_momentum(self, optimizer: Any) -> None:
        groups = getattr(optimizer, "param_groups", ())
        if self.cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ArgumentError(
                f"{type(self).__name__}: the optimizer has no momentum to cycle",
                fix="cycle_momentum=False",
            )

    def _move(self, step: Any) -> None:
        super()._move(step)
        if self.cycle_momentum:
            for i, group in enumerate(self.optimizer.param_groups):
                value = self.momentum(step, i)
                if "betas" in group:
                    group["betas"] = (value, *group["betas"][1:])
                else:
                    group["momentum"] = value


def _per_group(value: Number, optimizer: Any, name: str) -> list[float]:
    count = len(getattr(optimizer, "param_groups", ()))
    values: list[Any] = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(values) != count:
        raise ArgumentError(f"{name}: one number, or one per parameter group", got=value)
    return [float(each) for each in values]


class OneCycleLR(_Cycling):
    """Up to `max_lr` and far down again, once (Smith & Topin 2019); the momentum goes against it.

    From ``max_lr / div_factor`` to `max_lr` in the first `pct_start` of all steps, then to
    ``max_lr / div_factor / final_div_factor``; with `three_phase` back to the start first.

    Args:
        total_steps: the number of steps, or `epochs` times `steps_per_epoch`.
        anneal_strategy: ``"cos"`` or ``"linear"``.

    Raises:
        ArgumentError: for options out of range, and for a step after the last one.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Number,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Number = 0.85,
        max_momentum: Number = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ArgumentError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        total = total_steps if total_steps is not None else (epochs or 0) * (steps_per_epoch or 0)
        self.total_steps = at_least(1, total, "OneCycleLR: total_steps")
        self.anneal = _annealing(pct_start, anneal_strategy)
        self.tops = _per_group(max_lr, optimizer, "OneCycleLR: max_lr")
        self.final = final_div_factor
        self.cycle_momentum = cycle_momentum
        self.low = _per_group(base_momentum, optimizer, "OneCycleLR: base_momentum")
        self.high = _per_group(max_momentum, optimizer, "OneCycleLR: max_momentum")
        self._check_momentum(optimizer)
        self.phases = _phases(pct_start * self.total_steps - 1, self.total_steps - 1, three_phase)
        _begin_at(optimizer, [top / div_factor for top in self.tops])
        super().__init__(optimizer, last_epoch)

    def _at(self, step: int, levels: Mapping[Any, float], which: int, first: float) -> float:
        if step >= self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: step {step + 1} of {self.total_steps}", fix="a larger total_steps"
            )
        start, level = 0.0, first
        for phase in self.phases:
            end, target = phase[0], levels[phase[which]]
            if step <= end or phase is self.phases[-1]:
                return self.anneal((step - start) / (end - start), level, target)
            start, level = end, target
        return level

    def rates(self, step: int) -> list[float]:
        out = []
        for top, base in zip(self.tops, self.base_lrs, strict=True):
            out.append(self._at(step, {1: top, 0: base, -1: base / self.final}, 1, base))
        return out

    def momentum(self, step: int, group: int) -> float:
        low, high = self.low[group], self.high[group]
        return self._at(step, {0: low, 1: high}, 2, high)


def _annealing(pct_start: float, strategy: str) -> Callable[[float, float, float], float]:
    if not 0 <= pct_start <= 1 or strategy not in ("cos", "linear"):
        raise ArgumentError(
            "OneCycleLR: pct_start is in [0, 1], anneal_strategy 'cos' or 'linear'",
            got=f"{pct_start}, {strategy!r}",
        )
    return cosine if strategy == "cos" else _linear


def _phases(turn: float, last: float, three: bool) -> list[tuple[float, int, int]]:
    """The end of each phase, the rate there (1 the top, 0 the start, -1 the end), the momentum
    there (1 high, 0 low).
    """
    back = [(2 * turn, 0, 1)] if three else []
    return [(turn, 1, 0), *back, (last, -1, 1)]


def _begin_at(optimizer: Any, rates: list[float]) -> None:
    """Let schedules start from these rates, whatever those of the optimizer are."""
    for group, rate in zip(getattr(optimizer, "param_groups", ()), rates, strict=False):
        group["initial_lr"] = rate


def _linear(done: float, top: float, bottom: float) -> float:
    return top + (bottom - top) * done


class CyclicLR(_Cycling):
    """Evenly between `base_lr` and `max_lr`, again and again (Smith 2017); momentum against it.

    Args:
        step_size_up, step_size_down: steps up, and steps down (default: as many).
        mode: ``"triangular"``; ``"triangular2"``, the height halved each time; ``"exp_range"``,
            the height ``gamma ^ step``.
        scale_fn: a factor of the height instead, of the cycle (from 1) or – with `scale_mode`
            ``"iterations"`` – of the step.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Number,
        max_lr: Number,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Number = 0.8,
        max_momentum: Number = 0.9,
        last_epoch: int = -1,
    ) -> None:
        modes = {
            "triangular": lambda x: 1.0,
            "triangular2": lambda x: 0.5 ** (x - 1),
            "exp_range": lambda x: gamma**x,
        }
        if scale_fn is None and mode not in modes:
            raise ArgumentError("CyclicLR: unknown mode", got=repr(mode), expected=", ".join(modes))
        self.scale = scale_fn or modes[mode]
        by_steps = mode == "exp_range" if scale_fn is None else scale_mode != "cycle"
        self.by_steps = by_steps
        self.up = at_least(1, step_size_up, "CyclicLR: step_size_up")
        self.down = self.up if step_size_down is None else step_size_down
        self.tops = _per_group(max_lr, optimizer, "CyclicLR: max_lr")
        self.cycle_momentum = cycle_momentum
        self.low = _per_group(base_momentum, optimizer, "CyclicLR: base_momentum")
        self.high = _per_group(max_momentum, optimizer, "CyclicLR: max_momentum")
        self._check_momentum(optimizer)
        _begin_at(optimizer, _per_group(base_lr, optimizer, "CyclicLR: base_lr"))
        super().__init__(optimizer, last_epoch)

    def _height(self, step: int) -> float:
        """How far up, from 0 to 1, and times the scale of this cycle."""
        total = self.up + self.down
        cycle = math.floor(1 + step / total)
        x = 1 + step / total - cycle
        turn = self.up / total
        height = x / turn if x <= turn else (x - 1) / (turn - 1)
        return height * self.scale(step if self.by_steps else cycle)

    def rates(self, step: int) -> list[float]:
        height = self._height(step)
        pairs = zip(self.tops, self.base_lrs, strict=True)
        return [low + (top - low) * height for top, low in pairs]

    def momentum(self, step: int, group: int) -> float:
        low, high = self.low[group], self.high[group]
        return high - (high - low) * self._height(step)


class ChainedScheduler(LRScheduler):
    """Several schedules at once: the rate is ``base`` times the factors of all of them.

    Args:
        schedulers: of one optimizer.
        optimizer: that optimizer, if it shall be checked.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Any = None) -> None:
        if not schedulers:
            raise ArgumentError("ChainedScheduler: no schedules", expected="at least one")
        optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        if any(each.optimizer is not optimizer for each in schedulers):
            raise ArgumentError("ChainedScheduler: all schedules must have the same optimizer")
        self.schedulers = list(schedulers)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        out = list(self.base_lrs)
        for schedule in self.schedulers:
            for i, (rate, base) in enumerate(zip(schedule.rates(step), self.base_lrs, strict=True)):
                out[i] *= rate / base if base else 1.0
        return out


class ReduceLROnPlateau:
    """The rate times `factor` once a measure has not improved for more than `patience` epochs.

    ``schedule.step(loss)`` after each epoch.

    Args:
        mode: whether the measure shall become ``"min"`` or ``"max"``.
        threshold: improvements below it do not count: relative (``threshold_mode="rel"``) or not
            (``"abs"``).
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the rate below which it does not fall, one or one per group.
        eps: reductions smaller than that are left out.

    Raises:
        ArgumentError: for options out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Number = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ArgumentError("ReduceLROnPlateau: factor is below 1", got=factor)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                "ReduceLROnPlateau: mode is 'min' or 'max', threshold_mode 'rel' or 'abs'",
                got=f"{mode!r}, {threshold_mode!r}",
            )
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.min_lrs = _per_group(min_lr, optimizer, "ReduceLROnPlateau: min_lr")
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def step(self, metrics: Any) -> None:
        """Note the measure of one more epoch."""
        current = float(metrics)
        self.last_epoch += 1
        if self.is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def is_better(self, a: float, best: float) -> bool:
        """Whether `a` is an improvement on `best`."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "abs":
            return sign * a > sign * (best + sign * self.threshold)
        return sign * a > sign * best * (1 + sign * self.threshold)

    def _reduce(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            new = max(group["lr"] * self.factor, least)
            if group["lr"] - new > self.eps:
                group["lr"] = new

    def get_last_lr(self) -> list[float]:
        """The rates in force, one per group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    KEPT = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")

    def state_dict(self) -> dict[str, Any]:
        """What was noted so far; the rates are the optimizer's."""
        return {name: getattr(self, name) for name in self.KEPT}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where :meth:`state_dict` was taken.

        Raises:
            CheckpointError: for anything else.
        """
        if set(state_dict) != set(self.KEPT):
            raise CheckpointError(
                "ReduceLROnPlateau.load_state_dict: the state does not fit",
                got=sorted(state_dict),
                expected=", ".join(self.KEPT),
            )
        for name in self.KEPT:
            setattr(self, name, state_dict[name])

"""The schedule of stochastic weight averaging."""

from __future__ import annotations

import math

from deepdive.errors import ArgumentError
from deepdive.optim.optimizer import Optimizer
from deepdive.optim.schedule import LRScheduler


class SWALR(LRScheduler):
    """From the rates at hand to `swa_lr` in `anneal_epochs` steps, and there for good.

    Izmailov et al. 2018; with :class:`~deepdive.optim.swa_utils.AveragedModel`.

    Args:
        swa_lr: the rate, or one per group.
        anneal_strategy: ``"cos"`` or ``"linear"``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear") or anneal_epochs < 0:
            raise ArgumentError(
                "SWALR: anneal_strategy is 'cos' or 'linear', anneal_epochs >= 0",
                got=f"{anneal_strategy!r}, {anneal_epochs}",
            )
        self.anneal_epochs, self.cos = anneal_epochs, anneal_strategy == "cos"
        groups = getattr(optimizer, "param_groups", [])
        given = isinstance(swa_lr, (list, tuple))
        self.ends: list[float] = list(swa_lr) if given else [swa_lr] * len(groups)  # type: ignore
        if len(self.ends) != len(groups):
            raise ArgumentError("SWALR: one rate, or one per parameter group", got=swa_lr)
        if last_epoch == -1:
            for group in groups:
                group["initial_lr"] = group["lr"]
        super().__init__(optimizer, last_epoch)

    def rates(self, step: int) -> list[float]:
        done = min(1.0, step / self.anneal_epochs) if self.anneal_epochs else 1.0
        share = (1 - math.cos(math.pi * done)) / 2 if self.cos else done
        pairs = zip(self.base_lrs, self.ends, strict=True)
        return [base + (end - base) * share for base, end in pairs]

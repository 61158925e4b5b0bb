"""Averaged models: a second set of weights that follows the first (Polyak, EMA, SWA)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn.module import Module
from deepdive.nn.norm import _BatchNorm

Average = Callable[[Any, Any, Any], Any]


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over time.

    Args:
        model: which is copied, and then followed by :meth:`update_parameters`.
        device: where the copy lives.
        avg_fn: ``avg_fn(average, new, n)`` gives the next average; equal weights by default
            (Izmailov et al. 2018), :func:`get_ema_avg_fn` for exponential ones.
        multi_avg_fn: the same for lists of Tensors, in place.
        use_buffers: average the buffers too; otherwise they are those of the model.

    >>> from deepdive import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     model.weight.data[...] = value
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Callable[[Any, Any, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", Tensor(0, requires_grad=False))
        self.avg_fn = avg_fn or (None if multi_avg_fn else get_swa_avg_fn())
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*inputs, **options)

    def update_parameters(self, model: Module) -> None:
        """Follow the model by one step.

        Raises:
            ArgumentError: for a model with other parameters.
        """
        ours, theirs = self._pairs(self.module), self._pairs(model)
        if [p.shape for p in ours] != [p.shape for p in theirs]:
            raise ArgumentError("AveragedModel: the model has other parameters than the average")
        with config.no_grad():
            new = [p.detach().to(mine.device) for p, mine in zip(theirs, ours, strict=True)]
            self._follow(ours, new)
            if not self.use_buffers:
                pairs = zip(self.module.buffers(), model.buffers(), strict=True)
                for mine, buffer in pairs:
                    mine.copy_(buffer.detach())  # type: ignore[attr-defined]
            self.n_averaged.add_(1)

    def _pairs(self, model: Module) -> list[Any]:
        return [*model.parameters(), *(model.buffers() if self.use_buffers else ())]

    def _follow(self, ours: list[Any], new: list[Any]) -> None:
        count = self.n_averaged
        if count.item() == 0:
            for mine, value in zip(ours, new, strict=True):
                mine.copy_(value)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(ours, new, count)
        elif self.avg_fn is not None:
            for mine, value in zip(ours, new, strict=True):
                mine.copy_(self.avg_fn(mine.detach(), value, count))


def get_swa_avg_fn() -> Average:
    """Equal weights: ``average + (new - average) / (n + 1)``."""

    def average(old: Any, new: Any, n: Any) -> Any:
        return old + (new - old) / (n + 1)

    return average


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Exponential weights: ``decay · average + (1 - decay) · new``.

    Raises:
        ArgumentError: for a `decay` outside [0, 1].
    """
    if not 0 <= decay <= 1:
        raise ArgumentError("get_ema_avg_fn: decay is in [0, 1]", got=decay)

    def average(old: Any, new: Any, n: Any) -> Any:
        return decay * old + (1 - decay) * new

    return average


def _of_lists(average: Average) -> Callable[[Any, Any, Any], None]:
    def update(olds: Any, news: Any, n: Any) -> None:
        with config.no_grad():
            for old, new in zip(olds, news, strict=True):
                old.copy_(average(old.detach(), new, n))

    return update


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """:func:`get_swa_avg_fn` for lists of Tensors, in place."""
    return _of_lists(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """:func:`get_ema_avg_fn` for lists of Tensors, in place."""
    return _of_lists(get_ema_avg_fn(decay))


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running moments of all BatchNorm layers anew, over the batches of `loader`.

    Averaged weights have never seen data: their moments are those of other weights.  A batch may
    be a tuple or list, whose first part is the input.
    """
    layers: list[Any] = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    mode, momenta = model.training, [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    model.train()
    with config.no_grad():
        for batch in loader:
            x = batch[0] if isinstance(batch, (tuple, list)) else batch
            model(x if device is None else x.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(mode)

"""Dropout: random zeros while training."""

from __future__ import annotations

from deepdive.core import random
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError


class Dropout(Operator):
    """Zeros with probability `p`, the rest divided by ``1 - p`` (Srivastava et al. 2014).

    The mask depends on `key` and `counter` alone: computed again, it is the same mask.  With
    `channels` one number decides for all pixels of a channel, x being (B, C, …).
    """

    p: float
    key: int
    counter: int
    channels: bool = False

    def forward(self, xp, x):
        shape = (*x.shape[:2], *(1 for _ in x.shape[2:])) if self.channels else tuple(x.shape)
        bits = xp.random_bits(self.key, self.counter, shape)
        stays = xp.astype(bits >= round(self.p * 2**32), x.dtype)
        mask = stays * (1 / (1 - self.p))
        self.keep(mask=mask)
        return x * mask

    def backward(self, xp, grad, mask):
        return grad * mask


@derive("dropout")
def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """While `training`, zeros with probability `p`, and ``x / (1 - p)`` elsewhere; else `x`.

    The mask comes from the default generator: one draw a call.

    Raises:
        ArgumentError: unless ``0 <= p <= 1``.

    >>> import deepdive as dd
    >>> set(dropout(dd.ones(1000), 0.5).tolist()) == {0.0, 2.0}
    True
    """
    return _dropped("dropout", x, p, training, channels=False)


def _dropped(name: str, x: Tensor, p: float, training: bool, channels: bool) -> Tensor:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p is a probability", got=p, expected="0 <= p <= 1")
    if not training or p == 0:
        return x
    if round(p * 2**32) == 2**32:
        return x * 0  # type: ignore[operator,no-any-return]
    key, counter = random.default_generator.draw()
    return Dropout(p, key, counter, channels)(x)


def _channelwise(name: str, axes: int) -> None:
    def function(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
        if x.ndim != axes:
            raise ShapeError(f"{name}: x is {tuple(x.shape)}", expected=f"{axes} axes: (B, C, …)")
        return _dropped(name, x, p, training, channels=True)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = ":func:`dropout` of whole channels of x (B, C, …)."
    derive(name, method=False)(function)


_channelwise("dropout1d", 3)
_channelwise("dropout2d", 4)
_channelwise("dropout3d", 5)

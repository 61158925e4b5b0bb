"""Dropout: while training, some values are set to 0 by chance."""

from __future__ import annotations

from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.nn import functional as F
from deepdive.nn.arguments import probability, shown
from deepdive.nn.module import Module


class Dropout(Module):
    """Each value is 0 with probability p, else ``x / (1 - p)`` (Srivastava et al. 2014).

    In evaluation mode nothing happens.

    Args:
        inplace: accepted as PyTorch's; nothing is ever changed in place.

    Raises:
        ArgumentError: for a p that is no probability.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        probability(self, p=p)
        self.p, self.inplace = p, inplace

    def forward(self, x: Any) -> Tensor:
        return F.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return shown(self, "p", "inplace")


class Dropout1d(Dropout):
    """Whole channels of (B, C, L) are set to 0."""

    def forward(self, x: Any) -> Tensor:
        return F.dropout1d(x, self.p, self.training)


class Dropout2d(Dropout):
    """Whole channels of (B, C, H, W) are set to 0."""

    def forward(self, x: Any) -> Tensor:
        return F.dropout2d(x, self.p, self.training)


class Dropout3d(Dropout):
    """Whole channels of (B, C, D, H, W) are set to 0."""

    def forward(self, x: Any) -> Tensor:
        return F.dropout3d(x, self.p, self.training)


class AlphaDropout(Dropout):
    """What is dropped becomes -1.758, and mean and variance stay (Klambauer et al. 2017)."""

    def forward(self, x: Any) -> Tensor:
        return F.alpha_dropout(x, self.p, self.training)


class FeatureAlphaDropout(Dropout):
    """:class:`AlphaDropout` of whole channels of (B, C, …)."""

    def forward(self, x: Any) -> Tensor:
        return F.feature_alpha_dropout(x, self.p, self.training)

"""Two inputs: how alike they are, and what they say together."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import shown, sizes
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation


class CosineSimilarity(Module):
    """``x₁·x₂ / (‖x₁‖ ‖x₂‖)`` along `dim`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """``‖x₁ - x₂ + eps‖_p`` along the last axis."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class Bilinear(Module):
    """``y_o = x₁ᵀ W_o x₂ + b_o``; W (out, in1, in2) and b start uniform in ``±1/√in1``.

    >>> Bilinear(2, 3, 4).weight.shape
    (4, 2, 3)
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True
    ) -> None:
        sizes(self, in1_features=in1_features)
        sizes(self, in2_features=in2_features, out_features=out_features)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(creation.empty(out_features, in1_features, in2_features))
        self.bias = Parameter(creation.empty(out_features)) if bias else None
        bound = 1 / math.sqrt(in1_features)
        for parameter in self.parameters():
            initializers.uniform_(parameter, -bound, bound)

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        numbers = shown(self, "in1_features", "in2_features", "out_features")
        return f"{numbers}, bias={self.bias is not None}"

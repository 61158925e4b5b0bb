"""Linear: every output is a weighted sum of all inputs."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import sizes
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation


class Linear(Module):
    """``y = x wᵀ + b`` with x (…, in), w (out, in), b (out,), y (…, out).

    Both start uniform in ``±1/√in``, as in PyTorch.

    Args:
        bias: whether there is b.
        init: how w starts instead: a name of :mod:`deepdive.nn.init`, or a function.

    Raises:
        ArgumentError: for sizes that are no counts, or an unknown `init`.

    >>> Linear(784, 10).weight.shape
    (10, 784)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, init: Any = None
    ) -> None:
        sizes(self, least=0, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(creation.empty(out_features, in_features))
        self.bias = Parameter(creation.empty(out_features)) if bias else None
        start(self.weight, self.bias, init)

    def reset_parameters(self) -> None:
        """New first values, PyTorch's."""
        start(self.weight, self.bias, None)

    def forward(self, x: Any) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def start(weight: Parameter, bias: Parameter | None, init: Any) -> None:
    """PyTorch's first values for weights (out, in, *kernel): uniform in ``±1/√fan_in``."""
    bound = 1 / math.sqrt(max(initializers.fans(weight)[0], 1))
    if init is None:
        initializers.uniform_(weight, -bound, bound)
    else:
        initializers.by_name(init)(weight)
    if bias is not None:
        initializers.uniform_(bias, -bound, bound)

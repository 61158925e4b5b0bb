"""Embedding: a learned vector for each number."""

from __future__ import annotations

from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import sizes
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation


class Embedding(Module):
    """Row ``i`` of the weights for each integer ``i``: (…) → (…, D).

    The weights, (V, D), start Gaussian with mean 0 and standard deviation 1.

    Args:
        padding_idx: a row that starts as 0 and is not learned.
        init: how the weights start instead: a name of :mod:`deepdive.nn.init`, or a function.

    Raises:
        ArgumentError: for sizes that are no counts, or a `padding_idx` beyond the rows.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        init: Any = None,
    ) -> None:
        sizes(self, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ArgumentError(
                    f"Embedding: there is no row padding_idx={padding_idx}",
                    expected=f"-{num_embeddings} to {num_embeddings - 1}",
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(creation.empty(num_embeddings, embedding_dim))
        initializers.by_name(init or "normal")(self.weight)
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0

    def forward(self, x: Any) -> Tensor:
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"

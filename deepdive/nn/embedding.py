"""Embedding: a learned vector for each number; and bags of them."""

from __future__ import annotations

from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import sizes
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation

USUAL = {"max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "sparse": False}


class _Table(Module):
    """What the two embeddings share: a table of vectors, and how its rows are treated."""

    def _fill(self, rows: int, width: int, padding_idx: int | None, init: Any, given: Any) -> None:
        sizes(self, num_embeddings=rows, embedding_dim=width)
        if padding_idx is not None:
            if not -rows <= padding_idx < rows:
                raise ArgumentError(
                    f"{type(self).__name__}: there is no row padding_idx={padding_idx}",
                    expected=f"-{rows} to {rows - 1}",
                )
            padding_idx %= rows
        self.num_embeddings, self.embedding_dim = rows, width
        self.padding_idx = padding_idx
        for name, value in given.items():
            setattr(self, name, value)
        self.weight = Parameter(creation.empty(rows, width))
        initializers.by_name(init or "normal")(self.weight)
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **options: Any) -> Any:
        """The layer of a table that is there already, (V, D); frozen unless said otherwise.

        Raises:
            ShapeError: for a table that has not two axes.
        """
        if len(embeddings.shape) != 2:
            raise ShapeError(
                f"{cls.__name__}.from_pretrained: a table has two axes",
                got=f"shape {tuple(embeddings.shape)}",
            )
        made = cls(*embeddings.shape, **options)
        made.weight.data = embeddings
        made.weight.requires_grad_(not freeze)
        return made

    def _unusual(self) -> list[str]:
        changed = (name for name, usual in USUAL.items() if getattr(self, name) != usual)
        return [f"{name}={getattr(self, name)}" for name in changed]


class Embedding(_Table):
    """Row ``i`` of the weights for each integer ``i``: (…) → (…, D).

    The weights, (V, D), start Gaussian with mean 0 and standard deviation 1.

    Args:
        padding_idx: a row that starts as 0 and is not learned.
        max_norm: rows are shortened to this length, by the norm `norm_type`, when they are used.
        scale_grad_by_freq: the gradient of a row is divided by how often it is named.
        sparse: PyTorch's, accepted; gradients are always dense.
        init: how the weights start instead: a name of :mod:`deepdive.nn.init`, or a function.

    Raises:
        ArgumentError: for sizes that are no counts, or a `padding_idx` beyond the rows.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        init: Any = None,
    ) -> None:
        values = (max_norm, norm_type, scale_grad_by_freq, sparse)
        given = dict(zip(USUAL, values, strict=True))
        self._fill(num_embeddings, embedding_dim, padding_idx, init, given)

    def forward(self, x: Any) -> Tensor:
        way = (self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)
        return F.embedding(x, self.weight, *way)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts + self._unusual())


class EmbeddingBag(_Table):
    """The sum, mean or largest values of the rows that a bag names: (B, N) → (B, D).

    Args:
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        include_last_offset: offsets have one more number, where the last bag ends.
        padding_idx: a row that does not count.
        max_norm, norm_type, scale_grad_by_freq, sparse: as of :class:`Embedding`.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        init: Any = None,
    ) -> None:
        values = (max_norm, norm_type, scale_grad_by_freq, sparse)
        given = dict(zip(USUAL, values, strict=True))
        self.mode, self.include_last_offset = mode, include_last_offset
        self._fill(num_embeddings, embedding_dim, padding_idx, init, given)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        return F.embedding_bag(
            *(input, self.weight, offsets, self.max_norm, self.norm_type),
            *(self.scale_grad_by_freq, self.mode, self.sparse, per_sample_weights),
            *(self.include_last_offset, self.padding_idx),
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}", *self._unusual()]
        parts.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)

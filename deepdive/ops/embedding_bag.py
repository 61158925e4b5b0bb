"""Bags of embeddings: the sum, mean or largest values of several rows of a table."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor, asked, data_of, wrap
from deepdive.errors import ArgumentError, GraphError, ShapeError
from deepdive.ops import creation
from deepdive.ops.elementwise import Where
from deepdive.ops.embedding import embedding, indices
from deepdive.ops.indexing import IndexAddAt
from deepdive.ops.shape import Cat


@derive("embedding_bag", method=False)
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The rows of `weight` (V, D) that each bag names, put together: (B, D).

    Args:
        input: (B, N), bags of one size, or (N,), bags of any size one behind the other.
        offsets: where each bag begins, (B,); with a 1-D input only.
        mode: ``"sum"``, ``"mean"`` or ``"max"``; an empty bag gives zeros.
        per_sample_weights: in the shape of `input`, multiply the rows; with ``"sum"`` only.
        include_last_offset: `offsets` has one more number, where the last bag ends.
        padding_idx: a row that does not count.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in :func:`embedding`.

    Raises:
        ArgumentError: for an unknown mode, or weights with another mode than ``"sum"``.
        ShapeError: for shapes that do not fit, and indices out of range.

    >>> import deepdive as dd
    >>> embedding_bag([0, 1, 2], dd.eye(3), [0, 2], mode="sum")
    tensor([[1., 1., 0.],
            [0., 0., 1.]])
    """
    rows = weight.shape[0]
    index: Any = wrap(indices("embedding_bag", input, rows, "rows", device=weight.device))
    _check(index, offsets, mode, per_sample_weights)
    if padding_idx is not None:
        padding_idx %= rows
    options = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if index.ndim == 1:
        given: Any = wrap(indices("embedding_bag: offsets", offsets, 2**62, "places"))
        starts = given[:-1] if include_last_offset else given
        if mode == "max":
            index, counts = _as_rows(index, starts, given)
        else:
            return _added(index, starts, weight, mode, per_sample_weights, options)
    else:
        counts = creation.ones(*index.shape, dtype="bool", device=weight.device)
    if padding_idx is not None:
        counts = counts * (index != padding_idx)
    vectors: Any = embedding(index, weight, *options)  # (B, N, D)
    share = counts.to(weight.dtype).unsqueeze(-1)
    if mode == "max":
        return _largest(vectors, counts)
    if per_sample_weights is not None:
        share = share * per_sample_weights.unsqueeze(-1)
    total = (vectors * share).sum(1)
    if mode == "mean":
        total = total / share.sum(1).clamp(min=1)
    return total  # type: ignore[no-any-return]


def _check(index: Any, offsets: Any, mode: str, weights: Any) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(
            f"embedding_bag: unknown mode {mode!r}", expected="'sum', 'mean' or 'max'"
        )
    if weights is not None and mode != "sum":
        raise ArgumentError("embedding_bag: per_sample_weights are for mode='sum'", got=mode)
    if weights is not None and weights.shape != index.shape:
        raise ShapeError(
            f"embedding_bag: per_sample_weights are {tuple(weights.shape)}",
            expected=f"{tuple(index.shape)}, the shape of the input",
        )
    if index.ndim not in (1, 2) or (index.ndim == 1) != (offsets is not None):
        raise ShapeError(
            f"embedding_bag: input is {tuple(index.shape)}, offsets are {offsets!r:.60}",
            expected="(B, N) without offsets, or (N,) with offsets (B,)",
        )


def _largest(vectors: Any, counts: Any) -> Tensor:
    """The largest values of (B, N, D) over N, zeros where none of (B, N) counts."""
    if not vectors.shape[1]:
        return vectors.sum(1)  # type: ignore[no-any-return]
    hidden: Any = Where()(counts.unsqueeze(-1), vectors, -math.inf)
    return Where()(counts.any(1, True), hidden.amax(1), 0.0)


def _added(index: Any, starts: Any, weight: Any, mode: str, weights: Any, options: Any) -> Tensor:
    """Sums or means of bags of any size: each vector is added to its bag's place."""
    N, B = index.shape[0], starts.shape[0]
    marks = creation.zeros(N + 1, dtype="int64", device=weight.device)
    marked: Any = IndexAddAt(data_of(starts))(marks, 1)
    bag = marked.cumsum(0)[:N] - 1
    share = creation.ones(N, 1, dtype=weight.dtype, device=weight.device)
    if options[0] is not None:
        share = share * (index != options[0]).unsqueeze(1)  # type: ignore[operator]
    vectors: Any = embedding(index, weight, *options) * share  # type: ignore[operator]
    if weights is not None:
        vectors = vectors * weights.unsqueeze(1)
    zeros = creation.zeros(B, weight.shape[1], dtype=weight.dtype, device=weight.device)
    total = IndexAddAt(data_of(bag))(zeros, vectors)
    if mode == "sum":
        return total
    sizes: Any = IndexAddAt(data_of(bag))(zeros[:, :1], share)  # type: ignore[index]
    return total / sizes.clamp(min=1)  # type: ignore[operator,no-any-return]


def _as_rows(index: Any, starts: Any, given: Any) -> tuple[Any, Any]:
    """Bags of any size as rows (B, N) of the longest one's, and which places count."""
    N, B = index.shape[0], starts.shape[0]

    def longest_of(values: Any) -> int:
        edges = [*values.tolist()[:B], N]
        return max([after - before for before, after in pairwise(edges)], default=0)

    longest = asked(data_of(given), longest_of)
    if longest is None:
        raise GraphError(
            "embedding_bag: the largest bag depends on values",
            fix="pass the bags as rows (B, N), or mode='sum' or 'mean'",
        )
    end = creation.as_tensor([N], device=index.device)
    sizes = Cat(0)(starts[1:], end) - starts  # type: ignore[operator]
    steps = creation.arange(longest, device=index.device)
    places = (starts.unsqueeze(1) + steps).clamp(max=max(N - 1, 0))
    return index[places] if N else places, steps < sizes.unsqueeze(1)

"""Attention: each query takes a mixture of the values, by how well their keys fit it."""

from __future__ import annotations

import math
from typing import Any

from deepdive import dtypes
from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.activation import Softmax
from deepdive.ops.dropout import dropout


@derive("scaled_dot_product_attention", method=False)
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(q kᵀ · scale + mask) v`` (Vaswani et al. 2017, equation 1).

    query (…, L, E), key (…, S, E), value (…, S, V) → (…, L, V).

    Args:
        attn_mask: broadcast to (…, L, S); booleans say who is seen, other numbers are added.
            A query that sees nobody gets zeros.
        dropout_p: this share of the mixture's weights is dropped, always: pass 0 when evaluating.
        is_causal: query i sees the keys 0 … i only.
        scale: ``1/√E`` unless given.
        enable_gqa: keys and values have fewer heads (axis -3), each serving several queries.

    Raises:
        ShapeError: for shapes that do not fit.
        ArgumentError: for a mask and `is_causal` at once.

    >>> import deepdive as dd
    >>> x = dd.eye(2)
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)[0]
    tensor([1., 0.])
    """
    _check_shapes(query, key, value)
    if enable_gqa:
        key, value = (_for_each_query(query, x) for x in (key, value))
    weights = attention_weights(query, key, attn_mask, is_causal, scale)
    return dropout(weights, dropout_p) @ value  # type: ignore[operator,no-any-return]


def attention_weights(
    query: Any, key: Any, mask: Any = None, causal: bool = False, scale: float | None = None
) -> Any:
    """``softmax(q kᵀ · scale + mask)``: what each query takes of each value, (…, L, S)."""
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    scores = (query * scale) @ key.transpose(-2, -1)  # (…, L, S)
    if causal:
        if mask is not None:
            raise ArgumentError(
                "scaled_dot_product_attention: attn_mask and is_causal are two masks",
                fix="put the causal one into attn_mask: mask & dd.ones(L, S, dtype='bool').tril()",
            )
        pairs: Any = creation.ones(*scores.shape[-2:], dtype="bool", device=query.device)
        return Softmax(-1)(scores.masked_fill(~pairs.tril(), -math.inf))
    if mask is not None:
        return _masked_softmax(scores, creation.as_tensor(mask))
    return Softmax(-1)(scores)


def _masked_softmax(scores: Any, mask: Any) -> Any:
    """The softmax of the scores that a mask lets through; zeros where it lets none."""
    lowest = -3e4 if scores.dtype == dtypes.float16 else -1e37  # -∞ minus -∞ would be NaN
    if mask.is_floating_point():
        seen = mask > -math.inf
        scores = scores + mask.clamp(min=lowest)
    else:
        seen = mask.bool()
        scores = scores.masked_fill(~seen, lowest)
    return Softmax(-1)(scores) * seen.any(-1, True)  # type: ignore[operator]


def _check_shapes(query: Any, key: Any, value: Any) -> None:
    shapes = [tuple(x.shape) for x in (query, key, value)]
    if (
        min(map(len, shapes)) < 2
        or shapes[0][-1] != shapes[1][-1]
        or shapes[1][-2] != shapes[2][-2]
    ):
        raise ShapeError(
            "scaled_dot_product_attention: query {}, key {}, value {}".format(*shapes),
            expected="(…, L, E), (…, S, E), (…, S, V)",
        )


def _for_each_query(query: Any, x: Any) -> Any:
    """Heads repeated, so that there are as many as `query` has: h h … k k …"""
    wanted, given = query.shape[-3], x.shape[-3]
    if wanted % given:
        raise ShapeError(
            "scaled_dot_product_attention: the query's heads are a multiple of the others",
            got=f"{wanted} and {given} heads",
        )
    *lead, heads, S, E = x.shape
    spread = x.unsqueeze(-3).expand(*lead, heads, wanted // given, S, E)
    return spread.reshape(*lead, wanted, S, E)

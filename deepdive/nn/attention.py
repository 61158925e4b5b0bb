"""Attention with several heads, as a layer."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import probability, sizes
from deepdive.nn.linear import Linear
from deepdive.nn.module import Module
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation
from deepdive.ops.attention import attention_weights
from deepdive.ops.elementwise import Where
from deepdive.ops.shape import Cat


class NonDynamicallyQuantizableLinear(Linear):
    """A :class:`Linear` under the name that PyTorch prints for attention's last layer."""


class MultiheadAttention(Module):
    """Attention in several subspaces at once (Vaswani et al. 2017, section 3.2.2).

    ``out_proj(concat(head₁, …))`` with ``headᵢ = softmax(qᵢ kᵢᵀ / √d) vᵢ``.

    Args:
        embed_dim: the width E of queries and results.
        num_heads: which divides E.
        dropout: of the weights, while training.
        bias: whether the projections in and out have one.
        add_bias_kv: a learned key and value behind the others.
        add_zero_attn: a key and value of zeros behind the others.
        kdim, vdim: the widths of keys and values, if not E.
        batch_first: inputs are (B, L, E), not (L, B, E).

    Raises:
        ArgumentError: for arguments out of their domain.

    >>> import deepdive as dd
    >>> x = dd.zeros(2, 5, 8)
    >>> out, weights = MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> out.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        sizes(self, embed_dim=embed_dim, num_heads=num_heads)
        probability(self, dropout=dropout)
        if embed_dim % num_heads:
            raise ArgumentError(
                "MultiheadAttention: num_heads divides embed_dim", got=f"{embed_dim=}, {num_heads=}"
            )
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.dropout, self.batch_first = dropout, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.add_zero_attn = add_zero_attn
        self._make_projections(bias, add_bias_kv)

    def _make_projections(self, bias: bool, add_bias_kv: bool) -> None:
        E = self.embed_dim
        matrices = {"in_proj_weight": (3 * E, E)}
        if (self.kdim, self.vdim) != (E, E):
            matrices = {
                "q_proj_weight": (E, E),
                "k_proj_weight": (E, self.kdim),
                "v_proj_weight": (E, self.vdim),
            }
        for name, shape in matrices.items():
            weight = Parameter(creation.empty(*shape))
            setattr(self, name, initializers.xavier_uniform_(weight))
        self.in_proj_bias: Any = Parameter(creation.zeros(3 * E)) if bias else None
        self.bias_k = self.bias_v = None
        if add_bias_kv:
            for name in ("bias_k", "bias_v"):
                extra = Parameter(creation.empty(1, 1, E))
                setattr(self, name, initializers.xavier_normal_(extra))
        self.out_proj = NonDynamicallyQuantizableLinear(E, E, bias=bias)
        if self.out_proj.bias is not None:
            initializers.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The mixtures, shaped as `query`, and the weights (B, L, S) if they are needed.

        Args:
            key_padding_mask: (B, S), True for keys that do not count, or numbers to add.
            attn_mask: (L, S) or (B·H, L, S), True for pairs that do not count, or numbers to add.
            average_attn_weights: False gives the weights of each head, (B, H, L, S).
            is_causal: `attn_mask` is the causal one; without one given, it is made.
        """
        single = query.ndim == 2
        inputs = [x.unsqueeze(0) if single else x for x in (query, key, value)]
        if not (single or self.batch_first):
            inputs = [x.transpose(0, 1) for x in inputs]  # (B, L, E)
        self._check(*inputs)
        q, k, v = self._projected(*inputs)
        B, L, S = q.shape[0], q.shape[1], inputs[1].shape[1]
        k, v = (self._with_extras(x, bias) for x, bias in ((k, self.bias_k), (v, self.bias_v)))
        if is_causal and attn_mask is None:
            pairs: Any = creation.ones(L, S, dtype="bool", device=q.device)
            attn_mask = ~pairs.tril()
        mask = self._merged(attn_mask, key_padding_mask, (B, L, S, k.shape[1]))
        q, k, v = map(self._by_head, (q, k, v))  # (B, H, …, d)
        weights = attention_weights(q, k, mask)  # (B, H, L, S)
        kept = F.dropout(weights, self.dropout, self.training)
        mixed = (kept @ v).transpose(1, 2)  # type: ignore[operator]
        out: Any = self.out_proj(mixed.reshape(B, L, self.embed_dim))
        if not need_weights:
            weights = None
        elif average_attn_weights:
            weights = weights.mean(1)
        if single:
            return out[0], weights if weights is None else weights[0]
        return out if self.batch_first else out.transpose(0, 1), weights

    def _projected(self, *inputs: Any) -> list[Any]:
        """Queries, keys and values, (B, L or S, E) each."""
        if self.kdim == self.vdim == self.embed_dim:
            if inputs[0] is inputs[1] is inputs[2]:
                out: Any = F.linear(inputs[0], self.in_proj_weight, self.in_proj_bias)
                return list(out.chunk(3, -1))
            matrices = self.in_proj_weight.chunk(3)
        else:
            matrices = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        together = self.in_proj_bias
        biases = (None,) * 3 if together is None else together.chunk(3)
        triples = zip(inputs, matrices, biases, strict=True)
        return [F.linear(x, w, b) for x, w, b in triples]

    def _with_extras(self, x: Any, bias: Any) -> Any:
        """(B, S, E) with the learned row and the row of zeros behind it."""
        B, _, E = x.shape
        rows = [x]
        if bias is not None:
            rows.append(bias.expand(B, 1, E))
        if self.add_zero_attn:
            rows.append(creation.zeros(B, 1, E, dtype=x.dtype, device=x.device))
        return rows[0] if len(rows) == 1 else Cat(1)(*rows)

    def _by_head(self, x: Any) -> Any:
        B, N, E = x.shape
        return x.reshape(B, N, self.num_heads, E // self.num_heads).transpose(1, 2)

    def _merged(self, attn_mask: Any, padding: Any, shape: tuple[int, ...]) -> Any:
        """Both masks as one of (B, H, L, S): who is seen, or numbers to add; None for none."""
        B, L, S, wide = shape
        masks = []
        if attn_mask is not None:
            mask: Any = creation.as_tensor(attn_mask)
            pairs = (B, self.num_heads, L, S) if mask.ndim == 3 else (1, 1, L, S)
            masks.append(_shaped("attn_mask", mask, pairs))
        if padding is not None:
            mask = creation.as_tensor(padding)
            masks.append(_shaped("key_padding_mask", mask, (B, 1, 1, S)))
        if not masks:
            return None
        numbers = any(mask.is_floating_point() for mask in masks)
        masks = [_as_numbers(mask) if numbers else mask.bool() for mask in masks]
        merged = masks[0]
        for mask in masks[1:]:
            merged = merged + mask if numbers else merged | mask
        if wide > S:  # the extra keys are seen by all
            shape = (*merged.shape[:-1], wide - S)
            extra = creation.zeros(*shape, dtype=merged.dtype, device=merged.device)
            merged = Cat(3)(merged, extra)
        return merged if numbers else ~merged

    def _check(self, query: Any, key: Any, value: Any) -> None:
        widths = (self.embed_dim, self.kdim, self.vdim)
        for name, x, width in zip(
            ("query", "key", "value"), (query, key, value), widths, strict=True
        ):
            if x.ndim != 3 or x.shape[2] != width or x.shape[0] != query.shape[0]:
                raise ShapeError(
                    f"MultiheadAttention: {name} is {tuple(x.shape)}, batch first",
                    expected=f"({query.shape[0]}, …, {width})",
                )


def _shaped(name: str, mask: Any, shape: tuple[int, ...]) -> Any:
    if mask.numel() != math.prod(shape):
        raise ShapeError(
            f"MultiheadAttention: {name} is {tuple(mask.shape)}",
            expected=f"{shape} or what fills it",
        )
    return mask.reshape(shape)


def _as_numbers(mask: Any) -> Any:
    """A mask to add: -∞ where a boolean one hides."""
    return mask if mask.is_floating_point() else Where()(mask, -math.inf, 0.0)

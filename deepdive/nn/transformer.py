"""The transformer of Vaswani et al. 2017: layers of attention and of two linear maps.

Masks are those of :class:`MultiheadAttention`: True, or -∞, for what is not to be seen.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import sizes
from deepdive.nn.attention import MultiheadAttention
from deepdive.nn.containers import ModuleList
from deepdive.nn.dropout import Dropout
from deepdive.nn.linear import Linear
from deepdive.nn.module import Module
from deepdive.nn.norm import LayerNorm
from deepdive.ops import creation

Activation = str | Callable[[Any], Any]


class _Layer(Module):
    """What the layers of encoder and decoder share: the two linear maps at each place.

    Args:
        d_model: the width D.
        nhead: the heads of attention.
        dim_feedforward: the width between the two linear maps.
        dropout: of what is added, and between the linear maps; while training.
        activation: ``"relu"``, ``"gelu"``, or a function or layer.
        batch_first: inputs are (B, T, D), not (T, B, D).
        norm_first: normalise before attention and the linear maps, not after (Xiong et al. 2020).
        bias: whether linear maps and norms have one.
    """

    attentions: tuple[str, ...]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        for name in self.attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        numbers = range(1, len(self.attentions) + 2)
        for i in numbers:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias))
        for i in numbers:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _function(activation)

    def _attend(
        self, which: int, x: Any, memory: Any, mask: Any, padding: Any, causal: bool
    ) -> Any:
        attention = getattr(self, self.attentions[which])
        mixed, _ = attention(x, memory, memory, padding, False, mask, is_causal=causal)
        return getattr(self, f"dropout{which + 1}")(mixed)

    def _feed(self, x: Any) -> Any:
        inner = self.dropout(self.activation(self.linear1(x)))
        last = getattr(self, f"dropout{len(self.attentions) + 1}")
        return last(self.linear2(inner))


def _function(activation: Activation) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    known = {"relu": F.relu, "gelu": F.gelu}
    if activation not in known:
        raise ArgumentError(
            f"transformer: unknown activation {activation!r}",
            expected="'relu', 'gelu', or a function",
        )
    return known[activation]


class TransformerEncoderLayer(_Layer):
    """Self-attention, then two linear maps; each is added to what comes in, and normalised.

    >>> import deepdive as dd
    >>> layer = TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
    >>> layer(dd.zeros(2, 5, 8)).shape
    (2, 5, 8)
    """

    attentions = ("self_attn",)

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        x = src
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            inner = self.norm1(x)
            x = x + self._attend(0, inner, inner, *masks)
            return x + self._feed(self.norm2(x))  # type: ignore[no-any-return]
        x = self.norm1(x + self._attend(0, x, x, *masks))
        return self.norm2(x + self._feed(x))  # type: ignore[no-any-return]


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to an encoder's outputs, then two linear maps."""

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        x = tgt
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        others = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            inner = self.norm1(x)
            x = x + self._attend(0, inner, inner, *own)
            x = x + self._attend(1, self.norm2(x), memory, *others)
            return x + self._feed(self.norm3(x))  # type: ignore[no-any-return]
        x = self.norm1(x + self._attend(0, x, x, *own))
        x = self.norm2(x + self._attend(1, x, memory, *others))
        return self.norm3(x + self._feed(x))  # type: ignore[no-any-return]


class _Stack(Module):
    """`num_layers` copies of a layer, equal at first, and a norm behind the last."""

    def _fill(self, layer: Any, num_layers: int, norm: Any) -> None:
        sizes(self, num_layers=num_layers)
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def _normed(self, x: Any) -> Any:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """Encoder layers one after another.

    Args:
        encoder_layer: the layer to copy.
        norm: behind the last layer, or None.
        enable_nested_tensor, mask_check: PyTorch's, without effect.
    """

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Any = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        self._fill(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        x = src
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, bool(is_causal))
        return self._normed(x)  # type: ignore[no-any-return]


class TransformerDecoder(_Stack):
    """Decoder layers one after another."""

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Any = None) -> None:
        self._fill(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        x = tgt
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        for layer in self.layers:
            x = layer(x, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return self._normed(x)  # type: ignore[no-any-return]


class Transformer(Module):
    """Encoder and decoder: ``decoder(tgt, encoder(src))``; matrices start Xavier-uniform.

    Args:
        custom_encoder, custom_decoder: in place of those made of the other arguments.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        width = (d_model, nhead, dim_feedforward, dropout, activation)
        way = (*width, layer_norm_eps, batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*way), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*way), num_decoder_layers, norm()
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for parameter in self.parameters():
            if parameter.ndim > 1:
                initializers.xavier_uniform_(parameter)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(T, B, D) for `src` (S, B, D) and `tgt` (T, B, D), or all batch first.

        Raises:
            ShapeError: for inputs of another width than `d_model`.
        """
        for name, x in (("src", src), ("tgt", tgt)):
            if x.shape[-1] != self.d_model:
                raise ShapeError(
                    f"Transformer: {name} is {tuple(x.shape)}", expected=f"(…, {self.d_model})"
                )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """-∞ above the diagonal, 0 elsewhere: (sz, sz), so that nobody sees what comes later.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        full: Any = creation.full((sz, sz), -math.inf, dtype=dtype, device=device)
        return full.triu(1)  # type: ignore[no-any-return]

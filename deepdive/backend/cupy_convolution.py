"""Convolutions on the GPU: windows as a strided view, copied into a matrix, and one product.

The words of :mod:`.extended_convolution`, a part of the batch at a time, so that the matrix of all
windows stays small beside the GPU's memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from deepdive.backend import extended_convolution

Shape = tuple[int, ...]

BLOCK = 1 << 27  # elements of columns made at a time, 512 MB of float32


def _blocks(batch: int, pixels: Shape, channels: int, size: Shape) -> Iterator[slice]:
    """The batch cut into parts of at most BLOCK column elements."""
    each = max(math.prod(pixels) * channels * math.prod(size), 1)
    count = max(BLOCK // each, 1)
    return (slice(start, start + count) for start in range(0, max(batch, 1), count))


def _joined(xp: Any, parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else xp.concat(parts, 0)


def convolution(
    xp: Any, x: Any, w: Any, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/G, *kernel)."""
    parts = []
    for part in _blocks(len(x), x.shape[2:], x.shape[1], w.shape[2:]):
        parts.append(
            extended_convolution.convolution(xp, x[part], w, stride, padding, dilation, groups)
        )
    return _joined(xp, parts)


def convolution_input_grad(
    xp: Any,
    grad: Any,
    w: Any,
    x_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Any:
    """The gradient of :func:`convolution` for its input."""
    parts = []
    for part in _blocks(x_shape[0], grad.shape[2:], x_shape[1], w.shape[2:]):
        here = grad[part]
        shape = (len(here), *x_shape[1:])
        way = (stride, padding, dilation, groups)
        parts.append(extended_convolution.convolution_input_grad(xp, here, w, shape, *way))
    return _joined(xp, parts)


def convolution_weight_grad(
    xp: Any,
    x: Any,
    grad: Any,
    w_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Any:
    """The gradient of :func:`convolution` for its weights."""
    total: Any = None
    for part in _blocks(len(x), grad.shape[2:], x.shape[1], tuple(w_shape[2:])):
        way = (stride, padding, dilation, groups)
        found = extended_convolution.convolution_weight_grad(xp, x[part], grad[part], w_shape, *way)
        total = found if total is None else total + found
    return total

"""Transposed convolutions: the gradient of a convolution for its input, as an operator."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.conv import ConvolutionInputGrad, Shape, Sizes, per_axis
from deepdive.ops.padding import pad
from deepdive.ops.shape import Reshape


def _transposed(
    name: str,
    n: int,
    x: Any,
    weight: Any,
    bias: Any,
    way: tuple[Any, ...],
) -> Tensor:
    """What conv_transpose1d, 2d and 3d are, with n spatial axes."""
    if x.ndim == n + 1 == weight.ndim - 1:  # a single sample without a batch axis
        single: Any = _transposed(name, n, x.unsqueeze(0), weight, bias, way)
        return single.squeeze(0)  # type: ignore[no-any-return]
    if x.ndim != n + 2 or weight.ndim != n + 2 or x.shape[1] != weight.shape[0]:
        raise ShapeError(
            f"{name}: input is {tuple(x.shape)} and weight is {tuple(weight.shape)}",
            expected=f"input (B, C, {n} axes), weight (C, O/groups, {n} axes)",
        )
    way = _checked(name, n, way)
    out: Any = pad(_full(name, n, x, weight, way), _frame(way))
    if bias is None:
        return out  # type: ignore[no-any-return]
    return out + Reshape((-1, *(1,) * n))(bias)  # type: ignore[no-any-return]


def _checked(name: str, n: int, way: tuple[Any, ...]) -> tuple[Any, ...]:
    """Stride, padding, output_padding and dilation for each axis; and the groups."""
    stride = per_axis(name, "stride", way[0], n)
    padding = per_axis(name, "padding", way[1], n)
    more = per_axis(name, "output_padding", way[2], n)
    dilation = per_axis(name, "dilation", way[3], n)
    limits = map(max, stride, dilation)
    if any(m and m >= limit for m, limit in zip(more, limits, strict=True)):
        raise ArgumentError(
            f"{name}: output_padding is less than the stride or the dilation",
            got=f"output_padding {more}, stride {stride}, dilation {dilation}",
        )
    return stride, padding, more, dilation, way[4]


def _full(name: str, n: int, x: Any, weight: Any, way: tuple[Any, ...]) -> Any:
    """The result before anything is cut off."""
    stride, _, _, dilation, groups = way
    kernel = tuple(weight.shape[2:])
    spatial = _whole(x.shape[2:], kernel, stride, dilation)
    operator: Any = ConvolutionInputGrad(
        stride=stride,
        padding=(0,) * n,
        dilation=dilation,
        groups=groups,
        x_shape=(x.shape[0], weight.shape[1] * groups, *spatial),
    )
    operator.public_name = name
    return operator(x, weight)


def _frame(way: tuple[Any, ...]) -> Shape:
    """What the padding cuts off, and output_padding adds: last axis first."""
    _, padding, more, _, _ = way
    frame: list[int] = []
    for p, m in zip(reversed(padding), reversed(more), strict=True):
        frame += [-p, m - p]
    return tuple(frame)


def _whole(spatial: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Shape:
    """The extents without any padding: every kernel at its place."""
    sizes = zip(spatial, kernel, stride, dilation, strict=True)
    return tuple((m - 1) * s + d * (k - 1) + 1 for m, k, s, d in sizes)


@derive("conv_transpose1d", method=False)
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Input (B, C, L) with weight (C, O/groups, k) → (B, O, L'); see :func:`conv_transpose2d`."""
    way = stride, padding, output_padding, dilation, groups
    return _transposed("conv_transpose1d", 1, input, weight, bias, way)


@derive("conv_transpose2d", method=False)
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Every number of the input adds a multiple of the kernel to the output, `stride` apart.

    Input (B, C, H, W), weight (C, O/groups, k, l) → (B, O, H', W') with
    ``H' = (H - 1) s - 2 p + d (k - 1) + output_padding + 1``: the gradient of :func:`conv2d` for
    its input.

    Args:
        output_padding: added behind; of the sizes that the stride maps to one it chooses.

    Raises:
        ShapeError: for channels that do not match.
        ArgumentError: for an output_padding that is not less than the stride or the dilation.

    >>> import deepdive as dd
    >>> conv_transpose2d(dd.ones(1, 1, 2, 2), dd.ones(1, 1, 2, 2), stride=2).shape
    (1, 1, 4, 4)
    """
    way = stride, padding, output_padding, dilation, groups
    return _transposed("conv_transpose2d", 2, input, weight, bias, way)


@derive("conv_transpose3d", method=False)
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Input (B, C, D, H, W) with weight (C, O/groups, k, l, m); see :func:`conv_transpose2d`."""
    way = stride, padding, output_padding, dilation, groups
    return _transposed("conv_transpose3d", 3, input, weight, bias, way)

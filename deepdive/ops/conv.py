"""Convolution over any number of spatial axes.

The array words are n-dimensional and linear in both operands; their gradients are operators of
their own, each the others' derivative, so that gradients of all orders exist.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import Operator, add_method, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.shape import ConstantPad

Shape = tuple[int, ...]
Sizes = int | tuple[int, ...]


class Window(Operator):
    """The static parameters all three operators share, one number per spatial axis."""

    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int

    def forward(self, xp, x, w):
        raise NotImplementedError

    @property
    def way(self) -> tuple[Shape, Shape, Shape, int]:
        return self.stride, self.padding, self.dilation, self.groups


@register(None, word="convolution")
class Convolution(Window):
    """``out[b, o, i] = Σ x[b, c, stride·i + dilation·k - padding] · w[o, c, k] + bias[o]``.

    x (B, C, *spatial), w (O, C/groups, *kernel), bias (O,) → (B, O, *out).
    """

    signature = "x, w, stride, padding, dilation, groups, bias"

    def forward(self, xp, x, w, bias=None):
        out = xp.convolution(x, w, *self.way)
        if bias is not None:
            out += xp.reshape(bias, (-1, *(1 for _ in x.shape[2:])))
        return out

    def backward(self, xp, grad, x, w, needs):
        dx = dw = db = None
        if needs[0]:
            dx = xp.convolution_input_grad(grad, w, x.shape, *self.way)
        if needs[1]:
            dw = xp.convolution_weight_grad(x, grad, w.shape, *self.way)
        if needs[2]:
            pixels = math.prod(grad.shape[2:])
            flat = xp.reshape(grad, (*grad.shape[:2], pixels))
            # summed over pixels as a product: a third of the time of a reduction
            db = xp.sum(xp.matmul(flat, xp.ones((pixels,), grad.dtype)), axis=0)
        return dx, dw, db


@register(None, word="convolution_input_grad")
class ConvolutionInputGrad(Window):
    """The gradient of :class:`Convolution` for its input, of shape `x_shape`; also the
    transposed convolution."""

    x_shape: Shape
    signature = "grad, w, x_shape, stride, padding, dilation, groups"

    def forward(self, xp, grad, w):
        return xp.convolution_input_grad(grad, w, self.x_shape, *self.way)

    def backward(self, xp, g, grad, w, needs):
        dgrad = xp.convolution(g, w, *self.way) if needs[0] else None
        dw = None
        if needs[1]:
            dw = xp.convolution_weight_grad(g, grad, w.shape, *self.way)
        return dgrad, dw


@register(None, word="convolution_weight_grad")
class ConvolutionWeightGrad(Window):
    """The gradient of :class:`Convolution` for its weights, of shape `w_shape`."""

    w_shape: Shape
    signature = "x, grad, w_shape, stride, padding, dilation, groups"

    def forward(self, xp, x, grad):
        return xp.convolution_weight_grad(x, grad, self.w_shape, *self.way)

    def backward(self, xp, g, x, grad, needs):
        dx = None
        if needs[0]:
            dx = xp.convolution_input_grad(grad, g, x.shape, *self.way)
        return dx, xp.convolution(x, g, *self.way) if needs[1] else None


def per_axis(name: str, role: str, given: Any, n: int) -> Shape:
    """`given` for each of n axes: one number stands for all of them.

    >>> per_axis("conv2d", "stride", 2, 2)
    (2, 2)
    """
    sizes = (given,) * n if isinstance(given, int) else tuple(given)
    if len(sizes) == 1:
        sizes *= n
    if len(sizes) != n:
        raise ShapeError(
            f"{name}: {role} has {len(sizes)} numbers", got=sizes, expected=f"1 or {n} numbers"
        )
    return sizes


def _same_padding(name: str, x: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Any:
    """`x` and the padding that keeps its extents; where that is odd, `x` gets one more behind."""
    if any(s != 1 for s in stride):
        raise ArgumentError(f"{name}: padding='same' needs a stride of 1", got=f"stride {stride}")
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if any(r % 2 for r in reach):
        x = ConstantPad(((0, 0), (0, 0), *((0, r % 2) for r in reach)))(x)
    return x, tuple(r // 2 for r in reach)


def _convolve(
    name: str, n: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, more: Any
) -> Tensor:
    """What conv1d, conv2d and conv3d are, with n spatial axes."""
    if x.ndim == n + 1 == weight.ndim - 1:  # a single sample without a batch axis
        single = x.unsqueeze(0)
        out: Any = _convolve(name, n, single, weight, bias, stride, padding, more)
        return out.squeeze(0)  # type: ignore[no-any-return]
    if x.ndim != n + 2 or weight.ndim != n + 2:
        raise ShapeError(
            f"{name}: input is {tuple(x.shape)} and weight is {tuple(weight.shape)}",
            expected=f"input (B, C, {n} axes), weight (O, C/groups, {n} axes)",
        )
    dilation, groups = more
    stride = per_axis(name, "stride", stride, n)
    dilation = per_axis(name, "dilation", dilation, n)
    if padding == "same":
        x, padding = _same_padding(name, x, tuple(weight.shape[2:]), stride, dilation)
    elif isinstance(padding, str) and padding != "valid":
        raise ArgumentError(f"{name}: padding {padding!r}", expected="numbers, 'same' or 'valid'")
    padding = per_axis(name, "padding", 0 if padding == "valid" else padding, n)
    operator: Any = Convolution(stride=stride, padding=padding, dilation=dilation, groups=groups)
    operator.public_name = name
    return operator(x, weight, bias)


@derive("conv1d", method=False)
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Input (B, C, L) with weight (O, C/groups, k) → (B, O, L'); see :func:`conv2d`."""
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, (dilation, groups))


@derive("conv2d", method=False)
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of images with kernels, plus a bias for each output channel.

    ``out[b, o, i, j] = Σ x[b, c, s·i + d·k - p, s·j + d·l - p] · w[o, c, k, l] + bias[o]``;
    input (B, C, H, W), weight (O, C/groups, k, l) → (B, O, H', W') with
    ``H' = ⌊(H + 2p - d (k - 1) - 1) / s⌋ + 1``.

    Args:
        stride, padding, dilation: one number, or one per spatial axis.
        padding: also ``"valid"`` (none) or ``"same"`` (the extents stay).
        groups: channels fall into so many groups, convolved each on its own.

    Raises:
        ShapeError: for channels that do not match, or a kernel larger than the input.

    >>> import deepdive as dd
    >>> conv2d(dd.ones(1, 1, 3, 3), dd.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, (dilation, groups))


@derive("conv3d", method=False)
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Input (B, C, D, H, W) with weight (O, C/groups, k, l, m); see :func:`conv2d`."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, (dilation, groups))


def _conv2d_method(
    self: Tensor,
    weight: Any,
    padding: Sizes | str = 0,
    stride: Sizes = 1,
    bias: Any = None,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """:func:`conv2d` as a method: here the padding comes before the stride."""
    return conv2d(self, weight, bias, stride, padding, dilation, groups)


add_method("conv2d", _conv2d_method)

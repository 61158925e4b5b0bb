"""Pooling: the largest or the mean of each window."""

from __future__ import annotations

import itertools
import math
from typing import Any

from deepdive.backend import speakers
from deepdive.core.operator import REGISTRY, Operator, derive, register
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.conv import Shape, Sizes, per_axis
from deepdive.ops.shape import ConstantPad


@register(None, word="windows")
class Windows(Operator):
    """All windows over the last axes, as a view: (…, *spatial) → (…, *out, *size)."""

    size: Shape
    stride: Shape
    dilation: Shape

    def forward(self, xp, x):
        return xp.windows(x, self.size, self.stride, self.dilation)

    def backward(self, xp, grad, x_shape):
        return xp.overlap_add(grad, x_shape, self.stride, self.dilation)


@register(None, word="overlap_add")
class OverlapAdd(Operator):
    """The adjoint of :class:`Windows`: every window added back where it was read."""

    shape: Shape
    stride: Shape
    dilation: Shape

    def forward(self, xp, w):
        return xp.overlap_add(w, self.shape, self.stride, self.dilation)

    def backward(self, xp, grad, w_shape):
        size = w_shape[-len(self.stride) :]
        return xp.windows(grad, size, self.stride, self.dilation)


class Pool(Operator):
    """What the operators over windows share."""

    size: Shape
    stride: Shape
    dilation: Shape

    def forward(self, xp, x):
        raise NotImplementedError

    def parts(self, xp: Any, x: Any) -> list[Any]:
        """The values of all windows at each place in the window, each (B, C, *out), as views."""
        view = xp.windows(x, self.size, self.stride, self.dilation)
        return [view[(..., *place)] for place in itertools.product(*map(range, self.size))]


class MaxPool(Pool):
    """The largest of each window; of equal ones the first gets the gradient."""

    def forward(self, xp, x):
        first, *rest = self.parts(xp, x)
        out = first
        for part in rest:
            out = xp.maximum(out, part)
        return out

    def backward(self, xp, grad, x, out):
        open_ = None  # windows whose largest has not been met yet
        shares = []
        for part in self.parts(xp, x):
            hit = part == out
            if open_ is None:
                open_ = xp.logical_not(hit)
            else:
                hit = xp.logical_and(hit, open_)
                open_ = xp.logical_xor(open_, hit)
            shares.append(grad * hit)
        # Place by place in memory, so that adding each back reads it in one run.
        windows = xp.reshape(xp.stack(shares, axis=0), (*self.size, *out.shape))
        n = len(self.size)
        windows = xp.permute_dims(windows, (*range(n, n + len(out.shape)), *range(n)))
        return xp.overlap_add(windows, x.shape, self.stride, self.dilation)


class SumPool(Pool):
    """The sum of each window."""

    def forward(self, xp, x):
        first, *rest = self.parts(xp, x)
        out = first * 1
        for part in rest:
            out += part
        return out

    def backward(self, xp, grad, x_shape):
        ones = (1,) * len(self.size)
        windows = xp.broadcast_to(xp.reshape(grad, (*grad.shape, *ones)), (*grad.shape, *self.size))
        return xp.overlap_add(windows, x_shape, self.stride, self.dilation)


def _frame(
    name: str, x: Any, size: Shape, stride: Shape, dilation: Shape, padding: Shape, ceil: bool
) -> list[tuple[int, int]]:
    """How much to add before and after each spatial axis."""
    if any(2 * p > k for p, k in zip(padding, size, strict=True)):
        raise ArgumentError(
            f"{name}: padding is at most half the window", got=f"padding {padding}, size {size}"
        )
    frame = []
    for n, k, s, d, p in zip(x.shape[2:], size, stride, dilation, padding, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        short = -room % s if ceil else 0
        # A window that would start behind the input and its left padding is left out.
        if short and room + short >= n + p:
            short = 0
        frame.append((p, p + short))
    return frame


def _check_axes(name: str, x: Any, n: int) -> None:
    if x.ndim != n + 2:
        raise ShapeError(
            f"{name}: input is {tuple(x.shape)}",
            expected=f"{n + 2} axes (B, C, {n} spatial), or {n + 1} without the batch",
        )


def _max_pool(
    name: str, n: int, x: Any, size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> Tensor:
    if x.ndim == n + 1:
        single = x.unsqueeze(0)
        out: Any = _max_pool(name, n, single, size, stride, padding, dilation, ceil)
        return out.squeeze(0)  # type: ignore[no-any-return]
    _check_axes(name, x, n)
    size = per_axis(name, "kernel_size", size, n)
    stride = size if not stride else per_axis(name, "stride", stride, n)
    padding = per_axis(name, "padding", padding, n)
    dilation = per_axis(name, "dilation", dilation, n)
    frame = _frame(name, x, size, stride, dilation, padding, ceil)
    if any(map(any, frame)):
        x = ConstantPad(((0, 0), (0, 0), *frame), -math.inf)(x)
    operator: Any = MaxPool(size, stride, dilation)
    operator.public_name = name
    return operator(x)


@derive("max_pool1d", method=False)
def max_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window of (B, C, L); see :func:`max_pool2d`."""
    way = stride, padding, dilation, ceil_mode
    if return_indices:
        return REGISTRY["max_pool1d_with_indices"](input, kernel_size, *way)
    return _max_pool("max_pool1d", 1, input, kernel_size, *way)


@derive("max_pool2d", method=False)
def max_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window: (B, C, H, W) → (B, C, H', W').

    The stride is the kernel's size unless given; what is padded is never the largest.  With
    `ceil_mode` windows that reach beyond the end count too; with `return_indices` the places of the
    largest among the H·W elements come along.

    >>> import deepdive as dd
    >>> max_pool2d(dd.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2)
    tensor([[[[4.]]]])
    """
    way = stride, padding, dilation, ceil_mode
    if return_indices:
        return REGISTRY["max_pool2d_with_indices"](input, kernel_size, *way)
    return _max_pool("max_pool2d", 2, input, kernel_size, *way)


def _avg_pool(
    name: str,
    n: int,
    x: Any,
    size: Any,
    stride: Any,
    padding: Any,
    ceil: bool,
    include_pad: bool,
    divisor: int | None,
) -> Tensor:
    if x.ndim == n + 1:
        return _avg_pool(
            name, n, x.unsqueeze(0), size, stride, padding, ceil, include_pad, divisor
        ).squeeze(0)  # type: ignore[attr-defined,no-any-return]
    _check_axes(name, x, n)
    size = per_axis(name, "kernel_size", size, n)
    stride = size if not stride else per_axis(name, "stride", stride, n)
    padding = per_axis(name, "padding", padding, n)
    frame = _frame(name, x, size, stride, (1,) * n, padding, ceil)
    operator: Any = SumPool(size, stride, (1,) * n)
    operator.public_name = name
    widths = ((0, 0), (0, 0), *frame)
    framed = ConstantPad(widths)(x) if any(map(any, frame)) else x
    total: Any = operator(framed)
    if divisor is not None:
        return total / divisor  # type: ignore[no-any-return]
    uneven = any(after > p for (_, after), p in zip(frame, padding, strict=True))
    if not uneven and (include_pad or not any(padding)):
        return total * (1 / math.prod(size))  # type: ignore[no-any-return]
    return total / _counts(operator, x, frame, padding, include_pad)  # type: ignore[no-any-return]


def _counts(operator: Any, x: Any, frame: Any, padding: Shape, include_pad: bool) -> Any:
    """How many elements each window averages, (1, 1, *out)."""
    border = padding if include_pad else (0,) * len(padding)
    inside = tuple(n + 2 * b for n, b in zip(x.shape[2:], border, strict=True))
    ones = wrap(speakers.BY_TYPE[type(x._data)].ones((1, 1, *inside), x.dtype))
    rest = [(p - b, after - b) for (p, after), b in zip(frame, border, strict=True)]
    return operator(ConstantPad(((0, 0), (0, 0), *rest))(ones))


@derive("avg_pool1d", method=False)
def avg_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (B, C, L); see :func:`avg_pool2d`."""
    return _avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


@derive("avg_pool2d", method=False)
def avg_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window: (B, C, H, W) → (B, C, H', W').

    With `count_include_pad` the zeros of the padding count as elements;  `divisor_override`
    divides the sums instead of the number of elements.

    >>> import deepdive as dd
    >>> avg_pool2d(dd.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2)
    tensor([[[[2.5000]]]])
    """
    return _avg_pool(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def _adaptive(name: str, n: int, x: Any, output_size: Any) -> Tensor:
    """Means over windows of nearly equal extent: window i is [⌊i·n/m⌋, ⌈(i+1)·n/m⌉)."""
    if x.ndim not in (n + 1, n + 2):
        _check_axes(name, x, n)
    sizes = (output_size,) * n if isinstance(output_size, int) else tuple(output_size)
    spatial = tuple(x.shape[-n:])
    sizes = tuple(m if s is None else s for s, m in zip(sizes, spatial, strict=True))
    if all(s == 1 for s in sizes):
        return x.mean(tuple(range(-n, 0)), True)  # type: ignore[no-any-return]
    if all(m % s == 0 for s, m in zip(sizes, spatial, strict=True)):
        kernel = tuple(m // s for s, m in zip(sizes, spatial, strict=True))
        return _avg_pool(name, n, x, kernel, None, 0, False, True, None)
    for axis, (s, m) in enumerate(zip(sizes, spatial, strict=True)):
        average = speakers.BY_TYPE[type(x._data)].asarray(_averages(m, s), x.dtype)  # (m, s)
        x = (x.transpose(axis - n, -1) @ wrap(average)).transpose(axis - n, -1)
    return x  # type: ignore[no-any-return]


def _averages(n: int, m: int) -> list[list[float]]:
    """The matrix that takes n values to the m means of :func:`_adaptive`."""
    bounds = [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
    return [[(low <= j < high) / (high - low) for low, high in bounds] for j in range(n)]


@derive("adaptive_avg_pool1d", method=False)
def adaptive_avg_pool1d(input: Any, output_size: Sizes) -> Tensor:
    """(B, C, L) → (B, C, output_size); see :func:`adaptive_avg_pool2d`."""
    return _adaptive("adaptive_avg_pool1d", 1, input, output_size)


@derive("adaptive_avg_pool2d", method=False)
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Means over so many windows that the result is ``(B, C, *output_size)``.

    None in `output_size` keeps the extent.

    >>> import deepdive as dd
    >>> adaptive_avg_pool2d(dd.ones(1, 2, 5, 7), (2, 3)).shape
    (1, 2, 2, 3)
    """
    return _adaptive("adaptive_avg_pool2d", 2, input, output_size)

"""The words of shapes, indices, windows and convolutions in ONNX's operators.

A function's last parameters are the word's own, in the vocabulary's order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepdive.compiler.graph import Value
from deepdive.errors import DeepDiveError
from deepdive.onnx.table import said
from deepdive.onnx.writer import Writer

FAR = 2**62  # beyond every end


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from the front; all of them for None."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % rank for a in axes)


@said("reshape")
def _reshape(writer: Writer, value: Value, x, shape) -> str:
    return writer.node("Reshape", writer.name(x), writer.sizes(value))


@said("broadcast_to")
def _broadcast_to(writer: Writer, value: Value, x, shape) -> str:
    return writer.node("Expand", writer.name(x), writer.sizes(value))


@said("permute_dims")
def _permute_dims(writer: Writer, value: Value, x, axes) -> str:
    order = [axis % len(axes) for axis in axes]
    return writer.node("Transpose", writer.name(x), perm=order)


@said("expand_dims")
def _expand_dims(writer: Writer, value: Value, x, axis) -> str:
    place = axis % len(value.shape)
    return writer.node("Unsqueeze", writer.name(x), writer.ints(place))


@said("squeeze")
def _squeeze(writer: Writer, value: Value, x, axis) -> str:
    axes = axes_of(axis, len(x.shape))
    return writer.node("Squeeze", writer.name(x), writer.ints(*axes))


@said("concat")
def _concat(writer: Writer, value: Value, arrays, axis) -> str:
    names = [writer.name(array, value.dtype) for array in arrays]
    return writer.node("Concat", *names, axis=axis % len(value.shape))


@said("stack")
def _stack(writer: Writer, value: Value, arrays, axis) -> str:
    place = axis % len(value.shape)
    at = writer.ints(place)
    parts = []
    for array in arrays:
        name = writer.name(array, value.dtype)
        parts.append(writer.node("Unsqueeze", name, at))
    return writer.node("Concat", *parts, axis=place)


@said("flip")
def _flip(writer: Writer, value: Value, x, axis) -> str:
    axes = axes_of(axis, len(x.shape))
    cuts = [(-1, -FAR, place, -1) for place in axes]
    return _slice(writer, x, cuts)


@said("pad")
def _pad(writer: Writer, made: Value, x, widths, value) -> str:
    before = [low for low, _ in widths]
    after = [high for _, high in widths]
    fill = writer.name(value, made.dtype)
    widths = writer.ints(*before, *after)
    return writer.node("Pad", writer.name(x), widths, fill)


@said("tril", "triu")
def _triangle(writer: Writer, value: Value, x, k) -> str:
    upper = int(value.word == "triu")
    diagonal = writer.constant(np.int64(k))
    return writer.node("Trilu", writer.name(x), diagonal, upper=upper)


@said("cumulative_sum")
def _cumulative_sum(writer: Writer, value: Value, x, axis) -> str:
    at = writer.constant(np.int64(axis))
    return writer.node("CumSum", writer.name(x, value.dtype), at)


@said("take_along_axis")
def _take_along_axis(writer: Writer, value: Value, x, indices, axis) -> str:
    numbers = writer.name(indices, "int64")
    return writer.node("GatherElements", writer.name(x), numbers, axis=axis)


@said("convolution")
def _convolution(
    writer: Writer,
    value: Value,
    x,
    w,
    stride,
    padding,
    dilation,
    groups,
) -> str:
    return writer.node(
        "Conv",
        writer.name(x),
        writer.name(w),
        strides=stride,
        pads=[*padding, *padding],
        dilations=dilation,
        group=groups,
    )


@said("convolution_input_grad")
def _transposed(
    writer: Writer,
    value: Value,
    grad,
    w,
    x_shape,
    stride,
    padding,
    dilation,
    groups,
) -> str:
    extra = []
    for i, step in enumerate(stride):
        reach = dilation[i] * (w.shape[2 + i] - 1) + 1
        read, written = grad.shape[2 + i], value.shape[2 + i]
        plain = (read - 1) * step - 2 * padding[i] + reach
        extra.append(written - plain)
    return writer.node(
        "ConvTranspose",
        writer.name(grad),
        writer.name(w),
        strides=stride,
        pads=[*padding, *padding],
        dilations=dilation,
        group=groups,
        output_padding=extra,
    )


@said("windows")
def _windows(writer: Writer, value: Value, x, size, stride, dilation) -> str:
    """A view; each place in the window is a slice, taken when it is asked for."""
    writer.windows[value] = {"x": x, "stride": stride, "dilation": dilation}
    return ""


@said("getitem")
def _getitem(writer: Writer, value: Value, x, index) -> str:
    items = list(index) if isinstance(index, tuple) else [index]
    if x in writer.windows:
        return _window(writer, x, items)
    known = sum(item is not None and item is not Ellipsis for item in items)
    rest = [slice(None)] * (len(x.shape) - known)
    if Ellipsis in [item for item in items if not isinstance(item, Value)]:
        at = next(i for i, item in enumerate(items) if item is Ellipsis)
        items[at : at + 1] = rest
    else:
        items += rest
    if any(isinstance(item, Value) or hasattr(item, "shape") for item in items):
        return _gather(writer, value, x, items)
    return _sliced(writer, x, items)


def _sliced(writer: Writer, x: Any, items: list[Any]) -> str:
    """Slices and numbers, then new axes."""
    old = [item for item in items if item is not None]
    cuts = []
    for axis, item in enumerate(old):
        if not isinstance(item, slice):
            after = item + 1 if item != -1 else FAR
            cuts.append((item, after, axis, 1))
        elif not _whole(item, x.shape[axis]):
            step = item.step or 1
            first, last = (0, FAR) if step > 0 else (-1, -FAR)
            start = first if item.start is None else item.start
            stop = last if item.stop is None else item.stop
            cuts.append((start, stop, axis, step))
    name = _slice(writer, x, cuts) if cuts else writer.name(x)
    gone = [axis for axis, item in enumerate(old) if not isinstance(item, slice)]
    if gone:
        name = writer.node("Squeeze", name, writer.ints(*gone))
    left = [item for item in items if item is None or isinstance(item, slice)]
    new = [axis for axis, item in enumerate(left) if item is None]
    return writer.node("Unsqueeze", name, writer.ints(*new)) if new else name


def _whole(item: slice, extent: int) -> bool:
    """Whether a slice takes all there is; "up to the length of the batch" does."""
    if item.step not in (None, 1):
        return False
    return (item.start or 0) == 0 and item.stop in (None, extent)


def _slice(writer: Writer, x: Any, cuts: list[Any]) -> str:
    """ONNX's Slice, of ``(start, stop, axis, step)`` for each axis that is cut."""
    rows = [writer.ints(*row) for row in zip(*cuts, strict=True)]
    return writer.node("Slice", writer.name(x), *rows)


def _gather(writer: Writer, value: Value, x: Any, items: list[Any]) -> str:
    """Rows by number, as an embedding takes them: one array of whole numbers, nothing else."""
    arrays = [axis for axis, item in enumerate(items) if not isinstance(item, slice)]
    cut = [item for item in items if isinstance(item, slice) and item != slice(None)]
    if len(arrays) != 1 or cut or items[arrays[0]] is None:
        raise DeepDiveError(
            "onnx.export: an index of several arrays has no ONNX operator here",
            got=f"in {value.origin}" if value.origin else None,
        )
    (axis,) = arrays
    numbers = writer.name(items[axis], "int64")
    return writer.node("Gather", writer.name(x), numbers, axis=axis)


def _window(writer: Writer, windows: Value, items: list[Any]) -> str:
    """``windows[..., i, j]``: every stride-th pixel from (i, j) on."""
    view = writer.windows[windows]
    x, stride, dilation = view["x"], view["stride"], view["dilation"]
    places, n = items[1:], len(stride)
    numbers = all(type(place) is int for place in places)
    if items[0] is not Ellipsis or len(places) != n or not numbers:
        raise DeepDiveError("onnx.export: windows are taken one place at a time")
    ahead = len(x.shape) - n
    cuts = []
    for i, place in enumerate(places):
        start = place * dilation[i]
        count = windows.shape[ahead + i]
        end = start + (count - 1) * stride[i] + 1
        cuts.append((start, end, ahead + i, stride[i]))
    return _slice(writer, x, cuts)

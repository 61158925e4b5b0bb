"""Copies, and conversions to other dtypes and devices."""

from __future__ import annotations

from typing import Any

from deepdive import dtypes
from deepdive.backend import speakers
from deepdive.core.operator import Operator, add_method, derive, register
from deepdive.core.tensor import Tensor, wrap
from deepdive.ops.device import moved


@register("clone")
class Clone(Operator):
    """A copy with history."""

    def forward(self, xp, x):
        return xp.copy(x)

    def backward(self, xp, grad):
        return grad


@register("contiguous")
class Contiguous(Operator):
    """The same values in row order in memory."""

    def forward(self, xp, x):
        return xp.contiguous(x)

    def backward(self, xp, grad):
        return grad


@register("astype", word="astype")
class AsType(Operator):
    """Elements converted to another dtype; the gradient comes back in the old one."""

    dtype: Any

    def forward(self, xp, x):
        return xp.astype(x, dtypes.as_dtype(self.dtype))

    def backward(self, xp, grad):
        return grad


def _convert(x: Tensor, dtype: Any) -> Tensor:
    dtype = dtypes.as_dtype(dtype)
    if x.dtype == dtype:
        return x
    if not dtypes.is_floating(dtype):  # no gradient passes through integers
        return wrap(speakers.BY_TYPE[type(x._data)].astype(x._data, dtype))
    return AsType(dtype)(x)


@derive("to", word="to")
def to(
    x: Tensor,
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
) -> Tensor:
    """`x` on another device or in another dtype: ``to("cpu")``, ``to(dd.float64)``, ``to(y)``.

    `non_blocking` is accepted and changes nothing: a copy to a GPU never blocks.

    Raises:
        DeviceError: for a device that is not there.
        DTypeError: for an unknown dtype.
    """
    for arg in args:
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, str) and arg not in dtypes.BY_NAME and arg not in dtypes.LATE:
            device = arg
        elif not isinstance(arg, bool):
            dtype = arg
    out = x if dtype is None else _convert(x, dtype)
    if device is not None and x.device != speakers.of_device(device).DEVICE:
        out = moved(out, str(device))
    return Clone()(out) if copy and out is x else out


@derive("float")
def float_(x: Tensor) -> Tensor:
    """As float32."""
    return _convert(x, "float32")


@derive("double")
def double(x: Tensor) -> Tensor:
    """As float64."""
    return _convert(x, "float64")


@derive("half")
def half(x: Tensor) -> Tensor:
    """As float16."""
    return _convert(x, "float16")


def bfloat16(x: Tensor) -> Tensor:
    """As bfloat16, which the extra ``[bf16]`` brings: float32's range, eight bits of precision.

    Raises:
        MissingExtraError: without it.
    """
    return _convert(x, "bfloat16")


add_method("bfloat16", bfloat16)  # only that: ``dd.bfloat16`` is the dtype


@derive("long")
def long(x: Tensor) -> Tensor:
    """As int64."""
    return _convert(x, "int64")


@derive("int")
def int_(x: Tensor) -> Tensor:
    """As int32."""
    return _convert(x, "int32")


@derive("bool")
def bool_(x: Tensor) -> Tensor:
    """As booleans: whether elements are non-zero."""
    return _convert(x, "bool")


@derive("type_as")
def type_as(x: Tensor, other: Tensor) -> Tensor:
    """In the dtype of `other`."""
    return _convert(x, other.dtype)

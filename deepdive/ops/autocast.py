"""Mixed precision: while ``autocast`` lasts, products run in half precision (Micikevicius et al.
2018, https://arxiv.org/abs/1710.03740), in float16 or bfloat16.

The conversions are operators like any other, put in front of those in the lists below: gradients
come back in each parameter's own dtype, and nothing else of the library knows.  While no ``with``
block is open the door of operators is the plain one, so that eager speed pays nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, TypeVar

from deepdive import dtypes
from deepdive.backend import speakers
from deepdive.core import operator as door
from deepdive.core.tensor import Tensor
from deepdive.errors import DTypeError, MissingExtraError
from deepdive.ops.convert import AsType

F = TypeVar("F", bound=Callable[..., Any])

# Products: fast in half precision, and as good, because their sums are made in float32.
PRODUCTS = frozenset("Matmul Linear Convolution ConvolutionInputGrad ConvolutionWeightGrad".split())
# What half precision would spoil: long sums, and functions that are steep or cancel (PyTorch's
# list; also the mean and the variance, whose sums overflow here and not there).
PRECISE = frozenset(
    """
    Acos Asin Cosh Cumprod Cumsum Exp Expm1 Log Log10 Log1p Log2 LogAddExp LogSigmoid LogSoftmax
    LogSumExp Pow PowerScalar Prod Reciprocal Rsqrt Sinh Softmax Softplus Sum Tan Mean Deviation
    BatchNorm LayerNorm RmsNorm BinaryCrossEntropy LogitsBinaryCrossEntropy Huber Mae Mse
    PickedMean SoftmaxPickedMean SoftmaxPickedCounted
    """.split()
)

HALVES = {"float16": "float16", "half": "float16", "bfloat16": "bfloat16"}
DEFAULTS = {"cpu": "bfloat16"}  # PyTorch's; else float16

_wanted: ContextVar[dict[str, Any]] = ContextVar("deepdive_autocast", default={})  # noqa: B039
_plain_apply = door.apply
_open = 0  # `with` blocks, in all threads
_lock = threading.Lock()


class autocast:  # PyTorch's name
    """``with autocast("cuda"):`` – the forward pass in mixed precision; also a decorator.

    Products take operands in half precision, what needs precision takes float32, all else takes
    what comes; float64 is left alone.  Leave the block before ``backward()``, and with float16
    scale the loss (:class:`deepdive.amp.GradScaler`); bfloat16 reaches as far as float32 does.

    Args:
        device_type: whose tensors are meant, ``"cuda"`` or ``"cpu"``.
        dtype: the half precision; by default float16 on a GPU, bfloat16 on the CPU.
        enabled: False changes nothing, and inside another block stops it.
        cache_enabled: PyTorch's; nothing is cached here.

    Raises:
        DeviceError: for a device that is not known.
        DTypeError: for a dtype that is no half precision.
        MissingExtraError: for bfloat16 without the extra ``[bf16]``.

    >>> import deepdive as dd
    >>> layer = dd.nn.Linear(2, 2)
    >>> with autocast("cpu", dtype=dd.float16):
    ...     out = layer(dd.ones(1, 2))
    >>> out.dtype, out.sum().dtype, layer.weight.dtype
    (dtype('float16'), dtype('float16'), dtype('float32'))
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        self.device = _known(device_type)
        dtype = DEFAULTS.get(self.device, "float16") if dtype is None else dtype
        self.dtype = _half(dtype, self.device) if enabled else dtype
        self.enabled = enabled
        self._tokens: list[Token[dict[str, Any]]] = []

    def __enter__(self) -> autocast:
        here = dict(_wanted.get())
        here[self.device] = self.dtype if self.enabled else None
        self._tokens.append(_wanted.set(here))
        _opened(1)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _wanted.reset(self._tokens.pop())
        _opened(-1)

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with autocast(self.device, self.dtype, self.enabled):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether this code runs in mixed precision on the device."""
    return _wanted.get().get(_kind(device_type)) is not None


def _kind(device: str) -> str:
    """``"cuda"`` for ``"cuda:0"``."""
    return device.partition(":")[0]


def _known(device: str) -> str:
    """The kind of device, if there is one of that name; there need be no GPU to prepare for one."""
    kind = _kind(str(device))
    if kind != "cuda":
        speakers.of_device(kind)
    return kind


def _half(dtype: Any, device: str) -> Any:
    """The dtype of products, given by any name it has, also PyTorch's.

    Raises:
        DTypeError: for one that is not meant for it, and on a device without halves.
        MissingExtraError: for bfloat16 without the extra.
    """
    name = str(getattr(dtype, "name", getattr(dtype, "__name__", dtype))).rpartition(".")[2]
    if name in HALVES and device == "native":
        raise DTypeError(
            f"autocast: {device!r} arrays have no {name}",
            expected="a device with half precision",
            fix="leave autocast out, or model.to('cpu')",
        )
    if name not in (*HALVES, "float32"):
        what = f"autocast: {name} on {device!r} is no half precision"
        raise DTypeError(what, expected=" or ".join(HALVES), fix="dtype='float16'")
    try:
        return dtypes.as_dtype(HALVES.get(name, name))
    except MissingExtraError as error:
        error.fix = f"{error.fix}, or autocast({device!r}, dtype='float16')"
        raise


def _opened(count: int) -> None:
    """Put the casting door in place while any block is open, in whatever thread."""
    global _open
    with _lock:
        _open += count
        door.apply = _casting_apply if _open else _plain_apply


def _casting_apply(operator: Any, args: Any) -> Tensor:
    """The door of operators, with conversions in front."""
    wanted = _wanted.get()
    if wanted:
        first = next((arg for arg in args if isinstance(arg, Tensor)), None)
        half = None if first is None else wanted.get(_kind(first.device))
        if half is not None:
            if operator.name in PRODUCTS:
                args = [_cast(arg, half) for arg in args]
            elif operator.name in PRECISE:
                args = [_cast(arg, dtypes.float32) for arg in args]
    return _plain_apply(operator, args)


def _cast(arg: Any, dtype: Any) -> Any:
    """A floating tensor in `dtype`; float64 and everything else as it is."""
    if not isinstance(arg, Tensor) or arg.dtype == dtype:
        return arg
    if arg.dtype.name not in ("float16", "float32", "bfloat16"):
        return arg
    return _plain_apply(AsType(dtype), (arg,))

"""The few switches of the library: gradient mode, default dtype and device.

Gradient mode is a context variable, so that threads and tasks do not disturb each other; it is
restored on every way out of a ``with`` block.  Defaults are process-wide.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, TypeVar

from deepdive.errors import DTypeError

F = TypeVar("F", bound=Callable[..., Any])

grad_mode: ContextVar[bool] = ContextVar("deepdive_grad_mode", default=True)
# The lazy speaker while operations are recorded instead of computed, else None.
lazy_mode: ContextVar[Any] = ContextVar("deepdive_lazy_mode", default=None)
# The tracer while a function is being compiled, else None.
tracing: ContextVar[Any] = ContextVar("deepdive_tracing", default=None)


class _GradMode:
    """Sets gradient mode inside a ``with`` block or a decorated function."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(grad_mode.set(self.mode))

    def __exit__(self, *exc_info: object) -> None:
        grad_mode.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        mode = self.mode

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _GradMode(mode):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def no_grad(function: F | None = None) -> Any:
    """Record nothing: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``.

    >>> import deepdive as dd
    >>> x = dd.ones(2, requires_grad=True)
    >>> with dd.no_grad():
    ...     print((x * 2).requires_grad)
    False
    """
    return _GradMode(False) if function is None else _GradMode(False)(function)


def enable_grad(function: F | None = None) -> Any:
    """Record again inside a ``no_grad`` block; used like :func:`no_grad`."""
    return _GradMode(True) if function is None else _GradMode(True)(function)


def set_grad_enabled(mode: bool) -> _GradMode:
    """``with set_grad_enabled(training):`` – :func:`no_grad` decided by a value."""
    return _GradMode(bool(mode))


def is_grad_enabled() -> bool:
    """Whether operations are being recorded here."""
    return grad_mode.get()


class _Changes:
    """Counts changes of what compiled programs take for constant: a module's mode, its options."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


changes = _Changes()


class _Defaults:
    """Process-wide defaults; ``dtype`` is a name, resolved by :mod:`deepdive.dtypes`."""

    __slots__ = ("device", "dtype")

    def __init__(self) -> None:
        self.dtype = "float32"
        self.device = "cpu"


defaults = _Defaults()


def set_default_dtype(dtype: object) -> None:
    """The dtype Python floats become: ``float32`` (the start value) or another floating type.

    Raises:
        DTypeError: if `dtype` is not a floating type.
        MissingExtraError: for ``bfloat16`` without the extra ``[bf16]``.
    """
    name = str(getattr(dtype, "name", getattr(dtype, "__name__", dtype)))
    if name not in ("float16", "bfloat16", "float32", "float64"):
        raise DTypeError(
            "set_default_dtype: the default must be a floating type",
            got=name,
            expected="float16, bfloat16, float32 or float64",
        )
    _dtype_of[0](name)  # is there
    defaults.dtype = name


def get_default_dtype() -> Any:
    """The dtype that Python floats become."""
    from_name = _dtype_of[0]
    return from_name(defaults.dtype)


_dtype_of: list[Callable[[str], Any]] = [str]  # deepdive.dtypes puts its lookup here


def set_default_device(device: str) -> None:
    """The device new tensors live on: ``"cpu"`` (the start value), ``"native"`` or ``"cuda"``.

    Raises:
        DeviceError: for a device that is not there.
    """
    defaults.device = _speaker_of[0](str(device)).DEVICE


_speaker_of: list[Callable[[str], Any]] = []  # deepdive.backend.speakers puts its lookup here


# Who looks on while operators run (a profiler, anomaly detection), or None: an object with
# ``forward(operator, run, args) -> out`` and ``backward(operator, run, args) -> grads``.
watch: Any = None

# Draws what the compiler says of a program; the table of contents puts deepdive.dash's way here.
painter: list[Callable[[Any, Any, str | None], str]] = []
# What a notebook shows of a module, put here in the same way.
notebook: list[Callable[[Any], str | None]] = []

# Whether large products and convolutions of eager mode may go to kernels (backend/two_ways.py).
eager_kernels = os.environ.get("DEEPDIVE_EAGER_KERNELS", "1") != "0"
# Decides which way such a word goes, put here by the table of contents.
chooser: list[Callable[[Any], Callable[..., Any]]] = []

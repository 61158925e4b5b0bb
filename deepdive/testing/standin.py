"""A strict stand-in for CuPy: the GPU's speaker runs on it, on any machine.

Asking for this module registers the device ``"standin"``: the very code of
:mod:`deepdive.backend.cupy_gpu` computes there, over a namespace that plays ``cupy`` with NumPy
underneath and refuses everything a GPU would (see :mod:`.standin_array`).

>>> import deepdive as dd
>>> from deepdive.testing import standin
>>> x = dd.ones(2, device="standin")
>>> x + 1
tensor([2., 2.], device='standin')
>>> import numpy as np
>>> np.exp(x.data)
Traceback (most recent call last):
TypeError: __array_ufunc__ would copy from the device to the host behind the reader's back; ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from deepdive.backend import cupy_gpu, speakers
from deepdive.testing.standin_array import (
    MemoryPool,
    StandInArray,
    changed,
    opened,
    refuse_in_capture,
)
from deepdive.testing.standin_cuda import add_cuda

DEVICE = "standin"

# CuPy's functions of NumPy's names and meaning; what is not here, the speaker may not use.
FUNCTIONS = """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or
    bitwise_xor ceil cos cosh divide equal exp expm1 floor floor_divide greater greater_equal
    invert isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and
    logical_not logical_or logical_xor maximum minimum multiply negative not_equal power
    reciprocal remainder rint sign sin sinh sqrt square subtract tan tanh trunc where
    sum prod amax amin mean any all argmax argmin cumsum cumprod
    argsort sort nonzero take_along_axis
    empty zeros ones full arange eye zeros_like ones_like empty_like
    transpose reshape broadcast_to flip roll tril triu stack concatenate squeeze expand_dims
    ascontiguousarray matmul copyto may_share_memory shares_memory
    linspace
"""
HERE = frozenset("out where casting initial subok order like".split())  # keywords CuPy has not


def _narrow(value: Any) -> bool:
    kind = getattr(value, "dtype", value)
    return isinstance(kind, np.dtype) and kind.name == "bfloat16"


def _matmul(x: Any, y: Any) -> Any:
    """The product as CuPy has it of bfloat16: of matrices only, wide sums, rounded once."""
    if not _narrow(x) and not _narrow(y):
        return np.matmul(x, y)
    if x.ndim > 2 or y.ndim > 2:
        raise TypeError("batches of bfloat16 matrices: CuPy 14 ends with an error of cuBLAS")
    return np.matmul(x, y).astype(np.promote_types(x.dtype, y.dtype))


# Of these CuPy 14 has none of bfloat16, or none that is more precise than its operands
WIDE_ONLY = frozenset(
    """
    arange rint cumsum cumprod sum prod mean argsort sort floor_divide remainder logaddexp
    """.split()
)


def _device_function(
    name: str, function: Callable[..., Any], seal: Callable[[Any], Any]
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if HERE & set(kwargs):
            raise TypeError(f"{name}: CuPy has no argument {sorted(HERE & set(kwargs))[0]!r}")
        if name in WIDE_ONLY and any(map(_narrow, (*args, *kwargs.values()))):
            raise TypeError(f"{name}: not of bfloat16")
        with np.errstate(all="ignore"):
            return seal(lambda: function(*opened(list(args)), **opened_values(kwargs)))

    call.__name__ = name
    if isinstance(function, np.ufunc) and name in ("add", "maximum", "minimum"):
        call.at = _scattered(function)  # type: ignore[attr-defined]
    return call


def opened_values(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: opened(value) for key, value in kwargs.items()}


def _scattered(function: Any) -> Callable[..., None]:
    """``ufunc.at``, for the dtypes a GPU has atomic additions for."""

    def at(target: Any, index: Any, values: Any) -> None:
        if target.dtype.name not in ("float16", "float32", "float64", "int32", "uint32", "uint64"):
            raise TypeError(f"scatter_add does not support {target.dtype}")
        changed(target, lambda: function.at(target._host, opened(index), opened(values)))

    return at


def _asarray(array: type[StandInArray]) -> Callable[..., Any]:
    def asarray(x: Any, dtype: Any = None, blocking: bool = False) -> Any:
        if isinstance(x, StandInArray):
            return x if dtype in (None, x.dtype) else x.astype(dtype)
        refuse_in_capture("a copy from the host")
        return array.sealed(np.array(x, dtype))

    return asarray


def make_cupy() -> Any:
    """A new module that plays ``cupy``, with an array type and a memory of its own."""
    cp: Any = ModuleType("cupy")
    array: Any = type("ndarray", (StandInArray,), {"pool": MemoryPool(), "__slots__": ()})
    seal = array.computed
    for name in FUNCTIONS.split():
        setattr(cp, name, _device_function(name, getattr(np, name), seal))
    cp.matmul = _device_function("matmul", _matmul, seal)
    cp.argsort = _device_function("argsort", partial(np.argsort, kind="stable"), seal)  # as CuPy's
    cp.ndarray, cp.__version__ = array, "14.2.0"
    cp.asarray = cp.array = _asarray(array)
    cp.asnumpy = lambda x, **kwargs: x.get(**kwargs)
    lib: Any = ModuleType("cupy.lib")
    lib.stride_tricks = ModuleType("cupy.lib.stride_tricks")
    lib.stride_tricks.as_strided = lambda x, shape, strides: array.sealed(
        as_strided(x._host, shape, strides)
    )
    cp.lib = lib
    cupyx: Any = ModuleType("cupyx")
    cupyx.empty_pinned = np.empty
    cp.standin_cupyx = cupyx
    add_cuda(cp, array)
    return cp


@contextmanager
def playing_cupy() -> Iterator[Any]:
    """While this lasts ``import cupy`` finds a stand-in, and the device ``"cuda"`` is there.

    >>> import deepdive as dd
    >>> with playing_cupy():
    ...     dd.ones(2).to("cuda").device
    'cuda:0'
    """
    import sys

    before = {name: sys.modules.get(name) for name in ("cupy", "cupyx")}
    cp = make_cupy()
    sys.modules.update(cupy=cp, cupyx=cp.standin_cupyx)
    try:
        yield cp
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        speakers.forget(cp.ndarray)


def _register() -> Any:
    cp = make_cupy()
    return speakers.introduce(cupy_gpu.GpuSpeaker(cp, cp.standin_cupyx, DEVICE), DEVICE)


speaker = _register()

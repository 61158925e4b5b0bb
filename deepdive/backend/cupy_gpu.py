"""The GPU's speaker: every word of the vocabulary for CuPy's arrays.

It is written over a module ``cp`` that is CuPy – or plays it: :mod:`deepdive.testing.standin` runs
this very file on any machine.  Most words are CuPy's own functions under their array-API names,
some are said in other words, a few need code.  Nothing here looks at a value: what would copy to
the host, and so wait for the GPU, is in :mod:`.cupy_host`.
"""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from deepdive import dtypes
from deepdive.backend import cupy_convolution, cupy_random, cupy_windows, numpy_cpu
from deepdive.backend.cupy_fused import Fused
from deepdive.backend.cupy_host import Host
from deepdive.backend.cupy_narrow import Products, has_bfloat16, known, refuse_bfloat16
from deepdive.backend.vocabulary import VOCABULARY
from deepdive.backend.vocabulary.word import Word
from deepdive.errors import DeviceError, OutOfMemoryError, ShapeError, did_you_mean

Array = Any
Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]

# word → CuPy's function of the same meaning, where the names differ
RENAMED = {
    "abs": "absolute",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "pow": "power",
    "bitwise_invert": "invert",
    "concat": "concatenate",
    "permute_dims": "transpose",
}
SAME = """
    negative sign square sqrt exp expm1 log log1p log2 log10 sin cos tan sinh cosh tanh
    isnan isinf isfinite add subtract multiply divide floor_divide remainder maximum minimum
    logaddexp equal not_equal less less_equal greater greater_equal logical_and logical_or
    logical_xor logical_not bitwise_and bitwise_or bitwise_xor where reciprocal matmul
    zeros_like ones_like squeeze expand_dims flip roll tril triu stack broadcast_to
"""
WHOLE = {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint"}  # integers are whole
REDUCED = {
    "sum": "sum",
    "prod": "prod",
    "max": "amax",
    "min": "amin",
    "argmax": "argmax",
    "argmin": "argmin",
    "any": "any",
    "all": "all",
}
CUMULATIVE = {"cumulative_sum": "cumsum", "cumulative_prod": "cumprod"}
OWN = {
    "pad": cupy_windows.pad,
    "windows": cupy_windows.windows,
    "overlap_add": cupy_windows.overlap_add,
    "convolution": cupy_convolution.convolution,
    "convolution_input_grad": cupy_convolution.convolution_input_grad,
    "convolution_weight_grad": cupy_convolution.convolution_weight_grad,
}


class GpuSpeaker:
    """The words, as attributes: ``xp.matmul(x, y)``.

    Args:
        cp: CuPy, or a module that plays it.
        cupyx: the module of CuPy's extras.
        device: what this device is called, ``"cuda:0"``.

    Attributes:
        host: how values come to the host: copies, questions, the debug mode.
        fused: an optimizer's formula as one kernel.
        products: the speaker for products of bfloat16.
    """

    checks_later = True
    multiplies_narrow = True  # see cupy_narrow

    def __init__(self, cp: Any, cupyx: Any, device: str) -> None:
        self.cp = cp
        self.ARRAY_TYPE, self.DEVICE = cp.ndarray, device
        self.host, self.fused, self.products = Host(cp, cupyx), Fused(cp), Products(self)
        self.later, self.to_numpy, self.readable = self.host.later, self.host.copy, self.host.copy
        self.empty, self.random_bits = cp.empty, partial(cupy_random.random_bits, cp)
        for name in SAME.split():
            setattr(self, name, getattr(cp, name))
        for name, theirs in RENAMED.items():
            setattr(self, name, getattr(cp, theirs))
        for name, theirs in WHOLE.items():
            setattr(self, name, partial(_whole, getattr(cp, theirs)))
        for name, theirs in REDUCED.items():
            setattr(self, name, partial(_reduced, getattr(cp, theirs)))
        for name, theirs in CUMULATIVE.items():
            setattr(self, name, partial(_gathered, getattr(cp, theirs)))
        meanings = {**extended_words(), **OWN}
        for name, word in VOCABULARY.items():
            if not hasattr(self, name) and name in meanings:
                setattr(self, name, partial(_said, word, meanings[name], self))
        if not has_bfloat16(cp):
            refuse_bfloat16(self)

    def __repr__(self) -> str:
        return f"<speaker of {self.DEVICE}>"

    def __getattr__(self, name: str) -> Any:
        hint = did_you_mean(name, VOCABULARY)
        raise AttributeError(f"the GPU has no word {name!r}" + (f": {hint}" if hint else ""))

    # --- creation and storage ------------------------------------------------------------------
    def zeros(self, shape: Shape, dtype: Any = None) -> Array:
        return self.cp.zeros(shape, dtype or dtypes.default_float())

    def ones(self, shape: Shape, dtype: Any = None) -> Array:
        return self.cp.ones(shape, dtype or dtypes.default_float())

    def full(self, shape: Shape, value: Any, dtype: Any = None) -> Array:
        if not isinstance(value, self.ARRAY_TYPE):
            return self.cp.full(shape, value, dtype or dtypes.number_dtype(value))
        out = self.cp.empty(shape, dtype or value.dtype)
        out[...] = value
        return out

    def arange(self, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Array:
        if stop is None:
            start, stop = 0, start
        if dtype is None:
            floating = any(isinstance(number, float) for number in (start, stop, step))
            dtype = dtypes.default_float() if floating else dtypes.int64
        made = dtypes.float32 if dtype in dtypes.NARROW else dtype  # CuPy counts in others only
        return self.cp.arange(start, stop, step, dtype=made).astype(dtype, copy=False)

    def eye(self, n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Array:
        return self.cp.eye(n, m, k, dtype or dtypes.default_float())

    def asarray(self, x: Any, dtype: Any = None) -> Array:
        """`x` on the device: lists, numbers, arrays of the host; errors as on the CPU."""
        if isinstance(x, self.ARRAY_TYPE):
            return known(x) if dtype is None else self.astype(x, dtypes.as_dtype(dtype))
        if isinstance(x, (list, tuple)) and any(isinstance(part, self.ARRAY_TYPE) for part in x):
            return self.cp.stack([self.asarray(part, dtype) for part in x])
        return self.host.sent(numpy_cpu.asarray(x, dtype))

    def astype(self, x: Array, dtype: Any) -> Array:
        return x.astype(dtype, copy=False)

    def copy(self, x: Array) -> Array:
        return x.copy()

    def contiguous(self, x: Array) -> Array:
        return x if x.flags.c_contiguous else x.copy()

    def as_zero_d(self, x: Any) -> Array:
        """CuPy's results are arrays already; a Python number becomes one."""
        return self.asarray(x)

    def write(self, target: Array, values: Any) -> None:
        """Copy `values`, also the host's, into the existing memory of `target`."""
        target[...] = self.host.sent(values) if isinstance(values, np.ndarray) else values

    def owner(self, x: Array) -> Array:
        """The array that owns the memory of `x`: `x` itself unless it is a view."""
        while x.base is not None:
            x = x.base
        return x

    def expose(self, x: Array) -> Array:
        """What ``tensor.data`` gives: the array itself."""
        return x

    def worded(self, error: BaseException) -> OutOfMemoryError | None:
        """Our own words for an `error` of the GPU: memory that is not enough, with a summary."""
        if not isinstance(error, self.cp.cuda.memory.OutOfMemoryError):
            return None
        return OutOfMemoryError(
            f"{self.DEVICE}: {error}",
            got=self.host.memory(),
            fix="a smaller batch, dd.no_grad() where no gradient is wanted, del what is not "
            "needed, then dd.cuda.empty_cache()",
        )

    # --- elementwise ---------------------------------------------------------------------------
    def sigmoid(self, x: Array) -> Array:
        """``1 / (1 + e^-x)``: small values keep their digits, and 1/∞ is the 0 far out."""
        out = self.cp.exp(-x)
        out += 1
        return self.cp.reciprocal(out)

    # --- shape ---------------------------------------------------------------------------------
    def reshape(self, x: Array, shape: Shape) -> Array:
        return x.reshape(shape)

    # --- indexing ------------------------------------------------------------------------------
    def getitem(self, x: Array, index: Any) -> Array:
        index = self.index(index)
        if _masks(index):
            self.host.waits("an index of booleans, whose result has a size only the GPU knows")
        return x[index]

    def setitem(self, x: Array, index: Any, values: Any) -> Array:
        out = x.copy()
        out[self.index(index)] = values
        return out

    def index_add(self, x: Array, index: Any, values: Any) -> Array:
        """A copy of `x` with `values` added at ``x[index]``; what occurs twice is added twice."""
        index = self.index(index)
        out = x.copy()
        parts = index if isinstance(index, tuple) else (index,)
        if _masks(index):  # no element occurs twice
            out[index] = self.getitem(out, index) + values
        elif any(isinstance(part, (self.ARRAY_TYPE, list)) for part in parts):
            return self._added(out, index, values)
        else:
            part = out[index]
            part += values
        return out

    def scatter_add(self, x: Array, indices: Array, values: Array, axis: int) -> Array:
        """A copy of `x` with ``out[.., indices[.., i, ..], ..] += values[.., i, ..]``."""
        ndim = x.ndim
        place: list[Any] = []
        for i, extent in enumerate(indices.shape):
            place.append(self.cp.arange(extent).reshape((1,) * i + (-1,) + (1,) * (ndim - i - 1)))
        place[axis] = indices
        inside = tuple(slice(extent) for extent in indices.shape)
        return self._added(x.copy(), tuple(place), values[inside])

    def _added(self, out: Array, index: Any, values: Any) -> Array:
        """`out` after ``out[index] += values``, atomically: GPUs add in no particular order."""
        if dtypes.is_floating(out.dtype):
            self.cp.add.at(out, index, values)
            return out
        wide = out.astype(np.int64).view(np.uint64)  # no atomic int64, but adding is the same
        values = self.asarray(values).astype(np.int64).view(np.uint64)
        self.cp.add.at(wide, index, values)
        return wide.view(np.int64).astype(out.dtype)

    def take_along_axis(self, x: Array, indices: Array, axis: int) -> Array:
        return self.cp.take_along_axis(x, self.index(indices), axis=axis)

    def index(self, index: Any) -> Any:
        """`index`, after a look that no array of another device is in it (see core.clash)."""
        for part in index if isinstance(index, tuple) else (index,):
            if hasattr(part, "dtype") and not isinstance(part, self.ARRAY_TYPE):
                raise TypeError(f"an index of {type(part).__name__} for an array of {self.DEVICE}")
        return index

    def check_index(self, shape: Shape, index: Any) -> None:
        """Ask later whether the integers of an index are in range: CuPy lets them wrap around."""
        axis = 0
        for part in index if isinstance(index, tuple) else (index,):
            if part is Ellipsis or getattr(part, "dtype", None) == "bool":
                return  # the axes from here on are counted otherwise
            if isinstance(part, self.ARRAY_TYPE) and axis < len(shape):
                self.host.later(part, partial(_in_range, shape, axis))
            axis += part is not None

    def sort(self, x: Array, axis: int = -1, descending: bool = False) -> Array:
        return self.cp.take_along_axis(x, self.argsort(x, axis, descending), axis=axis)

    def argsort(self, x: Array, axis: int = -1, descending: bool = False) -> Array:
        """The order of the elements; equal ones stay in theirs: CuPy sorts stably."""
        if not descending:
            return self.cp.argsort(x, axis=axis)
        order = self.cp.flip(self.cp.argsort(self.cp.flip(x, axis), axis=axis), axis)
        return x.shape[axis] - 1 - order

    def nonzero(self, x: Array) -> Array:
        self.host.waits("nonzero, whose result has a size only the GPU knows")
        return self.cp.nonzero(x)


def _in_range(shape: Shape, axis: int, values: Any) -> None:
    size = shape[axis]
    if values.size and not -size <= values.min() <= values.max() < size:
        raise ShapeError(
            f"getitem: an index is out of range for axis {axis} of {shape}",
            got=f"{values.min()} to {values.max()}",
            expected=f"{-size} to {size - 1}",
        )


def _whole(function: Any, x: Any) -> Any:
    whole = hasattr(x, "dtype") and not dtypes.is_floating(x.dtype)
    return x if whole else function(x)


def _counted(function: Any, x: Array) -> Any:
    """int64 for sums and products of bools and small integers, else None."""
    counts = function.__name__ in ("sum", "prod", "cumsum", "cumprod")
    return dtypes.int64 if counts and x.dtype.kind in "ub" else None


def _reduced(
    function: Any,
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    if (dtype := _counted(function, x)) is None:
        return function(x, axis=axis, keepdims=keepdims)
    return function(x, axis=axis, dtype=dtype, keepdims=keepdims)


def _gathered(function: Any, x: Array, axis: int) -> Array:
    out = function(x, axis, dtype=_counted(function, x))
    return out.reshape(x.shape)


def _masks(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(getattr(part, "dtype", None) == "bool" for part in parts)


def _said(word: Word, meaning: Any, xp: Any, *args: Any, **kwargs: Any) -> Any:
    """A word said in others, its defaults filled in."""
    return meaning(xp, *word.bind(args, kwargs).values())


def extended_words() -> dict[str, Any]:
    """What is written once in core words: the functions of this folder's ``extended*.py``."""
    found: dict[str, Any] = {}
    for path in sorted(Path(__file__).parent.glob("extended*.py")):
        module: ModuleType = importlib.import_module(f"deepdive.backend.{path.stem}")
        found |= {name: value for name, value in vars(module).items() if name in VOCABULARY}
    return found


def open_cuda(index: int) -> GpuSpeaker:
    """The speaker of GPU number `index`, through CuPy; this thread computes there from now on."""
    import cupy  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import cupyx  # type: ignore[import-not-found,import-untyped,unused-ignore]

    count = cupy.cuda.runtime.getDeviceCount()
    if not 0 <= index < count:
        raise DeviceError(
            f"to: there is no GPU number {index}",
            got=f"'cuda:{index}'",
            expected=f"0 … {count - 1}",
        )
    cupy.cuda.Device(index).use()
    return GpuSpeaker(cupy, cupyx, f"cuda:{index}")

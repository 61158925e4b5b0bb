"""Making tensors: from data, constant, counting, random; tracking gradients only if asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.backend.vocabulary import rules
from deepdive.core import random
from deepdive.core.clash import two_devices
from deepdive.core.operator import REGISTRY, tensor_words
from deepdive.core.tensor import Tensor, array_of, fresh, wrap
from deepdive.errors import ArgumentError
from deepdive.utils.budget import spend

F = TypeVar("F", bound=Callable[..., Any])

CREATORS: list[str] = []


def creator(function: F) -> F:
    """Make a creation function public; it is no Tensor method."""
    REGISTRY[function.__name__] = function
    CREATORS.append(function.__name__)
    return function


def _speaker(device: Any) -> Any:
    return speakers.of_device(device or config.defaults.device)


def _recorder(device: Any) -> Any:
    """The speaker that makes constants: while a function is traced it records them."""
    speaker = _speaker(device)
    if config.tracing.get() is None:
        return speaker
    recorder = config.lazy_mode.get()
    return recorder.recorder_for(speaker) if hasattr(recorder, "recorder_for") else recorder


def _finished(array: Any, requires_grad: bool) -> Tensor:
    tensor = wrap(fresh(array))
    return tensor.requires_grad_() if requires_grad else tensor


def _shape(word: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes, given one by one or as one sequence."""
    if len(size) == 1 and hasattr(size[0], "__len__") and getattr(size[0], "shape", True):
        size = tuple(size[0])  # shape () is that of a number
    sizes = rules.sizes(word, size)
    spend(math.prod(sizes))
    return sizes


def _dtype(dtype: Any) -> Any:
    return dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)


def tensor(
    data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of `data`, copied; it tracks gradients only if asked, as in PyTorch.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    return Tensor(data, None, device, requires_grad, dtype)


@creator
def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """A tensor on `data`, sharing memory where it can; a Tensor passes as it is, or is moved."""
    if isinstance(data, Tensor):
        data = data if device is None else data.to(device)  # type: ignore[attr-defined]
        return data if dtype is None else data.to(dtype)
    return wrap(array_of(data, _speaker(device), dtype))


def beside(x: Any, data: Any) -> Tensor:
    """`data` as a tensor: numbers, lists and arrays go where `x` is, Tensors stay."""
    if isinstance(data, Tensor):
        return data
    return as_tensor(data, device=getattr(x, "device", None))


@creator
def from_numpy(array: Any) -> Tensor:
    """A tensor on the memory of a NumPy array."""
    return wrap(array_of(array, speakers.of_device("cpu")))


@creator
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    return _finished(_recorder(device).zeros(_shape("zeros", size), _dtype(dtype)), requires_grad)


@creator
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones: ``ones(2, 3)`` or ``ones((2, 3))``."""
    return _finished(_recorder(device).ones(_shape("ones", size), _dtype(dtype)), requires_grad)


@creator
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory without values set."""
    return _finished(_speaker(device).empty(_shape("empty", size), _dtype(dtype)), requires_grad)


@creator
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere."""
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    shape = _shape("full", (size,))
    return _finished(_recorder(device).full(shape, fill_value, dtype), requires_grad)


@creator
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``start, start + step, …`` below `end`."""
    if step == 0:
        raise ArgumentError("arange: step 0 never arrives", expected="a step > 0 or < 0")
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    return _finished(_recorder(device).arange(start, end, step, dtype), requires_grad)


@creator
def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` values from `start` to `end`, both included."""
    [steps] = rules.sizes("linspace", steps)
    speaker = _speaker(device)
    ramp = speaker.arange(0, steps, 1, dtypes.float64) / max(steps - 1, 1)
    values = start + (end - start) * ramp
    if steps > 1:
        values[-1] = end
    return _finished(speaker.astype(values, _dtype(dtype)), requires_grad)


@creator
def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere."""
    rows, columns = rules.sizes("eye", (n, n if m is None else m))
    return _finished(_recorder(device).eye(rows, columns, 0, _dtype(dtype)), requires_grad)


def _like(x: Tensor, dtype: Any) -> dict[str, Any]:
    return {"dtype": x.dtype if dtype is None else dtype, "device": x.device}


@creator
def zeros_like(x: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of `x`."""
    return zeros(tuple(x.shape), **_like(x, dtype), requires_grad=requires_grad)


@creator
def ones_like(x: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of `x`."""
    return ones(tuple(x.shape), **_like(x, dtype), requires_grad=requires_grad)


@creator
def full_like(
    x: Tensor, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """`fill_value` in the shape and dtype of `x`."""
    return full(tuple(x.shape), fill_value, **_like(x, dtype), requires_grad=requires_grad)


# --- random ------------------------------------------------------------------------------------
def _drawn(
    device: Any, source: random.Generator, draw: Callable[..., Any], *args: Any, dtype: Any = None
) -> Any:
    """``draw(*args)`` there; while a function is traced, an input drawn anew before each run.

    Raises:
        DeviceError: if what is traced computes on another device.
    """
    tracer, speaker = config.tracing.get(), _recorder(device)
    if tracer is None:
        return speaker.asarray(draw(*args), dtype)
    if not hasattr(speaker, "adopt"):
        raise two_devices("", speaker.DEVICE, tracer.home.DEVICE)
    return speaker.asarray(tracer.drawn(source, lambda: draw(*args)), dtype)


@creator
def rand(
    *size: Any,
    generator: random.Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform in [0, 1)."""
    source = generator or random.default_generator
    numbers = (_shape("rand", size), 0.0, 1.0, _dtype(dtype))
    return _finished(_drawn(device, source, source.uniform, *numbers), requires_grad)


@creator
def randn(
    *size: Any,
    generator: random.Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with mean 0 and standard deviation 1."""
    source = generator or random.default_generator
    numbers = (_shape("randn", size), 0.0, 1.0, _dtype(dtype))
    return _finished(_drawn(device, source, source.normal, *numbers), requires_grad)


@creator
def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: random.Generator | None = None,
    dtype: Any = "int64",
    device: Any = None,
) -> Tensor:
    """Whole numbers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``."""
    if size is None:
        low, high, size = 0, low, high
    source = generator or random.default_generator
    shape = _shape("randint", (size,))
    return wrap(_drawn(device, source, source.integers, low, high, shape, dtype=dtype))


@creator
def randperm(n: int, *, generator: random.Generator | None = None, device: Any = None) -> Tensor:
    """The numbers 0 … n-1 in random order."""
    [n] = rules.sizes("randperm", n)
    source = generator or random.default_generator
    return wrap(_drawn(device, source, source.permutation, n))


@creator
def rand_like(x: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform in [0, 1), in the shape and dtype of `x`."""
    return rand(tuple(x.shape), **_like(x, dtype), requires_grad=requires_grad)


@creator
def randn_like(x: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Normal numbers, in the shape and dtype of `x`."""
    return randn(tuple(x.shape), **_like(x, dtype), requires_grad=requires_grad)


# --- the vocabulary's own creation words, spoken with Tensors ------------------------------------
def _constant(word: str) -> Any:
    def create(*args: Any, device: str | None = None, **kwargs: Any) -> Tensor:
        speaker = config.lazy_mode.get() or _speaker(device)
        return wrap(getattr(speaker, word)(*args, **kwargs))

    return create


for _word in ("zeros", "ones", "full", "arange", "eye", "random_bits"):
    setattr(tensor_words, _word, _constant(_word))

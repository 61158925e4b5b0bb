"""First values of weights.  Functions with a trailing underscore fill a tensor and return it.

Two things are called Xavier initialisation.  ``xavier_uniform_`` and ``xavier_normal_`` are
PyTorch's, with the variance ``2 / (fan_in + fan_out)`` (Glorot & Bengio 2010, equation 16).
``xavier_fan_in_uniform_`` and ``xavier_fan_in_normal_`` have the variance ``1 / fan_in``, which
keeps the size of the activations (LeCun et al. 1998, section 4.6).

Layers take these by name: ``Linear(784, 128, init="xavier_uniform")``; ``"xavier"`` alone is
``xavier_fan_in_normal_``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.random import Generator, default_generator
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError, did_you_mean
from deepdive.host import NUMPY, missing_numpy, np

Initializer = Callable[[Tensor], Tensor]


def _fill(tensor: Tensor, values: Any) -> Tensor:
    speakers.BY_TYPE[type(tensor._data)].write(tensor._data, values)
    mutation.stamp(tensor._data, "an initialisation")
    return tensor


# --- plain -------------------------------------------------------------------------------------
def constant_(tensor: Tensor, val: float) -> Tensor:
    """`val` everywhere."""
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return _fill(tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix."""
    rows, columns = _matrix("eye_", tensor).shape
    return _fill(tensor, speakers.BY_TYPE[type(tensor._data)].eye(rows, columns))


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in [a, b)."""
    source = generator or default_generator
    return _fill(tensor, source.uniform(tuple(tensor.shape), a, b, tensor.dtype))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Gaussian with this mean and standard deviation."""
    source = generator or default_generator
    return _fill(tensor, source.normal(tuple(tensor.shape), mean, std, tensor.dtype))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Gaussian limited to [a, b]: values outside are drawn again."""
    if not a < b or b < mean - 4 * std or a > mean + 4 * std:
        raise ArgumentError("trunc_normal_: nothing lies between a and b", got=f"{a=}, {b=}")
    source = generator or default_generator
    values = source.normal(tuple(tensor.shape), mean, std, tensor.dtype)
    outside = (values < a) | (values > b)
    while outside.any():
        values[outside] = source.normal(int(outside.sum()), mean, std, tensor.dtype)
        outside = (values < a) | (values > b)
    return _fill(tensor, values)


# --- by the number of connections --------------------------------------------------------------
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights must be larger to make up for what `nonlinearity` takes away.

    >>> calculate_gain("relu") == 2 ** 0.5
    True
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + slope**2)),
        "selu": 3.0 / 4.0,
        **{f"conv{n}d": 1.0 for n in (1, 2, 3)},
        **{f"conv_transpose{n}d": 1.0 for n in (1, 2, 3)},
    }
    return _named("calculate_gain", "nonlinearity", nonlinearity, gains)


def fans(tensor: Tensor) -> tuple[int, int]:
    """Connections into and out of a neuron, for weights ``(out, in, *kernel)``.

    Raises:
        ShapeError: for fewer than two axes.
    """
    shape = tensor.shape
    if len(shape) < 2:
        raise ShapeError(
            "init: fan in and fan out are those of a weight with two axes or more",
            got=f"shape {tuple(shape)}",
            fix="use uniform_, normal_ or zeros_ for biases",
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform, variance ``gain² · 2 / (fan_in + fan_out)`` (Glorot & Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / max(sum(fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Gaussian, variance ``gain² · 2 / (fan_in + fan_out)`` (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / max(sum(fans(tensor)), 1)), generator)


def xavier_fan_in_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform, variance ``gain² / fan_in``."""
    bound = gain * math.sqrt(3.0 / max(fans(tensor)[0], 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_fan_in_normal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Gaussian, variance ``gain² / fan_in``."""
    return normal_(tensor, 0.0, gain / math.sqrt(max(fans(tensor)[0], 1)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform, variance ``gain² / fan`` (He et al. 2015); `a` is the slope of a leaky ReLU."""
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Gaussian, variance ``gain² / fan`` (He et al. 2015); `a` is the slope of a leaky ReLU."""
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = fans(tensor)
    fan = _named(name, "mode", mode, {"fan_in": fan_in, "fan_out": fan_out})
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, where there are more rows) orthonormal, times `gain` (Saxe et al. 2013)."""
    if not NUMPY:
        raise missing_numpy("orthogonal_")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    fans(tensor)
    draws = (generator or default_generator).normal((rows, columns), dtype="float64")
    q, r = np.linalg.qr(draws.T if rows < columns else draws)
    q *= np.sign(np.diag(r))  # makes every rotation equally likely
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Gaussian, a share `sparsity` of each column 0 (Martens 2010)."""
    rows, columns = _matrix("sparse_", tensor).shape
    source = generator or default_generator
    normal_(tensor, 0.0, std, source)
    values = speakers.to_host(tensor._data).copy()
    for column in range(columns):
        values[source.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return _fill(tensor, values)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The kernel of a convolution that lets channels pass as they are, ``(out, in, *kernel)``.

    Raises:
        ShapeError: unless it has three to five axes, and `groups` divides the first.
    """
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5) or groups < 1 or shape[0] % groups:
        raise ShapeError(
            f"dirac_: the tensor is {shape}, groups is {groups}",
            expected="3 to 5 axes, of which groups divides the first",
        )
    share = shape[0] // groups  # outputs of one group
    middle = tuple(n // 2 for n in shape[2:])
    values = np.zeros(shape, dtype=tensor.dtype)
    for group in range(groups):
        for channel in range(min(share, shape[1])):
            values[(group * share + channel, channel, *middle)] = 1
    return _fill(tensor, values)


def _matrix(name: str, tensor: Tensor) -> Tensor:
    if len(tensor.shape) != 2:
        raise ShapeError(f"{name}: a matrix is needed", got=f"shape {tuple(tensor.shape)}")
    return tensor


# --- by name -----------------------------------------------------------------------------------
BY_NAME: dict[str, Initializer] = {
    "zeros": zeros_,
    "ones": ones_,
    "eye": eye_,
    "uniform": uniform_,
    "normal": normal_,
    "trunc_normal": trunc_normal_,
    "xavier": xavier_fan_in_normal_,
    "xavier_fan_in_uniform": xavier_fan_in_uniform_,
    "xavier_fan_in_normal": xavier_fan_in_normal_,
    "xavier_uniform": xavier_uniform_,
    "xavier_normal": xavier_normal_,
    "kaiming_uniform": kaiming_uniform_,
    "kaiming_normal": kaiming_normal_,
    "orthogonal": orthogonal_,
    "dirac": dirac_,
}


def by_name(init: Any) -> Initializer:
    """The initializer a layer's ``init`` names; a function passes as it is.

    Raises:
        ArgumentError: for an unknown name.
    """
    given: Any = init
    if not callable(given):
        given = _named("init", "initializer", str(init).removesuffix("_"), BY_NAME)
    return given  # type: ignore[no-any-return]


def _named(where: str, what: str, name: str, table: dict[str, Any]) -> Any:
    if name not in table:
        raise ArgumentError(
            f"{where}: unknown {what} {name!r}",
            expected=", ".join(table),
            fix=did_you_mean(str(name), table),
        )
    return table[name]

"""Comparing numbers: one tolerance per dtype, and an error that shows the worst element."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepdive.errors import DeepDiveError

# dtype → relative and absolute tolerance, PyTorch's table
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


class LawError(DeepDiveError, AssertionError):
    """A law of operators that one of them breaks, or values that should be close and are not."""


def as_array(value: Any) -> Any:
    """A NumPy array of a Tensor (ours or PyTorch's), an array, numbers or lists."""
    if hasattr(value, "detach"):
        value = value.detach()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def assert_close(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    check_dtype: bool = False,
    what: str = "assert_close",
) -> None:
    """Demand ``|actual - expected| ≤ atol + rtol |expected|`` and equal shapes; NaN equals NaN.

    Args:
        actual, expected: Tensors (also PyTorch's), arrays, numbers or lists.
        rtol, atol: the defaults depend on the less precise dtype of the two.
        check_dtype: demand equal dtypes too.
        what: how the error begins.

    Raises:
        LawError: naming the worst element.

    >>> import deepdive as dd
    >>> assert_close(dd.exp(dd.zeros(2)), [1.0, 1.0])
    """
    left, right = as_array(actual), as_array(expected)
    if left.shape != right.shape:
        raise LawError(f"{what}: the shapes differ", got=left.shape, expected=right.shape)
    if check_dtype and left.dtype != right.dtype:
        raise LawError(f"{what}: the dtypes differ", got=left.dtype, expected=right.dtype)
    relative, absolute = _tolerance(left.dtype, right.dtype)
    relative = relative if rtol is None else rtol
    absolute = absolute if atol is None else atol
    close = np.isclose(left, right, relative, absolute, equal_nan=True)
    if close.all():
        return
    with np.errstate(invalid="ignore"):
        distance = np.abs(left.astype("float64") - right.astype("float64"))
    distance = np.where(close, -1.0, np.nan_to_num(distance, nan=np.inf))
    worst = np.unravel_index(int(distance.argmax()), left.shape)
    place = tuple(int(i) for i in worst)
    raise LawError(
        f"{what}: {int((~close).sum())} of {left.size} elements differ, most at {place}",
        got=f"{left[place]:.9g}",
        expected=f"{right[place]:.9g} (rtol={relative:g}, atol={absolute:g})",
    )


def _tolerance(*dtypes: Any) -> tuple[float, float]:
    """The tolerance of the least precise floating type; integers must agree exactly."""
    for name, pair in TOLERANCES.items():
        if any(dtype.name == name for dtype in dtypes):
            return pair
    return 0.0, 0.0

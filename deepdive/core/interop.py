"""NumPy functions on Tensors: ``np.exp(t)`` is ``t.exp()``, with its gradient.

A function NumPy has and the library has not is computed on plain arrays, and its result is a
plain array: history ends there, visibly.
"""

from __future__ import annotations

from typing import Any

from deepdive.core import mutation
from deepdive.core.operator import REGISTRY, add_method, add_property
from deepdive.core.tensor import Tensor

UFUNCS = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "true_divide",
    "true_divide": "true_divide",
    "negative": "neg",
    "power": "pow",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "absolute": "abs",
    "invert": "bitwise_not",
    "equal": "eq",
    "rint": "round",
}
# NumPy functions whose arguments mean the same here
FUNCTIONS = frozenset(
    (
        *("sum", "mean", "prod", "var", "std", "max", "min", "amax", "amin", "argmax", "argmin"),
        *("any", "all", "cumsum", "cumprod", "clip", "where", "dot", "outer"),
        *("reshape", "squeeze", "concatenate", "stack", "flip", "roll", "tril", "triu"),
    )
)


def plain(value: Any) -> Any:
    """`value` with arrays in place of Tensors, inside lists, tuples and dicts too."""
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


def _cuda_array_interface(self: Tensor) -> Any:
    """What CuPy, Numba and PyTorch read a GPU's array from; only Tensors on one have it."""
    return self._data.__cuda_array_interface__


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    out = kwargs.pop("out", None)
    if method == "__call__" and out is None and not kwargs:
        function = REGISTRY.get(UFUNCS.get(ufunc.__name__, ufunc.__name__))
        if function is not None:
            return function(*inputs)
    if out is not None:
        for target in out:
            if isinstance(target, Tensor):
                mutation.stamp(target._data, mutation.caller())
        kwargs["out"] = tuple(plain(target) for target in out)
    result = getattr(ufunc, method)(*plain(inputs), **kwargs)
    if out is not None and len(out) == 1:
        return out[0]
    return result


def _array_function(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    name = func.__name__
    function = REGISTRY.get(name) if name in FUNCTIONS else None
    if function is not None and "out" not in kwargs and "dtype" not in kwargs:
        if name in ("var", "std"):  # NumPy divides by n unless told otherwise
            kwargs = {"correction": kwargs.get("ddof", 0), **kwargs}
            kwargs.pop("ddof", None)
        elif name.startswith("cum") and len(args) == 1 and kwargs.get("axis") is None:
            args, kwargs = (args[0].reshape(-1),), {"axis": 0}
        return function(*args, **kwargs)
    return func(*plain(args), **plain(kwargs))


add_method("__array__", _array)
add_method("__array_ufunc__", _array_ufunc)
add_property("__cuda_array_interface__", _cuda_array_interface)
add_method("__array_function__", _array_function)

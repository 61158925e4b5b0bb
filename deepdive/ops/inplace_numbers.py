"""``exp_``, ``clamp_``, ``add_(other, alpha=…)`` and their like: elementwise functions, in place.

On tensors that are tracked they raise, as all methods with a trailing underscore do.
"""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import add_method
from deepdive.core.tensor import Tensor
from deepdive.ops import arithmetic, special, statistics  # noqa: F401 – the operators named below
from deepdive.ops.inplace_places import in_place

NAMES = """
    abs absolute acos acosh addcdiv addcmul arccos arccosh arcsin arcsinh arctan arctan2 arctanh
    asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor ceil clamp clamp_max clamp_min clip copysign cos cosh cumprod
    cumsum deg2rad digamma divide eq erf erfc erfinv exp exp2 expm1 fix float_power floor
    floor_divide fmod frac ge greater greater_equal gt heaviside hypot i0 ldexp le lerp less
    less_equal lgamma log log10 log1p log2 logical_and logical_not logical_or logical_xor logit lt
    multiply mvlgamma nan_to_num ne neg negative not_equal polygamma rad2deg reciprocal remainder
    round rsqrt sgn sigmoid sign sin sinc sinh sqrt square subtract tan tanh true_divide trunc xlogy
"""


def _with_more(name: str) -> Any:
    """The method `name_`: the quick way for two operands, the long one for further arguments."""
    quick: Any = getattr(Tensor, f"{name}_")
    long = in_place(name)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return quick(self, *args) if args and not kwargs else long(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"``x = x.{name}(…)``, in place."
    return method


for _name in NAMES.split():
    add_method(f"{_name}_", in_place(_name))
for _name in ("add", "sub", "mul", "div", "pow"):
    add_method(f"{_name}_", _with_more(_name))

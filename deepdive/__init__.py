"""DeepDive: a deep learning library in 100 % Python, kernels included, with PyTorch's names.

This file is the table of contents.  Operators are found in the registry (``deepdive.exp``),
sub-packages are loaded when they are first used (``deepdive.nn``).
"""

from typing import Any

from deepdive import config as config
from deepdive import core as core
from deepdive import errors as errors
from deepdive import tensor as tensor
from deepdive.config import enable_grad as enable_grad
from deepdive.config import get_default_dtype as get_default_dtype
from deepdive.config import is_grad_enabled as is_grad_enabled
from deepdive.config import no_grad as no_grad
from deepdive.config import set_default_device as set_default_device
from deepdive.config import set_default_dtype as set_default_dtype
from deepdive.config import set_grad_enabled as set_grad_enabled
from deepdive.core import autograd as autograd
from deepdive.core.autograd import grad as grad
from deepdive.core.autograd import gradcheck as gradcheck
from deepdive.core.autograd import gradgradcheck as gradgradcheck
from deepdive.core.function import Function as Function
from deepdive.core.operator import REGISTRY as REGISTRY
from deepdive.core.operator import Operator as Operator
from deepdive.core.operator import register as register
from deepdive.core.random import Generator as Generator
from deepdive.core.random import get_rng_state as get_rng_state
from deepdive.core.random import initial_seed as initial_seed
from deepdive.core.random import manual_seed as manual_seed
from deepdive.core.random import set_rng_state as set_rng_state
from deepdive.core.tensor import Tensor as Tensor
from deepdive.dtypes import bool_ as bool_
from deepdive.dtypes import float16 as float16
from deepdive.dtypes import float32 as float32
from deepdive.dtypes import float64 as float64
from deepdive.dtypes import int8 as int8
from deepdive.dtypes import int16 as int16
from deepdive.dtypes import int32 as int32
from deepdive.dtypes import int64 as int64
from deepdive.dtypes import uint8 as uint8
from deepdive.errors import did_you_mean as _did_you_mean

__version__ = "0.1.0"

# Loaded when first used: name → module
SUBPACKAGES = {
    "nn": "deepdive.nn",
    "optim": "deepdive.optim",
    "io": "deepdive.io",
    "datautils": "deepdive.datautils",
    "dash": "deepdive.dash",
    "utils": "deepdive.utils",
    "testing": "deepdive.testing",
    "cli": "deepdive.cli",
    "func": "deepdive.func",
}
# Single names that live in a sub-package: name → (module, attribute)
LATE = {
    "profile": ("deepdive.dash.profile", "profile"),
    "summary": ("deepdive.dash.summary", "summary"),
    "CUPY_AVAILABLE": ("deepdive.utils", "CUPY_AVAILABLE"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in REGISTRY:
        found: Any = REGISTRY[name]
    elif name in SUBPACKAGES:
        found = import_module(SUBPACKAGES[name])
    elif name in LATE:
        module, attribute = LATE[name]
        found = getattr(import_module(module), attribute)
    else:
        near = _did_you_mean(name, [*REGISTRY, *SUBPACKAGES, *LATE, *globals()])
        hint = f"; {near}" if near else ""
        raise AttributeError(f"module 'deepdive' has no attribute {name!r}{hint}")
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *REGISTRY, *SUBPACKAGES, *LATE])

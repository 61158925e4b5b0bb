"""DeepDive: a deep learning library in 100 % Python, kernels included, with PyTorch's names.

This file is the table of contents.  Operators are found in the registry (``deepdive.exp``),
sub-packages are loaded when they are first used (``deepdive.nn``).
"""

from typing import Any

from deepdive import config, core, errors, ops, tensor
from deepdive.config import (
    enable_grad,
    get_default_dtype,
    is_grad_enabled,
    no_grad,
    set_default_device,
    set_default_dtype,
    set_grad_enabled,
)
from deepdive.core.autograd import grad, gradcheck, gradgradcheck
from deepdive.core.function import Function
from deepdive.core.operator import REGISTRY, Operator, add_method, register
from deepdive.core.random import (
    Generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    set_rng_state,
)
from deepdive.core.tensor import Tensor
from deepdive.dtypes import (
    bool_,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from deepdive.errors import did_you_mean as _did_you_mean
from deepdive.host import NUMPY as _NUMPY
from deepdive.host import import_late as _import_late

__version__ = "0.1.0"

# Loaded when first used: name → module
SUBPACKAGES = {
    "nn": "deepdive.nn",
    "optim": "deepdive.optim",
    "special": "deepdive.special",
    "io": "deepdive.io",
    "datautils": "deepdive.datautils",
    "dash": "deepdive.dash",
    "utils": "deepdive.utils",
    "testing": "deepdive.testing",
    "cli": "deepdive.cli",
    "autograd": "deepdive.autograd",
    "func": "deepdive.func",
    "interop": "deepdive.interop",
    "linalg": "deepdive.linalg",
    "train": "deepdive.train",
    "onnx": "deepdive.onnx",
    "cuda": "deepdive.cuda",
    "amp": "deepdive.amp",
    "array_api": "deepdive.array_api",
}
# Single names that live in a sub-package: name → (module, attribute)
LATE = {
    "bfloat16": ("deepdive.dtypes", "bfloat16"),
    "lazy": ("deepdive.compiler.lazyarray", "lazy"),
    "set_lazy": ("deepdive.compiler.lazyarray", "set_lazy"),
    "is_lazy": ("deepdive.compiler.lazyarray", "is_lazy"),
    "compile": ("deepdive.compiler.compile", "compile"),
    "autocast": ("deepdive.ops.autocast", "autocast"),
    "is_autocast_enabled": ("deepdive.ops.autocast", "is_autocast_enabled"),
    "check": ("deepdive.dash.check", "check"),
    "profile": ("deepdive.dash.profile", "profile"),
    "summary": ("deepdive.dash.summary", "summary"),
    "gradient_check": ("deepdive.testing.needle", "gradient_check"),
    "allclose": ("deepdive.ops.questions", "allclose"),
    "equal": ("deepdive.ops.questions", "equal"),
    "vmap": ("deepdive.func", "vmap"),
    "CUPY_AVAILABLE": ("deepdive.utils", "CUPY_AVAILABLE"),
}


def _draw_graph(
    self: Tensor, namespace: Any = None, path: str = "graph.png", format: str | None = None
) -> str:
    """Draw how this tensor was computed; returns the path (:func:`deepdive.dash.draw_graph`)."""
    from deepdive.dash import draw_graph

    return draw_graph(self, namespace, path, format)


def _draw_program(drawn: Any, path: Any, format: str | None) -> str:
    from deepdive.dash.program import draw_program

    return draw_program(drawn, path, format)


def _array_namespace(self: Tensor, *, api_version: str | None = None) -> Any:
    """The Python array API standard over Tensors (:mod:`deepdive.array_api`)."""
    return _import_late("deepdive.array_api")


def _tensor_html(self: Tensor) -> str | None:
    """What a notebook shows (:mod:`deepdive.dash.notebook`); without NumPy just the text."""
    if not _NUMPY:
        return None
    from deepdive.dash import notebook

    return notebook.tensor_html(self)


def _module_html(module: Any) -> str | None:
    if not _NUMPY:
        return None
    from deepdive.dash import notebook

    return notebook.module_html(module)


def _choose_way(word: Any) -> Any:
    """The faster way of a word: a kernel needs Numba, without it all go NumPy's way."""
    from importlib.util import find_spec

    if find_spec("numba") is None:
        config.eager_kernels = False
        return word.plain
    from deepdive.kernels.choice import choose

    return choose(word)


add_method("draw_graph", _draw_graph)
add_method("_repr_html_", _tensor_html)
add_method("__array_namespace__", _array_namespace)
config.painter.append(_draw_program)
config.notebook.append(_module_html)
config.chooser.append(_choose_way)


def __getattr__(name: str) -> Any:
    if name in REGISTRY:
        found: Any = REGISTRY[name]
    elif name in SUBPACKAGES:
        found = _import_late(SUBPACKAGES[name])
    elif name in LATE:
        module, attribute = LATE[name]
        found = getattr(_import_late(module), attribute)
    else:
        near = _did_you_mean(name, [*REGISTRY, *SUBPACKAGES, *LATE, *globals()])
        hint = f"; {near}" if near else ""
        raise AttributeError(f"module 'deepdive' has no attribute {name!r}{hint}")
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *REGISTRY, *SUBPACKAGES, *LATE])

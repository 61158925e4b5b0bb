"""``weight_norm`` and ``spectral_norm`` under the older names: ``weight_g``, ``weight_orig`` …

What they compute is :mod:`deepdive.nn.utils.parametrizations`'; here the parts are parameters of
the layer itself, as published weights of older models have them.
"""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn.parameter import Parameter
from deepdive.nn.utils.parametrizations import (
    as_matrix,
    norm_except,
    normed,
    output_axis,
    power_steps,
    random_unit,
)
from deepdive.nn.utils.parametrize import with_properties, without_property


def _taken(module: Any, name: str, what: str) -> Any:
    """The parameter `name`, taken out of the module."""
    weight = vars(module).get(name)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"{what}: {type(module).__name__} has no parameter {name!r}")
    delattr(module, name)
    return weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """``w = g v / ‖v‖`` with parameters ``<name>_g`` and ``<name>_v``; gives `module`.

    Raises:
        ArgumentError: if there is no such parameter.
    """
    weight = _taken(module, name, "weight_norm")
    g = norm_except(weight.detach(), dim)
    module.register_parameter(f"{name}_g", Parameter(g))
    module.register_parameter(f"{name}_v", Parameter(weight.detach().clone()))

    def read(layer: Any) -> Any:
        return normed(getattr(layer, f"{name}_g"), getattr(layer, f"{name}_v"), dim)

    with_properties(module, type(module).__name__, {name: read})
    return module


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """``w / σ(w)`` with a parameter ``<name>_orig``, buffers ``<name>_u`` and ``<name>_v``.

    Raises:
        ArgumentError: if there is no such parameter.
    """
    axis = output_axis(module) if dim is None else dim
    weight = _taken(module, name, "spectral_norm")
    matrix = as_matrix(weight.detach(), axis)
    module.register_parameter(f"{name}_orig", weight)
    for part, size in zip("uv", matrix.shape, strict=True):
        module.register_buffer(f"{name}_{part}", random_unit(size, matrix, eps))

    def read(layer: Any) -> Any:
        original, u, v = (getattr(layer, f"{name}_{part}") for part in ("orig", "u", "v"))
        seen = as_matrix(original, axis)
        if layer.training:
            power_steps(seen.T, v, u, n_power_iterations, eps)  # the older one begins with v
        return original / (u.clone() @ (seen @ v.clone()))

    with_properties(module, type(module).__name__, {name: read})
    return module


def _removed(module: Any, name: str, parts: tuple[str, ...], what: str) -> Any:
    if not all(f"{name}_{part}" in vars(module) for part in parts):
        raise ArgumentError(f"{what}: {name!r} of {type(module).__name__} has none")
    with config.no_grad():
        weight = getattr(module, name).detach().clone()
    without_property(module, name)
    for part in parts:
        delattr(module, f"{name}_{part}")
    kept = module._buffers.items()
    module._buffers = {key: saved for key, saved in kept if key in vars(module)}
    setattr(module, name, Parameter(weight))
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """The weight is an ordinary parameter again; gives `module`."""
    return _removed(module, name, ("g", "v"), "remove_weight_norm")


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """The weight is an ordinary parameter again, divided as it was; gives `module`."""
    return _removed(module, name, ("orig", "u", "v"), "remove_spectral_norm")

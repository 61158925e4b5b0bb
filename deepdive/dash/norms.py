"""How large gradients and activations are, looked at seldom enough to cost nothing."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from deepdive.config import no_grad
from deepdive.core.host_values import as_array
from deepdive.core.tensor import Tensor
from deepdive.nn.modes import evaluating

SHARE = 0.005  # of the time may be spent here
SAMPLES = 16  # of a batch are enough
MOST_LAYERS = 200


class Seldom:
    """Says when it is time again, so that looking takes at most SHARE of the time."""

    def __init__(self, pause: float = 1.0) -> None:
        self.pause = pause
        self._next = 0.0
        self._began = 0.0

    def due(self) -> bool:
        """Whether to look now; :meth:`done` must follow."""
        self._began = perf_counter()
        return self._began >= self._next

    def done(self) -> None:
        """The look is over."""
        now = perf_counter()
        self._next = now + max(self.pause, (now - self._began) / SHARE)


def gradient_norms(model: Any) -> tuple[float, dict[str, float]]:
    """The norm of all gradients together, and of each parameter's."""
    each: dict[str, float] = {}
    for name, p in model.named_parameters():
        if p.grad is not None:
            flat = _array(p.grad).ravel()
            each[name] = float(np.sqrt(np.dot(flat, flat)))
    return float(np.sqrt(sum(norm**2 for norm in each.values()))), each


def activation_norms(model: Any, inputs: Any) -> dict[str, float]:
    """The root mean square of what each layer gives for a few samples, layer path → number.

    The model runs in evaluation mode and without history; modes, hooks and random numbers are
    afterwards as before.
    """
    found: dict[str, float] = {}
    layers = [(path, m) for path, m in model.named_modules() if not m.own_modules()][:MOST_LAYERS]
    hooks = [m.register_forward_hook(_noting(found, path)) for path, m in layers]
    try:
        with evaluating(model), no_grad():
            model(*(x[:SAMPLES] for x in inputs))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _noting(found: dict[str, float], path: str) -> Any:
    def hook(module: Any, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.is_floating_point():  # type: ignore[attr-defined]
            values = _array(output)
            found[path or type(module).__name__] = float(np.sqrt(np.mean(np.square(values))))

    return hook


def _array(x: Any) -> Any:
    """A float64 array: squares of float16 would overflow."""
    return np.asarray(as_array(x), np.float64)

"""Analytic gradients held against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core.autograd.functional import grad
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import GraphError


def numeric_gradient(function: Callable[..., Any], inputs: Any, i: int, eps: float) -> Any:
    """``(f(x + ε) - f(x - ε)) / 2ε`` for each element of ``inputs[i]``, as an array.

    `function` gives a float; it is called twice per element.
    """
    array = _array(inputs[i]).copy()
    out = array.copy()  # array * 0 would be no array for shape ()
    flat = array.reshape(-1)
    slopes = out.reshape(-1)
    arguments = list(inputs)
    for j in range(flat.shape[0]):
        centre = float(flat[j])
        values = []
        for place in (centre + eps, centre - eps):
            flat[j] = place
            arguments[i] = wrap(_beside(inputs[i], array.copy()))
            values.append(function(*arguments))
        flat[j] = centre
        slopes[j] = (values[0] - values[1]) / (2 * eps)
    return out


def _array(tensor: Tensor) -> Any:
    """The values; a recorded tensor computes them."""
    return speakers.BY_TYPE[type(tensor._data)].readable(tensor._data)


def _beside(tensor: Tensor, array: Any) -> Any:
    """`array` where `tensor` is; recorded ones stay with the host's."""
    speaker = speakers.BY_TYPE[type(tensor._data)]
    return array if hasattr(speaker, "adopt") else speaker.asarray(array)


def gradcheck(
    function: Callable[..., Tensor],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of `function` agree with central differences.

    The output is weighted by fixed numbers and summed, so that every element counts.

    Args:
        function: from tensors to a tensor.
        inputs: a tensor or a tuple of them; those that require gradients are checked.  Use
            float64: in float32 the differences themselves are wrong in the third digit.
        eps: the step ε.
        atol, rtol: the allowed difference, absolute and relative.

    Raises:
        GraphError: naming the input, the worst element and both numbers.

    >>> import deepdive as dd
    >>> gradcheck(dd.exp, dd.ones(3, dtype="float64", requires_grad=True))
    True
    """
    inputs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not places:
        raise GraphError("gradcheck: no input requires a gradient")

    def weighted(*arguments: Any) -> Tensor:
        out: Any = function(*arguments)
        weights = _array((out.detach() * 0).reshape(-1)).copy()
        for j in range(weights.shape[0]):
            weights[j] = 1.0 + (j * 7 % 11) / 11.0
        shaped = weights.reshape(out.shape)
        return (out * wrap(_beside(out, shaped))).sum()  # type: ignore[no-any-return]

    def number(*arguments: Any) -> float:
        with config.no_grad():
            return float(weighted(*arguments))

    with config.enable_grad():
        analytic = grad(weighted(*inputs), [inputs[i] for i in places], allow_unused=True)
    for i, found in zip(places, analytic, strict=True):
        expected = numeric_gradient(number, inputs, i, eps)
        got = expected * 0 if found is None else _array(found)
        wrong = abs(got - expected) > atol + rtol * abs(expected)
        wrong = wrong | (got != got)
        if not wrong.any():
            continue
        if not raise_exception:
            return False
        worst = int(abs(got - expected).reshape(-1).argmax())
        raise GraphError(
            f"gradcheck: the gradient of input {i} is wrong at element {worst}",
            got=f"{got.reshape(-1)[worst]:.8g}",
            expected=f"{expected.reshape(-1)[worst]:.8g} by central differences",
        )
    return True


def gradgradcheck(function: Callable[..., Tensor], inputs: Any, **options: Any) -> bool:
    """Whether second derivatives agree with central differences of the first.

    Takes the options of :func:`gradcheck`.
    """
    inputs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]

    def first(*arguments: Any) -> Tensor:
        with config.enable_grad():
            live = [
                a.detach().requires_grad_() if i in places and not a.requires_grad else a
                for i, a in enumerate(arguments)
            ]
            out: Any = function(*live)
            seed = out.detach() * 0 + 1.0
            found = grad(out, [live[i] for i in places], seed, create_graph=True, allow_unused=True)
            total: Any = None
            for k, g in enumerate(found):
                if g is not None:
                    part = (g * g).sum() * (1.0 + 0.5 * k)
                    total = part if total is None else total + part
        return total if total is not None else (out * 0).sum()  # type: ignore[no-any-return]

    return gradcheck(first, inputs, **options)

"""PyTorch as the reference: the function of the same name, called in the same way."""

from __future__ import annotations

from typing import Any

from deepdive.testing.case import Case, replaced


class Skip(Exception):
    """A law that cannot be tried here, with the reason."""


def find(names: list[str]) -> Any:
    """PyTorch's function with one of these names; None if it has none, or is not installed."""
    try:
        import torch
    except ImportError:
        return None
    rooms = (torch.nn.functional, torch, torch.special, torch.Tensor)
    for name in names:
        if name.startswith("linalg_"):
            return getattr(torch.linalg, name.removeprefix("linalg_"), None)
        for room in rooms:
            found = getattr(room, name, None)
            if callable(found) and not name.startswith("_") and not isinstance(found, type):
                return found
    return None


def evaluate(
    case: Case, names: list[str], dtype: str = "float64"
) -> tuple[list[Any], list[Any] | None]:
    """In `dtype`, the outputs and – where PyTorch has them – the gradients of the weighted outputs.

    Raises:
        Skip: if PyTorch has no such function, or takes another call.
    """
    function = find(names)
    if function is None or not case.sample.torch:
        raise Skip("not in PyTorch in this form")
    import torch

    arrays = case.cast(dtype)
    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    inputs = [tensors[i].requires_grad_() for i in case.places if case.differentiable]
    args, kwargs = replaced((case.sample.args, case.sample.kwargs), iter(tensors))
    try:
        found = function(*args, **kwargs)
    except (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError) as error:
        raise Skip(f"PyTorch refused: {error}") from None
    outputs = [found] if isinstance(found, torch.Tensor) else list(found)
    total: Any = 0
    for out, weight in zip(outputs, case.weights, strict=True):
        if out.requires_grad:
            total = total + (out * torch.from_numpy(weight).to(out.dtype)).sum()
    slopes = None
    if isinstance(total, torch.Tensor):
        try:
            slopes = torch.autograd.grad(total, inputs, allow_unused=True)
        except RuntimeError as error:  # "derivative for … is not implemented"
            raise Skip(f"PyTorch refused: {error}") from None
        pairs = zip(inputs, slopes, strict=True)
        slopes = [torch.zeros_like(x) + (0 if slope is None else slope) for x, slope in pairs]
    return [out.detach().numpy() for out in outputs], slopes

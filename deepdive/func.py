"""Derivatives as functions, in the spirit of ``torch.func`` (``deepdive.func``)."""

from deepdive.core.autograd.functional import (
    grad,
    hvp,
    jvp,
    vjp,
)

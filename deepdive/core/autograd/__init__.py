"""Gradients: the engine, and the transforms built on it (``deepdive.autograd``)."""

from deepdive.core.autograd.engine import backward
from deepdive.core.autograd.functional import (
    grad,
    hvp,
    jvp,
    vjp,
)
from deepdive.core.autograd.gradcheck import (
    gradcheck,
    gradgradcheck,
)

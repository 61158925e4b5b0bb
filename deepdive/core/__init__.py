"""Level 2, the heart: Tensor, Operator, Function, the engine, random numbers."""

from deepdive.core import autograd, function, interop
from deepdive.core.transforms import hooks

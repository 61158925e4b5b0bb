"""Derivatives and batches of functions, in the spirit of ``torch.func`` (``deepdive.func``).

>>> import deepdive as dd
>>> from deepdive.func import grad, vmap
>>> x = dd.tensor([1.0, 2.0, 3.0])
>>> vmap(grad(lambda x: x**3))(x)
tensor([ 3., 12., 27.])
"""

from deepdive.core.transforms.derivatives import (
    grad,
    grad_and_value,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jvp,
    value_and_grad,
    vjp,
)
from deepdive.core.transforms.vmap import vmap
from deepdive.nn.stateless import functional_call, stack_module_state

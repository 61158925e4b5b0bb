"""Gradients as PyTorch names them: ``dd.autograd.grad``, checkpoints, anomaly detection, checks.

Functions of functions, in the newer style, are in :mod:`deepdive.func`.
"""

from deepdive.autograd import functional
from deepdive.autograd.functional import backward
from deepdive.config import enable_grad, no_grad, set_grad_enabled
from deepdive.core.autograd import grad, gradcheck, gradgradcheck, hvp, jvp, vjp
from deepdive.core.function import Function
from deepdive.core.transforms.anomaly import (
    detect_anomaly,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from deepdive.core.transforms.checkpoint import checkpoint, checkpoint_sequential
from deepdive.core.transforms.derivatives import grad_and_value, value_and_grad

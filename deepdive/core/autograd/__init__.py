"""Gradients: the engine, and the transforms built on it (``deepdive.autograd``)."""

from deepdive.core.autograd.engine import backward as backward
from deepdive.core.autograd.functional import grad as grad
from deepdive.core.autograd.functional import hvp as hvp
from deepdive.core.autograd.functional import jvp as jvp
from deepdive.core.autograd.functional import vjp as vjp
from deepdive.core.autograd.gradcheck import gradcheck as gradcheck
from deepdive.core.autograd.gradcheck import gradgradcheck as gradgradcheck

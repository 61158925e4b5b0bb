"""``nn.utils``: what PyTorch has there."""

from deepdive.nn.utils import parametrizations, parametrize, rnn
from deepdive.nn.utils.norms import (
    remove_spectral_norm,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)
from deepdive.nn.utils.vectors import parameters_to_vector, vector_to_parameters
from deepdive.optim.clip import clip_grad_norm_, clip_grad_value_

"""``nn.utils``: what PyTorch has there."""

from deepdive.nn.utils import rnn as rnn
from deepdive.optim.clip import clip_grad_norm_ as clip_grad_norm_
from deepdive.optim.clip import clip_grad_value_ as clip_grad_value_

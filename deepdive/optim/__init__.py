"""Optimizers, learning rate schedules, gradient clipping."""

from deepdive.optim.adam import Adam as Adam
from deepdive.optim.adam import AdamW as AdamW
from deepdive.optim.optimizer import Optimizer as Optimizer
from deepdive.optim.sgd import SGD as SGD

"""Level 6, training: one loop, the events around it, metrics, checkpoints."""

from deepdive.nn.modes import evaluating
from deepdive.train.checkpoints import Checkpoints, CheckpointWarning, read_checkpoint
from deepdive.train.ema import EMA
from deepdive.train.events import EarlyStopping, StopOnNaN
from deepdive.train.metrics import (
    Accuracy,
    ConfusionMatrix,
    Mean,
    Metric,
    Perplexity,
    TopK,
)
from deepdive.train.signals import Interrupted
from deepdive.train.trainer import Trainer

__all__ = [
    "EMA",
    "Accuracy",
    "CheckpointWarning",
    "Checkpoints",
    "ConfusionMatrix",
    "EarlyStopping",
    "Interrupted",
    "Mean",
    "Metric",
    "Perplexity",
    "StopOnNaN",
    "TopK",
    "Trainer",
    "evaluating",
    "read_checkpoint",
]

"""Optimizers, learning rate schedules, gradient clipping."""

from importlib import import_module
from typing import Any

from deepdive.optim import lr_scheduler as lr_scheduler
from deepdive.optim.adam import Adam as Adam
from deepdive.optim.adam import AdamW as AdamW
from deepdive.optim.adam_kin import NAdam as NAdam
from deepdive.optim.adam_kin import RAdam as RAdam
from deepdive.optim.adaptive import Adadelta as Adadelta
from deepdive.optim.adaptive import Adagrad as Adagrad
from deepdive.optim.adaptive import Adamax as Adamax
from deepdive.optim.adaptive import RMSprop as RMSprop
from deepdive.optim.clip import clip_grad_norm_ as clip_grad_norm_
from deepdive.optim.clip import clip_grad_value_ as clip_grad_value_
from deepdive.optim.lbfgs import LBFGS as LBFGS
from deepdive.optim.optimizer import Optimizer as Optimizer
from deepdive.optim.schedule import ConstantLR as ConstantLR
from deepdive.optim.schedule import CosineAnnealingLR as CosineAnnealingLR
from deepdive.optim.schedule import ExponentialLR as ExponentialLR
from deepdive.optim.schedule import LambdaLR as LambdaLR
from deepdive.optim.schedule import LinearLR as LinearLR
from deepdive.optim.schedule import LRScheduler as LRScheduler
from deepdive.optim.schedule import MultiStepLR as MultiStepLR
from deepdive.optim.schedule import SequentialLR as SequentialLR
from deepdive.optim.schedule import StepLR as StepLR
from deepdive.optim.schedule import WarmupCosine as WarmupCosine
from deepdive.optim.schedule_cycles import ChainedScheduler as ChainedScheduler
from deepdive.optim.schedule_cycles import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
)
from deepdive.optim.schedule_cycles import CyclicLR as CyclicLR
from deepdive.optim.schedule_cycles import MultiplicativeLR as MultiplicativeLR
from deepdive.optim.schedule_cycles import OneCycleLR as OneCycleLR
from deepdive.optim.schedule_cycles import PolynomialLR as PolynomialLR
from deepdive.optim.schedule_cycles import ReduceLROnPlateau as ReduceLROnPlateau
from deepdive.optim.sgd import SGD as SGD
from deepdive.optim.signs import ASGD as ASGD
from deepdive.optim.signs import Lion as Lion
from deepdive.optim.signs import Muon as Muon
from deepdive.optim.signs import Rprop as Rprop


def __getattr__(name: str) -> Any:
    if name == "swa_utils":  # needs modules, which are below optimizers
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

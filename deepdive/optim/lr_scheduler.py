"""PyTorch's path to the schedules: ``from deepdive.optim.lr_scheduler import StepLR``."""

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

"""``checkpoint`` where PyTorch's users look for it."""

from deepdive.core.transforms.checkpoint import (
    checkpoint,
    checkpoint_sequential,
)

__all__ = [
    "checkpoint",
    "checkpoint_sequential",
]

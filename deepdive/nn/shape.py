"""Layers that only change the shape, or nothing."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.nn.arguments import shown
from deepdive.nn.module import Module


class Identity(Module):
    """``y = x``; takes any arguments, so that it can stand in for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one: (B, C, H, W) → (B, C·H·W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return shown(self, "start_dim", "end_dim")


class Unflatten(Module):
    """One axis as several: ``Unflatten(1, (3, 4))`` makes (B, 12) to (B, 3, 4)."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Tensor:
        shape = list(x.shape)
        axis = self.dim % x.ndim
        shape[axis : axis + 1] = self.unflattened_size
        return x.reshape(shape)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return shown(self, "dim", "unflattened_size")


class ReShape(Module):
    """Each sample in another shape; `shape` is without the batch axis, which always stays.

    ``ReShape(-1)`` makes (B, 8, 24, 24) to (B, 4608), ``ReShape((1, 28, 28))`` makes (B, 784) to
    (B, 1, 28, 28).  A -1 in front of numbers that fill a sample already, as in
    ``ReShape((-1, 4608))``, is the batch axis itself.

    >>> import deepdive as dd
    >>> ReShape(-1)(dd.zeros(5, 2, 3)).shape
    (5, 6)
    """

    def __init__(self, *shape: Any) -> None:
        many = len(shape) == 1 and isinstance(shape[0], (tuple, list))
        self.shape: tuple[int, ...] = tuple(shape[0] if many else shape)

    def forward(self, x: Any) -> Tensor:
        batch, *sample = x.shape
        shape = list(self.shape)
        size = math.prod(sample)
        if -1 in shape:
            free = shape.index(-1)
            known = -math.prod(shape)
            if free == 0 and known == size and len(shape) > 1:
                del shape[0]
            elif known > 0:
                shape[free] = size // known  # so that an empty batch has a shape, too
        return x.reshape((batch, *shape))  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.shape))

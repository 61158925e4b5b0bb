"""Toy data in the plane: classes that no straight line separates, made from a seed."""

from __future__ import annotations

import math
from typing import Any

from deepdive import dtypes
from deepdive.core import random
from deepdive.core.random import Generator
from deepdive.datautils.dataset import ArrayDataset
from deepdive.errors import ArgumentError
from deepdive.host import np


class ToyDataset(ArrayDataset):
    """`n` points of the plane, float (n, 2), and their classes, int64 (n,), in random order."""

    def __init__(self, curves: list[Any], noise: float, generator: Generator) -> None:
        points = np.concatenate(curves)
        labels = np.repeat(np.arange(len(curves)), [len(curve) for curve in curves])
        if noise:
            points = points + generator.normal(points.shape, std=noise)
        order = generator.permutation(len(points))
        super().__init__(
            points[order].astype(dtypes.default_float()), labels[order].astype(np.int64)
        )

    @property
    def points(self) -> Any:
        """Where they are, (n, 2)."""
        return self.arrays[0]

    @property
    def labels(self) -> Any:
        """Their classes, (n,)."""
        return self.arrays[1]


def make_moons(n: int = 200, noise: float = 0.1, generator: Generator | None = None) -> ToyDataset:
    """Two half circles that reach into each other; classes 0 and 1.

    Args:
        noise: the standard deviation of what is added to each coordinate.
        generator: where the random numbers come from (the default generator).

    >>> make_moons(100)
    ToyDataset(float32[100, 2], int64[100])
    """
    upper, lower = (_even(count, math.pi) for count in _shares("make_moons", n, 2, noise))
    curves = [
        np.stack([np.cos(upper), np.sin(upper)], 1),
        np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], 1),
    ]
    return ToyDataset(curves, noise, generator or random.default_generator)


def make_circles(
    n: int = 200, noise: float = 0.05, factor: float = 0.5, generator: Generator | None = None
) -> ToyDataset:
    """A circle of radius 1, class 0, around one of radius `factor`, class 1."""
    counts = _shares("make_circles", n, 2, noise)
    if not 0 < factor < 1:
        raise ArgumentError(
            "make_circles: the inner radius is a share", got=factor, expected="(0, 1)"
        )
    turns = [2 * math.pi * np.arange(count) / max(count, 1) for count in counts]
    curves = [
        radius * np.stack([np.cos(turn), np.sin(turn)], 1)
        for radius, turn in zip((1.0, factor), turns, strict=True)
    ]
    return ToyDataset(curves, noise, generator or random.default_generator)


def make_spirals(
    n: int = 300,
    noise: float = 0.03,
    classes: int = 3,
    turns: float = 0.75,
    generator: Generator | None = None,
) -> ToyDataset:
    """Spiral arms from the middle out to radius 1, one a class."""
    counts = _shares("make_spirals", n, classes, noise)
    curves = []
    for arm, count in enumerate(counts):
        radius = (np.arange(count) + 0.5) / max(count, 1)
        angle = 2 * math.pi * (arm / classes + turns * radius)
        curves.append(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))
    return ToyDataset(curves, noise, generator or random.default_generator)


def make_blobs(
    n: int = 300, noise: float = 0.2, classes: int = 3, generator: Generator | None = None
) -> ToyDataset:
    """Round clouds whose centres lie on the circle of radius 1, one a class."""
    counts = _shares("make_blobs", n, classes, noise)
    angles = [2 * math.pi * cloud / classes for cloud in range(classes)]
    curves = [
        np.tile([math.cos(angle), math.sin(angle)], (count, 1))
        for angle, count in zip(angles, counts, strict=True)
    ]
    return ToyDataset(curves, noise, generator or random.default_generator)


def _even(count: int, end: float) -> Any:
    return np.linspace(0, end, count)


def _shares(name: str, n: int, classes: int, noise: float) -> list[int]:
    """`n` points cut as evenly as they go: the first classes get one more."""
    if n < 1 or classes < 1 or not noise >= 0:
        raise ArgumentError(
            f"{name}: points and classes are counted from 1, and noise is no less than 0",
            got=f"n={n}, classes={classes}, noise={noise}",
        )
    return [n // classes + (part < n % classes) for part in range(classes)]

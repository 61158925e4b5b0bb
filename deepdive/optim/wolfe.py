"""A line search: a step that goes down enough, to where it is flat enough (the Wolfe conditions).

Nocedal & Wright 2006, "Numerical optimization", algorithms 3.5 and 3.6, with PyTorch's numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Point(NamedTuple):
    """A step t along the direction: the loss there, its gradient, its slope along the direction."""

    t: float
    value: float
    gradient: Any
    slope: float


ENOUGH_DOWN = 1e-4  # of what the slope at the start promises
FLAT = 0.9  # of the slope at the start
LEAST = 1e-9  # a bracket smaller than that is a point


Loss = Callable[[float], Point]  # at a step


def strong_wolfe(
    at: Loss,
    start: Point,
    t: float,
    length: float,
    most: int = 25,
) -> tuple[Point, int]:
    """The point that was found, and how often the loss was computed.

    Args:
        at: computes the loss at a step.
        start: the point at step 0.
        t: the first step to try.
        length: the largest component of the direction.
        most: how many points may be tried.
    """
    bracket, tried, done = _bracket(at, start, t, most)
    if done or len(bracket) == 1:
        return bracket[0], tried
    stuck = False
    while tried - 1 < most:
        low, high = sorted(bracket, key=_value)
        width = high.t - low.t
        if abs(width) * length < LEAST:
            break
        trial, stuck = _trial(bracket, stuck)
        new = at(trial)
        tried += 1
        low_is_first = bracket[0] is low
        if _too_high(new, start) or new.value >= low.value:
            bracket = [low, new]
        elif _flat(new, start):
            return new, tried
        else:
            other = low if new.slope * width >= 0 else high
            bracket = [new, other]
        if not low_is_first:
            bracket.reverse()
    best = min(bracket, key=_value)
    return best, tried


def _value(point: Point) -> float:
    return point.value


def _flat(point: Point, start: Point) -> bool:
    bound = -FLAT * start.slope
    return abs(point.slope) <= bound


def _too_high(point: Point, start: Point) -> bool:
    promised = ENOUGH_DOWN * point.t * start.slope
    return point.value > start.value + promised


def _bracket(
    at: Loss,
    start: Point,
    t: float,
    most: int,
) -> tuple[list[Point], int, bool]:
    """Two points with a good one between them, or a good one; the number of points tried."""
    before, new = start, at(t)
    for tried in range(1, most + 1):
        rises = tried > 2 and new.value >= before.value
        if rises or _too_high(new, start):
            return [before, new], tried, False
        if _flat(new, start):
            return [new], tried, True
        if new.slope >= 0:
            return [before, new], tried, False
        least = new.t + 0.01 * (new.t - before.t)
        bounds = (least, new.t * 10)
        further = interpolated(before, new, bounds)
        before, new = new, at(further)
    return [start, new], most + 1, False


def _trial(bracket: list[Point], stuck: bool) -> tuple[float, bool]:
    """The next step to try; not twice in a row close to an end of the bracket."""
    first, second = bracket
    low = min(first.t, second.t)
    high = max(first.t, second.t)
    t = interpolated(first, second, (low, high))
    margin = 0.1 * (high - low)
    if min(high - t, t - low) >= margin:
        return t, False
    if not stuck and low < t < high:
        return t, True
    near_top = abs(t - high) < abs(t - low)
    return (high - margin if near_top else low + margin), False


def interpolated(a: Point, b: Point, bounds: tuple[float, float]) -> float:
    """The lowest place of the cubic through two points with their slopes, within bounds."""
    low, high = bounds
    rise = (a.value - b.value) / (a.t - b.t)
    d1 = a.slope + b.slope - 3 * rise
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2
    root = square**0.5
    first, second = (a, b) if a.t <= b.t else (b, a)
    width = second.t - first.t
    bend = second.slope - first.slope + 2 * root
    share = (second.slope + root - d1) / bend
    place = second.t - width * share
    return min(max(place, low), high)

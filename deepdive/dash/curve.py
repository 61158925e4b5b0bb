"""A curve that never takes more than a fixed amount of memory, however long it grows."""

from __future__ import annotations

import math


class Curve:
    """(step, value) points; when there are too many, neighbours become their mean.

    Args:
        limit: how many points are kept at most.

    >>> curve = Curve(limit=4)
    >>> for step in range(1, 9):
    ...     curve.add(step, float(step))
    >>> curve.points()
    ([1.5, 3.5, 5.5, 7.5], [1.5, 3.5, 5.5, 7.5])
    """

    def __init__(self, limit: int = 1000) -> None:
        self.limit = limit
        self.x: list[float] = []
        self.y: list[float] = []
        self.last = math.nan
        self._each = 1  # how many values make a point
        self._pending = [0, 0.0, 0.0]  # values, and the sums of their steps and of themselves

    def add(self, step: float, value: float) -> None:
        """One more value; what is no finite number is not drawn."""
        self.last = value
        if not math.isfinite(value):
            return
        pending = self._pending
        pending[0] += 1
        pending[1] += step
        pending[2] += value
        if pending[0] == self._each:
            self.x.append(pending[1] / self._each)
            self.y.append(pending[2] / self._each)
            self._pending = [0, 0.0, 0.0]
            if len(self.x) > self.limit:
                self._halve()

    def _halve(self) -> None:
        """Two points become one; an odd last one waits for its partner."""
        even = len(self.x) // 2 * 2
        self._pending = [0, 0.0, 0.0]
        if even < len(self.x):
            each = self._each
            self._pending = [each, self.x[-1] * each, self.y[-1] * each]
        self.x = [(self.x[i] + self.x[i + 1]) / 2 for i in range(0, even, 2)]
        self.y = [(self.y[i] + self.y[i + 1]) / 2 for i in range(0, even, 2)]
        self._each *= 2

    def points(self) -> tuple[list[float], list[float]]:
        """Steps and values, those that wait included."""
        count = self._pending[0]
        if not count:
            return self.x, self.y
        return [*self.x, self._pending[1] / count], [*self.y, self._pending[2] / count]

"""The scale of a chart's axis: its range, its ticks, and how a number is written beside them."""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray
LARGEST = 1e300  # what lies beyond counts as infinite


class Scale:
    """Maps values to 0…1, with round ticks; infinite and missing values have no place.

    Args:
        values: what must fit on the axis.
        log: logarithmic; values that are not positive have no place then.
        count: about how many ticks there is room for.

    >>> scale = Scale([0.0, 9.3], count=3)
    >>> scale.ticks, scale.labels
    ([0.0, 5.0], ['0', '5'])
    """

    def __init__(
        self,
        values: object,
        *,
        log: bool = False,
        count: int = 5,
    ) -> None:
        self.log = log
        found = self._transform(values)
        finite = found[np.isfinite(found)]
        low = float(finite.min(initial=np.inf))
        high = float(finite.max(initial=-np.inf))
        if low > high:  # there are no values
            low, high = 0.0, 1.0
        largest = max(abs(low), abs(high))
        if high - low <= max(1e-12 * largest, 1 / LARGEST):
            pad = abs(low) * 0.1 or 1.0
            low -= pad
            high += pad
        self.low = low
        self.high = high
        find = log_ticks if log else round_ticks
        self.ticks = find(low, high, count)
        self.labels = labels(self.ticks, exact=not log)

    def _transform(self, values: object) -> Array:
        given = np.asarray(values, dtype=float)
        numbers = np.where(abs(given) <= LARGEST, given, np.nan)
        if not self.log:
            return numbers
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(numbers > 0, np.log10(numbers), np.nan)

    def place(self, values: object) -> Array:
        """Where values lie between the ends, 0…1; NaN where they have no place."""
        return (self._transform(values) - self.low) / (self.high - self.low)

    def marks(self) -> list[tuple[float, str]]:
        """The ticks as their places, 0…1, and their labels."""
        places = self.place(self.ticks).tolist()
        pairs = zip(places, self.labels, strict=True)
        return [(place, label) for place, label in pairs if -1e-6 < place < 1 + 1e-6]


def round_ticks(low: float, high: float, count: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers.

    >>> round_ticks(0.13, 0.98, 5)
    [0.2, 0.4, 0.6, 0.8]
    """
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Powers of ten between two exponents, every n-th if there are too many.

    >>> log_ticks(-2.5, 1.0, 4)
    [0.01, 0.1, 1.0, 10.0]
    """
    first = math.ceil(low - 1e-9)
    last = math.floor(high + 1e-9)
    if last - first < 1:  # less than two powers of ten: round numbers say more
        found = round_ticks(10.0**low, 10.0**high, count)
        return [tick for tick in found if tick > 0]
    powers = range(first, last + 1)
    stride = -(-len(powers) // max(count, 1))
    return [10.0**power for power in powers[::stride]]


def labels(ticks: list[float], exact: bool = True) -> list[str]:
    """Ticks as text, with as many decimals as tell them apart; very large and small ones as 1e6.

    >>> labels([0.0, 0.5, 1.0]), labels([0.0, 2e6])
    (['0.0', '0.5', '1.0'], ['0', '2e+06'])
    """
    largest = max(map(abs, ticks), default=0.0)
    plain = exact and (largest == 0.0 or 1e-4 <= largest < 1e6)
    kind = "f" if plain else "g"
    texts: list[str] = []
    for digits in range(0 if plain else 6, 18):
        texts = [f"{tick:.{digits}{kind}}" for tick in ticks]
        faithful = not plain or list(map(float, texts)) == ticks
        if faithful and len(set(texts)) == len(texts):
            break
    return texts


def short(value: float) -> str:
    """A measured value in about four digits.

    >>> short(0.123456), short(1234567.0), short(98.0), short(float("nan"))
    ('0.1235', '1.235e+06', '98', 'nan')
    """
    return f"{value:.4g}"

"""Random numbers that depend on the seed and the number of the draw, and on nothing else.

Every call of a :class:`Generator` takes one draw, whatever its size, and never looks at the draw
before: shapes do not shift the stream, and a checkpoint holds three integers.
"""

from __future__ import annotations

import math
import operator
import os
import threading
from typing import Any

from deepdive import config, dtypes
from deepdive.backend.random_host import fork_stream, random_bits, random_words
from deepdive.errors import ArgumentError, DTypeError
from deepdive.host import np

_WORD = (1 << 64) - 1
_MANTISSA = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}

Shape = int | tuple[int, ...] | list[int]


def _as_shape(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _floating(dtype: Any) -> Any:
    if dtype is None:
        return dtypes.default_float()
    resolved = dtypes.as_dtype(dtype)
    if resolved.name not in _MANTISSA:
        raise DTypeError(
            "random: uniform and normal numbers are floating", got=resolved.name, fix="integers()"
        )
    return resolved


def _unit(key: int, draw: int, size: int, dtype: Any) -> Any:
    """`size` numbers ``k / 2**m`` in [0, 1), with as many bits `m` as `dtype` has."""
    bits = _MANTISSA[dtype.name]
    if bits > 32:
        words = random_words(key, draw, size)
        return (words >> (64 - bits)).astype(dtype) * 2.0**-bits
    words = random_bits(key, draw, (size,))
    words >>= 32 - bits
    out = words.astype(dtype)
    out *= 2.0**-bits
    return out


class Generator:
    """A stream of random numbers: Philox4x64-10, key = seed, counter = number of the draw.

    Args:
        seed: an integer of at most 64 bits (negative ones count from the top); None takes fresh
            entropy from the operating system.

    >>> g = Generator(7)
    >>> g.permutation(5).tolist() == Generator(7).permutation(5).tolist()
    True
    """

    __slots__ = ("_draw", "_key", "_lock")

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._key = self._draw = 0
        if seed is None:
            self.seed()
        else:
            self.manual_seed(seed)

    def __repr__(self) -> str:
        stream = self._key >> 64
        forked = f", stream={stream:#018x}" if stream else ""
        return f"Generator(seed={self.initial_seed()}{forked}, draw={self._draw})"

    # --- the state -------------------------------------------------------------------------

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`, at draw 0; returns the generator.

        Raises:
            ArgumentError: for anything but an integer of at most 64 bits.
        """
        try:
            number = operator.index(seed)
        except TypeError:
            number = 1 << 64
        if not -(1 << 63) <= number < 1 << 64:
            raise ArgumentError(
                "manual_seed: a seed is an integer of at most 64 bits",
                got=repr(seed),
                expected="-2**63 <= seed < 2**64",
            )
        self._restart(number & _WORD)
        tracer = config.tracing.get()
        if tracer is not None:  # at each run of the program, too
            tracer.effect(lambda: self._restart(number & _WORD))
        return self

    def _restart(self, key: int) -> None:
        with self._lock:
            self._key, self._draw = key, 0

    def seed(self) -> int:
        """Start again from a seed the operating system's entropy gives; returns that seed."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed the stream started from (a fork keeps its parent's)."""
        return self._key & _WORD

    def get_state(self) -> dict[str, int]:
        """All there is to know, as plain integers: seed, stream (0 unless forked), draw."""
        with self._lock:
            return {"seed": self._key & _WORD, "stream": self._key >> 64, "draw": self._draw}

    def set_state(self, state: dict[str, int]) -> Generator:
        """Continue where `state`, a result of :meth:`get_state`, was taken.

        Raises:
            ArgumentError: if `state` is not three integers of 64 bits named as above.
        """
        try:
            seed, stream, draw = (operator.index(state[n]) for n in ("seed", "stream", "draw"))
        except (KeyError, TypeError, IndexError):
            seed = stream = draw = -1
        if not all(0 <= word <= _WORD for word in (seed, stream, draw)):
            raise ArgumentError(
                "set_state: not a state of a Generator",
                got=repr(state)[:80],
                expected="{'seed': int, 'stream': int, 'draw': int}, 64 bits each",
            )
        with self._lock:
            self._key, self._draw = stream << 64 | seed, draw
        return self

    def __getstate__(self) -> dict[str, int]:
        return self.get_state()

    def __setstate__(self, state: dict[str, int]) -> None:
        self._lock = threading.Lock()
        self.set_state(state)

    def draw(self) -> tuple[int, int]:
        """Take the next draw: the ``(key, counter)`` to hand to the word ``random_bits``.

        While a function is traced the counter is a number the program asks for at each call.
        """
        tracer = config.tracing.get()
        return self.advance() if tracer is None else tracer.draw(self)

    def peek(self) -> tuple[int, int]:
        """The draw that comes next, without taking it."""
        return self._key, self._draw

    def advance(self) -> tuple[int, int]:
        """Take the next draw, whether or not a function is being traced."""
        with self._lock:
            counter = self._draw
            self._draw = (counter + 1) & _WORD
            return self._key, counter

    def fork(self, *numbers: int) -> Generator:
        """A generator that depends on this one's seed and `numbers` alone, not on its draws.

        ``fork(epoch, index)`` is ``fork(epoch).fork(index)``.

        >>> Generator(1).fork(3, 4).get_state() == Generator(1).fork(3).fork(4).get_state()
        True
        """
        key = self._key
        for number in numbers:
            key = fork_stream(key, operator.index(number) & _WORD) << 64 | key & _WORD
        child = Generator(0)
        child._key = key
        return child

    # --- the arrays: one draw each ---------------------------------------------------------

    def uniform(
        self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: Any = None
    ) -> np.ndarray[Any, Any]:
        """Numbers in ``[low, high)`` made of as many random bits as the dtype has: 24 for float32.

        Raises:
            ArgumentError: unless ``low <= high``, both finite.
            DTypeError: for a dtype that is not floating.

        >>> Generator(0).uniform((2, 3)).shape
        (2, 3)
        """
        if not (low <= high and math.isfinite(high - low)):
            raise ArgumentError("uniform: low must not exceed high", got=f"[{low}, {high})")
        shape, dtype = _as_shape(shape), _floating(dtype)
        out = _unit(*self.draw(), math.prod(shape), dtype)
        if (low, high) != (0.0, 1.0):
            out *= high - low
            out += low
            # Rounding can carry the last few numbers up to `high` itself.
            bottom, top = np.asarray(low, dtype=dtype), np.asarray(high, dtype=dtype)
            out = np.clip(out, bottom, np.nextafter(top, bottom))
        return out.reshape(shape)  # type: ignore[no-any-return]

    def normal(
        self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: Any = None
    ) -> np.ndarray[Any, Any]:
        """Gaussian numbers by the transform of Box and Muller (1958).

        ``z = mean + std * sqrt(-2 ln(1 - u)) * (cos(2 pi v), sin(2 pi v))``: the first half of
        the result, read in rows, takes the cosine and the second half the sine of the same
        pairs (u, v).  ``|z - mean| <= 5.8 std`` in float32 (8.6 in float64).

        Raises:
            ArgumentError: for a negative or not finite `std`, or a `mean` that is not finite.
            DTypeError: for a dtype that is not floating.
        """
        if not (0 <= std < math.inf and math.isfinite(mean)):
            raise ArgumentError("normal: std must be >= 0 and finite", got=f"{mean=}, {std=}")
        shape, dtype = _as_shape(shape), _floating(dtype)
        size = math.prod(shape)
        half = (size + 1) // 2
        work = dtypes.float32 if dtype.itemsize == 2 else dtype
        unit = _unit(*self.draw(), 2 * half, work)
        radius, angle = np.log(1 - unit[:half]), unit[half:]
        radius *= -2
        radius = np.sqrt(radius)
        radius *= std
        angle *= 2 * math.pi
        out = np.concat((np.cos(angle) * radius, np.sin(angle) * radius))
        if mean:
            out += mean
        out = out[:size].reshape(shape)
        return out.astype(dtype, copy=False)

    def integers(self, low: int, high: int, shape: Shape = ()) -> np.ndarray[Any, Any]:
        """int64 numbers in ``[low, high)``, each a 64-bit word modulo the span.

        No number is more likely than another by more than ``(high - low) / 2**64`` in relation:
        one part in four thousand million for a span of 2**32.

        Raises:
            ArgumentError: unless ``low < high``, both within int64.
        """
        if not -(1 << 63) <= low < high < 1 << 63:
            raise ArgumentError(
                "integers: low must be below high, both int64", got=f"[{low}, {high})"
            )
        shape = _as_shape(shape)
        words = random_words(*self.draw(), math.prod(shape))
        words %= int(high) - int(low)
        out = words.astype("int64")
        out += int(low)
        return out.reshape(shape)  # type: ignore[no-any-return]

    def permutation(self, n: int) -> np.ndarray[Any, Any]:
        """The numbers 0 … n-1 (int64) in random order: the shuffle of Fisher and Yates.

        From the last place to the second, each is swapped with one at or before it
        (Knuth, TAOCP 2, algorithm 3.4.2P).

        Raises:
            ArgumentError: if `n` is negative.
        """
        if n < 0:
            raise ArgumentError("permutation: the length must be >= 0", got=n)
        order = list(range(n))
        words = random_words(*self.draw(), max(n - 1, 0)).tolist()
        for i, word in zip(range(n - 1, 0, -1), words, strict=True):
            j = word % (i + 1)
            order[i], order[j] = order[j], order[i]
        return np.asarray(order, dtype="int64")

    def bernoulli(self, p: float, shape: Shape) -> np.ndarray[Any, Any]:
        """A mask that is True with probability `p`, to 32 bits.

        Raises:
            ArgumentError: unless ``0 <= p <= 1``.
        """
        if not 0 <= p <= 1:
            raise ArgumentError("bernoulli: p must be a probability", got=p, expected="0 <= p <= 1")
        shape = _as_shape(shape)
        bits = random_bits(*self.draw(), (math.prod(shape),))
        mask = bits < round(p * 2**32)
        return mask.reshape(shape)  # type: ignore[no-any-return]


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, from which everything draws that is not given another one."""
    return default_generator.manual_seed(seed)


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, int]:
    """The state of the default generator: three integers."""
    return default_generator.get_state()


def set_rng_state(state: dict[str, int]) -> None:
    """Continue the default generator where `state` was taken."""
    default_generator.set_state(state)

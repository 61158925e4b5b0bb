"""Arrays with a hidden first axis, and the speaker that sees past it: what vmap is made of.

``vmap(f)(x)`` calls ``f`` once, with a Tensor on a :class:`Batched` array: all samples at once,
though every shape ``f`` asks for is that of one sample.  Each word of the vocabulary has a rule
(see ``rules*.py``) that says the word to the whole batch, in words of the array inside.  That may
be an array of NumPy, of the native backend or of a recording, or again a Batched array, in a vmap
of a vmap.  Gradients are none of its business: there is one graph, that of the Tensors, and
:mod:`.crossing` has the nodes by which it leads in and out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from deepdive import backend, config
from deepdive.backend import speakers
from deepdive.core.node import Node, next_index
from deepdive.core.tensor import Tensor, asked, data_of
from deepdive.errors import GraphError


class Batched:
    """One sample's array, as a function under vmap sees it; inside are those of all samples.

    Attributes:
        array: the array of all samples, their axis being the first.
        frame: the vmap whose axis that is; None for an array that is the same for all samples,
            ``array`` being that array itself.
        lent: whether the memory belongs to a Tensor from outside.
    """

    __slots__ = ("__weakref__", "array", "dtype", "frame", "lent", "shape")
    __array_ufunc__ = None  # NumPy's arrays and scalars leave their operators to ours,
    outranks = True  # and so do the library's own

    def __init__(self, array: Any, frame: Frame | None, lent: bool = False) -> None:
        self.array = array
        self.frame = frame
        self.lent = lent
        self.dtype = array.dtype
        self.shape = tuple(array.shape if frame is None else array.shape[1:])

    def __repr__(self) -> str:
        lanes = "shared" if self.frame is None else f"{self.frame.size} lanes"
        return f"Batched({self.shape}, {self.dtype.name}, {lanes})"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    # --- looking at values ---------------------------------------------------------------------
    def _one(self) -> Any:
        """The array that is the same for all samples.

        Raises:
            GraphError: if each sample has its own.
        """
        if self.frame is not None:
            raise GraphError(
                "vmap: one value is asked for, and every sample has its own",
                fix="no .item(), print, float(), `if` or loop on tensor values inside; use "
                "where(condition, x, y), or return the tensor and look at it outside",
            )
        return self.array

    def item(self) -> Any:
        return self._one().item()

    def tolist(self) -> Any:
        return self._one().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = speakers.BY_TYPE[Batched].to_numpy(self)
        return array if dtype is None else array.astype(dtype)

    def __bool__(self) -> bool:
        return bool(self._one())

    def __float__(self) -> float:
        return float(self._one())

    def __int__(self) -> int:
        return int(self._one())

    def __index__(self) -> int:
        return self._one().__index__()  # type: ignore[no-any-return]


class Frame:
    """One vmap at work: how many samples, what surrounds it, and its policy for random numbers.

    While its function runs it stands where a tracer does (``config.tracing``): it is asked for
    the arrays of Tensors from outside and for random draws.
    """

    entrance: Callable[[Frame, Node], Node]  # see :mod:`.crossing`

    def __init__(self, size: int, randomness: str) -> None:
        self.size = size
        self.randomness = randomness
        self.tracer = config.tracing.get()
        self.recorder = config.lazy_mode.get()
        self.start = next_index()  # younger nodes are made inside
        self.lent: dict[int, tuple[Tensor, Any]] = {}
        self.entrances: dict[Node, Node] = {}
        self.origin = ""

    # --- entering and leaving ------------------------------------------------------------------
    @contextmanager
    def inside(self) -> Iterator[None]:
        """Here everything is done to all samples at once."""
        recording = config.lazy_mode.set(speakers.BY_TYPE[Batched])
        tracing = config.tracing.set(self)
        try:
            yield
        finally:
            config.tracing.reset(tracing)
            config.lazy_mode.reset(recording)
            for tensor, array in self.lent.values():
                if type(tensor._data) is Batched:
                    tensor._data = array
            self.lent = {}
            self.entrances = {}

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Here things are as they were where vmap was called."""
        recording = config.lazy_mode.set(self.recorder)
        tracing = config.tracing.set(self.tracer)
        try:
            yield
        finally:
            config.tracing.reset(tracing)
            config.lazy_mode.reset(recording)

    # --- operands ------------------------------------------------------------------------------
    def over(self, x: Any) -> bool:
        """Whether every sample has an `x` of its own."""
        return type(x) is Batched and x.frame is self

    def lifted(self, x: Any, rank: int) -> Any:
        """The array of all samples, with axes of size 1 so that a sample has `rank` axes."""
        if not self.over(x):
            return x
        missing = rank - len(x.shape)
        if missing <= 0:
            return x.array
        ones = (1,) * missing
        return self.shaped(x.array, *ones, *x.shape)

    def spread(self, x: Any) -> Any:
        """The array of all samples, what they share being repeated as a view."""
        if self.over(x):
            return x.array
        if not hasattr(x, "shape"):
            x = self.call("asarray", x)
        return self.call("broadcast_to", x, (self.size, *x.shape))

    def shaped(self, x: Any, *shape: int) -> Any:
        """The array of all samples, each of which gets `shape`."""
        return self.call("reshape", x, (self.size, *shape))

    def ordered(self, x: Any, *order: int) -> Any:
        """The array of all samples with all its axes in another order."""
        return self.call("permute_dims", x, order)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Say a word to the arrays inside."""
        kinds = set(_kinds(args))
        if Batched in kinds:
            return getattr(speakers.BY_TYPE[Batched], name)(*args, **kwargs)
        if self.tracer is not None or self.recorder is not None:
            with self.outside():
                return _shared(_speaker_of(kinds, self.recorder), name, args, kwargs)
        return _shared(_speaker_of(kinds, None), name, args, kwargs)

    def deeper_than(self, other: Frame) -> bool:
        """Whether this vmap's function runs inside the other's.

        Of two that ran one after the other, the first comes back in a backward pass that the
        second calls for: then it is inside.
        """
        if self.is_around(other) or other.is_around(self):
            return other.is_around(self)
        return self.start < other.start

    def is_around(self, other: Frame) -> bool:
        """Whether `other` was entered while this one was at work."""
        around = other.tracer
        while isinstance(around, Frame):
            if around is self:
                return True
            around = around.tracer
        return False

    # --- what a tracer is asked for ------------------------------------------------------------
    def adopt(self, tensor: Tensor) -> Any:
        """The array of a Tensor; one from outside is shared by all samples."""
        array = tensor._data
        if type(array) is Batched:
            return array
        self.lent.setdefault(id(tensor), (tensor, array))
        with self.outside():
            held = data_of(tensor)
        return held if type(held) is Batched else Batched(held, None, lent=True)

    def parents(self, nodes: Any) -> list[Any]:
        """The nodes as seen from inside: those from outside are reached through an entrance."""
        return [n if n is None or n.index >= self.start else self._entrance(n) for n in nodes]

    def _entrance(self, node: Node) -> Node:
        if node not in self.entrances:
            self.entrances[node] = self.entrance(self, node)
        return self.entrances[node]

    def cleared(self, tensor: Tensor) -> None:
        """A Tensor's gradient is forgotten: nothing to note."""

    def saw(self, module: Any) -> None:
        """A module takes part."""
        if self.tracer is not None:
            self.tracer.saw(module)

    def effect(self, action: Callable[[], None]) -> None:
        """Something a compiled program does at each run."""
        if self.tracer is not None:
            self.tracer.effect(action)

    def fresh(self, array: Any) -> Any:
        """An array just made."""
        return _boxed(array if self.tracer is None else self.tracer.fresh(array))

    def array(self, array: Any) -> Any:
        """A bare array."""
        return Batched(array, None)

    def asked(self, array: Any, question: Callable[[Any], Any], now: bool = True) -> Any:
        """``question(values)`` for each sample: the answer if all have the same, else None."""
        if self.over(array):
            parts = [self.call("getitem", array.array, i) for i in range(self.size)]
        else:
            parts = [array.array if type(array) is Batched and array.frame is None else array]
        with self.outside():
            answers = [asked(part, question, now) for part in parts]
        same = all(answer == answers[0] for answer in answers)
        return answers[0] if answers and same else None

    def draw(self, generator: Any) -> tuple[Any, Any]:
        """The next random draw; the word ``random_bits`` makes it one per sample."""
        self.check_randomness()
        with self.outside():
            return generator.draw()  # type: ignore[no-any-return]

    def drawn(self, generator: Any, draw: Callable[[], Any]) -> Any:
        """Random numbers drawn by the host: one draw for all, or one per sample."""
        self.check_randomness()
        with self.outside():
            if self.randomness == "same":
                return Batched(_drawn(self.tracer, generator, draw), None)
            draws = [_drawn(self.tracer, generator, draw) for _ in range(self.size)]
            return Batched(_speaker_of({type(draws[0])}, None).stack(draws), self)

    def check_randomness(self) -> None:
        """Refuse random numbers unless it was said what they should be.

        Raises:
            GraphError: if the policy is ``"error"``.
        """
        if self.randomness == "error":
            raise GraphError(
                "vmap: the function draws random numbers",
                fix="vmap(f, randomness='different') for a draw per sample, or 'same' for one",
            )


def _boxed(array: Any) -> Batched:
    return array if type(array) is Batched else Batched(array, None)


def _drawn(tracer: Any, generator: Any, draw: Callable[[], Any]) -> Any:
    return draw() if tracer is None else tracer.drawn(generator, draw)


def _kinds(args: Any) -> Iterator[type]:
    """The types of all arrays among the arguments, inside lists and tuples too."""
    for arg in args:
        kind = type(arg)
        if kind is tuple or kind is list:
            yield from _kinds(arg)
        elif kind in speakers.BY_TYPE:
            yield kind


def _speaker_of(kinds: set[type], recorder: Any) -> Any:
    """The speaker for arrays of these types; one that can adopt the others goes first."""
    found = [speakers.BY_TYPE[kind] for kind in kinds]
    if not found:
        return recorder or speakers.of_device(config.defaults.device)
    return next((each for each in found if hasattr(each, "adopt")), found[0])


def _shared(xp: Any, name: str, args: Any, kwargs: Any) -> Any:
    """The word said by an ordinary speaker; whole-array reductions give arrays as well."""
    out = getattr(xp, name)(*args, **kwargs) if hasattr(xp, name) else _defined(name, xp)(*args)
    if isinstance(out, (tuple, list)):
        return tuple(out)
    if type(out) is Batched and out.frame is None:
        return out.array
    return out if type(out) in speakers.BY_TYPE else xp.as_zero_d(out)


def definition(name: str) -> Any:
    """How a word is said in core words, where that is written down (``backend/extended*.py``)."""
    for module in _extended():
        found = getattr(module, name, None)
        if found is not None:
            return found
    return None


def _defined(name: str, xp: Any) -> Callable[..., Any]:
    found = definition(name)
    if found is None:
        raise AttributeError(f"{xp!r} has no word {name!r}")
    return partial(found, xp)


def _extended() -> list[Any]:
    if not _EXTENDED:
        names = [m.name for m in iter_modules(backend.__path__) if m.name.startswith("extended")]
        _EXTENDED.extend(import_module(f"{backend.__name__}.{name}") for name in names)
    return _EXTENDED


_EXTENDED: list[Any] = []

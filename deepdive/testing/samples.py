"""Sample calls for operators: what the laws are tried on.

A new operator whose inputs are plain float arrays and whose fields have defaults needs nothing
here.  Others say how they are called, in one of three ways::

    @register
    class Gather(Operator):
        @staticmethod
        def samples(draw):            # beside the operator
            yield Sample((draw(3, 4), 1, draw.indices(4, (3, 2))))

    @samples_for("gather")            # beside the tests: tests/ops/sample_table.py
    def _gather(draw):
        yield Sample((draw(3, 4), 1, draw.indices(4, (3, 2))))

    check_operator(gather, samples=[Sample((x, 1, index))])

``domain = (low, high)`` on the class limits the numbers drawn by default; a dict of input names
limits single inputs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from deepdive.core.contract import REQUIRED
from deepdive.core.operator import REGISTRY, public_function
from deepdive.errors import OperatorError
from deepdive.ops.creation import CREATORS

Domain = tuple[float, float]
Generator = Callable[["Draw"], Iterator["Sample"]]

TABLE: dict[str, Generator] = {}  # public name → generator of samples


def registered_functions() -> Iterator[tuple[str, Any]]:
    """Each registered function once, under its main name; makers of tensors have no laws."""
    seen = set()
    for name, function in REGISTRY.items():
        if name not in CREATORS and id(function) not in seen:
            seen.add(id(function))
            yield name, function


class Sample(NamedTuple):
    """One call: ``function(*args, **kwargs)``; arrays in it become Tensors.

    Attributes:
        args: positional arguments; arrays may stand inside lists.
        kwargs: arguments by name.
        optional: a call drawn by guess, which the operator may refuse with one of our errors.
        torch: whether PyTorch takes the same call.
        fixed: positions or names of arguments that have no gradient though they are floating.
        symmetric: positions of arguments that move among symmetric matrices only.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = {}
    optional: bool = False
    torch: bool = True
    fixed: tuple[int | str, ...] = ()
    symmetric: tuple[int | str, ...] = ()

    def __str__(self) -> str:
        values = [_short(value) for value in self.args]
        values += [f"{name}={_short(value)}" for name, value in self.kwargs.items()]
        return f"({', '.join(values)})"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.name}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_short(item) for item in value)}]"
    return repr(value)


class Draw:
    """Random float64 arrays: ``draw(3, 4)`` stays away from 0, where many functions have kinks.

    >>> Draw(0)(2, 3).shape
    (2, 3)
    """

    def __init__(self, seed: int, domain: Domain | None = None) -> None:
        self.random = np.random.default_rng(seed)
        self.domain = domain

    def __call__(self, *shape: int, domain: Domain | None = None) -> Any:
        low, high = domain or self.domain or (-math.inf, math.inf)
        if low == -math.inf and high == math.inf:
            size = self.random.uniform(0.2, 1.3, shape)
            return np.asarray(size * self.random.choice([-1.0, 1.0], shape))
        if high == math.inf:
            return np.asarray(low + self.random.uniform(0.3, 2.0, shape))
        if low == -math.inf:
            return np.asarray(high - self.random.uniform(0.3, 2.0, shape))
        margin = 0.05 * (high - low)
        return np.asarray(self.random.uniform(low + margin, high - margin, shape))

    def positive(self, *shape: int) -> Any:
        """Numbers between 0.3 and 2."""
        return self(*shape, domain=(0.0, math.inf))

    def indices(self, n: int, shape: Any) -> Any:
        """Whole numbers in [0, n)."""
        return np.asarray(self.random.integers(0, n, shape))

    def flags(self, *shape: int) -> Any:
        """Booleans."""
        return np.asarray(self.random.random(shape) < 0.5)


def samples_for(*names: str) -> Callable[[Generator], Generator]:
    """Enter a generator of samples for the functions registered under `names`."""

    def enter(generator: Generator) -> Generator:
        TABLE.update(dict.fromkeys(names, generator))
        return generator

    return enter


def names_of(function: Any) -> list[str]:
    """All public names of a registered function, the main one first."""
    return [name for name, entry in REGISTRY.items() if entry is function]


def samples_of(function: Any, seed: int = 0) -> list[Sample]:
    """The sample calls of a function: from the table, from its class, or from its signature.

    Raises:
        OperatorError: if none can be thought up, saying how to give some.

    >>> import deepdive as dd
    >>> [str(sample) for sample in samples_of(dd.exp)][:2]
    ['(float64[3, 4])', '(float64[5])']
    """
    operator = getattr(function, "operator", None)
    names = names_of(function) or [getattr(function, "__name__", "?")]
    draw = Draw(seed)
    known = [TABLE[name] for name in names if name in TABLE]
    own = getattr(operator, "samples", None)
    if own is not None or known:
        return list((own or known[0])(draw))
    if operator is not None and hasattr(operator, "contract"):
        found = list(_of_contract(operator, draw))
    else:
        found = list(_of_signature(function, draw))
    if not found:
        raise OperatorError(
            f"{names[0]}: no sample call can be guessed, so its laws cannot be tested",
            fix=f"give it samples: @samples_for({names[0]!r}) in tests/ops/sample_table*.py, or a "
            "static method `samples(draw)` in its class; see deepdive/testing/samples.py",
        )
    return found


UNARY: tuple[tuple[int, ...], ...] = ((3, 4), (5,), (1,), (), (2, 1, 3), (0, 3))
BINARY: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((3, 4), (3, 4)),
    ((3, 1), (4,)),
    ((4,), (2, 3, 1)),
    ((2, 3), ()),
    ((), (2,)),
    ((), ()),
    ((1, 1), (3, 2)),
    ((0, 3), (1, 3)),
)


def _of_contract(operator: Any, draw: Draw) -> Iterator[Sample]:
    """Samples for plain float inputs; none if a field has no default or inputs are variadic."""
    contract = operator.contract
    if contract.variadic or REQUIRED in contract.fields.values():
        return
    domain = getattr(operator, "domain", None)
    names = contract.inputs[: contract.required]
    limits = [domain.get(n) if isinstance(domain, dict) else domain for n in names]
    shapes = [(s,) for s in UNARY] if len(names) == 1 else [_stretched(s, names) for s in BINARY]
    ordered = contract.order[: len(names)] == names
    for row in shapes:
        arrays = [draw(*shape, domain=limit) for shape, limit in zip(row, limits, strict=True)]
        if ordered:
            yield Sample(tuple(arrays), optional=True)
        else:
            yield Sample((), dict(zip(names, arrays, strict=True)), optional=True)


def _stretched(pair: Any, names: Any) -> list[Any]:
    return [pair[i % 2] for i in range(len(names))]


def _of_signature(function: Any, draw: Draw) -> Iterator[Sample]:
    """Samples for a derived function of one tensor, all other arguments left out."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in kinds and p.default is p.empty]
    if len(required) == 1:
        for shape in UNARY:
            yield Sample((draw(*shape),), optional=True)


def public(function: Any) -> Any:
    """The function behind a name, an operator class or a function.

    Raises:
        OperatorError: for an unknown name, or a class that is no operator.
    """
    if isinstance(function, str):
        if function not in REGISTRY:
            raise OperatorError(f"check_operator: nothing is registered as {function!r}")
        return REGISTRY[function]
    if not isinstance(function, type):
        return function
    if hasattr(function, "contract"):
        made = public_function(function)
        made.operator = function  # type: ignore[attr-defined]
        made.__name__ = function.__name__
        return made
    if hasattr(function, "apply"):
        return function.apply
    raise OperatorError(f"check_operator: {function!r} is no operator")

"""einsum: products of tensors by named axes, pair by pair as matrix products."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.creation import as_tensor
from deepdive.ops.rearranging import diagonal
from deepdive.ops.shape import BroadcastTo, Permute, Reshape

Labels = tuple[str, ...]


class Term(NamedTuple):
    """A tensor and a name for each of its axes."""

    x: Any
    labels: Labels

    def size(
        self,
        label: str,
    ) -> int:
        return int(self.x.shape[self.labels.index(label)])


@derive("einsum", method=False)
def einsum(
    equation: Any,
    *operands: Any,
) -> Tensor:
    """Products of tensors, summed over the axes that the result does not name.

    ``einsum("bij, bjk -> bik", x, y)``: a letter for each axis, ``...`` for all that have none; a
    letter twice in one tensor takes its diagonal.  Without ``->`` the result has the letters that
    occur once, in alphabetical order.  Also as ``einsum(x, [0, 1], y, [1, 2], [0, 2])``.

    Raises:
        ArgumentError: for an equation that does not fit the tensors.
        ShapeError: for axes of one name and different extents.

    >>> import deepdive as dd
    >>> x = dd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> einsum("ii", x), einsum("ij,kj->ik", x, x)
    (tensor(5.), tensor([[ 5., 11.],
                         [11., 25.]]))
    """
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    terms, out = _parsed(equation, [as_tensor(x) for x in operands])
    terms = [_own_sums(_diagonals(term), terms, i, out) for i, term in enumerate(terms)]
    while len(terms) > 1:
        i, j = _cheapest(terms, out)
        second, first = terms.pop(j), terms.pop(i)
        kept = {*out}.union(*(term.labels for term in terms))
        terms.append(_product(first, second, kept))
    [term] = terms
    term = _summed(term, [label for label in term.labels if label not in out])
    order = tuple(term.labels.index(label) for label in out)
    return term.x if order == tuple(range(len(order))) else Permute(order)(term.x)


# --- reading the equation ----------------------------------------------------------------------
def _from_lists(parts: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The equation of the form with a list of numbers behind each tensor."""

    def letters(numbers: Any) -> str:
        return "".join("..." if n is Ellipsis else _letter(n) for n in numbers)

    operands = tuple(parts[0::2][: len(parts) // 2])
    inputs = [letters(numbers) for numbers in parts[1::2]]
    result = f"->{letters(parts[-1])}" if len(parts) % 2 else ""
    return ",".join(inputs) + result, operands


def _letter(number: int) -> str:
    if not 0 <= number < 52:
        raise ArgumentError("einsum: the numbers of axes", got=number, expected="0 … 51")
    return chr(ord("A") + number) if number < 26 else chr(ord("a") + number - 26)


def _parsed(
    equation: str,
    operands: list[Any],
) -> tuple[list[Term], Labels]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(operands):
        raise ArgumentError(
            f"einsum: {equation!r} is for {len(parts)} tensors", got=f"{len(operands)}"
        )
    terms = [_term(equation, part, x) for part, x in zip(parts, operands, strict=True)]
    dots: Labels = max(
        (tuple(label for label in term.labels if len(label) > 1) for term in terms), key=len
    )
    if arrow:
        result = right.replace("...", "." * len(dots))
        out = (*_letters(result, dots),)
    else:
        counts = Counter(letter for part in parts for letter in part.replace(".", ""))
        once = sorted(letter for letter, count in counts.items() if count == 1)
        out = (*dots, *once)
    known = {label for term in terms for label in term.labels}
    if not known.issuperset(out) or len({*out}) != len(out):
        raise ArgumentError(
            f"einsum: the result of {equation!r} names axes twice, or such as no tensor has"
        )
    _check_sizes(equation, terms)
    return terms, out


def _letters(text: str, dots: Labels) -> Any:
    """The labels of a part: its letters, and `dots` in order for its points."""
    rest = iter(dots)
    return [next(rest) if letter == "." else letter for letter in text]


def _term(
    equation: str,
    part: str,
    x: Any,
) -> Term:
    """A tensor with its labels; axes under an Ellipsis are counted from the last: ``.1``."""
    named = part.replace("...", "")
    free = x.ndim - len(named)
    dotted = "..." in part
    if (not named.isalpha() and named) or free < 0 or (free and not dotted):
        raise ArgumentError(
            f"einsum: {part!r} in {equation!r} does not fit a tensor of {x.ndim} axes",
            got=f"shape {tuple(x.shape)}",
        )
    dots = tuple(f".{free - i}" for i in range(free))
    return Term(x, tuple(_letters(part.replace("...", "." * free), dots)))


def _check_sizes(equation: str, terms: list[Term]) -> None:
    sizes: dict[str, int] = {}
    for term in terms:
        for label, n in zip(term.labels, term.x.shape, strict=True):
            if sizes.setdefault(label, n) == 1:
                sizes[label] = n
            if n not in (1, sizes[label]):
                raise ShapeError(
                    f"einsum: axis {label!r} of {equation!r} has two extents",
                    got=f"{sizes[label]} and {n}",
                )


# --- one tensor --------------------------------------------------------------------------------
def _diagonals(term: Term) -> Term:
    """Axes of the same name made one: their diagonal."""
    x, labels = term
    for label, count in Counter(labels).items():
        for _ in range(count - 1):
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = diagonal(x, 0, first, second)
            rest = [other for i, other in enumerate(labels) if i not in (first, second)]
            labels = (*rest, label)
    return Term(x, labels)


def _own_sums(
    term: Term,
    terms: list[Term],
    place: int,
    out: Labels,
) -> Term:
    """`term` summed over the axes that nobody else names."""
    others = {label for i, other in enumerate(terms) if i != place for label in other.labels}
    return _summed(term, [n for n in term.labels if n not in others and n not in out])


def _summed(term: Term, gone: Sequence[str]) -> Term:
    if not gone:
        return term
    axes = tuple(term.labels.index(label) for label in gone)
    return Term(term.x.sum(axes), tuple(n for n in term.labels if n not in gone))


# --- two tensors -------------------------------------------------------------------------------
def _cheapest(terms: list[Term], out: Labels) -> tuple[int, int]:
    """The pair whose product is smallest, the first of equal ones."""
    best: Any = None
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            rest = [term.labels for k, term in enumerate(terms) if k not in (i, j)]
            kept = {*out}.union(*rest)
            sizes = dict(zip(terms[i].labels, terms[i].x.shape, strict=True))
            for label, n in zip(terms[j].labels, terms[j].x.shape, strict=True):
                sizes[label] = max(n, sizes.get(label, 1))
            cost = math.prod(n for label, n in sizes.items() if label in kept)
            if best is None or cost < best[0]:
                best = cost, i, j
    return best[1], best[2]


def _product(
    first: Term,
    second: Term,
    kept: set[str],
) -> Term:
    """Two tensors multiplied, summed over what is not kept: one batched matrix product."""
    first, second = _evened(first, second, kept)
    shared = [label for label in first.labels if label in second.labels]
    batch = [label for label in shared if label in kept]
    summed = [label for label in shared if label not in kept]
    left = [label for label in first.labels if label not in shared]
    right = [label for label in second.labels if label not in shared]
    x = _arranged(first, batch, left, summed)
    y = _arranged(second, batch, summed, right)
    sizes = [*(first.size(label) for label in (*batch, *left))]
    sizes += [second.size(label) for label in right]
    return Term(Reshape(tuple(sizes))(x @ y), (*batch, *left, *right))


def _evened(
    first: Term,
    second: Term,
    kept: set[str],
) -> tuple[Term, Term]:
    """An axis of extent 1 that meets a longer one is broadcast, or both are summed apart."""
    pair = [first, second]
    for label in first.labels:
        if label not in second.labels or first.size(label) == second.size(label):
            continue
        short = 0 if first.size(label) == 1 else 1
        if label not in kept:
            pair = [_summed(term, [label]) for term in pair]
            continue
        x, labels = pair[short]
        axis = labels.index(label)
        shape = [*x.shape]
        shape[axis] = pair[1 - short].size(label)
        pair[short] = Term(BroadcastTo(tuple(shape))(x), labels)
    return pair[0], pair[1]


def _arranged(term: Term, *groups: list[str]) -> Any:
    """The tensor as (batch, rows, columns), the groups of axes merged."""
    order = tuple(term.labels.index(label) for group in groups for label in group)
    x = term.x if order == tuple(range(len(order))) else Permute(order)(term.x)
    sizes = tuple(math.prod(term.size(label) for label in group) for group in groups)
    return Reshape(sizes)(x)

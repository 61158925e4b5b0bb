"""A limit on what may be made while a file says what to make.

A line of text can describe more memory than any machine has.  Inside a ``with limited(…)`` block
those who make tensors and modules report each one, and the one beyond the limit is an error
before it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from deepdive.errors import CheckpointError


class Budget:
    """What may still be made: so many elements, in so many tensors and modules."""

    __slots__ = ("elements", "things")

    def __init__(self, elements: int, things: int) -> None:
        self.elements = elements
        self.things = things


budget: ContextVar[Budget | None] = ContextVar("deepdive_budget", default=None)


@contextmanager
def limited(elements: int, things: int) -> Iterator[None]:
    """Inside the block no more is made than so many elements, in so many tensors and modules.

    >>> with limited(1000, 10):
    ...     spend(10_000)
    Traceback (most recent call last):
        ...
    deepdive.errors.CheckpointError: the file describes a model far larger than its weights
    """
    token = budget.set(Budget(elements, things))
    try:
        yield
    finally:
        budget.reset(token)


def spend(elements: int) -> None:
    """Report that so many elements are about to be made.

    Raises:
        CheckpointError: if they are too many.
    """
    now = budget.get()
    if now is None:
        return
    now.elements -= elements
    now.things -= 1
    if now.elements < 0 or now.things < 0:
        raise CheckpointError("the file describes a model far larger than its weights")

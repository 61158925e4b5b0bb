"""What every check prints: what is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent  # of the repository


class Violation(NamedTuple):
    """One broken rule: the place, what is wrong, what to do."""

    path: str
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}\n  fix: {self.fix}"


def report(subject: str, found: Sequence[Violation]) -> int:
    """Print the violations and their number; returns the exit code.

    >>> report("budgets", [])
    budgets: kept
    0
    """
    for violation in found:
        print(violation)
    number = f"{len(found)} violation{'s' if len(found) > 1 else ''}"
    print(f"{subject}: {number if found else 'kept'}")
    return 1 if found else 0

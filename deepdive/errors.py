"""Every exception the library raises on purpose, and the one shape they all have.

An error answers five questions: what failed, what was got, what was expected, where, and
how to fix it.  ``where`` grows while the exception travels up through modules, so that the
last line reads ``in Net.head: Linear(in_features=512, out_features=10)``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_NAME = 100


class DeepDiveError(Exception):
    """Base of all errors of the library.

    Args:
        what: the operation and what went wrong with it, in one line.
        got: what was found (optional).
        expected: what would have been right (optional).
        where: the place: a module path, a file and line, an argument (optional).
        fix: the line to write or the command to run instead (optional).

    >>> print(ShapeError("matmul: 784 != 512", got="(256, 784) @ (512, 10)", fix="use w.T"))
    matmul: 784 != 512
      got: (256, 784) @ (512, 10)
      fix: use w.T
    """

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        expected: object = None,
        where: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.got = got
        self.expected = expected
        self.where: list[str] = [where] if where else []
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.got is not None:
            lines.append(f"  got: {self.got}")
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        lines += [f"  in {place}" for place in self.where]
        if self.fix is not None:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__))


def _rebuild(cls: type[DeepDiveError], state: dict[str, object]) -> DeepDiveError:
    error = cls(str(state["what"]))
    error.__dict__.update(state)
    return error


class ShapeError(DeepDiveError, ValueError):
    """Shapes that do not go together."""


class IndexRangeError(ShapeError, IndexError):
    """An axis or index that is not there; also an IndexError, which ends Python's loops over
    sequences."""


class DTypeError(DeepDiveError, TypeError):
    """A data type the operation has no meaning for."""


class DeviceError(DeepDiveError, RuntimeError):
    """A device that is not there, or two devices in one operation."""


class OutOfMemoryError(DeepDiveError, MemoryError):
    """A device without room for the next array; the message has a summary of its memory."""


class GraphError(DeepDiveError, RuntimeError):
    """A backward pass, an in-place change or a hook that the recorded graph forbids."""


class ExchangeError(DeepDiveError, BufferError):
    """An array that cannot be shared with another library."""


class NonFiniteError(DeepDiveError, ArithmeticError):
    """A NaN or an infinity where anomaly detection looks for one."""


class OperatorError(DeepDiveError, TypeError):
    """An operator class, or a call of one, that does not follow the operator contract."""


class ArgumentError(DeepDiveError, ValueError):
    """A parameter of a layer, optimizer, loader or command outside its domain."""


class DataError(DeepDiveError, ValueError):
    """A data file or a data set that is missing, truncated, or not what it says it is."""


class CheckpointError(DeepDiveError, RuntimeError):
    """A saved model that is damaged, or that does not fit."""


class MissingExtraError(DeepDiveError, ImportError):
    """An optional dependency that is not installed; the message has the install line."""


def missing_extra(package: str, extra: str, purpose: str) -> MissingExtraError:
    """The error for an absent optional package, with the command that installs it.

    >>> print(missing_extra("datasets", "hf", "reading Hugging Face data sets"))
    reading Hugging Face data sets needs the package 'datasets'
      fix: pip install 'deepdive-ml[hf]'
    """
    return MissingExtraError(
        f"{purpose} needs the package '{package}'",
        fix=f"pip install 'deepdive-ml[{extra}]'",
    )


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The text ``did you mean 'x'?`` for the nearest known names, or None.

    >>> did_you_mean("sofmax", ["softmax", "relu"])
    "did you mean 'softmax'?"
    """
    if len(name) > LONGEST_NAME:  # comparing takes the square of its length
        return None
    near = difflib.get_close_matches(name, list(known), n=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else None

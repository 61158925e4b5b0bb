"""What a word is: a name, parameters, a rule for shapes, a rule for dtypes, and a meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from deepdive.errors import OperatorError, did_you_mean

ShapeRule = Callable[..., Any]
DTypeRule = Callable[[str, Mapping[str, Any]], Any]

DEFAULTS = {"None": None, "False": False, "0": 0, "1": 1, "-1": -1, "0.0": 0.0}


class Word(NamedTuple):
    """One word.

    ``shape_rule`` takes the word's name and then all its arguments by name, ``dtype_rule`` the
    same as a mapping; ``example`` is a call and its value, which holds for every speaker.  *Core*
    words every speaker implements; the others can be said in core words, and a speaker may still
    have its own.

    >>> from deepdive.backend.vocabulary import VOCABULARY
    >>> print(VOCABULARY["logaddexp"])
    logaddexp(x, y)  log(e^x + e^y)  e.g. xp.logaddexp(0.0, 0.0) → 0.6931472
    """

    name: str
    parameters: str
    shape_rule: ShapeRule
    dtype_rule: DTypeRule
    meaning: str
    example: str
    core: bool

    def __str__(self) -> str:
        return f"{self.name}({self.parameters})  {self.meaning}  e.g. {self.example}"

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments by name, in order, with the defaults of those that were not given.

        Raises:
            OperatorError: for arguments the word does not have or does not get.
        """
        names, defaults = _parsed(self.parameters)
        given = {**defaults, **dict(zip(names, args, strict=False))}
        given |= kwargs
        if len(args) > len(names) or given.keys() != set(names):
            raise self._misfit(names, args, given)
        return {name: given[name] for name in names}

    def _misfit(self, names: list[str], args: Any, given: Mapping[str, Any]) -> OperatorError:
        """The error for arguments that do not fit the parameters."""
        expected, fix = f"{self.name}({self.parameters})", None
        missing = [name for name in names if name not in given]
        unknown = [name for name in given if name not in names]
        if unknown:
            problem, fix = f"no parameter {unknown[0]!r}", did_you_mean(unknown[0], names)
        elif missing:
            problem = f"{missing[0]!r} is missing"
        else:
            problem = f"{len(args)} arguments"
        return OperatorError(f"{self.name}: {problem}", expected=expected, fix=fix)

    def result(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """The shape of the result and its dtype; a list of shapes if there are several results."""
        given = self.bind(args, kwargs)
        return self.shape_rule(self.name, **given), self.dtype_rule(self.name, given)


@cache
def _parsed(parameters: str) -> tuple[list[str], dict[str, Any]]:
    """The names of parameters, and the defaults of those that have one."""
    slots = [text.partition("=") for text in parameters.split(", ")]
    defaults = {name: DEFAULTS[text] for name, has_default, text in slots if has_default}
    return [name for name, _, _ in slots], defaults


VOCABULARY: dict[str, Word] = {}

DERIVED = """
    zeros_like ones_like eye square reciprocal log2 log10 tan sinh cosh asinh acosh atanh sigmoid
    erf isinf isfinite not_equal logical_xor logaddexp clip mean logsumexp stack tril triu roll
    squeeze expand_dims
"""
EXTENDED = frozenset(DERIVED.split())


def family(
    parameters: str, shape: ShapeRule, dtype: DTypeRule, *entries: tuple[str, str, str]
) -> None:
    """Enter words that share parameters and rules: name, meaning, example of each."""
    for name, meaning, example in entries:
        core = name not in EXTENDED
        VOCABULARY[name] = Word(name, parameters, shape, dtype, meaning, example, core)

"""Check that the code stays small enough to be read: files, functions, lines, tokens.

    python tools/check_budgets.py                  check everything, exit code 1 on a violation
    python tools/check_budgets.py --reading-path   the files to read first, with their sizes

A *code line* holds at least one token that is not a comment or a docstring.  The tokens rule is
there because caps on lines alone buy density: a file averages at most 11 tokens per code line.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from report import ROOT, Violation, report

FILE_LINES = 500
FUNCTION_CODE_LINES = 40
COLUMNS = 100
TOKENS_PER_CODE_LINE = 11.0
READING_PATH_CODE_LINES = 3500

CODE = ("deepdive", "tools", "benchmarks", "examples", "tour")
TESTS = ("tests",)  # tables of cases are dense by nature: only files and lines are limited

# The order to read the heart of the library in; globs below the repository's root.
READING_PATH = (
    "deepdive/backend/vocabulary/word*.py",
    "deepdive/backend/numpy_cpu.py",
    "deepdive/core/*.py",
    "deepdive/core/autograd/*.py",
    "deepdive/ops/elementwise*.py",
    "deepdive/ops/reduce*.py",
    "deepdive/ops/shape*.py",
    "deepdive/ops/linalg*.py",
    "deepdive/nn/module*.py",
)

NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
# Since Python 3.12 an f-string is many tokens; here it is one, on every version.
FSTRING_START = getattr(tokenize, "FSTRING_START", -1)
FSTRING_END = getattr(tokenize, "FSTRING_END", -1)


class Source(NamedTuple):
    """A parsed file: its lines, its functions, its code tokens as (first line, last line)."""

    lines: list[str]
    tree: ast.Module
    tokens: list[tuple[int, int]]

    @property
    def code_lines(self) -> set[int]:
        """The numbers of all lines that hold code."""
        return {n for first, last in self.tokens for n in range(first, last + 1)}


def read(path: Path) -> Source:
    """Parse a file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(path))
    docstrings = set(_docstring_lines(tree))
    spans = [span for span in _token_spans(text) if span[0] not in docstrings]
    return Source(text.splitlines(), tree, spans)


def _token_spans(text: str) -> Iterator[tuple[int, int]]:
    """First and last line of each code token, an f-string counting as one."""
    fstring_starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == FSTRING_START:
            fstring_starts.append(token.start[0])
        elif token.type == FSTRING_END:
            start = fstring_starts.pop()
            if not fstring_starts:
                yield start, token.end[0]
        elif token.type not in NOT_CODE and not fstring_starts:
            yield token.start[0], token.end[0]


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    """Lines of all docstrings: strings that are statements."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def check_file(path: Path, name: str, *, dense: bool = False) -> Iterator[Violation]:
    """The broken budgets of one file; `dense` files are spared the rules on functions and tokens.

    A file that is no Python is one violation itself.
    """
    try:
        source = read(path)
    except (SyntaxError, tokenize.TokenError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None) or 1
        yield Violation(name, line, f"not Python: {error}", "mend the syntax")
        return
    yield from _check_lines(source, name)
    if not dense:
        yield from _check_functions(source, name)
        yield from _check_tokens(source, name)


def _check_lines(source: Source, name: str) -> Iterator[Violation]:
    if len(source.lines) > FILE_LINES:
        what = f"{len(source.lines)} lines, {FILE_LINES} allowed"
        yield Violation(name, 1, what, "split the file by subject")
    for number, line in enumerate(source.lines, start=1):
        if len(line) > COLUMNS:
            what = f"{len(line)} columns, {COLUMNS} allowed"
            yield Violation(name, number, what, "break the line, or name a part of it")


def _check_functions(source: Source, name: str) -> Iterator[Violation]:
    code = source.code_lines
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            size = sum(n in code for n in body)
            if size > FUNCTION_CODE_LINES:
                what = f"{node.name}: {size} code lines, {FUNCTION_CODE_LINES} allowed"
                yield Violation(name, node.lineno, what, "give a part of it a name of its own")


def _check_tokens(source: Source, name: str) -> Iterator[Violation]:
    if not source.tokens:
        return
    mean = len(source.tokens) / len(source.code_lines)
    if mean > TOKENS_PER_CODE_LINE:
        what = f"{mean:.2f} tokens per code line, {TOKENS_PER_CODE_LINE:g} allowed"
        yield Violation(name, 1, what, "one thought a line: name the parts of long expressions")


def check_tree(root: Path) -> list[Violation]:
    """All broken budgets below `root`, the reading path's included."""
    found: list[Violation] = []
    for folder in (*CODE, *TESTS):
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            found += check_file(path, name, dense=folder in TESTS)
    total = sum(size for _, size in reading_path(root))
    if total > READING_PATH_CODE_LINES:
        what = f"the reading path has {total} code lines, {READING_PATH_CODE_LINES} allowed"
        fix = "move out what a first reader does not need (see --reading-path)"
        found.append(Violation("READING_PATH", 1, what, fix))
    return found


def reading_path(root: Path) -> list[tuple[str, int]]:
    """The files of the reading path that exist, in order, with their code lines."""
    names = [path for glob in READING_PATH for path in sorted(root.glob(glob))]
    files = [path for path in names if path.read_text(encoding="utf-8").strip()]
    return [(p.relative_to(root).as_posix(), len(read(p).code_lines)) for p in files]


def print_reading_path(root: Path) -> None:
    """The table the README prints as the order to read in."""
    rows = reading_path(root)
    rows.append(("together", sum(size for _, size in rows)))
    width = max(len(name) for name, _ in rows)
    print(f"{'file':{width}}  code lines")
    for name, size in rows:
        print(f"{name:{width}}  {size:10,}")
    print(f"{'allowed':{width}}  {READING_PATH_CODE_LINES:10,}")


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reading-path", action="store_true", help="print the order to read in")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(argv)
    if options.reading_path:
        print_reading_path(options.root)
        return 0
    return report("budgets", check_tree(options.root))


if __name__ == "__main__":
    sys.exit(main())

"""The ``.arc`` format: the architecture of a model as text that people can read and write.

One layer a line, with the arguments it was made with; what is inside it, indented below::

    # digits: 784 pixels to 10 classes
    Sequential
        Linear(784, 128)
        ReLU
        Dropout(p=0.5)
        head: Sequential              # a child with a name: model.head
            Linear(128, 10)

The grammar, where *indent*, *dedent* and *newline* are as in Python, and blank lines and ``#``
comments do not count::

    tree     = { node } ;
    node     = [ label ":" ] word [ "(" [ arg { "," arg } [ "," ] ] ")" ] newline
               [ indent node { node } dedent ] ;
    arg      = [ word "=" ] value ;                (* keywords come last, each once *)
    value    = int | float | string | tuple | list | "True" | "False" | "None" ;
    tuple    = "(" [ value "," [ value { "," value } [ "," ] ] ] ")" ;
    list     = "[" [ value { "," value } [ "," ] ] "]" ;
    label    = word | digits ;                     (* no two siblings have the same *)
    word     = letter { letter | digits } ;        (* any alphabet, and "_" *)
    int      = [ "-" ] digits ;
    float    = [ "-" ] ( digits "." [ digits ] | "." digits ) [ exponent ]
             | [ "-" ] digits exponent | [ "-" ] "inf" | "nan" ;
    exponent = ( "e" | "E" ) [ "+" | "-" ] digits ;
    string   = "'" { character | escape } "'" | '"' { character | escape } '"' ;
    escape   = "\\" ( "\\" | "'" | '"' | "n" | "r" | "t" | "x" 2*hex | "u" 4*hex | "U" 8*hex ) ;

:func:`parse` and :func:`render` are inverse: ``parse(render(tree)) == tree``, and rendering what
was parsed gives the text back, but for comments and spacing.  A file may hold several lines at
the top; a reader of a ``Sequential`` takes them for its layers.  Nothing is ever evaluated, and
limits on length, depth and digits keep a hostile file from costing more than an error message.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from deepdive.errors import CheckpointError, did_you_mean

MAX_CHARACTERS = 10_000_000
MAX_LINES = 100_000
MAX_DEPTH = 200  # layers inside layers
MAX_NESTING = 20  # tuples inside tuples
MAX_DIGITS = 100  # of one number

INDENT = "    "
CONSTANTS = {"True": True, "False": False, "None": None, "inf": math.inf, "nan": math.nan}
BRACKETS = {"(": ")", "[": "]"}
ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
ESCAPED = {character: "\\" + letter for letter, character in ESCAPES.items() if letter != '"'}
HEX_DIGITS = {"x": 2, "u": 4, "U": 8}

TOKEN = re.compile(
    r"""
      (?P<space>   [ \t]+ | \#.* )
    | (?P<float>   -?(?: [0-9]+\.[0-9]* | \.[0-9]+ )(?: [eE][+-]?[0-9]+ )?
                 | -?[0-9]+[eE][+-]?[0-9]+ | -inf\b )
    | (?P<int>     -?[0-9]+ )
    | (?P<word>    [^\W\d]\w* )
    | (?P<string>  '[^'\\]*(?:\\.[^'\\]*)*' | "[^"\\]*(?:\\.[^"\\]*)*" )
    | (?P<mark>    [()\[\],=:] )
    """,
    re.VERBOSE,
)
LABEL = re.compile(r"[^\W\d]\w*|[0-9]+")
WORD = re.compile(r"[^\W\d]\w*")
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")


class Line:
    """One line of a tree and the lines indented below it.

    Lines are equal if they are written the same, down to the types of their values: ``1``,
    ``1.0`` and ``True`` are three things, and ``nan`` equals itself.

    >>> Line("Linear", (784, 128), {"bias": False})
    Linear(784, 128, bias=False)
    """

    __slots__ = ("args", "children", "kwargs", "label", "name")

    def __init__(
        self,
        name: str,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        children: Iterable[Line] = (),
        label: str | None = None,
    ) -> None:
        self.name = name
        self.args = tuple(args)
        self.kwargs = dict(kwargs or {})
        self.children = list(children)
        self.label = label

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Line):
            return NotImplemented
        return render(self) == render(other)

    __hash__ = None  # type: ignore[assignment]  # children may be added

    def __repr__(self) -> str:
        try:
            return render(self).rstrip("\n")
        except CheckpointError as error:
            return f"<{self.name}, not writable: {error.what}>"


class ArcError(CheckpointError):
    """A text that is not an architecture; ``line`` and ``column`` count from 1."""

    line = 0
    column = 0


# From text to tree


def parse(text: str, source: str = "model.arc") -> list[Line]:
    """The top lines of `text`, each with its children.

    Args:
        source: the name of the file, for errors.

    Raises:
        ArcError: where the text departs from the grammar, with line, column and a caret.

    >>> (model,) = parse("Sequential\\n  Linear(784, 10)\\n  act: ReLU  # for now")
    >>> model.children[1].label, model.children[0].args
    ('act', (784, 10))
    """
    rows = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if len(text) > MAX_CHARACTERS or len(rows) > MAX_LINES:
        raise ArcError(
            f"{source} is too long",
            got=f"{len(text):,} characters in {len(rows):,} lines",
            expected=f"at most {MAX_CHARACTERS:,} in {MAX_LINES:,}",
        )
    levels = [_Level(0, [], set())]
    for number, row in enumerate(rows, 1):
        reader = _RowReader(row, number, source)
        if reader.at_end():
            continue
        siblings = _level_of(reader, levels)
        line = reader.line()
        if line.label is not None and line.label in siblings.labels:
            reader.fail(f"a second child named {line.label!r}", reader.tokens[0])
        siblings.labels.add(line.label)
        siblings.lines.append(line)
    return levels[0].lines


class _Level(NamedTuple):
    """The lines that share one indentation and one parent."""

    indent: int
    lines: list[Line]
    labels: set[str | None]


def _level_of(reader: _RowReader, levels: list[_Level]) -> _Level:
    """The level a row belongs to, by its indentation; `levels` is the stack of open ones."""
    indent = reader.tokens[0].column
    if "\t" in reader.row[:indent]:
        reader.fail("a tab in the indentation", reader.tokens[0], fix="indent with spaces")
    if indent > levels[-1].indent:
        if not levels[-1].lines:
            reader.fail("the first line is indented", reader.tokens[0])
        if len(levels) == MAX_DEPTH:
            reader.fail(f"more than {MAX_DEPTH} layers inside each other", reader.tokens[0])
        levels.append(_Level(indent, levels[-1].lines[-1].children, set()))
    while indent < levels[-1].indent:
        closed = levels.pop()
        if indent > levels[-1].indent:
            fix = f"indent by {levels[-1].indent} or by {closed.indent} spaces"
            reader.fail("no line above is indented like this one", reader.tokens[0], fix=fix)
    return levels[-1]


class _Token(NamedTuple):
    kind: str
    text: str
    column: int  # from 0


class _RowReader:
    """One row of text, read token by token from the left."""

    def __init__(self, row: str, number: int, source: str) -> None:
        self.row, self.number, self.source = row, number, source
        self.tokens: list[_Token] = []
        self.next = 0
        column = 0
        while column < len(row):
            match = TOKEN.match(row, column)
            if match is None:
                self._no_token(column)
            if match.lastgroup != "space":
                self.tokens.append(_Token(str(match.lastgroup), match.group(), column))
            column = match.end()
        self.end = _Token("end", "", len(row.rstrip()))

    def line(self) -> Line:
        """``node`` of the grammar, without the lines below it."""
        label = None
        if self.peek(1).text == ":" and LABEL.fullmatch(self.peek().text):
            label = self.take().text
            self.take()
        name = self.take()
        if name.kind != "word":
            self.fail("expected the name of a layer", name)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        if self.peek().text == "(":
            self.take()
            self.items(")", lambda: self.argument(args, kwargs))
        if not self.at_end():
            self.fail("expected the end of the line", self.peek(), fix="one line, one layer")
        return Line(name.text, args, kwargs, label=label)

    def argument(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        """``arg`` of the grammar."""
        key = self.peek()
        if self.peek(1).text == "=" and key.kind == "word":
            self.take()
            self.take()
            if key.text in kwargs:
                self.fail(f"the keyword {key.text!r} is there twice", key)
            kwargs[key.text] = self.value()
        elif kwargs:
            self.fail("a positional argument after a keyword", key, fix="name this one, too")
        else:
            args.append(self.value())

    def value(self, depth: int = 0) -> Any:
        """``value`` of the grammar; the depth is bounded, so recursion is safe."""
        token = self.take()
        if token.kind == "string":
            return self._string(token)
        if token.kind in ("int", "float"):
            return self._number(token)
        if token.kind == "word" and token.text in CONSTANTS:
            return CONSTANTS[token.text]
        if token.text not in BRACKETS:
            self.fail("expected a value", token, fix=_value_fix(token))
        if depth == MAX_NESTING:
            self.fail(f"more than {MAX_NESTING} brackets inside each other", token)
        found: list[Any] = []
        closing = BRACKETS[token.text]
        comma = self.items(closing, lambda: found.append(self.value(depth + 1)))
        if token.text == "[":
            return found
        if len(found) == 1 and not comma:
            self.fail("a tuple of one is written with a comma", token, fix="(x,)")
        return tuple(found)

    def items(self, closing: str, read_one: Callable[[], None]) -> bool:
        """Items, commas and the closing bracket; whether the last item had a comma, too."""
        comma = False
        while self.peek().text != closing:
            if self.at_end():
                self.fail(f"expected '{closing}'", self.end, fix="one layer, one line")
            read_one()
            comma = self.peek().text == ","
            if comma:
                self.take()
            elif self.peek().text != closing:
                self.fail(f"expected ',' or '{closing}'", self.peek())
        self.take()
        return comma

    def peek(self, ahead: int = 0) -> _Token:
        place = self.next + ahead
        return self.tokens[place] if place < len(self.tokens) else self.end

    def take(self) -> _Token:
        token = self.peek()
        self.next += 1
        return token

    def at_end(self) -> bool:
        return self.next >= len(self.tokens)

    def fail(self, what: str, token: _Token, fix: str | None = None) -> NoReturn:
        """Shows the row with a caret under `token`."""
        start = max(0, token.column - 60)
        shown = self.row[start : start + 90].replace("\t", " ")
        place = f"{self.source}, line {self.number}, column {token.column + 1}"
        caret = " " * (token.column - start) + "^"
        got = repr(token.text[:40]) if token.text else "the end of the line"
        error = ArcError(f"{place}: {what}\n    {shown}\n    {caret}", got=got, fix=fix)
        error.line, error.column = self.number, token.column + 1
        raise error

    def _no_token(self, column: int) -> NoReturn:
        token = _Token("", self.row[column], column)
        if token.text in "'\"":
            self.fail("this string is not closed on its line", token, fix="a line feed is \\n")
        self.fail("no such character here", token)

    def _number(self, token: _Token) -> int | float:
        if len(token.text) > MAX_DIGITS:
            self.fail(f"a number of more than {MAX_DIGITS} digits", token)
        if token.kind == "int":
            return int(token.text)
        number = float(token.text)
        if math.isinf(number) and "inf" not in token.text:
            self.fail("a number too large for a float", token, fix="write inf")
        return number

    def _string(self, token: _Token) -> str:
        def character(match: re.Match[str]) -> str:
            code = match.group(1)
            if code in ESCAPES:
                return ESCAPES[code]
            if len(code) == 1 or int(code[1:], 16) > 0x10FFFF:
                place = token.column + 1 + match.start()
                fix = "a backslash itself is written twice"
                self.fail("no such escape in a string", _Token("", "\\" + code, place), fix)
            return chr(int(code[1:], 16))

        return ESCAPE.sub(character, token.text[1:-1])


def _value_fix(token: _Token) -> str | None:
    """What was probably meant by a token that is no value."""
    if token.kind != "word":
        return None
    other_case = {constant.lower(): constant for constant in CONSTANTS}.get(token.text.lower())
    if other_case is not None:
        return f"did you mean {other_case!r}?"
    return did_you_mean(token.text, CONSTANTS) or f"text stands in quotes: '{token.text[:40]}'"


# From tree to text


def render(tree: Line | Iterable[Line]) -> str:
    """The text of one line, or of several, with everything below; ends with a line feed.

    Raises:
        CheckpointError: a value that the format does not have, or a tree beyond its limits.

    >>> print(render(Line("Sequential", children=[Line("Conv2d", (1, 4, 3), label="first")])))
    Sequential
        first: Conv2d(1, 4, 3)
    <BLANKLINE>
    """
    top = [tree] if isinstance(tree, Line) else list(tree)
    _check_labels(top)
    pending = [(0, line) for line in reversed(top)]
    rows: list[str] = []
    while pending:
        depth, line = pending.pop()
        if depth == MAX_DEPTH or len(rows) == MAX_LINES - 1:
            limits = f"{MAX_DEPTH} layers inside each other, and {MAX_LINES - 1:,} in all"
            raise CheckpointError(f"{line.name}: the model is too large", expected=limits)
        rows.append(INDENT * depth + _row(line) + "\n")
        _check_labels(line.children)
        pending += [(depth + 1, child) for child in reversed(line.children)]
    text = "".join(rows)
    if len(text) > MAX_CHARACTERS:
        raise CheckpointError(f"the architecture takes more than {MAX_CHARACTERS:,} characters")
    return text


def _row(line: Line) -> str:
    """One line without indentation."""
    if line.label is not None and not LABEL.fullmatch(line.label):
        raise CheckpointError(f"{line.name}: a label must be a word or a number", got=line.label)
    for word in (line.name, *line.kwargs):
        if not WORD.fullmatch(word):
            raise CheckpointError("a name must be one word", got=repr(word))
    args = [_text(value, f"{line.name}, argument {i}") for i, value in enumerate(line.args, 1)]
    for key, value in line.kwargs.items():
        args.append(f"{key}={_text(value, f'{line.name}, argument {key!r}')}")
    label = "" if line.label is None else f"{line.label}: "
    return label + line.name + (f"({', '.join(args)})" if args else "")


def _text(value: Any, where: str, depth: int = 0) -> str:
    """One value; NumPy's numbers are written as Python's."""
    if getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, str):
        return "'" + "".join(map(_quoted, value)) + "'"
    if isinstance(value, (tuple, list)) and depth < MAX_NESTING:
        inside = ", ".join([_text(item, where, depth + 1) for item in value])
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, int) and abs(value) < 10 ** (MAX_DIGITS - 1):
        return int.__repr__(value)
    raise CheckpointError(
        f"{where}: this value cannot be written into an architecture",
        got=f"{type(value).__name__} {repr(value)[:60]}",
        expected="numbers, strings, booleans, None, and tuples or lists of them",
    )


def _quoted(character: str) -> str:
    """One character as it stands between single quotes."""
    if character in ESCAPED:
        return ESCAPED[character]
    if character.isprintable():
        return character
    letter = "x" if character <= "\xff" else "u" if character <= "\uffff" else "U"
    return f"\\{letter}{ord(character):0{HEX_DIGITS[letter]}x}"


def _check_labels(siblings: Iterable[Line]) -> None:
    labels = [line.label for line in siblings if line.label is not None]
    if len(set(labels)) < len(labels):
        raise CheckpointError("two children have the same label", got=", ".join(labels)[:200])

"""``.arc``: parse and render are inverse, and every departure from the grammar is pointed at."""

import contextlib
import enum
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdive.errors import CheckpointError
from deepdive.io import arc
from deepdive.io.arc import ArcError, Line, parse, render

MODEL = """\
Sequential
    Linear(784, 128)
    ReLU
    Dropout(p=0.5)
    head: Sequential
        Linear(128, 10)
"""


def test_the_example_of_the_documentation():
    (model,) = parse(MODEL)
    assert model.name == "Sequential"
    assert [child.name for child in model.children] == ["Linear", "ReLU", "Dropout", "Sequential"]
    linear, relu, dropout, head = model.children
    assert linear.args == (784, 128)
    assert linear.kwargs == {}
    assert (relu.args, relu.kwargs, relu.children, relu.label) == ((), {}, [], None)
    assert dropout.kwargs == {"p": 0.5}
    assert head.label == "head"
    assert head.children == [Line("Linear", (128, 10))]
    assert render(model) == MODEL


def test_spacing_comments_and_line_ends_do_not_count():
    text = (
        "\ufeff# a net\r\n\r\nSequential  # outer\r\n  Linear( 784,128 , )\r\n"
        "   # odd comment\n  ReLU()\n  Dropout(p = .5)\n\n"
        "  head :Sequential\n       Linear(128,\t10)   "
    )
    assert render(parse(text)) == MODEL


def test_several_top_lines_and_none():
    assert parse("Linear(2, 1)\nReLU\n") == [Line("Linear", (2, 1)), Line("ReLU")]
    assert parse("") == parse("\n# nothing\n") == []
    assert render([]) == ""


VALUES = {
    "0": 0,
    "-17": -17,
    "340282366920938463463374607431768211456": 2**128,
    "1.0": 1.0,
    "-0.0": -0.0,
    "1.": 1.0,
    ".5": 0.5,
    "1e-5": 1e-5,
    "-2.5E+3": -2500.0,
    "inf": math.inf,
    "-inf": -math.inf,
    "True": True,
    "False": False,
    "None": None,
    "''": "",
    "'same'": "same",
    '"it\'s"': "it's",
    r"'\'\"\\\n\r\t'": "'\"\\\n\r\t",
    r"'\x00\xe9\u20ac\U0001f600'": "\0é€😀",
    "'# no comment, (no bracket'": "# no comment, (no bracket",
    "()": (),
    "(3,)": (3,),
    "(3, 4)": (3, 4),
    "(3, 4,)": (3, 4),
    "[]": [],
    "[1]": [1],
    "[(1, 2), [3.0, 'x'], None]": [(1, 2), [3.0, "x"], None],
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text):
    expected = VALUES[text]
    (line,) = parse(f"Layer({text}, key={text})")
    for value in (line.args[0], line.kwargs["key"]):
        assert type(value) is type(expected)
        assert value == expected
        assert math.copysign(1, value) == math.copysign(1, expected) if value == 0 else True


def test_nan():
    (line,) = parse("Layer(nan)")
    assert math.isnan(line.args[0])
    assert line == Line("Layer", (math.nan,))


def test_equality_is_of_values_and_types():
    one = Line("Layer", (1,))
    assert one != Line("Layer", (1.0,))
    assert one != Line("Layer", (True,))
    assert Line("L", ((1,),)) != Line("L", ([1],))
    assert one != Line("Layer", (1,), label="a")
    assert one != Line("Layer", (1,), children=[Line("ReLU")])
    assert one != "Layer(1)"
    assert Line("L", [1], {"k": "v"}) == Line("L", (1,), {"k": "v"})


# Both ways, over arbitrary trees

words = st.from_regex(r"[A-Za-z_à-ö][A-Za-z0-9_à-ö]{0,8}", fullmatch=True)
scalars = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=12), words
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


def with_labels(drawn):
    """Lines whose labels are made unique by their position."""
    lines, labels = drawn
    for place, (line, label) in enumerate(zip(lines, labels, strict=False)):
        line.label = None if label is None else f"{label}{place}"
    return lines


def siblings(line):
    labels = st.lists(st.none() | words | st.just(""), min_size=4, max_size=4)
    return st.tuples(st.lists(line, max_size=4), labels).map(with_labels)


def node(children):
    arguments = st.lists(values, max_size=3), st.dictionaries(words, values, max_size=3)
    return st.builds(Line, words, *arguments, children)


trees = siblings(st.recursive(node(st.just([])), lambda line: node(siblings(line)), max_leaves=8))


@settings(max_examples=150, deadline=None)
@given(trees)
def test_parsing_undoes_rendering(tree):
    text = render(tree)
    back = parse(text)
    assert back == tree
    assert shape(back) == shape(tree)
    assert render(back) == text


def shape(lines):
    """Everything of a tree, compared without Line's own equality; repr tells 1 from 1.0."""
    return [
        (line.label, line.name, repr(line.args), repr(line.kwargs), shape(line.children))
        for line in lines
    ]


@settings(max_examples=300, deadline=None)
@given(st.text("AbL10. ,=()[]:'\"\\#\n -e_x", max_size=40))
def test_any_text_is_a_tree_or_an_arc_error(text):
    try:
        tree = parse(text)
    except ArcError as error:
        assert error.line >= 1 and error.column >= 1
    else:
        assert parse(render(tree)) == tree


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(MODEL)), st.text(max_size=3), st.integers(0, 4))
def test_damaged_models_never_crash_the_reader(place, insert, cut):
    with contextlib.suppress(ArcError):
        parse(MODEL[:place] + insert + MODEL[place + cut :])


# Errors

ERRORS = {
    "Linear(784 128)": (1, 12, "expected ',' or ')'", "'128'"),
    "Linear(784,": (1, 12, "expected ')'", "end of the line"),
    "Linear(784": (1, 11, "expected ',' or ')'", "end of the line"),
    "Linear(,)": (1, 8, "expected a value", "','"),
    "Linear(a=)": (1, 10, "expected a value", "')'"),
    "Linear(3) 4": (1, 11, "expected the end of the line", "one line, one layer"),
    "ReLU\nLinear(784, relu)": (2, 13, "expected a value", "text stands in quotes: 'relu'"),
    "Linear(bias=true)": (1, 13, "expected a value", "did you mean 'True'?"),
    "Linear(bias=none)": (1, 13, "expected a value", "did you mean 'None'?"),
    "Linear(NaN)": (1, 8, "expected a value", "did you mean 'nan'?"),
    "Linear(Fasle)": (1, 8, "expected a value", "did you mean 'False'?"),
    "Linear(a=1, 2)": (1, 13, "a positional argument after a keyword", "name this one"),
    "Linear(a=1, a=2)": (1, 13, "the keyword 'a' is there twice", "'a'"),
    "Linear((3))": (1, 8, "a tuple of one is written with a comma", "(x,)"),
    "Linear('abc)": (1, 8, "not closed on its line", '"\'"'),
    r"Linear('a\qb')": (1, 10, "no such escape", "written twice"),
    r"Linear('\U00110000')": (1, 9, "no such escape", "written twice"),
    r"Linear('\x1')": (1, 9, "no such escape", "written twice"),
    "Linear(1e999)": (1, 8, "too large for a float", "write inf"),
    "nn.Linear(1)": (1, 3, "no such character", "'.'"),
    "Linear(1 + 2)": (1, 10, "no such character", "'+'"),
    "Linear(__import__('os'))": (1, 8, "expected a value", "__import__"),
    "Linear({'a': 1})": (1, 8, "no such character", "'{'"),
    "(0): Linear(1)": (1, 1, "expected the name of a layer", "'('"),
    "a: b: Linear": (1, 5, "expected the end of the line", "':'"),
    "3": (1, 1, "expected the name of a layer", "'3'"),
    "  Linear": (1, 3, "the first line is indented", "'Linear'"),
    "A\n    B\n  C": (3, 3, "no line above is indented like this", "by 0 or by 4 spaces"),
    "A\n\tB": (2, 2, "a tab in the indentation", "indent with spaces"),
    "A\n  x: B\n  x: C": (3, 3, "a second child named 'x'", "'x'"),
    "L(" + "9" * 101 + ")": (1, 3, "more than 100 digits", "999"),
    "L(" + "(" * 21 + ")": (1, 23, "more than 20 brackets", "'('"),
    "\n".join(" " * depth + "S" for depth in range(201)): (201, 201, "more than 200", "'S'"),
}


@pytest.mark.parametrize("text", ERRORS, ids=lambda text: repr(text[:25]))
def test_errors_say_where_what_and_how_to_mend_it(text):
    line, column, what, more = ERRORS[text]
    with pytest.raises(CheckpointError) as caught:
        parse(text, "net.arc")
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"net.arc, line {line}, column {column}: ")
    assert what in str(error)
    assert more in str(error)


def test_an_error_shows_the_line_with_a_caret():
    with pytest.raises(ArcError) as caught:
        parse("Sequential\n    Linear(784 128)\n")
    assert str(caught.value).splitlines() == [
        "model.arc, line 2, column 16: expected ',' or ')'",
        "        Linear(784 128)",
        "                   ^",
        "  got: '128'",
    ]


def test_the_caret_stays_in_sight_on_long_lines():
    with pytest.raises(ArcError) as caught:
        parse("Layer(" + "1, " * 500 + "?)")
    _, shown, caret = str(caught.value).splitlines()[:3]
    assert len(shown) < 100
    assert shown[caret.index("^")] == "?"


def test_limits_on_size():
    with pytest.raises(ArcError, match="too long"):
        parse("A\n" * (arc.MAX_LINES + 1))
    with pytest.raises(ArcError, match="too long"):
        parse("#" * (arc.MAX_CHARACTERS + 1))
    with pytest.raises(CheckpointError, match="too large"):
        render([Line("A")] * arc.MAX_LINES)


def test_reading_takes_time_in_proportion_to_length():
    def seconds(text):
        start = time.perf_counter()
        with pytest.raises(ArcError):
            parse(text)
        return time.perf_counter() - start

    for hostile in ("L('" + "\\" * 200_000, "L(" + "1e" * 100_000, "L(" + "((" * 100_000):
        assert seconds(hostile) < 3


def test_as_deep_as_allowed():
    lines = [" " * depth + "S" for depth in range(200)]
    assert len(render(parse("\n".join(lines))).splitlines()) == 200
    deeper = Line("S", children=parse("\n".join(lines)))
    with pytest.raises(CheckpointError, match="the model is too large"):
        render(deeper)


def test_numbers_of_numpy_and_enums_are_written_plainly():
    class Size(enum.IntEnum):
        SMALL = 3

    args = (np.int64(3), np.float32(0.5), np.float64(0.1), np.bool_(True), Size.SMALL, np.array(2))
    assert render(Line("L", args)) == "L(3, 0.5, 0.1, True, 3, 2)\n"


@pytest.mark.parametrize("value", [np.zeros(2), {"a": 1}, b"x", 1j, len, {1}, [object()], 10**99])
def test_values_that_cannot_be_written(value):
    with pytest.raises(CheckpointError, match="Linear, argument 'init': this value cannot be"):
        render(Line("Linear", (1,), {"init": value}))


def test_names_that_cannot_be_written():
    for bad in ("", "two words", "a.b", "3d", "x\ny"):
        with pytest.raises(CheckpointError, match="one word"):
            render(Line(bad))
        with pytest.raises(CheckpointError, match="one word"):
            render(Line("L", (), {bad: 1}))
    with pytest.raises(CheckpointError, match="a label must be"):
        render(Line("L", label="a b"))
    with pytest.raises(CheckpointError, match="same label"):
        render(Line("S", children=[Line("L", label="a"), Line("L", label="a")]))


def test_repr_is_the_text_and_never_fails():
    assert repr(Line("A", (1,), children=[Line("B")])) == "A(1)\n    B"
    assert repr(Line("a b")) == "<a b, not writable: a name must be one word>"

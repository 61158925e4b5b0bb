"""Every ```python block of the README and of docs/ runs.

The blocks of one file share their names, as a reader would type them one after the other, in an
empty folder.  A comment behind ``print(…)`` that looks like what is printed must be just that:
``print(x.grad)  # tensor([2., 4.])``.  A block that starts with ``>>>`` is a doctest.  A block
below the HTML comment ``<!-- no-run: reason -->`` is skipped, and pytest -rs lists the reasons.
"""

import doctest
import re
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

import pytest

from deepdive.core.operator import REGISTRY, tensor_words
from deepdive.core.tensor import Tensor

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(p for p in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if p.exists())

FENCE = re.compile(
    r"(?:^<!-- *no-run: *(?P<reason>[^\n]*?) *-->\n+)?"
    r"^(?P<indent> *)```python\n(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


VALUE = r"tensor\(|[(\[]|-?\d|True\b|False\b|None\b|[A-Z]\w+\("  # how what is printed begins
CLAIM = re.compile(rf"\bprint\(.*\) +# ((?:{VALUE}).*)$")


class Block(NamedTuple):
    """A piece of Python in a page, the line it starts at, and why it does not run (or None)."""

    line: int
    code: str
    reason: str | None


def blocks_of(page: str) -> list[Block]:
    """All ```python blocks of a Markdown text."""
    found = []
    for match in FENCE.finditer(page):
        line = page.count("\n", 0, match.start("code")) + 1
        code = re.sub(f"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        found.append(Block(line, code, match["reason"]))
    return found


def run(block: Block, page: Path, namespace: dict) -> None:
    """Execute a block; tracebacks show the page and its line."""
    if block.code.lstrip().startswith(">>>"):
        flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
        parser = doctest.DocTestParser()
        example = parser.get_doctest(block.code, namespace, page.name, str(page), block.line - 1)
        example.globs = namespace  # the names it makes are there for the next block
        doctest.DebugRunner(optionflags=flags).run(example, clear_globs=False)
    else:
        padded = "\n" * (block.line - 1) + block.code
        namespace["print"] = checking(padded.splitlines())
        exec(compile(padded, str(page), "exec"), namespace)
        del namespace["print"]


@pytest.fixture
def own_operators():
    """Operators that a page registers are gone after it: the library's tables list its own."""
    yield
    for name in [name for name, door in REGISTRY.items() if door.__module__ == "__main__"]:
        del REGISTRY[name]
        for place in (Tensor, tensor_words):
            if name in vars(place):
                delattr(place, name)


def checking(lines: list[str]):
    """A ``print`` that compares what it prints with the comment behind the call."""

    def said(*values, **options):
        print(*values, **options)
        claim = CLAIM.search(lines[sys._getframe(1).f_lineno - 1])
        if claim:
            assert " ".join(map(str, values)) == claim[1]

    return said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.usefixtures("own_operators")
def test_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for block in blocks_of(page.read_text(encoding="utf-8")):
        if block.reason is None:
            run(block, page, namespace)


LEFT_OUT = [
    pytest.param(block.reason, id=f"{page.relative_to(ROOT).as_posix()}:{block.line}")
    for page in PAGES
    for block in blocks_of(page.read_text(encoding="utf-8"))
    if block.reason is not None
]


@pytest.mark.skipif(not LEFT_OUT, reason="every block runs")
@pytest.mark.parametrize("reason", LEFT_OUT)
def test_block_left_out(reason):
    assert reason, "a block that does not run needs a reason"
    pytest.skip(reason)


PAGE = """
Text ```python is no block.

```python
x = 1
```

<!-- no-run: needs a GPU -->

```python
x = 1 / 0
```

```sh
make
```

- in a list:
  ```python
  if x:
      y = x + 1
  ```

```python
>>> y
2
>>> z = y
```
"""


def test_blocks_are_found_with_their_lines_and_reasons():
    assert blocks_of(PAGE) == [
        Block(5, "x = 1\n", None),
        Block(11, "x = 1 / 0\n", "needs a GPU"),
        Block(20, "if x:\n    y = x + 1\n", None),
        Block(25, ">>> y\n2\n>>> z = y\n", None),
    ]


def test_blocks_share_their_names():
    namespace = {}
    for block in blocks_of(PAGE):
        if block.reason is None:
            run(block, Path("PAGE.md"), namespace)
    assert namespace["z"] == 2


def test_a_wrong_block_fails_at_its_line():
    with pytest.raises(ZeroDivisionError) as caught:
        run(blocks_of(PAGE)[1], Path("PAGE.md"), {})
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == ("PAGE.md", 11)
    with pytest.raises(AssertionError):
        run(Block(1, "print(1 + 1)    # 3\n", None), Path("PAGE.md"), {})
    run(Block(1, "print(1 + 1)    # two\nprint(1, 2)  # 1 2\n", None), Path("PAGE.md"), {})
    with pytest.raises(doctest.DocTestFailure):
        run(Block(1, ">>> 1 + 1\n3\n", None), Path("PAGE.md"), {})


def test_operators_of_the_pages_do_not_stay():
    mine = {"soft_step", "bump", "scaled_log"}  # of the README and of own_operators.md
    assert not mine & ({*REGISTRY} | {*vars(Tensor)} | {*vars(tensor_words)})

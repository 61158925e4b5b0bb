"""Each budget is broken once in a made-up tree, and kept once."""

import subprocess
import sys
from pathlib import Path

import check_budgets
import pytest

TOOL = Path(check_budgets.__file__)


@pytest.fixture
def tree(tmp_path):
    """Writes a file into a made-up repository and returns what the check finds there."""

    def write(text, name="deepdive/part.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return [str(violation) for violation in check_budgets.check_tree(tmp_path)]

    return write


def function(code_lines):
    body = "    x = 1\n" * (code_lines - 1)
    return f"def f():\n{body}"


def test_a_small_file_keeps_all_budgets(tree):
    assert tree('"""Good."""\n\n' + function(40)) == []


def test_long_file(tree):
    assert tree("x = 1\n" * 500) == []
    [found] = tree("x = 1\n" * 501)
    assert found == ("deepdive/part.py:1: 501 lines, 500 allowed\n  fix: split the file by subject")


def test_long_function(tree):
    [found] = tree("\n" + function(41))
    assert found.startswith("deepdive/part.py:2: f: 41 code lines, 40 allowed")
    assert "give a part of it a name of its own" in found


def test_docstrings_comments_and_blank_lines_are_no_code(tree):
    lean = '    """One.\n\n    Two.\n    """\n' + "    # why\n\n" * 30 + "    x = 1\n" * 39
    assert tree("def f():\n" + lean) == []


def test_methods_and_inner_functions_count(tree):
    method = function(41).replace("\n", "\n    ").rstrip()
    [found] = tree(f"class A:\n    async {method}\n")
    assert "deepdive/part.py:2: f: 41 code lines" in found


def test_wide_line(tree):
    assert tree('"""' + "a" * 97 + '\n"""\n') == []
    [found] = tree('"""' + "a" * 98 + '\n"""\n')
    assert found.startswith("deepdive/part.py:1: 101 columns, 100 allowed")


def test_dense_file(tree):
    eleven = "x = [1, 2, 3, 4]\n"  # x = [ 1 , 2 , 3 , 4 ]
    assert tree(eleven * 5) == []
    [found] = tree(eleven * 5 + "x = [1, 2, 3, 4, 5]\n")
    assert found.startswith("deepdive/part.py:1: 11.33 tokens per code line, 11 allowed")


def test_an_fstring_is_one_token_on_every_version(tree):
    line = 'f"{a + b + c + d:{e}} {f(1, 2)!r} and {g}"\n'
    assert tree(line * 9) == []


def test_tests_may_be_dense_but_not_long(tree):
    table = "CASES = [[1, 2, 3, 4, 5, 6, 7, 8, 9]]\n"
    assert tree(table * 3 + function(60), "tests/test_a.py") == []
    [found] = tree("\n" * 501, "tests/test_a.py")
    assert found.startswith("tests/test_a.py:1: 501 lines, 500 allowed")


def test_broken_syntax_is_named(tree):
    [found] = tree("x = 1\nx = = 1\n")
    assert found.startswith("deepdive/part.py:2: not Python: invalid syntax")


def test_reading_path(tree, tmp_path, capsys, monkeypatch):
    tree('"""Twelve words."""\nx = 1\n', "deepdive/nn/module.py")
    tree("x = 1\n# why\ny = 2\n", "deepdive/core/tensor.py")
    tree("", "deepdive/core/__init__.py")
    assert check_budgets.main(["--root", str(tmp_path), "--reading-path"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["file", "code", "lines"],
        ["deepdive/core/tensor.py", "2"],
        ["deepdive/nn/module.py", "1"],
        ["together", "3"],
        ["allowed", "3,500"],
    ]
    monkeypatch.setattr(check_budgets, "READING_PATH_CODE_LINES", 2)
    [found] = check_budgets.check_tree(tmp_path)
    assert found.what == "the reading path has 3 code lines, 2 allowed"


def test_exit_code_of_the_command(tmp_path):
    (tmp_path / "deepdive").mkdir()
    (tmp_path / "deepdive/a.py").write_text("x = 1\n" * 501)
    command = [sys.executable, TOOL, "--root", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.endswith("budgets: 1 violation\n")

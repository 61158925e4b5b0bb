"""The words every check ends with."""

from report import Violation, report


def test_nothing_found(capsys):
    assert report("budgets", []) == 0
    assert capsys.readouterr().out == "budgets: kept\n"


def test_what_where_fix(capsys):
    assert report("budgets", [Violation("a.py", 7, "too long", "split it")]) == 1
    expected = "a.py:7: too long\n  fix: split it\nbudgets: 1 violation\n"
    assert capsys.readouterr().out == expected

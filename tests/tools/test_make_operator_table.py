"""The table of operators is complete, and says what the laws say."""

import make_operator_table as table

HEADING = "| " + " | ".join(table.HEAD) + " |"


def write(root, *lines):
    (root / "docs").mkdir()
    (root / table.PAGE).write_text("\n".join([HEADING, *lines, "## Exceptions"]), encoding="utf-8")
    return {violation.what for violation in table.check(root)}


def test_the_committed_table_has_every_operator_and_no_blank():
    assert table.check(table.ROOT) == []


def test_what_is_missing_is_named(tmp_path):
    line = "| `exp` | dd | 0 | 0 | 0 | 0 | 0 | 1 | cpu |"
    found = write(tmp_path, line, line.replace("exp", "no_operator"), "| `log` | dd | | | |")
    assert "no operator 'no_operator'" in found
    assert "a blank in the row of 'log'" in found
    assert "no row for 'add'" in found and "no row for 'exp'" not in found


def test_a_row_is_measured():
    [row], broken = table.make(["lerp"])
    assert broken == []
    assert row.cells[:2] == ("`lerp`", "dd Tensor") and row.calls > 20
    assert all(0 <= float(figure) < 1e-6 for figure in row.cells[2:7])
    assert row.cells[8] == "cpu native cuda"


def test_a_dash_has_its_reason():
    [row], broken = table.make(["isnan"])
    assert broken == [] and row.cells[2:5] == ("– no gradient",) * 3
    assert float(row.cells[5]) == 0 and row.cells[6] == "– no gradient"

"""Write docs/operators.md: what the laws found out about every public operator.

    python tools/make_operator_table.py                 write it (a minute or two)
    python tools/make_operator_table.py --only add sum  print these rows, write nothing
    python tools/make_operator_table.py --check         exit code 1 if an operator has no row

Every figure is measured here and now: the laws of :mod:`deepdive.testing` on the samples of the
tests, the call forms of ``tests/ops/call_forms*.py`` beside PyTorch, the devices beside the CPU.
There are no blank cells: where a figure is impossible, a dash stands with the reason.
"""

from __future__ import annotations

import argparse
import re
import runpy
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from report import ROOT, Violation, report

PAGE = "docs/operators.md"
TITLES = "operator|as|gradient|second order|forward mode|values|gradients|calls|devices"
HEAD = tuple(TITLES.split("|"))
# What a skipped law says → what the table says
REASONS = {
    "no gradient": "no gradient",
    "first order only": "first order",
    "differences of less": "single precision",
    "not in PyTorch": "not in PyTorch",
    "PyTorch refused": "other call",
}
ROOMS = ("F", "special", "linalg")
LEFT_OUT = {"to": "leaves the device", "half": "no such numbers in Python"}
LARGEST = 400  # elements: more are slow in pure Python


class Row(NamedTuple):
    """One operator's line, cell by cell, and whatever went wrong."""

    cells: tuple[str, ...]
    calls: int
    broken: list[str]


def load_tables() -> None:
    """The samples of the tests; their call forms come with tests.ops.call_forms."""
    for path in sorted((ROOT / "tests" / "ops").glob("sample_table*.py")):
        runpy.run_path(str(path))


# --- one row -------------------------------------------------------------------------------------
def row(name: str, function: Any) -> Row:
    """Try everything there is to try on one operator."""
    from deepdive.testing import check_operator
    from deepdive.testing.samples import names_of

    found = check_operator(function, raise_exception=False)
    broken = [f"{name}{call}: {law}: {error}" for law, call, error in found.failures]
    worst, calls, differing = call_figures(names_of(function))
    broken += differing
    for key in ("PyTorch's value", "PyTorch's gradient"):
        worst[key] = max((w[key] for w in (worst, found.worst) if key in w), default=None)
    figures = {**found.worst, **{key: value for key, value in worst.items() if value is not None}}
    calls += sum(found.counts.get(law, 0) for law in ("like_torch", "like_torch_single"))
    cells = [
        ", ".join(f"`{each}`" for each in (name, *aliases(name, function))),
        kinds_of_names(name),
        *(cell(figures, found, key, law) for key, law in COLUMNS),
        str(calls) if calls else "– " + reason(found, "like_torch"),
        devices(name, function, broken),
    ]
    return Row(tuple(cells), calls, broken)


COLUMNS = (
    ("gradient", "gradient"),
    ("second order", "second_order"),
    ("forward mode", "forward_mode"),
    ("PyTorch's value", "like_torch"),
    ("PyTorch's gradient", "like_torch"),
)


def cell(figures: dict[str, Any], found: Any, key: str, law: str) -> str:
    """A figure, or a dash with the reason."""
    if key in figures:
        return "0" if figures[key] == 0 else f"{figures[key]:.0e}"
    if key == "PyTorch's gradient" and "PyTorch's value" in figures:
        return "– none in PyTorch" if "gradient" in figures else "– no gradient"
    return "– " + reason(found, law)


def reason(found: Any, law: str) -> str:
    """Why a law was not tried, in two or three words."""
    texts = [text for name, _, text in found.skipped if name == law]
    for start, short in REASONS.items():
        if any(text.startswith(start) for text in texts):
            return "tested apart" if short == "not in PyTorch" and is_there(found.name) else short
    return "not tried"


def is_there(name: str) -> bool:
    """Whether PyTorch has the function, though it is compared elsewhere: in another form, up to
    signs, or as Python's notation.
    """
    import torch

    from tests.ops.call_forms import lookup

    plain = name.removeprefix("linalg_")
    return plain == "setitem" or lookup(torch, plain) is not None


def call_figures(names: Sequence[str]) -> tuple[dict[str, Any], int, list[str]]:
    """The largest errors beside PyTorch over all call forms, their number, and disagreements."""
    from tests.ops import call_forms

    worst: dict[str, Any] = {}
    calls, broken = 0, []
    for name in names:
        for form in call_forms.FORMS.get(name, ()):
            for kind, text, arrays, how in call_forms.trials(name, form):
                if kind in call_forms.EXCEPTIONS.get(name, {}):
                    continue
                try:
                    found = call_forms.compare(name, text, arrays, **how)
                except call_forms.Refused:
                    continue
                except call_forms.Disagreement as error:
                    broken.append(f"{name} {kind} {text}: {error}")
                    continue
                calls += 1
                if kind == "float64":
                    note(worst, "PyTorch's value", found.values)
                    note(worst, "PyTorch's gradient", found.slopes)
    return worst, calls, broken


def note(worst: dict[str, Any], key: str, figure: float | None) -> None:
    """Keep the larger one."""
    if figure is not None:
        worst[key] = max(figure, worst.get(key, 0.0))


def aliases(name: str, function: Any) -> list[str]:
    """The other names of an operator, Python's own left out."""
    from deepdive.testing.samples import names_of

    return [each for each in names_of(function) if each != name and not each.startswith("_")]


def kinds_of_names(name: str) -> str:
    """Where the name is found: in the package, as a method, in nn.functional …"""
    import deepdive as dd

    kinds = ["dd"]
    if hasattr(dd.Tensor, name):
        kinds.append("Tensor")
    places = {"F": dd.nn.functional, "special": dd.special, "linalg": getattr(dd, "linalg", None)}
    for room in ROOMS:
        if hasattr(places[room], name) or hasattr(places[room], name.removeprefix(f"{room}_")):
            kinds.append(room)
    return " ".join(kinds)


def devices(name: str, function: Any, broken: list[str]) -> str:
    """Where it computes the same as on the CPU; the GPU's speaker runs on the stand-in."""
    from deepdive.testing import standin
    from tests.backend.device_laws import compare

    good = ["cpu"]
    for device, label in (("native", "native"), (standin.DEVICE, "cuda")):
        if name in LEFT_OUT:
            continue
        try:
            compare(function, 0, device, LARGEST)
            good.append(label)
        except Exception as error:  # whatever a device does wrong is to be told
            broken.append(f"{name} on {device}: {error}")
    return " ".join(good)


# --- the page ------------------------------------------------------------------------------------
def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many operators have each figure, and how many calls were compared."""
    found = {"operators": len(rows)}
    for i, key in enumerate(("gradient", "second order", "forward mode", "PyTorch"), 2):
        found[key] = sum(not r.cells[i].startswith("–") for r in rows)
    found["calls"] = sum(r.calls for r in rows)
    found["not in PyTorch"] = sum(r.cells[7].startswith("– not in") for r in rows)
    return found


def summary(rows: Sequence[Row]) -> str:
    """The counts in a sentence."""
    n = counts(rows)
    return (
        f"{n['operators']} operators: {n['gradient']} with a gradient that agrees with finite "
        f"differences, {n['second order']} in second order, {n['forward mode']} in forward mode; "
        f"{n['PyTorch']} beside PyTorch, in {n['calls']:,} calls."
    )


def page(rows: Sequence[Row]) -> str:
    """The whole text."""
    lines = [
        "# Operators",
        "",
        "Made by `python tools/make_operator_table.py`; do not edit.",
        "",
        summary(rows),
        "",
        *LEGEND.strip().splitlines(),
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
        *("| " + " | ".join(r.cells) + " |" for r in rows),
        "",
        "## Exceptions",
        "",
        "Known differences from PyTorch. Everywhere: no `out=` (results are returned), no named",
        "axes, no complex or sparse numbers.",
        "",
        "| function | where | why |",
        "|---|---|---|",
        *exceptions(),
    ]
    return "\n".join(lines) + "\n"


LEGEND = """
- *as*: found as `deepdive.<name>` (dd), as a method (Tensor), in `nn.functional` (F), `special`,
  `linalg`.
- *gradient*, *second order*, *forward mode*: the largest error against central differences in
  float64, along random directions, relative to the size of the terms; differences themselves are
  good for some 1e-9.
- *values*, *gradients*: the largest relative error beside PyTorch in float64 (sizes below 1 count
  as 1); *calls*: how many calls agreed, in float64, float32 and integers, as functions and as
  methods, with NaN, infinities, zeros and empty axes; "tested apart" are functions whose results
  are determined up to signs or order, or that PyTorch calls in another way.
- *devices*: where samples give what they give on the CPU; `cuda` is the GPU's speaker, run on the
  strict stand-in.
"""


def exceptions() -> Iterator[str]:
    """The lines of the table of exceptions."""
    from tests.ops.call_forms import EXCEPTIONS

    for name in sorted(EXCEPTIONS):
        for kind, why in EXCEPTIONS[name].items():
            yield f"| `{name}` | {kind} | {why} |"


# --- command line --------------------------------------------------------------------------------
def rows_in(text: str) -> dict[str, tuple[int, list[str]]]:
    """The rows of a page: operator → line number and cells."""
    found = {}
    for number, line in enumerate(text.partition("## Exceptions")[0].splitlines(), 1):
        match = re.match(r"\| `(\w+)`", line)
        if match:
            found[match[1]] = (number, [part.strip() for part in line.split("|")[1:-1]])
    return found


def check(root: Path) -> list[Violation]:
    """Operators without a row, rows without an operator, blank cells."""
    from deepdive.testing.samples import registered_functions

    path = root / PAGE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rows, names = rows_in(text), [name for name, _ in registered_functions()]
    fix = "python tools/make_operator_table.py, and commit it"
    found = [Violation(PAGE, 1, f"no row for {n!r}", fix) for n in names if n not in rows]
    for name, (line, cells) in rows.items():
        if name not in names:
            found.append(Violation(PAGE, line, f"no operator {name!r}", fix))
        if len(cells) != len(HEAD) or not all(cells):
            found.append(Violation(PAGE, line, f"a blank in the row of {name!r}", fix))
    return found


def make(only: Sequence[str]) -> tuple[list[Row], list[str]]:
    """All rows, or some, sorted by name, and what broke."""
    import numpy as np

    from deepdive.testing.samples import registered_functions

    load_tables()
    wanted = sorted((n, f) for n, f in registered_functions() if not only or n in only)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [row(name, function) for name, function in wanted]
    return rows, [problem for r in rows for problem in r.broken]


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="print these rows")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(argv)
    sys.path.insert(0, str(ROOT))
    if options.check:
        return report("operator table", check(options.root))
    rows, broken = make(options.only)
    if options.only:
        print("\n".join("| " + " | ".join(r.cells) + " |" for r in rows))
    else:
        (options.root / PAGE).write_text(page(rows), encoding="utf-8")
        print(f"wrote {PAGE}\n{summary(rows)}")
    for problem in broken:
        print(f"BROKEN {problem}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

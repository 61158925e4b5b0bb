"""The documentation as a site: every page can be reached, every link leads somewhere, and Sphinx
has nothing to complain about.
"""

import operator
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deepdive as dd

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
APART = {"VERIFIED.md"}  # excluded in conf.py: a page of the repository, not of the site
PAGES = sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts and p.name not in APART)

TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
ROOMS = "dd train dash datautils nn func optim utils autograd linalg special interop io cuda amp"
NAME = re.compile(rf"^(?!.*\.py$)(?:{ROOMS.replace(' ', '|')})(?:\.[A-Za-z_]\w*)+")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def entries(page: Path) -> list[Path]:
    """The pages a page's toctrees name."""
    found = []
    for body in TOCTREE.findall(page.read_text(encoding="utf-8")):
        names = [line.strip() for line in body.splitlines()]
        found += [page.parent / f"{name}.md" for name in names if name and name[0] != ":"]
    return found


def links(text: str) -> list[str]:
    """Where a page's links lead, code left out.

    >>> links("[a](b.md#c) ![p](q.svg) [d](https://e.org)")
    ['b.md', 'https://e.org']
    """
    return LINK.findall(FENCED.sub("", text))


def test_every_page_is_in_one_toctree():
    named = [entry for page in PAGES for entry in entries(page)]
    assert sorted(named) == [page for page in PAGES if page != DOCS / "index.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_within_the_repository(page):
    text = page.read_text(encoding="utf-8")
    inside = [link for link in links(text) if "://" not in link]
    targets = [(page.parent / link).resolve() for link in inside]
    assert [target for target in targets if not target.exists()] == []
    # Sphinx knows the pages of the site alone; other files it offers for download
    assert [target for target in targets if target.suffix == ".md" and target not in PAGES] == []


def test_names_in_the_text_exist():
    """``dd.nn.Linear`` and ``train.Trainer`` in running text are names of the library."""
    found = {
        (page.name, name)
        for page in PAGES
        for code in CODE.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
        for name in NAME.findall(code)
    }
    assert len(found) > 50
    unknown = []
    for page, name in sorted(found):
        whole = name if name.startswith("dd.") else f"dd.{name}"
        try:
            operator.attrgetter(whole.removeprefix("dd."))(dd)
        except AttributeError:
            unknown.append((page, name))
    assert unknown == []


@pytest.mark.slow
def test_it_builds_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    options = ["-q", "-E", "-W", "--keep-going", "-b", "html"]
    command = [sys.executable, "-m", "sphinx", *options, "-d", tmp_path / "trees", DOCS]
    done = subprocess.run([*command, tmp_path / "html"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    site = tmp_path / "html"
    shown = re.compile(r'<(?:img src|a href)="([\w.]+\.(?:svg|html))"')
    made = [name for page in PAGES for name in shown.findall(page.read_text(encoding="utf-8"))]
    assert sorted(made) == ["backward.html", "graph.svg", "report.html", "step.svg"]
    assert all((site / name).stat().st_size > 1000 for name in ["index.html", *made])


def test_the_speed_page_shows_the_program_of_its_step(tmp_path, monkeypatch):
    """The programs it includes are those of its first block, which test_generated checks."""
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "speed.md").read_text(encoding="utf-8")
    first = re.search(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    names = {}
    exec(first[1], names)
    for dialect in ("numpy", "numba"):
        text = ROOT / "tests" / "compiler" / "golden" / f"step_{dialect}.txt"
        assert f"{{literalinclude}} ../{text.relative_to(ROOT)}" in page
    golden = ROOT / "tests" / "compiler" / "golden" / "step_numpy.txt"
    assert names["fast"].source == golden.read_text(encoding="utf-8")

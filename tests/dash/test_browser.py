"""What is drawn opens in a browser: nothing in its console, no request to any network."""

import re
import shutil
import subprocess

import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.dash import Report, Stepper
from deepdive.nn import functional as F
from deepdive.train import Trainer

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report, a stepper's page and two drawn graphs."""
    folder = tmp_path_factory.mktemp("pages")
    dd.manual_seed(0)
    x = dd.rand(40, 1, 8, 8)
    y = (x.mean((1, 2, 3)) > 0.5).long()
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))
    report = Report(folder, [(x, y)])
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    Trainer(model, optimizer, F.cross_entropy, events=[report]).fit([(x, y)], 2)
    loss = F.cross_entropy(model(x), y)
    Stepper(loss, {"model": model, "x": x}).save(folder / "backward.html")
    loss.draw_graph({"model": model, "x": x}, folder / "graph.svg")
    step = dd.compile(lambda x: (x.exp() * 2).sum(), dialect="numpy")
    step(x)
    step.draw(folder / "step.svg")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("name", ["report.html", "backward.html", "graph.svg", "step.svg"])
def test_it_opens_without_a_word(pages, tmp_path, name):
    text = (pages / name).read_text()
    bare = re.sub(r"xmlns[:\w]*=\"[^\"]*\"", "", text)
    assert not re.search(r"https?://|(src|href)=\"(?!data:|#)", bare)
    result = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--window-size=1100,1400", f"--screenshot={tmp_path / 'shot.png'}"),
            (pages / name).as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert "CONSOLE" not in result.stderr
    assert (tmp_path / "shot.png").stat().st_size > 5_000

"""The report of a run: a page that is whole, tells the truth, and never stops the training."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.dash import Report
from deepdive.dash.report import look
from deepdive.datautils import DataLoader, Digits, Scale
from deepdive.nn import functional as F
from deepdive.train import Accuracy, Trainer

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tables, headings and pictures of a page; every tag that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.images, self.cells = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes)["src"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def run(report, epochs=2, loss=F.cross_entropy, metrics=True):
    dd.manual_seed(0)
    model = nn.Sequential(nn.ReShape(64), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    data = DataLoader(Digits(transform=Scale(1 / 16)), 64, shuffle=True)
    trainer = Trainer(
        model,
        optim.Adam(model.parameters(), lr=0.01),
        loss,
        metrics={"accuracy": Accuracy()} if metrics else {},
        events=[report],
    )
    trainer.fit(data, epochs, held_out())
    return trainer


def held_out():
    return DataLoader(Digits(train=False, transform=Scale(1 / 16)), 100)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    names = [f"<{i}>" for i in range(10)]
    report = Report(tmp_path_factory.mktemp("run"), held_out(), names, title="A & B", worst=7)
    trainer = run(report)
    with open(report.path) as file:
        return trainer, file.read()


def test_the_page_is_whole_and_fetches_nothing(written):
    _, text = written
    page = Page(text)
    assert page.headings == [
        *("How it went", "Curves", "Epochs", "What is taken for what"),
        *("The worst mistakes", "The model", "Where"),
    ]
    assert "A &amp; B" in text
    assert "<3>" not in text
    outside = re.sub(r"data:image/png;base64,[\w+/=]+", "", text)
    assert not re.search(r'(src|href)="[^"]|url\(|@import|https?://(?!www\.w3\.org)', outside)
    assert text.count("<svg") == 2  # curves, graph


def test_it_tells_what_the_training_told(written):
    trainer, text = written
    page = Page(text)
    last = trainer.history[-1]
    assert f"{last['val_accuracy']:.4g}" in page.cells
    assert f"{last['loss']:.4g}" in page.cells
    model = trainer.model.eval()
    scores = np.concatenate([model(dd.tensor(x)).detach().numpy() for x, _ in held_out()])
    truth = Digits(train=False).labels
    findings = look(model, held_out(), 7)
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (truth, scores.argmax(1)), 1)
    np.testing.assert_array_equal(findings.confusion, expected)
    assert expected.trace() / expected.sum() == pytest.approx(last["val_accuracy"])
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    wrong = np.flatnonzero(scores.argmax(1) != truth)
    worst = wrong[np.argsort(p[wrong, truth[wrong]])][:7]
    assert [m.truth for m in findings.mistakes] == truth[worst].tolist()
    assert findings.mistakes[0].sure == pytest.approx(p[worst[0]].max(), rel=1e-4)


def test_the_mistakes_are_pictures(written):
    pil = pytest.importorskip("PIL.Image")
    page = Page(written[1])
    assert len(page.images) == 7
    import io

    raw = base64.b64decode(page.images[0].removeprefix("data:image/png;base64,"))
    picture = np.asarray(pil.open(io.BytesIO(raw)))
    assert picture.shape == (8, 8, 3)
    assert picture.max() == 255
    assert picture.min() == 0


def test_without_a_classifier(tmp_path):
    x = dd.randn(32, 3)
    model = nn.Linear(3, 1)
    report = Report(tmp_path / "page.html", [(x, x.sum(1, keepdim=True))])
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.1), F.mse_loss, events=[report])
    trainer.fit([(x, x.sum(1, keepdim=True))], 3)
    headings = Page((tmp_path / "page.html").read_text()).headings
    assert headings == ["How it went", "Curves", "Epochs", "The model", "Where"]


def test_what_ended_the_training_is_told(tmp_path):
    report = Report(tmp_path)

    def failing(output, y):
        raise ValueError("a <bad> day")

    with pytest.raises(ValueError, match="bad"):
        run(report, loss=failing)
    text = (tmp_path / "report.html").read_text()
    Page(text)
    assert "ended by ValueError: a &lt;bad&gt; day" in text


def test_a_page_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match=r"the report .* was not written"):
        trainer = run(Report(tmp_path / "file" / "page.html"), epochs=1)
    assert trainer.epoch == 1

"""A page at the end of a run: how it went, what is still mistaken, what was trained, and where.

One file that needs no network: curves and graph are SVG in it, pictures PNG in it.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from deepdive import config
from deepdive.core import random
from deepdive.core.host_values import as_array
from deepdive.dash.curve import Curve
from deepdive.dash.picture_file import save_picture
from deepdive.dash.report_page import page
from deepdive.host import NUMPY, np
from deepdive.nn import functional as F
from deepdive.nn.modes import evaluating


class Mistake(NamedTuple):
    """A sample the model is most wrong about.

    Attributes:
        sample: as the model gets it.
        truth, guess: class numbers.
        sure: the probability the model gives its guess.
    """

    sample: Any
    truth: int
    guess: int
    sure: float


class Findings(NamedTuple):
    """What a pass over held-out data shows of a classifier.

    Attributes:
        confusion: (C, C), rows the truth, columns the guesses.
        mistakes: the worst, those first in which the truth seemed least likely.
    """

    confusion: Any
    mistakes: list[Mistake]


class Report:
    """Writes the page when the training ends: a handler for :class:`deepdive.train.Trainer`.

    A page that cannot be written ends in a warning; the training is not touched.

    Args:
        path: of the page, or a folder for ``report.html``.
        validation: batches ``(inputs, labels)`` for the confusion matrix and the worst mistakes
            of a classifier (optional).
        classes: names of the classes (optional).
        title: stands above.
        worst: so many mistakes are shown.

    >>> import tempfile
    >>> import deepdive as dd
    >>> from deepdive import nn, optim
    >>> x = dd.randn(64, 2)
    >>> y = (x[:, 0] > 0).long()
    >>> model = nn.Linear(2, 2)
    >>> optimizer, folder = optim.SGD(model.parameters(), lr=1.0), tempfile.mkdtemp()
    >>> report = Report(folder, validation=[(x, y)])
    >>> trainer = dd.train.Trainer(model, optimizer, nn.functional.cross_entropy, events=[report])
    >>> _ = trainer.fit([(x, y)], epochs=2)
    >>> os.path.basename(report.path)
    'report.html'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        validation: Any = None,
        classes: Sequence[str] | None = None,
        title: str = "Training report",
        worst: int = 18,
    ) -> None:
        path = os.fspath(path)
        self.path = path if path.endswith(".html") else os.path.join(path, "report.html")
        self.validation = validation
        self.classes = classes
        self.title = title
        self.worst = worst
        self.losses = Curve()
        self.started = time.time()
        self.sample: Any = None  # inputs of one sample, to draw the model's graph with

    # --- events --------------------------------------------------------------------------------
    def on_start(self, trainer: Any) -> None:
        """Notes when it began."""
        self.started = time.time()

    def on_step(self, trainer: Any) -> None:
        """Notes the loss."""
        self.losses.add(trainer.step, trainer.loss)
        if self.sample is None:
            self.sample = [field[:1] for field in trainer.fields[:-1]]

    def on_stop(self, trainer: Any) -> None:
        """Writes the page."""
        try:
            self.write(trainer)
        except Exception as error:  # looking on never ends a training
            what = f"the report {self.path} was not written: {error}"
            warnings.warn(what, RuntimeWarning, stacklevel=4)

    def write(self, trainer: Any) -> str:
        """Writes the page now; returns its path."""
        findings = None
        if self.validation is not None and not isinstance(trainer.error, KeyboardInterrupt):
            findings = look(trainer.model, self.validation, self.worst)
        text = page(self, trainer, findings, environment())
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        return save_picture(self.path, text.encode())


def look(model: Any, batches: Any, worst: int) -> Findings | None:
    """A pass over held-out data; None where outputs and labels are not a classifier's."""
    tables, found = [], []
    with evaluating(model), config.no_grad():
        for *inputs, labels in batches:
            truth = as_array(labels)
            scores = model(*inputs)
            if truth.dtype.kind not in "iu" or scores.ndim != 2 or truth.ndim != 1:
                return None
            p = as_array(F.softmax(scores, -1))
            tables.append((truth, p.argmax(axis=1), p.shape[1]))
            found += _mistakes(inputs[0], truth, p, worst)
    if not tables:
        return None
    found.sort(key=lambda pair: pair[0])
    return Findings(_confusion(tables), [mistake for _, mistake in found[:worst]])


def _mistakes(inputs: Any, truth: Any, p: Any, worst: int) -> list[tuple[float, Mistake]]:
    """The worst of a batch, with the probability of the truth."""
    guess = p.argmax(axis=1)
    (wrong,) = np.nonzero(guess != truth)
    pairs = sorted((float(p[i, truth[i]]), int(i)) for i in wrong.tolist())
    samples = as_array(inputs)
    return [
        (chance, Mistake(samples[i], int(truth[i]), int(guess[i]), float(p[i, guess[i]])))
        for chance, i in pairs[:worst]
    ]


def _confusion(tables: list[Any]) -> Any:
    count = max(classes for _, _, classes in tables)
    confusion = [[0] * count for _ in range(count)]
    for truth, guess, _ in tables:
        for a, b in zip(truth.tolist(), guess.tolist(), strict=True):
            confusion[a][b] += 1
    return np.asarray(confusion)


def environment() -> dict[str, str]:
    """Where it ran, and with what."""
    return {
        "command": " ".join(sys.argv) or "interactive",
        "folder": os.getcwd(),
        "DeepDive": sys.modules["deepdive"].__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__ if NUMPY else "not installed",
        "system": platform.platform(),
        "processors": str(os.cpu_count()),
        "seed": str(random.initial_seed()),
    }

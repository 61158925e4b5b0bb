"""``deepdive demo``: under a minute from nothing to a network that reads handwriting."""

from __future__ import annotations

import os
import sys
from time import perf_counter
from typing import Any

import numpy as np

from deepdive import nn
from deepdive.cli.arguments import program
from deepdive.cli.pixels import highlight, picture
from deepdive.cli.recipes import (
    IMAGES,
    RECIPES,
    make_loader,
    make_model,
    make_optimizer,
    read_data,
)
from deepdive.cli.scores import accuracy, percent, probabilities, scores_of
from deepdive.cli.train import writable
from deepdive.core.random import manual_seed
from deepdive.core.tensor import Tensor
from deepdive.dash import Dash, Progress, draw_graph
from deepdive.dash.dashboard import side_by_side
from deepdive.dash.progress import duration
from deepdive.dash.terminal import Terminal
from deepdive.errors import CheckpointError
from deepdive.nn.functional import cross_entropy
from deepdive.optim.schedule import CosineAnnealingLR
from deepdive.train import Accuracy, Trainer

NAME, MODEL = "digits", "cnn"
SHOWN = 4  # pictures in a row: 80 columns


def run(options: Any) -> None:
    """Trains, saves, loads again and compares, and shows what the network reads."""
    start, folder = perf_counter(), options.save
    writable(folder)
    manual_seed(options.seed)
    recipe = RECIPES[NAME, MODEL]
    data, held_out = read_data(NAME, train=True), read_data(NAME, train=False)
    loader = make_loader(NAME, data, recipe.batch_size, shuffle=True)
    test_loader = make_loader(NAME, held_out, len(held_out))
    model = make_model(NAME, MODEL)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"A network of {parameters:,} numbers learns from {len(data):,} handwritten digits.\n")

    graph = draw_loss(model, loader, os.path.join(folder, "graph.svg"))
    dash = learn(model, loader, recipe.lr, options.epochs or recipe.epochs)
    curves = dash.save(os.path.join(folder, "curves.svg"))

    scores = scores_of(model, test_loader)
    share = accuracy(scores, held_out.labels)
    model.save(folder, extra={"dataset": NAME, "model": MODEL, "accuracy": share})
    if not np.array_equal(scores_of(nn.load_from_arc(folder), test_loader), scores):
        raise CheckpointError(f"the network loaded from {folder} does not predict the same")

    print(f"\nWhat it makes of digits it has never seen (of {len(held_out)}):\n")
    print("\n".join(gallery(held_out, scores, Terminal(sys.stdout))))
    print(f"\ntest accuracy {percent(share)}, in {duration(perf_counter() - start)} altogether")
    print("saved, loaded again: the same predictions, bit by bit\n")
    print(places(folder, graph, curves))


def draw_loss(model: Any, loader: Any, path: str) -> str:
    """The graph of the loss, for four images."""
    images, labels = next(loader.get_batches())
    x = Tensor(images[:4])  # tracked, so that it is drawn, too
    loss = nn.functional.cross_entropy(model(x), labels[:4])
    return draw_graph(loss, {"model": model, "x": x, "loss": loss}, path)


def learn(model: Any, loader: Any, lr: float, epochs: int) -> Dash:
    """Trains; live curves in a terminal, a line now and then elsewhere."""
    optimizer = make_optimizer(model, "adamw", lr)
    shown = Shown(epochs * len(loader.dataset))
    trainer = Trainer(
        model,
        optimizer,
        cross_entropy,
        metrics={"accuracy": Accuracy()},
        schedule=CosineAnnealingLR(optimizer, epochs * len(loader)),
        events=[shown],
    )
    trainer.fit(loader, epochs)
    return shown.dash


class Shown:
    """Curves and a bar for the whole training."""

    def __init__(self, images: int) -> None:
        self.dash = Dash(2, names=["loss", "accuracy"])
        self.screen = Terminal(sys.stdout)
        self.bar = Progress[Any](total=images, desc="training", unit="img")

    def on_step(self, trainer: Any) -> None:
        """The means of the epoch so far."""
        loss, share = (trainer.running[name].compute() for name in ("loss", "accuracy"))
        self.dash.update(loss, share)
        if self.screen.is_tty:
            self.dash.plot()
        self.bar.set(loss=f"{loss:.3f}", accuracy=percent(share))
        self.bar.update(trainer.samples - self.bar.count)

    def on_epoch_end(self, trainer: Any) -> None:
        """A line in a log file, now and then."""
        is_last = trainer.epoch == trainer.epochs
        if not self.screen.is_tty and (trainer.epoch % 5 == 0 or is_last):
            seen = trainer.history[-1]
            words = f"loss {seen['loss']:.3f}, accuracy {percent(seen['accuracy'])}"
            self.screen.write(f"epoch {trainer.epoch}/{trainer.epochs}: {words}\n")

    def on_stop(self, trainer: Any) -> None:
        """The last drawing."""
        if self.screen.is_tty:
            self.dash.plot(force=True)
        self.bar.close()


def gallery(data: Any, scores: Any, screen: Terminal) -> list[str]:
    """A row of digits that were read right, and a row of those that were not."""
    shares, guesses = probabilities(scores), scores.argmax(1)
    pixels = data.images / IMAGES[NAME].brightest
    lines: list[str] = []
    for is_right in (True, False):
        chosen = np.flatnonzero((guesses == data.labels) == is_right)
        panels = []
        for i in samples(chosen, data.labels):
            said = f"{guesses[i]}  {percent(shares[i].max())}"
            caption = said if is_right else f"{said}, is {data.labels[i]}"
            panels.append([*picture(pixels[i], screen), highlight(caption, is_right, screen)])
        if panels:
            heading = "right:" if is_right else f"wrong ({len(chosen)} in all):"
            lines += [heading, *side_by_side(panels, 19)]
    return lines


def samples(chosen: Any, labels: Any) -> Any:
    """The numbers of a few of the `chosen` images, of different digits while there are any."""
    firsts = np.unique(labels[chosen], return_index=True)[1]
    others = np.setdiff1d(np.arange(len(chosen)), firsts)
    if len(firsts) > SHOWN:
        firsts = firsts[np.linspace(0, len(firsts) - 1, SHOWN).astype(int)]
    return chosen[[*firsts, *others][:SHOWN]]


def places(folder: str, graph: str, curves: str) -> str:
    """Where everything is, and what to do next."""
    name = program()
    rows = [
        (os.path.join(folder, "model.arc"), "the architecture, as text"),
        (os.path.join(folder, "weights.safetensors"), "what it has learned"),
        (graph, "how the loss is computed: open it in a browser"),
        (curves, "the curves"),
    ]
    width = max(len(path) for path, _ in rows)
    files = [f"  {path:{width}}  {what}" for path, what in rows]
    commands = [
        f"  {name} summary {folder}",
        f"  {name} predict {folder} IMAGE.png",
        f"  {name} train mnist --download --model cnn",
    ]
    return "\n".join([*files, "", "Next:", *commands])

"""``deepdive train``: one of our models on one of our data sets, with settings to play with."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from time import perf_counter
from typing import Any

from deepdive.cli.arguments import program
from deepdive.cli.recipes import (
    RATES,
    RECIPES,
    make_loader,
    make_model,
    make_optimizer,
    read_data,
)
from deepdive.cli.scores import percent
from deepdive.core.random import manual_seed
from deepdive.dash import LiveDash, Report, RunLog, TrainingBar
from deepdive.dash.progress import duration
from deepdive.dash.terminal import Terminal
from deepdive.errors import ArgumentError, CheckpointError
from deepdive.nn.functional import cross_entropy
from deepdive.optim.schedule import CosineAnnealingLR
from deepdive.train import Accuracy, Interrupted, Trainer

TEST_BATCH = 500


def run(options: Any) -> None:
    """Trains, tells the accuracy on images it has not seen, and saves if asked to."""
    if options.save:
        writable(options.save)
    elif options.resume:
        raise ArgumentError("--resume goes on in a folder", fix="--save DIR names it")
    manual_seed(options.seed)
    name = options.dataset
    data, held_out = (
        read_data(name, train, options.data, options.download) for train in (True, False)
    )
    recipe = RECIPES[name, options.model]
    loader = make_loader(
        name,
        data,
        options.batch_size or recipe.batch_size,
        options.limit,
        shuffle=True,
        num_workers=options.workers,
    )
    test_loader = make_loader(name, held_out, TEST_BATCH, options.limit)
    epochs = options.epochs or recipe.epochs
    trainer = make_trainer(options, epochs * len(loader), test_loader)
    screen = Terminal(sys.stdout)  # whoever reads may leave: the training goes on
    start = perf_counter()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        trainer.on("epoch_end", lambda trainer: tell_epoch(trainer, screen))
        try:
            history = trainer.fit(loader, epochs, test_loader, resume=options.resume)
        except Interrupted as stop:
            raise Interrupted(how_to_go_on(trainer, options), stop.number, stop.folder) from None
    share = history[-1]["val_accuracy"]
    if options.save:
        facts = {"dataset": name, "model": options.model, "epochs": epochs, "accuracy": share}
        trainer.model.save(options.save, extra=facts)
    images, spent = len(test_loader.dataset), duration(perf_counter() - start)
    screen.write(f"test accuracy {percent(share)} on {images:,} images, after {spent}\n")
    if options.save:
        screen.write(f"saved to {options.save}, with report.html\n")


def make_trainer(options: Any, steps: int, held_out: Any) -> Trainer:
    """The trainer these options describe, for so many steps; saved runs get a report."""
    recipe = RECIPES[options.dataset, options.model]
    model = make_model(options.dataset, options.model)
    optimizer = make_optimizer(
        model,
        options.optimizer,
        recipe.lr * RATES[options.optimizer] if options.lr is None else options.lr,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
    )
    log = RunLog(options.save) if options.save else None
    seen = LiveDash(log=log) if options.live else TrainingBar(unit="img", format=_shown)
    return Trainer(
        model,
        optimizer,
        cross_entropy,
        metrics={"accuracy": Accuracy()},
        schedule=CosineAnnealingLR(optimizer, max(steps, 1)),
        compile=options.compile,
        checkpoints=options.save,
        events=[log, seen, Report(options.save, held_out)] if log else [seen],
        facts={"dataset": options.dataset, "model": options.model},
    )


def _shown(name: str, value: float) -> str:
    return percent(value) if name == "accuracy" else f"{value:.3f}"


def tell_epoch(trainer: Any, screen: Terminal) -> None:
    """A line after each epoch but the last, which has one of its own."""
    if trainer.epoch < trainer.epochs:
        screen.write(f"test accuracy {percent(trainer.history[-1]['val_accuracy'])}\n")


def how_to_go_on(trainer: Any, options: Any) -> str:
    """What became of an interrupted training, and the command that continues it."""
    stopped = f"stopped after step {trainer.step:,}"
    if not options.save:
        return f"{stopped}; nothing is saved without --save DIR"
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return f"{stopped}, saved; go on with: {program()} {shlex.join([*words, '--resume'])}"


def _show_warning(message: Any, *place: Any) -> None:
    """A warning is a line for the reader, not for the programmer."""
    Terminal(sys.stderr).write(f"deepdive: {message}\n")


def writable(folder: str) -> None:
    """Finds out before the training whether there is a place for its result.

    Raises:
        CheckpointError: the folder cannot be made or written into.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"cannot save in {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CheckpointError(f"cannot save in {folder}: no right to write there")

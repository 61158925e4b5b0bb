"""``deepdive train``: one of our models on one of our data sets, with settings to play with."""

from __future__ import annotations

import os
from time import perf_counter
from typing import Any

from deepdive.cli.recipes import (
    RATES,
    RECIPES,
    make_loader,
    make_model,
    make_optimizer,
    read_data,
)
from deepdive.cli.training import accuracy, percent, scores_of, train_epoch
from deepdive.core.random import manual_seed
from deepdive.dash import Progress
from deepdive.dash.progress import duration
from deepdive.errors import CheckpointError
from deepdive.optim.schedule import CosineAnnealingLR

TEST_BATCH = 500


def run(options: Any) -> None:
    """Trains, tells the accuracy on images it has not seen, and saves if asked to."""
    name, recipe = options.dataset, RECIPES[options.dataset, options.model]
    epochs = options.epochs or recipe.epochs
    if options.save:
        writable(options.save)
    manual_seed(options.seed)
    data, held_out = (
        read_data(name, train, options.data, options.download) for train in (True, False)
    )
    batch_size = options.batch_size or recipe.batch_size
    loader = make_loader(
        name, data, batch_size, options.limit, shuffle=True, num_workers=options.workers
    )
    test_loader = make_loader(name, held_out, TEST_BATCH, options.limit)
    model = make_model(name, options.model)
    optimizer = make_optimizer(
        model,
        options.optimizer,
        recipe.lr * RATES[options.optimizer] if options.lr is None else options.lr,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
    )
    schedule = CosineAnnealingLR(optimizer, max(epochs * len(loader), 1))
    start, labels = perf_counter(), held_out.labels[: options.limit]
    for epoch in range(1, epochs + 1):
        train_one(model, loader, optimizer, schedule, f"epoch {epoch}/{epochs}")
        share = accuracy(scores_of(model, test_loader), labels)
        if epoch < epochs:
            print(f"test accuracy {percent(share)}", flush=True)
    spent = duration(perf_counter() - start)
    print(f"test accuracy {percent(share)} on {len(labels):,} images, after {spent}")
    if options.save:
        facts = {"dataset": name, "model": options.model, "epochs": epochs, "accuracy": share}
        model.save(options.save, extra=facts)
        print(f"saved to {options.save}")


def train_one(model: Any, loader: Any, optimizer: Any, schedule: Any, title: str) -> None:
    """One epoch behind a progress bar."""
    with Progress[Any](total=len(loader.dataset), desc=title, unit="img") as bar:
        for step in train_epoch(model, loader, optimizer, schedule):
            bar.set(loss=f"{step.mean_loss:.3f}", accuracy=percent(step.mean_accuracy))
            bar.update(step.images)


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

"""A small training that checkpoints often, as tests start it in processes of its own.

python small_run.py FOLDER [--epochs N] [--workers N] [--compile] [--resume] [--every N] …
prints a line per step, and in the end the checksum of all weights.
"""

import argparse
import hashlib
import sys
import time

import numpy as np

import deepdive as dd
from deepdive import nn, optim
from deepdive.datautils import ArrayDataset, DataLoader, RandomShift
from deepdive.train import Accuracy, Checkpoints, Interrupted, Trainer


def parser():
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--workers", type=int, default=0)
    options.add_argument("--every", type=int)
    options.add_argument("--keep", type=int, default=2)
    options.add_argument("--width", type=int, default=16)
    options.add_argument("--pause", type=float, default=0.0, help="seconds per step")
    options.add_argument("--compile", action="store_true")
    options.add_argument("--resume", action="store_true")
    options.add_argument("--verbose", action="store_true")
    return options


def make(options, **more):
    """(trainer, loader, validation loader), the same in every process."""
    dd.manual_seed(3)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 1, 4, 4)).astype(np.float32)
    y = (x[:, 0, 0, 0] * x[:, 0, 1, 1] > 0).astype(np.int64)
    data = ArrayDataset(x, y)
    loader = DataLoader(
        data, 16, shuffle=True, num_workers=options.workers, transform=RandomShift(1)
    )
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(16, options.width),
        nn.BatchNorm1d(options.width),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(options.width, 2),
    )
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    folder = options.folder
    checkpoints = Checkpoints(folder, every_steps=options.every, keep=options.keep)
    trainer = Trainer(
        model,
        optimizer,
        nn.functional.cross_entropy,
        metrics={"accuracy": Accuracy()},
        schedule=schedule,
        clip_norm=1.0,
        ema=0.9,
        compile=options.compile,
        checkpoints=None if folder == "-" else checkpoints,
        **more,
    )
    return trainer, loader, DataLoader(data, 16)


def digest(trainer):
    """A checksum of weights, averages and history: of everything a training ends with."""
    sums = hashlib.sha256(repr(trainer.history).encode())
    for name, x in trainer.model.state_dict().items():
        sums.update(name.encode() + x.numpy().tobytes())
    for array in trainer.ema.state_dict().values():
        sums.update(array.tobytes())
    return sums.hexdigest()


def main():
    options = parser().parse_args()
    trainer, loader, validation = make(options)

    def told(trainer):
        if options.verbose:
            print("step", trainer.step, flush=True)
        time.sleep(options.pause)

    trainer.on("step", told)
    try:
        trainer.fit(loader, options.epochs, validation, resume=options.resume)
    except Interrupted as stop:
        print("interrupted:", stop, flush=True)
        sys.exit(128 + stop.number)
    print("digest", digest(trainer), flush=True)


if __name__ == "__main__":
    main()

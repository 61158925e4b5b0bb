"""A small training with everything that looks on, as tests start it in processes of its own.

python watched_run.py FOLDER [--epochs N] [--steps N] [--plain] [--nan STEP] [--pause S]
"""

import argparse
import sys
import time

import numpy as np

import deepdive as dd
from deepdive import nn, optim
from deepdive.dash import LiveDash, RunLog
from deepdive.train import Accuracy, Trainer
from deepdive.utils.memory import memory_in_use


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="per epoch")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--refresh", type=float, default=0.02)
    parser.add_argument("--nan", type=int, default=0)
    parser.add_argument("--rich", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bare", action="store_true", help="nobody looks on")
    options = parser.parse_args()

    dd.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))
    log = RunLog(options.folder, every=5, histograms=2)
    dash = LiveDash(refresh=options.refresh, rich=options.rich, log=log)
    trainer = Trainer(
        model,
        optim.Adam(model.parameters(), lr=1e-3),
        nn.functional.cross_entropy,
        metrics={"accuracy": Accuracy()},
        events=[] if options.bare else [log, dash],
        compile=options.compile,
        watch_gradients=True,
    )
    memory = []

    def told(trainer):
        time.sleep(options.pause)
        if trainer.step == options.nan:
            with dd.no_grad():
                model[0].weight.fill_(float("nan"))
        if trainer.step % 1000 == 0:
            memory.append(memory_in_use())

    trainer.on("step", told)
    trainer.fit([(x, y)] * options.steps, options.epochs, [(x, y)])
    total = sum(float(p.numpy().astype(np.float64).sum()) for p in model.parameters())
    with open(options.folder + ".done", "w") as file:
        print(trainer.step, repr(total), *memory, file=file)


if __name__ == "__main__":
    main()
    sys.exit(0)

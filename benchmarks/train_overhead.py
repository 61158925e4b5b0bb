"""What the training loop costs beyond the step: Trainer against the loop of the tutorial.

python benchmarks/train_overhead.py [--steps N] [--rounds N]

Both train the same model on the same batches, in turns; what the Trainer adds should stay below
10 µs, 1 % of a step of 1 ms.  The quickest of many interleaved rounds counts, which a machine that
is busy for a while disturbs least.  The C library is told to keep its memory: otherwise it is
chance which of two models has to fetch it from the system again at each step, 100 page faults long.
"""

import argparse
import os
import sys
from time import perf_counter, process_time

import numpy as np

import deepdive as dd
from deepdive import nn, optim
from deepdive.train import Trainer


def parts(width):
    """A model whose step takes about a millisecond, and batches for it."""
    dd.manual_seed(0)
    model = nn.Sequential(nn.Linear(256, width), nn.ReLU(), nn.Linear(width, 10))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 1_000_000)
    return model, optimizer, schedule


def tutorial(parts, batches):
    """The loop, written out: with the mean loss of the epoch and the schedule."""
    model, optimizer, schedule = parts
    total, seen = 0.0, 0
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() * len(y)
        seen += len(y)
    return total / seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="per round")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--width", type=int, default=256)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 256)).astype(np.float32)
    batches = [(x, rng.integers(0, 10, 64))] * options.steps
    plain, given = parts(options.width), parts(options.width)
    trainer = Trainer(given[0], given[1], nn.functional.cross_entropy, schedule=given[2])
    tutorial(plain, batches)
    trainer.fit(batches, 1)
    rows = []
    for _ in range(options.rounds):
        row = []
        for run in (lambda: tutorial(plain, batches), lambda: fit(trainer, batches)):
            start, used = perf_counter(), process_time()
            run()
            row += [perf_counter() - start, process_time() - used]
        rows.append([1e6 * seconds / options.steps for seconds in row])
    wall, busy, wall_fit, busy_fit = (min(column) for column in zip(*rows, strict=True))
    extra, extra_busy = wall_fit - wall, busy_fit - busy
    assert np.array_equal(plain[0][0].weight.numpy(), given[0][0].weight.numpy())
    print(f"a step of the tutorial's loop  {wall:8.1f} µs ({busy:.1f} µs of the processor)")
    print(f"a step of the Trainer          {wall_fit:8.1f} µs ({busy_fit:.1f} µs)")
    print(f"the Trainer adds               {extra:8.1f} µs ({extra_busy:.1f} µs)")
    print(f"                               {100 * extra / 1000:8.2f} % of a step of 1 ms")


def fit(trainer, batches):
    """One more epoch."""
    trainer.fit(batches, trainer.epoch + 1)


KEPT = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 30)}

if __name__ == "__main__":
    if not KEPT.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEPT})
    main()

"""Eager mode against PyTorch eager: overhead, the MLP step, the small CNN.  2 threads, float32.

``OPENBLAS_CORETYPE`` in the environment decides which products NumPy's OpenBLAS uses; where it is
set, the results go beside, under its name.  ``env -u OPENBLAS_CORETYPE`` measures it untouched.
"""

from __future__ import annotations

import os

import numpy as np
import torch
from contest import agree, race, report

import deepdive as dd
from deepdive import nn, optim

torch.set_num_threads(2)
RNG = np.random.default_rng(0)


def overhead():
    arrays = [RNG.standard_normal((8, 8)).astype("f") for _ in range(3)]
    a, b, c = (dd.Tensor(x) for x in arrays)
    ta, tb, tc = (torch.tensor(x, requires_grad=True) for x in arrays)

    def ours():
        a.grad = b.grad = c.grad = None
        loss = (a * b + c).sum()
        loss.backward()
        return loss

    def theirs():
        ta.grad = tb.grad = tc.grad = None
        loss = (ta * tb + tc).sum()
        loss.backward()
        return loss.detach()

    return {"PyTorch": theirs, "DeepDive": ours}


def carried(ours, theirs):
    """Give the PyTorch model the weights of ours."""
    state = {name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()}
    theirs.load_state_dict(state)


def mlp(batch=64):
    model = nn.Sequential(
        nn.Linear(784, 128), nn.LayerNorm(128), nn.ReLU(), nn.Linear(128, 10), nn.LayerNorm(10)
    )
    twin = torch.nn.Sequential(
        torch.nn.Linear(784, 128),
        torch.nn.LayerNorm(128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
        torch.nn.LayerNorm(10),
    )
    carried(model, twin)
    x = RNG.random((batch, 784)).astype("f")
    y = RNG.integers(0, 10, batch)
    return steps(model, twin, x, y, 0.01, 0.0)


def cnn(batch=32):
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4608, 1024),
        nn.ReLU(),
        nn.Linear(1024, 10),
    )
    twin = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 8, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(4608, 1024),
        torch.nn.ReLU(),
        torch.nn.Linear(1024, 10),
    )
    carried(model, twin)
    x = RNG.random((batch, 1, 28, 28)).astype("f")
    y = RNG.integers(0, 10, batch)
    return steps(model, twin, x, y, 0.01, 1e-4)


def steps(model, twin, x, y, lr, decay):
    """One whole training step of both: log-softmax, NLL, backward, SGD."""
    optimizer = optim.SGD(model.parameters(), lr=lr, weight_decay=decay)
    rival = torch.optim.SGD(twin.parameters(), lr=lr, weight_decay=decay)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)

    def ours():
        optimizer.zero_grad()
        loss = nn.functional.nll_loss(nn.functional.log_softmax(model(x), -1), y)
        loss.backward()
        optimizer.step()
        return loss

    def theirs():
        rival.zero_grad()
        loss = torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(twin(tx), -1), ty)
        loss.backward()
        rival.step()
        return loss.detach()

    return {"PyTorch": theirs, "DeepDive": ours}


WORKLOADS = {
    "(a*b + c).sum().backward(), (8, 8)": (overhead, 0.7),
    "MLP 784-128-LN-ReLU-10-LN, batch 64, SGD": (mlp, 1.0),
    "Conv 4, Conv 8, 4608-1024-10, batch 32, SGD, decay": (cnn, 1.5),
}


def main() -> None:
    rows = []
    for title, (make, goal) in WORKLOADS.items():
        contestants = make()
        off = agree(contestants)
        times = race(contestants)
        ratio = times["DeepDive"] / times["PyTorch"]
        rows.append(
            {
                "workload": title,
                "PyTorch, µs": f"{times['PyTorch'] * 1e6:.1f}",
                "DeepDive, µs": f"{times['DeepDive'] * 1e6:.1f}",
                "ratio": f"{ratio:.2f}",
                "goal": f"≤ {goal}",
                "losses differ by": f"{off:.0e}",
            }
        )
        print(rows[-1])
    core = os.environ.get("OPENBLAS_CORETYPE")
    title = "Eager mode against PyTorch eager"
    if core:
        title += f", NumPy's OpenBLAS told that this is a {core}"
    print(report(title, rows, f"eager-{core}" if core else "eager"))


if __name__ == "__main__":
    main()

"""``deepdive warmup``: what later processes would compile is compiled now, and kept on disk."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from deepdive.cli.recipes import IMAGES, RECIPES, make_model, make_optimizer
from deepdive.compiler import store
from deepdive.compiler.compile import compile
from deepdive.compiler.warm import warm_kernels
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, DeepDiveError, did_you_mean
from deepdive.nn.functional import cross_entropy

KERNELS = "kernels"
NAMES = {f"{dataset}/{model}": (dataset, model) for dataset, model in RECIPES}


def run(options: Any) -> None:
    """Warms each target in turn, and tells what it took.

    Raises:
        ArgumentError: for a name that is neither a recipe nor a script.
        MissingExtraError: without Numba there is nothing to keep.
    """
    targets = options.targets or [KERNELS, *NAMES]
    for target in targets:
        check(target)
    for target in targets:
        before, start = len(store.kept()), perf_counter()
        what = warmed(target, shlex.split(options.args), options.calls)
        new = len(store.kept()) - before
        took = perf_counter() - start
        print(f"{target}: {what}, {new} new programs, {took:.1f} s", flush=True)
    print(f"kept in {store.folder().parent}")


def check(target: str) -> None:
    """Refuses what cannot be warmed before anything is."""
    if target != KERNELS and target not in NAMES and not target.endswith(".py"):
        known = (KERNELS, *NAMES)
        raise ArgumentError(
            f"warmup knows no {target!r}",
            expected=f"{', '.join(known)}, or a script whose name ends in .py",
            fix=did_you_mean(target, known) or None,
        )


def warmed(target: str, words: Sequence[str], calls: int) -> str:
    """Warms one target; gives what was done."""
    if target == KERNELS:
        return f"{warm_kernels()} kernels of this CPU"
    if target in NAMES:
        recipe(*NAMES[target])
        return "training step, and prediction in evaluation mode"
    return script(target, words, calls)


def recipe(dataset: str, name: str) -> None:
    """The training step of a recipe, as a user would compile it, and its evaluation."""
    model = make_model(dataset, name)
    recipe = RECIPES[dataset, name]
    optimizer = make_optimizer(model, "adamw", recipe.lr)
    size = IMAGES[dataset].size
    images = Tensor(np.zeros((recipe.batch_size, 1, size, size), "f"), requires_grad=False)
    labels = Tensor(np.zeros(recipe.batch_size, "i8"), requires_grad=False)

    def step(images: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    compile(step, dialect="numba")(images, labels)
    model.eval()
    compile(model, dialect="numba")(images)


def script(path: str, words: Sequence[str], calls: int) -> str:
    """Runs a user's script in a process of its own, until its compiled functions are warm.

    Raises:
        DeepDiveError: if the script fails.
    """
    command = [sys.executable, "-m", "deepdive.cli.warm_script", str(calls), path, *words]
    done = subprocess.run(command, check=False)
    if done.returncode == FINISHED:
        return "ran to its end"
    if done.returncode:
        raise DeepDiveError(f"{path} failed", got=f"exit code {done.returncode}")
    return f"stopped after {calls} compiled calls that needed nothing new"


FINISHED = 97  # exit code of a script that ended by itself

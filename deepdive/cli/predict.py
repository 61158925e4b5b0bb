"""``deepdive predict``: a saved network reads images, and says how sure it is."""

from __future__ import annotations

import sys
from itertools import zip_longest
from typing import Any

import numpy as np

from deepdive.cli import saved
from deepdive.cli.images import alike, read_images
from deepdive.cli.pixels import picture
from deepdive.cli.recipes import IMAGES
from deepdive.cli.scores import percent, probabilities
from deepdive.config import no_grad
from deepdive.dash.dashboard import visible_length
from deepdive.dash.progress import bar
from deepdive.dash.terminal import Terminal
from deepdive.errors import CheckpointError

BAR = 20  # letters


def run(options: Any) -> None:
    """Draws each image as the network sees it, with its best guesses beside."""
    model, dataset = saved.load(options.folder)
    if dataset is None:
        raise CheckpointError(
            f"{options.folder} does not say what its network has learned to read",
            fix=f"save it with 'deepdive train {{{','.join(IMAGES)}}} --save DIR'",
        )
    images, screen = IMAGES[dataset], Terminal(sys.stdout)
    files = [(path, read_images(path)) for path in options.images]  # all of them, or an error
    for path, found in files:
        chosen = np.stack([alike(image, images) for image in found[: options.limit]])
        with no_grad():
            shares = probabilities(model(images.normalized().batch(chosen)).numpy())
        for i, (pixels, row) in enumerate(zip(chosen, shares, strict=True)):
            title = path if len(found) == 1 else f"{path}, image {i}"
            print(f"{title}: {row.argmax()}")
            print("\n".join(beside(picture(pixels, screen), guesses(row, options.top, screen))))
        if len(found) > len(chosen):
            print(f"{path}: {len(found) - len(chosen):,} more images (--limit N shows more)")


def guesses(shares: Any, top: int, screen: Terminal) -> list[str]:
    """The likeliest classes with their probabilities, as lines."""
    best = np.argsort(-shares, kind="stable")[:top]
    return [
        f"{i}  {percent(shares[i]):>7}  {bar(float(shares[i]), BAR, screen.unicode)}" for i in best
    ]


def beside(left: list[str], right: list[str]) -> list[str]:
    """Two blocks of lines side by side, the right one two columns off and a line down."""
    width = max(map(visible_length, left)) + 2
    rows = zip_longest(left, ["", *right], fillvalue="")
    return [(line + " " * (width - visible_length(line)) + text).rstrip() for line, text in rows]

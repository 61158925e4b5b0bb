"""``deepdive draw``: the graph of a saved network as a picture."""

from __future__ import annotations

import os
from typing import Any

from deepdive.cli import saved
from deepdive.dash import draw_graph


def run(options: Any) -> None:
    """Runs the network once and draws what it computed."""
    model, dataset = saved.load(options.folder)
    x = saved.zeros(saved.input_shape(options.folder, dataset, options.input))
    out = model(x)
    path = options.output or os.path.join(options.folder, "graph.svg")
    print(draw_graph(out, {"model": model, "x": x, "out": out}, path))

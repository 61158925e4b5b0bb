"""Side-by-side timing: contestants take turns, medians are compared, disturbed rounds are set aside.

A contestant is a name and a function that does one step and returns its loss.  Before anything is
timed, the losses of the first steps must agree: speed without the right answer is worth nothing.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Step = Callable[[], Any]


def agree(contestants: dict[str, Step], steps: int = 5, rtol: float = 1e-3) -> float:
    """The largest relative difference of the first losses from those of the first contestant.

    Raises:
        AssertionError: if it exceeds `rtol`.
    """
    losses = {name: [float(step()) for _ in range(steps)] for name, step in contestants.items()}
    reference = next(iter(losses.values()))
    worst = 0.0
    for name, row in losses.items():
        off = max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(row, reference, strict=True))
        assert off <= rtol, f"{name}: losses differ by {off:.1e}: {row} against {reference}"
        worst = max(worst, off)
    return worst


def spin() -> float:
    """Seconds for a fixed piece of work: slow when a neighbour is busy."""
    start = time.perf_counter()
    total = 0
    for i in range(20_000):
        total += i
    return time.perf_counter() - start


def race(contestants: dict[str, Step], seconds: float = 4.0, rounds: int = 40) -> dict[str, float]:
    """Median seconds a step, contestants interleaved, the noisier half of the rounds set aside."""
    for step in contestants.values():
        step()
    once = {name: _timed(step, 1) for name, step in contestants.items()}
    share = seconds / rounds / len(contestants)
    repeats = {name: max(1, min(2000, int(share / max(t, 1e-7)))) for name, t in once.items()}
    quiet: list[tuple[float, dict[str, float]]] = []
    for _ in range(rounds):
        before = spin()
        row = {name: _timed(step, repeats[name]) for name, step in contestants.items()}
        quiet.append((max(before, spin()), row))
    quiet.sort(key=lambda entry: entry[0])
    kept = [row for _, row in quiet[: max(5, rounds // 2)]]
    return {name: statistics.median(row[name] for row in kept) for name in contestants}


def _timed(step: Step, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    import numpy
    import torch

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = f"{len(lines)} x {lines[0].split(':')[1].strip()}" if lines else cpu
    return {
        "cpu": cpu,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "date": time.strftime("%Y-%m-%d"),
    }


def report(title: str, rows: list[dict[str, Any]], name: str, notes: str = "") -> str:
    """Write ``results/<name>.json`` and ``.md``; the first contestant is what others are held to."""
    facts = machine()
    columns = [key for key in rows[0]]
    lines = [f"# {title}", "", ", ".join(f"{k} {v}" for k, v in facts.items()), ""]
    lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row[key]) for key in columns) + " |" for row in rows]
    text = "\n".join([*lines, "", notes]).rstrip() + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    (RESULTS / f"{name}.json").write_text(
        json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n", encoding="utf-8"
    )
    return text

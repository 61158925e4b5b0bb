"""Side-by-side timing: contestants take turns, medians count, disturbed rounds are set aside.

A contestant is a name and a function that does one step and returns its loss.  Before anything is
timed, the losses of the first steps must agree: speed without the right answer is worth nothing.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Iterable
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
        off = max(map(_difference, row, reference))
        assert off <= rtol, f"{name}: losses differ by {off:.1e}: {row} against {reference}"
        worst = max(worst, off)
    return worst


def _difference(loss: float, reference: float) -> float:
    return abs(loss - reference) / max(abs(reference), 1e-12)


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
    share = seconds / rounds / len(contestants)
    repeats = {name: _repeats(step, share) for name, step in contestants.items()}
    played: list[tuple[float, dict[str, float]]] = []
    for _ in range(rounds):
        before = spin()
        row = {name: _timed(step, repeats[name]) for name, step in contestants.items()}
        disturbance = max(before, spin())
        played.append((disturbance, row))
    played.sort(key=lambda entry: entry[0])
    quiet = played[: max(5, rounds // 2)]
    kept = [row for _, row in quiet]
    return {name: statistics.median(row[name] for row in kept) for name in contestants}


def _repeats(step: Step, share: float) -> int:
    """How often a step is repeated to fill its share of a round, in seconds."""
    once = max(_timed(step, 1), 1e-7)
    fitting = int(share / once)
    return max(1, min(2000, fitting))


def _timed(step: Step, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    import numpy
    import torch

    return {
        "cpu": _cpu(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _cpu() -> str:
    """The processor's name and number of cores, where Linux tells them."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    names = [line for line in text.splitlines() if line.startswith("model name")]
    if not names:
        return platform.processor() or platform.machine()
    name = names[0].partition(":")[2].strip()
    return f"{len(names)} x {name}"


def report(title: str, rows: list[dict[str, Any]], name: str, notes: str = "") -> str:
    """Write ``results/<name>.json`` and ``.md``; others are held to the first contestant."""
    facts = machine()
    columns = list(rows[0])
    described = ", ".join(f"{key} {value}" for key, value in facts.items())
    rule = "|" + "---|" * len(columns)
    body = [_line(str(row[key]) for key in columns) for row in rows]
    lines = [f"# {title}", "", described, "", _line(columns), rule, *body, "", notes]
    text = "\n".join(lines).rstrip() + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    record = json.dumps({"machine": facts, "rows": rows}, indent=1)
    (RESULTS / f"{name}.json").write_text(record + "\n", encoding="utf-8")
    return text


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"

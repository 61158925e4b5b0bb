"""Side-by-side timing: contestants take turns, medians count, disturbed rounds are set aside.

A contestant is a name and a function that does one step and returns its loss.  Before anything is
timed, the losses of the first steps must agree: speed without the right answer is worth nothing.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"
Step = Callable[[], Any]


def agree(contestants: dict[str, Step], steps: int = 5, rtol: float = 1e-3) -> float:
    """The largest relative difference of the first losses from those of the first contestant.

    Raises:
        AssertionError: if it exceeds `rtol`.
    """
    losses = {name: first_losses(step, steps) for name, step in contestants.items()}
    reference = next(iter(losses.values()))
    worst = 0.0
    for name, row in losses.items():
        off = difference(row, reference)
        assert off <= rtol, f"{name}: losses differ by {off:.1e}: {row} against {reference}"
        worst = max(worst, off)
    return worst


def first_losses(step: Step, steps: int) -> list[float]:
    return [float(step()) for _ in range(steps)]


def difference(losses: list[float], reference: list[float]) -> float:
    """The largest relative difference of two rows of losses; infinite if one is not a number."""
    worst = 0.0
    for loss, other in zip(losses, reference, strict=True):
        off = abs(loss - other) / max(abs(other), 1e-12)
        worst = max(worst, off if math.isfinite(off) else math.inf)
    return worst


def spin() -> float:
    """Seconds for a fixed piece of work: slow when a neighbour is busy."""
    start = time.perf_counter()
    total = 0
    for i in range(20_000):
        total += i
    return time.perf_counter() - start


class Neighbours:
    """How much processor time others take: Linux counts it for all programs, and for this one."""

    def __init__(self) -> None:
        self.at = self._taken()

    def since(self) -> float:
        """Seconds of processor time others took since the last call."""
        before, self.at = self.at, self._taken()
        return max(0.0, self.at - before)

    def _taken(self) -> float:
        counts = Path("/proc/stat")
        if not counts.exists():
            return 0.0
        line = counts.read_text().partition("\n")[0]
        user, nice, system, _, _, irq, soft, stolen, *_ = map(int, line.split()[1:])
        ticks = user + nice + system + irq + soft + stolen
        return ticks / os.sysconf("SC_CLK_TCK") - time.process_time()


class Round(NamedTuple):
    """Seconds a step of each contestant, and how disturbed they were."""

    times: dict[str, float]
    slowness: float  # seconds of a fixed piece of work
    others: float  # processors that other programs kept busy

    @property
    def disturbance(self) -> float:
        return self.slowness * (1 + self.others)


def race(contestants: dict[str, Step], seconds: float = 4.0, rounds: int = 40) -> dict[str, float]:
    """Median seconds a step, contestants interleaved, the noisier half of the rounds set aside."""
    return medians(quiet_rounds(contestants, seconds, rounds))


def medians(rounds: list[Round]) -> dict[str, float]:
    names = rounds[0].times
    return {name: statistics.median(entry.times[name] for entry in rounds) for name in names}


def quiet_rounds(contestants: dict[str, Step], seconds: float, rounds: int) -> list[Round]:
    """The quieter half of the rounds, at least five.

    The order turns from round to round.  Each contestant waits until the threads of the one
    before have stopped spinning; short steps start with one that is not timed, so that the
    caches hold what is its own.
    """
    for step in contestants.values():
        finished(step())
    share = seconds / rounds / len(contestants)
    repeats = {name: _repeats(step, share) for name, step in contestants.items()}
    order = list(contestants)
    others = Neighbours()
    played: list[Round] = []
    for _ in range(rounds):
        order.append(order.pop(0))
        others.since()
        began, before = time.perf_counter(), spin()
        row = {name: _turn(contestants[name], repeats[name]) for name in order}
        slowness = max(before, spin())
        busy = others.since() / (time.perf_counter() - began)
        played.append(Round(row, slowness, busy))
    played.sort(key=lambda entry: entry.disturbance)
    return played[: max(5, rounds // 2)]


def _turn(step: Step, repeats: int) -> float:
    """Seconds a step in this turn: the least of four stretches, where steps are short.

    A thread that wakes on the core of the one that waits for it costs both a tick of the
    scheduler, whoever's threads they are; seldom in all four.
    """
    rest()
    if repeats < 8:
        return _timed(step, repeats)
    finished(step())
    return min(_timed(step, repeats // 4) for _ in range(4))


def rest(longest: float = 0.3) -> None:
    """Wait until no thread of this process works: OpenBLAS's spin for 0.1 s after a product.

    Processor time is counted in ticks of 4 ms or so: a thread at work shows in 12 ms.
    """
    end = time.perf_counter() + longest
    while time.perf_counter() < end:
        before = time.process_time()
        time.sleep(0.012)
        if time.process_time() - before < 0.003:
            return


def finished(result: Any) -> Any:
    """The result, once it is there: JAX hands out promises."""
    wait = getattr(result, "block_until_ready", None)
    return result if wait is None else wait()


def _repeats(step: Step, share: float) -> int:
    """How often a step is repeated to fill its share of a round, in seconds."""
    once = max(_timed(step, 1), 1e-7)
    fitting = int(share / once)
    return max(1, min(2000, fitting))


def _timed(step: Step, repeats: int) -> float:
    result = None
    result = None
    start = time.perf_counter()
    for _ in range(repeats):
        result = step()
    finished(result)
    return (time.perf_counter() - start) / repeats


def two_cores() -> None:
    """Two threads for everybody, on two cores; to be called before NumPy is imported."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = "2"
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        first = [cpu for cpu in allowed if _siblings(cpu)[0] == cpu]
        chosen = first if len(first) > 1 else allowed
        os.sched_setaffinity(0, chosen[:2])


def _siblings(cpu: int) -> list[int]:
    """The hardware threads that share a core with this one."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    text = path.read_text() if path.exists() else str(cpu)
    return [int(number) for number in re.findall(r"\d+", text)]


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    import torch

    facts: dict[str, Any] = {"cpu": _cpu(), "python": platform.python_version()}
    for name in ("numpy", "numba", "torch", "jax"):
        facts[name] = _version(name)
    facts["threads"] = torch.get_num_threads()
    facts["date"] = time.strftime("%Y-%m-%d")
    return facts


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


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

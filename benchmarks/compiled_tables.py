"""The tables of ``results/compiled.md``, made of the record that ``bench_compiled.py`` keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]
PYTORCH = ("PyTorch", "PyTorch, fused optimizer", "torch.compile")
JAX, HAND = "JAX", "NumPy by hand"
EAGER, NUMPY, NUMBA = "DeepDive eager", "DeepDive, NumPy", "DeepDive, Numba"
EVERYBODY = (*PYTORCH, JAX, HAND, EAGER, NUMPY, NUMBA)
AVX2 = "DeepDive, AVX2"
COMPILERS = ("torch.compile", JAX, NUMPY, NUMBA)
APART = ("products", "starts", "memory")
NOTHING = "–"


def workloads(record: Record) -> dict[str, Record]:
    return {name: part for name, part in record["parts"].items() if name not in APART}


def fastest_pytorch(part: Record) -> float:
    """Seconds of the fastest PyTorch whose losses are right."""
    return min(part["seconds"][name] for name in PYTORCH if name in part["seconds"])


def ratios(part: Record) -> tuple[float | None, float | None]:
    """Ours in Numba ÷ the fastest PyTorch, and ÷ JAX."""
    seconds = part["seconds"]
    if NUMBA not in seconds:
        return None, None
    ours = seconds[NUMBA]
    return ours / fastest_pytorch(part), ours / seconds[JAX] if JAX in seconds else None


def page(record: Record) -> str:
    """Everything that was measured, as Markdown."""
    facts = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
    sections = [
        "# Compiled training steps, side by side",
        f"{facts}. Made by `python benchmarks/bench_compiled.py`.",
        *step_section(record),
        *products_section(record["parts"].get("products")),
        *plain_section(record, "starts", "## First calls in a process of their own, MLP and GPT"),
        *plain_section(
            record, "memory", "## Memory of the GPT step, beyond what the library holds"
        ),
    ]
    return "\n\n".join(sections) + "\n"


def step_section(record: Record) -> list[str]:
    parts = workloads(record)
    if not parts:
        return []
    return [
        "![step times relative to the fastest PyTorch](compiled.svg)",
        "## One training step, µs",
        "Medians of interleaved rounds, the noisier half set aside; in a round short steps count "
        "by the best of four stretches. The first five losses of all contestants agree, from equal "
        "weights; what is left out is explained below.",
        "The last column: how many processors other programs kept busy meanwhile.",
        table(["workload", *EVERYBODY, "others"], map(step_row, parts.items())),
        "## DeepDive, Numba ÷ the fastest PyTorch, ÷ JAX",
        table(
            ["workload", "÷ PyTorch", "goal", "÷ JAX", "goal", "losses differ by"],
            map(ratio_row, parts.items()),
        ),
        "## The first call, seconds: compiling, from an empty cache",
        "What workloads share – kernels, libraries – is compiled or loaded by the first of them.",
        table(["workload", *COMPILERS], map(first_row, parts.items())),
        *left_out(parts),
    ]


def step_row(item: tuple[str, Record]) -> list[str]:
    name, part = item
    cells = (step_cell(part, who) for who in EVERYBODY)
    return [name, *cells, f"{part['others']:.1f}"]


def step_cell(part: Record, who: str) -> str:
    """Microseconds, or in two words why there are none."""
    if who in part["seconds"]:
        return digits(part["seconds"][who] * 1e6)
    why = part["left"].get(who, "")
    if why in ("not installed", "not asked for"):
        return why
    if who == HAND:
        return NOTHING
    if why.startswith("no C++ compiler"):
        return "no C++ compiler"
    is_wrong = "losses differ" in why  # it ran, and what it computed is not what PyTorch computes
    return "**wrong**" if is_wrong else "**fails**"


def ratio_row(item: tuple[str, Record]) -> list[str]:
    name, part = item
    goals = part["goals"]
    to_torch, to_jax = ratios(part)
    against_torch = [held_to(to_torch, goals["PyTorch"]), f"≤ {goals['PyTorch']}"]
    against_jax = [held_to(to_jax, goals["JAX"]), f"≤ {goals['JAX']}"]
    worst = max(part["off"].values())
    return [name, *against_torch, *against_jax, f"{worst:.0e}"]


def first_row(item: tuple[str, Record]) -> list[str]:
    name, part = item
    first = part["first"]
    return [name, *(f"{first[who]:.1f}" if who in first else NOTHING for who in COMPILERS)]


def left_out(parts: dict[str, Record]) -> list[str]:
    lines = [
        f"- {name}: {who} – {why}"
        for name, part in parts.items()
        for who, why in part["left"].items()
        if who != HAND
    ]
    return ["## Left out", "\n".join(lines)] if lines else []


def products_section(part: Record | None) -> list[str]:
    if not part:
        return []
    sizes: dict[str, Record] = part["GFLOP/s"]
    titles = ["size", "NumPy", "PyTorch", JAX, "DeepDive", "multiply-add peak"]
    titles += ["of the peak", "÷ PyTorch's time", "÷ JAX's time", "DeepDive, AVX2 forced"]
    rows = (product_row(size, rates) for size, rates in sizes.items())
    goals = (
        "Goals: ≤ 0.5 × PyTorch's time, ≤ 1.05 × JAX's, ≥ 85 % of the peak.  AVX2 is forced "
        "in a process of its own, after the race."
    )
    return ["## Matrix products, GFLOP/s", goals, table(titles, rows)]


def product_row(size: str, rates: Record) -> list[str]:
    ours, peak = rates["DeepDive"], rates["peak"]
    names = ("NumPy", "PyTorch", JAX, "DeepDive", "peak")
    cells = [f"{rates[name]:.0f}" if name in rates else "not installed" for name in names]
    to_jax = f"{rates[JAX] / ours:.2f}" if JAX in rates else NOTHING
    narrow = f"{rates[AVX2]:.0f}" if AVX2 in rates else NOTHING
    compared = [f"{ours / peak:.0%}", f"{rates['PyTorch'] / ours:.2f}", to_jax]
    return [size, *cells, *compared, narrow]


def plain_section(record: Record, name: str, title: str) -> list[str]:
    """A table of numbers by row and column, as they are."""
    part = dict(record["parts"].get(name, {}))
    part.pop("measured", None)
    if not part:
        return []
    columns = list(next(iter(part.values())))
    rows = ([row, *(f"{cells[key]:.2f}" for key in columns)] for row, cells in part.items())
    return [title, table(["", *columns], rows)]


def for_the_readme(record: Record) -> str:
    """The short table: one step in milliseconds, and how ours compares."""
    titles = ["one training step, ms", "PyTorch, fastest", JAX, EAGER, "DeepDive compiled"]
    rows = map(readme_row, workloads(record).items())
    machine = record["machine"]
    under = f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}"
    return table([*titles, "÷ PyTorch", "÷ JAX"], rows) + f"\n\n{under}"


def readme_row(item: tuple[str, Record]) -> list[str]:
    name, part = item
    seconds = part["seconds"]
    times = [fastest_pytorch(part), *(seconds.get(who) for who in (JAX, EAGER, NUMBA))]
    compared = (held_to(ratio, 1.0) for ratio in ratios(part))
    return [name, *(milli(time) for time in times), *compared]


def held_to(ratio: float | None, goal: float) -> str:
    """A ratio, bold where it reaches its goal."""
    if ratio is None:
        return NOTHING
    return f"**{ratio:.2f}**" if ratio <= goal else f"{ratio:.2f}"


def milli(seconds: float | None) -> str:
    return NOTHING if seconds is None else digits(seconds * 1e3)


def digits(value: float) -> str:
    """Three figures that count."""
    places = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{places}f}"


def table(titles: list[str], rows: Iterable[list[str]]) -> str:
    rule = "|---|" + "--:|" * (len(titles) - 1)
    return "\n".join([_line(titles), rule, *map(_line, rows)])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"

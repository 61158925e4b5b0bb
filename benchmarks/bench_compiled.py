"""Compiled training steps against PyTorch, torch.compile and JAX.  2 threads, float32.

    python benchmarks/bench_compiled.py                    everything, the better part of an hour
    python benchmarks/bench_compiled.py --only "MLP"       parts whose name contains this
    python benchmarks/bench_compiled.py --quick            whether everything runs: no figures
    python benchmarks/bench_compiled.py --table            the README's table, of what was measured

The parts are the workloads, ``products`` (of matrices), ``starts`` (first calls in processes of
their own) and ``memory``.  What is measured is merged into ``results/compiled.json``, from which
``compiled.md`` and ``compiled.svg`` are drawn: a long run may be done in pieces.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import compiled_chart
import compiled_tables
from contest import RESULTS, machine, medians, quiet_rounds, two_cores

RECORD = RESULTS / "compiled.json"
QUICK = Path(tempfile.gettempdir()) / "deepdive-benchmark"  # trials are kept apart from figures
CACHES = ("DEEPDIVE_CACHE", "TORCHINDUCTOR_CACHE_DIR")
SIZES = (512, 2048)
Record = dict[str, Any]


def workload(name: str, args: argparse.Namespace) -> Record:
    """Seconds a step of every contestant, after their losses were checked."""
    from contestants import INDUCTOR, JAX, WORKLOADS, lineup

    without = {JAX} if args.no_jax else set()
    if args.no_torch_compile:
        without.add(INDUCTOR)
    found = lineup(name, without)
    *_, against_torch, against_jax = WORKLOADS[name]
    rounds = quiet_rounds(found.steps, args.seconds, args.rounds)
    return {
        "seconds": medians(rounds),
        "others": statistics.median(entry.others for entry in rounds),
        "first": found.first,
        "off": found.off,
        "left": found.left,
        "goals": {"PyTorch": against_torch, "JAX": against_jax},
    }


def products(args: argparse.Namespace) -> Record:
    import products

    with_jax = not args.no_jax and _is_there("jax")
    settings = (with_jax, args.seconds, args.rounds)
    return {"GFLOP/s": {f"{n}³": products.measured(n, *settings) for n in SIZES}}


def starts(args: argparse.Namespace) -> Record:
    import fresh

    return fresh.starts()


def memory(args: argparse.Namespace) -> Record:
    import fresh

    return fresh.memories()


def _is_there(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


PARTS = {"products": products, "starts": starts, "memory": memory}


def measured(name: str, args: argparse.Namespace) -> Record:
    """One part, with the circumstances it was measured in."""
    began = time.perf_counter()
    part = PARTS[name](args) if name in PARTS else workload(name, args)
    took = time.perf_counter() - began
    print(f"{name}: {took:.0f} s; other programs kept {part.get('others', 0):.1f} processors busy")
    for what, left in part.get("left", {}).items():
        print(f"  without {what}: {left}")
    circumstances = {"date": time.strftime("%Y-%m-%d"), "rounds": args.rounds}
    return {**part, "measured": circumstances}


def merged(path: Path, facts: Record) -> Record:
    """What was measured before on this machine."""
    if path.exists():
        record: Record = json.loads(path.read_text(encoding="utf-8"))
        if record["machine"]["cpu"] == facts["cpu"]:
            return {**record, "machine": facts}
        print(f"{path.name} was measured on {record['machine']['cpu']}: starting anew")
    return {"machine": facts, "parts": {}}


def write(record: Record, folder: Path) -> str:
    """The record, its tables and its chart; gives the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    text = compiled_tables.page(record)
    whole = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / RECORD.name).write_text(whole + "\n", encoding="utf-8")
    (folder / "compiled.md").write_text(text, encoding="utf-8")
    compiled_chart.save(record, folder / "compiled.svg")
    return text


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="parts whose name contains this")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each race, about")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--no-jax", action="store_true")
    parser.add_argument("--no-torch-compile", action="store_true")
    parser.add_argument("--quick", action="store_true", help="three short rounds, kept apart")
    parser.add_argument("--table", action="store_true", help="only print the README's table")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rounds = 0.5, 3
    return args


def main() -> None:
    args = options()
    folder = QUICK if args.quick else RESULTS
    path = folder / RECORD.name
    if args.table:
        print(compiled_tables.for_the_readme(json.loads(path.read_text(encoding="utf-8"))))
        return
    two_cores()
    with tempfile.TemporaryDirectory() as empty:
        for name in CACHES:  # first calls are cold, unless the caller names a folder
            os.environ.setdefault(name, f"{empty}/{name}")
        run(args, path)


def run(args: argparse.Namespace, path: Path) -> None:
    import torch
    from workloads import WORKLOADS

    torch.set_num_threads(2)
    record = merged(path, machine())
    text = "no part has such a name"
    order = (*WORKLOADS, *PARTS)
    for name in order:
        if args.only in name:
            parts = {**record["parts"], name: measured(name, args)}
            record["parts"] = {key: parts[key] for key in order if key in parts}
            text = write(record, path.parent)
    print(text)
    print(f"written to {path.parent}")


if __name__ == "__main__":
    main()

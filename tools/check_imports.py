"""Check the import law: a room imports only from rooms above it; no cycles anywhere.

    python tools/check_imports.py          exit code 1 on a violation

Imports inside functions obey the same law.  Module-level imports from outside are the standard
library and NumPy: everything else is optional and is imported in the function that needs it.
Exempt is a room that as a whole is loaded on demand (ON_DEMAND): there the module-level imports are
free, and instead every import *of* it from another room must be inside a function.
Imports under ``if TYPE_CHECKING:`` never run; they obey the order but cannot close a cycle.
In tour/ a step imports earlier steps only, NumPy from step 8 on and the library from step 18 on.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from report import ROOT, Violation, report

# THE ORDER. A room may import from itself and from every room above it. The longest name that is
# a prefix of a module decides its room, so `deepdive.backend.vocabulary` is a room of its own.
ORDER = (
    # 0 ground
    "deepdive.errors",
    "deepdive.config",
    "deepdive.host",
    "deepdive.dtypes",
    "deepdive.utils",
    # 1 arrays
    "deepdive.backend.vocabulary",
    "deepdive.backend",
    "deepdive.kernels",
    # 2 the heart
    "deepdive.core",
    # 3 operators
    "deepdive.ops",
    "deepdive.tensor",
    # 4 lazy and compiled
    "deepdive.compiler",
    # 5 models, data, files
    "deepdive.io",
    "deepdive.optim",
    "deepdive.nn",
    "deepdive.optim.swa_utils",
    "deepdive.datautils",
    "deepdive.autograd",
    "deepdive.utils.checkpoint",
    "deepdive.utils.dlpack",
    "deepdive.func",
    "deepdive.cuda",
    "deepdive.amp",
    "deepdive.linalg",
    "deepdive.special",
    "deepdive.array_api",
    "deepdive.interop",
    # 6 seeing and training
    "deepdive.dash",
    "deepdive.onnx",
    "deepdive.train",
    # 7 front doors
    "deepdive.testing",
    "deepdive.cli",
    "deepdive.__main__",
    # the table of contents, on top of all
    "deepdive",
)
OUTSIDE = {"numpy"}  # what may be imported at module level besides the standard library
# Rooms that are nothing without an optional package, so that the whole room is imported on demand.
ON_DEMAND = {"deepdive.kernels": {"llvmlite", "numba"}}
FROM_STEP = {"verdict": 0, "numpy": 8, "deepdive": 18}  # what the steps of the tour may import


class Import(NamedTuple):
    """One import: in which module and line, of what, and when it runs."""

    module: str
    line: int
    target: str
    at_top: bool  # runs when the module is imported
    only_types: bool  # under `if TYPE_CHECKING:`


def find_modules(root: Path) -> dict[str, Path]:
    """Module name → file, for the package in `root`."""
    modules = {}
    for path in sorted((root / "deepdive").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = path
    return modules


class _Finder(ast.NodeVisitor):
    """Collects the imports of one module, knowing whether it is inside a function."""

    def __init__(self, module: str, is_package: bool, modules: Mapping[str, Path]) -> None:
        self.module = module
        self.package = module if is_package else module.rpartition(".")[0]
        self.modules = modules
        self.found: list[Import] = []
        self.functions = 0
        self.type_checks = 0

    def _add(self, line: int, target: str) -> None:
        at_top = self.functions == 0 and self.type_checks == 0
        self.found.append(Import(self.module, line, target, at_top, self.type_checks > 0))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:  # relative: one dot is the package itself
            parents = self.package.split(".")
            kept = parents[: len(parents) - (node.level - 1)]
            base = ".".join([*kept, base] if base else kept)
        for alias in node.names:
            submodule = f"{base}.{alias.name}"
            self._add(node.lineno, submodule if submodule in self.modules else base)

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[0] if node.args else None
        if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
            self._add(node.lineno, str(first.value))
        self.generic_visit(node)

    def _visit_function(self, node: ast.AST) -> None:
        self.functions += 1
        self.generic_visit(node)
        self.functions -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_function

    def visit_If(self, node: ast.If) -> None:
        condition = getattr(node.test, "attr", getattr(node.test, "id", ""))
        self.type_checks += condition == "TYPE_CHECKING"
        for statement in node.body:
            self.visit(statement)
        self.type_checks -= condition == "TYPE_CHECKING"
        for statement in node.orelse:
            self.visit(statement)


def find_imports(modules: Mapping[str, Path]) -> list[Import]:
    """Every import of every module, those inside functions too."""
    found = []
    for module, path in modules.items():
        finder = _Finder(module, path.name == "__init__.py", modules)
        finder.visit(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
        found += finder.found
    return found


def room_of(module: str) -> str | None:
    """The room a module belongs to: the longest entry of ORDER that is a prefix of its name.

    Only `deepdive` itself is in the last room; any other stranger has none.
    """
    rooms = [r for r in ORDER if module == r or (r != "deepdive" and module.startswith(r + "."))]
    return max(rooms, key=len) if rooms else None


def check_rooms(places: Mapping[str, str], imports: list[Import]) -> Iterator[Violation]:
    """Modules without a room, imports from a room below, optional packages at module level."""
    for module, path in places.items():
        if room_of(module) is None:
            fix = "move it into a room, or give it a place in ORDER in tools/check_imports.py"
            yield Violation(path, 1, f"{module} is in no room", fix)
    for item in imports:
        path = places[item.module]
        if item.target == "deepdive" or item.target.startswith("deepdive."):
            yield from _check_order(item, path)
            yield from _check_on_demand(item, path)
        elif item.at_top:
            yield from _check_outside(item, path)


def _check_order(item: Import, path: str) -> Iterator[Violation]:
    here, there = room_of(item.module), room_of(item.target)
    if here is None:
        return  # reported already
    if there is None:
        what = f"{item.module} imports {item.target}, which is in no room"
        yield Violation(path, item.line, what, "mend the name, or add the room to ORDER")
    elif ORDER.index(there) > ORDER.index(here):
        what = f"{item.module} imports {item.target}: room {there} is below room {here}"
        fix = f"move what both need up to {here} or above, or let {there} hand it in by a call"
        yield Violation(path, item.line, what, fix)


def _check_on_demand(item: Import, path: str) -> Iterator[Violation]:
    room = room_of(item.target)
    if room in ON_DEMAND and item.at_top and room_of(item.module) != room:
        what = f"{item.module} imports {item.target} at module level: {room} is loaded on demand"
        yield Violation(path, item.line, what, "import it inside the function that needs it")


def _check_outside(item: Import, path: str) -> Iterator[Violation]:
    package = item.target.partition(".")[0]
    free = OUTSIDE | ON_DEMAND.get(room_of(item.module) or "", set())
    if package not in sys.stdlib_module_names and package not in free:
        what = f"{item.module} imports the optional package {package} at module level"
        fix = "import it inside the function that needs it, and raise errors.missing_extra there"
        yield Violation(path, item.line, what, fix)


def find_cycles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """One cycle through each knot of modules that import each other, as a closed path."""
    reach = {start: _reachable(start, edges) for start in edges}
    cycles, done = [], set[str]()
    for start in sorted(edges):
        if start in reach[start] and start not in done:
            knot = {m for m in reach[start] if start in reach.get(m, ())}
            cycles.append(_shortest_cycle(start, edges, knot))
            done |= knot
    return cycles


def _reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    """All modules that can be reached from `start` in one step or more."""
    seen: set[str] = set()
    stack = list(edges[start])
    while stack:
        module = stack.pop()
        if module not in seen:
            seen.add(module)
            stack += edges.get(module, ())
    return seen


def _shortest_cycle(start: str, edges: Mapping[str, set[str]], knot: set[str]) -> list[str]:
    """Breadth first from `start` back to itself."""
    paths = [[start]]
    seen: set[str] = set()
    for path in paths:
        for module in sorted(edges[path[-1]] & knot):
            if module == start:
                return [*path, start]
            if module not in seen:
                seen.add(module)
                paths.append([*path, module])
    raise AssertionError("a knot always leads back to its start")


def check_cycles(places: Mapping[str, str], imports: list[Import]) -> Iterator[Violation]:
    """Cycles among modules, whether the imports run at once or later."""
    edges: dict[str, set[str]] = {module: set() for module in places}
    for item in imports:
        if item.target in edges and not item.only_types:
            edges[item.module].add(item.target)
    for cycle in find_cycles(edges):
        what = f"import cycle: {' -> '.join(cycle)}"
        fix = "move what they share into a third module that both import"
        yield Violation(places[cycle[0]], 1, what, fix)


def check_tour(root: Path) -> Iterator[Violation]:
    """Steps of the tour that look ahead, or use what the reader has not met yet."""
    steps = {path.stem: path for path in sorted((root / "tour").glob("step*.py"))}
    for item in find_imports(steps):
        package = item.target.partition(".")[0]
        if package in sys.stdlib_module_names:
            continue
        here = int(item.module[4:6])
        known = int(package[4:6]) < here if package in steps else False
        if not known and FROM_STEP.get(package, here + 1) > here:
            path = steps[item.module].relative_to(root).as_posix()
            what = f"{item.module} imports {item.target}, which readers have not met at step {here}"
            yield Violation(path, item.line, what, "import earlier steps only, or move the idea")


def check_tree(root: Path) -> list[Violation]:
    """All violations in the package and in the tour below `root`."""
    modules = find_modules(root)
    imports = find_imports(modules)
    places = {name: path.relative_to(root).as_posix() for name, path in modules.items()}
    return [*check_rooms(places, imports), *check_cycles(places, imports), *check_tour(root)]


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(argv)
    return report("import law", check_tree(options.root))


if __name__ == "__main__":
    sys.exit(main())

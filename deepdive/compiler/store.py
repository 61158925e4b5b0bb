"""Where generated programs are kept: a file each, named by a hash of its text.

The file is what runs: it can be read, run on its own, stepped through.  Its compiled form lies
beside the kernels' (see ``kernels/jit.py``), under a key of kernel sources, versions and CPU.
Without a folder that can be written, a program runs from memory and is compiled in each process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

PREFIX = "deepdive_program_"
DIGITS = 16  # of a program's key


def key_of(source: str) -> str:
    """The key of a program: a hash of its text, which says all there is to say."""
    return hashlib.sha256(source.encode()).hexdigest()[:DIGITS]


def load(source: str) -> Any:
    """The module that a generated source is."""
    from deepdive.kernels.jit import say_once

    name = PREFIX + key_of(source)
    if name in sys.modules:
        return sys.modules[name]
    try:
        module = _from_file(name, _written(name, source))
    except OSError as error:
        say_once(f"generated programs cannot be kept ({error})")
        module = _from_memory(name, source)
    sys.modules[name] = module
    return module


def folder() -> Path:
    """The folder of generated programs."""
    from deepdive.kernels.jit import cache_folder

    return Path(cache_folder()) / "programs"


def _written(name: str, source: str) -> Path:
    """The file of a program; it is there whole or not at all."""
    from deepdive.kernels.jit import keep

    path = folder() / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        keep(path, source)
    return path


def remember(source: str, facts: Callable[[], dict[str, str]]) -> None:
    """Keep beside a program what it was made from, for ``deepdive inspect``; once."""
    from deepdive.kernels.jit import keep

    path = folder() / f"{PREFIX}{key_of(source)}.json"
    try:
        if not path.exists():
            text = json.dumps(facts(), indent=1, ensure_ascii=False)
            keep(path, text + "\n")
    except OSError:
        return  # the folder cannot be written: that was said when the program was to be kept


class Kept(NamedTuple):
    """A program in the cache: its key, its files, and what is known about it."""

    key: str
    source: Path
    files: list[Path]  # its text and facts, and its machine code
    facts: dict[str, str]  # "what", "explain"; empty if they were not kept

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.files if path.exists())

    @property
    def when(self) -> float:
        """When it was made, in seconds since 1970."""
        return self.source.stat().st_mtime


def kept() -> list[Kept]:
    """The programs in the cache that this version would use on this machine, newest first."""
    found = []
    for source in folder().glob(f"{PREFIX}{'?' * DIGITS}.py"):
        key = source.stem.removeprefix(PREFIX)
        beside = [*source.parent.rglob(f"{source.stem}.*")]
        machine_code = [*source.parent.parent.glob(f"{source.stem}.*")]
        files = [path for path in (*beside, *machine_code) if path.is_file()]
        found.append(Kept(key, source, files, _facts(source.with_suffix(".json"))))
    return sorted(found, key=lambda program: (-program.when, program.key))


def _facts(path: Path) -> dict[str, str]:
    """What was kept about a program; damaged or absent facts are none."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in facts.items()} if isinstance(facts, dict) else {}


def forget(programs: list[Kept]) -> int:
    """Remove these programs' files, and nothing else; gives the bytes that are free now."""
    freed = sum(program.size for program in programs)
    for program in programs:
        for path in program.files:
            path.unlink(missing_ok=True)
    return freed


def _from_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba looks the module up while it compiles
    spec.loader.exec_module(module)
    return module


def _from_memory(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    sys.modules[name] = module
    exec(compile(source, file, "exec"), vars(module))
    return module

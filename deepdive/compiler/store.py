"""Where generated programs are kept: a file each, named by a hash of its text.

The file is what runs: it can be read, run on its own, stepped through.  Its compiled form lies
beside the kernels' (see ``kernels/jit.py``), under a key of kernel sources, versions and CPU.
Without a folder that can be written, a program runs from memory and is compiled in each process.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import linecache
import logging
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

log = logging.getLogger("deepdive")


def load(source: str) -> Any:
    """The module that a generated source is."""
    name = "deepdive_program_" + hashlib.sha256(source.encode()).hexdigest()[:16]
    if name in sys.modules:
        return sys.modules[name]
    try:
        module = _from_file(name, _written(name, source))
    except OSError as error:
        _say_once(f"generated programs cannot be kept ({error}); they are compiled anew each time")
        module = _from_memory(name, source)
    sys.modules[name] = module
    return module


def folder() -> Path:
    """The folder of generated programs."""
    from deepdive.kernels.jit import cache_folder

    return Path(cache_folder()) / "programs"


def _written(name: str, source: str) -> Path:
    """The file of a program; it is there whole or not at all."""
    path = folder() / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(source, encoding="utf-8")
        os.replace(beside, path)
    return path


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


@functools.cache
def _say_once(what: str) -> None:
    log.warning("compile: %s", what)

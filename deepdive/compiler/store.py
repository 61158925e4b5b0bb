"""Where generated programs are kept: a file each, named by a hash of its text."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any


def load(source: str) -> Any:
    """The ``program`` of a generated source, kept as a file one can read, run and step through."""
    from deepdive.kernels.jit import cache_folder

    folder = Path(cache_folder()) / "programs"
    name = "program_" + hashlib.sha256(source.encode()).hexdigest()[:16]
    path = folder / f"{name}.py"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.program

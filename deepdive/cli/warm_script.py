"""Runs a script until its compiled functions need nothing new; ``deepdive warmup`` starts this.

    python -m deepdive.cli.warm_script 20 train.py --epochs 1

The script runs as it is: it reads its data and writes its files.  After so many calls of compiled
functions in a row that found their program, it is stopped as by ``sys.exit()``.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

from deepdive.cli.warmup import FINISHED
from deepdive.compiler.compiled import Compiled


def main(limit: int, path: str, words: list[str]) -> None:
    """Runs the script with these words as its arguments."""
    sys.argv = [path, *words]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    stop_when_warm(limit)
    runpy.run_path(path, run_name="__main__")
    sys.exit(FINISHED)


def stop_when_warm(limit: int) -> None:
    """Let the call of a compiled function end the process when nothing new is to be expected."""
    usual = Compiled.__call__
    count = 0

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        before = self.latest
        out = usual(self, *args, **kwargs)
        is_new = self.latest is not before and self.latest.calls == 1
        count = 0 if is_new else count + 1
        if count >= limit:
            sys.exit(0)
        return out

    Compiled.__call__ = call  # type: ignore[method-assign]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])

"""Level 7, the front door: ``deepdive demo``, ``train``, ``predict``, ``draw``, ``summary`` …

Each command is a module of this package with a function ``run(options)``, imported when it is
asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from deepdive.cli.arguments import make_parser
from deepdive.errors import ArgumentError, DeepDiveError
from deepdive.host import import_late

FAILED, MISUSED, INTERRUPTED, NO_READER = 1, 2, 130, 141  # as shells have it: 128 + the signal


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        argv: the words after the program's name; those of this process unless given.

    Returns:
        0; 1 when the command failed, 2 for wrong usage, 130 after Ctrl-C.

    >>> main(["info", "--nothing-of-the-kind"])
    2
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a letter the terminal lacks must not stop us
    try:
        options = make_parser().parse_args(argv)
    except SystemExit as stop:  # argparse's way to end, also after --help
        return int(stop.code or 0)
    try:
        import_late(f"deepdive.cli.{options.command}").run(options)
        print(end="", flush=True)
    except KeyboardInterrupt as stop:  # a training knows which signal it was, and how to go on
        number = getattr(stop, "number", None)
        return _stopped(str(stop) or "interrupted", 128 + number if number else INTERRUPTED)
    except BrokenPipeError:  # `deepdive info | head -1`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NO_READER
    except (DeepDiveError, OSError) as error:
        if options.debug:
            raise
        return _stopped(one_line(error), MISUSED if isinstance(error, ArgumentError) else FAILED)
    return 0


def one_line(error: Exception) -> str:
    """An error in one line.

    >>> one_line(DeepDiveError("no such folder", got="runs/x", fix="save a model first"))
    'no such folder; got: runs/x; fix: save a model first'
    """
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def _stopped(reason: str, code: int) -> int:
    with suppress(OSError):  # a terminal that is closed
        print(f"deepdive: {reason}", file=sys.stderr)
    return code

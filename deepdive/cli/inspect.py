"""``deepdive inspect``: the compiled programs kept on this machine."""

from __future__ import annotations

import time
from typing import Any

from deepdive.compiler import store
from deepdive.dash.table import byte_count
from deepdive.errors import ArgumentError


def run(options: Any) -> None:
    """Lists the cache, prints one program of it, or removes what was asked for."""
    programs = store.kept()
    if options.program:
        programs = [chosen(programs, options.program)]
    if options.clear:
        print(cleared(programs))
    elif options.program:
        print(shown(programs[0], options.source, options.explain))
    else:
        print(listed(programs))


def chosen(programs: list[store.Kept], key: str) -> store.Kept:
    """The program whose key begins so.

    Raises:
        ArgumentError: there is none, or there are several.
    """
    found = programs[:1] if key == "last" else [p for p in programs if p.key.startswith(key)]
    if len(found) != 1:
        raise ArgumentError(
            f"{len(found) or 'no'} programs have a key that begins with {key!r}",
            expected="one of the keys that `deepdive inspect` lists, its first letters, or last",
        )
    return found[0]


def listed(programs: list[store.Kept]) -> str:
    """A line for each program, and where they lie."""
    where = store.folder()
    lines = [f"{len(programs)} compiled programs in {where}"]
    lines += [f"{'key':<{store.DIGITS}}  {'size':>9}  {'made':<16}  what"] if programs else []
    for program in programs:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(program.when))
        what = program.facts.get("what", "not known")
        lines.append(f"{program.key}  {byte_count(program.size):>9}  {when}  {what}")
    mine, others = elsewhere()
    lines.append(f"kernels of this version and CPU: {byte_count(mine)}")
    if others:
        lines.append(f"of other versions or CPUs, beside this folder: {byte_count(others)}")
    return "\n".join(lines)


def elsewhere() -> tuple[int, int]:
    """Bytes of kernels beside the programs, and of the caches of other versions or machines."""
    here = store.folder().parent
    mine = [p for p in here.glob("*") if p.is_file() and not p.name.startswith(store.PREFIX)]
    others = [p for p in here.parent.glob("*/**/*") if p.is_file() and here not in p.parents]
    return sum(p.stat().st_size for p in mine), sum(p.stat().st_size for p in others)


def shown(program: store.Kept, source: bool, explain: bool) -> str:
    """What explain() said when it was made, and its source; or one of the two."""
    story = program.facts.get("explain", "no facts were kept about this program")
    text = program.source.read_text(encoding="utf-8")
    if source or explain:
        return "\n".join([*([story] if explain else []), *([text] if source else [])]).rstrip()
    head = [str(program.source), program.facts.get("what", "")]
    return "\n".join([*filter(None, head), "", story, "", text]).rstrip()


def cleared(programs: list[store.Kept]) -> str:
    """Removes programs and their machine code; kernels and all other files stay."""
    freed = store.forget(programs)
    return (
        f"removed {len(programs)} programs, {byte_count(freed)}; they are compiled again when "
        "they are needed.  Kernels stay."
    )

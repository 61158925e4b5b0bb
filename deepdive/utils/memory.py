"""How much memory this process holds."""

from __future__ import annotations

import os
import sys


def memory_in_use() -> int:
    """Bytes of physical memory in use; where the system does not tell, the peak so far, or 0.

    >>> memory_in_use() >= 0
    True
    """
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

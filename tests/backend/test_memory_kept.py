"""Large arrays are made in memory that the process has: no page is faulted in twice."""

import os
import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import deepdive as dd

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

x = dd.ones(512, 512)  # 1 MB, 256 pages
for _ in range(5):
    y = (x * 2 + 1).relu()
before = faults()
for _ in range(20):
    y = (x * 2 + 1).relu()
print(faults() - before)
"""


def faulted(keep):
    env = {**os.environ, "DEEPDIVE_KEEP_MEMORY": keep}
    run = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, capture_output=True, text=True, env=env, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator is meant")
def test_pages_are_not_faulted_in_at_each_step():
    kept, given_back = faulted("1"), faulted("0")
    assert 5 * kept < given_back > 5_000

"""Tests that need a GPU: without one they are not even collected, and one test says why.

``DEEPDIVE_GPU_TESTS=stand-in`` runs them on the stand-in, to see that the tests themselves work.
"""

import os

import pytest

from deepdive.utils import why_no_cupy

STAND_IN = os.environ.get("DEEPDIVE_GPU_TESTS") == "stand-in"
NEEDED = ["test_gpu_laws.py", "test_gpu_programs.py", "test_gpu_work.py"]
collect_ignore = [] if STAND_IN or not why_no_cupy() else NEEDED


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/gpu/" in item.nodeid:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope="session", autouse=True)
def gpu():
    """CuPy, or its stand-in where that is asked for."""
    if not STAND_IN:
        yield None
        return
    from deepdive.testing import standin

    with standin.playing_cupy() as cp:
        yield cp

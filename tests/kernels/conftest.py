"""Kernel tests share one cache folder per session, so that a kernel is compiled once."""

import os

import pytest

pytest.importorskip("numba", reason="the kernels need the extra [jit]")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """A fresh cache, unless the environment already names one."""
    if "DEEPDIVE_CACHE" in os.environ:
        yield
        return
    os.environ["DEEPDIVE_CACHE"] = str(tmp_path_factory.mktemp("kernel-cache"))
    yield
    del os.environ["DEEPDIVE_CACHE"]

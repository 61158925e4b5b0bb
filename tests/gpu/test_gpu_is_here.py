"""Is there a GPU to test on?"""

import pytest

import deepdive as dd
from deepdive.utils import why_no_cupy


def test_a_gpu_computes(gpu):
    if gpu is None and why_no_cupy():
        pytest.skip(f"tests/gpu needs CuPy and an NVIDIA GPU: {why_no_cupy()}")
    assert (dd.ones(3, device="cuda") * 2).sum().item() == 6
    assert dd.cuda.get_device_name()

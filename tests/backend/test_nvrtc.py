"""Kernels for the GPU are taken by NVIDIA's own compiler, where no GPU is, too."""

import sys

import pytest

from deepdive.backend.cupy_random import kernel_source
from deepdive.testing import nvrtc, standin

if not nvrtc.library():
    assert sys.platform != "linux", "pip install nvidia-cuda-nvrtc, as the extra [test] does"
    pytest.skip("NVIDIA's compiler is installed on Linux only", allow_module_level=True)

KERNEL = """
extern "C" __global__ void k(int* out) {
    BODY
    out[0] = 3;
}
"""


def test_kernels_are_taken():
    assert nvrtc.complaint(kernel_source()) == ""
    assert nvrtc.complaint(KERNEL.replace("BODY", ""), ("--fmad=false",)) == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("out[0] = unknown;", 'kernel.cu(3): error: identifier "unknown" is undefined'),
        ("int unused;", 'warning #177-D: variable "unused" was declared but never referenced'),
    ],
)
def test_errors_and_warnings_are_told(body, said):
    assert said in nvrtc.complaint(KERNEL.replace("BODY", body))


def test_the_stand_in_refuses_what_a_gpu_would_refuse():
    """The host's compiler knows more functions than a GPU has."""
    source = KERNEL.replace("BODY", "out[0] = __builtin_ffsll(out[0]) + sizeof(__float80);")
    with standin.playing_cupy() as cp:
        kernel = cp.RawKernel(source, "k")
        with pytest.raises(RuntimeError, match=r"NVRTC: kernel\.cu\(3\): error"):
            kernel.compile()

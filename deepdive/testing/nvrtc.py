"""NVIDIA's runtime compiler, which needs no GPU: would one take the text of this kernel?

CuPy hands its kernels to the same library (NVRTC).  It comes with ``pip install
nvidia-cuda-nvrtc``; the stand-in asks it, where it is there, about every kernel before running
that on the host.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import metadata
from typing import Any

PACKAGES = ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12")
OPTIONS = ("--gpu-architecture=sm_90", "--std=c++17")  # an H100, and what CuPy says


@cache
def library() -> Any:
    """The compiler, or None where it is not installed."""
    for package in PACKAGES:
        try:
            files = metadata.files(package) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if file.name.startswith("libnvrtc.so"):
                return ctypes.CDLL(str(file.locate()))
    return None


def complaint(source: str, options: tuple[str, ...] = ()) -> str:
    """What the compiler has to say against a kernel, errors and warnings; "" if nothing.

    So it is where it is not installed.
    """
    nvrtc = library()
    if nvrtc is None:
        return ""
    program = ctypes.c_void_p()
    place = ctypes.byref(program)
    nvrtc.nvrtcCreateProgram(place, source.encode(), b"kernel.cu", 0, None, None)
    given = [option.encode() for option in (*OPTIONS, *options)]
    failed = nvrtc.nvrtcCompileProgram(program, len(given), (ctypes.c_char_p * len(given))(*given))
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, text)
    nvrtc.nvrtcDestroyProgram(place)
    said = text.value.decode().strip()
    return said or ("refused without a word" if failed else "")

"""The parts of CuPy around its arrays, for the stand-in: devices, streams, events, kernels.

CUDA kernels really run: their source is compiled by the host's C++ compiler, where there is one,
with a few lines in front that play the CUDA runtime, and called once per thread of the grid.  Where
NVIDIA's compiler is installed it must take them, too, without a warning.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from deepdive.testing import nvrtc
from deepdive.testing.standin_array import (
    CAPTURES,
    PRIVATE_POOLS,
    Capture,
    MemoryPool,
    OutOfMemoryError,
    StandInArray,
    refuse_in_capture,
)

COMPILER = shutil.which("g++") or shutil.which("clang++")

PRELUDE = """
extern "C" {  // no headers: they take longer to compile than a kernel
    FUNCTIONS
}
struct dim3 { unsigned x, y, z; };
static thread_local dim3 blockIdx, threadIdx, blockDim, gridDim;
#define __global__ static
#define __device__ static
#define __forceinline__ inline
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
template <class T> static inline void atomicAdd(T* place, T value) { *place += value; }
#undef extern
"""

FUNCTIONS = """
    sqrt exp expm1 log log1p log2 log10 sin cos tan sinh cosh tanh erf asin acos atan asinh acosh
    atanh floor ceil trunc rint fabs
"""
PRELUDE = PRELUDE.replace(
    "FUNCTIONS",
    " ".join(
        [f"float {name}f(float); double {name}(double);" for name in FUNCTIONS.split()]
        + [
            f"float {name}f(float, float); double {name}(double, double);"
            for name in ("pow", "atan2")
        ]
    ),
)

CALLER = """
extern "C" void run(const unsigned* sizes, void** a) {{
    gridDim = {{sizes[0], 1, 1}}; blockDim = {{sizes[1], 1, 1}};
    for (unsigned b = 0; b < sizes[0]; ++b)
        for (unsigned t = 0; t < sizes[1]; ++t) {{
            blockIdx = {{b, 0, 0}}; threadIdx = {{t, 0, 0}};
            {name}({arguments});
        }}
}}
"""


class RawKernel:
    """A CUDA kernel, compiled for the host and run thread by thread."""

    def __init__(self, code: str, name: str, options: tuple[str, ...] = ()) -> None:
        self.code, self.name, self.options = code, name, options
        self._run: Any = None

    def compile(self) -> None:
        """Have it ready."""
        refuse_in_capture("a kernel that was not there before")
        self._run = _compiled(self.code, self.name, self.options)

    def __call__(self, grid: Any, block: Any, args: tuple[Any, ...]) -> None:
        if self._run is None:
            self.compile()
        launch = partial(self._launch, (grid[0], block[0]), args)
        if CAPTURES:
            CAPTURES[-1].work.append(launch)
            args = tuple(_apart(arg, CAPTURES[-1]) for arg in args)
        self._launch((grid[0], block[0]), args)

    def _launch(self, sizes: tuple[int, int], args: tuple[Any, ...]) -> None:
        pointers = [_pointer(arg) for arg in args]
        held = (ctypes.c_void_p * len(args))(*(ctypes.addressof(each) for each in pointers))
        self._run((ctypes.c_uint * 2)(*sizes), held)


def _apart(arg: Any, capture: Capture) -> Any:
    """An argument that a kernel may write to while it is captured."""
    outside = isinstance(arg, StandInArray) and not capture.owns(arg)
    return arg.sealed(arg._host.copy()) if outside else arg


def _pointer(arg: Any) -> Any:
    """A C value of one kernel argument: the address of an array, or a number of its own type."""
    if isinstance(arg, StandInArray):
        return ctypes.c_void_p(arg._host.ctypes.data)
    if isinstance(arg, np.generic):
        kind: Any = arg.dtype
        return np.ctypeslib.as_ctypes_type(kind)(arg.item())
    if isinstance(arg, float):
        return ctypes.c_double(arg)
    return ctypes.c_longlong(arg)


@cache
def _compiled(code: str, name: str, options: tuple[str, ...]) -> Any:
    complaint = nvrtc.complaint(code, options)
    if complaint:
        raise RuntimeError(f"NVRTC: {complaint}")
    head = code[code.index(f"{name}(") + len(name) + 1 :]
    types = [part.rsplit(" ", 1)[0] for part in head[: head.index(")")].split(",")]
    loads = ", ".join(f"*({kind.strip()}*)a[{i}]" for i, kind in enumerate(types))
    source = PRELUDE + code.replace('extern "C"', "") + CALLER.format(name=name, arguments=loads)
    with tempfile.TemporaryDirectory() as folder:
        text, library = Path(folder, "kernel.cpp"), Path(folder, "kernel.so")
        text.write_text(source)
        command = [str(COMPILER), "-O0", "-shared", "-fPIC", "-o", str(library), str(text)]
        subprocess.run(command, check=True, capture_output=True)
        return ctypes.CDLL(str(library)).run


class Device:
    """The only device there is."""

    def __init__(self, device: int = 0) -> None:
        if device != 0:
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self.id = device
        self.mem_info = (1 << 33, 1 << 34)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def use(self) -> None:
        pass

    def synchronize(self) -> None:
        refuse_in_capture("waiting for the device")


class Event:
    """A moment in a stream; here all work is done when it is recorded."""

    def __init__(
        self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
    ) -> None:
        self.at = 0.0
        self.disable_timing = disable_timing

    def record(self, stream: Any = None) -> None:
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        pass

    @property
    def done(self) -> bool:
        return True


class Stream:
    """A queue of work."""

    null: Stream

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        self.ptr = 0 if null else id(self)

    def __enter__(self) -> Stream:
        CURRENT.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        CURRENT.pop()

    def synchronize(self) -> None:
        refuse_in_capture("waiting for a stream")

    def begin_capture(self, mode: Any = None) -> None:
        """From now on nothing is done; see :class:`.standin_array.Capture`."""
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        if CURRENT[-1] is not self or CAPTURES:
            raise RuntimeError("cudaErrorStreamCaptureUnsupported: another stream is current")
        CAPTURES.append(Capture())

    def end_capture(self) -> Graph:
        pool = PRIVATE_POOLS[-1] if PRIVATE_POOLS else None
        return Graph(CAPTURES.pop().ended(), pool)

    def wait_event(self, event: Event) -> None:
        pass

    def record(self, event: Event | None = None) -> Event:
        event = event or Event()
        event.record(self)
        return event

    @property
    def done(self) -> bool:
        return True


Stream.null = Stream(null=True)
CURRENT = [Stream.null]


class Graph:
    """Captured work: each launch does all of it, in the memory it was captured in."""

    launches = 0  # of all graphs, to be counted in tests

    def __init__(self, work: list[Any], pool: Any) -> None:
        self.work = work
        self.pool = weakref.ref(pool) if pool is not None else lambda: None

    def launch(self, stream: Any = None) -> None:
        if self.pool() is None:
            raise RuntimeError("cudaErrorIllegalAddress: the graph's memory belongs to others now")
        refuse_in_capture("a launch of another graph")
        Graph.launches += 1
        with np.errstate(all="ignore"):
            for each in self.work:
                each()


@contextmanager
def using_allocator(malloc: Any) -> Iterator[None]:
    """Memory comes from the pool whose method `malloc` is."""
    PRIVATE_POOLS.append(malloc.__self__)
    try:
        yield
    finally:
        PRIVATE_POOLS.pop()


def add_cuda(cp: Any, array: type[StandInArray]) -> None:
    """Give a module that plays ``cupy`` its ``cuda``, its memory pools and its kernels."""
    cuda: Any = ModuleType("cupy.cuda")
    cuda.Device, cuda.Event, cuda.Stream = Device, Event, Stream
    cuda.get_elapsed_time = lambda start, end: (end.at - start.at) * 1000
    cuda.get_current_stream = lambda: CURRENT[-1]
    cuda.MemoryPool, cuda.using_allocator, cuda.Graph = MemoryPool, using_allocator, Graph
    cuda.runtime = ModuleType("cupy.cuda.runtime")
    cuda.runtime.getDeviceCount = lambda: 1
    cuda.runtime.getDeviceProperties = lambda device: {
        "name": b"the stand-in",
        "totalGlobalMem": 1 << 34,
        "major": 8,
        "minor": 6,
        "multiProcessorCount": 28,
    }
    cuda.runtime.runtimeGetVersion = lambda: 13000
    cuda.memory = ModuleType("cupy.cuda.memory")
    cuda.memory.OutOfMemoryError = OutOfMemoryError
    cp.cuda = cuda
    cp.get_default_memory_pool = lambda: array.pool
    cp.get_default_pinned_memory_pool = lambda: array.pool
    if COMPILER is not None:
        cp.RawKernel = RawKernel

"""Half precision in kernels: conversions bit by bit, chains that round where the words do."""

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend.cupy_chain import Chain
from deepdive.compiler.chain_halves import functions
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER

pytestmark = pytest.mark.skipif(
    COMPILER is None, reason="needs a C++ compiler to run CUDA's source"
)
THERE = standin.DEVICE
KERNEL = """
extern "C" __global__ void chain(int size, const {source}* p0, {target}* q0) {{
    const int i = blockIdx.x * (int)blockDim.x + threadIdx.x;
    if (i < size) q0[i] = {name}(p0[i]);
}}
"""


def half(kind):
    return np.dtype("float16") if kind == "float16" else pytest.importorskip("ml_dtypes").bfloat16


def converted(numbers, name, kind, target):
    source = "float" if numbers.dtype == "float32" else "unsigned short"
    written = "float" if target == "float32" else "unsigned short"
    text = functions({kind}) + KERNEL.format(source=source, target=written, name=name)
    out = standin.speaker.cp.empty(numbers.shape, target)
    Chain(standin.speaker.cp, text)([standin.speaker.cp.asarray(numbers)], [out])
    return out.get()


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_conversions_are_numpys(kind):
    every = np.arange(1 << 16, dtype="uint16").view("int16")
    wide = converted(every, f"from_{kind}", kind, "float32")
    np.testing.assert_array_equal(wide, every.view(half(kind)).astype("float32"))
    finite = np.sort(wide[np.isfinite(wide)]).astype("float64")
    rng = np.random.default_rng(0)
    numbers = np.concatenate(
        [
            wide,
            ((finite[1:] + finite[:-1]) / 2).astype("float32"),  # to the even one of two
            rng.integers(0, 1 << 32, 200_000, dtype=np.uint32).view("float32"),
            np.float32([65519.9, 65520, 65536, 1e-45, 5.9e-8, 2.98e-8, 2.99e-8]),
        ]
    )
    narrow = converted(numbers, f"to_{kind}", kind, "int16").view(half(kind))
    with np.errstate(all="ignore"):
        expected = numbers.astype(half(kind)).astype("float32")
    np.testing.assert_array_equal(narrow.astype("float32"), expected)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_a_chain_rounds_after_each_word(kind):
    half(kind)

    def run(x, y):
        a = (x.to(kind) * 0.1 + y.to(kind)).exp() - 0.3
        return a, dd.where(a > 0, a, y.to(kind)).float() + x

    arrays = np.random.default_rng(0).standard_normal((2, 400)).astype("float32")
    expected = [out.float().numpy() for out in run(*map(dd.tensor, arrays))]
    program = dd.compile(run)
    for _ in range(3):
        found = program(*[dd.tensor(array, device=THERE) for array in arrays])
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.float().numpy(), other, 2.0**-7, 1e-6)
            assert np.mean(one.float().numpy() == other) > 0.99
    assert "in 1 kernels" in program.explain()

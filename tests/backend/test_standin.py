"""The stand-in is strict: what a GPU would refuse, or would wait for, it refuses on any machine."""

import ast
import subprocess
import sys

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend import cupy_fused, cupy_random
from deepdive.backend.random_numpy import random_bits
from deepdive.backend.vocabulary import VOCABULARY
from deepdive.errors import DeviceError, OutOfMemoryError, ShapeError
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER

xp = standin.speaker
ARRAY = xp.ARRAY_TYPE


@pytest.fixture
def x():
    return xp.asarray([1.0, 2.0, 3.0])


# --- what it refuses ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "look",
    [
        np.exp,
        np.sum,
        np.asarray,
        lambda x: np.add(1.0, x),
        lambda x: np.ones(3) * x,
        lambda x: x * np.ones(3),
        lambda x: x + np.float64(1.0),
        lambda x: x[np.array([0])],
        lambda x: xp.add(x, np.ones(3)),
        lambda x: xp.where(x > 0, np.ones(3), x),
        lambda x: float(x[0]),
        lambda x: int(x[0]),
        lambda x: bool(x[0]),
        lambda x: range(x[0]),
        lambda x: list(x),
        lambda x: 1.0 in x,
        lambda x: x.item(),
        lambda x: x.tolist(),
        lambda x: memoryview(x),
        lambda x: np.frombuffer(x),
        lambda x: hash(x),
    ],
)
def test_no_way_to_the_host_but_get(x, look):
    with pytest.raises(TypeError):
        look(x)


def test_get_is_the_way(x):
    assert x.get().tolist() == [1.0, 2.0, 3.0]
    x.get()[0] = 7.0  # a copy
    assert x.get()[0] == 1.0


def test_in_place_does_not_widen():
    whole = xp.arange(3)
    with pytest.raises(TypeError, match="cast"):
        whole += 0.5


def test_views_see_the_same_memory(x):
    part = x[1:]
    part += 1
    assert x.get().tolist() == [1.0, 3.0, 4.0]
    assert xp.owner(part[:1]) is x
    last = x[-1]
    last += 1  # where NumPy would give a number
    assert x.get()[-1] == 5.0


def test_an_index_out_of_range_wraps_around(x):
    assert x[xp.asarray([3, 4])].get().tolist() == [1.0, 2.0]


# --- the speaker on it -------------------------------------------------------------------------
def test_every_word_is_spoken():
    assert [word for word in VOCABULARY if not hasattr(xp, word)] == []


@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda word: word.name)
def test_examples_hold(word):
    call, value = word.example.split(" → ")
    found = eval(call, {"xp": xp})
    parts = found if isinstance(found, tuple) else (found,)
    wanted = ast.literal_eval(value)
    wanted = wanted if isinstance(found, tuple) else (wanted,)
    for part, numbers in zip(parts, wanted, strict=True):
        part = part.get() if isinstance(part, ARRAY) else part
        np.testing.assert_allclose(part, numbers, rtol=1e-6)


def test_an_unknown_word_has_a_hint():
    with pytest.raises(AttributeError, match="did you mean 'matmul'"):
        xp.matmull


KEYS = [(0, 0), (7, 3), ((0xFEDCBA9876543210 << 64) | 0x0123456789ABCDEF, (1 << 64) - 1)]


@pytest.mark.parametrize(("key", "counter"), KEYS)
@pytest.mark.parametrize("shape", [(), (1,), (8,), (1001,), (3, 5), (0, 4)])
def test_random_bits_are_those_of_the_cpu(key, counter, shape):
    expected = random_bits(key, counter, shape)
    found = xp.random_bits(key, counter, shape)
    assert found.dtype == expected.dtype
    assert found.shape == shape
    np.testing.assert_array_equal(found.get(), expected)


@pytest.mark.parametrize(("key", "counter"), KEYS)
def test_random_bits_without_a_kernel(key, counter, monkeypatch):
    monkeypatch.delattr(xp.cp, "RawKernel", raising=False)
    found = cupy_random.random_bits(xp.cp, key, counter, (13,))
    np.testing.assert_array_equal(found.get(), random_bits(key, counter, (13,)))


@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler to run CUDA's source")
def test_the_cuda_kernel_itself_was_run():
    assert hasattr(xp.cp, "RawKernel")


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "int8", "bool"])
def test_adding_at_repeated_places(dtype):
    host = np.array([1, 0, 1, 1], dtype)
    index, values = np.array([0, 0, 3]), np.array([1, 1, 1], dtype)
    expected = host.copy()
    np.add.at(expected, index, values)
    found = xp.index_add(xp.asarray(host), xp.asarray(index), xp.asarray(values))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.get(), expected)
    found = xp.scatter_add(xp.asarray(host), xp.asarray(index), xp.asarray(values), 0)
    np.testing.assert_array_equal(found.get(), expected)


# --- questions that are asked later ------------------------------------------------------------
def test_a_wrong_class_is_an_error_naming_the_line_some_time():
    logits = dd.randn(4, 3, device=standin.DEVICE)
    with pytest.raises(ShapeError, match="out of range") as caught:
        loss = dd.nn.functional.cross_entropy(
            logits, dd.tensor([0, 1, 2, 3], device=standin.DEVICE)
        )
        loss.item()
    assert "test_standin.py" in str(caught.value)
    assert "noticed only now" in str(caught.value)


def test_ignored_classes_are_right_without_asking(monkeypatch):
    monkeypatch.setattr(xp.host, "mode", "error")
    logits = dd.tensor([[1.0, 2.0, 0.5], [0.1, 0.2, 0.3]], requires_grad=True)
    there = logits.detach().to(standin.DEVICE).requires_grad_()
    here = dd.nn.functional.cross_entropy(logits, dd.tensor([1, -100]))
    target = dd.tensor([1, -100], device=standin.DEVICE)
    loss = dd.nn.functional.cross_entropy(there, target)
    here.backward()
    loss.backward()
    monkeypatch.setattr(xp.host, "mode", "default")
    np.testing.assert_allclose(loss.item(), here.item(), rtol=1e-6)
    np.testing.assert_allclose(there.grad.numpy(), logits.grad.numpy(), rtol=1e-5)


# --- memory ------------------------------------------------------------------------------------
def test_a_full_device_says_what_it_holds():
    x = dd.ones(1000, 1000, device=standin.DEVICE)
    pool = xp.cp.get_default_memory_pool()
    before = pool.used_bytes()
    pool.set_limit(size=before + 1_000_000)
    try:
        with pytest.raises(OutOfMemoryError, match=r"standin: Out of memory.*4,000,000") as caught:
            x * x
    finally:
        pool.set_limit(size=0)
    assert isinstance(caught.value, MemoryError)
    assert "MiB in use" in str(caught.value)
    assert "smaller batch" in caught.value.fix
    del x, caught
    assert pool.used_bytes() < before


# --- devices -----------------------------------------------------------------------------------
def test_unknown_devices():
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        dd.ones(2).to("gpu")
    with standin.playing_cupy(), pytest.raises(DeviceError, match="unknown device 'cuda:x'"):
        dd.ones(2).to("cuda:x")
    with standin.playing_cupy(), pytest.raises(DeviceError, match="no GPU number 3"):
        dd.ones(2).to("cuda:3")


def test_one_process_one_gpu():
    with standin.playing_cupy():
        assert dd.ones(2).to("cuda").device == "cuda:0"
        assert dd.ones(2).cuda().device == "cuda:0"
        with pytest.raises(DeviceError, match="one process computes on one GPU"):
            dd.ones(2).to("cuda:1")


def test_the_stand_in_is_there_only_when_asked_for():
    code = """
import sys, deepdive as dd
try:
    dd.ones(2).to("standin")
except dd.errors.DeviceError:
    pass
else:
    raise SystemExit("there before it was asked for")
import deepdive.testing.standin
assert dd.ones(2).to("standin").device == "standin"
assert "cupy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- kernels made of formulas ------------------------------------------------------------------
def test_the_kernel_of_a_formula():
    class Descent:
        def _apply(self, words, arrays, g, hyper, terms):
            (w,) = arrays
            g = g + terms["decay"] * w
            words.write(w, w - hyper["lr"] / (1 + hyper["t"]) * words.sqrt(g))

    code = cupy_fused.Kernel("float32", 2)
    number = cupy_fused.Number
    hyper = {"lr": number(lambda values: values[0]), "t": number(lambda values: values[1])}
    terms = {"decay": number(lambda values: values[2])}
    w, g = code.arrays
    Descent()._apply(code, [w], g, hyper, terms)
    assert code.source() == GOLDEN
    values = (0.5, 4.0, 0.1)
    assert [each.of(values) for each in code.numbers] == [0.1, 0.1]


GOLDEN = """
extern "C" __global__ void update(long long size, float* p0, const float* p1, float n0, float n1) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= size) return;
    const float a0 = p0[i];
    const float a1 = p1[i];
    const float v0 = n0 * a0;
    const float v1 = a1 + v0;
    const float v2 = sqrtf(v1);
    const float v3 = n1 * v2;
    const float v4 = a0 - v3;
    p0[i] = v4;
}
"""

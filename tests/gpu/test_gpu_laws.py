"""On a real GPU: every word as its example says, every operator as on the CPU, no waiting."""

import ast

import numpy as np
import pytest

from deepdive.backend.random_numpy import random_bits
from deepdive.backend.speakers import of_device
from deepdive.backend.vocabulary import VOCABULARY
from deepdive.errors import DeviceError
from tests.backend.device_laws import (
    FUNCTIONS,
    SHAPE_ONLY,
    cases,
    compare,
    everything,
    refuse_to_mix,
)
from tests.backend.test_standin_laws import LOOKS, NOT_HERE


@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda word: word.name)
def test_examples_hold(word):
    xp = of_device("cuda")
    call, value = word.example.split(" → ")
    found = eval(call, {"xp": xp})
    parts = found if isinstance(found, tuple) else (found,)
    wanted = ast.literal_eval(value)
    wanted = wanted if isinstance(found, tuple) else (wanted,)
    for part, numbers in zip(parts, wanted, strict=True):
        part = part.get() if isinstance(part, xp.ARRAY_TYPE) else part
        np.testing.assert_allclose(part, numbers, rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (1001,), (3, 5), (0, 4), (1 << 20,)])
def test_random_bits_are_those_of_the_cpu(shape):
    key, counter = (0xFEDCBA9876543210 << 64) | 7, (1 << 64) - 1
    found = of_device("cuda").random_bits(key, counter, shape)
    np.testing.assert_array_equal(found.get(), random_bits(key, counter, shape))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_gpu_agrees_with_numpy(function, request):
    if request.node.callspec.id not in NOT_HERE:
        assert compare(function, 0, "cuda:0")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_devices_do_not_mix(function, request):
    if request.node.callspec.id not in SHAPE_ONLY:
        refuse_to_mix(function, "cuda:0")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_waits_for_the_gpu(function, request, monkeypatch):
    monkeypatch.setattr(of_device("cuda").host, "mode", "error")
    if request.node.callspec.id not in NOT_HERE | LOOKS:
        for case in cases(function, 0, 10**9):
            try:
                everything(case, "cuda:0")
            except DeviceError as error:
                assert "an index of booleans" in error.what

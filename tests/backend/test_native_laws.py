"""Every registered operator computes on native arrays what it computes on NumPy's: values,
gradients, and gradients of gradients."""

import pytest

from tests.backend.device_laws import FUNCTIONS, SHAPE_ONLY, compare, refuse_to_mix

LARGEST = 400  # elements: larger samples say nothing new, and take long in pure Python
NOT_HERE = {"half", "to"}  # Python has no buffers of float16; `to` leaves the device


@pytest.mark.parametrize("function", FUNCTIONS)
def test_native_agrees_with_numpy(function, request):
    if request.node.callspec.id not in NOT_HERE:
        assert compare(function, 0, "native", LARGEST)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("function", FUNCTIONS)
def test_native_agrees_with_other_numbers(function, seed, request):
    if not NOT_HERE & set(request.node.callspec.id.split("-")):
        assert compare(function, seed, "native", LARGEST)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_devices_do_not_mix(function, request):
    if request.node.callspec.id not in SHAPE_ONLY:
        refuse_to_mix(function, "native", LARGEST)

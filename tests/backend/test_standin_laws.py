"""Every registered operator computes on the GPU's speaker, run on the stand-in, what it computes
on NumPy's: values, gradients, gradients of gradients – and without a look at a value."""

import pytest

from deepdive.errors import DeviceError
from deepdive.testing import standin
from tests.backend.device_laws import (
    FUNCTIONS,
    SHAPE_ONLY,
    cases,
    compare,
    everything,
    refuse_to_mix,
)

NOT_HERE = {"to"}  # leaves the device
# what they compute has a size that hangs on values: the largest class, the longest bag
LOOKS = {"one_hot", "nonzero", "masked_select", "unique", "embedding_bag", "ctc_loss"}
LOOKS |= {"argwhere", "unique_consecutive"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_gpu_agrees_with_numpy(function, request):
    if request.node.callspec.id not in NOT_HERE:
        assert compare(function, 0, standin.DEVICE)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_waits_for_the_gpu(function, request, monkeypatch):
    """Forward, backward and second order look at no value: the debug mode would raise."""
    monkeypatch.setattr(standin.speaker.host, "mode", "error")
    if request.node.callspec.id not in NOT_HERE | LOOKS:
        for case in cases(function, 0, 10**9):
            try:
                everything(case, standin.DEVICE)
            except DeviceError as error:  # the one index whose result has a size to be found out
                assert "an index of booleans" in error.what


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_gpu_agrees_with_other_numbers(function, seed, request):
    if not NOT_HERE & set(request.node.callspec.id.split("-")):
        assert compare(function, seed, standin.DEVICE)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_devices_do_not_mix(function, request):
    if request.node.callspec.id not in SHAPE_ONLY:
        refuse_to_mix(function, standin.DEVICE)

"""State, changes between calls, gradients, histories: the compiler's own tests, on a device."""

import pytest

import deepdive as dd
from deepdive import config
from deepdive.testing import standin
from tests.compiler.test_history import *  # noqa: F403
from tests.compiler.test_state import *  # noqa: F403

del test_tensors_of_lazy_mode  # noqa: F821 – lazy mode computes on the CPU


@pytest.fixture(params=[standin.DEVICE, "native"])
def compiled(request):
    """``compiled(function, …)`` while tensors are made on a device."""
    before = config.defaults.device
    dd.set_default_device(request.param)
    yield dd.compile
    dd.set_default_device(before)

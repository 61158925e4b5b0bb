"""Every registered operator, compiled on a device: the program gives what the CPU gives eagerly.

The GPU's speaker runs on the stand-in, whose debug mode raises at a look at a value."""

import warnings

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend.speakers import of_device
from deepdive.errors import GraphError
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER
from tests.backend.device_laws import FUNCTIONS, agree, cases, computed

LEAVES = {"to"}  # the device; native arrays have no half precision
# the size of their results hangs on values, always or for an index of booleans
SIZES = {"getitem", "index_put", "masked_select", "nonzero", "argwhere"}
SIZES |= {"unique", "unique_consecutive"}
ASKS = {"one_hot", "embedding_bag", "ctc_loss"}  # for the largest class, the longest bag
FEW, LARGEST = 2, 500  # samples of a function, and their elements


@pytest.fixture(autouse=True)
def quiet():
    """Logarithms of negative numbers are samples, too."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def tried(name, function, device, start, stop, dialect="auto"):
    """Samples `start` to `stop`, compiled on `device`."""
    has_kernels = dialect == "auto" and device == standin.DEVICE and COMPILER is not None
    for number, case in enumerate(cases(function, 0, LARGEST)):
        if start <= number < stop:
            tensors = [dd.tensor(array, device=device) for array in case.arrays]
            program = dd.compile(computing(case, device), dialect=dialect)
            try:
                for _ in range(3):  # as recorded, captured, and as one launch
                    found = program(*tensors)
                    with looks_allowed():
                        agree(case, found, of_device(device).ARRAY_TYPE)
                if has_kernels and name not in ASKS:
                    assert "one launch a call\n" in program.explain()
            except GraphError as error:
                assert name in SIZES
                assert "depends on values" in str(error)


def computing(case, device):
    """A function of the tensors of a case."""
    return lambda *given: computed(case, given, device)


class looks_allowed:
    """A block in which copies to the host are no mistake."""

    def __enter__(self):
        self.mode, standin.speaker.host.mode = standin.speaker.host.mode, "default"

    def __exit__(self, *exc_info):
        standin.speaker.host.mode = self.mode


def law(device, start, stop, kernels=True):
    def check(function, request, monkeypatch):
        name = request.node.callspec.id
        if name not in ASKS:
            monkeypatch.setattr(standin.speaker.host, "mode", "error")
        if name not in LEAVES | ({"half"} if device == "native" else set()):
            tried(name, function, device, start, stop, "auto" if kernels else "numpy")

    return pytest.mark.parametrize("function", FUNCTIONS)(check)


SOME = [p for i, p in enumerate(FUNCTIONS) if i % 12 == 5]  # each kernel takes a compiler's time


@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler to run CUDA's source")
@pytest.mark.parametrize("function", SOME)
def test_programs_of_kernels(function, request, monkeypatch):
    monkeypatch.setattr(standin.speaker.host, "mode", "error")
    if request.node.callspec.id not in LEAVES | ASKS:
        tried(request.node.callspec.id, function, standin.DEVICE, 0, 1)


test_programs_of_words = law(standin.DEVICE, 0, FEW, kernels=False)
test_all_programs_of_kernels = pytest.mark.slow(law(standin.DEVICE, 0, 1000))
test_programs_of_native_arrays = pytest.mark.slow(law("native", 0, 1000))

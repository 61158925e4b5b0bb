"""Every registered operator computes on native arrays what it computes on NumPy's: values,
gradients, and gradients of gradients."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend.speakers import of_device
from deepdive.core import random
from deepdive.core.operator import REGISTRY
from deepdive.errors import DeepDiveError, DeviceError
from deepdive.ops.creation import CREATORS
from deepdive.testing import samples_of
from deepdive.testing.case import Case, listed, replaced

NATIVE = of_device("native").ARRAY_TYPE
LARGEST = 400  # elements: larger samples say nothing new, and take long in pure Python

for _part in sorted((Path(__file__).parents[1] / "ops").glob("sample_table*.py")):
    runpy.run_path(str(_part))  # running them fills the table of samples


def functions():
    """Each registered function once, under its main name; creation makes tensors from nothing."""
    seen = set()
    for name, function in REGISTRY.items():
        if name not in CREATORS and id(function) not in seen:
            seen.add(id(function))
            yield pytest.param(function, id=name)


def cases(function, seed):
    """The samples on the CPU, as far as the function takes them and they are small."""
    for sample in samples_of(function, seed):
        try:
            case = Case(function, sample, seed)
        except DeepDiveError:
            assert sample.optional
            continue
        if sum(array.size for array in case.arrays) <= LARGEST:
            yield case


def everything(case, device):
    """Outputs, first and second order gradients of a case on a device, as NumPy arrays."""
    tensors = [dd.tensor(array, device=device) for array in case.arrays]
    inputs = [tensors[place].requires_grad_() for place in case.places]
    args, kwargs = replaced((case.sample.args, case.sample.kwargs), iter(tensors))
    random.manual_seed(case.seed)
    outputs = listed(case.function(*args, **kwargs))
    assert all(out.device == device for out in outputs)
    found = list(outputs)
    total = None
    for out, weight in zip(outputs, case.weights, strict=True):
        if out.requires_grad:
            part = (out * dd.tensor(weight.astype(out.dtype), device=device)).sum()
            total = part if total is None else total + part
    if total is not None:
        firsts = dd.grad(total, inputs, create_graph=True, allow_unused=True)
        found += firsts
        bent = [(g * g).sum() for g in firsts if g is not None and g.requires_grad]
        if bent:
            found += dd.grad(sum(bent[1:], bent[0]), inputs, allow_unused=True)
    return [None if each is None else each.detach() for each in found]


def compare(function, seed):
    tried = 0
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases(function, seed):
            expected, found = everything(case, "cpu"), everything(case, "native")
            for ours, theirs in zip(found, expected, strict=True):
                assert (ours is None) == (theirs is None)
                if ours is None:
                    continue
                assert type(ours._data) is NATIVE
                assert ours.dtype == theirs.dtype
                what = f"{case.sample}"
                tolerance = 1e-9 if ours.dtype != "float32" else 1e-5
                np.testing.assert_allclose(
                    ours.numpy(), theirs.numpy(), rtol=tolerance, atol=tolerance, err_msg=what
                )
            tried += 1
    return tried


NOT_HERE = {"half", "to"}  # Python has no buffers of float16; `to` leaves the device
SHAPE_ONLY = {"expand_as", "type_as"}  # ask the other tensor for no number


@pytest.mark.parametrize("function", functions())
def test_native_agrees_with_numpy(function, request):
    if request.node.callspec.id not in NOT_HERE:
        assert compare(function, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("function", functions())
def test_native_agrees_with_other_numbers(function, seed, request):
    if not NOT_HERE & set(request.node.callspec.id.split("-")):
        assert compare(function, seed)


@pytest.mark.parametrize("function", functions())
def test_devices_do_not_mix(function, request):
    """A call with one tensor here and the next one there is refused, in words."""
    if request.node.callspec.id in SHAPE_ONLY:
        return
    for case in cases(function, seed=0):
        if len(case.arrays) < 2:
            continue
        for start in ("cpu", "native"):
            other = "native" if start == "cpu" else "cpu"
            devices = [start, *[other] * (len(case.arrays) - 1)]
            pairs = zip(case.arrays, devices, strict=True)
            tensors = [dd.tensor(array, device=device) for array, device in pairs]
            args, kwargs = replaced((case.sample.args, case.sample.kwargs), iter(tensors))
            with pytest.raises(DeviceError, match="device"):
                case.function(*args, **kwargs)

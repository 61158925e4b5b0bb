"""What a device owes: every registered operator computes there what it computes on the CPU."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive.backend.speakers import of_device
from deepdive.core import random
from deepdive.errors import DeepDiveError, DeviceError
from deepdive.testing import samples_of
from deepdive.testing.case import Case, listed, replaced
from deepdive.testing.samples import registered_functions

TOLERANCES = {"float32": 1e-5, "float16": 2e-3}
# They ask the other tensor for no number, or never bring two together.
SHAPE_ONLY = {"expand_as", "type_as", "view_as", "meshgrid", "broadcast_tensors"}
SHAPE_ONLY |= {"atleast_1d", "atleast_2d", "atleast_3d", "ctc_loss"}  # takes its lengths along

for _part in sorted((Path(__file__).parents[1] / "ops").glob("sample_table*.py")):
    runpy.run_path(str(_part))  # running them fills the table of samples


FUNCTIONS = [pytest.param(function, id=name) for name, function in registered_functions()]


def cases(function, seed, largest):
    """The samples on the CPU, as far as the function takes them and they are small."""
    for sample in samples_of(function, seed):
        try:
            case = Case(function, sample, seed)
        except DeepDiveError:
            assert sample.optional
            continue
        if sum(array.size for array in case.arrays) <= largest:
            yield case


def everything(case, device):
    """Outputs, first and second order gradients of a case on a device, as NumPy arrays."""
    return computed(case, [dd.tensor(array, device=device) for array in case.arrays], device)


def computed(case, given, device):
    """The same from tensors that are there, which stay as they are."""
    tensors = [tensor.detach() for tensor in given]
    inputs = [tensors[place].requires_grad_() for place in case.places]
    args, kwargs = replaced((case.sample.args, case.sample.kwargs), iter(tensors))
    random.manual_seed(case.seed)
    outputs = listed(case.function(*args, **kwargs))
    assert all(out.device == device for out in outputs)
    found: list[dd.Tensor | None] = list(outputs)
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


def compare(function, seed, device, largest=10**9):
    """Try all samples on `device` and on the CPU; how many there were."""
    tried = 0
    arrays = of_device(device).ARRAY_TYPE
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases(function, seed, largest):
            agree(case, everything(case, device), arrays)
            tried += 1
    return tried


def agree(case, found, arrays):
    """Whether what was found, in arrays of this type, is what the CPU finds."""
    for ours, theirs in zip(found, everything(case, "cpu"), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is None:
            continue
        assert type(ours._data) is arrays
        assert ours.dtype == theirs.dtype
        tolerance = TOLERANCES.get(ours.dtype.name, 1e-9)
        np.testing.assert_allclose(
            ours.numpy(), theirs.numpy(), rtol=tolerance, atol=tolerance, err_msg=f"{case.sample}"
        )


def refuse_to_mix(function, device, largest=10**9):
    """A call with one tensor here and the next one there is refused, naming both and the fix."""
    for case in cases(function, 0, largest):
        if len(case.arrays) < 2:
            continue
        for start, other in (("cpu", device), (device, "cpu")):
            devices = [start, *[other] * (len(case.arrays) - 1)]
            pairs = zip(case.arrays, devices, strict=True)
            tensors = [dd.tensor(array, device=where) for array, where in pairs]
            args, kwargs = replaced((case.sample.args, case.sample.kwargs), iter(tensors))
            with pytest.raises(DeviceError, match="one operation, two devices") as caught:
                case.function(*args, **kwargs)
            assert "move it first" in str(caught.value.fix)

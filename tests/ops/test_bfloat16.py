"""Every operator in bfloat16 beside PyTorch's, whose numbers on the CPU are made in the same way:
wide inside an operator, rounded once at its end.  None is refused, also where PyTorch refuses."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive.core import random
from deepdive.errors import DeepDiveError
from deepdive.testing import samples_of, standin, torch_reference
from deepdive.testing.case import Case, is_floating, replaced
from deepdive.testing.samples import names_of, registered_functions

torch = pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")

for _part in sorted(Path(__file__).parent.glob("sample_table*.py")):  # running fills the table
    runpy.run_path(str(_part))

FUNCTIONS = [pytest.param(function, id=name) for name, function in registered_functions()]
ULP = 2.0**-7  # eight bits: the distance of two neighbours, relative to them
# They draw other numbers than PyTorch does.
RANDOM = {"alpha_dropout", "dropout", "gumbel_softmax", "rrelu", "feature_alpha_dropout"}
# Near a pole, or where a rounded number says where to look; and the sign of NaN.
STEEP = {"digamma", "grid_sample", "signbit"}
# What is said in several operators rounds several times.
TWICE = """
    batch_norm binary_cross_entropy_with_logits cross_entropy interpolate kl_div lerp pad
    pairwise_distance std std_mean
"""
BOUNDS = {**dict.fromkeys(TWICE.split(), 2), "ldexp": 3, "mish": 8}
BOUNDS["scaled_dot_product_attention"] = 3
TORCH_HAS_NO = (RuntimeError, TypeError, ValueError, NotImplementedError, IndexError)


def cases(function):
    for sample in samples_of(function, 0):
        try:
            yield Case(function, sample, 0)
        except DeepDiveError:
            assert sample.optional


def ours(array, device="cpu"):
    tensor = dd.tensor(array, device=device)
    return tensor.float().bfloat16() if is_floating(array) else tensor


def theirs(array):
    tensor = torch.from_numpy(np.array(array))
    return tensor.float().bfloat16() if is_floating(array) else tensor


def exactly(array):
    """In double precision, of the numbers as they are once rounded to bfloat16."""
    tensor = theirs(array)
    return tensor.double() if is_floating(array) else tensor


def results(case, function, tensors, lib, weight_of):
    """Outputs, and the gradients of their weighted sum."""
    inputs = [tensors[place].requires_grad_() for place in case.places]
    args, kwargs = replaced((case.sample.args, case.sample.kwargs), iter(tensors))
    random.manual_seed(case.seed)
    found = function(*args, **kwargs)
    outputs = list(found) if isinstance(found, (tuple, list)) else [found]
    total = None
    for out, weight in zip(outputs, case.weights, strict=True):
        if out.requires_grad:
            part = (out * weight_of(weight).to(out.dtype)).to(lib.float64).sum()
            total = part if total is None else total + part
    if total is None:
        return outputs, []
    return outputs, list(lib.autograd.grad(total, inputs, allow_unused=True))


def our_results(case, device="cpu"):
    tensors = [ours(array, device) for array in case.arrays]
    return results(
        case, case.function, tensors, dd, lambda weight: dd.tensor(weight, device=device)
    )


def wide(value):
    """A float64 array of a Tensor, ours or PyTorch's."""
    if isinstance(value, torch.Tensor):
        return (torch.zeros(value.shape, dtype=torch.float64) + value.detach()).numpy()
    return np.asarray(value.detach().numpy(), "float64")


def distance(found, expected):
    """The largest error, relative to the number and to the size of the largest ones."""
    found, expected = wide(found), wide(expected)
    assert found.shape == expected.shape
    if not expected.size:
        return 0.0
    sizes = np.where(np.isfinite(expected), np.abs(expected), 0)
    error = np.abs(found - expected) / (sizes + sizes.max() / 4 + 1e-30)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return float(np.where(same, 0, np.nan_to_num(error, nan=np.inf)).max())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_as_pytorchs(function, request):
    """Within 2^-7 of PyTorch's value and gradient, or at least as near to the exact ones."""
    name = request.node.callspec.id
    reference = torch_reference.find(names_of(function))
    bound = BOUNDS.get(name, 1) * ULP
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases(function):
            found = our_results(case)  # also where PyTorch has no such thing
            if reference is None or not case.sample.torch or name in RANDOM | STEEP:
                continue
            try:
                expected, exact = (
                    results(case, reference, [of(a) for a in case.arrays], torch, torch.tensor)
                    for of in (theirs, exactly)
                )
            except TORCH_HAS_NO:
                continue
            for mine, other in zip(found[0], expected[0], strict=True):
                assert mine.dtype.name == str(other.dtype).removeprefix("torch.")
            columns = [[*outputs, *slopes] for outputs, slopes in (found, expected, exact)]
            for mine, other, truth in zip(*columns, strict=False):  # not all have slopes
                if mine is None or other is None or truth is None:
                    continue
                limit = max(bound, distance(other, truth))
                assert min(distance(mine, other), distance(mine, truth)) <= limit, case.sample


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_same_on_a_gpu(function, request):
    """The stand-in has what CuPy 14 has of bfloat16, and gives the numbers of the CPU."""
    if request.node.callspec.id == "to":
        return
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases(function):
            pairs = zip(our_results(case), our_results(case, standin.DEVICE), strict=True)
            for expected, found in pairs:
                for there, here in zip(found, expected, strict=True):
                    if here is None:
                        assert there is None
                        continue
                    assert (there.device, there.dtype) == (standin.DEVICE, here.dtype)
                    assert distance(there.cpu(), here) <= ULP

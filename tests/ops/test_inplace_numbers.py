"""Methods with a trailing underscore change the tensor, as PyTorch's do."""

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import DTypeError, GraphError
from deepdive.ops.inplace_numbers import NAMES
from tests.ops.call_forms import ARRAYS, FORMS, used

torch = pytest.importorskip("torch")
METHODS = sorted({*NAMES.split(), "add", "sub", "mul", "div", "pow"})


def run(library, make, name, form):
    """The tensor after the change, and what the method gave."""
    tensors = {key: make(ARRAYS[key].copy()) for key in used(form)}

    def f(first, *args, **kwargs):
        return first, getattr(first, f"{name}_")(*args, **kwargs)

    return eval(form, {**tensors, "f": f, "t": library, "inf": float("inf")})


def first_is_array(form):
    return form.startswith("f(") and form[2:].split(",")[0].rstrip(")") in ARRAYS


@pytest.mark.parametrize("name", METHODS)
def test_in_place_as_in_pytorch(name):
    tried = 0
    for form in filter(first_is_array, FORMS[name]):
        with np.errstate(all="ignore"):
            try:
                changed, given = run(torch, torch.from_numpy, name, form)
            except NotImplementedError:
                continue
            except (RuntimeError, TypeError, IndexError):  # refused there: refused here, too
                with pytest.raises((ValueError, TypeError)):
                    run(dd, dd.tensor, name, form)
                continue
            mine, result = run(dd, dd.tensor, name, form)
        assert result is mine and given is changed
        assert mine.dtype == changed.numpy().dtype
        np.testing.assert_allclose(mine.numpy(), changed.numpy(), 1e-9, 1e-9, err_msg=form)
        tried += 1
    assert tried or name == "polygamma"


@pytest.mark.parametrize("name", ["exp", "clamp", "add"])
def test_tracked_tensors_refuse(name):
    x = dd.Tensor([1.0, 2.0])
    with pytest.raises(GraphError, match=f"{name}_: this tensor is tracked"):
        getattr(x, f"{name}_")(*(() if name == "exp" else (1.0,)))
    with dd.no_grad():
        getattr(x, f"{name}_")(*(() if name == "exp" else (1.0,)))
    assert x.requires_grad


def test_kinds_are_kept():
    x = dd.tensor([1, 2])
    with pytest.raises(DTypeError, match="div_: the result does not fit"):
        x.div_(2)
    with pytest.raises(DTypeError, match="add_"):
        x.add_(0.5)
    assert x.mul_(3).tolist() == [3, 6]


def test_an_optimizer_by_hand():
    w, g = dd.tensor([1.0, 2.0]), dd.tensor([0.5, 0.25])
    assert w.add_(g, alpha=-2).tolist() == [0.0, 1.5]
    assert w.addcmul_(g, g, value=4).tolist() == [1.0, 1.75]
    assert w.lerp_(g, 0.5).tolist() == [0.75, 1.0]

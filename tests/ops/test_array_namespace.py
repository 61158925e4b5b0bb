"""Tensors against the Python array API standard, with the calls that check native arrays."""

import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import array_api as ours

strict = pytest.importorskip("array_api_strict")
PATH = Path(__file__).parents[1] / "backend" / "test_array_api.py"
_spec = importlib.util.spec_from_file_location("native_calls", PATH)
shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(shared)

LEFT_OUT = {"complex64", "complex128", "fft", "linalg", "nextafter"}
LEFT_OUT |= {"uint16", "uint32", "uint64"}
NAMES = sorted({*shared.NAMES} - LEFT_OUT)
OTHERWISE = {"xp.sign(s)": "0.", "xp.sum(u)": "253"}  # NaN has no sign in PyTorch
CALLS = [c for c in shared.CALLS if not any(f"xp.{n}" in c for n in LEFT_OUT) and c != "w + 1"]
CALLS = [c for c in CALLS if c not in OTHERWISE]
CALLS = [c for c in CALLS if not any(c == f"xp.{word}(u)" for word in shared.UNSIGNED)]


def given(xp):
    rows = {n: row for n, row in shared.ARRAYS.items() if row[1] != "uint16"}
    return {"xp": xp, **{n: xp.asarray(x, dtype=getattr(xp, t)) for n, (x, t) in rows.items()}}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert hasattr(ours, name)


def test_what_is_left_out_is_not_there_and_is_written_down():
    text = shared.DOCS.read_text(encoding="utf-8").partition("## Tensors")[2]
    for name in LEFT_OUT:
        assert not hasattr(ours, name)
        assert f"`{name}`" in text


@pytest.mark.parametrize("call", shared.REFUSED)
def test_refusals(call):
    with pytest.raises(shared.REFUSED[call]):
        eval(call, given(ours))


@pytest.mark.parametrize("call", CALLS)
def test_calls(call):
    with np.errstate(all="ignore"):
        theirs, found = eval(call, given(strict)), eval(call, given(ours))
    assert isinstance(found, dd.Tensor)
    expected = np.asarray(theirs)
    assert found.shape == expected.shape
    if "arange(5)" not in call:
        assert found.dtype == expected.dtype
    exact = 0 if expected.dtype.kind != "f" else 1e-6 if expected.dtype == "float32" else 1e-13
    np.testing.assert_allclose(found.numpy(), expected, rtol=exact, atol=exact)


def test_every_call_the_standard_allows_is_taken():
    written = {
        n for n, f in vars(ours).items() if inspect.isfunction(f) and "array_api" in f.__module__
    }
    for name in set(shared.FUNCTIONS) & {*NAMES} & written:
        wanted = inspect.signature(getattr(strict, name)).parameters.values()
        has = inspect.signature(getattr(ours, name)).parameters
        named = {p.name for p in wanted if p.kind is inspect.Parameter.KEYWORD_ONLY}
        assert named <= {*has}, name


def test_where_pytorch_counts():
    text = shared.DOCS.read_text(encoding="utf-8").partition("## Tensors")[2]
    for call, shown in OTHERWISE.items():
        assert shown in repr(eval(call, given(ours)))
        assert f"`{call}`" in text


def test_membership():
    x = ours.asarray([[3, 2], [7, 2]])
    assert ours.isin(x, ours.asarray([2, 9]), invert=True).tolist() == [
        [True, False],
        [True, False],
    ]
    assert ours.isin(x, ours.asarray([], dtype=ours.int64)).tolist() == [[False] * 2] * 2
    assert ours.isin(3, x).item() is True


def test_gradients_are_recorded_through_the_namespace():
    x = dd.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    xp = x.__array_namespace__(api_version="2024.12")
    assert xp is ours
    y = xp.sum(xp.square(xp.permute_dims(x, (1, 0))) * xp.take(x, xp.asarray([1, 0]), axis=0))
    y.backward()
    z = x.detach().numpy()
    assert x.grad.shape == (2, 2)
    step = 1e-3
    f = lambda z: (z.T**2 * z[[1, 0]]).sum()  # noqa: E731
    for i, j in np.ndindex(2, 2):
        e = np.zeros((2, 2))
        e[i, j] = step
        slope = (f(z + e) - f(z - e)) / (2 * step)
        assert abs(slope - x.grad[i, j].item()) < 1e-3


def softmax(x):
    """As users of the standard write it: one text for every library."""
    xp = x.__array_namespace__()
    y = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return y / xp.sum(y, axis=-1, keepdims=True)


@pytest.mark.parametrize("device", ["cpu", "native"])
def test_code_written_for_the_standard(device):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    found = softmax(dd.tensor(x, device=device))
    assert found.device == device
    np.testing.assert_allclose(found.numpy(), softmax(x), rtol=1e-6)
    assert dd.tensor(x).to_device(device).device == device
    info = ours.__array_namespace_info__()
    assert device in info.devices()
    assert info.dtypes(kind="real floating") == {"float32": dd.float32, "float64": dd.float64}
    with pytest.raises(ValueError, match="copy=False"):
        ours.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match="copy=False"):
        ours.reshape(dd.tensor(x).T, (12,), copy=False)
    assert ours.reshape(dd.tensor(x), (12,), copy=False).shape == (12,)

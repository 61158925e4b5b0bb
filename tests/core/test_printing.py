"""The text of a tensor is PyTorch's text, over many shapes, types and magnitudes."""

import re

import numpy as np
import pytest

from deepdive import config
from deepdive.core.printing import format_tensor

torch = pytest.importorskip("torch")
rng = np.random.default_rng(0)

NUMBERS = {
    "scalar": np.float32(2.0),
    "negative scalar": np.float32(-2.5),
    "tiny scalar": np.float32(1e-7),
    "nan scalar": np.float32("nan"),
    "whole": [1.0, 2.0, -3.0],
    "fractions": [[1.5, 2.25], [-3.125, 400.0]],
    "wide ratio": [1.0, 1000.5],
    "ratio of exactly 1000": [1.0, 1000.0, 2.5],
    "large": [1e8, 2e8],
    "larger": [1.0000001e8, 2e8],
    "just below small": [9.9e-5, 0.05],
    "whole but scientific": [1.0, 20000.0],
    "half to even": [0.00005, 0.00015, 0.03],
    "zeros": [[0.0, -0.0]],
    "non-finite": [np.nan, np.inf, -np.inf],
    "non-finite and whole": [np.nan, np.inf, -np.inf, 1.0, -20.0],
    "non-finite and fractions": [np.nan, np.inf, -np.inf, 1.5],
    "non-finite and scientific": [np.nan, np.inf, -np.inf, 1e-9, 0.0],
    "subnormal": [1e-45, 1.0],
    "extremes": [3.4e38, -1.2e-38],
}
ARRAYS = {name: np.array(value, "float32") for name, value in NUMBERS.items()}
ARRAYS |= {
    "int": np.array([1, -200, 3]),
    "int scalar": np.array(7),
    "int32": np.array([[1], [2]], "int32"),
    "uint8": np.array([0, 255], "uint8"),
    "bool": np.array([[True, False]]),
    "float64": np.array([1 / 3, 2.0]),
    "float64 extremes": np.array([1e308, 1e-308]),
    "float16": np.array([65504.0, 0.1], "float16"),
    "empty": np.zeros(0, "float32"),
    "empty matrix": np.zeros((0, 3), "float32"),
    "empty int": np.zeros((2, 0, 3), "int64"),
    "empty bool": np.zeros(0, "bool"),
    "empty float64": np.zeros(0, "float64"),
    "4-d": np.arange(24, dtype="float32").reshape(1, 2, 3, 4),
    "transposed": np.arange(6, dtype="float32").reshape(2, 3).T,
    "exactly 1000": np.arange(1000),
    "1001 in a row": np.arange(1001),
    "summarised row of floats": rng.standard_normal(5000).astype("float32"),
    "summarised, outlier hidden": np.r_[np.ones(50), 1e9, np.ones(1000)].astype("float32"),
    "summarised matrix": rng.standard_normal((40, 40)).astype("float32"),
    "summarised tall": rng.standard_normal((600, 2)).astype("float32"),
    "summarised flat": rng.standard_normal((2, 600)).astype("float32"),
    "summarised 4-d": rng.standard_normal((2, 8, 9, 10)).astype("float32"),
    "wide summarised": rng.standard_normal((100, 6)).astype("float32") * 1e5,
}


def expected(array, **options):
    text = repr(torch.tensor(array.tolist() if array.ndim == 0 else array.copy(), **options))
    return unbroken(text.replace("dtype=torch.", "dtype="))


def unbroken(text):
    """With the dtype on the line before it: PyTorch writes ``torch.`` and breaks earlier."""
    return re.sub(r",\n +dtype=", ", dtype=", text)


@pytest.mark.parametrize("name", ARRAYS)
def test_like_pytorch(name):
    array = ARRAYS[name]
    same_type = getattr(torch, array.dtype.name)
    assert format_tensor(array) == expected(array, dtype=same_type)


@pytest.mark.parametrize("seed", range(60))
def test_random_shapes_and_magnitudes_like_pytorch(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 14, rng.integers(0, 4)))
    array = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 9)
    if seed % 3 == 0:
        array = np.round(array)
    if seed % 5 == 0:
        array = np.where(rng.random(shape) < 0.2, rng.choice([np.nan, np.inf, 0.0]), array)
    types = ["float32", "float64"] if seed % 5 == 0 else ["float32", "float64", "int64"]
    array = np.asarray(array, rng.choice(types))
    assert unbroken(format_tensor(array)) == expected(array, dtype=getattr(torch, array.dtype.name))


@pytest.mark.parametrize("shape", [(), (3,), (11,), (2, 9), (1, 7), (30, 50)])
def test_requires_grad_breaks_the_line_where_pytorch_does(shape):
    array = np.asarray(np.random.default_rng(1).standard_normal(shape), "float32")
    options = {"dtype": torch.float32, "requires_grad": True}
    assert format_tensor(array, extras=["requires_grad=True"]) == expected(array, **options)


def test_the_caller_names_the_operator():
    text = format_tensor(np.array(6, "float32"), extras=["grad_fn=<MulBackward0>"])
    assert text == "tensor(6., grad_fn=<MulBackward0>)"


def test_lines_align_under_another_prefix():
    text = format_tensor(np.eye(2, dtype="float32"), prefix="Parameter(")
    assert text == "Parameter([[1., 0.],\n           [0., 1.]])"


def test_the_default_dtype_is_not_shown():
    before = config.defaults.dtype
    config.set_default_dtype("float64")
    try:
        assert format_tensor(np.ones(1)) == "tensor([1.])"
        assert format_tensor(np.ones(1, "float32")) == "tensor([1.], dtype=float32)"
    finally:
        config.set_default_dtype(before)


def test_only_the_shown_numbers_are_touched():
    huge = np.broadcast_to(np.float32(1), (10**6, 10**6))  # 4 TB, were it copied
    assert format_tensor(huge).count("1.") == 36

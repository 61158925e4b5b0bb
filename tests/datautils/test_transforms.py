"""Transforms: one sample, a batch, and what they say of themselves."""

import numpy as np
import pytest

from deepdive.core.random import manual_seed
from deepdive.datautils import (
    Compose,
    Flatten,
    Lambda,
    Normalize,
    OneHot,
    RandomCrop,
    RandomShift,
    Scale,
    Standardize,
    ToFloat,
    Transform,
)
from deepdive.datautils.transforms import transform_batch
from deepdive.errors import ArgumentError, DataError, ShapeError

IMAGES = np.arange(4 * 3 * 5 * 6).reshape(4, 3, 5, 6).astype(np.uint8)  # (B, C, H, W)


@pytest.mark.parametrize(
    "transform",
    [
        ToFloat(),
        Scale(1 / 255),
        Normalize(0.5, 2.0),
        Normalize([1, 2, 3], (4, 5, 6)),
        Normalize(np.ones((3, 5, 6)), 2),
        Standardize().fit(IMAGES),
        Flatten(),
        Lambda(lambda x: x[0]),
        Lambda(lambda x: -x.astype(float), batched=True),
        Compose(Scale(0.5), lambda x: x[:2], Flatten()),
        Compose([Scale(0.5), Normalize([1, 2, 3], 1)]),
    ],
    ids=repr,
)
def test_a_batch_is_its_samples(transform):
    one_by_one = np.stack([transform(image) for image in IMAGES])
    at_once = transform.batch(IMAGES)
    assert at_once.dtype == one_by_one.dtype
    np.testing.assert_array_equal(at_once, one_by_one)
    np.testing.assert_array_equal(transform_batch(transform, IMAGES), one_by_one)


def test_values():
    assert ToFloat()([1, 2]).dtype == np.float32
    assert Scale(1 / 255)(np.uint8(255)) == np.float32(1)
    assert Scale(2)(np.array([3], np.float64)).dtype == np.float32
    out = Normalize([0, 1, 2], [1, 2, 4])(IMAGES[0])
    np.testing.assert_allclose(out[2], (IMAGES[0, 2].astype(float) - 2) / 4)
    assert Flatten().batch(np.zeros((0, 2, 3))).shape == (0, 6)
    assert OneHot(3)(np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert OneHot(3)(2).dtype == np.float32


def test_standardize_measures_its_data():
    data = np.random.default_rng(0).normal(5, 3, (500, 4))
    data[:, 2] = 7
    out = Standardize().fit(data).batch(data)
    np.testing.assert_allclose(out.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(0), [1, 1, 0, 1], atol=1e-5)
    with pytest.raises(DataError, match="not fitted") as caught:
        Standardize()(data)
    assert "fix: Standardize().fit(train_data)" in str(caught.value)
    with pytest.raises(DataError, match="no samples to measure"):
        Standardize().fit(np.zeros((0, 3)))


def test_random_crops_are_windows_and_all_of_them_occur():
    image = np.arange(20).reshape(4, 5)
    seen = set()
    for _ in range(300):
        window = RandomCrop((3, 2))(image)
        assert window.shape == (3, 2)
        top, left = divmod(int(window[0, 0]), 5)
        np.testing.assert_array_equal(window, image[top : top + 3, left : left + 2])
        seen.add((top, left))
    assert seen == {(top, left) for top in range(2) for left in range(4)}
    assert RandomCrop(4, padding=1)(IMAGES[0]).shape == (3, 4, 4)
    with pytest.raises(ShapeError, match="smaller than the window"):
        RandomCrop(6)(image)


def test_random_shifts_move_the_image():
    image = np.zeros((5, 5))
    image[2, 2] = 1
    places = {tuple(np.argwhere(RandomShift(1)(image))[0]) for _ in range(200)}
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}
    assert RandomShift(0)(image).tolist() == image.tolist()


def test_outside_a_loader_the_default_generator_decides():
    shift = RandomShift(3)
    manual_seed(1)
    first = shift.batch(IMAGES)
    assert not np.array_equal(shift.batch(IMAGES), first)
    manual_seed(1)
    np.testing.assert_array_equal(shift.batch(IMAGES), first)


def test_tensors_stay_tensors():
    import deepdive as dd

    x = dd.Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert transform_batch(None, x) is x
    for transform in (Scale(2), lambda sample: np.asarray(sample) * 2):
        out = transform_batch(transform, x)
        assert isinstance(out, dd.Tensor)
        assert out.tolist() == [[2, 4], [6, 8]]


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (Scale(1 / 255), "Scale(factor=0.00392157)"),
        (Normalize(0.1307, 0.3081), "Normalize(mean=0.1307, std=0.3081)"),
        (
            Normalize(np.zeros(3), np.ones((5, 5))),
            "Normalize(mean=[0.0, 0.0, 0.0], std=array[5, 5])",
        ),
        (Standardize(), "Standardize(not fitted)"),
        (Standardize().fit(np.eye(3)), "Standardize(3 features)"),
        (Compose(ToFloat(), Flatten()), "Compose(ToFloat(), Flatten())"),
        (Lambda(np.abs), "Lambda(function=absolute, batched=False)"),
        (RandomCrop(24, padding=2), "RandomCrop(size=(24, 24), padding=2)"),
        (RandomShift(2), "RandomShift(pixels=2)"),
        (OneHot(10), "OneHot(n=10)"),
    ],
)
def test_repr(transform, text):
    assert repr(transform) == text


def test_errors():
    with pytest.raises(ArgumentError, match="std must be positive"):
        Normalize([1, 2], [1, 0])
    for label in (3, -1, 1.5):
        with pytest.raises(DataError, match="labels are whole numbers from 0 to 2"):
            OneHot(3)(label)
    with pytest.raises(NotImplementedError, match="must define __call__"):
        Transform()(1)

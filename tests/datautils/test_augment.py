"""Random transforms: compared with PyTorch's own sampling, with pictures known beforehand."""

import math

import numpy as np
import pytest

from deepdive.core.random import Generator, manual_seed
from deepdive.datautils import (
    ArrayDataset,
    CenterCrop,
    ColorJitter,
    Compose,
    DataLoader,
    Grayscale,
    MixUp,
    RandomAffine,
    RandomApply,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
)
from deepdive.datautils.sampling import Moves, resized, warped
from deepdive.errors import ArgumentError, ShapeError

PICTURE = np.random.default_rng(0).random((3, 9, 12)).astype(np.float32)


def test_a_quarter_turn_is_counter_clockwise():
    square = PICTURE[:, :, :9]
    turned = RandomRotation((90, 90))(square)
    np.testing.assert_allclose(turned, np.rot90(square, 1, (1, 2)), atol=1e-6)


@pytest.mark.parametrize("size", [(5, 7), (18, 24), (9, 12), (1, 30)])
def test_resizing_is_that_of_pytorch(size):
    torch = pytest.importorskip("torch")
    expected = torch.nn.functional.interpolate(
        torch.tensor(PICTURE)[None], size, mode="bilinear", align_corners=False
    )[0].numpy()
    np.testing.assert_allclose(resized(PICTURE, size), expected, atol=1e-6)
    assert Resize(size)(PICTURE).shape == (3, *size)


def test_the_shorter_side_can_be_given():
    assert Resize(6)(PICTURE).shape == (3, 6, 8)


@pytest.mark.parametrize(
    "moves", [Moves(0.3), Moves(lean=0.4), Moves(factor=1.7), Moves(0.2, 0.1, 0.8, 2.0, -1.5)]
)
def test_warping_is_a_grid_sample_of_the_inverse(moves):
    torch = pytest.importorskip("torch")
    # where a point goes, written out: lean, turn, scale, move (y points down)
    lean = np.array([[1, 0], [-math.tan(moves.lean), 1]])  # of (y, x)
    cos, sin = math.cos(moves.turn), math.sin(moves.turn)
    turn = np.array([[cos, -sin], [sin, cos]])
    forward = moves.factor * turn @ lean
    backward = np.linalg.inv(forward)
    height, width = PICTURE.shape[1:]
    ys, xs = np.meshgrid(np.arange(height) - 4.0, np.arange(width) - 5.5, indexing="ij")
    moved = np.stack([ys - moves.down, xs - moves.right])
    y, x = np.tensordot(backward, moved, 1)
    grid = np.stack([x / (width / 2), y / (height / 2)], -1)  # align_corners=False
    expected = torch.nn.functional.grid_sample(
        torch.tensor(PICTURE)[None].double(), torch.tensor(grid)[None], align_corners=False
    )[0].numpy()
    np.testing.assert_allclose(warped(PICTURE, moves, 0.0), expected, atol=1e-5)


def test_moving_whole_pixels_loses_nothing():
    moved = warped(PICTURE, Moves(right=2.0, down=1.0), 7.0)
    np.testing.assert_allclose(moved[:, 1:, 2:], PICTURE[:, :-1, :-2], atol=1e-6)
    assert (moved[:, 0] == 7).all()
    assert (moved[:, :, :2] == 7).all()


def test_bytes_stay_bytes():
    image = (PICTURE * 255).astype(np.uint8)
    chain = [
        *(RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 10), ColorJitter(0.5, 0.5, 0.5)),
        *(RandomErasing(1.0), RandomResizedCrop(8), Resize(5), Grayscale(3)),
    ]
    out = Compose(chain)(image)
    assert (out.dtype, out.shape) == (np.uint8, (3, 5, 5))


def test_flips():
    assert np.array_equal(RandomHorizontalFlip(1.0)(PICTURE), PICTURE[..., ::-1])
    assert np.array_equal(RandomVerticalFlip(1.0)(PICTURE), PICTURE[..., ::-1, :])
    assert np.array_equal(RandomHorizontalFlip(0.0)(PICTURE), PICTURE)
    manual_seed(3)
    flip = RandomHorizontalFlip()
    flipped = sum(not np.array_equal(flip(PICTURE), PICTURE) for _ in range(400))
    assert 160 < flipped < 240
    manual_seed(3)
    some = RandomApply(lambda x: -x, p=0.25)
    assert 70 < sum((some(PICTURE) < 0).any() for _ in range(400)) < 130


def test_crops():
    assert np.array_equal(CenterCrop((3, 4))(PICTURE), PICTURE[:, 3:6, 4:8])
    with pytest.raises(ShapeError, match="smaller than the window"):
        CenterCrop(10)(PICTURE)
    image = np.zeros((40, 40), np.float32)
    areas, whole = [], RandomErasing(1.0, (0.1, 0.2), (0.5, 2.0), value=1.0)
    for _ in range(100):
        areas.append(whole(image).mean())
    assert 0.08 < min(areas) < 0.12 < 0.17 < max(areas) < 0.22
    assert not image.any()  # the input is left alone


def test_colours():
    assert ColorJitter()(PICTURE) == pytest.approx(PICTURE, abs=1e-6)
    twice = ColorJitter(brightness=(2.0, 2.0))(PICTURE / 4)
    assert twice == pytest.approx(PICTURE / 2, abs=1e-6)
    gray = ColorJitter(saturation=(0.0, 0.0))(PICTURE)
    red, green, blue = PICTURE
    assert gray[1] == pytest.approx(0.299 * red + 0.587 * green + 0.114 * blue, abs=1e-6)
    flat = ColorJitter(contrast=(0.0, 0.0))(PICTURE)
    assert flat == pytest.approx(np.full_like(PICTURE, gray[0].mean()), abs=1e-6)
    with pytest.raises(ShapeError, match="takes colour images"):
        Grayscale()(PICTURE[:2])


def test_mixup_mixes_images_and_labels_alike():
    x = np.eye(5, dtype=np.float32)
    mixed, soft = MixUp(5, alpha=0.8, generator=Generator(1))(x, np.arange(5))
    np.testing.assert_allclose(mixed, soft)  # here an image is its label
    assert ((mixed > 0) & (mixed < 1)).any()
    shares = [MixUp(2, 2.0)(np.array([[0.0], [1.0]]), [0, 1])[1][0, 0] for _ in range(300)]
    shares = np.array(shares)[np.array(shares) < 1]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)
    assert np.var(shares) == pytest.approx(1 / 20, abs=0.015)  # of Beta(2, 2)


@pytest.mark.parametrize("workers", [0, 3])
def test_a_sample_is_changed_by_its_number_alone(workers):
    change = Compose(RandomAffine(30, (0.1, 0.1)), RandomErasing(0.5), RandomHorizontalFlip())
    data = ArrayDataset(np.stack([PICTURE[0]] * 8), transform=change)
    loader = DataLoader(data, 4, num_workers=workers, generator=Generator(5))
    first, second = (np.concatenate([batch for (batch,) in loader]) for _ in range(2))
    assert len({image.tobytes() for image in (*first, *second)}) == 16
    again = DataLoader(data, 8, generator=Generator(5))
    assert np.array_equal(next(iter(again))[0], first)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomHorizontalFlip(1.5),
        lambda: RandomErasing(p=-1),
        lambda: RandomAffine((3, 1)),
        lambda: MixUp(3, alpha=0),
    ],
)
def test_what_makes_no_sense_is_refused(make):
    with pytest.raises(ArgumentError):
        make()

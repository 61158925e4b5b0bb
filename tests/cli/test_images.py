"""Images from files and as text, value by value."""

import io

import numpy as np
import pytest

from deepdive.cli.images import alike, read_images
from deepdive.cli.pixels import picture
from deepdive.cli.recipes import IMAGES, make_model
from deepdive.dash.dashboard import visible_length
from deepdive.dash.terminal import Terminal
from deepdive.datautils import Digits

RAMP = np.arange(6).reshape(2, 3)  # 2 rows, 3 columns


def read(tmp_path, data):
    (tmp_path / "image").write_bytes(data)
    return read_images(str(tmp_path / "image"))


def test_pgm_in_bytes_words_and_text(tmp_path):
    expected = (RAMP / 5)[None]
    for data in (
        b"P5 3 2 5\n" + RAMP.astype("u1").tobytes(),
        b"P5\n# a # b\n3\n# c\n2 5 " + RAMP.astype("u1").tobytes(),
        b"P2\n3 2\n5\n0 1 2\n3 4 5\n",
        b"P5 3 2 1000\n" + (RAMP * 200).astype(">u2").tobytes(),
    ):
        assert np.allclose(read(tmp_path, data), expected)


@pytest.mark.parametrize(("dtype", "full"), [("u1", 16), ("u1", 255), ("f4", 1), ("u2", 65535)])
def test_npy_knows_the_usual_scales(tmp_path, dtype, full):
    pixels = np.array([[0, full]]).astype(dtype)
    np.save(tmp_path / "a.npy", pixels)
    assert read_images(str(tmp_path / "a.npy")).tolist() == [[[0.0, 1.0]]]
    np.save(tmp_path / "a.npy", np.stack([pixels, pixels])[:, None])
    assert read_images(str(tmp_path / "a.npy")).shape == (2, 1, 2)


def test_an_image_of_the_right_size_stays_as_it_is():
    pixels = Digits(train=False).images[0] / 16
    assert np.array_equal(alike(pixels, IMAGES["digits"]), pixels)
    paper = np.pad(1 - pixels[1:-1, 1:-1], 1, constant_values=1)
    assert np.allclose(alike(paper, IMAGES["digits"]), 1 - paper)


def test_other_sizes_are_framed_like_mnist():
    """A bar of 40 × 20 on paper: 20 of 28 pixels high, 10 wide, in the middle."""
    paper = np.ones((100, 300))
    paper[7:47, 200:220] = 0
    small = alike(paper, IMAGES["mnist"])
    assert small.shape == (28, 28) and small.dtype == np.float32
    rows, columns = np.nonzero(small > 0.5)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 23, 9, 18)
    assert small.min() == 0 and small.max() == 1


class Colors(Terminal):
    def __init__(self, color):
        super().__init__(io.StringIO())
        self.unicode, self.color = True, color


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize(("side", "columns"), [(8, 16), (28, 28), (7, 14)])
def test_pictures_have_the_size_they_should(color, side, columns):
    lines = picture(np.random.default_rng(0).random((side, side)), Colors(color))
    assert len(lines) == columns // 2
    assert {visible_length(line) for line in lines} == {columns}


def test_colors_are_greys_of_the_pixels_above_and_below():
    (line,) = picture(np.array([[0.0] * 16, [1.0] * 16]), Colors(True))
    assert line == "\x1b[38;5;232m\x1b[48;5;255m" + "▀" * 16 + "\x1b[0m"


@pytest.mark.parametrize("dataset", ["digits", "mnist"])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_every_model_takes_its_images(dataset, model):
    images = IMAGES[dataset]
    x = images.normalized().batch(np.zeros((2, images.size, images.size)))
    assert x.shape == (2, 1, images.size, images.size)
    assert make_model(dataset, model)(x).shape == (2, 10)


def test_digits_are_normalized_as_measured():
    images = IMAGES["digits"]
    pixels = images.scaled().batch(Digits(train=True).images)
    assert pixels.mean() == pytest.approx(images.mean, abs=2e-4)
    assert pixels.std() == pytest.approx(images.std, abs=2e-4)

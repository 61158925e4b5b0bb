"""Text: alphabets, windows and lines; toy data beside it."""

import numpy as np
import pytest

from deepdive.core.random import Generator
from deepdive.datautils import (
    CharDataset,
    DataLoader,
    TextLines,
    Vocabulary,
    make_blobs,
    make_circles,
    make_moons,
    make_spirals,
)
from deepdive.errors import ArgumentError, DataError

VERSE = "so long lives this, and this gives life to thee – ∞"


def test_an_alphabet_there_and_back():
    letters = Vocabulary(VERSE)
    assert letters.characters == "".join(sorted(set(VERSE)))
    assert letters.decode(letters.encode(VERSE)) == VERSE
    assert letters.encode("").shape == (0,)
    with pytest.raises(DataError, match=r"character 'X' at 1 is not in the alphabet"):
        letters.encode("sXo")
    with pytest.raises(ArgumentError, match="no characters"):
        Vocabulary(["", ""])


@pytest.mark.parametrize(("context", "stride"), [(4, 1), (7, 3), (5, 5), (50, 1)])
def test_windows_and_what_follows(context, stride):
    data = CharDataset(VERSE, context, stride=stride)
    starts = [i for i in range(0, len(VERSE), stride) if i + context + 1 <= len(VERSE)]
    assert len(data) == len(starts)
    for index, start in enumerate(starts):
        x, y = data[index]
        assert data.vocabulary.decode(x) == VERSE[start : start + context]
        assert data.vocabulary.decode(y) == VERSE[start + 1 : start + context + 1]
    batch = next(iter(DataLoader(data, len(data))))
    assert batch[0].shape == batch[1].shape == (len(starts), context)
    with pytest.raises(IndexError):
        data[len(data)]


def test_a_text_too_short():
    with pytest.raises(ArgumentError, match="one that follows"):
        CharDataset("abc", 3)


def test_lines_of_a_file(tmp_path, shared):
    path = tmp_path / "names.txt"
    path.write_bytes("zoë\r\n\nada\n".encode())
    assert list(TextLines(path)) == ["zoë", "ada"]
    path.write_bytes(b"ad\xffa")
    with pytest.raises(DataError, match="not UTF-8\n  got: byte 255 at 2"):
        TextLines(path)
    with pytest.raises(DataError, match="cannot read"):
        TextLines(tmp_path / "absent")
    names = TextLines(shared("data/names") / "names.txt")
    assert (len(names), names[0]) == (32033, "emma")


@pytest.mark.parametrize(
    ("make", "classes"), [(make_moons, 2), (make_circles, 2), (make_spirals, 3), (make_blobs, 3)]
)
def test_toy_data(make, classes):
    data = make(100, generator=Generator(0))
    assert np.bincount(data.labels).tolist() in ([50, 50], [34, 33, 33])
    assert (np.diff(data.labels) != 0).sum() > 20  # in random order
    again = make(100, generator=Generator(0))
    assert np.array_equal(data.points, again.points)
    assert len(set(data.labels.tolist())) == classes
    with pytest.raises(ArgumentError):
        make(100, noise=-1)


def test_toy_data_without_noise_lies_where_it_should():
    moons = make_moons(60, 0)
    assert np.hypot(*moons.points[moons.labels == 0].T) == pytest.approx(np.ones(30), abs=1e-6)
    lower = moons.points[moons.labels == 1] - (1, 0.5)
    assert np.hypot(*lower.T) == pytest.approx(np.ones(30), abs=1e-6)
    assert (lower[:, 1] < 1e-6).all()
    circles = make_circles(60, 0, factor=0.3)
    radius = np.hypot(*circles.points.T)
    assert radius == pytest.approx(np.where(circles.labels == 0, 1, 0.3), abs=1e-6)
    spirals = make_spirals(60, 0, classes=2, turns=1)
    radius, angle = np.hypot(*spirals.points.T), np.arctan2(*spirals.points.T[::-1])
    turned = (angle / (2 * np.pi) - radius - spirals.labels / 2) % 1
    assert np.minimum(turned, 1 - turned).max() < 1e-5

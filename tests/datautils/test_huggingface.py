"""Real Hugging Face data sets: columns become arrays, whole batches at a time."""

import numpy as np
import pytest

from deepdive.core.random import Generator
from deepdive.datautils import DataLoader, HuggingFaceDataset, Scale
from deepdive.errors import ArgumentError, DataError

datasets = pytest.importorskip("datasets")
pytest.importorskip("PIL")

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures():
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)}
    )
    columns = {"image": list(IMAGES), "label": list(range(10))}
    return datasets.Dataset.from_dict(columns, features=features)


def test_images_and_labels_come_as_arrays(pictures):
    loader = DataLoader(pictures, batch_size=4)
    assert len(loader) == 3
    for _ in range(2):  # again and again
        batches = list(loader)
        assert [images.shape for images, _ in batches] == [(4, 28, 28), (4, 28, 28), (2, 28, 28)]
        np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), IMAGES)
        assert np.concatenate([b[1] for b in batches]).tolist() == list(range(10))
        assert batches[0][0].dtype == np.uint8
        assert batches[0][1].dtype == np.int64


@pytest.mark.parametrize("workers", [0, 2])
def test_shuffling_keeps_images_with_their_labels(pictures, workers):
    loader = DataLoader(pictures, 4, shuffle=True, num_workers=workers, generator=Generator(1))
    order = []
    for images, labels in loader:
        np.testing.assert_array_equal(images, IMAGES[labels])
        order += labels.tolist()
    assert order == Generator(1).fork(1).permutation(10).tolist()


def test_a_batch_is_one_fetch(pictures, monkeypatch):
    wrapped = HuggingFaceDataset(pictures)
    calls = []
    original = type(pictures).__getitem__
    monkeypatch.setattr(
        type(pictures), "__getitem__", lambda self, key: calls.append(key) or original(self, key)
    )
    list(DataLoader(wrapped, 5))
    assert calls == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_columns_keep_the_order_of_the_features():
    data = datasets.Dataset.from_dict(
        {"z": [[0.5, 1.5], [2.5, 3.5]], "a": [1, 2], "text": ["one", "two"]}
    )
    z, a, text = next(iter(DataLoader(data, 2)))
    assert z.tolist() == [[0.5, 1.5], [2.5, 3.5]]
    assert z.dtype == np.float32
    assert a.tolist() == [1, 2]
    assert list(text) == ["one", "two"]
    (only,) = next(iter(DataLoader(data.select_columns("a"), 2)))
    assert only.tolist() == [1, 2]
    (only,) = next(iter(DataLoader(data.with_format("torch", columns=["a"]), 2)))
    assert isinstance(only, np.ndarray)


def test_the_transform_takes_the_first_column(pictures):
    images, labels = next(iter(DataLoader(pictures, 3, transform=Scale(1 / 255))))
    np.testing.assert_allclose(images, IMAGES[:3] / 255, rtol=1e-6)
    assert labels.tolist() == [0, 1, 2]


def test_a_format_of_the_users_own_is_kept(pictures):
    def half(batch):
        return {
            "label": batch["label"],
            "image": np.stack([np.asarray(i)[::2, ::2] for i in batch["image"]]),
        }

    images, labels = next(iter(DataLoader(pictures.with_transform(half), 3)))
    np.testing.assert_array_equal(images, IMAGES[:3, ::2, ::2])
    assert labels == [0, 1, 2]


def test_collate_fn_gets_the_rows_as_dicts(pictures):
    batch = next(iter(DataLoader(pictures, 2, collate_fn=lambda rows: [r["label"] for r in rows])))
    assert batch == [0, 1]


def test_rows_of_different_shapes():
    data = datasets.Dataset.from_dict({"x": [[1], [1, 2]], "y": [0, 1]})
    with pytest.raises(DataError) as caught:
        next(iter(DataLoader(data, 2)))
    text = str(caught.value)
    assert "the rows of column 'x' differ in shape\n  got: (1,), (2,)" in text
    assert "dataset.map" in text


def test_splits_and_streams_are_explained(pictures):
    with pytest.raises(ArgumentError) as caught:
        DataLoader(datasets.DatasetDict({"train": pictures, "test": pictures}))
    assert "holds several splits\n  got: 'train', 'test'" in str(caught.value)
    assert "dataset['train']" in str(caught.value)


def test_streams_are_read_as_they_come(pictures):
    stream = pictures.to_iterable_dataset()
    for whole, streamed in zip(DataLoader(pictures, 4), DataLoader(stream, 4), strict=True):
        for expected, field in zip(whole, streamed, strict=True):
            np.testing.assert_array_equal(field, expected)
    shuffled = DataLoader(stream.shuffle(seed=0, buffer_size=5), 10, num_workers=2)
    first, second = (next(iter(shuffled)) for _ in range(2))
    assert first[1].tolist() != second[1].tolist()
    assert sorted(first[1].tolist()) == sorted(pictures["label"])

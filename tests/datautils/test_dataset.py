"""Data sets, samplers, splits and collation, by hand."""

from typing import NamedTuple

import numpy as np
import pytest

from deepdive.core.random import Generator, manual_seed
from deepdive.datautils import (
    ArrayDataset,
    BatchSampler,
    ConcatDataset,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)
from deepdive.errors import ArgumentError, DataError, ShapeError

X = np.arange(12.0).reshape(6, 2)
Y = np.arange(6)


def test_samples_slices_and_lists():
    data = ArrayDataset(X, Y, transform=lambda x: x + 1, target_transform=lambda y: -y)
    assert len(data) == 6
    x, y = data[2]
    assert (x.tolist(), int(y)) == ([5.0, 6.0], -2)
    for index in (slice(1, 3), [1, 2], np.array([1, 2])):
        xs, ys = data[index]
        np.testing.assert_array_equal(xs, X[1:3] + 1)
        assert ys.tolist() == [-1, -2]
    assert ArrayDataset([1, 2], [[1], [2]])[1][1].tolist() == [2]
    assert repr(ArrayDataset(X, Y)) == "ArrayDataset(float64[6, 2], int64[6])"


def test_array_dataset_errors():
    with pytest.raises(ShapeError, match="one length along the first axis") as caught:
        ArrayDataset(X, Y[:5])
    assert "(6, 2) and (5,)" in str(caught.value)
    with pytest.raises(ShapeError):
        ArrayDataset(np.float32(1))
    with pytest.raises(ArgumentError, match="at least one array"):
        ArrayDataset()
    with pytest.raises(ArgumentError, match="target_transform needs a second array"):
        ArrayDataset(X, target_transform=abs)


def test_a_data_set_must_define_its_methods():
    class Mine(Dataset):
        pass

    with pytest.raises(NotImplementedError, match="Mine must define __getitem__"):
        Mine()[0]
    with pytest.raises(NotImplementedError, match="Mine must define __len__"):
        len(Mine())
    with pytest.raises(NotImplementedError, match="Sampler must define __iter__"):
        iter(Sampler())


def test_tensor_dataset_makes_tensors_of_arrays():
    import deepdive as dd

    data = TensorDataset(dd.Tensor([[1.0], [2.0]]), np.array([3, 4]))
    assert [type(t) for t in data.tensors] == [dd.Tensor] * 2
    x, y = data[1]
    assert x.tolist() == [2.0]
    assert y.item() == 4


def test_subsets_and_sums():
    part = Subset(ArrayDataset(X, Y), [4, 0])
    assert [int(y) for _, y in (part[0], part[1])] == [4, 0]
    both = ArrayDataset(X, Y) + part
    assert isinstance(both, ConcatDataset)
    assert [int(both[i][1]) for i in range(len(both))] == [0, 1, 2, 3, 4, 5, 4, 0]
    assert int(both[-2][1]) == 4
    for index in (8, -9):
        with pytest.raises(IndexError, match="of 8"):
            both[index]
    with pytest.raises(ArgumentError, match="at least one data set"):
        ConcatDataset([])


def test_random_split():
    parts = random_split(range(100), [60, 40], generator=Generator(1))
    assert [len(part) for part in parts] == [60, 40]
    drawn = [part[i] for part in parts for i in range(len(part))]
    assert sorted(drawn) == list(range(100))
    assert drawn == Generator(1).permutation(100).tolist()
    assert [len(p) for p in random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    assert [len(p) for p in random_split(range(3), [1.0])] == [3]
    for lengths in ([60, 41], [0.5, 0.4], [-1, 101], [50.5, 49.5]):
        with pytest.raises(ArgumentError, match="the lengths must add up") as caught:
            random_split(range(100), lengths)
        assert f"{lengths} for 100 samples" in str(caught.value)


def test_samplers():
    assert list(SequentialSampler(X)) == list(range(6))
    assert len(SequentialSampler(X)) == 6
    manual_seed(4)
    sampler = RandomSampler(X)
    first, second = list(sampler), list(sampler)
    assert first == Generator(4).fork(1).permutation(6).tolist()
    assert second == Generator(4).fork(2).permutation(6).tolist()
    sampler.set_epoch(1)
    assert list(sampler) == first
    assert list(RandomSampler([])) == []


def test_random_sampler_of_other_sizes():
    few = list(RandomSampler(range(10), num_samples=4))
    assert len(set(few)) == 4
    many = list(RandomSampler(range(10), num_samples=25))
    assert [sorted(many[i : i + 10]) for i in (0, 10)] == [list(range(10))] * 2
    assert len(set(many[20:])) == 5
    assert many[:10] != many[10:20]
    drawn = list(RandomSampler(range(10), replacement=True, num_samples=1000))
    assert len(drawn) == 1000
    assert set(drawn) == set(range(10))
    assert list(RandomSampler(range(10), num_samples=0)) == []


def test_batch_sampler_takes_any_order():
    assert list(BatchSampler("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(BatchSampler("abcde", 2, drop_last=True)) == [["a", "b"], ["c", "d"]]
    assert [len(BatchSampler("abcde", 2, drop)) for drop in (False, True)] == [3, 2]
    endless = iter(BatchSampler(iter(int, 1), 3))
    assert next(endless) == [0, 0, 0]


class Pair(NamedTuple):
    x: np.ndarray
    y: int


def test_collate_by_type():
    assert default_collate([1, 2]).dtype == np.int64
    assert default_collate([1, 2.5]).dtype == np.float32
    assert default_collate([True, False]).dtype == np.bool_
    assert default_collate([np.float64(1), np.float64(2)]).dtype == np.float64
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([None, None]) == [None, None]
    pair = default_collate([Pair(X[0], 1), Pair(X[1], 2)])
    assert isinstance(pair, Pair)
    assert pair.x.shape == (2, 2)
    nested = default_collate([{"a": (1, [2.0])}, {"a": (3, [4.0])}])
    assert nested["a"][0].tolist() == [1, 3]
    assert nested["a"][1][0].tolist() == [2.0, 4.0]
    image = pytest.importorskip("PIL.Image").fromarray(np.full((4, 5), 7, np.uint8))
    assert default_collate([image, image]).shape == (2, 4, 5)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([], "a batch of no samples"),
        ([X[0], X], "samples of different shapes"),
        ([(1, 2), (1,)], "samples of different lengths"),
        ([{"a": 1}, {"b": 1}], "('a',) in sample 0 of the batch, ('b',) in sample 1"),
    ],
)
def test_collate_errors(samples, words):
    with pytest.raises(DataError) as caught:
        default_collate(samples)
    assert words in str(caught.value)

"""The loader: what it yields, in which order, with how many threads, and what it says."""

import gc
import os
import threading
import time

import numpy as np
import pytest

from deepdive.core.random import Generator, manual_seed
from deepdive.datautils import (
    ArrayDataset,
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    RandomSampler,
    RandomShift,
    Scale,
    Subset,
    sample_generator,
)
from deepdive.errors import ArgumentError, DataError

X = np.arange(40, dtype=np.float32).reshape(20, 2)
Y = np.arange(20)


class Squares(Dataset):
    """A data set of the user's own: sample by sample, with noise of its own."""

    def __init__(self, n=20, broken=None, pause=0.0):
        self.n, self.broken, self.pause = n, broken, pause

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        time.sleep(self.pause)
        if index == self.broken:
            raise KeyError("no such row")
        noise = sample_generator().uniform(3)
        return {"x": np.full(3, index**2) + noise, "name": f"s{index}", "y": index}


def fields(loader, position=1):
    return [np.asarray(batch[position]).tolist() for batch in loader]


def flat(batches):
    return [number for batch in batches for number in batch]


def loader_threads():
    return [t for t in threading.enumerate() if t.name.startswith("deepdive-loader")]


def wait_until_no_threads(seconds=5.0):
    end = time.monotonic() + seconds
    while loader_threads() and time.monotonic() < end:
        time.sleep(0.01)
    return not loader_threads()


# --- what comes out ----------------------------------------------------------------------------


def test_arrays_come_in_order_and_the_last_batch_may_be_smaller():
    loader = DataLoader(ArrayDataset(X, Y), batch_size=8)
    batches = list(loader)
    assert [type(b) for b in batches] == [tuple] * 3
    assert [b[0].shape for b in batches] == [(8, 2), (8, 2), (4, 2)]
    np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), X)
    assert np.concatenate([b[1] for b in batches]).tolist() == list(range(20))
    assert batches[0][0].dtype == np.float32
    assert len(loader) == 3
    assert len(DataLoader(ArrayDataset(X), 8, drop_last=True)) == 2
    assert [len(b[0]) for b in DataLoader(ArrayDataset(X), 8, drop_last=True)] == [8, 8]


def test_the_default_is_one_sample_a_batch_and_batchsize_is_an_alias():
    assert DataLoader(X).batch_size == 1
    assert DataLoader(X, batchsize=5).batch_size == 5
    assert len(DataLoader(X, 4, batchsize=4)) == 5
    assert next(iter(DataLoader(X))).shape == (1, 2)


def test_every_kind_of_source_is_fetched():
    class Holder:
        arrays = (X, Y)

        def __len__(self):
            return 20

    assert fields(DataLoader(Holder(), 15)) == [list(range(15)), list(range(15, 20))]
    assert [b.tolist() for b in DataLoader(Y, 15)] == fields(DataLoader(Holder(), 15))
    assert fields(DataLoader([(0.5, 3), (1.5, 4)], 2)) == [[3, 4]]
    assert fields(DataLoader([(0.5, 3), (1.5, 4)], 2), 0) == [[0.5, 1.5]]
    part = Subset(ArrayDataset(X, Y), [7, 3, 5])
    assert fields(DataLoader(part, 2)) == [[7, 3], [5]]
    both = ConcatDataset([ArrayDataset(X, Y), part])
    assert fields(DataLoader(both, 12)) == [list(range(12)), [*range(12, 20), 7, 3, 5]]


def test_dict_samples_give_dicts():
    batch = next(iter(DataLoader(Squares(), 4)))
    assert list(batch) == ["x", "name", "y"]
    assert batch["x"].shape == (4, 3)
    assert batch["name"] == ["s0", "s1", "s2", "s3"]
    assert batch["y"].tolist() == [0, 1, 2, 3]


def test_collate_fn_gets_the_samples():
    loader = DataLoader(ArrayDataset(X, Y), 3, collate_fn=lambda samples: samples)
    first = next(iter(loader))
    assert isinstance(first, list)
    assert [int(y) for _, y in first] == [0, 1, 2]


def test_transform_takes_the_features():
    data = ArrayDataset(X, Y)
    for transform in (Scale(0.5), lambda x: x * 0.5):
        batch = next(iter(DataLoader(data, 4, transform=transform)))
        np.testing.assert_array_equal(batch[0], X[:4] / 2)
        assert batch[1].tolist() == [0, 1, 2, 3]
    assert next(iter(DataLoader(Y, 4, transform=Scale(2)))).tolist() == [0, 2, 4, 6]
    assert next(iter(DataLoader(Squares(), 2, transform=Scale(0))))["x"].max() == 0


def test_a_subclass_with_samples_of_its_own_is_not_bypassed():
    class Negated(ArrayDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return -x, y

    np.testing.assert_array_equal(next(iter(DataLoader(Negated(X, Y), 3)))[0], -X[:3])


def test_tensors_give_tensors_that_track_nothing():
    import deepdive as dd

    x, y = dd.Tensor(X), dd.Tensor(Y)
    from deepdive.datautils import TensorDataset

    loader = DataLoader(TensorDataset(x, y), 8, shuffle=True, transform=Scale(2))
    seen = []
    for a, b in loader:
        assert isinstance(a, dd.Tensor)
        assert isinstance(b, dd.Tensor)
        assert not a.requires_grad
        np.testing.assert_array_equal(a.numpy(), 2 * X[b.numpy()])
        seen += b.tolist()
    assert sorted(seen) == list(range(20))
    samples = next(iter(DataLoader([(x.detach()[i], i) for i in range(3)], 3)))
    assert isinstance(samples[0], dd.Tensor)
    np.testing.assert_array_equal(samples[0].numpy(), X[:3])
    assert next(iter(DataLoader(x, 4))).shape == (4, 2)


# --- order and seeds ---------------------------------------------------------------------------


def test_shuffling_is_a_new_permutation_in_each_epoch():
    loader = DataLoader(ArrayDataset(X, Y), 20, shuffle=True, generator=Generator(5))
    first, second = fields(loader)[0], fields(loader)[0]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != list(range(20))
    assert first == Generator(5).fork(1).permutation(20).tolist()
    assert second == Generator(5).fork(2).permutation(20).tolist()


def test_the_default_generator_decides_and_a_training_can_resume():
    manual_seed(9)
    loader = DataLoader(ArrayDataset(X, Y), 6, shuffle=True)
    four = [fields(loader) for _ in range(4)]
    assert loader.epoch == 4
    resumed = DataLoader(ArrayDataset(X, Y), 6, shuffle=True)
    resumed.epoch = 2
    assert [fields(resumed), fields(resumed)] == four[2:]


def test_shuffle_and_get_batches_by_hand():
    by_hand = DataLoader(ArrayDataset(X, Y), 6, generator=Generator(5))
    assert fields(by_hand.get_batches()) == fields(by_hand)
    first = fields(by_hand.shuffle().get_batches())
    assert sorted(flat(first)) == list(range(20)) != flat(first)
    assert fields(by_hand.get_batches()) == first
    automatic = DataLoader(ArrayDataset(X, Y), 6, shuffle=True, generator=Generator(5))
    automatic.epoch = by_hand.epoch - 1
    assert fields(automatic) == first


def test_samplers_decide_the_order():
    data = ArrayDataset(X, Y)
    assert fields(DataLoader(data, 2, sampler=[3, 1, 2])) == [[3, 1], [2]]
    assert fields(DataLoader(data, batch_sampler=[[3], [1, 2]])) == [[3], [1, 2]]
    assert len(DataLoader(data, batch_sampler=[[3], [1, 2]])) == 2
    assert fields(DataLoader(data, batch_sampler=[])) == []
    drawn = RandomSampler(data, replacement=True, num_samples=50, generator=Generator(1))
    loader = DataLoader(data, 50, sampler=drawn)
    assert len(fields(loader)[0]) == 50
    loader.epoch = 0
    again = fields(loader)
    assert fields(loader) != again
    nested = BatchSampler(RandomSampler(data, generator=Generator(1)), 7)
    assert sorted(flat(fields(DataLoader(data, batch_sampler=nested)))) == list(range(20))


IMAGES = np.arange(1, 20 * 36 + 1).reshape(20, 6, 6)


def shifted(workers, seed=3, cut=7):
    loader = DataLoader(
        ArrayDataset(IMAGES, Y, transform=RandomShift(2)),
        cut,
        shuffle=True,
        num_workers=workers,
        generator=Generator(seed),
    )
    loader.epoch = 1
    found = {}
    for images, labels in loader:
        found.update(zip(labels.tolist(), images.tolist(), strict=True))
    return found


def test_random_transforms_depend_on_seed_epoch_and_index_alone():
    reference = shifted(0)
    assert shifted(0, cut=3) == reference  # not on the batch they are in
    assert shifted(3, cut=4) == reference
    assert shifted(0, seed=4) != reference
    g = Generator(3).fork(2, 11)
    top, left = divmod(int(g.integers(0, 25)), 5)
    padded = np.pad(IMAGES[11], 2)
    assert reference[11] == padded[top : top + 6, left : left + 6].tolist()


def test_a_users_own_data_set_has_the_generator_of_the_sample():
    loader = DataLoader(Squares(), 20, generator=Generator(1))
    x = next(iter(loader))["x"]
    np.testing.assert_array_equal(x[13], np.full(3, 169) + Generator(1).fork(1, 13).uniform(3))
    assert not np.array_equal(next(iter(loader))["x"], x)  # another epoch, other noise


def test_a_sample_made_of_many_others_draws_from_one_generator():
    frames = ArrayDataset(IMAGES, transform=RandomShift(1))

    class Clips(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return frames[index : index + 8][0]  # longer than the batch

    clips = next(iter(DataLoader(Clips(), 2, generator=Generator(1))))
    assert clips.shape == (2, 8, 6, 6)
    g = Generator(1).fork(1, 1)
    for image, found in zip(IMAGES[1:9], clips[1], strict=True):
        top, left = divmod(int(g.integers(0, 9)), 3)
        np.testing.assert_array_equal(found, np.pad(image, 1)[top : top + 6, left : left + 6])


def test_features_and_labels_of_one_sample_draw_one_after_the_other():
    def noise(_):
        return sample_generator().uniform(2)

    data = ArrayDataset(X, Y, transform=noise, target_transform=noise)
    at_once = next(iter(DataLoader(data, 4, generator=Generator(1))))
    singly = next(iter(DataLoader(data, 4, generator=Generator(1), collate_fn=list)))
    g = Generator(1).fork(1, 2)
    np.testing.assert_array_equal(at_once[0][2], g.uniform(2))
    np.testing.assert_array_equal(at_once[1][2], g.uniform(2))
    np.testing.assert_array_equal(at_once[1][2], singly[2][1])


# --- threads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [Squares, lambda: ArrayDataset(IMAGES, Y, transform=RandomShift(2))]
)
def test_batches_do_not_depend_on_the_number_of_workers(make):
    def run(workers):
        loader = DataLoader(make(), 3, shuffle=True, num_workers=workers, generator=Generator(2))
        batches = [batch for _ in range(2) for batch in loader]
        parts = [list(b.values()) if isinstance(b, dict) else list(b) for b in batches]
        return [[np.asarray(part).tolist() for part in batch] for batch in parts]

    reference = run(0)
    assert len(reference) == 14
    assert run(2) == reference
    assert run(4) == reference
    assert wait_until_no_threads()


def test_workers_fetch_at_the_same_time():
    started = time.perf_counter()
    list(DataLoader(Squares(pause=0.05), 2, num_workers=10))
    assert time.perf_counter() - started < 0.7  # 1 s one after the other


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_arrive_in_the_main_thread_with_the_index(workers):
    loader = DataLoader(Squares(broken=13), 4, num_workers=workers)
    seen = []
    with pytest.raises(KeyError, match="no such row") as caught:
        for batch in loader:
            seen += batch["y"].tolist()
    assert seen == list(range(12))
    notes = "\n".join(caught.value.__notes__)
    assert "DataLoader: sample 13 of Squares" in notes
    assert "the batch of samples 12, 13, 14, 15" in notes
    assert wait_until_no_threads()


def test_threads_end_when_the_iteration_is_abandoned():
    batches = iter(DataLoader(Squares(1000, pause=0.001), 2, num_workers=3))
    next(batches)
    assert len(loader_threads()) == 3
    del batches
    gc.collect()
    assert wait_until_no_threads()
    for batch in DataLoader(Squares(1000), 2, num_workers=3):
        if batch["y"][0] == 10:
            break
    assert wait_until_no_threads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_without_the_threads():
    batches = iter(DataLoader(ArrayDataset(X, Y), 3, num_workers=2))
    head = [next(batches)[1].tolist()]
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            rest = flat(fields(batches))
            fresh = flat(fields(DataLoader(ArrayDataset(X, Y), 3, num_workers=2)))
            os.write(write, bytes([*rest, 255, *fresh]))
        finally:
            os._exit(0)
    os.close(write)
    deadline = time.monotonic() + 20
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    with os.fdopen(read, "rb") as answer:
        assert answer.read() == bytes([*range(3, 20), 255, *range(20)])
    assert head + fields(batches) == fields(DataLoader(ArrayDataset(X, Y), 3))


def test_arrays_are_not_fetched_row_by_row():
    class Counting(ArrayDataset):
        fetched = 0

        def _gather(self, indices):
            Counting.fetched += 1
            return super()._gather(indices)

    list(DataLoader(Counting(X, Y), 10))
    assert Counting.fetched == 2


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DataLoader(X, 0), "batch size must be a whole number of at least 1"),
        (lambda: DataLoader(X, 2.5), "got: 2.5"),
        (lambda: DataLoader(X, 2, batchsize=3), "batch_size and batchsize are one"),
        (lambda: DataLoader(X, sampler=[1], shuffle=True), "leave shuffle out"),
        (lambda: DataLoader(X, 2, batch_sampler=[[1]]), "batch_sampler replaces"),
        (lambda: DataLoader(X, sampler=[1]).shuffle(), "shuffle() cannot"),
        (lambda: DataLoader(X, num_workers=-1), "num_workers must be >= 0"),
        (lambda: DataLoader(X, prefetch_factor=0), "prefetch_factor >= 1"),
        (lambda: DataLoader(iter([1])), "__getitem__ and __len__"),
        (lambda: RandomSampler(X, num_samples=-1), "num_samples must be >= 0"),
    ],
)
def test_wrong_arguments(make, words):
    with pytest.raises(ArgumentError) as caught:
        make()
    assert words in str(caught.value)


def test_samples_of_different_shapes():
    with pytest.raises(DataError) as caught:
        next(iter(DataLoader([np.zeros(3), np.zeros(4)], 2)))
    text = str(caught.value)
    assert "(3,) in sample 0 of the batch, (4,) in sample 1" in text
    assert "in DataLoader: the batch of samples 0, 1" in text
    assert "collate_fn=" in text

"""What travels from a worker process: arrays through shared memory, the rest as it is."""

import os
from collections import OrderedDict, defaultdict, namedtuple
from pathlib import Path

import numpy as np
import pytest

from deepdive import tensor
from deepdive.datautils import Dataset, processes
from deepdive.datautils.loader import DataLoader
from deepdive.datautils.processes import Place, unpacked

Pair = namedtuple("Pair", "left right")


def sent(batch, monkeypatch):
    """The parcel that a worker would send; here the worker is this process."""
    monkeypatch.setattr(processes, "_fetch", lambda: batch)
    return processes._work()


def blocks():
    return {name for name in os.listdir("/dev/shm") if name.startswith("psm_")}


def test_a_batch_of_everything_is_the_same_afterwards(monkeypatch):
    tracked = tensor([1.0, 2.0])
    tracked.requires_grad_()
    record = np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])
    batch = {
        "pair": Pair(np.arange(6.0).reshape(2, 3).T, [np.array(7), np.zeros((0, 3))]),
        "kinds": (
            np.array([True]),
            np.array(["äb", "c"]),
            record,
            np.array(["2026-01-01"], "M8[D]"),
        ),
        "objects": np.array([{"a": 1}, None], dtype=object),
        "masked": np.ma.array([1, 2], mask=[True, False]),
        "tensor": tracked,
        "ordered": OrderedDict(x=tensor([1])),
        "counts": defaultdict(list, x=[np.ones(3, np.float16)]),
        "text": "as it is",
    }
    parcel = sent(batch, monkeypatch)
    assert isinstance(parcel.rest["pair"].left, Place)
    back = unpacked(parcel)
    assert type(back["pair"]) is Pair
    np.testing.assert_array_equal(back["pair"].left, batch["pair"].left)
    assert back["pair"].right[0].shape == ()
    assert back["pair"].right[0] == 7
    assert back["pair"].right[1].shape == (0, 3)
    for got, expected in zip(back["kinds"], batch["kinds"], strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)
    assert back["objects"].tolist() == [{"a": 1}, None]
    assert back["masked"].mask.tolist() == [True, False]
    assert back["tensor"].requires_grad
    assert back["tensor"].tolist() == [1.0, 2.0]
    assert type(back["ordered"]) is OrderedDict
    assert back["ordered"]["x"].tolist() == [1]
    assert type(back["counts"]) is defaultdict
    assert back["counts"]["none"] == []
    assert back["counts"]["x"][0].dtype == np.float16
    assert back["text"] == "as it is"
    back["pair"].left[...] = 0  # memory of its own
    back["tensor"].detach().fill_(3.0)
    assert batch["pair"].left[1, 1] == 4


def test_nothing_to_share_needs_no_memory(monkeypatch):
    for batch in ({"names": ["a"]}, [np.zeros((0, 2))], 3, ()):
        parcel = sent(batch, monkeypatch)
        assert parcel.memory is None
        assert str(unpacked(parcel)) == str(batch)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is no folder here")
def test_what_cannot_be_sent_leaves_no_memory_behind(monkeypatch):
    before = blocks()
    with pytest.raises(Exception, match="lambda"):
        sent([np.zeros(1000), lambda: 0], monkeypatch)
    assert blocks() == before
    parcel = sent([np.zeros(1000)], monkeypatch)
    assert len(blocks() - before) == 1
    unpacked(parcel)
    assert blocks() == before


class Numbers(Dataset):
    def __len__(self):
        return 40

    def __getitem__(self, index):
        return np.full(3, index)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_needs_nothing_to_be_sent():
    data = Numbers()
    data.unsendable = lambda: 0
    options = {"num_workers": 2, "multiprocessing_context": "fork"}
    got = list(DataLoader(data, 1, **options))
    assert [int(x[0, 0]) for x in got] == list(range(40))

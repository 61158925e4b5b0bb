"""Worker processes and streams: the same batches, whoever fetches them and in what kind of set."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepdive import tensor
from deepdive.core.random import Generator
from deepdive.datautils import (
    ArrayDataset,
    Compose,
    DataLoader,
    Dataset,
    IterableDataset,
    Lambda,
    RandomErasing,
    RandomHorizontalFlip,
    ShuffleBuffer,
)
from deepdive.errors import ArgumentError, DataError

IMAGES = np.random.default_rng(0).random((13, 6, 6)).astype(np.float32)


class Mixed(Dataset):
    """Samples of every kind: arrays, Tensors, texts, numbers; and one that fails if asked for."""

    def __init__(self, broken=None):
        self.broken = broken

    def __len__(self):
        return 7

    def __getitem__(self, index):
        if index == self.broken:
            raise DataError("no such page", got=index)
        return {"x": IMAGES[index], "t": tensor(IMAGES[index]), "name": f"n{index}", "y": index}


def mark(worker):
    os.environ["DEEPDIVE_TEST_WORKER"] = f"worker {worker}"


def whoami(image):
    return np.array([os.getpid(), os.environ.get("DEEPDIVE_TEST_WORKER", "") != ""])


def flat(batches):
    return [tuple(np.asarray(field).tobytes() for field in batch) for batch in batches]


@pytest.fixture(scope="module")
def augmented():
    """Two epochs of changed images, by the process itself."""
    return [flat(epoch) for epoch in epochs()]


def epochs(**options):
    change = Compose(RandomErasing(0.7), RandomHorizontalFlip())
    data = ArrayDataset(IMAGES, np.arange(13), transform=change)
    loader = DataLoader(data, 4, shuffle=True, generator=Generator(2), **options)
    return [list(loader) for _ in range(2)]


def test_processes_and_threads_give_the_same_batches(augmented):
    by_process = epochs(num_workers=2, multiprocessing_context="spawn")
    assert [flat(epoch) for epoch in by_process] == augmented
    assert [flat(epoch) for epoch in epochs(num_workers=3)] == augmented
    by_process[0][0][0][...] = 7  # memory of its own, to be written to


def test_batches_of_every_kind_come_back_and_errors_too():
    loader = DataLoader(Mixed(), 3, num_workers=1, multiprocessing_context="spawn")
    for batch, expected in zip(loader, DataLoader(Mixed(), 3), strict=True):
        assert batch.keys() == expected.keys()
        assert batch["name"] == expected["name"]
        assert batch["y"].tolist() == expected["y"].tolist()
        assert np.array_equal(batch["t"].numpy(), expected["t"].numpy())
    loader = DataLoader(Mixed(4), 3, num_workers=1, multiprocessing_context="spawn")
    batches = iter(loader)
    assert next(batches)["y"].tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="no such page") as caught:
        next(batches)
    assert "sample 4 of Mixed" in str(caught.value)
    next(iter(loader))  # half an epoch is given up, and nothing is left in shared memory
    del batches, loader


def test_worker_init_fn_runs_in_each_process():
    data = ArrayDataset(IMAGES, transform=Lambda(whoami))
    options = {"num_workers": 1, "multiprocessing_context": "spawn", "worker_init_fn": mark}
    (seen,) = next(iter(DataLoader(data, 2, **options)))
    assert (seen[:, 0] != os.getpid()).all()
    assert seen[:, 1].all()
    assert "DEEPDIVE_TEST_WORKER" not in os.environ


def test_what_cannot_be_sent_is_explained():
    data = ArrayDataset(IMAGES, transform=Lambda(lambda x: x))
    with pytest.raises(ArgumentError, match="cannot be sent to other processes"):
        next(iter(DataLoader(data, 2, num_workers=1, multiprocessing_context="spawn")))
    with pytest.raises(ArgumentError, match="unknown multiprocessing_context"):
        next(iter(DataLoader(IMAGES, 2, num_workers=1, multiprocessing_context="threads")))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is no folder here")
def test_a_script_leaves_no_shared_memory_and_no_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from deepdive.datautils import DataLoader\n"
        "if __name__ == '__main__':\n"
        "    data = np.arange(4000.0).reshape(40, 100)\n"
        "    loader = DataLoader(data, 4, num_workers=2, multiprocessing_context='spawn')\n"
        "    print(sum(x.sum() for x in loader))\n"
        "    next(iter(loader))\n"
    )
    before = set(os.listdir("/dev/shm"))
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert float(result.stdout) == 4000 * 3999 / 2
    ours = {name for name in os.listdir("/dev/shm") if name.startswith("psm_")}
    assert not ours - before


class Counting(IterableDataset):
    """0, 1, 2, … up to `n`."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


class Known(Counting):
    def __len__(self):
        return self.n


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_is_cut_into_batches(workers):
    loader = DataLoader(Counting(8), 3, num_workers=workers)
    for _ in range(2):
        assert [batch.tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    dropped = DataLoader(Known(8), 3, drop_last=True, num_workers=workers)
    assert [batch.tolist() for batch in dropped] == [[0, 1, 2], [3, 4, 5]]
    assert len(dropped) == 2
    assert len(DataLoader(Known(8), 3)) == 3
    with pytest.raises(TypeError):
        len(loader)
    assert [batch.tolist() for batch in loader.from_batch(2)] == [[6, 7]]
    squares = DataLoader(Counting(3), 2, transform=lambda x: x * x, num_workers=workers)
    assert [batch.tolist() for batch in squares] == [[0, 1], [4]]


def test_a_stream_shuffled_in_a_buffer():
    stream = ShuffleBuffer(Counting(50), 10, Generator(0))
    first, second = list(stream), list(stream)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert max(place - sample for place, sample in enumerate(first)) < 50
    assert all(sample - place < 10 for place, sample in enumerate(first))  # none before its time
    loader = DataLoader(ShuffleBuffer(Counting(50), 10, Generator(0)), 50)
    assert [next(iter(loader)).tolist() for _ in range(2)] == [first, second]
    loader.epoch = 0
    assert next(iter(loader)).tolist() == first
    with pytest.raises(ArgumentError, match="a stream has its own order"):
        DataLoader(Counting(5), shuffle=True)
    with pytest.raises(ArgumentError, match="at least one"):
        ShuffleBuffer(Counting(5), 0)


def test_random_changes_in_a_stream_are_seeded():
    stream = [(image, 0) for image in IMAGES]
    change = RandomErasing(0.7)
    kinds = [
        DataLoader(iter_of(stream), 4, transform=change, num_workers=n, generator=Generator(1))
        for n in (0, 2)
    ]
    one, other = (flat(loader) for loader in kinds)
    assert one == other
    assert flat(kinds[0]) != one  # the next epoch


def iter_of(samples):
    class Listed(IterableDataset):
        def __iter__(self):
            return iter(samples)

    return Listed()

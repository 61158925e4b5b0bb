"""A saved folder is of one save, also after the saving process was killed at any point."""

import errno
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import folder as folders
from deepdive.io.checkpoint import Saved, load_folder, save_folder

ARC = "Sequential\n    Linear(2, 1)\n"


def save(folder, number):
    """A save in which every file tells which one it is."""
    weights = {"w": np.full((50, 50), number, "float32")}
    save_folder(folder, f"Layer({number})\n", weights, {"number": number})


def number_of(saved):
    """The number of a save, all parts of which must agree."""
    number = saved.extra["number"]
    assert saved.arc_text == f"Layer({number})\n"
    assert (saved.weights["w"] == number).all()
    return number


def test_save_and_load(tmp_path):
    folder = tmp_path / "runs" / "one"
    weights = {"0.weight": np.ones((1, 2), "float32"), "0.bias": np.zeros(1)}
    save_folder(folder, ARC, weights, {"epoch": 3, "best": float("inf"), "lr": [0.1]})
    assert sorted(os.listdir(folder)) == ["model.arc", "state.json", "weights.safetensors"]
    assert (folder / "model.arc").read_text() == ARC
    found = load_folder(folder)
    assert isinstance(found, Saved)
    assert found.arc_text == ARC
    assert found.extra == {"epoch": 3, "best": float("inf"), "lr": [0.1]}
    assert sorted(found.weights) == ["0.bias", "0.weight"]
    np.testing.assert_array_equal(found.weights["0.weight"], weights["0.weight"])


def test_pytorch_tools_find_what_they_look_for(tmp_path):
    real = pytest.importorskip("safetensors")
    save_folder(tmp_path, None, {"w": np.ones(2)})
    with real.safe_open(tmp_path / "weights.safetensors", "np") as file:
        assert file.metadata() == {"format": "pt"}


def test_the_architecture_stays_and_the_state_goes_when_weights_alone_are_saved(tmp_path):
    save_folder(tmp_path, ARC, {"w": np.zeros(1)}, {"epoch": 1})
    (tmp_path / "notes.txt").write_text("mine")
    save_folder(tmp_path, None, {"w": np.ones(1)})
    assert sorted(os.listdir(tmp_path)) == ["model.arc", "notes.txt", "weights.safetensors"]
    found = load_folder(tmp_path)
    assert (found.arc_text, found.weights, found.extra) == (ARC, {"w": np.ones(1)}, None)


def test_an_architecture_edited_by_hand_is_read(tmp_path):
    save_folder(tmp_path, ARC, {"w": np.zeros(1)})
    (tmp_path / "model.arc").write_text("# mine\n" + ARC)
    assert load_folder(tmp_path).arc_text == "# mine\n" + ARC


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_killed_before_any_step(tmp_path):
    """A process dies before its 1st, 2nd, ... call that changes the disk, until none is left."""
    script = tmp_path / "saves.py"
    script.write_text(KILLED)
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # a fork wants one thread
    ran = subprocess.run(
        [sys.executable, script, tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    deaths = int(ran.stdout)
    assert deaths >= 12  # 3 files: 3 × (open, rename), 2 for the list, 3 × rename, remove
    outcomes = []
    for fatal in range(deaths + 1):
        folder = tmp_path / str(fatal)
        outcomes.append(number_of(load_folder(folder)))
        save(folder, 3)
        assert number_of(load_folder(folder)) == 3
        assert not [name for name in os.listdir(folder) if name.endswith((".next", ".save"))]
    assert outcomes == sorted(outcomes)  # the old save up to one step, the new one from there on
    assert set(outcomes) == {1, 2}


KILLED = """
import os, sys
import numpy as np
from deepdive.io.checkpoint import save_folder

def save(folder, number):
    weights = {"w": np.full((50, 50), number, "float32")}
    save_folder(folder, f"Layer({number})\\n", weights, {"number": number})

def die_before(fatal):
    calls = -1

    def count(event, arguments):
        nonlocal calls
        opens = event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "wxa"
        if opens or event in ("os.rename", "os.remove", "os.chmod", "os.mkdir"):
            calls += 1
            if calls == fatal:
                os._exit(1)  # no `finally`, no buffer written

    sys.addaudithook(count)

fatal, status = 0, 1
while status:
    folder = os.path.join(sys.argv[1], str(fatal))
    save(folder, 1)
    child = os.fork()
    if child == 0:
        die_before(fatal)
        save(folder, 2)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    fatal += 1
print(fatal - 1)
"""


def test_readers_beside_a_writer_see_one_save(tmp_path):
    save(tmp_path, 0)
    code = """if True:
        import sys
        import numpy as np
        from deepdive.io.checkpoint import save_folder
        for number in range(1, 60):
            weights = {"w": np.full((50, 50), number, "float32")}
            save_folder(sys.argv[1], f"Layer({number})\\n", weights, {"number": number})
    """
    seen = [0]
    with subprocess.Popen([sys.executable, "-c", code, tmp_path]) as writer:
        while writer.poll() is None:
            seen.append(number_of(load_folder(tmp_path)))
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    assert number_of(load_folder(tmp_path)) == 59


def test_a_failed_save_leaves_the_old_one_and_no_litter(tmp_path):
    save(tmp_path, 1)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ValueError, match="bad piece"):
        folders.write_folder(tmp_path, {"model.arc": [b"Layer(2)"], "state.json": bad_pieces()})
    assert sorted(os.listdir(tmp_path)) == before
    assert number_of(load_folder(tmp_path)) == 1


@pytest.mark.parametrize("full_at", range(4))
def test_a_disk_that_is_full_at_any_file(tmp_path, monkeypatch, full_at):
    save(tmp_path, 1)
    before = sorted(os.listdir(tmp_path))
    written, real = [], os.fsync

    def fsync(handle):
        if stat.S_ISREG(os.fstat(handle).st_mode):
            written.append(handle)
            if len(written) == full_at + 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CheckpointError, match="No space left"):
        save(tmp_path, 2)
    assert sorted(os.listdir(tmp_path)) == before
    assert number_of(load_folder(tmp_path)) == 1


def bad_pieces():
    yield b"{"
    raise ValueError("bad piece")


def test_what_cannot_be_replaced_is_found_out_before_anything_moves(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "model.arc").unlink()
    (tmp_path / "model.arc").mkdir()
    with pytest.raises(CheckpointError, match="it is a folder"):
        save(tmp_path, 2)
    (tmp_path / "model.arc").rmdir()
    found = load_folder(tmp_path)
    assert (found.extra, found.arc_text) == ({"number": 1}, None)


def test_the_list_cannot_lead_out_of_the_folder(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "model"
    for hostile in ("drop ../victim\n", "put a/b\n", "drop ..\n", "rm victim\n", "put \n"):
        save(folder, 1)
        (folder / ".save").write_text(hostile)
        for use in (load_folder, lambda folder: save(folder, 2)):
            with pytest.raises(CheckpointError, match=r"(?s)is damaged.*delete it"):
                use(folder)
        (folder / ".save").unlink()
    assert victim.read_text() == "precious"


def test_folders_that_hold_no_model(tmp_path):
    with pytest.raises(CheckpointError, match="no such folder"):
        load_folder(tmp_path / "absent")
    with pytest.raises(CheckpointError, match=r"no weights\.safetensors in"):
        load_folder(tmp_path)
    (tmp_path / "a file").write_text("")
    with pytest.raises(CheckpointError, match="cannot write"):
        save(tmp_path / "a file", 1)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\xff"])
def test_damaged_state(tmp_path, text):
    save(tmp_path, 1)
    (tmp_path / "state.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"state\.json is not"):
        load_folder(tmp_path)


def test_state_that_json_would_change_or_refuse(tmp_path):
    endless = {}
    endless["itself"] = endless
    for extra, words in (
        ({"slots": [{0: 1}]}, r"keys must be strings\n  got: 0"),
        ({"a": np.zeros(1)}, "not JSON serializable"),
        (endless, "Circular"),
    ):
        with pytest.raises(ArgumentError, match=words):
            save_folder(tmp_path, None, {}, extra)
    assert os.listdir(tmp_path) == []

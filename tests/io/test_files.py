"""Files are the old ones or the new ones, whatever interrupts the writer."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from deepdive.errors import CheckpointError, DataError
from deepdive.io import files


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "model.arc"
    path.write_bytes(b"old")
    return path


def listing(folder):
    return sorted(os.listdir(folder))


def python(code, *arguments, **options):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **options)


def test_write_and_read(tmp_path):
    path = tmp_path / "a"
    files.write_text(path, "Größe\n")
    assert path.read_bytes() == b"Gr\xc3\xb6\xc3\x9fe\n"
    assert files.read_text(path) == "Größe\n"
    files.write_bytes(str(path), b"\0\1")
    assert files.read_bytes(path) == b"\0\1"
    assert listing(tmp_path) == ["a"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_the_old_file_and_no_litter(old, failure):
    with pytest.raises(failure):
        with files.replacing(old) as file:
            file.write(b"new, but")
            raise failure
    assert old.read_bytes() == b"old"
    assert listing(old.parent) == ["model.arc"]


def test_a_full_disk(old, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError) as caught:
        files.write_bytes(old, b"new")
    assert f"cannot write {old}: No space left on device" in str(caught.value)
    assert "free some space and save again" in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert old.read_bytes() == b"old"
    assert listing(old.parent) == ["model.arc"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are POSIX")
def test_a_real_limit_on_the_size_of_files(old):
    code = """if True:
        import resource, sys
        from deepdive.io import files
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            files.write_bytes(sys.argv[1], bytes(1_000_000))
        except files.CheckpointError as error:
            print(error)
    """
    text, _ = python(code, old, stdout=subprocess.PIPE, text=True).communicate(timeout=60)
    assert "File too large" in text
    assert "fix: the system, or a limit (ulimit -f), allows no file this large" in text
    assert old.read_bytes() == b"old"
    assert listing(old.parent) == ["model.arc"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_writer_leaves_the_old_file(old):
    code = """if True:
        import sys
        from deepdive.io import files
        with files.replacing(sys.argv[1]) as file:
            file.write(b"half of it")
            file.flush()
            print("ready", flush=True)
            sys.stdin.read()
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with python(code, old, **pipes) as writer:
        assert writer.stdout.readline().strip() == b"ready"
        writer.send_signal(signal.SIGKILL)
    assert old.read_bytes() == b"old"

    (leftover,) = set(listing(old.parent)) - {"model.arc"}
    files.write_bytes(old, b"new")
    assert listing(old.parent) == [leftover, "model.arc"]  # it might be somebody's, at work
    an_hour_ago = time.time() - files.LEFTOVER_AGE - 1
    os.utime(old.parent / leftover, (an_hour_ago, an_hour_ago))
    files.write_bytes(old, b"newer")
    assert listing(old.parent) == ["model.arc"]


def test_readers_never_see_half_a_file(tmp_path):
    path = tmp_path / "a"
    code = """if True:
        import sys
        from deepdive.io import files
        for turn in range(150):
            files.write_bytes(sys.argv[1], b"%03d" % turn * 50_000)
    """
    files.write_bytes(path, b"000" * 50_000)
    seen = set()
    with python(code, path) as writer:
        while writer.poll() is None:
            data = files.read_bytes(path)
            assert data == data[:3] * 50_000
            seen.add(data[:3])
    assert writer.returncode == 0
    assert files.read_bytes(path)[:3] == b"149"
    assert len(seen) > 1


def test_missing_folder(tmp_path):
    with pytest.raises(CheckpointError) as caught:
        files.write_bytes(tmp_path / "no" / "a", b"")
    assert "No such file or directory" in str(caught.value)
    assert f"fix: make the folder first: os.makedirs('{tmp_path / 'no'}')" in str(caught.value)


def test_a_file_where_a_folder_should_be(old):
    with pytest.raises(CheckpointError, match="Not a directory"):
        files.write_bytes(old / "a", b"")


def test_a_folder_where_a_file_should_be(tmp_path):
    with pytest.raises(CheckpointError, match="it is a folder"):
        files.write_bytes(tmp_path, b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_devices_and_pipes_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="not a regular file"):
        files.write_bytes(tmp_path / "pipe", b"")
    with pytest.raises(CheckpointError, match="not a regular file"):
        files.write_bytes(os.devnull, b"")
    with pytest.raises(CheckpointError, match="not a regular file"):
        files.read_bytes(os.devnull)


def test_read_only_files_stay(old, monkeypatch):
    old.chmod(0o444)
    if os.access(old, os.W_OK):  # an administrator may write everywhere
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(CheckpointError, match="the file is read-only"):
        files.write_bytes(old, b"new")
    assert old.read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="rights are POSIX")
def test_rights_are_kept_and_new_files_follow_the_umask(old):
    old.chmod(0o640)
    files.write_bytes(old, b"new")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        files.write_bytes(old.parent / "fresh", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((old.parent / "fresh").stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_stay_links(old):
    link = old.parent / "link"
    link.symlink_to(old)
    files.write_bytes(link, b"new")
    assert link.is_symlink()
    assert old.read_bytes() == b"new"


def test_reading_says_what_is_wrong(tmp_path):
    with pytest.raises(CheckpointError, match=r"(?s)No such file.*fix: check the name"):
        files.read_bytes(tmp_path / "absent")
    with pytest.raises(DataError, match="cannot read"):
        files.read_bytes(tmp_path / "absent", error=DataError)
    (tmp_path / "latin").write_bytes(b"ab\xe4")
    with pytest.raises(CheckpointError, match=r"not UTF-8\n  got: byte 228 at 2"):
        files.read_text(tmp_path / "latin")
    assert files.read_bytes(tmp_path / "latin", limit=3) == b"ab\xe4"
    with pytest.raises(CheckpointError, match=r"(?s)too large.*at most 2 bytes"):
        files.read_bytes(tmp_path / "latin", limit=2)


def test_errors_about_other_files_pass_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError):
        with files.replacing(tmp_path / "a"):
            os.listdir("/somewhere/else")
    assert listing(tmp_path) == []

"""Every command as a process of its own: what it prints, writes and returns, and how it fails."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from deepdive import __version__, nn
from deepdive.cli import main
from deepdive.cli.arguments import program
from deepdive.cli.blas import Blas
from deepdive.cli.info import misjudged
from deepdive.datautils import Digits, write_idx


def fails(result, code, *words):
    """One clear line on stderr, nothing on stdout, no traceback."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("deepdive")
    for word in words:
        assert word in result.stderr


def accuracy_in(text):
    return [float(share) for share in re.findall(r"test accuracy ([\d.]+) %", text)]


# --- demo ----------------------------------------------------------------------------------------


def test_demo_without_a_terminal(deepdive, tmp_path):
    result = deepdive("demo")
    assert result.returncode == 0, result.stderr
    assert accuracy_in(result.stdout)[-1] >= 96
    assert "the same predictions" in result.stdout
    assert "epoch 5/12: loss" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr
    assert "img/s" in result.stderr
    folder = tmp_path / "runs" / "demo"
    assert {path.name for path in folder.iterdir()} == {
        *("model.arc", "weights.safetensors", "state.json"),
        *("graph.svg", "curves.svg"),
    }
    assert "Conv2d(1, 16, 3, padding=1)" in (folder / "model.arc").read_text("utf-8")
    graph = (folder / "graph.svg").read_text("utf-8")
    assert "<svg" in graph and ">loss<" in graph and ">8.weight<" in graph

    test = Digits(train=False)
    x = ((test.images / 16 - 0.3058) / 0.3762)[:, None].astype("float32")
    right = nn.load_from_arc(folder).eval()(x).numpy().argmax(1) == test.labels
    assert json.loads((folder / "state.json").read_text())["accuracy"] == right.mean()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize("color", [True, False])
def test_demo_in_a_terminal(tmp_path, color, environment):
    pexpect = pytest.importorskip("pexpect")
    extra = {"TERM": "xterm-256color", **({} if color else {"NO_COLOR": "1"})}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "deepdive", "demo", "--epochs", "1", "--save", "here"],
        cwd=str(tmp_path),
        env=environment(**extra),
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=60,
    )
    text = child.read()
    child.close()
    assert child.exitstatus == 0, text
    assert "\x1b[16A\r" in text  # the chart is redrawn in its place
    assert re.search(r"│ training: \d+ %, loss \d\.\d+, accuracy [\d.]+ %, [\d.]+ img/s", text)
    assert " left\x1b[K" in text
    colors = set(re.findall(r"\x1b\[[\d;]*m", text))
    assert bool(colors) == color
    for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", text)):
        assert len(line) <= 80, line


# --- train ---------------------------------------------------------------------------------------


def test_train_saves_what_it_learned(trained):
    state = json.loads((trained / "state.json").read_text())
    assert state["dataset"] == "digits" and state["model"] == "mlp" and state["epochs"] == 3
    assert state["accuracy"] > 0.9
    names = {path.name for path in trained.iterdir()}
    assert {"model.arc", "state.json", "weights.safetensors", "checkpoints"} <= names
    assert {"log.jsonl", "steps.csv", "epochs.csv"} <= names
    assert sum(name.startswith("events.out.tfevents.") for name in names) == 1


def test_train_writes_nothing_unless_asked_to(deepdive, tmp_path):
    result = deepdive("train", "digits", "--epochs", "1", "--limit", "200")
    assert result.returncode == 0, result.stderr
    assert "test accuracy" in result.stdout and "saved" not in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_train_is_repeatable_whatever_the_number_of_workers(deepdive):
    words = ("train", "digits", "--epochs", "2", "--limit", "300", "--seed", "5")
    first, second = deepdive(*words), deepdive(*words, "--workers", "2")
    other = deepdive(*words[:-1], "6")
    assert accuracy_in(first.stdout) == accuracy_in(second.stdout) != accuracy_in(other.stdout)
    loss = re.compile(r"loss [\d.]+")
    assert loss.findall(first.stderr) == loss.findall(second.stderr) != loss.findall(other.stderr)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_train_learns_with_every_optimizer(capsys, name):
    assert main(["train", "digits", "--epochs", "5", "--optimizer", name]) == 0
    assert accuracy_in(capsys.readouterr().out)[-1] > 90


def test_train_options_reach_the_optimizer(capsys):
    words = ["train", "digits", "--epochs", "1", "--limit", "100"]
    assert main([*words, "--optimizer", "sgd", "--momentum", "0", "--lr", "0"]) == 0
    assert accuracy_in(capsys.readouterr().out)[-1] < 50  # a rate of 0 learns nothing
    assert main([*words, "--momentum", "0.5"]) == 2
    assert "adamw has no momentum to set" in capsys.readouterr().err


def test_train_shows_a_bar_in_a_terminal(tmp_path, environment):
    pexpect = pytest.importorskip("pexpect")
    words = ["-m", "deepdive", "train", "digits", "--epochs", "2", "--model", "cnn"]
    text = pexpect.run(
        " ".join([sys.executable, *words]), env=environment(TERM="xterm"), timeout=60
    ).decode("utf-8")
    assert re.search(
        r"│ epoch 1/2: \d+ %, loss [\d.]+, accuracy [\d.]+ %, [\d.]+ img/s, .* left", text
    )


@pytest.mark.slow
@pytest.mark.parametrize(("model", "epochs", "least"), [("mlp", 5, 97.5), ("cnn", 3, 98.5)])
def test_train_mnist(capsys, shared, model, epochs, least):
    words = ["train", "mnist", "--data", str(shared("data/mnist")), "--model", model]
    assert main([*words, "--epochs", str(epochs)]) == 0
    assert accuracy_in(capsys.readouterr().out)[-1] >= least


def test_train_mnist_on_a_few_images(capsys, shared, tmp_path):
    words = ["train", "mnist", "--data", str(shared("data/mnist")), "--limit", "64"]
    assert main([*words, "--model", "cnn", "--epochs", "1", "--save", str(tmp_path / "m")]) == 0
    assert main(["predict", str(tmp_path / "m"), str(picture(tmp_path))]) == 0
    assert main(["draw", str(tmp_path / "m"), "--output", str(tmp_path / "graph.png")]) == 0
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


# --- predict -------------------------------------------------------------------------------------


def picture(folder, number=7):
    """A held-out digit as an 8-bit PGM of 24 × 24, dark on light as on paper."""
    pixels = (255 - Digits(train=False).images[number].astype(int) * 15).repeat(3, 0).repeat(3, 1)
    path = folder / "digit.pgm"
    path.write_bytes(b"P5\n# on paper\n24 24\n255\n" + pixels.astype(np.uint8).tobytes())
    return path


def test_predict_reads_held_out_digits_from_every_format(deepdive, trained, tmp_path):
    test = Digits(train=False)
    images, labels = test.images[:8], test.labels[:8]
    np.save(tmp_path / "bytes.npy", images)
    np.save(tmp_path / "floats.npy", images.astype(np.float32) / 16)
    write_idx(tmp_path / "images.idx", images)
    write_idx(tmp_path / "images.idx.gz", images)
    names = ["bytes.npy", "floats.npy", "images.idx", "images.idx.gz"]
    result = deepdive("predict", trained, *names)
    assert result.returncode == 0, result.stderr
    for name in names:
        found = re.findall(rf"^{re.escape(name)}, image \d: (\d)$", result.stdout, re.MULTILINE)
        assert sum(int(a) == b for a, b in zip(found, labels, strict=True)) >= 7
    assert len(set(re.split(r"(?m)^.*, image 0: ", result.stdout)[1].split())) > 1


def test_predict_draws_the_image_and_the_guesses(deepdive, trained, tmp_path):
    label = Digits(train=False).labels[7]
    result = deepdive("predict", trained, picture(tmp_path), "--top", "2")
    assert f"digit.pgm: {label}" in result.stdout
    shares = [float(share) for share in re.findall(r"\d +([\d.]+) %  │", result.stdout)]
    assert len(shares) == 2 and shares[0] > shares[1] and 0 < sum(shares) <= 100.1
    assert "█" in result.stdout
    plain = deepdive("predict", trained, picture(tmp_path), PYTHONIOENCODING="ascii")
    assert plain.returncode == 0 and plain.stdout.isascii() and "@@" in plain.stdout


def test_predict_takes_png(deepdive, trained, tmp_path):
    image = pytest.importorskip("PIL.Image")
    test = Digits(train=False)
    image.fromarray(test.images[3] * 15).convert("RGB").save(tmp_path / "a.png")
    result = deepdive("predict", trained, "a.png")
    assert f"a.png: {test.labels[3]}" in result.stdout


def test_predict_shows_the_first_images_of_a_long_file(deepdive, trained, tmp_path):
    np.save(tmp_path / "all.npy", Digits().images)
    result = deepdive("predict", trained, "all.npy", "--limit", "2")
    assert result.stdout.count("image ") == 2
    assert "1,435 more images" in result.stdout


def test_predict_without_pillow_says_what_to_install(trained, tmp_path, environment):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    code = "import sys; sys.modules['PIL'] = None; from deepdive.cli import main; sys.exit(main())"
    result = subprocess.run(
        [sys.executable, "-c", code, "predict", str(trained), str(tmp_path / "a.png")],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    fails(result, 1, "needs the package 'pillow'", "pip install 'deepdive-ml[hf]'")


# --- draw, summary, info -------------------------------------------------------------------------


def test_draw(deepdive, trained, tmp_path):
    result = deepdive("draw", trained, "--output", "net.svg")
    assert result.stdout.strip().endswith("net.svg")
    drawn = (tmp_path / "net.svg").read_text("utf-8")
    assert "(128, 64)" in drawn and ">1.weight<" in drawn and ">x<" in drawn


def test_summary_counts_parameters(deepdive, trained):
    expected = 64 * 128 + 128 + 2 * 128 + 128 * 10 + 10
    assert f"parameters     {expected:,} " in deepdive("summary", trained).stdout
    assert "(1, 8, 12, 12)" not in deepdive("summary", "--model", "cnn").stdout
    expected = (25 * 8 + 8) + (9 * 8 * 16 + 16) + (576 * 64 + 64) + (64 * 10 + 10)
    assert f"parameters     {expected:,} " in deepdive("summary", "--model", "cnn").stdout


def test_a_model_of_ones_own_needs_its_input_shape(deepdive, tmp_path):
    nn.Sequential(nn.Linear(3, 2)).save(tmp_path / "own")
    fails(deepdive("draw", "own"), 1, "--input 1,28,28")
    fails(deepdive("predict", "own", "a.png"), 1, "does not say what its network has learned")
    assert "(1, 2)" in deepdive("summary", "own", "--input", "3").stdout
    fails(deepdive("summary", "own", "--input", "4"), 1, "4 != 3")


def test_info(deepdive):
    text = deepdive("info").stdout
    assert f"deepdive   {__version__}\n" in text
    assert f"NumPy      {np.__version__}\n" in text
    for module, extra in [("numba", "jit"), ("datasets", "hf")]:
        line = re.search(rf"^{module} .*$", text, re.MULTILINE).group()
        assert (f"deepdive-ml[{extra}]" in line) == (find_spec(module) is None)
    assert "CuPy" in text and "OMP_NUM_THREADS=1" in text
    assert __version__ in deepdive("--version").stdout


def test_info_believes_the_core_type_it_is_told(environment):
    """OpenBLAS itself says which kernels it runs; the variable of the advice changes that."""
    code = "from deepdive.cli.blas import find_blas; print(find_blas().core)"

    def core(**extra):
        command = [sys.executable, "-c", code]
        return subprocess.check_output(command, env=environment(**extra), text=True).strip()

    if core() == "None":
        pytest.skip("this NumPy has no OpenBLAS that can be asked")
    assert core(OPENBLAS_CORETYPE="Nehalem") in ("Nehalem", core())


def test_info_warns_only_where_there_is_something_to_gain():
    wide = {"avx2", "avx512f", "avx512bw", "avx512vl"}
    assert "OPENBLAS_CORETYPE=SkylakeX" in misjudged(Blas("openblas", "0.3", "Zen", 2), wide)
    told = misjudged(Blas("openblas", "0.3", "Haswell", 2), wide, "Haswell")
    assert told.startswith("OPENBLAS_CORETYPE=Haswell makes")  # somebody set it: it was no guess
    assert "takes this processor for" not in told
    assert misjudged(Blas("openblas", "0.3", "Cooperlake", 2), wide) is None
    assert misjudged(Blas("openblas", "0.3", "Haswell", 2), {"avx2"}) is None
    assert misjudged(Blas("accelerate", "", None, None), wide) is None


# --- how it fails --------------------------------------------------------------------------------

MISUSES = [
    ((), "COMMAND"),
    (("dmeo",), "invalid choice: 'dmeo'"),
    (("train",), "dataset"),
    (("train", "cifar"), "invalid choice: 'cifar'"),
    (("train", "digits", "--epochs", "0"), "'0' is not a whole number, 1 or more"),
    (("train", "digits", "--epochs", "many"), "'many' is not a whole number"),
    (("train", "digits", "--lr", "-1"), "'-1' is not a number, 0 or more"),
    (("train", "digits", "--lr", "nan"), "'nan' is not a number"),
    (("train", "digits", "--optimizer", "sdg"), "invalid choice: 'sdg'"),
    (("predict", "somewhere"), "IMAGE"),
    (("summary",), "required"),
    (("summary", "x", "--model", "mlp"), "not allowed with"),
    (("info", "--what"), "unrecognized arguments: --what"),
]


@pytest.mark.parametrize(("words", "expected"), MISUSES, ids=lambda value: " ".join(value) or "-")
def test_wrong_usage(capsys, words, expected):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert expected in captured.err and "--help" in captured.err


def test_wrong_usage_as_a_process(deepdive):
    fails(deepdive("train", "digits", "--epochs", "-3"), 2, "whole number")
    assert deepdive("train", "--help").returncode == 0


def test_what_is_not_there(deepdive, trained, tmp_path):
    fails(deepdive("predict", "nowhere", "a.png"), 1, "nowhere", "no such folder")
    fails(deepdive("predict", trained, "a.png"), 1, "a.png: No such file or directory")
    fails(deepdive("train", "mnist", "--data", "empty"), 1, "train-images", "--download")
    fails(deepdive("draw", trained, "--output", "a.gif"), 2, "gif")
    (tmp_path / "file").write_text("x")
    fails(deepdive("train", "digits", "--save", "file/x"), 1, "cannot save in file/x")
    fails(deepdive("demo", "--save", "file"), 1, "cannot save in file")


BROKEN = {
    "a.pgm": b"P5\n24 24\n255\nshort",
    "b.pgm": b"P5\nwide\n",
    "c.pgm": b"P2\n2 2\n9\n1 2 3 x\n",
    "a.npy": b"\x93NUMPY\x01\x00",
    "a.idx": b"\0\0\x08\x03\0\0",
    "a.gz": b"\x1f\x8bnothing",
    "a.txt": b"hello",
    "empty": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_damaged_images(capsys, trained, tmp_path, name):
    (tmp_path / name).write_bytes(BROKEN[name])
    assert main(["predict", str(trained), str(tmp_path / name)]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert name in captured.err


ODD = {
    "five axes": np.zeros((1, 1, 1, 8, 8)),
    "text": np.array([["a"]]),
    "negative": np.full((8, 8), -1.0),
    "not a number": np.full((8, 8), np.nan),
    "empty": np.zeros((0, 8, 8)),
    "objects": np.array([[None]], dtype=object),
}


@pytest.mark.parametrize("name", ODD)
def test_arrays_that_are_no_images(capsys, trained, tmp_path, name):
    np.save(tmp_path / "odd.npy", ODD[name], allow_pickle=True)
    assert main(["predict", str(trained), str(tmp_path / "odd.npy")]) == 1
    assert "odd.npy" in capsys.readouterr().err


def test_a_blank_image_is_no_reason_to_fail(capsys, trained, tmp_path):
    np.save(tmp_path / "blank.npy", np.zeros((30, 17)))
    assert main(["predict", str(trained), str(tmp_path / "blank.npy")]) == 0
    assert "nan" not in capsys.readouterr().out


def test_debug_shows_where_an_error_comes_from(deepdive):
    result = deepdive("draw", "nowhere", "--debug")
    assert result.returncode == 1
    assert "Traceback" in result.stderr and "CheckpointError" in result.stderr


@pytest.fixture
def heard_ctrl_c():
    """Processes started now obey Ctrl-C, also where a job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_ends_cleanly(tmp_path, environment, heard_ctrl_c):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "deepdive", "train", "digits", "--epochs", "100000"],
        env=environment(),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "test accuracy" in process.stdout.readline()  # it trains
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert re.search(r"\ndeepdive: stopped after step [\d,]+; nothing is saved without", errors)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end differently there")
def test_a_reader_that_leaves_is_no_error(environment):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "deepdive", "info"],
        env=environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 141 and errors == ""


def test_hints_can_be_copied(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/deepdive"])
    assert program() == "deepdive"
    monkeypatch.setattr(sys, "argv", ["/x/deepdive/__main__.py"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    assert program() == os.path.join(".venv", "bin", "python") + " -m deepdive"
    monkeypatch.setattr(sys, "executable", "/usr/bin/python")
    assert program() == "python -m deepdive"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_closed_standard_output_is_no_error(environment):
    command = f"'{sys.executable}' -m deepdive info >&-"
    result = subprocess.run(
        command, shell=True, env=environment(), stderr=subprocess.PIPE, text=True, timeout=60
    )
    assert result.returncode == 0 and result.stderr == ""

"""Dash: the numbers, drawing in a real terminal and in a log, and never stopping a training."""

import io
import os
import re
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from deepdive.core.tensor import Tensor
from deepdive.dash import Dash
from deepdive.errors import ArgumentError


class Window(io.StringIO):
    """A terminal of a given size."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def window(monkeypatch):
    def make(columns=80, lines=24, **environment):
        settings = {"TERM": "xterm", "COLUMNS": columns, "LINES": lines, **environment}
        for name, value in settings.items():
            monkeypatch.setenv(name, str(value))
        return Window()

    monkeypatch.delenv("NO_COLOR", raising=False)
    return make


def screen_of(output, height=200):
    """What a terminal shows after this output: cursor up, clear line, clear below, colours."""
    rows, row, column = [[] for _ in range(height)], 0, 0
    for piece in re.findall(r"\x1b\[\d*[A-Za-z]|[\r\n]|[^\x1b\r\n]", output):
        if piece == "\n":
            row, column = row + 1, 0
        elif piece == "\r":
            column = 0
        elif piece.startswith("\x1b["):
            count, command = piece[2:-1], piece[-1]
            if command == "A":
                row -= int(count)
                assert row >= 0
            elif command == "K":
                del rows[row][column:]
            elif command == "J":
                del rows[row][column:]
                for below in rows[row + 1 :]:
                    below.clear()
            else:
                assert command == "m"
        else:
            rows[row].extend(" " * (column - len(rows[row])))
            rows[row][column : column + 1] = piece
            column += 1
    return "\n".join("".join(cells) for cells in rows).rstrip()


def test_values_are_kept_also_tensors_and_arrays():
    dash = Dash(3, ["loss", "accuracy", "lr"])
    dash.update(Tensor(0.5), np.float32(0.25), 1)
    dash.update(Tensor([0.125]), np.array(0.75), True)
    assert dash.history == {"loss": [0.5, 0.125], "accuracy": [0.25, 0.75], "lr": [1.0, 1.0]}


def test_the_primary_designs_lines():
    stream = io.StringIO()
    d = Dash(2, stream=stream)
    d.update(0.7, 0.5)
    d.plot()
    assert stream.getvalue() == "step 1  metric 1 0.7  metric 2 0.5\n"


def test_a_log_gets_a_line_now_and_then():
    stream = io.StringIO()
    dash = Dash(1, ["loss"], title="run", stream=stream)
    for i in range(1000):
        dash.update(i)
        dash.plot()
    assert stream.getvalue() == "run  step 1  loss 0\n"
    dash.plot(force=True)
    assert stream.getvalue().endswith("run  step 1000  loss 999\n")


def test_a_terminal_is_drawn_in_place(window):
    stream = window()
    dash = Dash(2, ["loss", "accuracy"], title="run", stream=stream)
    for i in range(30):
        dash.update(1 / (i + 1), i / 29)
        dash.plot(force=True)
    shown = screen_of(stream.getvalue())
    once = Window()
    again = Dash(2, ["loss", "accuracy"], title="run", stream=once)
    again.history = dash.history
    again.plot()
    assert shown == screen_of(once.getvalue())
    lines = shown.split("\n")
    assert lines[0] == "run"
    assert re.fullmatch(r"loss 0\.03333 +accuracy 1", lines[1])
    assert len(lines) <= 23 and max(map(len, lines)) <= 79
    assert "\x1b[36m" in stream.getvalue()


@pytest.mark.parametrize(
    "columns, lines", [(200, 50), (80, 24), (60, 24), (40, 12), (24, 8), (10, 3), (1, 1)]
)
def test_no_line_is_wider_than_the_window(window, columns, lines):
    stream = window(columns, lines)
    dash = Dash(3, ["a rather long name for a metric", "b", "c"], stream=stream)
    for i in range(5):
        dash.update(i, -i, 1e9 * i)
        dash.plot(force=True)
    shown = screen_of(stream.getvalue()).split("\n")
    assert max(map(len, shown)) <= max(columns - 1, 1)
    assert len(shown) <= max(lines - 1, 1)


def test_a_window_that_shrinks_leaves_nothing_behind(window, monkeypatch):
    stream = window(80, 30)
    dash = Dash(1, ["loss"], stream=stream)
    dash.update(1.0)
    dash.update(0.5)
    dash.plot(force=True)
    monkeypatch.setenv("LINES", "5")
    dash.plot(force=True)
    assert screen_of(stream.getvalue()) == "step 2  loss 0.5"


def test_no_color_and_plain_terminals_are_honoured(window):
    stream = window(NO_COLOR="1")
    dash = Dash(1, ["loss"], stream=stream)
    dash.update(1)
    dash.plot()
    assert "\x1b[36m" not in stream.getvalue()
    stream = window(TERM="linux")
    dash = Dash(1, ["loss"], stream=stream)
    dash.update(1)
    dash.plot()
    assert stream.getvalue().isascii()


class Broken(Window):
    def write(self, text):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [BrokenPipeError(), OSError(28, "disk full"), ValueError("closed"),
     UnicodeEncodeError("ascii", "x", 0, 1, "no")],
)  # fmt: skip
def test_a_stream_that_fails_is_switched_off(window, error):
    window()
    stream = Broken()
    stream.error = error
    dash = Dash(1, stream=stream)
    for i in range(3):
        dash.update(i)
        dash.plot(force=True)
    assert dash.history == {"metric 1": [0.0, 1.0, 2.0]}


def test_a_closed_stream_does_no_harm(tmp_path):
    for name in ("file", "buffer"):
        stream = open(tmp_path / "log", "w") if name == "file" else io.StringIO()  # noqa: SIM115
        stream.close()
        dash = Dash(1, stream=stream)
        dash.update(1)
        dash.plot()


def test_ctrl_c_while_drawing_is_not_swallowed(window):
    window()
    stream = Broken()
    stream.error = KeyboardInterrupt()
    dash = Dash(1, stream=stream)
    dash.update(1)
    with pytest.raises(KeyboardInterrupt):
        dash.plot()


def test_nothing_yet_is_drawn_as_nothing(window):
    stream = window()
    Dash(2, stream=stream).plot()
    assert "metric 1" in screen_of(stream.getvalue())


def test_plot_is_cheap_between_drawings(window):
    dash = Dash(1, stream=window())
    dash.update(1.0)
    dash.plot()
    start = time.perf_counter()
    for _ in range(2000):
        dash.update(1.0)
        dash.plot()
    assert (time.perf_counter() - start) / 2000 < 100e-6


def test_save_writes_a_picture(tmp_path):
    dash = Dash(2, ["loss", "accuracy"], title="run")
    for i in range(10):
        dash.update(1 / (i + 1), i / 10)
    assert dash.save(tmp_path / "run.svg") == str(tmp_path / "run.svg")
    text = (tmp_path / "run.svg").read_text()
    assert ">loss<" in text and ">accuracy<" in text and ">run<" in text
    dash.save(tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ArgumentError, match="no such picture format: 'gif'"):
        dash.save(tmp_path / "run.gif")


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_the_number_of_metrics_is_checked(count):
    with pytest.raises(ArgumentError, match="the number of metrics is a positive integer"):
        Dash(count)


def test_names_are_checked():
    with pytest.raises(ArgumentError, match="one name per metric, all different") as caught:
        Dash(2, ["loss", "loss"])
    assert "2 names" in str(caught.value)


def test_values_are_checked_and_nothing_is_kept_of_a_bad_update():
    dash = Dash(2, ["loss", "accuracy"])
    with pytest.raises(ArgumentError, match="one value per metric") as caught:
        dash.update(1.0)
    assert "got: 1 values" in str(caught.value) and "loss, accuracy" in str(caught.value)
    with pytest.raises(ArgumentError, match="'accuracy' is not a number") as caught:
        dash.update(1.0, "high")
    assert "str high" in str(caught.value)
    with pytest.raises(ArgumentError, match="'loss' is not a number") as caught:
        dash.update(Tensor([1.0, 2.0]), 1.0)
    assert "loss.mean()" in str(caught.value)
    assert dash.history == {"loss": [], "accuracy": []}


PROGRAM = """
    from deepdive.dash import Dash, Progress
    dash = Dash(1, ["loss"], refresh=0)
    for i in Progress(range(200), desc="train"):
        dash.update(1 / (i + 1))
        dash.plot()
    dash.save("loss.svg")
    open("done", "w").close()
"""


def start(tmp_path, **streams):
    package = os.path.dirname(os.path.dirname(sys.modules["deepdive.dash"].__path__[0]))
    environment = {**os.environ, "PYTHONPATH": package, "TERM": "xterm", "COLUMNS": "80"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], cwd=tmp_path, env=environment, **streams
    )


def test_a_reader_that_leaves_does_not_stop_the_training(tmp_path):
    process = start(tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdout.close()  # as `| head -0` does
    process.wait(timeout=60)
    assert (tmp_path / "done").exists() and (tmp_path / "loss.svg").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_in_a_real_terminal(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    process = start(tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not part:
            break
        output += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    text = output.decode()
    assert "loss 0.005" in text and "train" in text and "200/200" in text

"""The progress bar: what it shows, how seldom it writes, and what it costs."""

import io
import time

import pytest

from deepdive.core.tensor import Tensor
from deepdive.dash import progress as progress_module
from deepdive.dash.progress import Progress, bar, duration
from deepdive.errors import ArgumentError


class Window(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_module, "perf_counter", clock)
    return clock


@pytest.fixture
def window(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return Window()


def test_it_yields_what_it_wraps():
    assert list(Progress([3, 1, 2], stream=io.StringIO())) == [3, 1, 2]
    assert list(Progress(iter("ab"), stream=io.StringIO())) == ["a", "b"]
    assert len(Progress(range(7), stream=io.StringIO())) == 7


def test_it_can_be_walked_again():
    wrapped = Progress(range(3), stream=io.StringIO())
    assert list(wrapped) == list(wrapped) == [0, 1, 2]
    assert wrapped.count == 3


def test_the_bar_in_a_terminal(window, clock):
    steps = Progress(range(10), desc="train", unit="batch", stream=window)
    for i in steps:
        clock.now += 0.5
        steps.set(loss=Tensor(1 / (i + 1)))
    frames = [frame.removesuffix("\x1b[K") for frame in window.getvalue().split("\r")]
    text = "train: 4/10 batch, 40 %, loss 0.25, 2 batch/s, 3.0 s left"
    assert frames[4] == f"│███████▌           │ {text}"  # the loss of the 4th: 1/4
    assert "10/10 batch, 100 %" in frames[-1] and "in 5.0 s" in frames[-1]
    assert window.getvalue().endswith("\n") and window.getvalue().count("\n") == 1


def test_no_frame_is_wider_than_the_window(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for columns in (200, 80, 40, 12, 1):
        monkeypatch.setenv("COLUMNS", str(columns))
        window = Window()
        with Progress(total=5, desc="a long description of what is done", stream=window) as steps:
            steps.update(5)
        for frame in window.getvalue().split("\r"):
            assert len(frame.replace("\x1b[K", "").rstrip("\n")) <= max(columns - 1, 0)


def test_frames_come_at_most_ten_times_a_second(window, clock):
    for _ in Progress(range(10_000), stream=window):
        clock.now += 0.001  # ten seconds in all
    assert 90 <= window.getvalue().count("\r") <= 105


def test_a_log_gets_a_line_at_most_each_ten_seconds_and_each_tenth(clock):
    log = io.StringIO()
    for _ in Progress(range(1000), desc="epoch", stream=log):
        clock.now += 0.1  # 100 seconds in all
    lines = log.getvalue().splitlines()
    assert len(lines) == 10 and all(line.startswith("epoch: ") for line in lines)
    assert "\r" not in log.getvalue() and "\x1b" not in log.getvalue()
    log = io.StringIO()
    for _ in Progress(range(1000), stream=log):
        clock.now += 10.0  # almost three hours: a line each minute, not each ten seconds
    assert len(log.getvalue().splitlines()) <= 170


def test_a_short_loop_leaves_one_line_in_a_log():
    log = io.StringIO()
    for _ in Progress(range(100), desc="quick", stream=log):
        pass
    assert len(log.getvalue().splitlines()) == 1
    assert log.getvalue().startswith("quick: 100/100 it, 100 %, in 0.0 s, ")


def test_without_a_total_it_counts(window, clock):
    with Progress(stream=window, unit="step") as steps:
        for _ in range(3):
            clock.now += 1
            steps.update()
    assert "3 step, in 3.0 s, 1 step/s" in window.getvalue()


def test_a_loop_left_early_ends_the_line(window):
    for i in Progress(range(10), stream=window):
        if i == 3:
            break
    with pytest.raises(KeyError), Progress(total=3, stream=window) as steps:
        steps.update()
        raise KeyError
    assert window.getvalue().count("\n") == 2


def test_more_steps_than_announced_do_no_harm(window):
    with Progress(total=2, stream=window) as steps:
        for _ in range(5):
            steps.update()
    assert "5/2" in window.getvalue()


def test_a_total_of_zero_is_fine(window):
    assert list(Progress([], stream=window)) == []


class Broken(Window):
    def write(self, text):
        raise BrokenPipeError


def test_a_broken_stream_does_not_stop_the_loop(clock):
    seen = []
    for i in Progress(range(5), stream=Broken()):
        clock.now += 100
        seen.append(i)
    assert seen == [0, 1, 2, 3, 4]
    closed = io.StringIO()
    closed.close()
    assert sum(Progress(range(5), stream=closed)) == 10


def test_odd_values_are_shown_somehow(window, clock):
    with Progress(total=1, stream=window) as steps:
        steps.set(a="text\nmore", b=None, c=float("nan"), d=7, e=[1, 2])
        steps.update()
    assert "a text more, b None, c nan, d 7, e [1, 2]" in window.getvalue()


def test_wrong_use_is_explained():
    with pytest.raises(ArgumentError, match="the total is a number of steps"):
        Progress(total=-1)
    with pytest.raises(ArgumentError, match="nothing to walk over") as caught:
        iter(Progress(total=3, stream=io.StringIO())).__next__()
    assert "update()" in str(caught.value)


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.01, 0.5, 0.999, 1.0, 7.0])
@pytest.mark.parametrize("unicode", [True, False])
def test_a_bar_has_its_width(share, unicode):
    text = bar(share, 20, unicode)
    assert len(text) == 22
    full = text.count("█" if unicode else "#")
    assert full == int(min(max(share, 0), 1) * 20)


def test_durations_round_over_the_full_minute():
    assert [duration(s) for s in (0, 59.94, 119.6, 3599.6)] == [
        "0.0 s", "59.9 s", "2 min 00 s", "1 h 00 min",
    ]  # fmt: skip


def test_a_step_costs_less_than_two_microseconds(monkeypatch):
    log = io.StringIO()
    best = float("inf")
    for _ in range(5):
        steps = Progress(range(20_000), stream=log)
        start = time.perf_counter()
        for i in steps:
            steps.set(loss=i)
        best = min(best, time.perf_counter() - start)
    assert best / 20_000 < 2e-6

"""Mutated files of every format we read, each read in a fenced-in process.

python fuzz.py FORMAT COUNT SEED     FORMAT: arc, safetensors, idx, state

Whatever the files hold, only the library's own errors may come out; memory is limited by
RLIMIT_AS, each file has two seconds, and an audit hook ends the process at the first attempt to
run, import or write anything.
"""

import contextlib
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings

import numpy as np

import deepdive as dd
from deepdive import nn, optim
from deepdive.datautils import read_idx
from deepdive.errors import DeepDiveError
from deepdive.io import safetensors
from deepdive.io.arc import parse, render
from deepdive.io.checkpoint import load_folder
from deepdive.io.snapshot import SUMS
from deepdive.train import Checkpoints, Trainer

MOST_MEMORY = 1_500_000_000  # bytes beyond what the libraries map
MOST_SECONDS = 2
FORBIDDEN = {
    *("exec", "compile", "import", "os.system", "os.exec", "os.posix_spawn", "os.fork"),
    *("subprocess.Popen", "socket.__new__", "pickle.find_class", "marshal.loads", "ctypes.dlopen"),
}
TOKENS = [
    *(b"0", b"-1", b"99999999999", b"18446744073709551615", b"1e999", b"nan", b"None", b"True"),
    *(b"[", b"]", b"(", b")", b"{", b"}", b",", b":", b'"', b"'", b"\\", b"\n", b"    ", b"\0"),
    *(b"../", b"/etc/passwd", b"__metadata__", b"data_offsets", b"shape", b"\xff\xfe", b"\xe2\x80"),
    *(b"[" * 300, b"(" * 30, b"Linear(", b"Sequential\n", b"\\u0000", b"9" * 5000, b"label: "),
    *(b"Embedding(1000000, 1000000)", b"num_layers=1000000000", b"__import__('os')", b"import os"),
]

# --- seeds: small whole files of each format ----------------------------------------------------


def arc_seeds():
    models = [
        nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2, bias=False)),
        nn.Sequential(nn.Conv2d(1, 2, (3, 3), padding=1), nn.MaxPool2d(2), nn.Flatten()),
        nn.Sequential(nn.Embedding(5, 4), nn.LayerNorm(4), nn.ModuleList([nn.Linear(4, 1)])),
        nn.Sequential(nn.BatchNorm1d(3), nn.ReShape(3, 1), nn.Sequential(nn.GELU())),
    ]
    from deepdive.nn.architecture import to_arc

    return [to_arc(model).encode() for model in models]


def safetensors_seeds():
    return [
        safetensors.dumps({"a": np.zeros((3, 4), "f4"), "b": np.arange(5)}, {"x": "y"}),
        safetensors.dumps({"w": np.ones((2, 2, 2), "f8"), "m": np.array([True]), "e": np.ones(0)}),
        safetensors.dumps({}),
    ]


def idx_seeds():
    plain = [
        bytes((0, 0, 8, 3)) + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(24),
        bytes((0, 0, 0x0D, 1)) + (3).to_bytes(4, "big") + np.arange(3, dtype=">f4").tobytes(),
        bytes((0, 0, 0x0E, 0)) + bytes(8),
    ]
    return [*plain, *(gzip.compress(data, mtime=0) for data in plain)]


def make_trainer(folder=None):
    dd.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    loss = nn.functional.cross_entropy
    events = [dd.train.EarlyStopping("loss")]
    return Trainer(
        model,
        optimizer,
        loss,
        schedule=schedule,
        ema=0.9,
        checkpoints=folder,
        events=events,
        metrics={"confusion": dd.train.ConfusionMatrix(2)},
    )


DATA = [(np.ones((4, 2), np.float32), np.array([0, 1, 0, 1]))]


def state_seeds():
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(folder)
        trainer.fit(DATA * 2, epochs=2)
        with open(os.path.join(trainer.saved, "state.json"), "rb") as file:
            text = file.read()
    state = json.loads(text)
    state["random"]["numpy"][1] = state["random"]["python"][1] = "…"  # long, and of no interest
    return [text, json.dumps(state).encode(), json.dumps(state, indent=1).encode()]


# --- readers -------------------------------------------------------------------------------------


class Readers:
    """One function per format: reads a file as a user would."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "file")
        self.model_folder = os.path.join(folder, "model")
        self.weights = {"0.weight": np.ones((3, 4), "f4"), "0.bias": np.ones(3, "f4")}
        nn.Linear(2, 2).save(self.model_folder, extra={"a": 1})
        self.trainer = make_trainer(os.path.join(folder, "run"))
        self.trainer.fit(DATA * 2, epochs=1)
        self.sound = os.path.join(folder, "sound")
        shutil.copytree(self.trainer.saved, self.sound)
        self.files = {}
        for name in ("weights.safetensors", "optimizer.safetensors"):
            with open(os.path.join(self.trainer.saved, name), "rb") as file:
                self.files[name] = file.read()

    def write(self, data, *names):
        path = os.path.join(self.folder, *names)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def arc(self, data):
        self.write(data, "model", "model.arc")
        with contextlib.suppress(UnicodeDecodeError, DeepDiveError):
            lines = parse(data.decode())
            assert parse(render(lines)) == lines
        nn.load_from_arc(self.model_folder)

    def safetensors(self, data):
        safetensors.load(self.write(data, "file"))

    def idx(self, data):
        read_idx(self.write(data, "file"))

    def state(self, data):
        self.write(data, "model", "state.json")
        with contextlib.suppress(DeepDiveError):
            load_folder(self.model_folder)
        # its checksum fits: a stranger made the whole folder
        saved = self.trainer.saved
        if not os.path.isdir(saved):  # found damaged before, and renamed
            shutil.copytree(self.sound, saved)
        self.write(data, saved, "state.json")
        sums = [f"{hashlib.sha256(self.files[name]).hexdigest()}  {name}" for name in self.files]
        sums.append(f"{hashlib.sha256(data).hexdigest()}  state.json")
        self.write("\n".join(sums).encode(), saved, SUMS)
        Checkpoints(os.path.join(self.folder, "run")).resume(self.trainer)


# --- mutations -----------------------------------------------------------------------------------


def mutated(data, draw, seeds):
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        kind = draw.randrange(9)
        at = draw.randrange(len(data) + 1)
        end = min(len(data), at + draw.choice((1, 2, 4, 8, 40)))
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << draw.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
        elif kind == 2:
            data[at:at] = draw.randbytes(draw.choice((1, 2, 8)))
        elif kind == 3:
            del data[at:end]
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            data[at:at] = data[at:end] * draw.choice((1, 2, 50))
        elif kind == 6:
            data[at:end] = draw.choice(TOKENS)
        elif kind == 7:
            data[at:at] = draw.choice(TOKENS)
        else:
            other = draw.choice(seeds)
            data[at:] = other[draw.randrange(len(other) + 1) :]
    return bytes(data)


def number_swapped(data, draw):
    """A number in a text becomes another one."""
    places = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
    if not places:
        return data
    at = draw.choice(places)
    number = draw.choice((b"0", b"-1", b"1e9", b"4294967296", b"9223372036854775807", b"1" * 30))
    return data[:at] + number + data[at + 1 :]


# --- the fence -----------------------------------------------------------------------------------


def fence(folder):
    if sys.platform == "linux":
        import resource

        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        limit = pages * resource.getpagesize() + MOST_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        signal.signal(signal.SIGALRM, too_slow)
    inside = os.path.realpath(folder)

    def hook(event, args):
        if event == "import" and args[0] in sys.modules:
            return
        if event in FORBIDDEN:
            os.write(2, f"a file made us {event} {args!r:.200}\n".encode())
            os._exit(3)
        if event == "open" and isinstance(args[0], str) and args[2] & (os.O_WRONLY | os.O_RDWR):
            if not os.path.realpath(args[0]).startswith(inside):
                os.write(2, f"a file made us write {args!r:.200}\n".encode())
                os._exit(3)

    sys.addaudithook(hook)


alarm = getattr(signal, "alarm", lambda seconds: None)  # Windows has none


def too_slow(*signal):
    raise TimeoutError(f"more than {MOST_SECONDS} s")


def is_refused(read, data):
    """Whether the library refuses a file, in words that fit a screen."""
    try:
        read(data)
    except DeepDiveError as error:
        if len(str(error)) > 5000:
            raise AssertionError(f"a long story: {str(error)[:200]}") from error
        return True
    return False


def tell(text):
    os.write(2, (text + "\n").encode(errors="replace"))


def main():
    warnings.simplefilter("ignore")
    name, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(seed)
    seeds = {"arc": arc_seeds, "safetensors": safetensors_seeds, "idx": idx_seeds}
    texts = {**seeds, "state": state_seeds}[name]()
    with tempfile.TemporaryDirectory() as folder:
        readers = Readers(folder)
        read = getattr(readers, name)
        for text in texts[: 1 if name == "state" else None]:
            with contextlib.suppress(DeepDiveError):
                read(text)  # whatever is imported late is imported now
        for data in (
            b"",
            b"\xff",
            b"{",
            b"[[",
            texts[0][:-3],
            texts[0] * 2,
            b"Linar\n",
            b"x: y: z",
        ):
            with contextlib.suppress(DeepDiveError):
                read(data)
        fence(folder)
        refused, slowest = 0, 0.0
        for number in range(count):
            data = draw.choice(texts)
            data = number_swapped(data, draw) if draw.random() < 0.3 else data
            data = mutated(data, draw, texts) if draw.random() < 0.8 else data
            start = time.perf_counter()
            alarm(MOST_SECONDS)
            try:
                refused += is_refused(read, data)
            except BaseException as error:
                alarm(0)
                tell(f"file {number} of seed {seed}: {type(error).__name__}: {error!s:.300}")
                for frame, line in traceback.walk_tb(error.__traceback__):
                    tell(f"  {frame.f_code.co_filename}:{line} {frame.f_code.co_name}")
                tell(repr(data[:3000]))
                os._exit(4)  # what prints tracebacks compiles, and the fence forbids that
            alarm(0)
            slowest = max(slowest, time.perf_counter() - start)
    print(f"{name}: {count} files, {refused} refused, the slowest took {slowest:.3f} s")


if __name__ == "__main__":
    main()

"""model.arc: every model comes back from text, or says clearly why it cannot."""

import random
import subprocess
import sys
import textwrap
from collections import OrderedDict
from itertools import pairwise

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, CheckpointError
from deepdive.nn.architecture import LAYERS, from_arc, to_arc


@pytest.fixture(autouse=True)
def known_layers():
    """Classes made by a test are forgotten after it."""
    before = dict(LAYERS)
    yield
    LAYERS.clear()
    LAYERS.update(before)


def digits():
    return nn.Sequential(
        nn.Linear(784, 128, init="xavier"),
        nn.LayerNorm((128,)),
        nn.ReLU(),
        nn.Dropout(p=0.5),
        nn.Linear(128, 10, bias=False),
        nn.LogSoftmax(),
    )


def same(a, b):
    assert [*a.state_dict()] == [*b.state_dict()] and repr(a) == repr(b)
    for name, x in a.state_dict().items():
        other = b.state_dict()[name]
        assert x.dtype == other.dtype
        np.testing.assert_array_equal(x.numpy(), other.numpy())


def test_a_file_as_people_write_it(tmp_path):
    model = digits()
    model.save(tmp_path)
    assert (tmp_path / "model.arc").read_text() == textwrap.dedent(
        """\
        Sequential
            Linear(784, 128, init='xavier')
            LayerNorm((128,))
            ReLU
            Dropout(p=0.5)
            Linear(128, 10, bias=False)
            LogSoftmax
        """
    )
    same(model, nn.load_from_arc(tmp_path))


def test_several_lines_make_a_sequential():
    model = from_arc("Linear(784, out_features=128)\nReLU\nSequential\n  last: Linear(128, 10)\n")
    assert [*model.state_dict()][2:] == ["2.last.weight", "2.last.bias"]


LEAVES = [
    lambda r: nn.Linear(r.randint(1, 9), out_features=r.randint(1, 9), bias=r.random() < 0.5),
    lambda r: nn.Conv2d(2, 4, (3, r.randint(1, 5)), stride=2, padding=r.choice([1, "valid"])),
    lambda r: nn.BatchNorm2d(r.randint(1, 5), momentum=r.choice([None, 0.1])),
    lambda r: nn.Embedding(5, 3, padding_idx=r.choice([None, 0])),
    lambda r: nn.LeakyReLU(r.random()),
    lambda r: nn.LayerNorm([3, 4], eps=1e-6),
    lambda r: nn.GELU("tanh"),
    lambda r: nn.ReShape(-1, 4),
    lambda r: nn.Unflatten(1, (2, 2)),
    lambda r: nn.MaxPool2d(2),
    lambda r: nn.Flatten(),
    lambda r: nn.SiLU(),
    lambda r: nn.CrossEntropyLoss(label_smoothing=0.1),
]


def grown(r, depth=0):
    """A random model."""
    if depth == 4 or (depth and r.random() < 0.6):
        return r.choice(LEAVES)(r)
    children = [grown(r, depth + 1) for _ in range(r.randint(0, 4))]
    names = [f"part{i}" if r.random() < 0.3 else str(i) for i in range(len(children))]
    kind = r.choice(["plain", "named", "list", "dict"])
    if kind == "plain":
        return nn.Sequential(*children)
    if kind == "named":
        return nn.Sequential(OrderedDict(zip(names, children, strict=True)))
    if kind == "list":
        return nn.ModuleList(children)
    return nn.ModuleDict(dict(zip(names, children, strict=True)))


def test_random_models_come_back(tmp_path):
    r = random.Random(0)
    for i in range(60):
        model = grown(r)
        text = to_arc(model)
        assert to_arc(from_arc(text)) == text
        if i % 6 == 0:
            model.save(tmp_path)
            same(model, nn.load_from_arc(tmp_path))


def test_changed_containers_are_written_as_they_are():
    model = digits()
    model.append(nn.Tanh())
    del model[3]
    model[0] = nn.Linear(3, 4)
    assert to_arc(model).splitlines()[1:] == [
        "    Linear(3, 4)",
        "    LayerNorm((128,))",
        "    ReLU",
        "    Linear(128, 10, bias=False)",
        "    LogSoftmax",
        "    Tanh",
    ]


class OwnBlock(nn.Module):
    """Makes its children itself."""

    def __init__(self, width, depth=1, act="relu"):
        self.layers = [nn.Linear(width, width) for _ in range(depth)]
        self.act = act

    def forward(self, x):
        for layer in self.layers:
            x = getattr(layer(x), self.act)()
        return x


class OwnResidual(nn.Module):
    """Gets its children handed in, among other arguments."""

    def __init__(self, scale, inner, *, norm=None):
        self.scale, self.inner, self.norm = scale, inner, norm

    def forward(self, x):
        return x + self.scale * self.inner(x)


class OwnMLP(nn.Sequential):
    """A container that makes its own layers."""

    def __init__(self, sizes):
        super().__init__(*[nn.Linear(a, b) for a, b in pairwise(sizes)])


class OwnTower(nn.Sequential):
    """A container that stays one."""


def test_layers_of_ones_own(tmp_path):
    sizes = [3, 4, 3]
    model = nn.Sequential(
        OwnBlock(3, depth=2),
        OwnResidual(np.float64(0.5), OwnBlock(3), norm=nn.LayerNorm(3)),
        OwnMLP(sizes),
        OwnTower(nn.Linear(3, 3)),
    )
    sizes.append(99)  # what it was made with is not what became of the list
    assert to_arc(model) == textwrap.dedent(
        """\
        Sequential
            OwnBlock(3, depth=2)
            OwnResidual(0.5)
                1: OwnBlock(3)
                norm: LayerNorm(3)
            OwnMLP([3, 4, 3])
            OwnTower
                Linear(3, 3)
        """
    )
    model.save(tmp_path)
    loaded = nn.load_from_arc(tmp_path)
    same(model, loaded)
    x = dd.randn(2, 3)
    np.testing.assert_array_equal(model(x).numpy(), loaded(x).numpy())


def test_dtypes_come_back(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2).double(), nn.BatchNorm1d(2))
    model.save(tmp_path)
    same(model, nn.load_from_arc(tmp_path))


class TestRegistering:
    def test_a_name_of_ones_choice(self):
        @nn.register_layer("Mine")
        class Thing(nn.Module):
            pass

        @nn.register_layer
        class Other(nn.Module):
            pass

        assert nn.register_layer("Third", Other) is Other
        assert to_arc(Thing()) == "Mine\n" and isinstance(from_arc("Mine"), Thing)
        assert isinstance(from_arc("Third"), Other)

    def test_the_librarys_names_are_taken(self):
        class Linear(nn.Module):
            pass

        assert isinstance(from_arc("Linear(2, 3)"), nn.Linear)
        with pytest.raises(CheckpointError, match=r"two layers are called 'Linear'(.|\n)*MyLinear"):
            to_arc(Linear())
        with pytest.raises(ArgumentError, match="the library itself has a layer 'Linear'"):
            nn.register_layer(Linear)

    def test_two_classes_of_one_name_are_not_mixed_up(self):
        def first():
            class Twin(nn.Module):
                pass

            return Twin

        def second():
            class Twin(nn.Module):
                pass

            return Twin

        old, new = first(), second()
        assert isinstance(from_arc("Twin"), new)
        with pytest.raises(CheckpointError, match="two layers are called 'Twin'"):
            to_arc(old())
        again = first()  # a cell that is run again: the same class to its author
        assert to_arc(old()) == "Twin\n" and isinstance(from_arc("Twin"), again)


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize(
        ("value", "got"),
        [
            (np.ones(3), "argument 1: ndarray"),
            (len, "argument 1: builtin_function_or_method"),
            ((1, np.ones(2)), "argument 1: a tuple"),
            ([nn.ReLU()], "argument 1: a list"),
        ],
    )
    def test_an_argument(self, value, got, tmp_path):
        class Holder(nn.Module):
            def __init__(self, value, scale=None):
                self.value = value

        with pytest.raises(CheckpointError) as caught:
            nn.Sequential(Holder(value)).save(tmp_path / "model")
        assert "Holder was made with something that model.arc cannot hold" in str(caught.value)
        assert got in str(caught.value) and "save_arc=False" in str(caught.value)
        assert not (tmp_path / "model").exists()
        with pytest.raises(CheckpointError, match="argument scale: dict"):
            to_arc(Holder(1, scale={}))

    def test_arrays_are_not_kept_alive(self):
        class Holder(nn.Module):
            def __init__(self, value):
                pass

        array = np.ones(3)
        before = sys.getrefcount(array)
        holder = Holder(array)
        assert sys.getrefcount(array) == before and holder is not None

    def test_what_two_layers_share(self):
        layer = nn.Linear(2, 2)
        with pytest.raises(CheckpointError, match=r"shared with Linear\.weight"):
            to_arc(nn.Sequential(layer, layer))
        tied = nn.Linear(2, 2)
        tied.weight = layer.weight
        with pytest.raises(CheckpointError, match=r"shared with Linear\.weight"):
            to_arc(nn.Sequential(layer, tied))
        relu = nn.ReLU()
        assert to_arc(nn.Sequential(relu, relu)).count("ReLU") == 2


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Liner(2, 3)", "no layer 'Liner' is known(.|\n)*did you mean 'Linear'"),
            ("os", "no layer 'os' is known(.|\n)*files never import"),
            ("Linear(2)", r"Linear\(2\) cannot be made(.|\n)*out_features"),
            ("Linear(2, -3)", "out_features is a whole number"),
            ("Linear(2, 3)\n  ReLU", "cannot be made"),
            ("Sequential(3)", "cannot be made"),
            ("Linear(2, 3, init='xavir')", "unknown initializer 'xavir'"),
            ("ReLU\n  0: ReLU\n  7: ReLU", "cannot be made"),
        ],
    )
    def test_lines(self, text, words):
        with pytest.raises(CheckpointError, match=words):
            from_arc(text)

    def test_folders(self, tmp_path):
        model = digits()
        model.save(tmp_path, save_arc=False)
        with pytest.raises(
            CheckpointError, match=r"no model.arc in(.|\n)*build the model yourself"
        ):
            nn.load_from_arc(tmp_path)
        fresh = digits()
        assert fresh.load(tmp_path) is fresh
        same(model, fresh)
        (tmp_path / "model.arc").write_text("Linear(784, 128)\n")
        with pytest.raises(CheckpointError, match="the state does not fit"):
            nn.load_from_arc(tmp_path)
        with pytest.raises(CheckpointError, match="no such folder"):
            nn.load_from_arc(tmp_path / "none")


def test_a_save_killed_half_way_leaves_the_old_model(tmp_path):
    script = """
        import os, sys
        import deepdive as dd
        from deepdive import nn
        from deepdive.io import safetensors
        whole = safetensors.pieces
        def half(*args):
            for piece in whole(*args):
                yield piece[: len(piece) // 2]
                os._exit(9)
        safetensors.pieces = half
        nn.Sequential(nn.Linear(100, 100), nn.ReLU()).save(sys.argv[1])
    """
    model = digits()
    model.save(tmp_path)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)])
    assert done.returncode == 9
    same(model, nn.load_from_arc(tmp_path))
    digits().save(tmp_path)
    assert len(nn.load_from_arc(tmp_path)) == 6


def test_save_keeps_what_else_belongs_to_a_model(tmp_path):
    from deepdive.io.checkpoint import load_folder

    model = nn.Sequential(nn.Linear(2, 1))
    model.save(tmp_path, extra={"epoch": 3, "loss": float("inf")})
    assert load_folder(tmp_path).extra == {"epoch": 3, "loss": float("inf")}
    model.save(tmp_path)
    assert load_folder(tmp_path).extra is None

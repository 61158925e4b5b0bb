"""Bad input: every mistake is a named exception that says what, got, expected, where and fix."""

import copy
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import datautils, nn, optim
from deepdive.datautils import MNIST, DataLoader
from deepdive.errors import (
    ArgumentError,
    DeepDiveError,
    DTypeError,
    GraphError,
    OperatorError,
    ShapeError,
)
from deepdive.tensor import Operator, Tensor

F = nn.functional
ROOT = Path(__file__).resolve().parent.parent


def says(kind, call, *words):
    """`call()` raises `kind` – and no subclass by accident – with all the `words`."""
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    for word in words:
        assert word in text, text
    assert isinstance(caught.value, DeepDiveError)
    return text


# --- shapes ------------------------------------------------------------------------------------


def ones(*shape):
    return dd.ones(*shape, requires_grad=True)


SHAPES = {
    "matmul": (
        lambda: ones(2, 3) @ ones(2, 3),
        "matmul: x is (2, 3) and y is (2, 3): 3 != 2",
        "expected: x (…, 2)",
        "fix: transpose one operand, e.g. x @ y.T",
    ),
    "matmul of unrelated sizes": (
        lambda: ones(2, 3) @ ones(5, 7),
        "3 != 5",
        "fix: give x 5 columns, or y 3 rows",
    ),
    "images into a matrix": (
        lambda: ones(2, 4, 5) @ ones(20, 3),
        "5 != 20",
        "fix: flatten x, x.flatten(1): (2, 20)",
    ),
    "add": (
        lambda: ones(2, 3) + ones(4, 3),
        "add: shapes (2, 3) and (4, 3) do not broadcast: axis 0 has 2 and 4",
        "expected: equal sizes, or 1, on each axis",
    ),
    "add, one axis short": (lambda: ones(2, 3) + ones(2), "axis -1 has 3 and 2", "y[..., None]"),
    "reshape": (
        lambda: ones(2, 3).reshape(4),
        "6 elements do not fill (4,)",
        "got: x of shape (2, 3)",
    ),
    "softmax": (lambda: F.softmax(ones(2, 3), 5), "axis 5 is out of range", "expected: -2 … 1"),
    "sum": (lambda: ones(2, 3).sum(axis=2), "axis 2 is out of range for shape (2, 3)", "-2 … 1"),
    "cat": (lambda: dd.cat([ones(2, 3), ones(3)]), "array 1 is (3,)", "expected: equal sizes"),
    "stack": (lambda: dd.stack([ones(2), ones(3)]), "array 1 is (3,)", "expected: equal shapes"),
    "item": (lambda: ones(2).item(), "one element", "got: shape (2,)", "fix: reduce it first"),
    "bool": (lambda: bool(ones(2)), "ambiguous", "got: shape (2,)", "fix: use .any() or .all()"),
    "ragged": (lambda: dd.tensor([[1, 2], [3]]), "fix: give every row the same length"),
    "grad": (lambda: setattr(ones(2), "grad", np.ones(3)), "got: (3,)", "expected: (2,)"),
    "seed": (lambda: (ones(2) * 2).backward(np.ones(3)), "got: (3,)", "expected: (2,)"),
    "data": (lambda: setattr(ones(2) * 2, "data", np.ones(3)), "keeps its shape", "detach()"),
    "conv2d": (
        lambda: F.conv2d(ones(1, 2, 8, 8), ones(4, 3, 3, 3)),
        "x is (1, 2, 8, 8) and w is (4, 3, 3, 3): 2 channels != 3",
    ),
    "too small": (
        lambda: F.conv2d(ones(1, 1, 2, 8), ones(4, 1, 3, 3)),
        "a window of 3 is larger than the input of 2",
        "fix: padding of 1",
    ),
    "cross_entropy": (
        lambda: F.cross_entropy(ones(2, 3), [0, 1, 1]),
        "input is (2, 3) and target is (3,)",
        "expected: one class number per sample: (2,)",
    ),
    "target": (
        lambda: F.cross_entropy(ones(2, 3), [0, 3]),
        "index 3 is out of range for 3 classes",
        "expected: 0 <= index < 3",
        "fix: subtract 1 if yours count from 1 to 3",
    ),
    "negative target": (
        lambda: F.nll_loss(ones(2, 3), [0, -1]),
        "index -1",
        "expected: 0 <= index",
    ),
    "embedding": (lambda: nn.Embedding(3, 2)([7]), "index 7 is out of range for 3 rows"),
    "layer norm": (lambda: nn.LayerNorm(3)(ones(2, 4)), "input is (2, 4)", "in LayerNorm((3,)"),
    "batch norm": (lambda: nn.BatchNorm2d(3)(ones(2, 3)), "2 axes", "expected: 4 axes"),
    "data set": (lambda: datautils.TensorDataset(ones(3), ones(4)), "got: (3,) and (4,)"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_wrong_shapes(name):
    call, *words = SHAPES[name]
    says(ShapeError, call, *words)
    with pytest.raises(ValueError):  # a ShapeError is one
        call()


class Storey(nn.Module):
    def __init__(self):
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(9, 8)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu()
        return x


class Skyscraper(nn.Module):
    def __init__(self):
        self.stem = nn.Linear(4, 8)
        self.body = nn.Sequential(nn.ReLU(), Storey())

    def forward(self, x):
        return self.body(self.stem(x))


def test_wrong_shape_three_modules_deep():
    text = says(
        ShapeError,
        lambda: Skyscraper()(np.ones((2, 4), np.float32)),
        "x is (2, 8) and y is (9, 8): 8 != 9",
        "expected: x (…, 9)",
        "in Skyscraper.body.1.layers.1: Linear(in_features=9, out_features=8)",
        "fix: ",
    )
    assert text.count("in Skyscraper") == 1  # the whole path, once
    says(ShapeError, lambda: Skyscraper()(ones(2, 5)), "in Skyscraper.stem: Linear(in_features=4")


def test_where_also_names_a_backward():
    class Wrong(Operator):
        def forward(self, xp, x):
            return x * 1.0

        def backward(self, xp, grad, x):
            return grad[0]

    says(
        OperatorError,
        Wrong()(ones(2, 3)).sum().backward,
        "backward of Wrong: a gradient of the wrong shape",
        "got: (3,)",
        "expected: (2, 3)",
    )


# --- dtypes ------------------------------------------------------------------------------------

DTYPES = {
    "integer requires_grad": (
        lambda: dd.tensor([1, 2], requires_grad=True),
        "only floating tensors have gradients",
        "got: dtype int64",
        "expected: float32",
        "fix: convert first",
    ),
    "the same by the class": (lambda: Tensor([1, 2], requires_grad=True), "got: dtype int64"),
    "the same later": (lambda: dd.tensor([1]).requires_grad_(), "got: dtype int64"),
    "text": (lambda: dd.tensor(["a"]), "these are no numbers", "got: list ['a']"),
    "None": (lambda: dd.tensor(None), "these are no numbers", "got: NoneType None"),
    "a dict": (lambda: Tensor({1: 2}), "these are no numbers", "got: dict {1: 2}"),
    "text in a sum": (lambda: ones(2) + "a", "no numbers", "got: str 'a'"),
    "complex": (lambda: dd.tensor(1j), "no dtype", "expected: bool, uint8"),
    "unknown": (
        lambda: dd.tensor(1.0, dtype="float31"),
        "'float31'",
        "fix: did you mean 'float32'",
    ),
    "float classes": (
        lambda: F.cross_entropy(ones(2, 3), np.array([0.0, 1.0])),
        "class numbers and indices are integers",
        "got: dtype float",
        "expected: integers",
        "fix: use integers",
    ),
    "float indices": (
        lambda: nn.Embedding(3, 2)(np.array([0.5])),
        "got: dtype float",
        "in Embedding(3, 2)",
    ),
    "an index": (lambda: ones(3)[0.5], "an index must be an integer", "got: 0.5"),
    "a model of integers": (lambda: nn.Linear(2, 2).to("int64"), "fractions", "got: int64"),
    "the default": (lambda: dd.set_default_dtype("int64"), "got: int64", "expected: float16"),
}


@pytest.mark.parametrize("name", DTYPES)
def test_wrong_dtypes(name):
    call, *words = DTYPES[name]
    says(DTypeError, call, *words)
    with pytest.raises(TypeError):
        call()


# --- the graph ---------------------------------------------------------------------------------


def twice():
    loss = ones(2).exp().sum()
    loss.backward()
    loss.backward()


def change_of_a_saved_array():
    x = ones(3)
    y = (x * 1).exp()
    y.data *= 2
    y.sum().backward()


def change_by_an_optimizer():
    w = ones(3)
    loss = (w * w).sum()
    w.grad = np.ones(3, np.float32)
    optim.SGD([w], lr=0.1).step()
    loss.backward()


def parameter_step_without_no_grad():
    for p in nn.Linear(2, 2).parameters():
        p -= 0.1 * p.detach()


def parameter_item():
    nn.Linear(2, 2).weight[0, 0] = 1.0


GRAPHS = {
    "second backward": (
        twice,
        "already freed (at Sum)",
        "fix: call the first backward(retain_graph",
    ),
    "non-scalar": (
        lambda: (ones(2) * 2).backward(),
        "only a tensor of one element",
        "got: shape (2,)",
        "fix: reduce it first (loss.mean().backward())",
    ),
    "nothing tracked": (
        lambda: dd.tensor(1.0).backward(),
        "tracks no gradient",
        "fix: make its inputs with requires_grad=True",
    ),
    "under no_grad": (dd.no_grad(lambda: ones(2).sum().backward()), "outside no_grad()"),
    "in place": (
        lambda: ones(2).add_(1),
        "add_: this tensor is tracked",
        "got: <AccumulateGrad>",
        "fix: write x = x.add(…)",
        "with deepdive.no_grad()",
    ),
    "in place, without a twin": (
        lambda: ones(2).zero_(),
        "fix: do it inside `with deepdive.no_grad",
    ),
    "a saved array": (
        change_of_a_saved_array,
        "backward of Exp: an array it saved was changed in place",
        f"a (3,) array, changed by {__file__}:",
        "expected: the values the forward pass saw",
        "fix: call backward() before the change",
    ),
    "an optimizer's step": (change_by_an_optimizer, "changed by an optimizer step"),
    "p -= …": (parameter_step_without_no_grad, "p -= value", "fix: write p.data -= value"),
    "p[0] = …": (parameter_item, "p[…] = value", "fix: write p.data[…] = value"),
    "requires_grad off": (
        lambda: (ones(2) * 2).requires_grad_(False),
        "computed from others",
        "got: grad_fn=<MulBackward0>",
        "fix: use .detach()",
    ),
    "deepcopy": (
        lambda: copy.deepcopy(ones(2) * 2),
        "only leaves",
        "fix: use .detach",
    ),
    "hook": (lambda: dd.ones(2).register_hook(print), "tracks no gradient", "requires_grad_()"),
    "no function": (lambda: ones(2).register_hook(3), "a hook is a function", "got: 3"),
    "draw_graph": (lambda: dd.ones(2).draw_graph(), "tracks no gradient", "fix: compute it from"),
    "grad": (lambda: dd.grad(ones(1), dd.ones(1)), "inputs[0] tracks no gradient", "fix: make it"),
    "unused": (
        lambda: dd.grad(ones(1), ones(1)),
        "no part in the outputs",
        "fix: pass allow_unused",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graph(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, *words = GRAPHS[name]
    says(GraphError, call, *words)
    with pytest.raises(RuntimeError):
        call()


# --- arguments ---------------------------------------------------------------------------------


def weights():
    return nn.Linear(2, 2).parameters()


ARGUMENTS = {
    "features": (lambda: nn.Linear(-1, 3), "in_features is a whole number", "got: -1"),
    "kernel": (lambda: nn.Conv2d(1, 4, 0), "kernel_size[0] is a whole number", "got: 0"),
    "groups": (
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        "groups divides the channels",
        "got: groups=2",
    ),
    "probability": (lambda: nn.Dropout(2), "p is a probability", "got: 2"),
    "reduction": (lambda: nn.MSELoss("avg"), "'avg'", "expected: 'mean' or 'sum' or 'none'"),
    "init": (lambda: nn.Linear(2, 2, init="xavir"), "'xavir'", "fix: did you mean 'xavier'"),
    "a class": (lambda: nn.Sequential(nn.ReLU), "only modules", "fix: make it first: ReLU()"),
    "a list": (lambda: nn.Sequential([nn.ReLU()]), "only modules", "fix: unpack it: Sequential(*"),
    "a plain tensor": (
        lambda: setattr(nn.Linear(2, 2), "weight", dd.ones(2, 2)),
        "Linear.weight is a parameter",
        "fix: write .weight = nn.Parameter(…)",
    ),
    "lr": (lambda: optim.SGD(weights(), lr=-1), "lr is out of range", "got: -1", "a number >= 0"),
    "betas": (
        lambda: optim.Adam(weights(), betas=(1, 0)),
        "got: (1, 0)",
        "expected: two numbers in",
    ),
    "nesterov": (lambda: optim.SGD(weights(), 0.1, nesterov=True), "nesterov needs momentum"),
    "misspelt": (
        lambda: optim.SGD(weights(), lr=0.1, momentun=0.9),
        "no hyper-parameter 'momentun'",
        "did you mean 'momentum'?",
    ),
    "no parameters": (lambda: optim.SGD([], 0.1), "no parameters", "got: an empty collection"),
    "one tensor": (lambda: optim.SGD(ones(2), 0.1), "got: one Tensor", "fix: SGD([tensor])"),
    "no leaf": (
        lambda: optim.SGD([ones(2) * 2], 0.1),
        "only leaves",
        "got: grad_fn=<MulBackward0>",
    ),
    "a group": (
        lambda: optim.SGD([{"params": weights(), "weight_deacy": 1.0}], lr=1.0),
        "weight_deacy",
        "fix: did you mean 'weight_decay'",
    ),
    "batch size": (lambda: DataLoader([1, 2], 0), "batch size", "at least 1", "got: 0"),
    "two sizes": (
        lambda: DataLoader([1], 2, batchsize=3),
        "batch_size and batchsize",
        "got: 2 and 3",
    ),
    "sampler": (lambda: DataLoader([1], shuffle=True, sampler=[0]), "leave shuffle out"),
    "workers": (lambda: DataLoader([1], num_workers=-1), "num_workers must be >= 0", "got: -1"),
    "no data set": (lambda: DataLoader(5), "got: int", "expected: __getitem__ and __len__"),
    "split": (lambda: datautils.random_split([1, 2], [1, 2]), "got: [1, 2] for 2", "sum 2"),
    "std": (lambda: datautils.Normalize(0, 0), "std must be positive", "got: 0"),
    "seed": (lambda: dd.manual_seed("a"), "a seed is an integer", "got: 'a'", "expected: -2**63"),
    "dash": (lambda: dd.dash.Dash(0), "number of metrics", "got: 0"),
    "dash update": (lambda: dd.dash.Dash(2).update(1), "got: 1 values", "expected: metric 1"),
    "layer name": (
        lambda: nn.register_layer("Linear", Skyscraper),
        "'Linear'",
        "fix: choose another name",
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name):
    call, *words = ARGUMENTS[name]
    says(ArgumentError, call, *words)


CALLS = {
    "unknown": (lambda: ones(2).sum(bogus=1), "'bogus'", "expected: "),
    "near": (lambda: ones(2).softmax(dmi=0), "unknown argument 'dmi'", "fix: did you mean 'dim'?"),
    "twice": (lambda: ones(2).sum(0, dim=0), "got twice 'dim'"),
    "too many": (lambda: dd.exp(ones(2), 1, 2), "takes 1 arguments", "got: 3"),
    "missing": (lambda: dd.mul(ones(2)), "missing argument 'y'", "expected: "),
    "None": (lambda: ones(2) + None, "y is None", "expected: a tensor, an array or a number"),
    "no tensor": (lambda: dd.cat([]), "no tensor among the arguments"),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_of_operators(name):
    call, *words = CALLS[name]
    says(OperatorError, call, *words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.Linear(2, 2, biass=True), "biass"),
        (lambda: DataLoader([1], batch=2), "batch"),
        (lambda: MNIST(path="."), "path"),
    ],
)
def test_unknown_keywords_are_type_errors(call, words):
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: dd.sofmax, "did you mean 'softmax'"),
        (lambda: Skyscraper().stm, "did you mean 'stem'"),
        (lambda: dd.tensor.Ad, "did you mean 'Add'"),
    ],
)
def test_misspelt_names(call, hint):
    with pytest.raises(AttributeError, match=hint):
        call()

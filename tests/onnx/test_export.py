"""ONNX files: onnxruntime computes with them what the models compute."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, DeepDiveError
from deepdive.nn import functional as F

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
ROOT = Path(__file__).resolve().parents[2]


def run(path, *arrays):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


def image(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


class Skip(nn.Module):
    def __init__(self):
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        return F.relu(x + self.norm(self.conv(x)))


class Attention(nn.Module):
    """Words (B, T) → logits (B, T, 20)."""

    def __init__(self):
        self.token, self.place = nn.Embedding(20, 16), nn.Embedding(6, 16)
        self.qkv, self.norm = nn.Linear(16, 48), nn.LayerNorm(16)
        self.head = nn.Linear(16, 20)
        self.register_buffer("mask", dd.tril(dd.ones(6, 6)), persistent=False)

    def forward(self, index):
        B, T = index.shape
        x = self.token(index) + self.place(dd.arange(T))
        q, k, v = (
            p.reshape(B, T, 2, 8).transpose(1, 2) for p in self.qkv(self.norm(x)).split(16, 2)
        )
        scores = (q @ k.transpose(-2, -1)) * 8**-0.5
        scores = scores.masked_fill(self.mask == 0, float("-inf"))
        mixed = F.softmax(scores, -1) @ v
        x = x + F.gelu(mixed.transpose(1, 2).reshape(B, T, 16))
        return self.head(x)


class Two(nn.Module):
    def __init__(self):
        self.a = nn.Linear(3, 2)

    def forward(self, x, y):
        h = self.a(x)
        return h * y, (h.sum(1), h.argmax(1))[1]


CNN = [nn.Conv2d, nn.BatchNorm2d]

MODELS = {
    "mlp": (
        lambda: nn.Sequential(
            *(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(16, 4), nn.LogSoftmax(-1)),
        ),
        (image(3, 8),),
    ),
    "cnn": (
        lambda: nn.Sequential(
            *(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(), Skip()),
            *(nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 5), nn.Softmax(-1)),
        ),
        (image(2, 1, 24, 24),),
    ),
    "activations": (
        lambda: nn.Sequential(
            *(nn.Linear(6, 6), nn.GELU(), nn.Tanh(), nn.Linear(6, 6), nn.ELU(), nn.Sigmoid()),
            *(nn.LeakyReLU(0.1), nn.Softplus(), nn.Hardtanh(), nn.SiLU()),
        ),
        (image(5, 6),),
    ),
    "transposed convolution": (
        lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
        (image(2, 3, 5, 5),),
    ),
    "groups and dilation": (
        lambda: nn.Conv2d(4, 8, 3, groups=2, dilation=2, padding=2),
        (image(2, 4, 9, 9),),
    ),
    "attention": (Attention, (np.arange(12).reshape(2, 6) % 20,)),
    "two inputs and outputs": (Two, (image(4, 3), image(4, 2))),
    "GRU": (lambda: FirstOf(nn.GRU(3, 5, batch_first=True)), (image(2, 4, 3),)),
    "LSTM": (
        lambda: FirstOf(nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True)),
        (image(2, 4, 3),),
    ),
    "GPT of the examples": (lambda: gpt(11), (np.arange(24).reshape(3, 8) % 11,)),
}


def gpt(vocabulary):
    example = runpy.run_path(str(ROOT / "examples" / "gpt.py"))
    return example["GPT"](vocabulary, context=8, width=16, heads=2, layers=2)


class FirstOf(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return self.inner(x)[0]


@pytest.mark.parametrize("name", MODELS)
def test_onnxruntime_computes_the_same(name, tmp_path):
    make, arrays = MODELS[name]
    dd.manual_seed(0)
    model = make()
    model.train()
    state = dd.get_rng_state()
    path = dd.onnx.export(model, arrays, tmp_path / "model.onnx")
    assert model.training
    assert dd.get_rng_state() == state
    model.eval()
    for times in (1, 2, 5):  # batches of any length
        more = [np.concatenate([x] * times) for x in arrays]
        expected = model(*map(dd.tensor, more))
        expected = expected if isinstance(expected, tuple) else (expected,)
        for ours, theirs in zip(expected, run(path, *more), strict=True):
            np.testing.assert_allclose(theirs, ours.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_names_and_a_fixed_batch(tmp_path):
    model = nn.Linear(3, 2)
    path = dd.onnx.export(
        model,
        image(4, 3),
        tmp_path / "m.onnx",
        input_names=["x"],
        output_names=["scores"],
        dynamic_batch=False,
    )
    graph = onnx.load(path).graph
    assert [item.name for item in graph.input] == ["x"]
    assert [item.name for item in graph.output] == ["scores"]
    dims = graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [4, 3]
    dd.onnx.export(model, image(4, 3), path)
    dims = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert (dims[0].dim_param, dims[1].dim_value) == ("batch", 3)


def test_weights_are_folded(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    path = dd.onnx.export(model, image(4, 3), tmp_path / "m.onnx")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert "Sqrt" not in kinds  # what batch norm makes of its statistics alone
    assert "Transpose" not in kinds


class Sorting(nn.Module):
    def forward(self, x):
        return x.sort(-1)[0]


class OverBatch(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


class Random(nn.Module):
    def forward(self, x):
        return x + dd.rand(3)


def test_what_cannot_be_exported_is_explained(tmp_path):
    path = tmp_path / "m.onnx"
    with pytest.raises(DeepDiveError, match="has no ONNX operators here"):
        dd.onnx.export(Sorting(), image(2, 3), path)
    with pytest.raises(DeepDiveError, match="random numbers in evaluation mode"):
        dd.onnx.export(Random(), image(2, 3), path)
    with pytest.raises(ArgumentError, match="1 different input names"):
        dd.onnx.export(nn.Linear(3, 1), image(2, 3), path, input_names=["a", "b"])
    with pytest.raises(ArgumentError, match="first axis"):
        dd.onnx.export(nn.Linear(3, 1), np.float32(1), path)
    assert not path.exists()
    dd.onnx.export(OverBatch(), image(2, 3), path, dynamic_batch=False)


def test_without_the_package(tmp_path):
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'onnx' else found(n, *a)\n"
        "import deepdive as dd, numpy as np\n"
        "try: dd.onnx.export(dd.nn.Linear(2, 1), np.ones((1, 2), 'f4'), 'x.onnx')\n"
        "except dd.errors.MissingExtraError as error: print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert "pip install 'deepdive-ml[onnx]'" in result.stdout, result.stderr

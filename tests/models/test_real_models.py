"""Real models: written in PyTorch, saved as safetensors, loaded here by name; the logits agree."""

import importlib.util
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn as tnn

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import sharded
from deepdive.nn import functional as F

pytest.importorskip("safetensors", reason="PyTorch's side saves with it")
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent.parent


def example(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agree(ours, theirs, atol=1e-4):
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-4, atol=atol)


# --- GPT-2, as in Hugging Face's transformers ---------------------------------------------------
class Conv1D(nn.Module):
    """A linear layer with its weights the other way round: (in, out)."""

    def __init__(self, outputs, inputs):
        self.weight = nn.Parameter(0.02 * dd.randn(inputs, outputs))
        self.bias = nn.Parameter(dd.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    def __init__(self, D, heads):
        self.heads = heads
        self.c_attn, self.c_proj = Conv1D(3 * D, D), Conv1D(D, D)

    def forward(self, x):
        B, T, D = x.shape
        parts = self.c_attn(x).reshape(B, T, 3, self.heads, D // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(out.transpose(1, 2).reshape(B, T, D))


class MLP(nn.Module):
    def __init__(self, D):
        self.c_fc, self.c_proj = Conv1D(4 * D, D), Conv1D(D, 4 * D)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), "tanh"))


class Block(nn.Module):
    def __init__(self, D, heads):
        self.ln_1, self.attn = nn.LayerNorm(D), Attention(D, heads)
        self.ln_2, self.mlp = nn.LayerNorm(D), MLP(D)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    def __init__(self, vocabulary, context, D, layers, heads):
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocabulary, D),
                "wpe": nn.Embedding(context, D),
                "h": nn.ModuleList([Block(D, heads) for _ in range(layers)]),
                "ln_f": nn.LayerNorm(D),
            }
        )
        self.lm_head = nn.Linear(D, vocabulary, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight  # shared

    def forward(self, tokens):
        parts = self.transformer
        x = parts["wte"](tokens) + parts["wpe"](dd.arange(tokens.shape[1]))
        for block in parts["h"]:
            x = block(x)
        return self.lm_head(parts["ln_f"](x))


@pytest.fixture(scope="module")
def gpt2():
    transformers = pytest.importorskip("transformers", reason="GPT-2 is written there")
    sizes = {"vocab_size": 300, "n_positions": 32, "n_embd": 48, "n_layer": 3, "n_head": 4}
    torch.manual_seed(0)
    config = transformers.GPT2Config(**sizes, attn_pdrop=0, embd_pdrop=0, resid_pdrop=0)
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms that are not just 0 and 1
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def tokens():
    return np.random.default_rng(0).integers(0, 300, (2, 20))


@pytest.mark.parametrize("shard", ["1GB", "60KB"])
def test_gpt2_of_transformers(gpt2, tmp_path, shard):
    gpt2.save_pretrained(tmp_path, max_shard_size=shard)
    assert (tmp_path / sharded.INDEX).exists() == (shard == "60KB")
    ours = GPT2(300, 32, 48, 3, 4)
    report = dd.interop.load_into(ours, tmp_path)
    assert report.complete and "lm_head.weight" in report.loaded
    with torch.no_grad():
        want = gpt2(torch.tensor(tokens())).logits
    agree(ours(tokens()), want)


def test_gpt2_in_bfloat16(gpt2, tmp_path):
    import copy

    rounded = copy.deepcopy(gpt2).to(torch.bfloat16)
    rounded.save_pretrained(tmp_path)
    ours = GPT2(300, 32, 48, 3, 4)
    dd.interop.load_into(ours, tmp_path / "model.safetensors")
    with torch.no_grad():  # the same rounded weights, computed with in float32
        agree(ours(tokens()), rounded.float()(torch.tensor(tokens())).logits)


def test_gpt2_trains_alike(gpt2):
    """From equal weights the losses of ten steps are equal, and so are the gradients."""
    import copy

    theirs = copy.deepcopy(gpt2).train()
    ours = GPT2(300, 32, 48, 3, 4)
    state = dd.interop.from_torch_state_dict(theirs.state_dict())
    assert ours.load_state_dict(state).complete
    optimizers = [dd.optim.SGD(ours.parameters(), 0.1), torch.optim.SGD(theirs.parameters(), 0.1)]
    x, y = tokens(), np.roll(tokens(), -1, 1)
    for _ in range(10):
        loss = F.cross_entropy(ours(x).reshape(-1, 300), y.reshape(-1))
        logits = theirs(torch.tensor(x)).logits.reshape(-1, 300)
        want = tnn.functional.cross_entropy(logits, torch.tensor(y.reshape(-1)))
        for optimizer, value in zip(optimizers, (loss, want), strict=True):
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        assert abs(loss.item() - want.item()) < 1e-4


# --- ResNet-18, as in torchvision ---------------------------------------------------------------
class TorchBlock(tnn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = tnn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = tnn.BatchNorm2d(outputs)
        self.relu = tnn.ReLU(inplace=True)
        self.conv2 = tnn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = tnn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            fit = tnn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = tnn.Sequential(fit, tnn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class TorchResNet18(tnn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.conv1 = tnn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = tnn.BatchNorm2d(width)
        self.maxpool = tnn.MaxPool2d(3, 2, 1)
        sizes = [width, width, 2 * width, 4 * width, 8 * width]
        for i, (a, b) in enumerate(pairwise(sizes)):
            blocks = TorchBlock(a, b, 2 if i else 1), TorchBlock(b, b, 1)
            setattr(self, f"layer{i + 1}", tnn.Sequential(*blocks))
        self.avgpool = tnn.AdaptiveAvgPool2d(1)
        self.fc = tnn.Linear(8 * width, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def test_resnet18_of_torchvision(tmp_path):
    torch.manual_seed(0)
    theirs = TorchResNet18(16, 1000)
    x = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype("float32")
    for _ in range(3):
        theirs(torch.tensor(x))  # running moments of their own
    save_file(theirs.state_dict(), tmp_path / "resnet18.safetensors")
    module = example("resnet")
    ours = module.ResNet(classes=1000, stem="imagenet", width=16)
    report = dd.interop.load_into(ours, tmp_path / "resnet18.safetensors")
    assert report.complete and len(report.loaded) == len(theirs.state_dict())
    for mode in (False, True):
        ours.train(mode), theirs.train(mode)
        agree(ours(x), theirs(torch.tensor(x)))
    fewer = module.ResNet(stem="imagenet", width=16)
    before = fewer.fc.weight.numpy().copy()
    module.load_weights(fewer, tmp_path / "resnet18.safetensors")
    assert np.array_equal(fewer.fc.weight.numpy(), before)
    kernel = theirs.conv1.weight.detach().numpy()
    assert np.array_equal(fewer.conv1.weight.numpy(), kernel)


# --- an LSTM and a transformer encoder -----------------------------------------------------------
def sequence_models(n, kind):
    """The same text makes PyTorch's model and ours."""

    class Model(n.Module):
        def __init__(self):
            super().__init__()
            self.token = n.Embedding(50, 16)
            if kind == "lstm":
                self.body = n.LSTM(16, 24, 2, batch_first=True, bidirectional=True)
                self.head = n.Linear(48, 50)
            else:
                layer = n.TransformerEncoderLayer(16, 4, 32, 0.0, "gelu", batch_first=True)
                self.body = n.TransformerEncoder(layer, 2)
                self.head = n.Linear(16, 50)

        def forward(self, x):
            x = self.body(self.token(x))
            return self.head(x[0] if kind == "lstm" else x)

    return Model()


@pytest.mark.parametrize("kind", ["lstm", "encoder"])
def test_sequence_models_load_by_name(tmp_path, kind):
    torch.manual_seed(0)
    theirs, ours = sequence_models(tnn, kind), sequence_models(nn, kind)
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    assert dd.interop.load_into(ours, tmp_path).complete
    x = np.random.default_rng(0).integers(0, 50, (3, 11))
    for mode in (True, False):
        ours.train(mode), theirs.train(mode)
        agree(ours(x), theirs(torch.tensor(x)))


# --- what loading refuses, and how it helps -----------------------------------------------------
def test_state_dicts_of_pytorch():
    theirs = tnn.Linear(3, 2).to(torch.bfloat16)
    state = dd.interop.from_torch_state_dict(theirs.state_dict())
    assert state["weight"].dtype == "float32"
    assert np.array_equal(state["weight"].numpy(), theirs.weight.detach().float().numpy())
    state["weight"].data[...] = 0
    assert theirs.weight.abs().sum() > 0  # memory of its own
    one = dd.interop.from_torch_state_dict(theirs.state_dict(), {"w": "model.w"}, "float64")
    assert [*one] == ["model.weight", "bias"] and one["bias"].dtype == "float64"
    none = dd.interop.from_torch_state_dict(theirs.state_dict(), lambda name: None)
    assert none == {}
    for wrong, words in (([1], "maps names"), ({"w": "no"}, "'w' is no tensor")):
        with pytest.raises(ArgumentError, match=words):
            dd.interop.from_torch_state_dict(wrong)
    with pytest.raises(ArgumentError, match="two tensors"):
        dd.interop.from_torch_state_dict(theirs.state_dict(), lambda name: "same")


def test_sharded_files(tmp_path):
    arrays = {f"w{i}": np.full((4, 4), i, "float32") for i in range(5)}
    names = sharded.save(tmp_path, arrays, max_shard_size=128)
    assert len(names) == 3 and (tmp_path / sharded.INDEX).exists()
    back = sharded.load(tmp_path)
    assert [*back] == [*arrays]
    assert all(np.array_equal(back[name], arrays[name]) for name in arrays)
    assert sharded.save(tmp_path / "one", arrays) == ["model.safetensors"]
    index = json.loads((tmp_path / sharded.INDEX).read_text())
    for shard, words in (("../secret", "same folder"), (names[0], "not in"), (7, "said to be")):
        index["weight_map"]["w4"] = shard
        (tmp_path / sharded.INDEX).write_text(json.dumps(index))
        with pytest.raises(CheckpointError, match=words):
            sharded.load(tmp_path)
    (tmp_path / sharded.INDEX).write_text("[]")
    with pytest.raises(CheckpointError, match="no index"):
        sharded.load(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CheckpointError, match="no weights"):
        sharded.load(empty)

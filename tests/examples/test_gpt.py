"""The character GPT: the losses of a twin in PyTorch, and a short run from the command line."""

import math
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import deepdive as dd
from deepdive.datautils import CharDataset, DataLoader, RandomSampler

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "gpt.py"


@pytest.fixture(scope="module")
def example():
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE)))


@pytest.fixture
def text(shared):
    return (shared("data/tinyshakespeare") / "input.txt").read_text()


def twin_of(model, layers=4, heads=4):
    """The same network and the same weights in PyTorch, written with its own attention."""
    torch = pytest.importorskip("torch")
    weights = {
        name: torch.tensor(value.numpy(), requires_grad=True)
        for name, value in model.named_parameters()
    }

    def norm(x, name):
        return torch.nn.functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"])

    def forward(index):
        B, T = index.shape
        x = weights["token.weight"][index] + weights["place.weight"][:T]
        for i in range(layers):
            h = norm(x, f"blocks.{i}.ln1") @ weights[f"blocks.{i}.attention.qkv.weight"].T
            q, k, v = (part.reshape(B, T, heads, -1).transpose(1, 2) for part in h.chunk(3, -1))
            h = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            h = h.transpose(1, 2).reshape(B, T, -1)
            x = x + h @ weights[f"blocks.{i}.attention.proj.weight"].T
            h = norm(x, f"blocks.{i}.ln2") @ weights[f"blocks.{i}.up.weight"].T
            x = x + torch.nn.functional.gelu(h) @ weights[f"blocks.{i}.proj.weight"].T
        return norm(x, "norm") @ weights["head.weight"].T

    return weights, forward


def pytorch_losses(model, batches, rate, steps):
    torch = pytest.importorskip("torch")
    weights, forward = twin_of(model)
    groups = [
        {"params": [w for w in weights.values() if w.ndim == 2], "weight_decay": 0.1},
        {"params": [w for w in weights.values() if w.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    losses = []
    for x, y in batches:
        for group in optimizer.param_groups:
            group["lr"] = rate(len(losses), steps)
        logits = forward(torch.tensor(x))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(y).flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    ("eager", "steps"),
    [
        pytest.param(True, 10, id="eager"),
        pytest.param(True, 100, id="eager-100", marks=pytest.mark.slow),
        pytest.param(False, 100, id="compiled-100", marks=pytest.mark.slow),
    ],
)
def test_its_losses_are_those_of_pytorch(example, text, eager, steps):
    data = CharDataset(text[:200_000], 64)
    vocabulary = len(data.vocabulary)
    dd.manual_seed(1)
    model = example.GPT(vocabulary)
    twin = example.GPT(vocabulary)
    twin.load_state_dict(model.state_dict())
    state = dd.get_rng_state()
    ours = example.train(model, data, SimpleNamespace(eager=eager, steps=steps, batch=12))
    dd.set_rng_state(state)  # the same windows again
    draws = RandomSampler(data, replacement=True, num_samples=12 * steps)
    batches = DataLoader(data, 12, sampler=draws)
    theirs = pytorch_losses(twin, batches, example.rate, steps)
    assert ours[0] == pytest.approx(math.log(vocabulary), rel=0.05)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def run(folder, data, *words, timeout=300):
    result = subprocess.run(
        [sys.executable, str(EXAMPLE), "--data", str(data), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_runs_and_writes(tmp_path, text):
    (tmp_path / "some.txt").write_text(text[:3000])
    words = ("--steps", "3", "--batch", "2", "--context", "16", "--write", "20", "--eager")
    printed = run(tmp_path, "some.txt", *words)
    assert re.search(r"validation loss \d\.\d\d\d nats", printed)
    assert len(printed.split("per character\n")[1]) == 22  # the first character, 20, the line's end
    assert (tmp_path / "runs" / "gpt" / "weights.safetensors").is_file()


@pytest.mark.slow
def test_it_learns_what_nanogpt_learns(tmp_path, shared, text):
    printed = run(tmp_path, shared("data/tinyshakespeare") / "input.txt", timeout=1800)
    assert float(re.search(r"validation loss ([\d.]+)", printed).group(1)) <= 1.90
    written = words_of(printed.split("per character\n")[1])
    known = set(words_of(text))
    assert np.mean([word in known for word in written]) > 0.6


def words_of(text):
    return re.findall(r"[a-z]+", text.lower())

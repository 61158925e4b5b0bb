"""Hugging Face's folder layout: what we save, others load; a save is whole or did not happen."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, CheckpointError
from deepdive.io import folder as folders
from deepdive.io import sharded

_spec = importlib.util.spec_from_file_location(
    "real_models", Path(__file__).with_name("test_real_models.py")
)
real = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(real)


def net(seed=0):
    dd.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4))


@pytest.mark.parametrize("size", ["5GB", 300, "1KB"])
def test_safetensors_own_readers_agree(tmp_path, size):
    from safetensors.numpy import load_file
    from safetensors.torch import load_file as load_torch

    model = net()
    names = dd.interop.save_pretrained(model, tmp_path, {"width": 16}, size)
    assert (len(names) > 1) == (size != "5GB")
    arrays, tensors = {}, {}
    for name in names:
        arrays |= load_file(tmp_path / name)
        tensors |= load_torch(tmp_path / name)
    state = model.state_dict()
    assert arrays.keys() == tensors.keys() == state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(arrays[name], value.numpy())
        np.testing.assert_array_equal(tensors[name].numpy(), value.numpy())
    if len(names) > 1:
        index = json.loads((tmp_path / sharded.INDEX).read_text())
        assert set(index["weight_map"].values()) == set(names)
        assert index["metadata"]["total_size"] == sum(a.nbytes for a in arrays.values())
    other = net(1)
    assert dd.interop.load_pretrained(other, tmp_path).complete
    x = dd.randn(5, 8)
    assert dd.equal(model.eval()(x), other.eval()(x))
    config = dd.interop.load_config(tmp_path)
    assert config == {"width": 16, "library_name": "deepdive", "deepdive_version": dd.__version__}


@pytest.mark.parametrize("size", ["5GB", "60KB"])
def test_transformers_loads_our_gpt2(tmp_path, size):
    transformers = pytest.importorskip("transformers", reason="GPT-2 is written there")
    dd.manual_seed(0)
    ours = real.GPT2(300, 32, 48, 3, 4)
    config = transformers.GPT2Config(
        vocab_size=300, n_positions=32, n_embd=48, n_layer=3, n_head=4
    ).to_dict()
    dd.interop.save_pretrained(ours, tmp_path, config, size)
    theirs, report = transformers.GPT2LMHeadModel.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with torch.no_grad():
        logits = theirs.eval()(torch.tensor(real.tokens())).logits
    real.agree(ours(real.tokens()), logits, atol=1e-5)
    again = real.GPT2(300, 32, 48, 3, 4)
    assert dd.interop.load_pretrained(again, tmp_path).complete  # the shared weight is there once
    assert again.lm_head.weight is again.transformer["wte"].weight
    assert dd.equal(again(real.tokens()), ours(real.tokens()))


def test_a_smaller_save_leaves_no_old_weights(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    dd.interop.save_pretrained(net(), tmp_path, max_shard_size=300)
    dd.interop.save_pretrained(net(1), tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["config.json", "model.safetensors", "notes.txt"]
    other = net(2)
    dd.interop.load_pretrained(other, tmp_path)
    assert dd.equal(other[0].weight, net(1)[0].weight)
    dd.interop.save_pretrained(net(), tmp_path, max_shard_size=300)
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("sizes", [("5GB", "5GB"), (300, "5GB"), ("5GB", 300), (300, 300)])
def test_killed_while_the_files_move_in_the_new_save_counts_as_a_whole(
    tmp_path, monkeypatch, sizes
):
    dd.interop.save_pretrained(net(), tmp_path, {"save": 0}, sizes[0])
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_move", lambda folder: None)  # killed before step 3
        dd.interop.save_pretrained(net(1), tmp_path, {"save": 1}, sizes[1])
    other = net(2)
    dd.interop.load_pretrained(other, tmp_path)
    assert dd.equal(other[0].weight, net(1)[0].weight)
    assert dd.interop.load_config(tmp_path)["save"] == 1


def test_a_save_that_fails_changes_nothing(tmp_path):
    dd.interop.save_pretrained(net(), tmp_path, {"save": 0})
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    for bad in ({"x": float("nan")}, {"x": dd.ones(2)}, {"x": {1, 2}}):
        with pytest.raises(ArgumentError, match="JSON"):
            dd.interop.save_pretrained(net(1), tmp_path, bad)
    for size in (0, "0MB", "many", "5XB", -1):
        with pytest.raises(ArgumentError, match="max_shard_size"):
            dd.interop.save_pretrained(net(1), tmp_path, None, size)
    assert before == {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}


def test_damaged_folders_are_explained(tmp_path):
    with pytest.raises(CheckpointError, match="no such folder"):
        dd.interop.load_config(tmp_path / "none")
    with pytest.raises(CheckpointError, match="no weights"):
        dd.interop.load_pretrained(net(), tmp_path)
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        dd.interop.load_config(tmp_path)
    for text in ("[1]", "{", "[" * 100_000):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match="JSON"):
            dd.interop.load_config(tmp_path)
    names = dd.interop.save_pretrained(net(), tmp_path, max_shard_size=300)
    os.remove(tmp_path / names[0])
    with pytest.raises(CheckpointError, match="where the index says"):
        dd.interop.load_pretrained(net(), tmp_path)

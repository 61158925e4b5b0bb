"""The summary of a model, compared with counts made by hand."""

import numpy as np
import pytest

from deepdive import config
from deepdive.core.tensor import Tensor
from deepdive.dash import summary
from deepdive.errors import ArgumentError

Module = pytest.importorskip("deepdive.nn.module").Module


class Dense(Module):
    def __init__(self, inputs, outputs):
        self.weight = weight(outputs, inputs)
        self.bias = weight(outputs)

    def forward(self, x):
        return x @ self.weight.T + self.bias


class Net(Module):
    def __init__(self):
        self.first = Dense(784, 128)
        self.second = Dense(128, 10)
        self.unused = Dense(2, 2)
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        hidden = self.first(x)
        return self.second(hidden * hidden)


def weight(*shape):
    from deepdive.nn.parameter import Parameter

    return Parameter(Tensor(np.ones(shape, "float32")))


def by_path(found):
    return {layer.path: layer for layer in found.layers}


def test_parameters_shapes_and_multiply_adds():
    found = summary(Net(), (784,), batch_size=32)
    layers = by_path(found)
    assert layers["first"].output == (32, 128)
    assert layers[""].output == layers["second"].output == (32, 10)
    assert layers["unused"].output is None
    assert layers["first"].parameters == 784 * 128 + 128
    assert layers[""].parameters == 0
    assert found.parameters == found.trainable == 784 * 128 + 128 + 1290 + 6
    assert layers["first"].multiply_adds == 32 * 784 * 128
    assert found.multiply_adds == 32 * (784 * 128 + 128 * 10)
    assert found.weight_bytes == 4 * found.parameters
    assert layers[""].activations == 4 * 32 * 128  # hidden * hidden


def test_nothing_is_changed_by_looking():
    model = Net()
    model.second.eval()
    before = model.first.weight.data.copy()
    summary(model, (784,))
    assert model.modes == [False]
    assert (model.training, model.first.training, model.second.training) == (True, True, False)
    assert (model.first.weight.data == before).all() and model.first.weight.grad is None
    assert config.watch is None and config.is_grad_enabled()
    count = len(model.modes)
    model(Tensor(np.zeros((1, 784), "float32")))  # no hook is left
    assert len(model.modes) == count + 1


def test_all_is_restored_after_an_error():
    model = Net()
    with pytest.raises(ValueError):
        summary(model, (783,))
    assert model.training and config.watch is None


def test_shared_parameters_count_once():
    found = summary(Tied(), (4,))
    assert found.parameters == 16 + 4 and found.trainable == 16


class Tied(Module):
    def __init__(self):
        self.a = Dense(4, 4)
        self.b = self.a
        self.a.bias.requires_grad_(False)

    def forward(self, x):
        return self.b(self.a(x))


def test_the_table():
    lines = str(summary(Net(), (784,))).split("\n")
    assert lines[0].split() == [
        "layer", "type", "output", "parameters", "multiply-adds", "activations",
    ]  # fmt: skip
    assert lines[2].split()[:2] == ["(model)", "Net"]
    assert lines[3].split()[:6] == ["first", "Dense", "(1,", "128)", "100,480", "100,352"]
    assert "not run" in lines[5]
    assert lines[-2] == "multiply-adds  101,632"
    assert lines[-3] == "parameters     101,776 (101,776 trainable, 0 frozen)"


class Two(Module):
    def forward(self, x, index):
        assert str(index.dtype) == "int64" and tuple(index.shape) == (2, 3)
        return x, index


def test_several_inputs_and_several_outputs():
    found = summary(Two(), [(5,), (3,)], batch_size=2, dtype="int64")
    assert found.layers[0].output == [(2, 5), (2, 3)]
    assert "(2, 5), (2, 3)" in str(found)


@pytest.mark.parametrize("shape", ["784", (784.0,), (-1, 3), [(1, "x")]])
def test_an_input_shape_is_made_of_sizes(shape):
    with pytest.raises(ArgumentError, match="an input shape is a tuple of sizes") as caught:
        summary(Net(), shape)
    assert "summary(model, (1, 28, 28))" in str(caught.value)

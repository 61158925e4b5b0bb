"""The host's data beside a device's: arrays, indices, first values, and what stays on the CPU."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.errors import DeviceError, ShapeError
from deepdive.nn import functional as F
from deepdive.testing import standin

THERE = standin.DEVICE


def test_arrays_are_data_and_go_where_the_model_is():
    """System A's loop: the loader gives arrays, the model is on a GPU."""
    model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax()).to(THERE)
    x, y = np.ones((2, 4), np.float32), np.array([0, 2])
    log_p = model(x)
    losses = [
        nn.NLLLoss()(log_p, y),
        F.cross_entropy(log_p, y, weight=np.ones(3, np.float32)),
        nn.MSELoss()(log_p, np.zeros((2, 3), np.float32)),
        F.binary_cross_entropy_with_logits(log_p, np.ones((2, 3), np.float32)),
        F.multi_margin_loss(log_p, dd.tensor(y, device=THERE)),
    ]
    assert {loss.device for loss in losses} == {THERE}
    with pytest.raises(DeviceError, match="one operation, two devices"):
        model(dd.tensor(x))  # a Tensor has said where it is
    with pytest.raises(DeviceError, match="one operation, two devices"):
        F.nll_loss(log_p, dd.tensor(y))


def test_indices_live_where_the_tensor_does():
    x = dd.arange(12.0, device=THERE).reshape(3, 4)
    assert x[[2, 0]].tolist() == x[dd.tensor([2, 0], device=THERE)].tolist()
    for index in (np.array([0]), dd.tensor([0])):
        with pytest.raises(DeviceError, match="one operation, two devices"):
            x[index]
    with pytest.raises(DeviceError, match="one operation, two devices"):
        dd.ones(3)[dd.tensor([0], device=THERE)]


def test_an_index_out_of_range_is_noticed():
    x = dd.arange(12.0, device=THERE).reshape(3, 4)
    with pytest.raises(ShapeError, match="out of range for axis 1") as caught:
        x[:, dd.tensor([4], device=THERE)].tolist()
    assert "test_standin_data.py" in str(caught.value)


def test_first_values_are_those_of_the_cpu():
    for name in ("xavier_uniform", "kaiming_normal", "trunc_normal", "orthogonal", "ones"):
        tensors = [dd.zeros(6, 5), dd.zeros(6, 5, device=THERE)]
        for tensor in tensors:
            dd.manual_seed(1)
            getattr(nn.init, f"{name}_")(tensor)
        assert tensors[1].numpy().tobytes() == tensors[0].numpy().tobytes()


def test_gradients_are_checked_there():
    x = dd.tensor([0.5, 1.5], dtype="float64", device=THERE, requires_grad=True)
    assert dd.gradcheck(lambda x: (x * x).sin(), x)
    assert dd.gradgradcheck(lambda x: x.exp(), x)


def test_lazy_mode_is_the_cpus():
    x = dd.ones(1, 2, device=THERE)
    with pytest.raises(DeviceError, match="one operation, two devices"), dd.lazy():
        x + 1

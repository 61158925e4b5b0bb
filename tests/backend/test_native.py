"""The native array: strides, views and writes; and the library working on device "native"."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.backend.native import NDArray, asarray
from deepdive.datautils import Digits
from deepdive.errors import DeviceError, DTypeError, GraphError, ShapeError


def counted(*shape):
    """The array of 0, 1, 2 … in a shape."""
    return asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape))


# --- strides, offset, compact ------------------------------------------------------------------
def test_a_view_is_other_numbers_for_the_same_buffer():
    x = counted(2, 3, 4)
    assert (x.shape, x.strides, x.offset, x.size, x.ndim) == ((2, 3, 4), (12, 4, 1), 0, 24, 3)
    rows = [
        (x.permute((2, 0, 1)), (4, 2, 3), (1, 12, 4), 0),
        (x.T, (4, 3, 2), (1, 4, 12), 0),
        (x[1], (3, 4), (4, 1), 12),
        (x[:, 1:], (2, 2, 4), (12, 4, 1), 4),
        (x[:, ::-1, ::2], (2, 3, 2), (12, -4, 2), 8),
        (x[0, :, None, 3], (3, 1), (4, 0), 3),
        (x[:, :1].expand((5, 2, 3, 4)), (5, 2, 3, 4), (0, 12, 0, 1), 0),
        (x.reshape(6, 4), (6, 4), (4, 1), 0),
        (x.reshape((-1, 2)), (12, 2), (2, 1), 0),
        (x[:, :, 1:3].reshape(6, 2), (6, 2), (4, 1), 1),
        (x[1, 2, 3], (), (), 23),
        (x.as_strided((2, 2), (1, 1), 5), (2, 2), (1, 1), 5),
    ]
    for view, shape, strides, offset in rows:
        assert view.buffer is x.buffer and view.base is x
        assert (view.shape, view.strides, view.offset) == (shape, strides, offset)


def test_reshape_copies_only_where_strides_cannot_say_it():
    x = counted(4, 6)
    assert x.T.reshape(24).buffer is not x.buffer
    assert x.T.reshape(24).tolist() == [r * 6 + c for c in range(6) for r in range(4)]
    assert x[:, ::2].reshape(4, 3, 1).buffer is x.buffer
    assert x.T.reshape(2, 3, 2, 2).strides == (3, 1, 12, 6)  # a split axis needs no copy
    assert x[:1].expand((3, 6)).reshape(3, 2, 3).strides == (0, 3, 1)


def test_compact():
    x = counted(3, 4)
    assert x.is_compact() and x.compact() is x
    assert x[1:].is_compact() and x[1:].compact().buffer is x.buffer
    turned = x.T
    assert not turned.is_compact()
    packed = turned.compact()
    assert packed.is_compact() and packed.strides == (3, 1) and packed.buffer is not x.buffer
    assert packed.tolist() == turned.tolist()


def test_writing_through_views():
    x = counted(3, 4)
    x[1][2:] = 50
    x.T[0] = asarray([7, 8, 9])
    x[::2, 1:3][:, ::-1][0] = asarray([10, 20])
    x.reshape(12)[11] = -1
    assert x.tolist() == [[7, 20, 10, 3], [8, 5, 50, 50], [9, 9, 10, -1]]
    x[x > 40] = 0
    x[[0, 2], [0, 0]] += 1
    assert x.tolist() == [[8, 20, 10, 3], [8, 5, 0, 0], [10, 9, 10, -1]]


def test_overlapping_memory_is_read_before_it_is_written():
    x = counted(6)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    x += x[::-1]
    assert x.tolist() == [4, 3, 3, 3, 3, 4]


def test_elements_that_share_memory_cannot_be_written():
    x = counted(1, 3)
    for view in (x.expand((2, 3)), counted(5).as_strided((3, 2), (1, 1))):
        with pytest.raises(ShapeError, match="elements of this view share their memory"):
            view[...] = 0
    windows = counted(5).as_strided((3, 3), (1, 1))
    assert windows.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert (windows + windows).sum().item() == 36


def test_a_view_cannot_leave_its_buffer():
    with pytest.raises(ShapeError, match="reach elements 0 … 6"):
        counted(6).as_strided((4,), (2,))
    with pytest.raises(ShapeError, match="reach elements -1 … 1"):
        counted(6).as_strided((3,), (-1,), 1)


def test_zero_size_and_0d():
    empty = counted(2, 0, 3)
    assert (empty.tolist(), empty.size, empty.T.shape) == ([[], []], 0, (3, 0, 2))
    assert (empty + 1.5).shape == (2, 0, 3) and empty.reshape(0, 5).shape == (0, 5)
    assert counted(0, 3).tolist() == [] and list(counted(0, 3)) == []
    number = asarray(2.5)
    assert (number.shape, number.item(), float(number), number.tolist()) == ((), 2.5, 2.5, 2.5)
    assert (number[...] * 2).item() == 5.0 and bool(asarray(1)) and [5, 6][asarray(1)] == 6
    number[...] = 7
    number[()] += 1
    assert number.item() == 8.0
    with pytest.raises(TypeError, match="len"):
        len(number)
    with pytest.raises(ShapeError, match="only an array of one element"):
        counted(2).item()


def test_python_protocols():
    x = counted(2, 3)
    assert len(x) == 2 and [row.tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    assert repr(x) == "NDArray([[0, 1, 2], [3, 4, 5]], int64)"
    assert (2 ** x[0] - 1).tolist() == [0, 1, 3] and (7 // (x[1] - 1)).tolist() == [3, 2, 1]
    assert (-x[0]).tolist() == [0, -1, -2] and (~(x[0] > 1)).tolist() == [True, True, False]
    assert (x[0] @ x[1]).item() == 14 and (x.sum() == 15).item() is True
    assert x.__array_namespace__().add(x, 1).tolist() == (x + 1).tolist()
    same = x
    same *= 2
    assert x.tolist() == [[0, 2, 4], [6, 8, 10]]


# --- the device --------------------------------------------------------------------------------
def test_tensors_are_made_there():
    made = [
        dd.Tensor([1.0, 2.0], device="native"),
        dd.tensor([1, 2], device="native"),
        dd.zeros(2, device="native"),
        dd.full((2,), 3.0, device="native"),
        dd.arange(3, device="native"),
        dd.eye(2, device="native"),
        dd.linspace(0, 1, 3, device="native"),
        dd.zeros(2).to("native"),
        nn.Linear(2, 3).to("native").weight,
        dd.ones_like(dd.zeros(2, device="native")),
    ]
    assert all(x.device == "native" and type(x._data) is NDArray for x in made)
    dd.set_default_device("native")
    try:
        assert dd.zeros(2).device == dd.tensor([1.0]).device == nn.Linear(2, 3).bias.device
        assert dd.zeros(2).device == "native"
        with pytest.raises(DeviceError, match="unknown device 'nowhere'"):
            dd.set_default_device("nowhere")
        assert dd.zeros(2).device == "native"
    finally:
        dd.set_default_device("cpu")


def test_random_numbers_are_the_same_everywhere():
    for make in (dd.rand, dd.randn):
        dd.manual_seed(3)
        here = make(5)
        dd.manual_seed(3)
        assert make(5, device="native").tolist() == here.tolist()
    dd.manual_seed(4)
    dropped = dd.dropout(dd.ones(50), 0.5)
    dd.manual_seed(4)
    assert dd.dropout(dd.ones(50, device="native"), 0.5).tolist() == dropped.tolist()


def test_moving_copies_and_carries_gradients():
    x = dd.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x.to("native")
    (y * y).sum().cpu().backward()
    assert x.grad.device == "cpu" and x.grad.tolist() == [2.0, 4.0, 6.0]
    plain = dd.zeros(2)
    moved = plain.to("native")
    plain += 1
    back = moved.cpu()
    with dd.no_grad():
        moved += 2
    assert (moved.tolist(), back.tolist()) == ([2.0, 2.0], [0.0, 0.0])
    assert moved.to("native") is moved
    [first] = dd.grad((x.to("native") ** 3).sum().cpu(), [x], create_graph=True)
    [second] = dd.grad(first.sum(), [x])
    assert second.tolist() == [6.0, 12.0, 18.0]


def test_printing():
    x = dd.tensor([[1.0, 2.5], [3.0, 4.0]], device="native", requires_grad=True)
    assert repr(x) == (
        "tensor([[1.0000, 2.5000],\n        [3.0000, 4.0000]], device='native', requires_grad=True)"
    )
    assert repr(dd.arange(2000, device="native")).startswith("tensor([   0,    1,    2,  ..., 1997")


def test_mixing_devices():
    here, there = dd.ones(2, 2), dd.ones(2, 2, device="native")
    with pytest.raises(DeviceError) as caught:
        here @ there
    assert str(caught.value) == (
        "matmul: one operation, two devices\n  got: native\n  expected: cpu\n"
        "  fix: move it first: x.to('cpu')"
    )
    for run in (
        lambda: there + here,
        lambda: there.add_(here),
        lambda: there[dd.tensor([0])],
        lambda: here[dd.tensor([0], device="native")],
        lambda: there.copy_(here),
        lambda: dd.concat([here, there]),
        lambda: nn.Linear(2, 2).to("native")(here),
    ):
        with pytest.raises(DeviceError, match="device"):
            run()
    assert (there + [[1.0, 2.0], [3.0, 4.0]]).device == "native"  # lists live nowhere
    assert there[[0, 1], [1, 0]].tolist() == [1.0, 1.0]


def test_data_from_another_device_is_moved_where_a_device_is_named():
    here, there = dd.ones(2), dd.ones(2, device="native")
    assert dd.tensor(here, device="native").device == "native"
    assert dd.Tensor(here, device="native").device == dd.as_tensor(here, device="native").device
    assert dd.tensor(there).device == dd.Tensor(there).device == "native"  # PyTorch's: as it is
    assert dd.as_tensor(there) is there and dd.as_tensor(there, device="native") is there
    moved = dd.tensor(here, device="native")
    moved += 1
    assert here.tolist() == [1.0, 1.0] and moved.tolist() == [2.0, 2.0]


def test_copies_stay_on_their_device():
    x = dd.ones(2, 3, device="native").T
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.device == "native" and twin.tolist() == x.tolist()
    model = pickle.loads(pickle.dumps(nn.Linear(2, 3).to("native")))
    assert model.weight.device == "native"


def test_programs_of_native_arrays():
    double = dd.compile(lambda x: x * 2)
    there = dd.ones(2, device="native")
    assert double(there).tolist() == [2.0, 2.0] and double(there).device == "native"
    with dd.lazy(), pytest.raises(DeviceError, match="one operation, two devices"):
        there + 1
    assert double(dd.ones(2)).tolist() == [2.0, 2.0]


def test_float16_is_refused():
    with pytest.raises(DTypeError, match="native arrays have no float16"):
        dd.zeros(2, dtype="float16", device="native")


def test_changes_are_noticed():
    x = dd.ones(2, device="native", requires_grad=True)
    y = x * 1
    z = (y * y).sum()
    y.data[0] = 5.0
    with pytest.raises(GraphError, match="changed in place"):
        z.backward()
    x.data -= 0.5
    assert x.tolist() == [0.5, 0.5]


def test_nothing_is_imported_before_it_is_asked_for():
    code = """
import sys, deepdive as dd
assert not any(name.startswith("deepdive.backend.native") for name in sys.modules)
dd.zeros(2, device="native")
assert "deepdive.backend.native.namespace" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- training ----------------------------------------------------------------------------------
def net():
    dd.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def digits(train):
    data = Digits(train=train)
    images = np.stack([np.asarray(data[i][0], "float32").reshape(-1) for i in range(len(data))])
    return images, np.array([int(data[i][1]) for i in range(len(data))])


def train(model, images, labels, device, steps, batch=32):
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for step in range(steps):
        part = slice(step * batch % len(images), step * batch % len(images) + batch)
        x = dd.tensor(images[part], device=device)
        loss = nn.functional.cross_entropy(model(x), dd.tensor(labels[part], device=device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, optimizer


def test_a_net_learns_as_it_does_on_the_cpu(tmp_path):
    images, labels = digits(train=True)
    here, _ = train(net(), images, labels, "cpu", 20)
    model = net().to("native")
    there, optimizer = train(model, images, labels, "native", 20)
    assert there[-1] < there[0] / 2
    np.testing.assert_allclose(there, here, rtol=1e-3)
    model.save(tmp_path / "model")
    again = net().to("native").load(tmp_path / "model")
    assert again.state_dict()["0.weight"].device == "native"
    for name, tensor in model.state_dict().items():
        assert tensor.tolist() == again.state_dict()[name].tolist()
    fresh = optim.Adam(again.parameters(), lr=0.5)
    fresh.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert fresh.param_groups[0]["lr"] == 0.01


@pytest.mark.slow
def test_digits_to_ninety_percent():
    images, labels = digits(train=True)
    model = net().to("native")
    train(model, images, labels, "native", 10 * len(images) // 32)
    images, labels = digits(train=False)
    with dd.no_grad():
        guessed = model(dd.tensor(images, device="native")).argmax(1)
    assert (np.array(guessed.tolist()) == labels).mean() >= 0.9

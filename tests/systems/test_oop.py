"""System C, the object-oriented library: its table, line by line, in its users' words."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.datautils import (
    MNIST,
    ArrayDataset,
    DataLoader,
    Dataset,
    Digits,
    Normalize,
    OneHot,
    Scale,
    Standardize,
    TensorDataset,
    vision,
    write_idx,
)
from deepdive.nn import MSE, SGD, Module
from deepdive.tensor import Tensor
from tests.systems.pytorch_beside import compare, random, torch, twins

# --- tensors -----------------------------------------------------------------------------------


class TestTensors:
    """tensors know `requires_grad`, `is_leaf`, `grad_fn`: `print(a)` → `tensor(2.,
    requires_grad=True)`; `print(e)` → `tensor(6., grad_fn=<MulBackward0>)`
    """

    def test_print(self, capsys):
        a = dd.tensor(2.0, requires_grad=True)
        b = dd.tensor(1.0, requires_grad=True)
        e = (a + b) * (b + 1)
        print(a)
        print(e)
        print(dd.tensor(2.0))
        assert capsys.readouterr().out.splitlines() == [
            "tensor(2., requires_grad=True)",
            "tensor(6., grad_fn=<MulBackward0>)",
            "tensor(2.)",
        ]
        assert repr(e) == str(e)
        assert (a.requires_grad, a.is_leaf, a.grad_fn) == (True, True, None)
        assert (e.requires_grad, e.is_leaf) == (True, False)
        assert repr(e.grad_fn) == "<MulBackward0>"

    @pytest.mark.parametrize(
        "data",
        [
            1.5,
            True,
            [1, 2, 3],
            [1.0, 2.5, -3.25],
            [[1e-8, 1.0], [2.0, 3.0]],
            [1e10, 1.0],
            [float("nan"), float("inf"), 1.0],
            np.arange(12.0).reshape(2, 2, 3).astype("float32"),
            np.arange(3.0),
            np.linspace(-1, 1, 2000, dtype="float32"),
            [],
        ],
    )
    def test_print_as_pytorch(self, data):
        assert repr(dd.tensor(data)) == repr(torch.tensor(data)).replace("torch.", "")

    def test_the_expression_and_its_gradients(self):
        """`e = (a+b)*(b+1)` with a=2, b=1; `e.backward()`: `a.grad` is 2, `b.grad` is 5, `e.grad`
        is 1.
        """
        a, b = Tensor(2.0), Tensor(1.0)
        e = (a + b) * (b + 1)
        e.backward()
        assert (e.item(), a.grad.item(), b.grad.item(), e.grad.item()) == (6, 2, 5, 1)

    def test_ten_steps_by_hand_follow_the_exact_recurrence(self):
        """ten steps of gradient descent by hand on the same expression follow the exact
        recurrence
        """
        a, b = Tensor(2.0, dtype="float64"), Tensor(1.0, dtype="float64")
        exact_a, exact_b, lr = 2.0, 1.0, 0.01
        for _ in range(10):
            e = (a + b) * (b + 1)
            e.backward()
            a.data -= lr * a.grad
            b.data -= lr * b.grad
            a.grad = b.grad = None
            # de/da = b + 1, de/db = (b + 1) + (a + b)
            exact_a, exact_b = (
                exact_a - lr * (exact_b + 1),
                exact_b - lr * (exact_b + 1 + exact_a + exact_b),
            )
            assert a.item() == pytest.approx(exact_a, rel=1e-14)
            assert b.item() == pytest.approx(exact_b, rel=1e-14)

    def test_the_same_under_no_grad(self):
        a = dd.tensor(2.0, requires_grad=True)
        for _ in range(3):
            (a * a).backward()
            with dd.no_grad():
                a -= 0.25 * a.grad
            a.grad = None
        assert a.item() == 0.25
        assert a.is_leaf


# --- modules -----------------------------------------------------------------------------------


class ObjectNet(Module):
    def __init__(self):  # no super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Dropout(0.5))
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.body(x))


class TestModule:
    """`Module`: assigning a layer registers its parameters; also without `super().__init__()`;
    `.parameters()`, `.train()`/`.eval()`; `print(model)` shows the architecture as a nested tree;
    `model(x)` calls `forward`, and takes arrays as well as Tensors.
    """

    def test_assigning_a_layer_registers_its_parameters(self):
        net = ObjectNet()
        names = ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]
        assert [name for name, _ in net.named_parameters()] == names
        assert [p.shape for p in net.parameters()] == [(3, 4), (3,), (2, 3), (2,)]
        net.extra = nn.Linear(1, 1, bias=False)
        net.gain = nn.Parameter([1.0])
        later = {name for name, _ in net.named_parameters()} - set(names)
        assert later == {"extra.weight", "gain"}

    def test_train_and_eval(self):
        net, x = ObjectNet(), random(50, 4)
        assert net.training
        assert not np.array_equal(net(x), net(x))  # dropout
        assert net.eval() is net
        np.testing.assert_array_equal(net(x), net(x))
        assert not net.body[2].training
        assert net.train().body[2].training

    def test_print_shows_a_nested_tree(self):
        assert str(ObjectNet()).splitlines() == [
            "ObjectNet(",
            "  (body): Sequential(",
            "    (0): Linear(in_features=4, out_features=3, bias=True)",
            "    (1): Tanh()",
            "    (2): Dropout(p=0.5, inplace=False)",
            "  )",
            "  (head): Linear(in_features=3, out_features=2, bias=True)",
            ")",
        ]

    def test_arrays_as_well_as_tensors(self):
        net, x = ObjectNet().eval(), random(5, 4)
        out = net(x)
        assert isinstance(out, Tensor)
        np.testing.assert_array_equal(out, net(Tensor(x)))
        np.testing.assert_array_equal(out, net(x.tolist()))
        np.testing.assert_array_equal(out, net.forward(Tensor(x)))


class TestLossesAndSGD:
    """`MSE()`/`MSELoss`, negative log-likelihood loss; `SGD(lr, momentum)`"""

    def test_mse(self):
        a, b = random(3, 2), random(3, 2)
        for loss in (MSE(), nn.MSELoss(), MSE(reduction="sum")):
            ours, theirs = twins(a, b)
            compare(loss(*ours), torch.nn.MSELoss(reduction=loss.reduction)(*theirs), ours, theirs)

    def test_negative_log_likelihood(self):
        classes = np.array([1, 0, 3])
        for loss in (nn.NLLLoss(), nn.NegativeLogLikelihood()):
            ours, theirs = twins(random(3, 4))
            expected = torch.nn.NLLLoss()(theirs[0].log_softmax(-1), torch.tensor(classes))
            compare(loss(ours[0].log_softmax(-1), classes), expected, ours, theirs)

    def test_sgd_with_lr_and_momentum(self):
        start = random(4)
        ours, theirs = twins(start)
        optimizers = SGD(ours, 0.05, 0.9), torch.optim.SGD(theirs, 0.05, 0.9)
        for _ in range(6):
            for (w,), optimizer in zip((ours, theirs), optimizers, strict=True):
                optimizer.zero_grad()
                (w**2).sum().backward()
                optimizer.step()
        np.testing.assert_allclose(ours[0], theirs[0].detach(), rtol=1e-5)


# --- data --------------------------------------------------------------------------------------


class TestData:
    """`Dataset` with transforms for features **and** for labels (normalise, standardise, …),
    `MNIST()` with a default root as a dataset, `DataLoader(dataset, batchsize=32, transform=None)`
    (`batchsize` an alias) yields batches: arrays for array data, Tensors for a `TensorDataset`.
    """

    def test_transforms_for_features_and_labels(self):
        x, y = np.array([[0.0, 10.0], [4.0, 30.0]]), np.array([2, 0])
        data = ArrayDataset(x, y, transform=Normalize(2.0, 2.0), target_transform=OneHot(3))
        features, label = data[0]
        assert features.tolist() == [-1, 4]
        assert label.tolist() == [0, 0, 1]
        (batch, labels) = next(iter(DataLoader(data, batchsize=2)))
        assert batch.tolist() == [[-1, 4], [1, 14]]
        assert labels.tolist() == [[0, 0, 1], [1, 0, 0]]
        standard = ArrayDataset(x, y, transform=Standardize().fit(x))
        np.testing.assert_allclose(next(iter(DataLoader(standard, 2)))[0], [[-1, -1], [1, 1]])

    def test_a_dataset_of_ones_own(self):
        class Powers(Dataset):
            def __len__(self):
                return 5

            def __getitem__(self, i):
                return np.array([i, i**2]), i % 2

        batches = list(DataLoader(Powers(), batchsize=2))
        assert [x.tolist() for x, _ in batches] == [[[0, 0], [1, 1]], [[2, 4], [3, 9]], [[4, 16]]]
        assert batches[1][1].tolist() == [0, 1]

    def test_mnist_has_a_default_root(self, tmp_path, monkeypatch):
        images = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
        labels = np.array([3, 1, 4], np.uint8)
        for split in ("train", "t10k"):
            folder = tmp_path / "MNIST" / "raw"
            folder.mkdir(parents=True, exist_ok=True)
            write_idx(folder / f"{split}-images-idx3-ubyte.gz", images)
            write_idx(folder / f"{split}-labels-idx1-ubyte.gz", labels)
        monkeypatch.setenv("DEEPDIVE_DATA", str(tmp_path))
        data = MNIST()
        assert isinstance(data, Dataset)
        assert len(data) == 3
        image, label = data[2]
        np.testing.assert_array_equal(image, images[2])
        assert int(label) == 4
        monkeypatch.delenv("DEEPDIVE_DATA")
        assert "cache" in str(vision.data_root(None))

    def test_real_mnist(self, shared):
        train = MNIST(shared("data/mnist"), transform=Scale(1 / 255), target_transform=OneHot(10))
        x, y = next(iter(DataLoader(train, batchsize=32)))
        assert (x.shape, y.shape) == ((32, 28, 28), (32, 10))
        assert (x.min(), x.max()) == (0, 1)
        assert y.argmax(1)[:5].tolist() == [5, 0, 4, 1, 9]

    def test_batchsize_and_transform(self):
        loader = DataLoader(Digits(train=False), batchsize=32, transform=Scale(1 / 16))
        assert (loader.batch_size, len(loader)) == (32, 12)
        x, _ = next(iter(loader))
        assert 0.9 < x.max() <= 1

    def test_arrays_for_arrays_tensors_for_tensors(self):
        x, y = random(6, 2), np.arange(6)
        for batch in DataLoader(ArrayDataset(x, y), batchsize=4):
            assert [type(field) for field in batch] == [np.ndarray, np.ndarray]
        for batch in DataLoader(TensorDataset(Tensor(x), dd.tensor(y)), batchsize=4):
            assert [type(field) for field in batch] == [Tensor, Tensor]
            assert not batch[0].requires_grad


def test_a_whole_training_in_its_own_words():
    """All of the table together: dataset, loader, module, loss, optimizer."""
    data = Digits(train=True, transform=Scale(1 / 16))
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.LogSoftmax()
    )
    optimizer, loss_of = SGD(net.parameters(), lr=0.1, momentum=0.9), nn.NLLLoss()
    net.train()
    for _ in range(5):
        for x, y in DataLoader(data, batchsize=32, shuffle=True):
            optimizer.zero_grad()
            loss_of(net(x), y).backward()
            optimizer.step()
    net.eval()
    test = Digits(train=False)
    right = net(test.images / np.float32(16)).numpy().argmax(1) == test.labels
    assert right.mean() > 0.92


class TestEvaluation:
    """charts that compare time and convergence with PyTorch on the same work"""

    def test_one_chart_of_both_runs(self, tmp_path):
        from deepdive.dash import save_chart

        start = random(4)
        (w,), (v,) = twins(start)
        ours, theirs = [], []
        for x, losses in ((w, ours), (v, theirs)):
            for _ in range(20):
                loss = (x**4).sum()
                loss.backward()
                losses.append(loss.item())
                x.data -= 0.01 * x.grad
                x.grad = None
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)
        path = save_chart({"DeepDive": ours, "PyTorch": theirs}, tmp_path / "chart.svg", log=True)
        with open(path) as file:
            text = file.read()
        assert "DeepDive" in text
        assert "PyTorch" in text
        assert text.count("<polyline") + text.count("<path") >= 2

"""The whole library in five seconds: one test per room, each through its front door."""

import numpy as np

import deepdive as dd
from deepdive import Tensor, nn, optim
from deepdive.datautils import DataLoader, TensorDataset


def digits(n=128, seed=0):
    """A small problem: which of three corners a point is nearest to."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    corners = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    return (corners[labels] + 0.4 * rng.standard_normal((n, 2))).astype("float32"), labels


def test_a_gradient():
    a, b = Tensor(2.0), Tensor(1.0)
    e = (a + b) * (b + 1)
    e.backward()
    assert (a.grad.item(), b.grad.item(), e.grad.item()) == (2.0, 5.0, 1.0)
    assert repr(e) == "tensor(6., grad_fn=<MulBackward0>)"


def test_a_gradient_of_a_gradient():
    x = Tensor(3.0)
    (first,) = dd.grad(x**3, x, create_graph=True)
    assert dd.grad(first, x)[0].item() == 18.0


def test_an_operator_of_ones_own():
    class Softplus(dd.Operator):
        def forward(self, xp, x):
            return xp.logaddexp(x, 0.0)

        def backward(self, xp, grad, x):
            return grad * xp.sigmoid(x)

    assert dd.testing.check_operator(Softplus)


def test_training_by_hand():
    x, y = dd.linspace(-1, 1, 20), dd.linspace(-1, 1, 20) * 3 + 0.5
    w, b = Tensor(0.0), Tensor(0.0)
    for _ in range(200):
        ((w * x + b - y) ** 2).mean().backward()
        for p in (w, b):
            p.data -= 0.3 * p.grad
            p.grad = None
    np.testing.assert_allclose([w.item(), b.item()], [3.0, 0.5], atol=1e-3)


def test_a_network_learns_is_saved_and_loaded(tmp_path):
    dd.manual_seed(0)
    points, labels = digits()
    model = nn.Sequential(nn.Linear(2, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    loss_of = nn.CrossEntropyLoss()
    data = TensorDataset(dd.tensor(points), dd.tensor(labels))
    for _ in range(8):
        for x, y in DataLoader(data, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
    test_points, test_labels = digits(seed=1)
    answers = model(test_points).numpy()
    assert (answers.argmax(1) == test_labels).mean() > 0.95
    model.save(tmp_path / "model")
    again = nn.load_from_arc(tmp_path / "model")
    np.testing.assert_array_equal(again(test_points).numpy(), answers)


def test_a_convolution():
    dd.manual_seed(0)
    image = dd.randn(2, 1, 8, 8)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.ReShape((-1, 144)), nn.Linear(144, 10))
    out = model(image)
    assert out.shape == (2, 10)
    out.logsoftmax().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_picture_of_the_graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = Tensor([1.0, 2.0])
    loss = (x * x).sum()
    loss.draw_graph({"x": x, "loss": loss})
    loss.backward()
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_errors_have_words():
    try:
        dd.ones(2, 3) @ dd.ones(2, 3)
    except ValueError as error:
        assert "3 != 2" in str(error) and "fix: " in str(error)
    else:
        raise AssertionError("the product of (2, 3) and (2, 3) was not refused")

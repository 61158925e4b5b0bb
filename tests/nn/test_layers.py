"""Every layer: PyTorch's text, state, first values and results."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, ShapeError

# (how it is made in either library, the shape of an input)
LAYERS = [
    ("Linear(4, 3)", (2, 4)),
    ("Linear(4, 3, bias=False)", (2, 5, 4)),
    ("Conv1d(2, 4, 3)", (2, 2, 9)),
    ("Conv1d(2, 4, 3, padding='same')", (2, 2, 9)),
    ("Conv2d(1, 4, 3)", (2, 1, 8, 8)),
    ("Conv2d(2, 4, (3, 2), stride=2, padding=1, dilation=2, groups=2, bias=False)", (2, 2, 9, 8)),
    ("Conv3d(1, 2, 2)", (1, 1, 4, 4, 4)),
    ("MaxPool1d(3, 2)", (2, 3, 9)),
    ("MaxPool2d(2)", (2, 3, 8, 9)),
    ("MaxPool2d((2, 3), stride=1, padding=1, ceil_mode=True)", (2, 3, 8, 9)),
    ("AvgPool1d(3)", (2, 3, 9)),
    ("AvgPool2d(2, padding=1, count_include_pad=False)", (2, 3, 8, 8)),
    ("AdaptiveAvgPool2d(1)", (2, 3, 8, 8)),
    ("AdaptiveAvgPool2d((2, 3))", (2, 3, 7, 8)),
    ("LayerNorm(6)", (4, 6)),
    ("LayerNorm((3, 4), bias=False)", (2, 3, 4)),
    ("LayerNorm(4, elementwise_affine=False)", (2, 4)),
    ("BatchNorm1d(3)", (5, 3)),
    ("BatchNorm1d(3, momentum=None)", (5, 3, 4)),
    ("BatchNorm2d(3, affine=False)", (4, 3, 2, 2)),
    ("BatchNorm2d(3, track_running_stats=False)", (4, 3, 2, 2)),
    ("BatchNorm3d(2)", (3, 2, 2, 2, 2)),
    ("Dropout(0.0)", (3, 4)),
    ("Dropout1d(0.0)", (3, 4, 2)),
    ("Dropout2d(1.0)", (3, 4, 2, 2)),
    ("Flatten()", (2, 3, 4)),
    ("Flatten(0, 1)", (2, 3, 4)),
    ("Unflatten(1, (2, 3))", (4, 6)),
    ("Identity(5, a=3)", (2, 3)),
    ("ReLU()", (3, 4)),
    ("ReLU(inplace=True)", (3, 4)),
    ("ReLU6()", (3, 4)),
    ("LeakyReLU(0.2)", (3, 4)),
    ("ELU(0.5)", (3, 4)),
    ("GELU()", (3, 4)),
    ("GELU('tanh')", (3, 4)),
    ("SiLU()", (3, 4)),
    ("Softplus(2, 10)", (3, 4)),
    ("Sigmoid()", (3, 4)),
    ("LogSigmoid()", (3, 4)),
    ("Tanh()", (3, 4)),
    ("Hardtanh(-0.5, 0.5)", (3, 4)),
    ("Softmax(dim=-1)", (3, 4)),
    ("LogSoftmax(dim=1)", (3, 4)),
    ("Softmin(dim=0)", (3, 4)),
]


def made(text, module):
    return eval(text, {**vars(module)})  # the same text for both libraries


@pytest.mark.parametrize(("text", "shape"), LAYERS, ids=[text for text, _ in LAYERS])
def test_layer_is_pytorchs(text, shape):
    ours, theirs = made(text, nn), made(text, torch.nn)
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    assert [tuple(p.shape) for p in ours.parameters()] == [
        tuple(p.shape) for p in theirs.parameters()
    ]
    if "Softplus" not in text:  # PyTorch shows what it got, 2, where the formula has 2.0
        assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    for mode in (True, True, False):
        ours.train(mode), theirs.train(mode)
        x = np.random.randn(*shape).astype("float32")
        got, want = ours(x.copy()), theirs(torch.tensor(x))
        np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-4, atol=1e-5)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(
            ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-5, atol=1e-6
        )


def test_gradients_reach_every_parameter():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)
    )
    model(dd.randn(4, 1, 6, 6)).log_softmax(-1).mean().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.parameters())


@pytest.mark.parametrize(
    "text", ["Linear(50, 400)", "Conv2d(8, 64, (3, 2), groups=2)", "Conv1d(20, 100, 3)"]
)
def test_first_values_have_pytorchs_bounds(text):
    ours, theirs = made(text, nn), made(text, torch.nn)
    bound = 1 / np.sqrt(np.prod(ours.weight.shape[1:]))
    for name, value in theirs.named_parameters():
        mine = ours.params[name].numpy()
        assert np.abs(mine).max() <= bound >= value.abs().max().item()
        assert np.abs(mine).max() > 0.9 * bound
        assert abs(mine.mean()) < 0.15 * bound


def test_embedding():
    ours, theirs = nn.Embedding(50, 20, padding_idx=-1), torch.nn.Embedding(50, 20, padding_idx=-1)
    assert repr(ours) == repr(theirs) and not ours.weight.numpy()[49].any()
    assert abs(ours.weight.numpy()[:49].std() - 1) < 0.1
    ours.load_state_dict(theirs.state_dict())
    x = np.array([[1, 49, 1], [3, 0, 2]])
    np.testing.assert_array_equal(ours(x).numpy(), theirs(torch.tensor(x)).detach().numpy())
    ours(x).sum().backward()
    theirs(torch.tensor(x)).sum().backward()
    np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy())


def test_dropout_drops_while_training():
    layer = nn.Dropout(0.25)
    out = layer(dd.ones(10_000)).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((out == 0).mean() - 0.25) < 0.02
    assert layer.eval()(dd.ones(5)).tolist() == [1.0] * 5


def test_batch_norm_forgets():
    layer = nn.BatchNorm1d(2)
    layer(dd.randn(4, 2))
    assert layer.num_batches_tracked.item() == 1 and layer.running_mean.numpy().any()
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0 and layer.running_var.tolist() == [1, 1]
    with pytest.raises(ShapeError, match=r"BatchNorm1d: the input has 4 axes(.|\n)*2 axes or 3"):
        layer(dd.ones(1, 2, 3, 3))


@pytest.mark.parametrize(
    ("layer", "into"),
    [
        (nn.ReShape(-1), (2, 24)),
        (nn.ReShape((-1,)), (2, 24)),
        (nn.ReShape((4, 6)), (2, 4, 6)),
        (nn.ReShape(4, -1), (2, 4, 6)),
        (nn.ReShape([-1, 24]), (2, 24)),  # -1 is the batch: what follows fills a sample
        (nn.ReShape(-1, 12), (2, 2, 12)),
    ],
)
def test_reshape_keeps_the_batch(layer, into):
    x = dd.randn(2, 2, 3, 4)
    assert layer(x).shape == into
    assert layer(x).numpy().ravel().tolist() == x.numpy().ravel().tolist()
    assert layer(dd.zeros(0, 2, 3, 4)).shape == (0, *into[1:])


LOSSES = [
    ("MSELoss()", "regression"),
    ("MSELoss(reduction='sum')", "regression"),
    ("L1Loss(reduction='none')", "regression"),
    ("SmoothL1Loss(beta=0.5)", "regression"),
    ("HuberLoss(delta=0.5)", "regression"),
    ("CrossEntropyLoss()", "classes"),
    ("CrossEntropyLoss(ignore_index=1, label_smoothing=0.1, reduction='sum')", "classes"),
    ("NLLLoss(ignore_index=2)", "classes"),
    ("BCELoss()", "shares"),
    ("BCEWithLogitsLoss(reduction='sum')", "shares"),
    ("KLDivLoss(reduction='batchmean')", "shares"),
]


@pytest.mark.parametrize(("text", "kind"), LOSSES, ids=[text for text, _ in LOSSES])
def test_loss_is_pytorchs(text, kind):
    ours, theirs = made(text, nn), made(text, torch.nn)
    assert repr(ours) == repr(theirs)
    x = np.random.rand(6, 3).astype("float32")
    targets = {
        "regression": np.random.randn(6, 3).astype("float32"),
        "classes": np.array([0, 1, 2, 2, 1, 0]),
        "shares": np.random.rand(6, 3).astype("float32"),
    }
    target = targets[kind]
    got, want = ours(x, target), theirs(torch.tensor(x), torch.tensor(target))
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5)


def test_weighted_losses():
    weight = np.array([0.2, 0.3, 0.5], "float32")
    x, y = np.random.randn(6, 3).astype("float32"), np.array([0, 1, 2, 2, 1, 0])
    for name in ("NLLLoss", "CrossEntropyLoss"):
        ours = getattr(nn, name)(weight=weight)
        theirs = getattr(torch.nn, name)(weight=torch.tensor(weight))
        assert [*ours.state_dict()] == [*theirs.state_dict()] == ["weight"]
        want = theirs(torch.tensor(x), torch.tensor(y)).item()
        np.testing.assert_allclose(ours(x, y).item(), want, rtol=1e-5)
    z = np.random.rand(6, 3).astype("float32")
    ours = nn.BCEWithLogitsLoss(pos_weight=weight)
    theirs = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weight))
    want = theirs(torch.tensor(x), torch.tensor(z)).item()
    np.testing.assert_allclose(ours(x, z).item(), want, rtol=1e-5)


def test_second_names():
    assert nn.MSE is nn.MSELoss and nn.MAE is nn.L1Loss and nn.Layer is nn.Module
    assert nn.NegativeLogLikelihood is nn.NLLLoss
    assert nn.SGD is dd.optim.SGD and nn.functional.linear is dd.REGISTRY["linear"]
    assert issubclass(nn.Adam, nn.Optimizer) and callable(nn.utils.clip_grad_norm_)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Linear(2.5, 3), "Linear: in_features is a whole number, 0 or more"),
        (lambda: nn.Linear(2, -1), "Linear: out_features is a whole number"),
        (lambda: nn.Linear(2, 1, init="kaimin_uniform"), "did you mean 'kaiming_uniform'"),
        (lambda: nn.Conv2d(0, 3, 3), "Conv2d: in_channels is a whole number, 1 or more"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups divides the channels"),
        (lambda: nn.Conv2d(1, 1, (3, 3, 3)), "kernel_size is one number, or one for each of 2"),
        (lambda: nn.Conv1d(1, 1, 0), "kernel_size is a whole number, 1 or more"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), r"padding\[0\] is a whole number, 0 or more"),
        (lambda: nn.MaxPool2d(2, stride=0), r"stride\[0\] is a whole number"),
        (lambda: nn.AvgPool2d("2"), "kernel_size"),
        (lambda: nn.AdaptiveAvgPool2d((0, 1)), "output_size"),
        (lambda: nn.Dropout(1.5), "Dropout: p is a probability"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "no row padding_idx=3"),
        (lambda: nn.LayerNorm((3, 0)), r"normalized_shape\[1\] is a whole number"),
        (lambda: nn.BatchNorm1d(True), "num_features is a whole number"),
        (lambda: nn.MSELoss("avg"), r"unknown reduction 'avg'(.|\n)*'mean' or 'sum' or 'none'"),
    ],
)
def test_arguments_out_of_their_domain(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_initialisation_by_name():
    dd.manual_seed(0)
    layer = nn.Linear(500, 200, init="xavier")
    assert abs(layer.weight.numpy().std() * np.sqrt(500) - 1) < 0.02
    layer = nn.Linear(500, 200, init="xavier_uniform")
    assert np.abs(layer.weight.numpy()).max() <= np.sqrt(6 / 700)
    assert not nn.Conv2d(1, 2, 3, init=nn.init.zeros_).weight.numpy().any()
    assert (nn.Embedding(3, 2, init="ones").weight.numpy() == 1).all()


def test_the_first_net_of_system_a_learns():
    model = nn.Sequential(
        nn.Linear(20, 16),
        nn.LayerNorm(16),
        nn.ReLU(),
        nn.Linear(16, 3),
        nn.LayerNorm(3),
        nn.LogSoftmax(),
    )
    x = np.random.randn(64, 20).astype("float32")
    y = x[:, :3].argmax(1)
    loss_of = nn.NLLLoss()
    losses = []
    for _ in range(80):
        loss = loss_of(model(x), y)
        losses.append(loss.item())
        loss.backward()
        model.step(lr=0.5, optimizer=nn.SGD, weight_decay=1e-4)
    assert losses[-1] < 0.4 * losses[0]

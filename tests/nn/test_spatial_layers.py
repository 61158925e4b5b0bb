"""Layers over lines, pictures and volumes: PyTorch's text, state, first values and results."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, ShapeError

PICTURE, LINE, VOLUME = (2, 4, 6, 5), (2, 4, 7), (1, 2, 4, 5, 4)
LAYERS = [
    ("Conv2d(4, 2, 3, padding=1, padding_mode='reflect')", PICTURE),
    ("Conv1d(4, 2, 3, 1, 'same', 2, 1, True, 'circular')", LINE),
    ("Conv2d(4, 4, (3, 2), padding='same', groups=2, padding_mode='replicate')", PICTURE),
    ("ConvTranspose1d(4, 6, 3, stride=2, groups=2)", LINE),
    ("ConvTranspose2d(4, 2, 3)", PICTURE),
    ("ConvTranspose2d(4, 4, (3, 2), 2, (1, 0), 1, 2, False, (1, 2))", PICTURE),
    ("ConvTranspose3d(2, 3, 2, stride=2, output_padding=1)", VOLUME),
    ("MaxPool2d(2, 2, 0, 1, False, True)", PICTURE),
    ("MaxPool3d(2)", VOLUME),
    ("MaxPool3d((2, 3, 2), stride=1, padding=(1, 1, 0))", VOLUME),
    ("AvgPool2d(2, divisor_override=3)", PICTURE),
    ("AvgPool3d(2, 1, 1, count_include_pad=False)", VOLUME),
    ("AdaptiveAvgPool1d(3)", LINE),
    ("AdaptiveAvgPool3d((2, None, 3))", VOLUME),
    ("AdaptiveMaxPool1d(3)", LINE),
    ("AdaptiveMaxPool2d((None, 2))", PICTURE),
    ("AdaptiveMaxPool3d(2)", VOLUME),
    ("LPPool1d(2, 3)", LINE),
    ("LPPool2d(2, 2, stride=1, ceil_mode=True)", PICTURE),
    ("LPPool3d(2, 2)", VOLUME),
    ("Upsample(scale_factor=2)", PICTURE),
    ("Upsample((7, 9), mode='bilinear', align_corners=True)", PICTURE),
    ("Upsample(None, (1.5, 2), 'bicubic')", PICTURE),
    ("Upsample(scale_factor=2, mode='linear')", LINE),
    ("Upsample(scale_factor=2, mode='trilinear')", VOLUME),
    ("UpsamplingNearest2d(scale_factor=3)", PICTURE),
    ("UpsamplingBilinear2d(size=(8, 8))", PICTURE),
    ("PixelShuffle(2)", PICTURE),
    ("PixelUnshuffle(3)", (2, 4, 6, 3)),
    ("ChannelShuffle(2)", PICTURE),
    ("Unfold((2, 3), 1, 1, 2)", PICTURE),
    ("Fold((4, 5), 2)", (2, 8, 12)),
    ("LocalResponseNorm(3, 0.1)", PICTURE),
    ("ZeroPad1d(2)", LINE),
    ("ZeroPad2d((1, 2, 0, 1))", PICTURE),
    ("ZeroPad3d(1)", VOLUME),
    ("ConstantPad1d((1, 2), 3.5)", LINE),
    ("ConstantPad2d(1, -2)", PICTURE),
    ("ConstantPad3d((1, 0, 2, 1, 0, 1), 0.5)", VOLUME),
    ("ReflectionPad1d(2)", LINE),
    ("ReflectionPad2d((1, 2, 3, 0))", PICTURE),
    ("ReflectionPad3d(1)", VOLUME),
    ("ReplicationPad1d((3, 1))", LINE),
    ("ReplicationPad2d(2)", PICTURE),
    ("ReplicationPad3d((1, 2, 0, 1, 2, 1))", VOLUME),
    ("CircularPad1d((2, 1))", LINE),
    ("CircularPad2d(2)", PICTURE),
    ("CircularPad3d(1)", VOLUME),
]


def made(text, module):
    return eval(text, {**vars(module)})  # the same text for both libraries


@pytest.mark.parametrize(("text", "shape"), LAYERS, ids=[text for text, _ in LAYERS])
def test_layer_is_pytorchs(text, shape):
    ours, theirs = made(text, nn), made(text, torch.nn)
    assert repr(ours) == repr(theirs)
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert tuple(mine.shape) == tuple(other.shape)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.randn(*shape).astype("float32")
    leaf, other = dd.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = ours(leaf), theirs(other)
    if isinstance(expected, tuple):
        assert found[1].tolist() == expected[1].tolist()
        found, expected = found[0], expected[0]
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    found.square().sum().backward()
    expected.square().sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), other.grad.numpy(), rtol=1e-3, atol=1e-4)
    for mine, parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad.numpy(), parameter.grad.numpy(), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(ours(x)[0].numpy(), ours(leaf)[0].numpy())  # arrays, too


@pytest.mark.parametrize(
    "text", ["ConvTranspose2d(6, 8, 3, groups=2)", "ConvTranspose1d(40, 3, 5)", "Conv3d(4, 9, 2)"]
)
def test_first_values_are_distributed_as_pytorchs(text):
    """Both start uniform within PyTorch's bound; a reset draws again."""
    ours, theirs = made(text, nn), made(text, torch.nn)
    bound = 1 / np.sqrt(np.prod(theirs.weight.shape[1:]))
    for name in ("weight", "bias"):
        mine, other = getattr(ours, name).numpy(), getattr(theirs, name).detach().numpy()
        for values in (mine, other):
            assert np.abs(values).max() <= bound
        if name == "weight":
            assert np.abs(mine).max() > 0.9 * bound
            assert abs(mine.std() - bound / np.sqrt(3)) < 0.15 * bound
    before = ours.weight.numpy().copy()
    ours.reset_parameters()
    assert (ours.weight.numpy() != before).any()


def test_unpooling_undoes_pooling():
    x = np.random.randn(2, 3, 6, 6).astype("float32")
    pool, back = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    theirs, undo = torch.nn.MaxPool2d(2, return_indices=True), torch.nn.MaxUnpool2d(2)
    found, expected = back(*pool(dd.tensor(x))), undo(*theirs(torch.tensor(x)))
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert repr(back) == repr(undo)


def test_a_transposed_convolution_of_a_size_asked_for():
    layer, theirs = nn.ConvTranspose2d(2, 3, 3, 2, 1), torch.nn.ConvTranspose2d(2, 3, 3, 2, 1)
    layer.load_state_dict(theirs.state_dict())
    x = np.random.randn(1, 2, 4, 4).astype("float32")
    for size in ((7, 8), (1, 3, 8, 7)):
        found = layer(dd.tensor(x), size)
        expected = theirs(torch.tensor(x), size)
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), atol=1e-5)
    with pytest.raises(ShapeError, match="output_size"):
        layer(dd.tensor(x), (9, 8))


def test_they_are_written_to_a_file_of_text(tmp_path):
    model = nn.Sequential(
        nn.ZeroPad2d(1), nn.ConvTranspose2d(1, 2, 3, 2), nn.Upsample(scale_factor=2.0),
        nn.MaxPool2d(2), nn.PixelShuffle(1), nn.AdaptiveMaxPool2d(2),
    )  # fmt: skip
    model.save(str(tmp_path / "m"), save_arc=True)
    again = nn.load_from_arc(str(tmp_path / "m"))
    x = dd.randn(1, 1, 5, 5)
    np.testing.assert_array_equal(model(x).numpy(), again(x).numpy())
    assert repr(model) == repr(again)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: nn.Conv2d(1, 1, 1, padding_mode="mirror"), "padding_mode"),
        (lambda x: nn.ConvTranspose2d(3, 2, 1, groups=2), "groups divides"),
        (lambda x: nn.ZeroPad2d((1, 2)), "padding is a number, or 4"),
        (lambda x: nn.PixelShuffle(0), "upscale_factor"),
        (lambda x: nn.functional.pad(x, (4, 0), "reflect"), "at most 3 elements of 4"),
        (lambda x: nn.functional.pad(x, (1, 1), "same"), "pad: mode"),
        (lambda x: nn.functional.interpolate(x), "either size or scale_factor"),
        (lambda x: nn.functional.interpolate(x, 2, mode="linear"), "mode 'linear' for input"),
        (lambda x: nn.functional.interpolate(x, 2, align_corners=True), "align_corners is for"),
        (lambda x: nn.functional.grid_sample(x, x), "grid_sample: input is"),
        (lambda x: nn.functional.conv_transpose2d(x, x), "conv_transpose2d: input is"),
        (lambda x: nn.functional.fold(x[0], (4, 4), 3), "fold: input is"),
        (lambda x: nn.functional.pixel_shuffle(x, 3), "pixel_shuffle: input is"),
        (lambda x: nn.functional.affine_grid(x, (1, 1, 2, 2)), "affine_grid: theta is"),
        (
            lambda x: nn.functional.conv_transpose2d(x, dd.ones(2, 1, 2, 2), output_padding=1),
            "output_padding is less",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises((ArgumentError, ShapeError), match=message):
        call(dd.ones(1, 2, 4, 4))

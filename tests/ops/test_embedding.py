"""Embeddings and one-hot vectors against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import deepdive as dd
from deepdive.errors import DTypeError, ShapeError


@pytest.mark.parametrize("shape", [(), (5,), (4, 6), (0,), (2, 0)])
def test_rows_and_their_gradients(agrees, shape):
    index = np.random.randint(0, 7, shape)
    agrees(lambda w: dd.embedding(index, w), lambda w: F.embedding(torch.tensor(index), w), (7, 3))


@pytest.mark.parametrize("padding", [2, -1])
def test_the_padding_row_gets_no_gradient(agrees, padding):
    index = np.array([[0, 2, 4], [2, 1, 4]])
    agrees(
        lambda w: dd.embedding(index, w, padding),
        lambda w: F.embedding(torch.tensor(index), w, padding),
        (5, 3),
        second=False,
    )


def test_many_repeated_rows_add_up_exactly():
    index = np.random.randint(0, 3, 5000)
    weight = dd.zeros(4, 2, requires_grad=True)
    dd.embedding(index, weight).sum().backward()
    counts = np.bincount(index, minlength=4)
    np.testing.assert_array_equal(weight.grad.numpy(), np.stack([counts, counts], 1))


def test_embedding_refusals():
    weight = dd.ones(4, 2)
    with pytest.raises(ShapeError, match=r"(?s)index 4 is out of range for 4 rows.*subtract 1"):
        dd.embedding([0, 4], weight)
    with pytest.raises(ShapeError, match="index -1 is out of range for 4 rows"):
        dd.embedding([0, -1], weight)
    with pytest.raises(DTypeError, match=r"(?s)embedding.*float32.*use integers"):
        dd.embedding(dd.ones(3), weight)


def test_one_hot():
    index = np.array([[0, 2], [1, 1]])
    for classes in (-1, 5):
        expected = F.one_hot(torch.tensor(index), classes)
        found = dd.one_hot(index, classes)
        assert found.dtype == dd.int64
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert dd.one_hot(dd.tensor([2])).tolist() == [[0, 0, 1]]
    with pytest.raises(ShapeError, match="index 3 is out of range for 3 classes"):
        dd.one_hot([3], 3)

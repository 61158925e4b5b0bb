"""Every form of index, drawn at random, reads, writes and differentiates as in PyTorch."""

import numpy as np
import pytest

import deepdive as dd

torch = pytest.importorskip("torch")


def drawn_index(draw, shape):
    """A random index for `shape`: integers, slices, None, Ellipsis, arrays, lists and masks."""
    index, axis, dots = [], 0, False
    many = tuple(draw.integers(1, 3, size=draw.integers(1, 3)))
    while axis < len(shape):
        n = shape[axis]
        kind = draw.choice(["int", "all", "slice", "None", "...", "array", "list", "mask", "end"])
        if kind == "None":
            index.append(None)
            continue
        if kind == "end":
            break
        if kind == "...":
            if not dots:
                index.append(Ellipsis)
                axis += int(draw.integers(0, len(shape) - axis + 1))
            dots = True
            continue
        if kind == "int":
            index.append(int(draw.integers(-n, n)))
        elif kind == "all":
            index.append(slice(None))
        elif kind == "slice":
            low, high = sorted(draw.integers(0, n + 1, size=2))
            index.append(slice(int(low), int(high), int(draw.integers(1, 3))))
        elif kind == "array":
            index.append(draw.integers(-n, n, size=many))
        elif kind == "list":
            index.append([int(i) for i in draw.integers(0, n, size=many[-1])])
        else:
            mask = np.zeros(n, bool)
            mask[draw.permutation(n)[: many[-1]]] = True
            index.append(mask)
        axis += 1
    return tuple(index)


def moved(index, tensor):
    """The index with `tensor` made of each array in it."""
    return tuple(tensor(part) if isinstance(part, np.ndarray) else part for part in index)


@pytest.mark.parametrize("seed", range(8))
def test_index_forms(seed):
    draw = np.random.default_rng(seed)
    tried = 0
    while tried < 60:
        values = draw.normal(size=tuple(draw.integers(1, 5, size=draw.integers(1, 5))))
        index = drawn_index(draw, values.shape)
        theirs = torch.tensor(values, requires_grad=True)
        try:
            expected = theirs[moved(index, torch.tensor)]
        except IndexError:  # masks and arrays that do not go together
            continue
        tried += 1
        ours = dd.tensor(values, requires_grad=True)
        found = ours[moved(index, dd.tensor)]
        assert tuple(found.shape) == tuple(expected.shape), index
        weights = draw.normal(size=expected.shape)
        (found * weights).sum().backward()
        (expected * torch.tensor(weights)).sum().backward()
        np.testing.assert_array_equal(found.numpy(), expected.detach().numpy())
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-12)
        written = torch.tensor(values)
        written[moved(index, torch.tensor)] = torch.tensor(2.5, dtype=torch.float64)
        for tracked in (False, True):
            x = dd.tensor(values, requires_grad=tracked)
            x = x * 1 if tracked else x
            x[moved(index, dd.tensor)] = 2.5
            np.testing.assert_array_equal(x.numpy(), written.numpy())


def test_an_integer_beside_arrays_keeps_their_axes_in_place():
    """PyTorch's rule, not NumPy's, which puts the axes of the arrays in front."""
    x = dd.tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    rows = dd.tensor([1, 2, 1])
    assert x[0, :, rows].shape == (3, 3)
    y = x * 1
    y[0, :, rows] = dd.ones(3, 3, dtype="float64")
    y.sum().backward()
    assert x.grad[0, :, 1].tolist() == [0.0] * 3 and x.grad[0, :, 3].tolist() == [1.0] * 3
    with dd.lazy():
        z = dd.tensor(np.zeros((2, 3, 4)))
        z[1, :, rows] = 5.0
        assert z.sum().item() == 5.0 * 3 * 2


def test_scatter_reduce_of_integers_and_nan():
    x = np.array([5, 1, 7])
    index, values = np.array([0, 0, 2]), np.array([8, 2, -3])
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for own in (True, False):
            ours = dd.tensor(x).scatter_reduce(
                0, dd.tensor(index), dd.tensor(values), reduce, include_self=own
            )
            theirs = torch.tensor(x).scatter_reduce(
                0, torch.tensor(index), torch.tensor(values), reduce, include_self=own
            )
            assert ours.tolist() == theirs.tolist(), (reduce, own)
            assert str(ours.dtype) == "int64"
    for reduce in ("amax", "amin"):
        src = dd.tensor([float("nan"), 1.0, 2.0])
        out = dd.zeros(2).scatter_reduce(0, dd.tensor([0, 0, 1]), src, reduce, include_self=False)
        assert np.isnan(out.numpy()[0]) and out.numpy()[1] == 2.0


def test_nonzero_of_other_shapes():
    for value in (0, 3):
        ours, theirs = dd.nonzero(dd.tensor(value)), torch.nonzero(torch.tensor(value))
        assert tuple(ours.shape) == tuple(theirs.shape)
    x = np.array([[0, 2], [3, 0]])
    for got, expected in zip(
        dd.tensor(x).nonzero(as_tuple=True), torch.tensor(x).nonzero(as_tuple=True), strict=True
    ):
        assert got.tolist() == expected.tolist()
    with dd.lazy():
        lazy = dd.tensor(x) * 1
        assert dd.nonzero(lazy).tolist() == [[0, 1], [1, 0]]
        assert dd.masked_select(lazy, lazy > 2).tolist() == [3]
    with pytest.raises(dd.errors.GraphError, match="depends on values"):
        dd.compile(dd.nonzero)(dd.tensor(x))


def test_repeat_interleave_by_counts():
    x = np.arange(6.0).reshape(3, 2)
    counts = np.array([2, 0, 1])
    for dim, n in ((0, counts), (None, np.array([1, 0, 2, 1, 0, 1]))):
        ours = dd.repeat_interleave(dd.tensor(x), dd.tensor(n), dim)
        theirs = torch.repeat_interleave(torch.tensor(x), torch.tensor(n), dim)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert dd.repeat_interleave(dd.tensor(counts)).tolist() == [0, 0, 2]


def test_errors_of_shape():
    x = dd.zeros(2, 3)
    for call, message in (
        (lambda: x.narrow(0, 1, 2), "narrow: the part lies inside"),
        (lambda: x.unfold(1, 4, 1), "unfold: windows inside axis 1"),
        (lambda: dd.meshgrid(x), "meshgrid: vectors or numbers"),
        (lambda: x.repeat(2), "repeat: a count for each axis"),
        (lambda: x.movedim((0, 1), (0, 0)), "movedim: as many sources"),
        (lambda: x.scatter(0, dd.zeros(1, 2, dtype="int64"), 1.0, reduce="max"), "scatter: reduce"),
        (lambda: x.tensor_split(0), "tensor_split: the number of parts"),
        (lambda: dd.hstack([]), "hstack: no tensors"),
    ):
        with pytest.raises(dd.errors.DeepDiveError, match=message):
            call()


def test_in_place_twins():
    """They write into the tensor, and carry the history of what is written."""
    x, index = dd.zeros(3), dd.tensor([2, 0])
    src = dd.tensor([1.0, 2.0], requires_grad=True)
    same = x
    assert x.scatter_add_(0, index, src) is same
    (x * dd.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert src.grad.tolist() == [100.0, 1.0]
    y = dd.zeros(2, 3)
    array = y._data
    y.scatter_(1, dd.tensor([[1], [2]]), 1.0).masked_fill_(y == 1, 7.0)
    assert y._data is array and y.tolist() == [[0, 7, 0], [0, 0, 7]]
    assert y.t_().shape == (3, 2) and y.unsqueeze_(0).shape == (1, 3, 2)
    with pytest.raises(dd.errors.GraphError, match="index_fill_"):
        src.index_fill_(0, index, 1.0)
    for shape in ((3, 3), (6, 2), (2, 5), (3, 3, 3)):
        for wrap in (False, True):
            ours = dd.zeros(shape).fill_diagonal_(2.0, wrap)
            theirs = torch.zeros(shape).fill_diagonal_(2.0, wrap)
            assert ours.tolist() == theirs.tolist(), (shape, wrap)

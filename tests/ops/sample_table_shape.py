"""Sample calls of the operators that rearrange, join, split, select and scatter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


# --- joining and splitting -----------------------------------------------------------------------
@samples_for("atleast_1d", "atleast_2d", "atleast_3d")
def _at_least(draw: Draw) -> Samples:
    for shape in ((), (3,), (2, 3), (2, 1, 2), (0,)):
        yield Sample((draw(*shape),))
    yield Sample((draw(), draw(2)))
    yield Sample(([draw(), draw(2)],))


@samples_for("hstack", "vstack", "dstack", "column_stack")
def _stacked(draw: Draw) -> Samples:
    yield Sample(([draw(2, 3), draw(2, 3)],))
    yield Sample(([draw(3), draw(3)],))
    yield Sample(((draw(), draw()),))
    yield Sample(([draw(2, 3, 2), draw(2, 3, 2)],))
    yield Sample(([draw(2)],))


@samples_for("block_diag")
def _block_diag(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), draw(1, 1), draw(2)))
    yield Sample((draw(), draw(2, 2)))


@samples_for("tensor_split")
def _tensor_split(draw: Draw) -> Samples:
    for cuts in (3, 1, 7, [1, 3], (2,), [4, 2], [-2]):
        yield Sample((draw(5, 2), cuts))
    yield Sample((draw(2, 5), 2, 1))
    yield Sample((draw(2, 5), 2), {"dim": -1})
    yield Sample((draw(2, 5),), {"indices_or_sections": 2}, torch=False)


@samples_for("hsplit", "dsplit", "vsplit")
def _parts(draw: Draw) -> Samples:
    yield Sample((draw(4, 4, 4), 2))
    yield Sample((draw(4, 4, 4), [1, 3]))


@samples_for("split_with_sizes")
def _sizes(draw: Draw) -> Samples:
    yield Sample((draw(5, 2), [1, 4]))
    yield Sample((draw(2, 5), [0, 2, 3], 1))


@samples_for("repeat", "tile")
def _repeat(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), (2, 2)))
    yield Sample((draw(2, 3), (3, 1, 2)))
    yield Sample((draw(), (2,)))
    yield Sample((draw(2), (0,)))
    yield Sample((draw(2, 3), 2, 1), torch=False)


@samples_for("repeat_interleave")
def _repeat_interleave(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), 2))
    yield Sample((draw(2, 3), 3), {"dim": 1})
    yield Sample((draw(2, 3), 2, 0))
    yield Sample((draw(), 3))
    yield Sample((draw(3), 0))


@samples_for("meshgrid")
def _meshgrid(draw: Draw) -> Samples:
    yield Sample((draw(2), draw(3)), {"indexing": "ij"})
    yield Sample((draw(2), draw(3), draw()), {"indexing": "xy"})
    yield Sample(([draw(2), draw(3)],), {"indexing": "xy"})
    yield Sample((draw(2),), {"indexing": "ij"})


@samples_for("cartesian_prod", "broadcast_tensors")
def _several(draw: Draw) -> Samples:
    yield Sample((draw(2), draw(1)))
    yield Sample((draw(3),))


@samples_for("combinations")
def _combinations(draw: Draw) -> Samples:
    yield Sample((draw(4),))
    yield Sample((draw(3), 3))
    yield Sample((draw(3),), {"r": 2, "with_replacement": True})
    yield Sample((draw(2), 3))


# --- rearranging ---------------------------------------------------------------------------------
@samples_for("movedim")
def _movedim(draw: Draw) -> Samples:
    for args in ((0, -1), (-1, 0), ((0, 1), (2, 0)), (1, 1)):
        yield Sample((draw(2, 3, 4), *args))


@samples_for("adjoint", "fliplr", "flipud")
def _matrices(draw: Draw) -> Samples:
    yield Sample((draw(2, 3),))
    yield Sample((draw(2, 3, 2),))


@samples_for("ravel")
def _ravel(draw: Draw) -> Samples:
    for shape in ((2, 3), (), (0, 2)):
        yield Sample((draw(*shape),))


@samples_for("view_as")
def _view_as(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), np.zeros((3, 2))), fixed=(1,))


@samples_for("rot90")
def _rot90(draw: Draw) -> Samples:
    for k in (0, 1, 2, 3, -1, 5):
        yield Sample((draw(2, 3), k))
    yield Sample((draw(2, 3, 2), 1, [1, 2]))
    yield Sample((draw(2, 3),), {"k": 1, "dims": (1, 0)})


@samples_for("narrow")
def _narrow(draw: Draw) -> Samples:
    yield Sample((draw(4, 3), 0, 1, 2))
    yield Sample((draw(4, 3), -1, -2, 2))
    yield Sample((draw(4, 3), 1, 3, 0))


@samples_for("select")
def _select(draw: Draw) -> Samples:
    yield Sample((draw(4, 3), 0, 1))
    yield Sample((draw(4, 3), 1, -1))
    yield Sample((draw(4), 0, 2))


@samples_for("select_scatter")
def _select_scatter(draw: Draw) -> Samples:
    yield Sample((draw(4, 3), draw(3), 0, 1))
    yield Sample((draw(4, 3), draw(4), -1, -1))


@samples_for("slice_scatter")
def _slice_scatter(draw: Draw) -> Samples:
    yield Sample((draw(4, 3), draw(2, 3), 0, 1, 3))
    yield Sample((draw(2, 6), draw(2, 3)), {"dim": 1, "start": 1, "step": 2})
    yield Sample((draw(2, 3), draw(2, 3)))


@samples_for("unfold_copy")
def _unfold(draw: Draw) -> Samples:
    yield Sample((draw(7), 0, 3, 2))
    yield Sample((draw(2, 5, 2), 1, 2, 1))
    yield Sample((draw(2, 5), -1, 5, 3))


@samples_for("as_strided")
def _as_strided(draw: Draw) -> Samples:
    yield Sample((draw(12), (2, 3), (1, 2)))
    yield Sample((draw(3, 4), (2, 2), (4, 1), 1))
    yield Sample((draw(3, 4), (3, 3), (1, 1)))


@samples_for("diagonal")
def _diagonal(draw: Draw) -> Samples:
    for offset in (0, 1, -1, 2, -3):
        yield Sample((draw(3, 4), offset))
    yield Sample((draw(2, 3, 4), 0, 2, 0))
    yield Sample((draw(2, 3, 4),), {"offset": 1, "dim1": -2, "dim2": -1})


@samples_for("diag")
def _diag(draw: Draw) -> Samples:
    for diagonal in (0, 1, -2):
        yield Sample((draw(3), diagonal))
        yield Sample((draw(3, 4), diagonal))
    yield Sample((draw(0),))


@samples_for("diagflat")
def _diagflat(draw: Draw) -> Samples:
    yield Sample((draw(2, 2),))
    yield Sample((draw(2), 1))


@samples_for("diag_embed")
def _diag_embed(draw: Draw) -> Samples:
    for offset in (0, 1, -1):
        yield Sample((draw(2, 3), offset))
    yield Sample((draw(2, 3), 0, 0, 2))
    yield Sample((draw(2, 3),), {"dim1": -1, "dim2": 0, "offset": 1})


@samples_for("diagonal_scatter")
def _diagonal_scatter(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(3)))
    yield Sample((draw(3, 4), draw(2), -1))
    yield Sample((draw(2, 3, 3), draw(3, 2), 1, 0, 2), torch=False, optional=True)
    yield Sample((draw(2, 3, 3), draw(2, 2)), {"offset": 1, "dim1": 1, "dim2": 2})


@samples_for("unravel_index")
def _unravel_index(draw: Draw) -> Samples:
    yield Sample((draw.indices(24, 5), (2, 3, 4)))


@samples_for("diff")
def _diff(draw: Draw) -> Samples:
    yield Sample((draw(5),))
    yield Sample((draw(4, 3), 2, 0))
    yield Sample((draw(2, 4),), {"n": 1, "dim": 1, "prepend": draw(2, 1), "append": draw(2, 2)})
    yield Sample((draw.flags(5),))
    yield Sample((draw(2),), {"n": 2})


# --- selecting -----------------------------------------------------------------------------------
@samples_for("index_select")
def _index_select(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, np.array([2, 0, 2])))
    yield Sample((draw(3, 4), -1, np.array([1])))
    yield Sample((draw(3, 4), 0, np.array(1)))


@samples_for("index_add")
def _index_add(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, np.array([2, 0, 2]), draw(3, 4)))
    yield Sample((draw(3, 4), -1, np.array([1]), draw(3, 1)), {"alpha": 2.5})
    yield Sample((draw(3), 0, np.array([1, 1]), draw(2)), {"alpha": -1})


@samples_for("index_copy")
def _index_copy(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, np.array([2, 0]), draw(2, 4)))
    yield Sample((draw(3, 4), 1, np.array([1]), draw(3, 1)))


@samples_for("index_fill")
def _index_fill(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, np.array([2, 0]), 1.5))
    yield Sample((draw(3, 4), -1, np.array([1, 1]), draw()))


@samples_for("index_put")
def _index_put(draw: Draw) -> Samples:
    rows, columns = np.array([2, 0, 2]), np.array([1, 1, 3])
    yield Sample((draw(3, 4), (rows[:2], columns[:2]), draw(2)))
    yield Sample((draw(3, 4), (rows, columns), draw(3)), {"accumulate": True})
    yield Sample((draw(3, 4), (rows,), draw(4), True))
    yield Sample((draw(3, 4), (draw.flags(3, 4),), draw()))
    yield Sample((draw(3, 4), (rows[:, None], columns), draw(), True))


@samples_for("take_along_dim")
def _take_along_dim(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw.indices(3, (2, 4)), 0))
    yield Sample((draw(3, 4), draw.indices(4, (3, 6)), -1))
    yield Sample((draw(3, 4), draw.indices(12, (2, 3))))
    yield Sample((draw(3, 4), draw.indices(3, (2, 1)), 0))
    yield Sample((draw(1, 4), draw.indices(4, (3, 2)), 1))


@samples_for("take")
def _take(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw.indices(12, (2, 3))))
    yield Sample((draw(3, 4), np.array([-1, 0, 0])))


@samples_for("put")
def _put(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), np.array([0, 5, -1]), draw(3)))
    yield Sample((draw(3, 4), np.array([[0, 5], [5, 0]]), draw(4), True))


@samples_for("masked_select")
def _masked_select(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw.flags(3, 4)))
    yield Sample((draw(3, 4), draw.flags(4)))
    yield Sample((draw(3, 1), draw.flags(2, 1, 4)))
    yield Sample((draw(), draw.flags(3)))


@samples_for("masked_scatter")
def _masked_scatter(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw.flags(3, 4), draw(3, 5)))
    yield Sample((draw(3, 4), draw.flags(4), draw(12)))


@samples_for("nonzero", "argwhere")
def _nonzero(draw: Draw) -> Samples:
    yield Sample((draw.flags(3, 4),))
    yield Sample((draw.flags(5),))
    yield Sample((draw.flags(),))


# --- scattering ----------------------------------------------------------------------------------
@samples_for("scatter")
def _scatter(draw: Draw) -> Samples:
    distinct = np.array([[2, 0, 1, 2], [0, 1, 2, 0]])
    yield Sample((draw(3, 4), 0, distinct, draw(2, 4)))
    yield Sample((draw(3, 4), 1, np.array([[3, 0], [1, 2]]), draw(3, 5)), torch=False)
    yield Sample((draw(3, 4), 1, np.array([[3, 0], [1, 2]]), 1.5))
    yield Sample((draw(3, 4), -1, np.array([[3, 3]])), {"value": 2.0})
    yield Sample((draw(3, 4), 1, np.array([[3, 3, 0]]), 2.0), {"reduce": "add"})
    yield Sample((draw(3, 4), 1, np.array([[3, 3, 0]]), 2.0), {"reduce": "multiply"}, torch=False)
    yield Sample((draw(), 0, np.array(0), draw()))


@samples_for("scatter_reduce")
def _scatter_reduce(draw: Draw) -> Samples:
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for include_self in (True, False):
            kwargs: dict[str, Any] = {"include_self": include_self}
            yield Sample((draw(3, 4), 0, draw.indices(3, (5, 4)), draw(5, 4), reduce), kwargs)
            yield Sample((draw(3, 4), 1, draw.indices(4, (2, 3)), draw(2, 3), reduce), kwargs)
        yield Sample((draw(4), 0, draw.indices(4, (3,)), draw(5), reduce), torch=False)
    ties = np.array([1.0, 2.0, 2.0])
    index = np.array([0, 0, 0])
    yield Sample((np.array([2.0, 0.5]), 0, index, ties, "amax"), fixed=(0, 3))
    zeros = np.array([0.0, 3.0, 0.0])
    yield Sample((np.array([2.0, 0.5]), 0, np.array([0, 0, 1]), zeros, "prod"))


@samples_for("index_reduce")
def _index_reduce(draw: Draw) -> Samples:
    for reduce in ("prod", "mean", "amax", "amin"):
        index = np.array([2, 0, 2])
        yield Sample((draw(3, 4), 0, index, draw(3, 4), reduce))
        yield Sample((draw(4, 3), 1, index, draw(4, 3), reduce), {"include_self": False})

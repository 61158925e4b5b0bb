"""vmap(f) is the stack of f over samples: for every registered operator, and for its gradient."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

import deepdive as dd
from deepdive import func
from deepdive.core.operator import REGISTRY
from deepdive.ops.creation import CREATORS
from deepdive.testing.case import arrays_in, listed, replaced
from deepdive.testing.samples import samples_of

for _part in sorted((Path(__file__).parents[2] / "ops").glob("sample_table*.py")):
    runpy.run_path(str(_part))

LANES = 3

# Functions refused under vmap: the size of what they give depends on the values of each sample.
EXCEPTIONS = {"nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "bincount"}
# The gradient of what is written at a mask is read there: as many numbers as the mask has places.
OF_MASKS = {"index_put"}


def functions():
    seen = set()
    for name, function in REGISTRY.items():
        if name not in CREATORS and name not in EXCEPTIONS and id(function) not in seen:
            seen.add(id(function))
            yield pytest.param(name, id=name)


def alike(samples):
    """Whether calls differ in the numbers of their arrays alone."""
    first, *rest = [list(arrays_in((s.args, s.kwargs))) for s in samples]
    same = all([a.shape for a in first] == [a.shape for a in other] for other in rest)
    kinds = all([a.dtype for a in first] == [a.dtype for a in other] for other in rest)
    return same and kinds and len({str(s) for s in samples}) == 1 and first


def calls(name):
    """Sample calls that differ in their numbers only, one per lane."""
    for samples in zip(*(samples_of(REGISTRY[name], seed) for seed in range(LANES)), strict=True):
        if alike(samples):
            yield samples


def run(name, sample, tensors):
    args, kwargs = replaced((sample.args, sample.kwargs), iter(tensors))
    dd.manual_seed(0)
    out = REGISTRY[name](*args, **kwargs)
    return tuple(o for o in listed(out) if isinstance(o, dd.Tensor))


def stacked(rows):
    return [np.stack([np.asarray(r) for r in column]) for column in zip(*rows, strict=True)]


def close(found, expected, what):
    assert len(found) == len(expected), what
    for got, want in zip(found, expected, strict=True):
        assert got.dtype == want.dtype, what
        assert tuple(got.shape) == want.shape, what
        if want.dtype.kind == "f":
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-9, atol=1e-9, err_msg=what)
        else:
            assert np.array_equal(got.numpy(), want), what


def patterns(count):
    """Which arrays are batched: all, then each alone."""
    yield (True,) * count
    if count > 1:
        for k in range(count):
            yield tuple(i == k for i in range(count))


def check(name, samples, pattern):
    lanes = [list(arrays_in((s.args, s.kwargs))) for s in samples]
    rows = [
        [own if p else first for own, first, p in zip(row, lanes[0], pattern, strict=True)]
        for row in lanes
    ]
    try:
        expected = [run(name, samples[0], [dd.tensor(a) for a in row]) for row in rows]
    except dd.errors.DeepDiveError:
        if samples[0].optional:
            return False
        raise
    if len({tuple(o.shape for o in row) for row in expected}) > 1:
        return False  # sizes that depend on values
    inputs = [
        dd.tensor(np.stack(c)) if p else dd.tensor(c[0])
        for c, p in zip(zip(*rows, strict=True), pattern, strict=True)
    ]
    dims = tuple(0 if p else None for p in pattern)

    def one(*tensors):
        return run(name, samples[0], tensors)

    what = f"{name}{samples[0]} batched {pattern}"
    found = func.vmap(one, in_dims=dims, randomness="same")(*inputs)
    close(found, stacked([[o.numpy() for o in row] for row in expected]), what)
    gradients(name, samples, rows, inputs, dims, what)
    return True


def gradients(name, samples, rows, inputs, dims, what):
    """Gradients of each sample, and – through vmap – of all samples' sum."""
    fixed = {
        id(a) for i, v in enumerate(samples[0].args) if i in samples[0].fixed for a in arrays_in(v)
    }
    fixed |= {
        id(a) for k, v in samples[0].kwargs.items() if k in samples[0].fixed for a in arrays_in(v)
    }
    first = list(arrays_in((samples[0].args, samples[0].kwargs)))
    places = tuple(i for i, a in enumerate(first) if a.dtype.kind == "f" and id(a) not in fixed)
    if not places:
        return

    def total(*tensors):
        outs = [o for o in run(name, samples[0], tensors) if o.dtype.kind == "f"]
        parts = [(o * (0.7 + 0.1 * i)).sum() for i, o in enumerate(outs)]
        return sum(parts[1:], parts[0]) if parts else None

    if total(*[dd.tensor(a) for a in rows[0]]) is None:
        return
    if name in OF_MASKS and dims[1] == 0 and first[1].dtype.kind == "b":
        return
    slope = func.grad(total, argnums=places)
    expected = [[g.numpy() for g in slope(*[dd.tensor(a) for a in row])] for row in rows]
    found = func.vmap(slope, in_dims=dims, randomness="same")(*inputs)
    close(found, stacked(expected), f"gradients per sample of {what}")

    def of_all(*tensors):
        return func.vmap(total, in_dims=dims, randomness="same")(*tensors).sum()

    found = func.grad(of_all, argnums=places)(*inputs)
    for place, got, per_sample in zip(places, found, stacked(expected), strict=True):
        want = per_sample if dims[place] == 0 else per_sample.sum(0)
        close([got], [want], f"gradients through vmap of {what}, input {place}")


@pytest.mark.parametrize("name", functions())
def test_vmap_is_the_stack_over_samples(name):
    tried = 0
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for samples in calls(name):
            count = len(list(arrays_in((samples[0].args, samples[0].kwargs))))
            for pattern in patterns(count):
                tried += check(name, samples, pattern)
    assert tried, f"{name}: no call could be tried"


@pytest.mark.parametrize("name", sorted(EXCEPTIONS & REGISTRY.keys()))
def test_exceptions_are_refused_in_words(name):
    x = dd.tensor(np.array([[1, 0, 2], [3, 0, 0]]))
    more = (x > 1,) if name == "masked_select" else ()
    with pytest.raises(dd.errors.GraphError, match=r"depends on values|another size"):
        func.vmap(REGISTRY[name])(x, *more)

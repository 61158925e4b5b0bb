"""Where values lie: strides worked out by hand against those of NumPy's views."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdive.compiler.graph import INPUT, Value
from deepdive.compiler.layout import contiguous, own, reshaped, spread, view

DTYPE = np.dtype("int64")


def bytes_of(strides):
    return tuple(s * 8 for s in strides)


SHAPES = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(SHAPES)
def test_contiguous(shape):
    array = np.zeros(shape, DTYPE)
    assert bytes_of(contiguous(shape)) == array.strides


@settings(deadline=None)
@given(st.data())
def test_words_that_are_views(data):
    """A chain of permutations, slices, broadcasts, new axes, each against NumPy."""
    shape = data.draw(SHAPES)
    array = np.arange(np.prod(shape, dtype=int), dtype=DTYPE).reshape(shape)
    base = array
    value = Value(INPUT, {}, shape, DTYPE)
    places = {value: own(value)}
    for _ in range(data.draw(st.integers(1, 4))):
        word = data.draw(st.sampled_from(["permute_dims", "getitem", "broadcast_to", "reshape"]))
        array, arguments = moved(data, word, array)
        value = Value(word, {"x": value, **arguments}, array.shape, DTYPE)
        place = view(value, places)
        if place is None:
            assert word == "reshape"
            return
        places[value] = place
        shown = np.lib.stride_tricks.as_strided(
            base.reshape(-1)[place.offset :], array.shape, bytes_of(place.strides)
        )
        assert np.array_equal(shown, array), (word, arguments)


def moved(data, word, array):
    """What NumPy makes of a word drawn at random, and the word's arguments."""
    shape = array.shape
    if word == "permute_dims":
        axes = tuple(data.draw(st.permutations(range(len(shape)))))
        return array.transpose(axes), {"axes": axes}
    if word == "broadcast_to":
        wide = tuple(data.draw(st.integers(1, 3)) if n == 1 else n for n in shape)
        wide = (*data.draw(st.lists(st.integers(1, 2), max_size=1)), *wide)
        return np.broadcast_to(array, wide), {"shape": wide}
    if word == "reshape":
        sizes = [n for n in range(1, array.size + 1) if array.size % n == 0]
        n = data.draw(st.sampled_from(sizes))
        out = data.draw(st.sampled_from([(n, array.size // n), (1, n, array.size // n)]))
        return array.reshape(out), {"shape": out}
    index = []
    for n in shape[: data.draw(st.integers(0, len(shape)))]:
        a = data.draw(st.integers(-n, n - 1))
        choices = [a, slice(None), slice(None, None, 2), slice(a % n, None), slice(a, None, -1)]
        index += [None] * data.draw(st.booleans()) + [data.draw(st.sampled_from(choices))]
    rest = [...] * data.draw(st.booleans())
    return array[(*index, ...)], {"index": (*index, *rest)}


@given(st.data())
def test_a_reshape_without_copy_is_numpys(data):
    """Where this room finds strides NumPy does not copy either, and the other way round."""
    shape = data.draw(SHAPES)
    array = np.arange(np.prod(shape, dtype=int), dtype=DTYPE).reshape(shape)
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    turned = array.transpose(axes)
    target, _ = moved(data, "reshape", turned)
    strides = tuple(s // 8 for s in turned.strides)
    found = reshaped(turned.shape, strides, target.shape)
    assert (found is None) == (not np.shares_memory(target, array))
    if found is not None:
        shown = np.lib.stride_tricks.as_strided(array.reshape(-1), target.shape, bytes_of(found))
        assert np.array_equal(shown, target)


def test_spread():
    for shape, target in (((3,), (2, 3)), ((2, 1), (2, 3)), ((), (4,)), ((1, 4), (3, 4))):
        strides = tuple(s // 8 for s in np.zeros(shape, DTYPE).strides)
        found = spread(strides, shape, target)
        expected = np.broadcast_to(np.zeros(shape, DTYPE), target).strides
        lines = zip(found, expected, target, strict=True)
        assert all(f * 8 == e or n == 1 for f, e, n in lines)

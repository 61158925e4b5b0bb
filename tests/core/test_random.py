"""The generator against a Philox written by hand, and its numbers against their distributions."""

import copy
import math
import pickle
import threading
import time

import numpy as np
import pytest

from deepdive import config
from deepdive.backend.random_numpy import fork_stream, random_bits
from deepdive.core import random as R
from deepdive.core.random import Generator
from deepdive.errors import ArgumentError, DTypeError

M = (1 << 64) - 1


def philox4x64(counter, key, rounds=10):
    """The cipher as the paper writes it: two multiplications, four exclusive ors a round."""
    (a, b, c, d), (k0, k1) = counter, key
    for _ in range(rounds):
        p, q = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (q >> 64) ^ b ^ k0, q & M, (p >> 64) ^ d ^ k1, p & M
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & M, (k1 + 0xBB67AE8584CAA73B) & M
    return a, b, c, d


def bits_by_hand(key, draw, size):
    words = []
    for block in range((size + 7) // 8):
        for word in philox4x64((block, draw, 0, 0), (key & M, key >> 64)):
            words += [word & 0xFFFFFFFF, word >> 32]
    return words[:size]


# Random123's kat_vectors, the lines "philox4x64 10": counter, key, result.
KNOWN = [
    (
        "0 0 0 0",
        "0 0",
        "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b",
    ),
    (
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff",
        "ffffffffffffffff ffffffffffffffff",
        "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0",
    ),
    (
        "243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89",
        "452821e638d01377 be5466cf34e90c6c",
        "a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6",
    ),
]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_the_cipher_of_these_tests_gives_the_published_answers(counter, key, result):
    hexes = [[int(word, 16) for word in text.split()] for text in (counter, key, result)]
    assert list(philox4x64(hexes[0], hexes[1])) == hexes[2]


@pytest.mark.parametrize("key", [0, 5, M, (0xBE5466CF34E90C6C << 64) | 0x452821E638D01377])
@pytest.mark.parametrize("draw", [0, 1, 0x13198A2E03707344, M])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 9, 23])
def test_random_bits_are_the_ciphers(key, draw, size):
    got = random_bits(key, draw, (size,))
    assert got.dtype == np.uint32
    assert got.tolist() == bits_by_hand(key, draw, size)


def test_random_bits_has_every_shape_and_a_prefix_does_not_depend_on_it():
    assert random_bits(3, 4, ()).shape == ()
    assert random_bits(3, 4, (0, 5)).shape == (0, 5)
    assert random_bits(3, 4, (5, 3)).ravel().tolist() == random_bits(3, 4, (99,))[:15].tolist()


def test_fork_is_the_ciphers_with_a_counter_no_draw_uses():
    assert fork_stream(9, 12) == philox4x64((12, 0, 0, 1), (9, 0))[0]
    child = Generator(9).fork(12, 34)
    stream = philox4x64((12, 0, 0, 1), (9, 0))[0]
    stream = philox4x64((34, 0, 0, 1), (9, stream))[0]
    assert child.get_state() == {"seed": 9, "stream": stream, "draw": 0}


def test_every_call_takes_one_draw():
    g = Generator(1)
    g.uniform((4, 5))
    g.uniform(7, dtype="float64")
    g.normal(())
    g.integers(0, 10, (3,))
    g.permutation(0)
    g.bernoulli(0.5, (2, 2))
    assert g.draw() == (1, 6)
    assert g.get_state() == {"seed": 1, "stream": 0, "draw": 7}


def test_uniform_is_the_upper_bits_of_each_word():
    words = bits_by_hand(11, 0, 40)
    single = Generator(11).uniform((4, 10))
    assert single.dtype == np.float32
    assert single.ravel().tolist() == [(w >> 8) / 2**24 for w in words]
    double = Generator(11).uniform((20,), dtype="float64")
    pairs = zip(words[::2], words[1::2], strict=True)
    assert double.tolist() == [((high << 32 | low) >> 11) / 2**53 for low, high in pairs]
    assert Generator(11).uniform(40, dtype="float16").tolist() == [(w >> 21) / 2**11 for w in words]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.3), (5, 6), (1000, 1001), (2, 2)])
def test_uniform_stays_in_its_interval(dtype, low, high):
    x = Generator(2).uniform((300, 100), low, high, dtype=dtype)
    kind = np.dtype(dtype).type
    assert x.min() >= kind(low)
    assert x.max() < kind(high) if low < high else x.max() == high
    if low < high and dtype != "float16":  # float16 has two numbers between 1000 and 1001
        assert float(x.astype("float64").mean()) == pytest.approx((low + high) / 2, abs=2e-2)


def test_normal_is_box_and_mullers():
    words = bits_by_hand(5, 0, 8)
    u = [(w >> 8) / 2**24 for w in words]
    radius = [math.sqrt(-2 * math.log(1 - a)) for a in u[:4]]
    cosine = [r * math.cos(2 * math.pi * v) for r, v in zip(radius, u[4:], strict=True)]
    sine = [r * math.sin(2 * math.pi * v) for r, v in zip(radius, u[4:], strict=True)]
    np.testing.assert_allclose(Generator(5).normal((7,)), (cosine + sine)[:7], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        Generator(5).normal((2, 4), mean=3, std=0.5).ravel(),
        3 + 0.5 * np.array(cosine + sine),
        rtol=1e-5,
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_normal_has_the_moments_of_a_gaussian(dtype):
    z = Generator(123).normal((200, 1001), dtype=dtype)
    assert z.dtype == dtype
    z = z.astype("float64")
    n = z.size
    assert abs(z.mean()) < 4 / n**0.5
    assert abs(z.var() - 1) < 4 * (2 / n) ** 0.5
    assert abs((z**3).mean()) < 4 * (15 / n) ** 0.5
    assert abs((z**4).mean() - 3) < 4 * (96 / n) ** 0.5
    for x, share in [(-2, 0.02275), (-1, 0.15866), (0, 0.5), (1, 0.84134), (2, 0.97725)]:
        assert (z < x).mean() == pytest.approx(share, abs=4e-3)


def test_normal_with_a_tiny_or_no_deviation():
    assert Generator(1).normal(3, mean=2.5, std=0).tolist() == [2.5] * 3
    assert 0 < abs(Generator(1).normal(100, std=1e-30)).max() < 1e-28


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3, 4), (0, 10**12), (-(1 << 63), (1 << 63) - 1)]
)
def test_integers_are_the_word_modulo_the_span(low, high):
    words = bits_by_hand(8, 0, 100)
    pairs = zip(words[::2], words[1::2], strict=True)
    expected = [low + (b << 32 | a) % (high - low) for a, b in pairs]
    got = Generator(8).integers(low, high, (10, 5))
    assert got.dtype == np.int64
    assert got.ravel().tolist() == expected


def test_integers_are_evenly_spread():
    counts = np.bincount(Generator(1).integers(0, 6, 60000))
    assert counts.size == 6
    assert ((counts - 10000) ** 2 / 10000).sum() < 20.5  # chi squared, 5 degrees: 1 in 1000


def test_permutation_is_the_shuffle_of_fisher_and_yates():
    n = 10
    words = bits_by_hand(4, 0, 2 * (n - 1))
    wide = [b << 32 | a for a, b in zip(words[::2], words[1::2], strict=True)]
    expected = list(range(n))
    for i in range(n - 1, 0, -1):
        j = wide[n - 1 - i] % (i + 1)
        expected[i], expected[j] = expected[j], expected[i]
    assert Generator(4).permutation(n).tolist() == expected
    assert Generator(4).permutation(1).tolist() == [0]
    assert Generator(4).permutation(0).shape == (0,)


def test_all_permutations_of_four_are_as_likely():
    g = Generator(77)
    counts = {}
    for _ in range(4800):
        order = tuple(g.permutation(4).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert sum((c - 200) ** 2 / 200 for c in counts.values()) < 49.7  # 23 degrees: 1 in 1000


def test_a_permutation_of_the_training_set_is_quick():
    started = time.perf_counter()
    order = Generator(0).permutation(60_000)
    seconds = time.perf_counter() - started
    assert np.array_equal(np.sort(order), np.arange(60_000))
    assert seconds < 0.3  # 6 ms when the machine is free


def test_bernoulli_compares_words():
    words = np.array(bits_by_hand(6, 0, 30))
    got = Generator(6).bernoulli(0.25, (5, 6))
    assert got.dtype == np.bool_
    assert got.ravel().tolist() == (words < 2**30).tolist()
    assert Generator(6).bernoulli(1.0, 1000).all()
    assert not Generator(6).bernoulli(0.0, 1000).any()
    assert Generator(6).bernoulli(0.9, 100_000).mean() == pytest.approx(0.9, abs=4e-3)


def test_draws_and_forks_do_not_resemble_each_other():
    g = Generator(1)
    rows = np.stack([g.normal(5000, dtype="float64") for _ in range(10)])
    forks = np.stack([g.fork(0, i).normal(5000, dtype="float64") for i in range(10)])
    correlation = np.corrcoef(np.concatenate((rows, forks)))
    assert abs(correlation - np.eye(20)).max() < 4.5 / 5000**0.5


def test_a_fork_depends_on_the_seed_and_its_numbers_alone():
    used = Generator(3)
    used.uniform(10)
    assert used.fork(1, 2).get_state() == Generator(3).fork(1, 2).get_state()
    paths = [(s, a, b) for s in (0, 1) for a in (0, 1, -1) for b in (0, 1)]
    streams = {tuple(Generator(s).fork(a, b).get_state().items()) for s, a, b in paths}
    assert len(streams) == 12
    assert Generator(3).fork(1).initial_seed() == 3


def test_the_state_comes_back_also_through_copies_and_pickles():
    g = Generator(-5).fork(7)
    assert g.initial_seed() == 2**64 - 5
    g.uniform(3)
    state = g.get_state()
    copies = [Generator(0).set_state(state), copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    expected = g.uniform(6).tolist()
    assert [c.uniform(6).tolist() for c in copies] == [expected] * 3
    assert g.set_state(state).uniform(6).tolist() == expected


def test_manual_seed_starts_again():
    g = Generator(1)
    first = g.uniform(3).tolist()
    assert g.manual_seed(1) is g
    assert g.uniform(3).tolist() == first
    assert g.manual_seed(np.int64(2)).uniform(3).tolist() != first


def test_fresh_seeds_differ():
    assert Generator().initial_seed() != Generator().initial_seed()
    g = Generator(1)
    assert g.seed() == g.initial_seed() != 1


def test_the_default_generator():
    before = R.get_rng_state()
    try:
        assert R.manual_seed(42) is R.default_generator
        assert R.initial_seed() == 42
        state = R.get_rng_state()
        first = R.default_generator.uniform(2).tolist()
        R.set_rng_state(state)
        assert R.default_generator.uniform(2).tolist() == first == Generator(42).uniform(2).tolist()
    finally:
        R.set_rng_state(before)


def test_threads_never_share_a_draw():
    g = Generator(0)
    seen = []

    def take():
        seen.extend([g.draw()[1] for _ in range(2000)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(8000))


def test_the_default_dtype_counts():
    before = config.defaults.dtype
    try:
        config.set_default_dtype("float64")
        assert Generator(0).uniform(2).dtype == np.float64
    finally:
        config.defaults.dtype = before


def test_repr_names_the_place_in_the_stream():
    g = Generator(7)
    g.draw()
    assert repr(g) == "Generator(seed=7, draw=1)"
    assert repr(g.fork(1)).startswith("Generator(seed=7, stream=0x")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda g: g.manual_seed(1.5), ArgumentError, "a seed is an integer of at most 64 bits"),
        (lambda g: g.manual_seed(1 << 64), ArgumentError, "-2**63 <= seed < 2**64"),
        (lambda g: Generator("a"), ArgumentError, "got: 'a'"),
        (lambda g: g.set_state({"seed": 1}), ArgumentError, "not a state of a Generator"),
        (lambda g: g.set_state((1, 2, 3)), ArgumentError, "not a state of a Generator"),
        (lambda g: g.uniform(2, 1, 0), ArgumentError, "low must not exceed high"),
        (lambda g: g.uniform(2, 0, math.inf), ArgumentError, "[0, inf)"),
        (lambda g: g.uniform(2, dtype="int64"), DTypeError, "got: int64"),
        (lambda g: g.normal(2, std=-1), ArgumentError, "std must be >= 0"),
        (lambda g: g.normal(2, mean=math.nan), ArgumentError, "mean=nan"),
        (lambda g: g.integers(3, 3), ArgumentError, "low must be below high"),
        (lambda g: g.integers(0, 1 << 63), ArgumentError, "both int64"),
        (lambda g: g.permutation(-1), ArgumentError, "length must be >= 0"),
        (lambda g: g.bernoulli(1.1, 2), ArgumentError, "p must be a probability"),
    ],
)
def test_errors_say_what_was_wrong(call, error, words):
    with pytest.raises(error) as caught:
        call(Generator(0))
    assert words in str(caught.value)

"""Words the loops do not know are called as they are, and the rest of the program keeps its loops.

Everything is compared with eager mode: losses, results, and state after several steps.
"""

import threading

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.errors import GraphError
from deepdive.nn import functional as F

pytest.importorskip("numba", reason="the loops are compiled by Numba")


def close(found, expected, tolerance=1e-6):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def stages(program):
    """Which stages of a program are loops."""
    return [stage.is_loops for stage in program.latest.code.stages]


# --- training steps with one such word in the middle -------------------------------------------
def sorted_rows(z):
    return dd.sort(z, dim=1)[0]


def top(z):
    return dd.topk(z, 3, dim=1)[0]


def in_float64(z):
    return (z.double() - z.double().mean(0)).exp().log1p().float()


def solved(z):
    matrix = z.T @ z / 16 + 2 * dd.eye(6)
    return dd.linalg.solve(matrix, z.T).T + z @ dd.linalg.cholesky(matrix)


def summed_up(z):
    return z.cumsum(1)


def joined(z):
    return dd.stack([z, z * 2, z.tanh()], 1).flip(1).sum(1)


MIDDLES = [sorted_rows, top, in_float64, solved, summed_up, joined]


class Step:
    """A training step of two layers, with `middle` between them; Adam keeps its slots."""

    def __init__(self, middle, prepare=lambda step: step):
        dd.manual_seed(1)
        width = middle(dd.ones(16, 6)).shape[1]
        self.model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(width, 3))
        self.optimizer = dd.optim.Adam(self.model.parameters(), lr=1e-2, eps=1e-3)
        self.middle = middle
        self.run = prepare(self.step)

    def step(self, x, y):
        first, tanh, last = self.model
        self.optimizer.zero_grad()
        loss = F.cross_entropy(last(self.middle(tanh(first(x)))), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def state(self):
        slots = self.optimizer.state_dict()["state"]
        found = [p.numpy().copy() for p in self.model.parameters()]
        for entry in slots.values() if isinstance(slots, dict) else slots:
            found += [np.asarray(v).copy() for v in entry.values() if hasattr(v, "shape")]
        return found


def batch():
    rng = np.random.default_rng(0)
    x = dd.tensor(rng.standard_normal((16, 5)).astype("float32"))
    return x, dd.tensor(np.arange(16) % 3)


@pytest.mark.parametrize("middle", MIDDLES)
def test_training_steps(middle):
    x, y = batch()
    eager = Step(middle)
    compiled = Step(middle, lambda step: dd.compile(step, dialect="numba"))
    for i in range(5):
        inputs = x * (1 + i)  # other inputs each time
        close(compiled.run(inputs, y).numpy(), eager.run(inputs, y).numpy())
    for found, expected in zip(compiled.state(), eager.state(), strict=True):
        close(found, expected, 2e-6)
    assert any(stages(compiled.run)) and not all(stages(compiled.run))


@pytest.mark.parametrize("kind, steps", [(nn.LSTM, 3), (nn.GRU, 10)])
def test_recurrent_steps(kind, steps):
    """A few outputs over time are stacked in loops, many by NumPy; both start with zeros @ w."""
    rng = np.random.default_rng(0)
    x = dd.tensor(rng.standard_normal((steps, 4, 3)).astype("float32"))

    def losses(prepare):
        dd.manual_seed(2)
        model = kind(3, 6)
        optimizer = dd.optim.Adam(model.parameters(), lr=1e-2, eps=1e-3)

        def step(x):
            optimizer.zero_grad()
            loss = model(x)[0].square().mean()
            loss.backward()
            optimizer.step()
            return loss

        run = prepare(step)
        found = [run(x).item() for _ in range(5)]
        return found, [p.numpy().copy() for p in model.parameters()], run

    expected, state, _ = losses(lambda step: step)
    found, same, program = losses(lambda step: dd.compile(step, dialect="numba"))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    for a, b in zip(same, state, strict=True):
        close(a, b, 2e-6)
    assert ("stack (too many arrays" in program.explain()) == (steps > 8)


# --- old state and new -------------------------------------------------------------------------
def test_old_values_are_read_late():
    """New state is written behind all words: loops, words and results see the old one."""

    def step(w, v, x):
        with dd.no_grad():
            old = w * 1  # copied out before
            part = w[1:] * 1
            w.mul_(0.5).add_(x.mean())
            v.copy_(old.flip(0))
            ranked = dd.sort(x * old)[0]  # a word behind the update, on old values
            again = dd.sort(ranked + w)[0] * old
            w.sub_(again.sum() * 0.01)
            return ranked, again, old, part.flip(0), w * 2

    def run(prepare):
        w = dd.tensor([1.0, -2.0, 3.0, 0.5])
        v = dd.zeros(4)
        call = prepare(lambda x: step(w, v, x))
        found = []
        for i in range(4):
            found += [out.numpy().copy() for out in call(dd.arange(4) * 0.3 - i)]
            found += [w.numpy().copy(), v.numpy().copy()]
        return found

    expected = run(lambda f: f)
    for found, wanted in zip(run(lambda f: dd.compile(f, dialect="numba")), expected, strict=True):
        close(found, wanted)


def test_state_changes_places():
    """Two pieces of state exchanged through a word, and one that becomes the other's old value."""

    def run(prepare):
        a, b, c = dd.tensor([3.0, 1.0, 2.0]), dd.tensor([5.0, 4.0, 6.0]), dd.zeros(3)

        def step(x):
            with dd.no_grad():
                first = a * 1
                c.copy_(a)
                a.copy_(dd.sort(b * x)[0] + x)
                b.copy_(first.cumsum(0) * 2)
            return a + b + c

        call = prepare(step)
        return [[t.numpy().copy() for t in (call(dd.ones(3) * 0.5), a, b, c)] for _ in range(3)]

    for found, wanted in zip(
        run(lambda f: dd.compile(f, dialect="numba")), run(lambda f: f), strict=True
    ):
        for one, other in zip(found, wanted, strict=True):
            close(one, other)


def test_an_error_in_a_word_leaves_state_as_it_was():
    """Updates wait for the last word, one that the results alone need included."""
    w = dd.tensor([[2.0, 0.0], [0.0, 2.0]])

    def step(x):
        with dd.no_grad():
            before = w * x
            w.add_(x)
        return dd.linalg.cholesky(before + 0.0)

    program = dd.compile(step, dialect="numba")
    for _ in range(2):
        program(dd.ones(2, 2))
    kept = w.numpy().copy()
    with pytest.raises(Exception, match=r".*") as raised:
        program(-dd.ones(2, 2))
    assert "definite" in str(raised.value).lower()
    np.testing.assert_array_equal(w.numpy(), kept)


def test_results_are_the_callers_own():
    """No call changes what an earlier one returned, and nobody writes into the program."""
    program = dd.compile(
        lambda x: (x * 2, dd.sort(x * 2)[0], (x * 2).flip(0), x.T, (x + 1).exp()), dialect="numba"
    )
    x = dd.tensor([[3.0, 1.0], [2.0, 5.0]])
    first = program(x)
    kept = [out.numpy().copy() for out in first]
    second = program(x + 1)
    for out, then in zip(first, kept, strict=True):
        np.testing.assert_array_equal(out.numpy(), then)
    for out in second:
        out.numpy()[...] = 7
    for out, then in zip(program(x), kept, strict=True):
        np.testing.assert_array_equal(out.numpy(), then)
    np.testing.assert_array_equal(x.numpy(), [[3, 1], [2, 5]])


# --- random numbers, users' own words, threads -------------------------------------------------
def test_random_words_draw_the_same_bits():
    def draws(prepare):
        dd.manual_seed(5)
        run = prepare(lambda x: dd.sort(F.dropout(x * 3, 0.4) + dd.rand(64))[0] * dd.randn(64))
        return [run(dd.ones(64)).numpy() for _ in range(3)]

    compiled = draws(lambda f: dd.compile(f, dialect="numba"))
    for found, expected in zip(compiled, draws(lambda f: f), strict=True):
        close(found, expected)


def test_an_operator_of_ones_own():
    """Its backward pass says a word that the loops do not know."""

    class Ranked(dd.Operator):
        """Squares, each times the rank of its element."""

        def forward(self, xp, x):
            return x * x * xp.argsort(xp.argsort(x)).astype(x.dtype)

        def backward(self, xp, grad, x):
            return 2 * grad * x * xp.argsort(xp.argsort(x)).astype(x.dtype)

    def step(x):
        x = x.detach().requires_grad_()
        y = Ranked()(x.exp()).tanh().sum()
        return y, *dd.grad(y, [x])

    x = dd.tensor([0.3, -1.0, 0.1, 0.7])
    program = dd.compile(step, dialect="numba")
    for _ in range(2):
        for found, expected in zip(program(x), step(x), strict=True):
            close(found.numpy(), expected.numpy())


def test_two_threads():
    def f(x):
        return dd.sort((x * x).sin(), dim=1)[0].cumsum(1).exp().sum(0)

    program = dd.compile(f, dialect="numba")
    inputs = [dd.tensor(np.random.default_rng(i).random((9, 33), "float32")) for i in range(2)]
    expected = [f(x).numpy() for x in inputs]
    program(inputs[0])
    wrong = []

    def work(x, wanted):
        for _ in range(50):
            if not np.allclose(program(x).numpy(), wanted, rtol=1e-5):
                wrong.append(x)

    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(inputs, expected, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- what the loops once got wrong -------------------------------------------------------------
def test_whole_numbers_stay_whole():
    """Products and shared sums of loops are in float32: those of integers are called instead."""
    a = dd.tensor(np.arange(12).reshape(3, 4))
    b = dd.tensor(np.arange(20).reshape(4, 5))
    large = dd.tensor(np.full((64, 1000), 123456789))

    def f(a, b, large):
        zeros = dd.zeros(4, dtype="int64")
        added = zeros.index_add(0, dd.tensor([1, 1, 3]), large[0, :3])
        return a @ b + 1, large.sum(), large.sum(0), large.sum(1), added, (large > 5).sum()

    program = dd.compile(f, dialect="numba")
    for found, expected in zip(program(a, b, large), f(a, b, large), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_constants_are_results():
    program = dd.compile(lambda x: (x + 1, dd.tensor([1.0, 2.0]), dd.arange(3)), dialect="numba")
    for _ in range(2):
        assert [out.tolist() for out in program(dd.ones(2))] == [[2, 2], [1, 2], [0, 1, 2]]


def test_products_with_numbers_and_empty_parts():
    """A factor that no memory holds, and an array without elements, are called or left out."""

    def f(x):
        empty = x[:, :0]
        joined = dd.cat([empty, x, empty], 1)
        return x @ dd.full((3, 2), 0.5), joined * 2, dd.cat([x[:1, :0], x[:1, :1]], 1).exp()

    x = dd.tensor(np.random.default_rng(0).random((4, 3), "float32"))
    program = dd.compile(f, dialect="numba")
    for found, expected in zip(program(x), f(x), strict=True):
        close(found.numpy(), expected.numpy())


def test_what_no_input_changes_is_computed_once():
    """A causal mask is a word without a loop, of numbers alone: the whole program is loops."""
    q = dd.randn(2, 6, 4)

    def f(q):
        mask = ~dd.tril(dd.ones(6, 6, dtype="bool"))
        return F.scaled_dot_product_attention(q, q * 2, q, is_causal=True), q.sum(-1) * mask[0]

    program = dd.compile(f, dialect="numba")
    for x in (q, q * 2):
        for found, expected in zip(program(x), f(x), strict=True):
            close(found.numpy(), expected.numpy())
    assert "stages" not in program.explain()
    assert "tril" not in program.source


def test_constants_that_loops_alone_can_say():
    """A word without a loop after one that only loops know: ones among zeros, summed up."""

    def f(x):
        return dd.cat([dd.ones(2, 3), dd.zeros(2, 1)], 1).cumsum(1) * x.exp()

    x = dd.ones(2, 4)
    close(dd.compile(f, dialect="numba")(x).numpy(), f(x).numpy())


# --- what is told ------------------------------------------------------------------------------
def test_what_is_told():
    x, y = batch()
    step = Step(sorted_rows, lambda step: dd.compile(step, dialect="numba"))
    step.run(x, y)
    text = step.run.explain()
    assert "5 stages; called as they are: " in text
    assert "argsort (no loop for the word 'argsort')" in text
    assert "stage 1, loops: Numba: " in text
    assert "predicted" in text and "not in Numba" not in text
    source = step.run.source
    assert source.count("# =====") == 5
    assert "called as it is: argsort" in source
    assert "xp.argsort(" in source and "@entry_point" in source
    assert step.run.draw().startswith("<?xml")
    drawn = step.run.drawn()
    assert "stage 2, called as they are" in drawn.groups
    words = [part.text.partition("(")[0] for part in drawn.parts]
    ranks = words.index("argsort")
    group = drawn.parts[ranks].group
    assert drawn.groups[group] == "stage 2, called as they are"
    makers = [drawn.parts[a].group for a, b in drawn.edges if b == ranks]
    assert [drawn.groups[group].startswith("stage 1, loops") for group in makers] == [True]


def test_programs_are_kept_with_their_facts():
    from deepdive.compiler import store

    x, y = batch()
    step = Step(lambda z: dd.sort(z * 1.375, dim=1)[0], lambda step: dd.compile(step))
    step.run(x, y)
    source = step.run.latest.code.sources[0]
    kept = {program.source.read_text(encoding="utf-8"): program for program in store.kept()}
    assert "5 stages" in kept[source].facts["explain"]


# --- when there are loops ----------------------------------------------------------------------
def test_too_little_for_loops():
    """Loops that would do next to nothing are not made, unless they are asked for."""
    x = dd.tensor([[3.0, 1.0], [2.0, 4.0]])

    def f(x):
        return dd.sort(x * 2)[0] + 1

    auto, asked = dd.compile(f), dd.compile(f, dialect="numba")
    assert auto(x).tolist() == asked(x).tolist() == f(x).tolist()
    assert "NumPy: a line per value" in auto.explain()
    assert "no loop for the word" in auto.explain()
    assert "stages; called as they are" in asked.explain()


def test_nothing_for_loops():
    x = dd.tensor([3.0, 1.0], dtype="float64")
    with pytest.raises(GraphError, match="float32"):
        dd.compile(lambda x: x * 2 + 1, dialect="numba")(x)


def test_a_compiled_model():
    """Both passes of a compiled module are cut on their own."""

    class Net(nn.Module):
        def __init__(self):
            self.first, self.last = nn.Linear(5, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.last(dd.sort(self.first(x).relu(), dim=1)[0])

    x, y = batch()
    dd.manual_seed(3)
    model = Net()
    F.cross_entropy(model(x), y).backward()
    expected = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    compiled = dd.compile(model, dialect="numba")
    F.cross_entropy(compiled(x), y).backward()
    for p, grad in zip(model.parameters(), expected, strict=True):
        close(p.grad.numpy(), grad)

"""Chains of elementwise words as kernels, and a program as one launch, on the GPU's stand-in."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.compiler.chain_text import WORDS
from deepdive.testing import standin
from deepdive.testing.standin_cuda import COMPILER, Graph, Stream
from tests.compiler.test_device_programs import Training
from tests.compiler.test_random_graphs import check, given, recipes, seed, usual

pytestmark = pytest.mark.skipif(
    COMPILER is None, reason="needs a C++ compiler to run CUDA's source"
)
THERE = standin.DEVICE


def there(*arrays):
    return [dd.tensor(a, device=THERE) for a in arrays]


# --- what a kernel computes ----------------------------------------------------------------------
UNARY = """neg square sqrt exp expm1 log log1p log2 log10 sin cos tan sinh cosh tanh erf asin acos
    atan asinh acosh atanh floor ceil trunc round abs sign sigmoid reciprocal isnan isfinite
    logical_not relu""".split()
BINARY = """add sub mul div maximum minimum atan2 pow eq ne lt le gt ge logical_and logical_or
    logical_xor""".split()
TOLERANCES = {"float16": 1e-3, "float32": 1e-5, "float64": 1e-12}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1.5, np.inf, -np.inf, np.nan, 1e-8, 30.0]


def every_word(x, y):
    """Each word by itself, all in one kernel: they read what it computes first."""
    x, y = -x, -y
    ours = [getattr(x, name)() for name in UNARY]
    ours += [getattr(x, name)(y) for name in BINARY]
    ours += [
        dd.where(x > y, x, 2.5),
        x.clamp(-0.5, 0.5),
        x**2,
        x.abs() ** 0.5,
        x**3,
        x * float("inf"),
    ]
    ours += [(x > 0) & (y > 0), (x > 0) | (y > 0), (x > 0) ^ (y > 0)]
    return [out if out.dtype.kind == "f" else out.to(x.dtype) for out in ours]


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_every_word(dtype):
    x = np.repeat(SPECIAL, len(SPECIAL)).astype(dtype)
    y = np.tile(SPECIAL, len(SPECIAL)).astype(dtype)
    program = dd.compile(every_word)
    with np.errstate(all="ignore"):
        expected = every_word(dd.tensor(x), dd.tensor(y))
    for _ in range(3):
        found = program(*there(x, y))
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            np.testing.assert_allclose(
                one.numpy(), other.numpy(), TOLERANCES[dtype], TOLERANCES[dtype], err_msg=str(i)
            )
    kernels = program.latest.code.chains.kernels()
    said = {value.word for unit in kernels for value in unit.values}
    assert len(kernels) == 1
    assert said >= WORDS - {
        "copy",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
    }


def test_operands_lie_as_they_like():
    """Rows, columns, numbers, transposed, sliced, reshaped, not in row order."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6)).astype("f")
    row, column, w = (rng.standard_normal(s).astype("f") for s in ((6,), (4, 1), (6, 4)))

    def run(x, row, column, w):
        a = (x + row) * column - w.T
        b = (a.reshape(2, 2, 6) * 2 + row).exp()
        c = x[:, 1:4] * w.T[:, ::2] + row[5]
        d = (w.T.reshape(24) + a.reshape(24)) * x[0, 0]
        return a, b.permute(2, 0, 1) * 3, c, d, (a.sum(0, keepdim=True) + x) * 2

    program = dd.compile(run)
    tensors = there(x, row, column, w)
    tensors[3] = dd.tensor(w.T.copy(), device=THERE).T
    assert not tensors[3].data.flags.c_contiguous
    for _ in range(3):
        expected = run(*map(dd.tensor, (x, row, column, w)))
        for one, other in zip(program(*tensors), expected, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), 1e-5, 1e-6)


def test_equal_chains_are_one_kernel():
    """Adam's rule is one kernel for parameters of any shape, and writes where the state lies."""
    model = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3)).to(THERE)
    optimizer = optim.Adam(model.parameters(), 0.1)

    @dd.compile
    def step(x):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()

    step(dd.ones(4, 5, device=THERE))
    code = step.latest.code
    updates = [unit for unit in code.chains.units if len(code.chains.stored(unit)) == 3]
    assert len(updates) == 4
    assert len(code.chains.in_place) == 12
    assert "[...] =" not in step.source
    assert f"({len(code.kernels)} different)" in step.explain()


def test_old_state_is_read_before_it_is_overwritten():
    """What reads a parameter after the update was computed sees what it was."""
    w = dd.tensor([[1.0, 2.0], [3.0, 4.0]], device=THERE)
    v = dd.tensor([[1.0, 0.0], [0.0, 1.0]], device=THERE)

    def swap():
        old = w.flip(0) + 0.5, w.T * 2, w @ v
        w.copy_(w * 2 + v)
        v.copy_(v + old[1].T)
        return (*old, w + v)

    start = [w.numpy().copy(), v.numpy().copy()]
    program, rows = dd.compile(swap), []
    for run in (swap, program):
        w.data[...], v.data[...] = there(*start)[0].data, there(*start)[1].data
        rows.append([[t.tolist() for t in (*run(), w, v)] for _ in range(4)])
    assert rows[0] == rows[1]


def test_an_argument_may_be_the_state():
    """It is read as it was when the call began, in a plain run and in a launch."""
    w = dd.tensor([1.0, 2.0], device=THERE)

    def grow(x):
        out = x.sum() * 2
        w.copy_(w * 2 + 1)
        return (x * 3 - 1) * out

    program = dd.compile(grow)
    for _ in range(4):
        before = w.numpy().copy()
        assert program(w).tolist() == ((before * 3 - 1) * before.sum() * 2).tolist()
        assert w.tolist() == (before * 2 + 1).tolist()
    assert "one launch a call" in program.explain()


@usual(25)
@seed(3)
@given(recipes())
def test_random_graphs(recipe):
    check(recipe, [on_the_device])


@pytest.mark.slow
@usual(300)
@seed(4)
@given(recipes())
def test_many_random_graphs(recipe):
    check(recipe, [on_the_device])


def on_the_device(function):
    program = dd.compile(function)

    def run(*inputs):
        moved = [x.detach().to(THERE).requires_grad_() for x in inputs]
        program(*moved)
        program(*moved)
        return program(*moved)

    return run


# --- one launch ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["mlp", "cnn", "gpt"])
def test_a_step_is_one_launch(name):
    side = Training(name, THERE, True)
    side.go(1)
    assert "one launch a call, from the second on" in side.step.explain()
    before = Graph.launches
    losses = side.go(4)
    assert Graph.launches == before + 4
    assert side.step.explain().count("; one launch a call\n") == 1
    values = [loss.item() for loss in losses]
    assert len(set(values)) == 4  # each result is its caller's own: none was overwritten


def test_arguments_are_copied_in_and_numbers_are_fresh():
    w = dd.zeros(3, device=THERE, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)

    @dd.compile
    def step(x, scale):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        return w + scale

    expected = np.zeros(3)
    for i in range(6):
        optimizer.param_groups[0]["lr"] = float(i)
        x, scale = np.arange(3.0) + i, np.full(3, 10.0 * i)
        found = step(*there(x.astype("f")), scale.astype("f"))
        expected -= i * x
        assert found.tolist() == (expected + scale).tolist()
    assert "one launch a call" in step.explain()


def test_random_numbers_in_a_launch_are_those_of_eager_mode():
    def draw(x):
        return nn.functional.dropout(x, 0.5), dd.rand(3, device=THERE)

    x, program, rows = dd.ones(40, device=THERE), dd.compile(draw), []
    for run in (draw, program):
        dd.manual_seed(5)
        row = [[t.tolist() for t in run(x)] for _ in range(5)]
        dd.set_rng_state({"seed": 5, "stream": 3, "draw": (1 << 63) + (1 << 32) - 3})
        rows.append(row + [[t.tolist() for t in run(x)] for _ in range(5)])
    assert rows[0] == rows[1]
    assert rows[0][3] != rows[0][4]


def test_state_that_moves_is_captured_anew_and_not_for_ever():
    w = dd.ones(3, device=THERE)
    double = dd.compile(lambda: w * 2 + 1)
    for i in range(12):
        if i % 2 == 0:
            w.data = w.data + 1
        assert double().tolist() == [2.0 * (i // 2 + 2) + 1] * 3
    assert "its state moves in memory again and again" in double.explain()
    assert double().tolist() == [15.0] * 3


def test_what_cannot_be_captured_is_replayed_and_said(monkeypatch):
    def refuse(self, mode=None):
        raise RuntimeError("cudaErrorNotSupported")

    monkeypatch.setattr(Stream, "begin_capture", refuse)
    x = dd.ones(3, device=THERE)
    program = dd.compile(lambda x: x * 2 + 1)
    assert [program(x).tolist() for _ in range(3)] == [[3.0] * 3] * 3
    assert "a launch for each: RuntimeError: cudaErrorNotSupported" in program.explain()


def test_what_sends_arrays_is_replayed_and_said():
    """The host's memory would be read again at each launch, and is somebody else's by then."""
    places, starts = there(np.array([0, 2, 1, 1]), np.array([0, 2]))
    table = dd.arange(6, device=THERE).float().reshape(3, 2)
    program = dd.compile(lambda *args: nn.functional.embedding_bag(*args, mode="sum"))
    for _ in range(3):
        assert program(places, table, starts).tolist() == [[4.0, 6.0], [4.0, 6.0]]
    assert "a launch for each: RuntimeError: an array of the host is sent" in program.explain()


def test_a_kernel_that_does_not_compile_is_said_in_words(monkeypatch):
    def refuse(self):
        raise RuntimeError("nvrtc: error: no such thing")

    monkeypatch.setattr(standin.speaker.cp.RawKernel, "compile", refuse)
    x = dd.ones(3, device=THERE)
    program = dd.compile(lambda x: (x * 2.25 + 1).tanh() * 7.5)
    expected = ((x * 2.25 + 1).tanh() * 7.5).tolist()
    assert [program(x).tolist() for _ in range(3)] == [expected] * 3
    assert "no kernels: RuntimeError: nvrtc: error" in program.explain()


def test_a_list_of_places_is_sent_at_each_call():
    x = dd.arange(6, device=THERE).float()
    program = dd.compile(lambda x: x.reshape(2, 3)[:, [0, 2]] * 2)
    for _ in range(3):
        assert program(x).tolist() == [[0.0, 4.0], [6.0, 10.0]]


def test_the_stand_in_is_strict_about_captures():
    cp = standin.speaker.cp
    x = dd.ones(3, device=THERE).data
    stream, pool = cp.cuda.Stream(non_blocking=True), cp.cuda.MemoryPool()
    with pytest.raises(RuntimeError, match="legacy"):
        cp.cuda.Stream.null.begin_capture()
    for forbidden in (x.get, lambda: cp.asarray([1.0]), lambda: x + 1, stream.synchronize):
        with stream:
            stream.begin_capture()
            with pytest.raises(RuntimeError, match="captur"):
                forbidden()
            stream.end_capture()
    with stream, cp.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        y = x * 2
        x[...] = y
        graph = stream.end_capture()
    assert x.get().tolist() == [1.0] * 3  # nothing was done
    assert y.get().tolist() != [2.0] * 3
    graph.launch()
    graph.launch()
    assert (x.get().tolist(), y.get().tolist()) == ([4.0] * 3, [4.0] * 3)
    del pool
    with pytest.raises(RuntimeError, match="belongs to others"):
        graph.launch()

"""bfloat16 as a dtype: names, promotion, printing, numbers in and out, errors without it."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import dtypes, nn
from deepdive.errors import DTypeError, ExchangeError, NonFiniteError
from deepdive.testing import standin

ml_dtypes = pytest.importorskip("ml_dtypes")
HALF = "bfloat16"


def python(text):
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_imported_when_it_is_named():
    """Neither the library nor arithmetic asks for the package; the name does."""
    text = (
        "import sys, deepdive as dd; (dd.ones(2) * 2).sum()\n"
        "print('ml_dtypes' in sys.modules); dd.bfloat16; print('ml_dtypes' in sys.modules)"
    )
    assert python(text).split() == ["False", "True"]


def test_without_the_package():
    text = """
import sys
sys.modules["ml_dtypes"] = None
import deepdive as dd
from deepdive.errors import MissingExtraError
x, model = dd.ones(2, 2), dd.nn.Linear(2, 2)
for call in (
    lambda: dd.bfloat16, lambda: x.bfloat16(), lambda: model.bfloat16(), lambda: x.to("bfloat16"),
    lambda: dd.zeros(2, dtype="bfloat16"), lambda: dd.set_default_dtype("bfloat16"),
    lambda: dd.amp.autocast("cpu"), lambda: dd.amp.autocast("cuda", "bfloat16"),
):
    try:
        call()
    except MissingExtraError as error:
        print(str(error).splitlines()[-1])
print(dd.amp.autocast("cpu", "float16").dtype, dd.amp.autocast("cpu", enabled=False).enabled)
print(dd.get_default_dtype())
"""
    *lines, last, default = python(text).splitlines()
    assert len(lines) == 8
    assert all("pip install 'deepdive-ml[bf16]'" in line for line in lines)
    assert lines[-2].endswith("or autocast('cpu', dtype='float16')")
    assert (last, default) == ("float16 False", "float32")


def test_one_dtype_of_several_names():
    names = [dd.bfloat16, HALF, ml_dtypes.bfloat16, np.dtype(ml_dtypes.bfloat16)]
    assert {dtypes.as_dtype(name) for name in names} == {dd.bfloat16}
    made = [dd.ones(2).bfloat16(), dd.ones(2).to(HALF), dd.ones(2, dtype=dd.bfloat16)]
    made += [dd.tensor(np.ones(2, ml_dtypes.bfloat16)), dd.ones(2).to(made[0])]
    assert {x.dtype for x in made} == {dd.bfloat16}
    assert dd.bfloat16.itemsize == made[0].element_size() == 2
    assert made[0].is_floating_point()
    assert "bfloat16" in dir(dd)


OTHERS = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()


@pytest.mark.parametrize("device", ["cpu", standin.DEVICE])
@pytest.mark.parametrize("other", OTHERS)
def test_promotion_is_pytorchs(other, device):
    x, y = dd.ones(2, dtype=HALF, device=device), dd.ones(2, dtype=other, device=device)
    z = dd.ones((), dtype=other, device=device)
    t, u = torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=getattr(torch, other))
    w = torch.ones((), dtype=getattr(torch, other))
    for found, expected in (
        (x + y, t + u),
        (y * x, u * t),
        (x / z, t / w),
        (z * y, w * u),
        (z + x, w + t),
        (x < y, t < u),
        (dd.where(x > y, x, y), torch.where(t > u, t, u)),
        (dd.cat([x, y]), torch.cat([t, u])),
    ):
        assert found.dtype.name == str(expected.dtype)[6:]


def test_python_numbers_never_widen():
    x = dd.tensor([1.0, 2.0], dtype=HALF)
    for y in (x + 1, 1.5 * x, x / 3.0, x**2, 2.0**x, x - True, -x, x.exp(), x.clamp(0.5, 1.5)):
        assert y.dtype == HALF
    for y in (x > 1, x == x, x.isnan()):
        assert y.dtype == "bool"
    assert x.argmax().dtype == "int64"


@pytest.mark.parametrize("device", ["cpu", standin.DEVICE])
def test_sums_are_made_in_float32(device):
    """In bfloat16 itself a sum of ones stays at 256."""
    x = dd.ones(1000, dtype=HALF, device=device)
    assert x.sum().item() == (x @ x).item() == x.cumsum(0)[-1].item() == 1000
    assert x.mean().item() == 1
    row = dd.ones(1, dtype=HALF, device=device, requires_grad=True)
    (row + x).sum().backward()  # a broadcast is undone by a sum
    assert (row.grad.item(), row.grad.dtype) == (1000, dd.bfloat16)
    table = dd.zeros(2, 1, dtype=HALF, device=device, requires_grad=True)
    index = dd.zeros(1000, dtype="int64", device=device)
    dd.nn.functional.embedding(index, table).sum().backward()
    assert table.grad.tolist() == [[1000], [0]]


def test_what_moves_numbers_still_gives_views():
    x = dd.zeros(2, 3, dtype=HALF)
    for view in (x[0], x.reshape(3, 2), x.T, x.unsqueeze(0), x.detach()):
        view.fill_(1)
        assert x.sum().item() > 0
        x.zero_()


def test_it_prints_as_in_pytorch():
    numbers = [[1.0, -2.5], [0.15625, 3e38]]
    for values in (numbers, [], 1.0, [float("nan"), float("inf")], list(range(2000))):
        ours = repr(dd.tensor(values, dtype=HALF))
        theirs = repr(torch.tensor(values, dtype=torch.bfloat16)).replace("torch.", "")
        assert ours == theirs or np.size(values) in (0, 2000)
        assert ours.endswith("dtype=bfloat16)")


def test_numbers_in_and_out():
    x = dd.tensor([[1.1, 2.0], [-3.0, 1e-40]], dtype=HALF)
    t = torch.tensor([[1.1, 2.0], [-3.0, 1e-40]], dtype=torch.bfloat16)
    assert x.tolist() == t.tolist()
    assert (type(x[0, 0].item()), x[0, 0].item(), float(x[0, 1])) == (float, t[0, 0].item(), 2.0)
    array = x.numpy()  # an array of the package's dtype, on the same memory
    assert array.dtype == ml_dtypes.bfloat16
    array[0, 0] = 7
    assert x[0, 0].item() == 7
    assert np.asarray(x, "float32").tolist() == x.tolist()
    assert (x.view(-1).long().tolist(), x.bool().tolist()[0]) == ([7, 2, -3, 0], [True, True])


def test_rounding_is_to_nearest_even():
    bits = np.random.default_rng(0).integers(0, 1 << 32, 20000, dtype=np.uint32)
    floats = bits.view("float32")
    with np.errstate(all="ignore"):
        ours = dd.tensor(floats).bfloat16().float().numpy()
    theirs = torch.from_numpy(floats).bfloat16().float().numpy()
    assert np.array_equal(ours, theirs, equal_nan=True)


def test_creation_and_random_numbers():
    options = {"dtype": HALF}
    made = [dd.zeros(3, **options), dd.full((3,), 1.5, **options), dd.eye(3, **options)]
    made += [dd.arange(0, 3, **options), dd.linspace(0, 1, 5, **options), dd.empty(3, **options)]
    drawn = [dd.rand(5000, **options), dd.randn(5000, **options)]
    made += [*drawn, dd.rand_like(made[0]), dd.ones_like(made[0]), dd.randn_like(made[0])]
    assert {x.dtype for x in made} == {dd.bfloat16}
    uniform, normal = (x.numpy().astype("float64") for x in drawn)
    assert 0 <= uniform.min() <= uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.02 and abs(normal.std() - 1) < 0.05
    weight = dd.nn.init.xavier_uniform_(dd.empty(30, 20, **options))
    assert (weight.dtype, bool(weight.isfinite().all())) == (dd.bfloat16, True)


def test_as_the_default():
    try:
        dd.set_default_dtype(dd.bfloat16)
        assert dd.get_default_dtype() == dd.bfloat16
        x = dd.tensor([1.0, 2.0])
        assert (x.dtype, dd.rand(2).dtype, repr(x)) == (
            dd.bfloat16,
            dd.bfloat16,
            "tensor([1., 2.])",
        )
        assert dd.nn.Linear(2, 2)(x).dtype == dd.bfloat16
    finally:
        dd.set_default_dtype("float32")


def test_in_place():
    x, t = dd.ones(3, dtype=HALF), torch.ones(3, dtype=torch.bfloat16)
    for tensor in (x, t):
        tensor += 0.3
        tensor.mul_(1.7)
        tensor.add_(tensor)
        tensor[1] = 2.25
        tensor.clamp_(0, 3)
    assert (x.tolist(), x.dtype) == (t.tolist(), dd.bfloat16)
    whole = dd.ones(3, dtype="int64")
    with pytest.raises(DTypeError, match="does not fit"):
        whole += x


def test_gradients_of_every_order_and_forward_mode():
    x = dd.tensor([1.0, 2.0], dtype=HALF, requires_grad=True)
    (first,) = dd.grad((x**3).sum(), x, create_graph=True)
    (second,) = dd.grad(first.sum(), x)
    assert (first.tolist(), second.tolist()) == ([3, 12], [6, 12])
    assert {first.dtype, second.dtype} == {dd.bfloat16}
    value, slope = dd.autograd.jvp(lambda x: x.exp(), x.detach(), dd.ones(2, dtype=HALF))
    assert value.tolist() == slope.tolist() and slope.dtype == dd.bfloat16
    batched = dd.vmap(lambda row: (row * row).sum())(dd.ones(3, 1000, dtype=HALF))
    assert (batched.tolist(), batched.dtype) == ([1000] * 3, dd.bfloat16)


def test_a_users_operator_computes_in_float32():
    seen = []

    class Twice(dd.Operator):
        def forward(self, xp, x):
            seen.append(x.dtype.name)
            return x + x

        def backward(self, xp, grad, x):
            seen.extend((grad.dtype.name, x.dtype.name))
            return 2 * grad

    x = dd.tensor([1.0], dtype=HALF, requires_grad=True)
    out = Twice()(x)
    out.backward()
    assert set(seen) == {"float32"}
    assert (out.dtype, x.grad.dtype, repr(out.grad_fn)) == (HALF, HALF, "<TwiceBackward0>")
    assert isinstance(out.op, Twice)
    assert out.op(x).dtype == HALF  # an operator found in a graph may be applied again

    class Cat(Twice):  # not the library's, which moves numbers and computes nothing
        pass

    seen.clear()
    assert (Cat()(x).tolist(), seen) == ([2], ["float32"])


def test_where_there_is_none():
    for call in (
        lambda: dd.ones(2, device="native").bfloat16(),
        lambda: dd.zeros(2, dtype=HALF, device="native"),
        lambda: dd.ones(2, dtype=HALF).to("native"),
        lambda: dd.tensor([1.0], dtype=HALF, device="native"),
    ):
        with pytest.raises(DTypeError, match="native arrays have no bfloat16"):
            call()
    with pytest.raises(DTypeError, match="bfloat16 has no bits"):
        dd.ones(2, dtype=HALF) & dd.ones(2, dtype=HALF)
    with pytest.raises(DTypeError, match="no dtype 'bfloat61'"):
        dd.ones(2, dtype="bfloat61")


# --- files and other libraries --------------------------------------------------------------------
def small():
    dd.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


def test_a_saved_model_comes_back_as_it_was(tmp_path):
    model = small().bfloat16()
    model(dd.randn(5, 3, dtype=HALF)).float().sum().backward()
    assert {p.grad.dtype for p in model.parameters()} == {dd.bfloat16}
    model.save(str(tmp_path))
    again = nn.load_from_arc(str(tmp_path))
    for ours, theirs in zip(again.state_dict().values(), model.state_dict().values(), strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.tolist() == theirs.tolist()
    model.eval(), again.eval()
    x = dd.randn(2, 3, dtype=HALF)
    assert again(x).tolist() == model(x).tolist()


def test_states_go_between_dtypes(tmp_path):
    narrow, wide = small().bfloat16(), small()
    assert wide.load_state_dict(narrow.state_dict()).complete
    assert wide[0].weight.dtype == "float32"
    assert wide[0].weight.tolist() == narrow[0].weight.tolist()  # exactly
    wide[0].weight.data[...] = 1 + 2.0**-9
    assert narrow.load_state_dict(wide.state_dict()).complete
    assert (narrow[0].weight.dtype, narrow[0].weight[0, 0].item()) == (dd.bfloat16, 1.0)
    assert narrow.float()[0].weight.dtype == "float32"
    dd.interop.save_pretrained(small().bfloat16(), tmp_path)
    for dtype, expected in ((None, "float32"), (dd.bfloat16, HALF), ("float64", "float64")):
        found = dd.interop.load_safetensors(tmp_path, dtype=dtype)
        assert found["0.weight"].dtype == expected
    assert dd.interop.load_into(small().bfloat16(), tmp_path).complete
    theirs = {"w": torch.tensor([1.0, 1e-3]).bfloat16()}
    ours = dd.interop.from_torch_state_dict(theirs, dtype=dd.bfloat16)["w"]
    assert (ours.dtype, ours.tolist()) == (dd.bfloat16, theirs["w"].tolist())


def test_copies_and_pickles_between_processes():
    import copy
    import pickle

    x = dd.tensor([1.0, 2.0], dtype=HALF, requires_grad=True)
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.detach().clone()):
        assert (twin.dtype, twin.tolist()) == (dd.bfloat16, [1, 2])


def test_dlpack_cannot_carry_it():
    """NumPy makes no capsules of such numbers, nor reads them: an error says what to do."""
    with pytest.raises(ExchangeError, match="bfloat16"):
        dd.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(ExchangeError, match="DLPack") as caught:
        torch.from_dlpack(dd.ones(2, dtype=HALF))
    assert "x.float()" in str(caught.value)


def test_limits_are_those_of_the_package():
    xp = dd.ones(2, dtype=HALF).__array_namespace__()
    assert xp.isdtype(dd.bfloat16, "real floating") and xp.isdtype(dd.bfloat16, "numeric")
    assert not xp.isdtype(dd.bfloat16, "integral")
    for name in ("float16", HALF, "float32", "float64"):
        limits = ml_dtypes.finfo(dtypes.as_dtype(name))
        found = xp.finfo(dtypes.as_dtype(name))
        for field in ("bits", "eps", "max", "min", "smallest_normal"):
            assert getattr(found, field) == float(getattr(limits, field))


def test_onnx_says_that_it_cannot(tmp_path):
    pytest.importorskip("onnx")
    for model, x in (
        (nn.Linear(3, 2).bfloat16(), dd.randn(4, 3, dtype=HALF)),
        (dd.autocast("cpu")(nn.Linear(3, 2).forward), dd.randn(4, 3)),
    ):
        with pytest.raises(DTypeError, match="takes no bfloat16") as caught:
            dd.onnx.export(model, x, tmp_path / "model.onnx")
        assert "model.float()" in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_a_contract_of_pytorchs_spelling():
    """A Function gets the arrays as they are, and its gradients their input's dtype."""

    class Double(dd.Function):
        @staticmethod
        def forward(ctx, x):
            assert x.dtype == dd.bfloat16
            return 2 * x

        @staticmethod
        def backward(ctx, grad):
            return 2.0 * grad

    x = dd.ones(2, dtype=HALF, requires_grad=True)
    out = Double.apply(x)
    out.sum().backward()
    assert (out.dtype, x.grad.dtype, x.grad.tolist()) == (dd.bfloat16, dd.bfloat16, [2, 2])

    class Spread(dd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            return grad, grad

    row, many = dd.ones(1, dtype=HALF, requires_grad=True), dd.ones(1000, dtype=HALF)
    Spread.apply(row, many).sum().backward()
    assert row.grad.tolist() == [1000]


def test_what_is_looked_at_is_looked_at_in_float32():
    from deepdive.core.host_values import as_array

    x = dd.ones(1000, dtype=HALF)
    assert as_array(x).sum() == as_array(x.numpy()).sum() == 1000
    accuracy = dd.train.Accuracy()
    accuracy.update(dd.randn(8, 3, dtype=HALF), dd.tensor([0, 1, 2, 0, 1, 2, 0, 1]))
    assert 0 <= accuracy.compute() <= 1
    assert "bfloat16" in x._repr_html_()
    batch = dd.randn(4, 3, dtype=HALF), dd.tensor([0, 1, 0, 1])
    assert "nothing found" in repr(dd.check(nn.Linear(3, 2).bfloat16(), batch))


def test_checkpoints_hooks_and_anomalies():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).bfloat16()
    x = dd.randn(5, 3, dtype=HALF).requires_grad_()
    model(x).sum().backward()
    plain = x.grad.tolist()
    x.grad, seen = None, []
    x.register_hook(lambda grad: seen.append(grad.dtype))
    dd.utils.checkpoint.checkpoint(model, x).sum().backward()
    assert (x.grad.tolist(), seen) == (plain, [dd.bfloat16])
    with pytest.raises(NonFiniteError, match="log: made") as caught, dd.autograd.detect_anomaly():
        (x.detach() - x.detach()).requires_grad_().log().sum()
    assert "bfloat16" in str(caught.value)

"""System A as its users write it, one test (or more) for each line of its table.

The docstrings are the table's words.
"""

import gc
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import deepdive
from deepdive import nn
from deepdive.core.operator import REGISTRY
from deepdive.errors import GraphError, OperatorError, ShapeError
from deepdive.tensor import Add, Mul, Operator, Tensor, register
from tests.systems.pytorch_beside import compare, on_both, random, small_model, torch, twins

ROOT = Path(__file__).resolve().parents[2]


# --- Tensor ------------------------------------------------------------------------------------


class TestTensor:
    """`Tensor(data, grad=None, device=None)`: n-d data and gradient."""

    @pytest.mark.parametrize(
        ("data", "shape", "dtype"),
        [
            ([[1.0, 2.0], [3.0, 4.0]], (2, 2), "float32"),
            ([1, 2, 3], (3,), "int64"),
            (2.5, (), "float32"),
            (7, (), "int64"),
            (np.zeros((2, 3), np.float64), (2, 3), "float64"),
            (np.float32(1), (), "float32"),
        ],
    )
    def test_lists_scalars_ndarrays(self, data, shape, dtype):
        t = Tensor(data)
        assert (t.shape, t.dtype, t.device) == (shape, dtype, "cpu")
        assert isinstance(t.data, np.ndarray)
        assert t.grad is None
        np.testing.assert_array_equal(t.data, np.asarray(data, dtype))

    def test_the_data_are_a_copy(self):
        array = np.ones(2)
        Tensor(array).data[0] = 5
        assert array.tolist() == [1, 1]

    def test_data_and_gradient_can_be_given_and_set(self):
        t = Tensor([1.0, 2.0], [0.5, 0.25], "cpu")
        np.testing.assert_array_equal(t.grad, [0.5, 0.25])
        t.grad = np.array([1.0, 1.0], np.float32)
        t.data = np.array([3.0, 4.0], np.float32)
        assert t.tolist() == [3, 4]
        with pytest.raises(ShapeError, match=r"(?s)grad.*got: \(3,\).*expected: \(2,\)"):
            t.grad = np.ones(3)

    def test_plus_minus_times_divide_matmul_power_and_unary_minus(self):
        """`+ - * / @ **` and unary minus, with numbers on either side."""
        a, b = random(3, 3, positive=True), random(3, 3, positive=True)
        for function in (
            lambda a, b: a + b - a * b / (a + 1),
            lambda a, b: -a @ b,
            lambda a, b: a**2 + 2**b + a**b,
            lambda a, b: 2 + a - 1 - (3 - b),
            lambda a, b: 2 * a * 3 + 1 / b + b / 4 + a**-0.5,
        ):
            on_both(function, a, b)

    def test_arrays_and_lists_on_either_side(self):
        t = Tensor([1.0, 2.0])
        for out in (t + np.ones(2), np.ones(2) + t, t + [1, 1], [1, 1] + t):
            assert isinstance(out, Tensor)
            assert out.requires_grad
            assert out.tolist() == [2, 3]


class TestMethods:
    """`add sub mul div dot relu sigmoid tanh exp log sum mean softmax logsoftmax reshape mse mae
    layernorm conv2d to backward draw_graph`
    """

    @pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
    def test_two_operands(self, name):
        on_both(lambda a, b: getattr(a, name)(b), random(2, 3), random(2, 3, positive=True))
        on_both(lambda a, b: getattr(a, name)(b), random(2, 3), random(3, positive=True))
        on_both(lambda a: getattr(a, name)(2.5), random(2, 3))

    @pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "exp", "log", "sum", "mean"])
    def test_one_operand(self, name):
        on_both(lambda a: getattr(a, name)(), random(4, 5, positive=name == "log"))

    def test_softmax_and_logsoftmax_act_on_the_last_axis(self):
        on_both(lambda a: a.softmax() if isinstance(a, Tensor) else a.softmax(-1), random(2, 3, 4))
        on_both(
            lambda a: a.logsoftmax() if isinstance(a, Tensor) else a.log_softmax(-1),
            random(2, 3, 4),
        )
        assert Tensor([[1000.0, 0.0]]).logsoftmax().tolist() == [[0, -1000]]

    def test_reshape(self):
        on_both(lambda a: a.reshape(3, 4) * 2, random(2, 6))
        on_both(lambda a: a.reshape((-1, 2)) * 2, random(2, 6))

    def test_dot_is_the_matrix_product(self):
        """`dot` is the matrix product (vector·vector gives a scalar)."""
        for x, y in (((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((5, 3, 4), (4, 2))):
            a, b = random(*x), random(*y)
            ours, theirs = twins(a, b)
            compare(ours[0].dot(ours[1]), torch.matmul(*theirs), ours, theirs)
        assert Tensor([1.0, 2.0]).dot(Tensor([3.0, 4.0])).shape == ()

    def test_mse_and_mae_are_elementwise(self):
        """`mse` and `mae` are elementwise (no reduction)."""
        a, b = random(3, 2), random(3, 2)
        for name, reference in (
            ("mse", torch.nn.functional.mse_loss),
            ("mae", torch.nn.functional.l1_loss),
        ):
            ours, theirs = twins(a, b)
            out = getattr(ours[0], name)(ours[1])
            assert out.shape == (3, 2)
            compare(out, reference(*theirs, reduction="none"), ours, theirs)

    def test_layernorm(self):
        """`layernorm(gamma=None, beta=None, eps=1e-5)`."""
        x, gamma, beta = random(4, 6), random(6), random(6)
        reference = torch.nn.functional.layer_norm
        ours, theirs = twins(x, gamma, beta)
        compare(ours[0].layernorm(*ours[1:]), reference(theirs[0], (6,), *theirs[1:]), ours, theirs)
        named = Tensor(x).layernorm(gamma=gamma, beta=beta, eps=0.1)
        expected = reference(theirs[0].detach(), (6,), *theirs[1:], 0.1).detach()
        np.testing.assert_allclose(named, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            Tensor(x).layernorm(), reference(torch.tensor(x), (6,)), rtol=1e-5, atol=1e-6
        )

    def test_conv2d_takes_padding_before_stride(self):
        """`x.conv2d(weight, padding, stride)` takes **padding before stride** as a method."""
        x, w = random(2, 3, 9, 7), random(4, 3, 3, 3)
        ours, theirs = (Tensor(x), Tensor(w)), [torch.tensor(v, requires_grad=True) for v in (x, w)]
        expected = torch.nn.functional.conv2d(*theirs, padding=1, stride=2)
        compare(ours[0].conv2d(ours[1], 1, 2), expected, ours, theirs, 1e-4, 1e-4)
        np.testing.assert_allclose(
            nn.functional.conv2d(Tensor(x), Tensor(w), stride=2, padding=1),
            expected.detach(),
            rtol=1e-4,
            atol=1e-4,
        )

    def test_to(self):
        t = Tensor([1.0])
        assert t.to("cpu") is t
        assert t.to("float64").dtype == "float64"


# --- operators of one's own --------------------------------------------------------------------


@pytest.fixture
def forget():
    """Takes the operators a test registered out of the library again."""
    before = dict(REGISTRY)
    yield
    for name in set(REGISTRY) - set(before):
        del REGISTRY[name]
        delattr(Tensor, name)


class TestOperators:
    """`from deepdive.tensor import Tensor, Operator, register, Add, Mul, …`; `register(name, cls)`:
    a class with static `forward(ctx, *arrays)` and `backward(ctx, grad_output)`,
    `ctx.save_for_backward(...)`, `ctx.saved_tensors`; registering it gives every Tensor the method.
    """

    def test_a_static_operator_becomes_a_method(self, forget):
        class Hypotenuse(Operator):
            @staticmethod
            def forward(ctx, x, y):
                out = np.sqrt(x * x + y * y)
                ctx.save_for_backward(x, y, out)
                return out

            @staticmethod
            def backward(ctx, grad_output):
                x, y, out = ctx.saved_tensors
                return grad_output * x / out, grad_output * y / out

        assert not hasattr(Tensor, "hypotenuse")
        register("hypotenuse", Hypotenuse)
        a, b = random(3), random(3)
        ours, theirs = (Tensor(a), Tensor(b)), [torch.tensor(v, requires_grad=True) for v in (a, b)]
        compare(ours[0].hypotenuse(ours[1]), torch.hypot(*theirs), ours, theirs)
        out = Tensor([3.0]).hypotenuse(Tensor([4.0])) * 2
        assert out.item() == 10
        assert deepdive.hypotenuse(Tensor([3.0]), Tensor([4.0])).item() == 5

    def test_an_operator_of_arrays_and_numbers(self, forget):
        class Power(Operator):
            @staticmethod
            def forward(ctx, x, exponent):
                ctx.save_for_backward(x)
                ctx.exponent = exponent
                return x**exponent

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return ctx.exponent * x ** (ctx.exponent - 1) * grad_output

        register("to_the_power", Power)
        on_both(lambda a: a.to_the_power(3) if isinstance(a, Tensor) else a**3, random(4))

    def test_the_librarys_own_contract_too(self, forget):
        @register
        class ShiftedSquare(Operator):
            shift: float = 1.0

            def forward(self, xp, x):
                return (x + self.shift) * (x + self.shift)

            def backward(self, xp, grad, x):
                return 2 * grad * (x + self.shift)

        x = Tensor([1.0, 2.0])
        x.shifted_square(shift=2.0).sum().backward()
        assert x.grad.tolist() == [6, 8]

    def test_the_librarys_operators_have_names(self):
        a, b = Tensor([2.0]), Tensor([3.0])
        assert Add()(a, b).item() == 5
        assert Mul()(a, b).item() == 6
        from deepdive.tensor import (
            Div,
            Exp,
            Log,
            LogSoftmax,
            Mean,
            Relu,
            Softmax,
            Sum,
            Tanh,
        )

        for cls in (Div, Exp, Log, LogSoftmax, Mean, Relu, Softmax, Sum, Tanh):
            assert issubclass(cls, Operator)

    def test_what_is_no_operator_is_refused(self):
        with pytest.raises(OperatorError, match=r"(?s)is no operator.*expected: .*forward\(ctx"):
            register("wrong", int)
        with pytest.raises(OperatorError, match="an attribute 'shape' of its own"):
            register("shape", Add)
        assert Add.public_name == "add"


class TestBackward:
    """`backward()`: reverse mode over the recorded graph; gradients of *every* tensor the user
    still holds, intermediate ones too; accumulates; scalar unless a gradient is passed.
    """

    def test_intermediate_tensors_have_gradients(self):
        x = Tensor([1.0, 2.0])
        y = x * 3
        z = y * y
        loss = z.sum()
        loss.backward()
        assert loss.grad.item() == 1
        assert z.grad.tolist() == [1, 1]
        assert y.grad.tolist() == [6, 12]
        assert x.grad.tolist() == [18, 36]

    def test_it_accumulates(self):
        x = Tensor([1.0, 2.0])
        for turn in (1, 2, 3):
            (x * x).sum().backward()
            assert x.grad.tolist() == [2 * turn, 4 * turn]

    def test_scalar_unless_a_gradient_is_passed(self):
        x = Tensor([1.0, 2.0])
        with pytest.raises(GraphError, match=r"(?s)one element.*got: shape \(2,\).*fix: .*mean"):
            (x * x).backward()
        (x * x).backward([1.0, 10.0])
        assert x.grad.tolist() == [2, 40]
        y = x * 2
        y.grad = np.array([1.0, 100.0])  # a gradient set beforehand seeds the walk
        x.grad = None
        y.backward()
        assert x.grad.tolist() == [2, 200]

    def test_integer_data_have_floating_gradients(self):
        x = Tensor([1, 2, 3])
        assert x.requires_grad
        (x * x).sum().backward()
        assert (x.grad.tolist(), x.grad.dtype) == ([2, 4, 6], "float32")


# --- where the systems disagree ----------------------------------------------------------------


class TestWhereTheyDisagree:
    def test_the_class_tracks_and_the_function_does_not(self):
        """`Tensor(...)` tracks gradients unless `requires_grad=False` is given, and does so for
        integer data too. `deepdive.tensor(...)` follows PyTorch: `requires_grad=False` by default.
        """
        assert Tensor([1.0]).requires_grad
        assert Tensor([1]).requires_grad
        assert not Tensor([1.0], requires_grad=False).requires_grad
        assert not deepdive.tensor([1.0]).requires_grad
        assert deepdive.tensor([1.0], requires_grad=True).requires_grad

    def test_data_is_the_array_and_a_pytorch_habit_gets_the_line_to_write(self):
        """`.data` is the backend array; setting `.data` or `.grad` takes arrays; a PyTorch habit
        like `p.data.add_(…)` gets an error that shows the line to write instead.
        """
        p = Tensor([1.0, 2.0])
        p.data = np.array([3.0, 4.0], np.float32)
        p.data[0] = 5
        assert p.tolist() == [5, 4]
        for habit, line in (
            (lambda: p.data.add_(1), "p.data += value"),
            (lambda: p.data.zero_(), "p.data"),
            (lambda: p.data.copy_(1), "p.data"),
        ):
            with pytest.raises(
                AttributeError, match=r"(?s)NumPy array itself.*fix: write"
            ) as caught:
                habit()
            assert line in str(caught.value)

    def test_grad_is_a_tensor_that_numpy_accepts(self):
        """`.grad` is a Tensor that NumPy functions and `np.testing` accept as it is, so code
        written for an ndarray gradient still runs (`p.data -= lr * p.grad` included).
        """
        p = Tensor([1.0, 2.0])
        (p * p).sum().backward()
        assert isinstance(p.grad, Tensor)
        np.testing.assert_allclose(p.grad, [2.0, 4.0])
        assert np.linalg.norm(p.grad) == pytest.approx(math.sqrt(20))
        assert np.max(p.grad) == 4
        assert np.asarray(p.grad).sum() == 6
        lr = 0.25
        p.data -= lr * p.grad
        assert p.tolist() == [0.5, 1.0]
        p.data = p.data - lr * p.grad
        assert p.tolist() == [0.0, 0.0]
        assert p.is_leaf

    def test_weights_have_pytorchs_layout_and_names(self):
        """Weights have PyTorch's layout and names (`Linear.weight` is `(out, in)`)."""
        assert nn.Linear(3, 2).weight.shape == (2, 3)
        layers = (
            torch.nn.Linear(4, 8),
            torch.nn.ReLU(),
            torch.nn.LayerNorm(8),
            torch.nn.Linear(8, 3),
        )
        theirs = torch.nn.Sequential(*layers)
        names = {name: tuple(x.shape) for name, x in theirs.state_dict().items()}
        assert {name: x.shape for name, x in small_model().state_dict().items()} == names

    def test_everything_else_has_pytorchs_argument_order(self):
        """`nn.functional.conv2d` and all else not named here has PyTorch's argument order."""
        x, w, b = random(1, 2, 7, 7), random(3, 2, 3, 3), random(3)
        np.testing.assert_allclose(
            nn.functional.conv2d(Tensor(x), Tensor(w), Tensor(b), 2, 1),
            torch.nn.functional.conv2d(*map(torch.tensor, (x, w, b)), 2, 1),
            rtol=1e-4,
            atol=1e-5,
        )

    def test_float32_is_the_default_and_ints_stay_integers(self):
        """A default for floats is float32, as in PyTorch. Python lists of ints stay integers."""
        for make in (Tensor, deepdive.tensor):
            assert make([1.0]).dtype == make(1.0).dtype == deepdive.float32
            assert make([1, 2]).dtype == deepdive.int64
        assert (Tensor([1, 2]) / 2).dtype == (Tensor([1, 2]) * 0.5).dtype == deepdive.float32
        assert Tensor([1, 2]).exp().dtype == Tensor([1, 2]).softmax().dtype == deepdive.float32
        assert Tensor([1, 2]).mean().dtype == Tensor([[1, 2]]).layernorm().dtype == deepdive.float32
        assert deepdive.where(Tensor([1, 2]) > 1, Tensor([1, 2]), 0.5).dtype == deepdive.float32

    def test_the_engine_is_iterative(self):
        """The engine is iterative (deep graphs must not overflow)."""
        x = y = Tensor([1.0])
        for _ in range(3 * sys.getrecursionlimit()):
            y = y + x
        y.backward()
        assert x.grad.item() == 3 * sys.getrecursionlimit() + 1
        del y
        gc.collect()

    def test_a_size_that_does_not_divide_evenly_floors(self):
        """A convolution or pooling whose size does not divide evenly floors, as in PyTorch."""
        x = random(1, 1, 8, 8)
        assert nn.Conv2d(1, 1, 3, stride=2)(x).shape == (1, 1, 3, 3)
        assert nn.MaxPool2d(3)(x).shape == nn.AvgPool2d(3)(x).shape == (1, 1, 2, 2)
        np.testing.assert_allclose(nn.MaxPool2d(3)(x), torch.nn.MaxPool2d(3)(torch.tensor(x)))

"""The operator contract: what a class may say, and what it is told when it is wrong."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import Operator, Tensor, register
from deepdive.core.operator import REGISTRY
from deepdive.errors import GraphError, OperatorError, ShapeError


@pytest.fixture
def names():
    """Names a test registers, taken away again."""
    used = []
    yield used
    for name in used:
        REGISTRY.pop(name, None)
        if name in Tensor.__dict__:
            delattr(Tensor, name)


class Scale(Operator):
    """``x · factor``, with a field."""

    factor: float = 2.0

    def forward(self, xp, x):
        return x * self.factor

    def backward(self, xp, grad):
        return grad * self.factor


class TestRegistration:
    def test_function_method_words_and_documentation(self, names):
        names += ["cubed", "third_power"]

        @register("cubed", "third_power")
        class Cubed(Operator):
            """x³, the volume."""

            def forward(self, xp, x):
                return x * x * x

            def backward(self, xp, grad, x):
                return 3 * grad * x * x

        x = Tensor(2.0)
        for y in (x.cubed(), dd.cubed(x), dd.third_power(x), Cubed()(x), x.third_power()):
            assert y.item() == 8.0
            assert repr(y.grad_fn) == "<CubedBackward0>"
        assert dd.cubed.__doc__ == "x³, the volume."
        assert "cubed" in dir(dd)
        (first,) = dd.grad(x.cubed(), x, create_graph=True)
        assert dd.grad(first, x)[0].item() == 12.0

    def test_a_bare_decorator_takes_the_snake_case_name(self, names):
        names += ["plus_seven"]

        @register
        class PlusSeven(Operator):
            def forward(self, xp, x):
                return x + 7

        assert dd.tensor(1).plus_seven().item() == 8

    def test_system_as_contract_under_its_base_class(self, names):
        names += ["system_a_square"]

        class Square(Operator):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return 2 * grad_output * x

        register("system_a_square", Square)
        x = Tensor([1.0, 3.0])
        x.system_a_square().sum().backward()
        assert x.grad.tolist() == [2.0, 6.0]

    def test_a_class_with_static_functions_alone(self, names):
        names += ["times"]

        class Times:
            @staticmethod
            def forward(ctx, x, y, power=1):
                ctx.save_for_backward(x, y)
                ctx.power = power
                assert isinstance(x, np.ndarray)
                return x * y**power

            @staticmethod
            def backward(ctx, grad_output):
                x, y = ctx.saved_tensors
                n = ctx.power
                return grad_output * y**n, grad_output * x * n * y ** (n - 1)

        register("times", Times)
        x, y = Tensor([2.0]), Tensor([3.0])
        x.times(y, power=2).sum().backward()
        assert (x.grad.item(), y.grad.item()) == (9.0, 12.0)

    def test_what_is_no_operator(self):
        with pytest.raises(OperatorError, match=r"(?s)is no operator.*forward\(self, xp"):
            register("int_", int)
        with pytest.raises(OperatorError, match="attribute 'shape' of its own"):
            register("shape", Scale)
        assert "shape" not in REGISTRY
        assert Scale.public_name != "shape"


class TestFunction:
    class Pair(dd.Function):
        @staticmethod
        def forward(ctx, x, exponent, y):
            ctx.save_for_backward(x, y)
            return x**exponent + y

        @staticmethod
        def backward(ctx, grad_output):
            x, _ = ctx.saved_tensors
            return 2 * grad_output * x, None, grad_output

    def test_one_gradient_per_argument(self):
        x, y = Tensor([3.0]), Tensor([1.0])
        self.Pair.apply(x, 2, y).sum().backward()
        assert (x.grad.item(), y.grad.item()) == (6.0, 1.0)

    def test_one_gradient_per_tensor(self):
        class Fewer(self.Pair):
            @staticmethod
            def backward(ctx, grad_output):
                x, _ = ctx.saved_tensors
                return 2 * grad_output * x, grad_output

        x, y = Tensor([3.0]), Tensor([1.0])
        Fewer.apply(x, 2, y).sum().backward()
        assert (x.grad.item(), y.grad.item()) == (6.0, 1.0)

    def test_the_wrong_number(self):
        class Wrong(self.Pair):
            @staticmethod
            def backward(ctx, grad_output):
                return grad_output

        with pytest.raises(OperatorError, match=r"(?s)one gradient per tensor argument.*1 grad"):
            Wrong.apply(Tensor([3.0]), 2, Tensor([1.0])).sum().backward()

    def test_first_order_only(self):
        x = Tensor([3.0])
        with pytest.raises(GraphError, match=r"(?s)no second derivative.*Operator"):
            dd.grad(self.Pair.apply(x, 2, x).sum(), x, create_graph=True)

    def test_broadcast_gradients_are_summed(self):
        class Add(dd.Function):
            @staticmethod
            def forward(ctx, x, y):
                return x + y

            @staticmethod
            def backward(ctx, grad_output):
                return grad_output, grad_output

        x, y = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
        Add.apply(x, y).sum().backward()
        assert y.grad.tolist() == [2.0, 2.0, 2.0]


class TestClassCreation:
    def test_an_unknown_name_in_backward(self):
        with pytest.raises(OperatorError, match=r"(?s)asks for 'otu'.*x, out.*did you mean 'out'"):

            class Wrong(Operator):
                def forward(self, xp, x):
                    return x

                def backward(self, xp, grad, otu):
                    return grad

    def test_a_forward_without_inputs(self):
        with pytest.raises(OperatorError, match=r"(?s)needs an input.*forward\(self, xp, x\)"):

            class Wrong(Operator):
                def forward(self, xp):
                    return 1

    def test_a_signature_that_leaves_something_out(self):
        with pytest.raises(OperatorError, match=r"(?s)every input and field once.*x, dim"):

            class Wrong(Operator):
                dim: int
                signature = "x"

                def forward(self, xp, x):
                    return x

    def test_fields_are_inherited(self):
        class Base(Operator):
            power: int = 2

        class Derived(Base):
            extra: float = 1.0

            def forward(self, xp, x):
                return x**self.power + self.extra

        assert Derived()(dd.tensor(3.0)).item() == 10.0
        assert Derived(3, extra=0.0)(dd.tensor(3.0)).item() == 27.0
        assert repr(Derived(3)) == "Derived(power=3, extra=1.0)"

    def test_fields_of_an_instance(self):
        assert Scale(3.0)(dd.tensor(2.0)).item() == 6.0
        with pytest.raises(OperatorError, match=r"(?s)no parameter 'facto'.*did you mean 'factor'"):
            Scale(facto=3.0)


class TestAsking:
    def test_backward_gets_what_it_asks_for_by_name(self):
        seen = {}

        class All(Operator):
            def forward(self, xp, x, y, z=None):
                self.keep(twice=2 * x)
                return x * y

            def backward(self, xp, grad, out, y_shape, needs, z, twice, x):
                seen.update(out=out, shape=y_shape, needs=list(map(bool, needs)), z=z, twice=twice)
                return grad, grad, None

        x, y = Tensor([1.0, 2.0]), dd.tensor([3.0, 4.0])
        All()(x, y).sum().backward()
        assert seen["out"].tolist() == [3.0, 8.0]
        assert seen["twice"].tolist() == [2.0, 4.0]
        assert seen["shape"] == (2,)
        assert seen["needs"] == [True, False, False]
        assert seen["z"] is None

    def test_variadic_inputs(self):
        class Total(Operator):
            def forward(self, xp, *xs):
                return sum(x * x for x in xs)

            def backward(self, xp, grad, xs, xs_shape):
                assert xs_shape == [x.shape for x in xs]
                return [2 * grad * x for x in xs]

        tensors = [Tensor([float(i)]) for i in range(4)]
        out = Total()(*tensors)
        out.sum().backward()
        assert [t.grad.item() for t in tensors] == [0.0, 2.0, 4.0, 6.0]
        assert dd.gradgradcheck(Total(), tuple(Tensor(np.array([i + 1.0])) for i in range(3)))

    def test_what_is_kept_has_second_derivatives(self):
        class Sigmoid(Operator):
            def forward(self, xp, x):
                e = xp.exp(-x)
                self.keep(e=e)
                return 1 / (1 + e)

            def backward(self, xp, grad, out, e):
                return grad * out * out * e

        x = Tensor(np.array([0.3, -1.2]))
        assert dd.gradcheck(Sigmoid(), x)
        assert dd.gradgradcheck(Sigmoid(), x)

    def test_an_operator_without_backward_ends_the_history(self):
        class Rank(Operator):
            def forward(self, xp, x):
                return xp.argmax(x)

        assert not Rank()(Tensor([1.0, 3.0])).requires_grad


class TestCalls:
    def test_numpys_words_for_axes(self):
        x = dd.ones(2, 3)
        assert dd.sum(x, axis=1, keepdims=True).shape == (2, 1)
        assert x.flip(axis=0).shape == (2, 3)
        assert dd.sum(input=x, dim=0).shape == (3,)

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda x: x.sum(axes=0), r"sum: unknown argument 'axes'.*\(x, dim, keepdim, dtype"),
            (lambda x: x.sum(kepdim=True), "did you mean 'keepdim'"),
            (lambda x: x.sum(0, dim=1), "got twice 'dim'"),
            (lambda x: dd.exp(x, 1, 2), "takes 1 arguments.*got: 3"),
            (lambda x: dd.add(x), "add: missing argument 'y'"),
            (lambda x: dd.exp(), "missing argument 'x'"),
            (lambda x: dd.cumsum(x), "missing parameter 'dim'"),
        ],
    )
    def test_wrong_arguments(self, call, words):
        with pytest.raises(OperatorError, match=f"(?s){words}"):
            call(dd.ones(2, 3))

    def test_near_names_are_suggested(self):
        with pytest.raises(AttributeError, match=r"did you mean.*'arctan'"):
            dd.arctn
        with pytest.raises(AttributeError, match="did you mean"):
            dd.tensor.Mull

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: dd.ones(2) + dd.ones(3), r"add: .*\(2,\) and \(3,\) do not broadcast"),
            (lambda: dd.ones(2, 3) @ dd.ones(2, 3), r"matmul: .*3 != 2.*fix: transpose"),
            (lambda: dd.ones(2, 3).reshape(4, 2), "reshape: .*6 elements"),
            (lambda: dd.cat([dd.ones(2, 3), dd.ones(2, 4)]), "cat"),
            (lambda: dd.stack([dd.ones(2), dd.ones(3)]), "stack"),
            (lambda: dd.ones(2, 3).sum(5), "sum"),
            (lambda: dd.ones(2, 3).permute(0, 0), "permute"),
            (lambda: dd.ones(2, 3).transpose(0, 3), r"no axes 0 and 3.*\(2, 3\)"),
            (lambda: dd.zeros(0).max(), "empty"),
        ],
    )
    def test_wrong_shapes_get_the_rules_words(self, call, words):
        with pytest.raises(ShapeError, match=f"(?s){words}"):
            call()

    def test_arrays_and_lists_are_taken(self):
        assert dd.add([1.0, 2.0], 1).tolist() == [2.0, 3.0]
        assert dd.matmul(np.eye(2), [1.0, 2.0]).tolist() == [1.0, 2.0]
        assert dd.exp(0.0).tolist() == 1.0
        assert (dd.ones(2) + [1, 2]).tolist() == [2.0, 3.0]


AXES = {
    "squeeze": lambda x: x.squeeze(5),
    "flatten": lambda x: x.flatten(3),
    "unflatten": lambda x: x.unflatten(2, (1, 3)),
    "split": lambda x: x.split(1, -3),
    "chunk": lambda x: x.chunk(2, 2),
    "unbind": lambda x: x.unbind(2),
    "sum": lambda x: x.sum(2),
    "unsqueeze": lambda x: x.unsqueeze(5),
}


@pytest.mark.parametrize("name", AXES)
def test_an_axis_that_is_not_there(name):
    with pytest.raises(
        ShapeError, match=rf"(?s){name}.*out of range for shape.*expected: -\d … \d"
    ):
        AXES[name](dd.ones(2, 3))


def test_numpys_integers_are_integers():
    x = dd.ones(2, 3)
    assert x.reshape(np.int64(3), np.int64(2)).shape == (3, 2)
    assert x.permute(np.int64(1), 0).shape == (3, 2)
    assert x.sum(np.int64(1)).shape == (2,)


def test_bits_from_the_left():
    x = dd.tensor([1, 2, 3])
    assert (1 & x).tolist() == [1, 0, 1]
    assert (4 | x).tolist() == [5, 6, 7]
    assert (1 ^ x).tolist() == [0, 3, 2]


def test_pieces():
    with pytest.raises(dd.errors.ArgumentError, match="chunk: the number of pieces"):
        dd.ones(4).chunk(0)
    with pytest.raises(ShapeError, match="split: axis 0 is out of range"):
        dd.tensor(1.0).split(1)

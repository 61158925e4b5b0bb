"""Making tensors, and the rules of ``.data``, ``.grad`` and ``requires_grad``."""

import copy
import pickle

import numpy as np
import pytest

import deepdive as dd
from deepdive import Tensor
from deepdive.errors import DeviceError, DTypeError, GraphError, ShapeError


class TestMaking:
    def test_the_class_tracks_and_the_function_does_not(self):
        assert Tensor([1.0]).requires_grad
        assert not Tensor([1.0], requires_grad=False).requires_grad
        assert not dd.tensor([1.0]).requires_grad
        assert dd.tensor([1.0], requires_grad=True).requires_grad

    def test_the_class_tracks_integers_with_a_floating_gradient(self):
        x = Tensor([1, 2])
        assert x.requires_grad
        assert x.dtype == np.int64
        (x * x).sum().backward()
        assert x.grad.dtype == np.float32
        assert x.grad.tolist() == [2.0, 4.0]

    @pytest.mark.parametrize("make", [Tensor, dd.tensor])
    def test_asking_for_gradients_of_integers_is_an_error(self, make):
        with pytest.raises(DTypeError, match=r"(?s)only floating tensors.*int64.*dtype=deepdive"):
            make([1, 2], requires_grad=True)
        with pytest.raises(DTypeError, match="bool"):
            dd.tensor([True]).requires_grad_()

    @pytest.mark.parametrize(
        ("data", "dtype"),
        [
            (1.5, "float32"),
            (1, "int64"),
            (True, "bool"),
            ([1.0, 2], "float32"),
            ([], "float32"),
            (np.float64(2.0), "float64"),
            (np.ones(2), "float64"),
            (np.ones(2, "float16"), "float16"),
            (np.ones(2, ">f4"), "float32"),
            (range(3), "int64"),
        ],
    )
    def test_dtypes(self, data, dtype):
        assert dd.tensor(data).dtype == np.dtype(dtype)
        assert dd.tensor(data).dtype.isnative

    def test_data_are_copied_but_as_tensor_shares(self):
        array = np.ones(3, "float32")
        copied, shared = Tensor(array), dd.as_tensor(array)
        array[0] = 7
        assert copied.tolist() == [1, 1, 1]
        assert shared.tolist() == dd.from_numpy(array).tolist() == [7, 1, 1]

    def test_lists_of_tensors(self):
        parts = [dd.tensor(1.0, dtype="float64"), dd.tensor(2.0)]
        assert dd.tensor(parts).dtype == np.float64
        assert dd.tensor([parts, parts]).shape == (2, 2)

    @pytest.mark.parametrize(
        ("data", "error", "words"),
        [
            ("abc", DTypeError, "abc|no dtype"),
            ([1j], DTypeError, "complex128"),
            (None, DTypeError, "None|no dtype"),
            ([[1.0], [1.0, 2.0]], ShapeError, "same length"),
        ],
    )
    def test_what_is_no_array_of_numbers(self, data, error, words):
        with pytest.raises(error, match=f"(?s){words}"):
            dd.tensor(data)

    def test_other_devices(self):
        with pytest.raises(DeviceError, match=r"(?s)CUDA.*pip install"):
            Tensor([1.0], device="cuda")
        with pytest.raises(DeviceError, match="unknown device 'tpu'"):
            dd.tensor([1.0]).to("tpu")

    def test_a_gradient_can_be_given(self):
        assert Tensor([1.0, 2.0], grad=[3.0, 4.0]).grad.tolist() == [3.0, 4.0]
        with pytest.raises(ShapeError, match="shape of its tensor"):
            Tensor([1.0, 2.0], grad=[3.0])


class TestData:
    def test_data_is_the_array_itself(self):
        x = Tensor([1.0, 2.0])
        assert isinstance(x.data, np.ndarray)
        x.data[0] = 5.0
        assert x.tolist() == [5.0, 2.0]

    @pytest.mark.parametrize("start", [3.0, [3.0, 4.0]])
    def test_the_step_of_system_a(self, start):
        p = Tensor(start)
        before = p.tolist()
        (p * p).sum().backward()
        p.data -= 0.25 * p.grad
        np.testing.assert_allclose(p.data, np.multiply(before, 0.5))
        assert p.requires_grad and p.is_leaf
        p.data = p.data - p.grad
        p.data = p - 0.5 * p.grad
        assert type(p._data) is np.ndarray
        assert p.is_leaf

    @pytest.mark.parametrize(
        ("habit", "line"),
        [("add_", "p.data += value"), ("copy_", "p.data[...] = value"), ("zero_", r"= 0")],
    )
    def test_pytorchs_habits_get_the_line_to_write(self, habit, line):
        with pytest.raises(AttributeError, match="NumPy array itself") as caught:
            getattr(Tensor([1.0]).data, habit)
        assert line in str(caught.value)

    def test_results_of_arithmetic_on_data_are_plain_arrays(self):
        x = Tensor([1.0, 2.0])
        assert type(x.data * 2) is np.ndarray
        assert type(x.data.sum()) is np.float32

    def test_setting_data_of_another_shape(self):
        x = Tensor([1.0, 2.0])
        x.data = np.zeros(3, "float32")
        x.sum().backward()
        assert x.grad.shape == (3,)
        with pytest.raises(ShapeError, match="a computed tensor keeps its shape"):
            (x * 2).data = np.zeros(5)


class TestGrad:
    def test_it_is_a_tensor_numpy_accepts(self):
        x = Tensor([1.0, 2.0])
        assert x.grad is None
        (3 * x).sum().backward()
        assert isinstance(x.grad, Tensor)
        np.testing.assert_allclose(x.grad, [3.0, 3.0])
        np.testing.assert_array_equal(x.grad, np.array([3.0, 3.0]))
        assert np.allclose(x.grad, 3)
        assert np.linalg.norm(x.grad) == pytest.approx(np.sqrt(18))

    def test_setting(self):
        x = Tensor([1.0, 2.0])
        x.grad = np.array([1.0, 1.0])
        (3 * x).sum().backward()
        assert x.grad.tolist() == [4.0, 4.0]
        x.grad = None
        assert x.grad is None
        with pytest.raises(ShapeError, match=r"(?s)\(3,\).*\(2,\)"):
            x.grad = np.zeros(3)

    def test_only_leaves_can_be_switched_off(self):
        x = Tensor([1.0])
        y = x * 2
        with pytest.raises(GraphError, match=r"(?s)computed from others.*detach"):
            y.requires_grad = False
        x.requires_grad = False
        assert not (x * 2).requires_grad
        assert y.detach().requires_grad_().is_leaf


class TestProtocols:
    def test_iteration_and_length(self):
        x = Tensor([[1.0, 2.0], [3.0, 4.0]])
        first, second = x
        assert len(x) == 2
        (first * second).sum().backward()
        assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
        for use in (len, list):
            with pytest.raises(TypeError, match="0-d tensor"):
                use(Tensor(1.0))

    def test_numbers(self):
        assert float(Tensor([2.5])) == 2.5
        assert int(dd.tensor(3)) == 3
        assert "abc"[dd.tensor(1)] == "b"
        with pytest.raises(TypeError, match="index"):
            "abc"[dd.tensor(1.0)]
        with pytest.raises(ShapeError, match=r"(?s)only a tensor of one element.*mean"):
            dd.ones(2).item()
        with pytest.raises(ShapeError, match="any"):
            bool(dd.ones(2))
        assert not dd.zeros(1)

    def test_format(self):
        assert f"{Tensor(1.23456):.3f}" == "1.235"
        assert f"{dd.tensor([1.0])}" == "tensor([1.])"

    def test_equality_with_what_is_no_number(self):
        x = dd.tensor([1.0, 2.0])
        assert (x == None) is False  # noqa: E711
        assert (x != None) is True  # noqa: E711
        assert (x == "text") is False
        assert (x == 1).tolist() == [True, False]
        assert len({x, x, dd.tensor(1.0)}) == 2

    def test_deepcopy(self):
        x = Tensor([1.0])
        twin = copy.deepcopy({"a": x, "b": x})
        assert twin["a"] is twin["b"] is not x
        assert twin["a"].requires_grad and twin["a"].is_leaf
        twin["a"].data[0] = 9.0
        assert x.item() == 1.0
        assert not copy.deepcopy(dd.tensor(1.0)).requires_grad
        with pytest.raises(GraphError, match="only leaves"):
            copy.deepcopy(x * 2)

    def test_pickle_between_processes(self):
        twin = pickle.loads(pickle.dumps(Tensor([1.0, 2.0])))
        assert twin.requires_grad
        assert twin.tolist() == [1.0, 2.0]

    def test_printing_knows_leaf_and_operator(self):
        a, b = Tensor(2.0), Tensor(1.0)
        assert repr(a) == "tensor(2., requires_grad=True)"
        assert repr((a + b) * (b + 1)) == "tensor(6., grad_fn=<MulBackward0>)"

    def test_shapes(self):
        x = dd.ones(2, 3)
        assert x.size() == x.shape == (2, 3)
        assert (x.size(-1), x.dim(), x.ndim, x.numel(), x.element_size()) == (3, 2, 2, 6, 4)

    def test_operator_and_inputs_of_a_value(self):
        a, b = Tensor(2.0), Tensor(3.0)
        c = a * b
        assert type(c.op).__name__ == "Mul"
        assert c.inputs == (a, b) or (c.inputs[0] is a and c.inputs[1] is b)
        assert a.op is None and a.inputs == () and a.grad_fn is None


class TestNumPy:
    def test_functions_become_operators(self):
        x = Tensor([[1.0, 2.0]])
        for function in (np.exp, np.sum, np.mean, np.tanh, np.sqrt, np.negative, np.square):
            out = function(x)
            assert isinstance(out, Tensor) and out.requires_grad, function
            np.testing.assert_allclose(out, function(x.numpy()), rtol=1e-6)

    def test_arrays_on_the_left(self):
        x = Tensor(np.array([1.0, 2.0]))
        a = np.array([3.0, 4.0])
        for out in (a + x, a - x, a * x, a / x, a**x, np.eye(2) @ x):
            assert isinstance(out, Tensor) and out.requires_grad
        (a * x).sum().backward()
        assert x.grad.tolist() == [3.0, 4.0]
        np.testing.assert_allclose(a - x, [2.0, 2.0])
        np.testing.assert_allclose(a**x, [3.0, 16.0])

    def test_axis_and_keepdims(self):
        x = Tensor(np.arange(6.0).reshape(2, 3))
        assert np.sum(x, axis=1, keepdims=True).shape == (2, 1)
        assert np.max(x, axis=0).tolist() == [3.0, 4.0, 5.0]
        assert np.concatenate([x, x], axis=1).shape == (2, 6)

    def test_an_array_can_take_a_tensor_in_place(self):
        a = np.ones(2)
        a += Tensor([1.0, 2.0])
        assert type(a) is np.ndarray
        assert a.tolist() == [2.0, 3.0]

    def test_numpys_own_functions_give_arrays(self):
        assert type(np.linalg.norm(Tensor([3.0, 4.0]))) in (np.float32, np.float64)
        assert np.asarray(Tensor([1.0])).tolist() == [1.0]
        assert np.array(dd.tensor([1, 2]), dtype="float32").dtype == np.float32

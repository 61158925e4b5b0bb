"""The laws can fail: operators that are wrong in one way each, and the law that must notice."""

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import OperatorError
from deepdive.testing import LawError, Sample, assert_close, check_operator, samples_of


class Cube(dd.Operator):
    """Right in every way."""

    def forward(self, xp, x):
        return x * x * x

    def backward(self, xp, grad, x):
        return 3 * grad * x * x


class WrongSlope(Cube):
    def backward(self, xp, grad, x):
        return 3 * grad * x


class WrongForOneElement(Cube):
    """Only the last element's slope is wrong, and only by a thousandth."""

    def backward(self, xp, grad, x):
        factor = np.ones(x.shape)
        factor[..., -1:] = 1.001
        return 3 * grad * x * x * (factor if isinstance(x, np.ndarray) else dd.tensor(factor))


class WrongSecond(Cube):
    """The history is lost: right at first order, zero at second."""

    def backward(self, xp, grad, x):
        x = x.detach() if hasattr(x, "detach") else x
        return 3 * grad * x * x


class WritesIntoInput(Cube):
    def backward(self, xp, grad, x):
        if isinstance(x, np.ndarray):
            x *= x
            return 3 * grad * x
        return 3 * grad * x * x


class Imprecise(Cube):
    """Half precision inside, for single-precision input."""

    def forward(self, xp, x):
        if x.dtype == np.float32:
            return xp.astype(xp.astype(x * x * x, "float16"), "float32")
        return x * x * x


class ForgetsStrides(Cube):
    """Reads the memory instead of the array."""

    def forward(self, xp, x):
        if isinstance(x, np.ndarray) and x.base is not None and x.size > 1:
            x = np.asarray(x.base).reshape(-1)[: x.size].reshape(x.shape)
        return x * x * x


class GivesAway(dd.Operator):
    """The gradient it gives is the memory of its input."""

    def forward(self, xp, x):
        return xp.sum(0.5 * x * x)

    def backward(self, xp, grad, x):
        return x if isinstance(x, np.ndarray) else grad * x


class NeedsHelp(dd.Operator):
    power: int

    def forward(self, xp, x):
        return x**self.power

    def backward(self, xp, grad, x):
        return grad * self.power * x ** (self.power - 1)


@pytest.mark.parametrize(
    ("operator", "law"),
    [
        (WrongSlope, "gradient"),
        (WrongForOneElement, "gradient"),
        (WrongSecond, "second_order"),
        (WrongSecond, "second_order"),
        (WritesIntoInput, "inputs_unchanged"),
        (Imprecise, "single_precision"),
        (ForgetsStrides, "layout"),
        (GivesAway, "gradient"),
    ],
)
def test_a_broken_law_is_noticed(operator, law):
    report = check_operator(operator, raise_exception=False)
    assert not report
    assert law in {failure[0] for failure in report.failures}, str(report)
    with pytest.raises(LawError, match=f"{operator.__name__} breaks the law"):
        check_operator(operator)


def test_a_right_operator_passes_every_law_but_pytorchs():
    report = check_operator(Cube)
    assert report
    assert set(report.counts) == {
        "gradient",
        "second_order",
        "forward_mode",
        "gradients_fit",
        "inputs_unchanged",
        "single_precision",
        "layout",
        "traced",
    }
    assert {law for law, _, _ in report.skipped} == {"like_torch", "like_torch_single"}
    assert "Cube: gradient × 6" in str(report)


def test_a_wrong_rule_of_tracing_is_noticed(monkeypatch):
    from deepdive.backend.vocabulary import VOCABULARY, spec

    wrong = VOCABULARY["exp"]._replace(shape_rule=lambda name, x: (*x.shape, 1))
    monkeypatch.setattr(spec.speaker, "exp", lambda *args: spec.say(wrong, *args))
    report = check_operator("exp", raise_exception=False)
    assert {failure[0] for failure in report.failures} == {"traced"}


def test_pytorchs_disagreement_is_noticed(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch, "exp", lambda x: torch.expm1(x))
    report = check_operator("exp", raise_exception=False)
    assert {failure[0] for failure in report.failures} == {"like_torch", "like_torch_single"}


def test_required_fields_need_samples():
    with pytest.raises(OperatorError, match=r"(?s)no sample call can be guessed.*samples_for"):
        check_operator(NeedsHelp)
    x = np.array([0.5, -1.5])
    assert check_operator(NeedsHelp, samples=[Sample((x, 3)), Sample((x,), {"power": 2})])


def test_samples_beside_the_operator():
    class Helped(NeedsHelp):
        @staticmethod
        def samples(draw):
            yield Sample((draw(2, 3), 3))

        forward = NeedsHelp.forward
        power: int

    assert check_operator(Helped).counts["gradient"] == 1


def test_the_domain_is_kept():
    class Root(dd.Operator):
        domain = (0.0, np.inf)

        def forward(self, xp, x):
            return xp.sqrt(x)

        def backward(self, xp, grad, out):
            return grad / (2 * out)

    assert check_operator(Root)


def test_a_static_function_is_checked_to_first_order():
    class Double(dd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, grad_output):
            return 2 * grad_output

    report = check_operator(Double, samples=[Sample((np.array([1.0, 2.0]),))])
    assert "gradient" in report.counts
    assert ("second_order", "(float64[2])", "first order only") in report.skipped


def test_random_operators_are_repeated_and_the_stream_is_left_alone():
    def noisy(x):
        return x * dd.randn(*x.shape, dtype="float64")

    before = dd.get_rng_state()
    assert check_operator(noisy, samples=[Sample((np.array([1.0, 2.0]),))])
    assert dd.get_rng_state() == before


def test_every_call_refused_is_a_failure():
    class Refuses(Cube):
        def forward(self, xp, x):
            raise dd.errors.ShapeError("never")

        def backward(self, xp, grad, x):
            return grad

    with pytest.raises(LawError, match="refused"):
        check_operator(Refuses)


def test_unknown_names():
    with pytest.raises(OperatorError, match="nothing is registered as 'expp'"):
        check_operator("expp")
    with pytest.raises(OperatorError, match="is no operator"):
        check_operator(int)


def test_samples_are_the_same_for_the_same_seed():
    first, again, other = (samples_of(dd.exp, seed)[0].args[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()


class TestAssertClose:
    def test_takes_tensors_arrays_and_numbers(self):
        torch = pytest.importorskip("torch")
        assert_close(dd.ones(2), torch.ones(2, requires_grad=True))
        assert_close([1.0, np.nan], np.array([1.0, np.nan]))
        assert_close(2, 2)

    def test_names_the_worst_element(self):
        with pytest.raises(LawError, match=r"(?s)1 of 3 elements differ, most at \(1,\).*got: 7"):
            assert_close([1.0, 7.0, 3.0], [1.0, 2.0, 3.0])

    def test_shapes_and_dtypes(self):
        with pytest.raises(LawError, match="the shapes differ"):
            assert_close([1.0], 1.0)
        with pytest.raises(LawError, match="the dtypes differ"):
            assert_close(np.ones(1, "float32"), np.ones(1), check_dtype=True)
        assert_close(np.ones(1, "float32"), np.ones(1))

    def test_the_tolerance_is_that_of_the_less_precise_type(self):
        assert_close(np.float32(1.000001), np.float64(1.0))
        with pytest.raises(LawError):
            assert_close(np.float64(1.000001), np.float64(1.0))
        with pytest.raises(LawError):
            assert_close([1], [2])

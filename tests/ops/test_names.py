"""PyTorch's elementwise functions, reductions and sorting are where PyTorch has them."""

import pytest

import deepdive as dd

torch = pytest.importorskip("torch")

NAMES = """
    abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh ceil clamp copysign cos cosh
    deg2rad digamma div erf erfc erfinv exp exp2 expm1 float_power floor fmax fmin fmod frac
    heaviside hypot i0 isclose isfinite isinf isnan ldexp lerp lgamma log log10 log1p log2 logaddexp
    logaddexp2 logical_and logical_not logical_or logical_xor logit maximum minimum mul nan_to_num
    neg polygamma positive pow rad2deg reciprocal remainder round rsqrt rsub sgn sigmoid sign
    signbit sin sinc sinh sqrt square sub tan tanh true_divide trunc where xlogy
    eq ne lt le gt ge equal allclose not_equal less less_equal greater greater_equal
    bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
    absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh clip clamp_min clamp_max divide
    fix floor_divide multiply mvlgamma negative subtract isposinf isneginf

    all any amax amin aminmax argmax argmin count_nonzero cumsum cumprod cummax cummin logcumsumexp
    logsumexp max min mean median mode nanmean nansum norm prod quantile std std_mean sum var
    var_mean trace nanmedian nanquantile

    sort argsort topk kthvalue msort searchsorted bucketize unique unique_consecutive
"""
SPECIAL = """
    digamma entr erf erfc erfcx erfinv exp2 expit expm1 gammaln i0 i0e i1 i1e log1p log_ndtr
    log_softmax logit logsumexp multigammaln ndtr ndtri polygamma psi round sinc softmax xlog1py
    xlogy
"""
ROOMS = {"torch": (dd, torch), "Tensor": (dd.Tensor, torch.Tensor)}
ROOMS["nn.functional"] = (dd.nn.functional, torch.nn.functional)


@pytest.mark.parametrize("room", ROOMS)
def test_the_names_are_there(room):
    ours, theirs = ROOMS[room]
    wanted = [name for name in NAMES.split() if callable(getattr(theirs, name, None))]
    assert [name for name in wanted if not callable(getattr(ours, name, None))] == []


def test_in_place_names_are_there():
    wanted = [f"{name}_" for name in NAMES.split() if hasattr(torch.Tensor, f"{name}_")]
    assert [name for name in wanted if not hasattr(dd.Tensor, name)] == []


def test_special_names_are_there():
    assert sorted(SPECIAL.split()) == dir(dd.special)
    assert all(hasattr(torch.special, name) for name in SPECIAL.split())

"""PyTorch's call forms of elementwise functions (the names are explained in call_forms.py)."""

from tests.ops.call_forms import exceptions, forms

# --- one operand ---------------------------------------------------------------------------------
ANYWHERE = """
    abs absolute atan arctan asinh arcsinh ceil cos cosh deg2rad digamma erf erfc exp exp2 expm1 fix
    floor frac i0 isfinite isinf isnan isneginf isposinf lgamma neg negative positive rad2deg
    reciprocal sgn sigmoid sign signbit sin sinc sinh square tan tanh trunc
    i0e i1 i1e erfcx ndtr log_ndtr expit psi gammaln
"""
for _name in ANYWHERE.split():
    forms(**{_name: "f(x); f(s); f(i)"})
for _name in "sqrt rsqrt log log2 log10 log1p entr".split():
    forms(**{_name: "f(p); f(x); f(j)"})
for _name in "acos arccos asin arcsin atanh arctanh erfinv".split():
    forms(**{_name: "f(u); f(-u); f(x)"})
forms(
    acosh="f(big)",
    arccosh="f(big)",
    ndtri="f(u)",
    logit="f(u); f(u, 0.2); f(u, eps=0.2); f(x, 1e-6)",
    logical_not="f(x); f(i); f(b)",
    bitwise_not="f(i); f(b)",
    round="f(x); f(big, decimals=1); f(big * 100, decimals=-1); f(x, decimals=0)",
    nan_to_num="f(x); f(x, 1.5); f(x, nan=1.5, posinf=2.0, neginf=-2.0); f(x, 0.0, 1.0)",
    polygamma="f(0, p); f(1, p); f(2, x); f(3, p); p.polygamma(1)",
    mvlgamma="f(big, 2); f(big, p=3)",
    multigammaln="f(big, 2)",
)

# --- two operands --------------------------------------------------------------------------------
PAIRED = "f(x, y); f(x, v); f(c, v); f(x, s); f(x, 1.5); f(x, other=y); f(i, j); f(i, x); f(x, -2)"
for _name in "mul multiply maximum fmax fmin minimum".split():
    forms(**{_name: "f(x, y); f(c, v); f(x, s); f(x, other=y); f(i, j); f(i, x)"})
forms(mul="f(x, 1.5); f(i, 2); f(i, 0.5); f(b, x)", multiply="f(x, 1.5)")
for _name in "add sub subtract".split():
    forms(**{_name: f"{PAIRED}; f(x, y, alpha=2); f(x, v, alpha=-0.5); f(i, j, alpha=3)"})
    forms(**{_name: "f(x, 1.5, alpha=2); f(i, 2.5)"})
forms(add="f(b, b)", rsub="f(x, y); f(x, 1.5); f(x, y, alpha=2); f(i, 3, alpha=2); f(x, other=v)")
for _name in "div divide true_divide".split():
    forms(**{_name: "f(x, y); f(c, v); f(x, 1.5); f(i, j); f(i, 2); f(x, other=s); f(b, b)"})
for _name in "div divide".split():
    forms(**{_name: "f(big, y, rounding_mode='trunc'); f(big, y, rounding_mode='floor')"})
    forms(**{_name: "f(x, y, rounding_mode=None); f(i, j, rounding_mode='trunc')"})
    forms(**{_name: "f(i, 3, rounding_mode='floor'); f(big, -0.7, rounding_mode='trunc')"})
forms(
    floor_divide="f(big, y); f(i, j); f(i, 2); f(big, 0.7); f(big, other=y)",
    remainder="f(big, y); f(i, j); f(i, 3); f(i, -3); f(big, 0.7); f(5, y); f(big, other=p)",
    fmod="f(big, y); f(i, j); f(i, 3); f(big, 0.7); f(-big, p); f(big, other=p)",
    pow="f(p, y); f(x, 2); f(x, 3); f(x, 0); f(p, 0.5); f(x, -1); f(2, x); f(2.5, x); f(i, 2); "
    "f(i, n); f(p, exponent=y); f(i, 2.0); f(x, i); f(x, 1)",
    float_power="f(p, y); f(p, 2); f(2, x); f(i, 2); f(i, n); f(p, exponent=0.5)",
    atan2="f(x, y); f(c, v); f(x, other=y); f(i, j)",
    arctan2="f(x, y)",
    copysign="f(x, y); f(c, v); f(x, -1.0); f(x, other=1.5); f(i, y); f(i, -2)",
    heaviside="f(x, y); f(c, v); f(x, values=y); f(i, j)",
    hypot="f(x, y); f(c, v); f(x, other=y)",
    ldexp="f(x, n); f(x, other=j); f(i, n)",
    logaddexp="f(x, y); f(c, v); f(x, other=y)",
    logaddexp2="f(x, y); f(c, v); f(x, other=y)",
    xlogy="f(x, p); f(x, 2.0); f(0.5, p); f(x, other=q); f(i, j)",
    xlog1py="f(x, p); f(x, 2.0); f(0.5, p); f(x, other=q); f(i, j)",
    isclose="f(x, y); f(x, x + 1e-9); f(x, y, 0.5, 0.1, True); f(x, y, rtol=1.0, atol=0.0); "
    "f(x, y, equal_nan=True); f(i, j); f(x, other=y)",
    lerp="f(x, y, 0.3); f(x, y, 0.8); f(x, v, u); f(c, v, weight=x); f(x, end=y, weight=1.0)",
    addcmul="f(x, y, z); f(x, c, v, value=2.5); f(i, j, j, value=2); f(x, tensor1=y, tensor2=z)",
    addcdiv="f(x, y, p); f(x, c, p, value=2.5); f(x, tensor1=y, tensor2=p, value=-1)",
)
for _name in "eq ne lt le gt ge not_equal less less_equal greater greater_equal".split():
    forms(**{_name: "f(x, y); f(c, v); f(i, 2); f(i, j); f(i, x); f(x, other=0.5); f(b, k)"})
for _name in "logical_and logical_or logical_xor".split():
    forms(**{_name: "f(x, y); f(b, k); f(i, j); f(b, other=i); f(i, x)"})
for _name in "bitwise_and bitwise_or bitwise_xor".split():
    forms(**{_name: "f(i, j); f(b, k); f(i, 5); f(i, other=n); f(b, i)"})
for _name in "bitwise_left_shift bitwise_right_shift".split():
    forms(**{_name: "f(i, n); f(i, 2); f(i, other=n)"})

# --- selection -----------------------------------------------------------------------------------
for _name in "clamp clip".split():
    forms(**{_name: "f(x, -0.5, 0.6); f(x, min=0.1); f(x, max=0.1); f(x, 0.1); f(i, -1, 2)"})
    forms(**{_name: "f(x, y); f(x, max=v); f(x, c, v); f(x, min=y, max=z); f(i, 0.5, 2)"})
    forms(**{_name: "f(i, j); f(i, max=n); f(b, 0, 1)"})
forms(
    clamp_min="f(x, 0.1); f(x, y); f(x, min=v); f(i, 1)",
    clamp_max="f(x, 0.1); f(x, y); f(x, max=v); f(i, 1)",
    where="f(b, x, y); f(k, c, v); f(b, x, 0.5); f(b, 1.5, x); f(b, 1.0, 2.0); f(b, i, x); f(b); "
    "f(x > 0, x, s); f(b, input=x, other=y); f(b, 1, 2); x.where(b, y); "
    " x.where(condition=b, other=0.5)",
)

exceptions(
    "polygamma",
    edges="PyTorch says 6.6e32 at a pole, and NaN at infinity for n > 1",
)
exceptions("pow", integers="a negative power of integers is refused; PyTorch rounds it to 0")
exceptions("addcmul", integers="a fractional value is refused; PyTorch cuts its fraction off")

"""PyTorch's call forms of reductions and of sorting (the names are explained in call_forms.py)."""

from tests.ops.call_forms import exceptions, forms

# --- sums and means ------------------------------------------------------------------------------
DIMS = "f(w); f(w, 1); f(w, dim=-1); f(w, (0, 2)); f(w, dim=(1, 2), keepdim=True); f(s)"
for _name in "sum nansum mean nanmean".split():
    forms(**{_name: f"{DIMS}; f(w, 1, True); f(w, dtype=t.float64); f(w, 0, dtype=t.float32)"})
    forms(**{_name: "f(w, [0, 1]); f(w, axis=1, keepdims=True)"})
forms(
    sum="f(i, dtype=t.float32); f(i); f(b); "
    " f(b, 0); f(i, 1, dtype=t.float64); f(w, dim=()); f(w, dim=[])",
    nansum="f(i); f(i, 1)",
    prod="f(w); f(w, 1); f(w, -1, True); f(w, dim=0, dtype=t.float64); f(i); f(i, dtype=t.float32)",
    cumsum="f(w, 1); f(w, dim=-1); f(i, 0); f(w, 0, dtype=t.float64); f(b, 1); f(s, 0)",
    cumprod="f(w, 1); f(w, dim=-1); f(i, 0); f(w, 0, dtype=t.float64); f(s, 0)",
    logcumsumexp="f(w, 1); f(w, dim=-1); f(s, 0)",
    logsumexp="f(w, 1); f(w, (0, 2)); f(w, dim=-1, keepdim=True); f(w, [0, 1]); f(i, 0)",
    count_nonzero="f(w); f(i); f(i, 1); f(b, dim=(0, 1)); f(i, dim=0)",
    norm="f(w); f(w, 2); f(w, 1, 1); f(w, 'fro', (0, 2)); f(w, p=3, dim=-1, keepdim=True); "
    "f(w, inf, 1); f(w, -inf, 1); f(w, 0, 1); f(w, 0.5, 1); "
    "f(w, p=2, dim=1, dtype=t.float64); f(w, dim=[0, 1])",
    trace="f(m); f(x); f(i)",
)
SPREAD = "f(w); f(w, 1); f(w, False); f(w, True); f(w, 1, False); f(w, (0, 2), True, True)"
for _name in "var std var_mean std_mean".split():
    forms(**{_name: f"{SPREAD}; f(w, dim=1, correction=0); f(w, correction=2, keepdim=True)"})
    forms(**{_name: "f(w, unbiased=False); f(w, dim=(0, 1), unbiased=False, keepdim=True)"})
    forms(**{_name: "f(w, dim=-1, correction=0.5); f(w, [0, 1]); f(w, dim=None, correction=1)"})

# --- extremes ------------------------------------------------------------------------------------
for _name in "amax amin".split():
    forms(**{_name: "f(w); f(w, 1); f(w, (0, 2), True); f(w, dim=-1, keepdim=True); f(i, 1); f(b)"})
for _name in "max min".split():
    forms(**{_name: "f(w); f(w, 1); f(w, dim=-1, keepdim=True); f(w, 1, True); f(x, y); f(i)"})
    forms(**{_name: "f(x, other=v); f(i, j); f(b); f(s, 0)"})
for _name in "argmax argmin".split():
    forms(**{_name: "f(w); f(w, 1); f(w, dim=-1, keepdim=True); f(w, 1, True); f(w, None, True)"})
for _name in "all any".split():
    forms(**{_name: "f(b); f(b, 1); f(b, dim=0, keepdim=True); f(b, (0, 1)); f(x); f(i, 1)"})
    forms(**{_name: "f(b, 1, True); f(b, dim=None)"})
for _name in "cummax cummin".split():
    forms(**{_name: "f(w, 1); f(w, dim=-1); f(s, 0)"})
forms(aminmax="f(w); f(w, dim=1); f(w, dim=-1, keepdim=True); f(i); f(i, dim=0)")

# --- order ---------------------------------------------------------------------------------------
forms(
    sort="f(w); f(w, 1); f(w, -1, True); f(w, dim=0, descending=True); f(w, stable=True); "
    "f(w, stable=True, dim=1, descending=True); f(i, stable=True); f(s); f(w, stable=None)",
    argsort="f(w); f(w, 1); f(w, -1, True); f(w, dim=0, descending=True, stable=True); "
    "f(i, stable=True); f(s)",
    msort="f(w); f(x)",
    topk="f(w, 2); f(w, 2, 1); f(w, k=3, dim=-1, largest=False); f(w, 2, 0, True, True); "
    "f(w, 2, sorted=True); f(s, 1)",
    kthvalue="f(w, 2); f(w, 2, 1); f(w, k=1, dim=-1, keepdim=True); f(w, 3, -1, True); f(s, 1)",
    median="f(w); f(w, 1); f(w, dim=-1, keepdim=True); f(w, 1, True); f(s); f(i)",
    nanmedian="f(w); f(w, 1); f(w, dim=-1, keepdim=True); f(w, 1, True); f(s)",
    mode="f(x); f(x, 0); f(x, dim=-1, keepdim=True); f(x, 0, True); f(s)",
    quantile="f(x, 0.3); f(x, 0.3, 1); f(x, u[0], 1); f(x, q=0.6, dim=0, keepdim=True); "
    "f(x, u[0, :2], 1, True); f(x, 0.37, 1, interpolation='lower'); f(x, u[0]); "
    "f(x, 0.37, 1, interpolation='higher'); f(x, 0.37, interpolation='nearest'); "
    "f(x, 0.37, 1, False, interpolation='midpoint'); f(x, 0.5, None, True)",
    nanquantile="f(x, 0.3); f(x, 0.3, 1); f(x, q=0.6, dim=0, keepdim=True); f(x, u[0], 1); "
    "f(x, 0.37, 1, interpolation='lower'); f(x, 0.37, 0, True, interpolation='linear')",
    searchsorted="f(e, x); f(l, x[:, :2]); f(e, x, right=True); f(e, x, side='right'); f(e, 0.3); "
    "f(e, x, out_int32=True); f(e, e, side='left'); f(v, x, sorter=t.argsort(v))",
    bucketize="f(x, e); f(x, boundaries=e, right=True); f(x, e, out_int32=True); f(0.3, e); "
    "f(e, e)",
    unique="f(n); f(i); f(i, True, True, True); f(i, return_inverse=True); f(i, dim=0); "
    "f(i, return_counts=True, dim=1, sorted=True)",
    unique_consecutive="f(n); f(i, True, True); f(i, return_inverse=True); f(i, dim=0); "
    "f(n, return_counts=True)",
)

EQUAL = "of equal elements PyTorch may give the index of another one"
for _name in ("topk", "kthvalue"):
    exceptions(_name, integers=EQUAL, edges=EQUAL)
exceptions("mode", edges="a NaN equals nothing here, PyTorch takes it for the most frequent")
exceptions("median", empty="the median of no integers is refused; PyTorch gives the lowest one")
for _name in ("var_mean", "std_mean"):
    exceptions(_name, edges="PyTorch's mean is NaN where elements are infinite, ours is infinite")

"""Call forms that exist as methods or as Python's own notation alone (see call_forms.py)."""

from tests.ops.call_forms import forms

forms(
    getitem="x[0]; x[-1, 2]; x[:, 1:3]; x[::2]; x[..., 0]; x[None, :, None]; x[b]; x[k.long()]; "
    "x[[0, 2]]; x[[2, 0], [1, 3]]; x[:, n]; w[1, :, n]; x[n[:3] % 3, n[1:]]; x[()]; x[0:0]; "
    "x[:, k]",
    expand="c.expand(3, 4); c.expand(2, -1, 5); s.expand(2, 3); c.expand((3, 2)); v.expand(3, -1); "
    "c.expand([3, 2])",
    to="x.to(t.float32); x.to(i); x.to('cpu'); x.to(dtype=t.float64); x.to(t.float32, copy=True); "
    "i.to(t.float32); x.to('cpu', t.float32)",
    float_="x.float(); i.float()",
    double="x.double(); i.double()",
    half="x.half(); i.half()",
    long="x.long(); b.long()",
    int_="x.int()",
    bool_="x.bool(); i.bool()",
    type_as="x.type_as(i); x.type_as(y)",
)
for _name, _sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("true_divide", "/"), ("pow", "**")):
    forms(**{_name: f"p {_sign} q; p {_sign} 2; 1.5 {_sign} p; i {_sign} 2"})
for _name, _sign in (("floor_divide", "//"), ("remainder", "%")):
    forms(**{_name: f"big {_sign} p; big {_sign} 2; 1.5 {_sign} p; i {_sign} 2; 7 {_sign} j"})
for _name, _sign in (
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
):
    forms(**{_name: f"x {_sign} y; x {_sign} 0.5; i {_sign} 2; 1 {_sign} i"})
for _name, _sign in (("bitwise_and", "&"), ("bitwise_or", "|"), ("bitwise_xor", "^")):
    forms(**{_name: f"b {_sign} k; i {_sign} j; i {_sign} 3; 5 {_sign} i; b {_sign} True"})
for _name, _sign in (("bitwise_left_shift", "<<"), ("bitwise_right_shift", ">>")):
    forms(**{_name: f"i {_sign} 2; i {_sign} n"})
forms(neg="-x; -i", abs="abs(x); abs(i)", bitwise_not="~i; ~b", matmul="x @ m; v @ m; m @ v")

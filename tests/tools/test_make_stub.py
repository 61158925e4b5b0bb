"""The stub's text for made-up operators and functions, and the check that it is fresh."""

import ast
from types import SimpleNamespace
from typing import Any

import make_stub
import numpy as np
import pytest

from deepdive.core.operator import Operator
from deepdive.core.tensor import Tensor

Axis = int | tuple[int, ...] | None


def function_of(operator):
    """What registration makes of an operator, as far as the stub looks at it."""
    return SimpleNamespace(operator=operator, __doc__=operator.__doc__)


class Scale(Operator):
    """``a x`` along some axes. Nothing else."""

    dim: Axis = None
    keepdim: bool = False
    factor: float = 2.0

    def forward(self, xp, x, y=None):
        return x


class Pick(Operator):
    dim: int
    signature = "x, dim, index"

    def forward(self, xp, x, index):
        return x


class Reshape(Operator):
    shape: tuple[int, ...]
    gathers = True

    def forward(self, xp, x):
        return x


class Glue(Operator):
    dim: int = 0
    outputs = ("left", "right")

    def forward(self, xp, *xs):
        return xs[0]


def define(operator, name, *, method=True, taken=frozenset()):
    return make_stub.define(name, function_of(operator), set(taken), method=method)


def test_operator_as_method():
    assert define(Scale, "scale") == (
        "def scale(\n"
        "    self,\n"
        "    y: Operand = None,\n"
        "    dim: int | tuple[int, ...] | None = None,\n"
        "    keepdim: bool = False,\n"
        "    factor: float = 2.0,\n"
        "    *,\n"
        "    axis: int | tuple[int, ...] | None = ...,\n"
        "    keepdims: bool = ...,\n"
        ") -> Tensor:\n"
        '    """``a x`` along some axes. Nothing else."""\n'
    )


def test_public_order_follows_the_signature():
    expected = "def pick(x: Operand, dim: int, index: Operand, *, axis: int = ...) -> Tensor: ...\n"
    assert define(Pick, "pick", method=False) == expected


def test_trailing_integers_gather():
    assert define(Reshape, "reshape") == "def reshape(self, *shape: Any) -> Tensor: ...\n"


def test_variadic_inputs_and_several_outputs():
    text = define(Glue, "glue", method=False)
    head = "def glue(xs: Sequence[Operand], dim: int = 0, *, axis: int = ...)"
    assert text == f"{head} -> tuple[Tensor, Tensor]: ...\n"


def test_plain_function_keeps_its_signature():
    def lerp(x: Tensor, end: Any, weight: np.ndarray, *rest: int, out=None, **more) -> Axis:
        """Between."""

    text = make_stub.define("lerp", lerp, set(), method=True)
    assert text == (
        "def lerp(\n"
        "    self,\n"
        "    end: Any,\n"
        "    weight: Any,\n"
        "    *rest: int,\n"
        "    out: Any = None,\n"
        "    **more: Any,\n"
        ") -> int | tuple[int, ...] | None:\n"
        '    """Between."""\n'
    )


def test_keyword_arguments():
    def only(x, *, out: int = 1): ...

    def rest(x, **more: int): ...

    text = make_stub.define("only", only, set(), method=True)
    assert text == "def only(self, *, out: int = 1) -> Any: ...\n"
    text = make_stub.define("rest", rest, set(), method=True)
    assert text == "def rest(self, **more: int) -> Any: ...\n"


def test_a_method_named_like_a_type_does_not_hide_the_type():
    def clamp(x, low: float, sizes: "list[float]", float: int = 0) -> float: ...

    text = make_stub.define("clamp", clamp, {"float", "clamp"}, method=True)
    parameters = "self, low: builtins.float, sizes: list[builtins.float], float: int = 0"
    assert text == f"def clamp({parameters}) -> builtins.float: ...\n"


def test_equality_may_return_a_tensor():
    text = define(Pick, "__eq__")
    assert text.endswith("-> Tensor: ...  # type: ignore[override]\n")


def test_what_has_no_short_source_text_is_left_out():
    assert make_stub.show_default(np.zeros(2)) == "..."
    assert make_stub.show_default(float("inf")) == "..."
    assert make_stub.show_default("mean") == "'mean'"
    assert make_stub.show_annotation("Unknown | None", {}) == "Any"


def test_every_attached_member_is_in_the_stub_of_tensor(monkeypatch):
    monkeypatch.setattr(Tensor, "made_up", lambda self, k=1: self, raising=False)
    monkeypatch.setattr(Tensor, "twin", property(lambda self: self, doc="A twin."), raising=False)
    tree = ast.parse(make_stub.tensor_stub())
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    members = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assert {"made_up", "twin"} <= members
    assert "item" not in members and "requires_grad" not in members  # tensor.py has them itself


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """One stub, a.pyi, in a made-up repository."""
    monkeypatch.setattr(make_stub, "STUBS", {"a.pyi": lambda: "x: int\ny: int\n"})
    return tmp_path / "a.pyi"


def test_write_then_check(stub, capsys):
    assert make_stub.main(["--root", str(stub.parent)]) == 0
    assert stub.read_text() == "x: int\ny: int\n"
    assert make_stub.main(["--root", str(stub.parent), "--check"]) == 0
    assert capsys.readouterr().out == "wrote a.pyi\nstubs: kept\n"


@pytest.mark.parametrize(("text", "line"), [("x: int\ny: str\n", 2), ("x: int\n", 2), (None, 1)])
def test_stale_or_missing(stub, capsys, text, line):
    if text is not None:
        stub.write_text(text)
    assert make_stub.main(["--root", str(stub.parent), "--check"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"a.pyi:{line}: the stub is stale\n  fix: make stubs, and commit it\n")

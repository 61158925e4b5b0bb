"""Every call form of PyTorch's signatures gives PyTorch's values and gradients."""

import ast
import inspect

import pytest

import deepdive as dd

torch = pytest.importorskip("torch")

from tests.ops import call_forms  # noqa: E402
from tests.ops.call_forms import (  # noqa: E402
    EXCEPTIONS,
    FORMS,
    Disagreement,
    Refused,
    calls_function,
    compare,
    trials,
)

# Arguments of all functions that are left out, with the reason.
NOWHERE = {
    "out": "results are returned, not written: x.copy_(y) writes",
    "generator": "random numbers are not compared",
    "names": "axes have no names",
}


def tried(name):
    """Every trial that is no known exception, with what came of it."""
    for form in FORMS[name]:
        for kind, text, arrays, how in trials(name, form):
            if kind not in EXCEPTIONS.get(name, {}):
                yield kind, text, arrays, how


@pytest.mark.parametrize("name", FORMS)
def test_as_in_pytorch(name):
    wrong = []
    for kind, text, arrays, how in tried(name):
        try:
            compare(name, text, arrays, **how)
        except Refused as error:
            if kind == "float64" and call_forms.has_floats(text):
                wrong.append(f"{kind} {text}: PyTorch takes no such call: {error}")
        except Disagreement as error:
            wrong.append(f"{kind} {text}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_are_still_needed(name):
    """An exception that differs no more is taken off the list."""
    for kind in EXCEPTIONS[name].keys() & set(call_forms.KINDS):
        found = []
        for form in FORMS[name]:
            for tried_kind, text, arrays, how in trials(name, form):
                if tried_kind == kind:
                    found.append(agrees(name, text, arrays, how))
        assert not all(found), f"{name}: {kind} agrees by now"


def agrees(name, text, arrays, how):
    try:
        compare(name, text, arrays, **how)
    except Refused:
        return True
    except (Disagreement, AttributeError):
        return False
    return True


# --- nothing is left out -------------------------------------------------------------------------
def arguments(name):
    """The arguments of PyTorch's overloads for tensors, each a list in order."""
    found = []
    for room in (name, f"special_{name}", f"linalg_{name}"):
        for schema in torch._C._jit_get_schemas_for_operator(f"aten::{room}"):
            text = str(schema)  # "aten::sum.dim(Tensor self, int[1]? dim, …) -> Tensor"
            if "Tensor" in text and "Tensor(a!)" not in text and "Dimname" not in text:
                found.append([argument.name for argument in schema.arguments])
    if not found:
        function = call_forms.lookup(torch, name)
        if "kwargs" in inspect.signature(function).parameters:  # a function that chooses another
            function = call_forms.lookup(dd, name)
        found.append(list(inspect.signature(function).parameters))
    return found


@pytest.mark.parametrize("name", FORMS)
def test_every_argument_is_tried(name):
    calls = [ast.parse(form, mode="eval").body for form in filter(calls_function, FORMS[name])]
    if not calls:
        return
    given = {keyword.arg for call in calls for keyword in call.keywords}
    longest = max(len(call.args) for call in calls)
    missing = []
    for names in arguments(name):
        for place, argument in enumerate(names):
            known = argument in given or argument in NOWHERE or place < longest
            if not known and argument not in EXCEPTIONS.get(name, {}):
                missing.append(argument)
    assert not missing, f"{name}: no form tries {', '.join(dict.fromkeys(missing))}"

"""Call forms: one text, run by DeepDive and by PyTorch, values and gradients compared.

A form is the text of a call, ``f(x, y, alpha=2)``, in which ``f`` is the function and the other
names are arrays of the table ARRAYS, the same numbers for both libraries.  ``t`` is the library
itself (``dtype=t.float64``).  Each form is tried

- as a function, in float64 and in float32, with gradients;
- as a Tensor method, where both libraries have it;
- with its first argument by name (``input=x``);
- with integers in place of floats, where PyTorch takes them: values and dtypes;
- with NaN, ∞, ±0 among the numbers: values;
- with axes of size 0 in place of the first one: values.

Tables are files ``call_forms_*.py`` beside this one, found by name; what is known to differ stands
in their ``EXCEPTIONS``, with the reason.
"""

from __future__ import annotations

import ast
import math
import runpy
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import deepdive as dd
from deepdive.errors import DeepDiveError

FORMS: dict[str, list[str]] = {}  # function → texts of calls
EXCEPTIONS: dict[str, dict[str, str]] = {}  # function → kind of trial or argument → reason
KINDS = ("float64", "float32", "method", "by name", "integers", "edges", "empty")
TOLERANCES = {"float64": (1e-9, 1e-11), "float32": (2e-5, 2e-6), "float16": (1e-3, 1e-4)}
REFUSED = (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError)


def forms(**table: str) -> None:
    """Enter the forms of functions: ``forms(add="f(x, y); f(x, 2)")``."""
    for name, text in table.items():
        FORMS.setdefault(name.removesuffix("_"), []).extend(_split(text))


def exceptions(name: str, **reasons: str) -> None:
    """Enter what is known to differ: a kind of trial (or an argument) and the reason."""
    known = EXCEPTIONS.setdefault(name, {})
    known.update(
        {
            key.replace("_", " ") if key in KINDS_BY_NAME else key: why
            for key, why in reasons.items()
        }
    )


KINDS_BY_NAME = {kind.replace(" ", "_") for kind in KINDS}


def _split(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(";") if part.strip()]


# --- the numbers ---------------------------------------------------------------------------------
def _numbers() -> dict[str, Any]:
    draw = np.random.default_rng(5)

    def away(*shape: int) -> Any:
        """Sizes in [0.2, 1.3]: away from 0, where many functions have kinks."""
        size = draw.uniform(0.2, 1.3, shape)
        return np.asarray(size * draw.choice([-1.0, 1.0], shape))

    arrays = {name: away(3, 4) for name in ("x", "y", "z")}
    arrays |= {"v": away(4), "c": away(3, 1), "s": away(), "w": away(2, 3, 4), "m": away(4, 4)}
    arrays |= {"p": draw.uniform(0.3, 2.0, (3, 4)), "q": draw.uniform(0.3, 2.0, (3, 4))}
    arrays |= {"u": draw.uniform(0.05, 0.95, (3, 4)), "big": draw.uniform(1.5, 9.0, (3, 4))}
    arrays |= {"i": draw.integers(-4, 5, (3, 4)), "j": draw.integers(1, 5, (3, 4))}
    arrays |= {"n": draw.integers(0, 4, (4,)), "b": draw.random((3, 4)) < 0.5}
    arrays |= {"k": draw.random((4,)) < 0.5, "e": np.sort(away(5)), "l": np.sort(away(3, 6), 1)}
    return arrays


ARRAYS = _numbers()
SORTED = ("e", "l")
EDGES = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-30, 2.0])


def used(form: str) -> list[str]:
    """The arrays a form names, in order of first use."""
    found = [node.id for node in ast.walk(ast.parse(form)) if isinstance(node, ast.Name)]
    return [name for name in dict.fromkeys(found) if name in ARRAYS]


def calls_function(form: str) -> bool:
    """Whether a form is a call of ``f``; others are notation, as ``x[0]``."""
    return form.startswith("f(")


def has_floats(form: str) -> bool:
    """Whether a form names an array of floats: of the others PyTorch may take none."""
    return any(ARRAYS[name].dtype.kind == "f" for name in used(form))


def _edged(name: str, array: Any) -> Any:
    """The array with edge values: shifted for each name, so that all meet all."""
    if array.dtype.kind != "f" or name in SORTED:
        return array
    return np.roll(np.resize(EDGES, array.size), sum(map(ord, name))).reshape(array.shape)


def _emptied(array: Any) -> Any:
    """The array without rows, or batches; vectors and numbers stay."""
    return array[:0] if array.ndim > 1 else array


def _whole(array: Any) -> Any:
    return np.asarray(np.round(array * 3), "int64") if array.dtype.kind == "f" else array


# --- one call, in both libraries -----------------------------------------------------------------
class Outcome(NamedTuple):
    """What one library gave: outputs, and the gradients of their weighted sum, or None."""

    outputs: list[Any]
    slopes: list[Any] | None


class Agreement(NamedTuple):
    """The largest relative error of values and of gradients; None where there are none."""

    values: float
    slopes: float | None


class Disagreement(AssertionError):
    """The two libraries differ."""


class Refused(Exception):
    """PyTorch does not take the call."""


def _listed(out: Any) -> list[Any]:
    if isinstance(out, (tuple, list)):
        return [item for part in out for item in _listed(part)]
    return [out]


def _as_array(value: Any) -> Any:
    if hasattr(value, "detach"):
        value = value.detach()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def _weighted(outputs: list[Any], make: Any) -> Any:
    total: Any = None
    draw = np.random.default_rng(1)
    for out in outputs:
        weight = draw.uniform(-1.5, 1.5, tuple(getattr(out, "shape", ())))
        if getattr(out, "requires_grad", False):
            part = (out * make(weight.astype(_as_array(out).dtype))).sum()
            total = part if total is None else total + part
    return total


def ours(name: str, form: str, arrays: dict[str, Any], method: bool, slopes: bool) -> Outcome:
    """What DeepDive makes of a form."""
    tensors = {key: dd.tensor(array) for key, array in arrays.items()}
    function = lookup(dd, name)
    inputs = [t.requires_grad_() for t in tensors.values() if slopes and t.is_floating_point()]
    outputs = _listed(_run(form, _called(function, name, method), dd, tensors))
    total = _weighted(outputs, dd.tensor)
    if total is None:
        return Outcome(outputs, None)
    found = dd.grad(total, inputs, allow_unused=True)
    grads = [
        np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(inputs, found, strict=True)
    ]
    return Outcome(outputs, grads)


def theirs(name: str, form: str, arrays: dict[str, Any], method: bool, slopes: bool) -> Outcome:
    """What PyTorch makes of it.

    Raises:
        Refused: if it does not take the call.
    """
    import torch

    tensors = {key: torch.from_numpy(array.copy()) for key, array in arrays.items()}
    inputs = [t.requires_grad_() for t in tensors.values() if slopes and t.is_floating_point()]
    function = lookup(torch, name)
    try:
        outputs = _listed(_run(form, _called(function, name, method), torch, tensors))
        total = _weighted(outputs, torch.from_numpy)
        if total is None:
            return Outcome(outputs, None)
        try:
            found = torch.autograd.grad(total, inputs, allow_unused=True)
        except RuntimeError:  # "the derivative for … is not implemented"
            return Outcome(outputs, None)
    except REFUSED as error:
        raise Refused(str(error)) from None
    zeros = [
        torch.zeros_like(x) + (0 if g is None else g) for x, g in zip(inputs, found, strict=True)
    ]
    return Outcome(outputs, [z.detach().numpy() for z in zeros])


def lookup(library: Any, name: str) -> Any:
    """The function of this name, wherever the library keeps it; None if it has none."""
    rooms = (library, library.nn.functional, library.special, getattr(library, "linalg", None))
    for room in rooms:
        found = getattr(room, name, None)
        if callable(found) and not isinstance(found, type):
            return found
    return None


def _called(function: Any, name: str, method: bool) -> Any:
    if not method:
        return function
    return lambda first, *args, **kwargs: getattr(first, name)(*args, **kwargs)


def _run(form: str, function: Any, library: Any, tensors: dict[str, Any]) -> Any:
    names = {**tensors, "f": function, "t": library, "inf": math.inf, "nan": math.nan}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(form, names)


# --- comparing -----------------------------------------------------------------------------------
def compare(
    name: str, form: str, arrays: dict[str, Any], *, method: bool = False, slopes: bool = True
) -> Agreement:
    """Run `form` twice and compare.

    Raises:
        Refused: if PyTorch does not take the call.
        Disagreement: if the results differ, or DeepDive does not take it.
    """
    expected = theirs(name, form, arrays, method, slopes)
    try:
        with np.errstate(all="ignore"):
            found = ours(name, form, arrays, method, slopes)
    except (DeepDiveError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Disagreement(f"refused: {type(error).__name__}: {error}") from error
    if len(found.outputs) != len(expected.outputs):
        raise Disagreement(f"{len(found.outputs)} results, PyTorch gives {len(expected.outputs)}")
    worst = 0.0
    for mine, other in zip(found.outputs, expected.outputs, strict=True):
        worst = max(worst, _distance("value", _as_array(mine), _as_array(other)))
    if expected.slopes is None:
        return Agreement(worst, None)
    mine_slopes = found.slopes or [np.zeros(s.shape) for s in expected.slopes]
    steepest = 0.0
    for mine, other in zip(mine_slopes, expected.slopes, strict=True):
        steepest = max(steepest, _distance("gradient", mine, other, False))
    return Agreement(worst, steepest)


def _distance(what: str, mine: Any, other: Any, types: bool = True) -> float:
    """The largest relative error, with the sizes around 1 counted as 1."""
    if mine.shape != other.shape:
        raise Disagreement(f"{what}: shape {mine.shape}, PyTorch's {other.shape}")
    if types and mine.dtype != other.dtype:
        raise Disagreement(f"{what}: {mine.dtype}, PyTorch's {other.dtype}")
    relative, absolute = TOLERANCES.get(other.dtype.name, (0.0, 0.0))
    with np.errstate(all="ignore"):
        close = np.isclose(mine, other, relative, absolute, equal_nan=True)
        if not close.all():
            at = np.unravel_index(int((~close).argmax()), mine.shape)
            raise Disagreement(
                f"{what} at {tuple(map(int, at))}: {mine[at]}, PyTorch's {other[at]}"
            )
        if not mine.size:
            return 0.0
        gap = np.abs(mine.astype(float) - other.astype(float))
        error = gap / np.maximum(np.abs(other.astype(float)), 1.0)
        return float(np.nan_to_num(error, nan=0.0, posinf=0.0).max())


def trials(name: str, form: str) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every way a form is tried: kind, text, arrays, and how :func:`compare` is told."""
    plain = {key: ARRAYS[key] for key in used(form)}
    single = {k: a.astype("float32") if a.dtype.kind == "f" else a for k, a in plain.items()}
    yield "float64", form, plain, {}
    yield "float32", form, single, {}
    call: Any = ast.parse(form, mode="eval").body
    if not calls_function(form):  # x[0], x.to(y): there is one way to say it
        return
    if _is_method(name) and not isinstance(call.args[0], ast.Constant):
        yield "method", form, single, {"method": True, "slopes": False}
    named = any(keyword.arg == "input" for keyword in call.keywords)
    if len(call.args) == 1 and isinstance(call.args[0], ast.Name) and not named:
        yield "by name", "f(input=" + form[2:], single, {"slopes": False}
    if any(array.dtype.kind == "f" for array in plain.values()):
        whole = {key: _whole(array) for key, array in plain.items()}
        yield "integers", form, whole, {"slopes": False}
        edged = {key: _edged(key, array) for key, array in plain.items()}
        yield "edges", form, edged, {"slopes": False}
    if any(array.ndim > 1 for array in plain.values()):
        yield "empty", form, {key: _emptied(array) for key, array in plain.items()}, {}


def _is_method(name: str) -> bool:
    import torch

    return hasattr(torch.Tensor, name) and hasattr(dd.Tensor, name)


for _part in sorted(Path(__file__).parent.glob("call_forms_*.py")):
    runpy.run_path(str(_part))

"""The laws every operator obeys, and :func:`check_operator`, which tries them.

Derivatives are tried along random directions: one directional derivative tells a wrong gradient
from a right one with probability one, at the cost of two calls instead of two per element.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepdive import config, dtypes
from deepdive.backend.vocabulary import spec
from deepdive.core import random
from deepdive.core.autograd.functional import grad, jvp
from deepdive.core.tensor import Tensor
from deepdive.errors import DeepDiveError, GraphError
from deepdive.testing import torch_reference
from deepdive.testing.case import Case, listed
from deepdive.testing.closeness import LawError, as_array, assert_close
from deepdive.testing.samples import Sample, names_of, public, samples_of
from deepdive.testing.torch_reference import Skip

Figures = dict[str, float]  # what was measured → its largest error

STEP = 1e-6  # of central differences, in float64
PRECISION = 1e-6  # of what they give, relative to the size of the terms


# --- derivatives -------------------------------------------------------------------------------
def gradient(case: Case) -> Figures:
    """The gradient agrees with central differences, input by input."""
    _demand_double(case)
    worst = 0.0
    for place, direction, found in zip(*_gradients(case), strict=True):
        values = [_value(case, case.moved(step, place)) for step in (STEP, -STEP)]
        expected = (values[0] - values[1]) / (2 * STEP)
        size = abs(values[0]) + float(np.abs(found * direction).sum())
        got = float((found * direction).sum())
        worst = max(worst, _agree("gradient", got, expected, size, f"input {place}"))
    return {"gradient": worst}


def second_order(case: Case) -> Figures:
    """The gradient of the gradient agrees with differences of gradients."""
    _demand_double(case)
    inputs, first = _recorded(case)
    slope = _along(first, case.directions)
    second: Any = [None] * len(inputs)
    worst = 0.0
    if slope is not None and slope.requires_grad:
        second = grad(slope, inputs, allow_unused=True)
    for place, direction, found in zip(case.places, case.directions, second, strict=True):
        slopes = [_slope(case, case.moved(step, place)) for step in (STEP, -STEP)]
        expected = (slopes[0] - slopes[1]) / (2 * STEP)
        terms = np.zeros(1) if found is None else found.numpy() * direction
        size = abs(slopes[0]) + float(np.abs(terms).sum())
        got = float(terms.sum())
        worst = max(worst, _agree("second order", got, expected, size, f"input {place}"))
    return {"second order": worst}


def forward_mode(case: Case) -> Figures:
    """The Jacobian–vector product agrees with differences of values."""
    _gradients(case)
    _demand_double(case)
    k = next(i for i, out in enumerate(case.tracked(case.arrays)[1]) if out.requires_grad)

    def first_output(*tensors: Tensor) -> Tensor:
        arrays: list[Any] = list(case.arrays)
        for i, tensor in zip(case.places, tensors, strict=True):
            arrays[i] = tensor
        return listed(case.call(arrays))[k]

    primals = [Tensor(case.arrays[i], requires_grad=False) for i in case.places]
    tangents = [Tensor(direction, requires_grad=False) for direction in case.directions]
    _, found = _of_second_order(lambda: jvp(first_output, primals, tangents))
    ahead, behind = (listed(case.call(case.moved(s)))[k].numpy() for s in (STEP, -STEP))
    size = 1 + float(np.abs(ahead).max(initial=0.0))
    difference = (ahead - behind) / (2 * STEP)
    assert_close(found, difference, PRECISION, PRECISION * size, what="forward mode")
    return {"forward mode": _gap(found.numpy(), difference) / size}


def gradients_fit(case: Case) -> None:
    """Gradients have their input's shape and dtype, and memory of their own."""
    for dtype in ("float32", "float64"):
        inputs, outputs = case.tracked(case.cast(dtype))
        total = case.weighted(outputs)
        if total is None:
            raise Skip("no gradient")
        total.backward()  # type: ignore[attr-defined]
        grads = [x.grad for x in inputs if x.grad is not None]
        for x in inputs:
            if x.grad is not None and (x.grad.shape != x.shape or x.grad.dtype != x.dtype):
                got, expected = (f"{t.dtype} {tuple(t.shape)}" for t in (x.grad, x))
                raise LawError("gradients fit their inputs", got=got, expected=expected)
        for i, one in enumerate(grads):
            for other in [*grads[:i], *inputs]:
                if np.shares_memory(one.numpy(), other.numpy()):
                    raise LawError("a gradient shares memory with another tensor")


# --- values ------------------------------------------------------------------------------------
def inputs_unchanged(case: Case) -> None:
    """Neither forward nor backward writes into an input."""
    arrays = [array.copy() for array in case.arrays]
    total = case.weighted(case.tracked(arrays)[1])
    if total is not None:
        total.backward()  # type: ignore[attr-defined]
    for i, (before, after) in enumerate(zip(case.arrays, arrays, strict=True)):
        if before.tobytes() != after.tobytes():
            raise LawError(f"array {i} among the inputs was changed")


def single_precision(case: Case) -> None:
    """Values in float32 are those of float64, rounded."""
    for out, expected in zip(listed(case.call(case.cast("float32"))), case.outputs, strict=True):
        size = float(np.abs(np.nan_to_num(expected)).max(initial=0.0))
        assert_close(out, expected, 1e-4, 1e-5 * (1 + size), what="float32 against float64")


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda x: np.ascontiguousarray(x.T).T if x.ndim else x,
    "strided": lambda x: np.repeat(x, 2, -1)[..., ::2] if x.ndim else x,
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1] if x.ndim else x,
}


def layout(case: Case) -> None:
    """Views – transposed, strided, reversed – give the same values and gradients."""
    for name, view in LAYOUTS.items():
        arrays = [view(array) for array in case.arrays]
        inputs, outputs = case.tracked(arrays)
        for out, expected in zip(outputs, case.outputs, strict=True):
            assert_close(out, expected, 1e-9, 1e-9, what=f"a {name} input")
        total = case.weighted(outputs)
        if total is None:
            continue
        found = grad(total, inputs, allow_unused=True)
        for got, expected in zip(found, _gradients(case)[2], strict=True):
            got = expected * 0 if got is None else got
            assert_close(got, expected, 1e-9, 1e-9, what=f"the gradient of a {name} input")


class _Recorder:
    """Looks on while operators run, and remembers what each was given and gave."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Any, Any]] = []

    def forward(self, operator: Any, run: Any, args: Any) -> Any:
        out = run(*args)
        self.seen.append((operator, args[1:], out))
        return out

    def backward(self, operator: Any, run: Any, args: Any) -> Any:
        return run(*args)


def traced(case: Case) -> None:
    """The rules of the vocabulary foretell the shape and dtype of the result."""
    for dtype in ("float32", "float64"):
        before, recorder = config.watch, _Recorder()
        config.watch = recorder
        try:
            case.call(case.cast(dtype))
        finally:
            config.watch = before
        for operator, arrays, out in recorder.seen:
            _trace(operator, arrays, out)


def _trace(operator: Any, arrays: Any, out: Any) -> None:
    if operator.contract is None:
        raise Skip(f"{operator.name} has a static forward, which works on arrays alone")
    try:
        foretold = operator.forward(spec.speaker, *spec.spec_of(list(arrays)))
    except GraphError as error:
        raise Skip(f"{operator.name} depends on values: {error.what}") from None
    if not isinstance(foretold, spec.Spec):
        return  # a word that gives several arrays
    real = tuple(out.shape), out.dtype
    if (foretold.shape, foretold.dtype) != real:
        what = f"tracing {operator!r} foretells another result"
        raise LawError(what, got=foretold, expected=f"{real[1]} {real[0]}")


def like_torch(case: Case) -> Figures:
    """PyTorch gives the same values and gradients, where it has a function of this name."""
    expected, slopes = torch_reference.evaluate(case, names_of(case.function))
    figures = {"PyTorch's value": 0.0}
    pairs = list(zip(case.outputs, expected, strict=True))
    for out, value in pairs:
        assert_close(out, value, 1e-7, 1e-9, check_dtype=True, what="PyTorch's value")
    figures["PyTorch's value"] = max((_relative(*pair) for pair in pairs), default=0.0)
    if slopes is None:
        return figures
    pairs = list(zip(_gradients(case)[2], slopes, strict=True))
    for found, slope in pairs:
        assert_close(found, slope, 1e-7, 1e-9, what="PyTorch's gradient")
    figures["PyTorch's gradient"] = max((_relative(*pair) for pair in pairs), default=0.0)
    return figures


def like_torch_single(case: Case) -> None:
    """The same in float32."""
    expected, slopes = torch_reference.evaluate(case, names_of(case.function), "float32")
    for out, value in zip(listed(case.call(case.cast("float32"))), expected, strict=True):
        _alike(out, value, "PyTorch's value in float32")
    if slopes is None:
        return
    inputs, outputs = case.tracked(case.cast("float32"))
    total = case.weighted(outputs)
    found: Any = grad(total, inputs, allow_unused=True) if total is not None else slopes
    for got, slope in zip(found, slopes, strict=True):
        _alike(slope * 0 if got is None else got, slope, "PyTorch's gradient in float32")


def _alike(got: Any, expected: Any, what: str) -> None:
    size = float(np.abs(np.nan_to_num(as_array(expected))).max(initial=0.0))
    assert_close(got, expected, 1e-4, 1e-4 * (1 + size), check_dtype=True, what=what)


LAWS: tuple[Callable[[Case], Figures | None], ...] = (
    gradient,
    second_order,
    forward_mode,
    gradients_fit,
    inputs_unchanged,
    single_precision,
    layout,
    traced,
    like_torch,
    like_torch_single,
)


# --- what the laws share -----------------------------------------------------------------------
def _demand_double(case: Case) -> None:
    if any(dtypes.is_floating(out.dtype) and out.dtype != "float64" for out in case.outputs):
        raise Skip("differences of less than double precision say nothing")


def _gradients(case: Case) -> tuple[list[int], list[Any], list[Any]]:
    """Places, directions and gradients there, as arrays; zero where nothing flows."""
    inputs, outputs = case.tracked(case.arrays)
    total = case.weighted(outputs)
    if total is None:
        raise Skip("no gradient")
    found = grad(total, inputs, allow_unused=True)
    arrays = [
        np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(inputs, found, strict=True)
    ]
    return case.places, case.directions, arrays


def _value(case: Case, arrays: Any) -> float:
    """``Σ weights · outputs``."""
    total = case.weighted(case.tracked(arrays)[1])
    return 0.0 if total is None else total.item()  # type: ignore[no-any-return]


def _recorded(case: Case) -> tuple[list[Tensor], Any]:
    """The inputs, and the gradients there with a history of their own."""
    inputs, outputs = case.tracked(case.arrays)
    total = case.weighted(outputs)
    if total is None:
        raise Skip("no gradient")
    first = _of_second_order(lambda: grad(total, inputs, create_graph=True, allow_unused=True))
    for found, plain in zip(first, _gradients(case)[2], strict=True):
        if found is not None:
            assert_close(found, plain, 1e-9, 1e-9, what="the gradient under create_graph")
    return inputs, first


def _of_second_order(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except GraphError as error:
        if "no second derivative" in error.what:
            raise Skip("first order only") from None
        raise


def _along(gradients: Any, directions: Any) -> Any:
    """``Σ direction · gradient``, a Tensor; None where nothing flows."""
    total: Any = None
    for found, direction in zip(gradients, directions, strict=True):
        if found is not None:
            part = (found * Tensor(direction, requires_grad=False)).sum()
            total = part if total is None else total + part
    return total


def _slope(case: Case, arrays: Any) -> float:
    """The derivative of the weighted outputs along all directions."""
    inputs, outputs = case.tracked(arrays)
    total: Any = case.weighted(outputs)
    slope = _along(grad(total, inputs, allow_unused=True), case.directions)
    return 0.0 if slope is None else slope.item()  # type: ignore[no-any-return]


def _gap(got: Any, expected: Any) -> float:
    """The largest distance of two arrays, where both are finite."""
    with np.errstate(all="ignore"):
        gap = np.abs(np.asarray(got, "float64") - np.asarray(expected, "float64"))
    return float(np.nan_to_num(gap, posinf=0.0).max(initial=0.0))


def _relative(got: Any, expected: Any) -> float:
    """The largest relative error, sizes below 1 counted as 1."""
    expected = np.asarray(as_array(expected), "float64")
    size = np.maximum(np.abs(np.nan_to_num(expected, posinf=1.0, neginf=1.0)), 1.0)
    return _gap(np.asarray(as_array(got), "float64") / size, expected / size)


def _agree(
    law: str,
    got: float,
    expected: float,
    size: float,
    where: str,
) -> float:
    """The error relative to the size of the terms."""
    if got != got and expected != expected:
        return 0.0
    if abs(got - expected) <= PRECISION * (1 + size):
        return abs(got - expected) / (1 + size)
    raise LawError(
        f"{law}: wrong along a random direction",
        got=f"{got:.9g}",
        expected=f"{expected:.9g} by central differences",
        where=where,
    )


# --- the front door ----------------------------------------------------------------------------
class Report:
    """What :func:`check_operator` found.

    Attributes:
        name: the operator.
        counts: law → number of samples it was tried on.
        skipped: ``(law, sample, reason)`` of what could not be tried.
        worst: the largest error met with: of the gradient, in second order, in forward mode, and
            beside PyTorch's value and gradient.
        failures: ``(law, sample, error)``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: dict[str, int] = {}
        self.worst: Figures = {}
        self.skipped: list[tuple[str, str, str]] = []
        self.failures: list[tuple[str, str, Exception]] = []

    def __bool__(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        kept = ", ".join(f"{law} × {n}" for law, n in self.counts.items())
        lines = [f"{self.name}: {kept or 'nothing tried'}"]
        lines += [f"  skipped {law} {sample}: {reason}" for law, sample, reason in self.skipped]
        lines += [f"  BROKEN {law} {sample}: {error}" for law, sample, error in self.failures]
        return "\n".join(lines)

    __repr__ = __str__


def check_operator(
    function: Any,
    samples: Sequence[Sample] | None = None,
    seed: int = 0,
    raise_exception: bool = True,
) -> Report:
    """Try the laws of operators on one of them: yours, or one of the library's.

    Args:
        function: an operator class, the function it was registered as, or its name.
        samples: the calls to try; by default from the class and its signature
            (see :mod:`deepdive.testing.samples`).
        seed: of the numbers drawn.
        raise_exception: raise at a broken law; otherwise the report says so.

    Raises:
        LawError: naming the law, the call, and both numbers.

    >>> import deepdive as dd
    >>> class Cube(dd.Operator):
    ...     def forward(self, xp, x):
    ...         return x * x * x
    ...
    ...     def backward(self, xp, grad, x):
    ...         return 3 * grad * x * x
    >>> bool(check_operator(Cube))
    True
    """
    function = public(function)
    names = names_of(function)
    report = Report(names[0] if names else getattr(function, "__name__", "operator"))
    samples = samples_of(function, seed) if samples is None else samples
    state = random.get_rng_state()
    try:
        for sample in samples:
            _try_laws(function, sample, seed, report)
    finally:
        random.set_rng_state(state)
    if not report.counts and not report.failures:
        report.failures.append(("samples", "", LawError("every sample call was refused")))
    if raise_exception and report.failures:
        law, sample_text, error = report.failures[0]
        what = f"{report.name} breaks the law {law!r} at {report.name}{sample_text}"
        raise LawError(what, got=str(error)) from error
    return report


def _try_laws(function: Any, sample: Sample, seed: int, report: Report) -> None:
    text = str(sample)
    try:
        case = Case(function, sample, seed)
    except Exception as error:
        if sample.optional and isinstance(error, DeepDiveError):
            report.skipped.append(("call", text, error.what))
        else:
            report.failures.append(("call", text, error))
        return
    for law in LAWS:
        name = law.__name__
        try:
            for what, figure in (law(case) or {}).items():
                report.worst[what] = max(figure, report.worst.get(what, 0.0))
            report.counts[name] = report.counts.get(name, 0) + 1
        except Skip as reason:
            report.skipped.append((name, text, str(reason)))
        except Exception as error:
            report.failures.append((name, text, error))

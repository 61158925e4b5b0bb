"""Losses that are the negative logarithm of a density, and CTC's sum over alignments."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor, asked, data_of
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.elementwise import Where
from deepdive.ops.loss import reduced
from deepdive.ops.shape import Cat

NEVER = -1e30  # the logarithm of 0 while summing: minus infinity has no usable slope


@derive("poisson_nll_loss", method=False)
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """``e^x - y x`` for counts y with the logarithm x of their expectation.

    Args:
        log_input: False if x is the expectation itself: ``x - y log(x + ε)``.
        full: whether to add Stirling's ``log y! ≈ y log y - y + log(2πy)/2`` where y > 1.
    """
    target = creation.beside(input, target)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        many = target > 1  # type: ignore[operator]
        safe: Any = Where()(many, target, 1.0)
        stirling = safe * safe.log() - safe
        stirling = stirling + 0.5 * (2 * math.pi * safe).log()
        loss = loss + Where()(many, stirling, 0.0)
    return reduced(loss, reduction)


@derive("gaussian_nll_loss", method=False)
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """``(log σ² + (x - y)² / σ²) / 2`` with σ² = max(var, ε) (Nix & Weigend 1994).

    `var` has the shape of the input, or lacks its last axis, or has it with extent 1, or is a
    number.  The bound ε has no part in the gradient.

    Raises:
        ArgumentError: for a negative variance.
        ShapeError: for a variance of another shape.
    """
    if isinstance(var, (int, float)):
        var = creation.full(tuple(input.shape), float(var), dtype=input.dtype, device=input.device)
    shape, given = tuple(input.shape), tuple(var.shape)
    if given == shape[:-1] and given != shape:
        var = var.unsqueeze(-1)
    elif given != shape and given != (*shape[:-1], 1):
        raise ShapeError(
            f"gaussian_nll_loss: input is {shape}, var is {given}",
            expected=f"{shape}, {(*shape[:-1], 1)} or {shape[:-1]}",
        )
    known = data_of(var)
    asked(known, _check_variance, now=False)
    var = var + (var.detach().clamp(min=eps) - var.detach())
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def _check_variance(values: Any) -> None:
    if values.size and values.min() < 0:
        raise ArgumentError(
            "gaussian_nll_loss: a variance is not negative", got=float(values.min())
        )


# --- connectionist temporal classification -----------------------------------------------------
@derive("ctc_loss", method=False)
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """``-log Σ Π_t p_t`` over all ways to spell the targets in time (Graves et al. 2006, eq. 14).

    Args:
        log_probs: (T, B, C), or (T, C) for a single sequence.
        targets: class numbers without the blank, (B, S) padded or all in one row.
        input_lengths, target_lengths: (B,), how much of each counts.
        reduction: ``"mean"`` divides each loss by its target's length first.
        zero_infinity: 0 in place of the ∞ of targets that do not fit into their time.

    Raises:
        ShapeError: for shapes that do not fit.
        ArgumentError: for a blank that is no class, or lengths beyond the data.
    """
    single = log_probs.ndim == 2
    logs = log_probs.unsqueeze(1) if single else log_probs
    T, B, C = logs.shape
    if not 0 <= blank < C:
        raise ArgumentError("ctc_loss: blank is a class", got=blank, expected=f"0 to {C - 1}")
    given = (targets, input_lengths, target_lengths)
    rows, times, sizes = (creation.as_tensor(x, device=logs.device) for x in given)
    times = _lengths("input_lengths", times, B, T)
    sizes = _lengths("target_lengths", sizes, B, None)
    labels = _labels(rows, sizes, B)  # (B, S)
    loss = -_log_of_all_ways(logs, labels, times, sizes, blank)  # (B,)
    impossible = loss > -0.1 * NEVER
    loss = Where()(impossible, 0.0 if zero_infinity else math.inf, loss)
    if reduction == "mean":
        return (loss / sizes.clamp(min=1)).mean()  # type: ignore[no-any-return]
    return reduced(loss[0] if single else loss, reduction)  # type: ignore[index]


def _lengths(name: str, given: Any, B: int, most: int | None) -> Any:
    lengths = given.reshape(-1).long()
    if tuple(lengths.shape) != (B,):
        raise ShapeError(f"ctc_loss: {name} is {tuple(lengths.shape)}", expected=f"({B},)")

    def check(values: Any) -> None:
        if values.size and (values.min() < 0 or (most is not None and values.max() > most)):
            raise ArgumentError(
                f"ctc_loss: {name} go beyond the data", got=values.tolist(), expected=f"≤ {most}"
            )

    asked(data_of(lengths), check)
    return lengths


def _labels(targets: Any, sizes: Any, B: int) -> Any:
    """The targets as (B, S), also where they came in one row."""
    if targets.ndim == 2:
        return targets.long()
    if B == 1:
        return targets.long().reshape(1, -1)
    longest = asked(data_of(sizes), lambda values: int(values.max(initial=0)))
    S = targets.shape[0] if longest is None else longest
    first = sizes.cumsum(0) - sizes
    places = first.unsqueeze(1) + creation.arange(S, device=targets.device)  # (B, S)
    return targets.long()[places.clamp(max=max(targets.shape[0] - 1, 0))]


def _log_of_all_ways(logs: Any, labels: Any, times: Any, sizes: Any, blank: int) -> Any:
    """The forward variable α of the paper, over the labels with blanks between: (B, 2S + 1)."""
    T, B, _ = logs.shape
    spelled = _with_blanks(labels, blank)  # b l₁ b l₂ … b
    width = spelled.shape[1]
    places = creation.arange(width, device=logs.device)
    ends = 2 * sizes.unsqueeze(1)
    labelled = spelled != blank
    new = spelled != _later(spelled, 2, -1)
    skips = labelled * new  # the blank before these may be left out
    index = spelled.unsqueeze(0)
    index = index.expand(T, B, width)
    emitted = logs.gather(2, index).clamp(min=NEVER)
    never = creation.full((), NEVER, dtype=logs.dtype, device=logs.device)
    begins = (places < 2) * (places <= ends)
    alpha: Any = Where()(begins, emitted[0], never)
    for t in range(1, T):
        one, two = _later(alpha, 1, NEVER), _later(alpha, 2, NEVER)
        two = Where()(skips, two, never)
        reached = alpha.logaddexp(one).logaddexp(two)
        reached = (reached + emitted[t]).clamp(min=NEVER)
        going = (times > t).unsqueeze(1)
        alpha = Where()(going, reached, alpha)
    finished = (places == ends) + (places == ends - 1)
    last: Any = Where()(finished, alpha, never)
    return last.logsumexp(1)


def _with_blanks(labels: Any, blank: int) -> Any:
    """(B, S) → (B, 2S + 1): a blank before, between and after all labels."""
    B, S = labels.shape
    blanks = creation.full((B, S + 1, 1), blank, dtype="int64", device=labels.device)
    behind = Cat(1)(labels, blanks[:, :1, 0])  # type: ignore[index]
    pairs: Any = Cat(2)(blanks, behind.unsqueeze(2))  # type: ignore[attr-defined]
    return pairs.reshape(B, 2 * S + 2)[:, :-1]


def _later(x: Any, by: int, filling: Any) -> Any:
    """x (B, N) moved `by` places along the row."""
    kept = x[:, : max(x.shape[1] - by, 0)]
    width = min(by, x.shape[1])
    fill = creation.full((x.shape[0], width), filling, dtype=x.dtype, device=x.device)
    return Cat(1)(fill, kept)

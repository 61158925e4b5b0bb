"""Losses: how far a prediction is from what it should be.

Methods ``x.mse(y)`` and ``x.mae(y)`` are elementwise; functions ending in ``_loss`` reduce, by
default to the mean, as PyTorch's do.
"""

from __future__ import annotations

import warnings
from typing import Any

from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor, asked, data_of, wrap
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.activation import LogSigmoid, LogSoftmax
from deepdive.ops.creation import beside
from deepdive.ops.embedding import check_range, indices
from deepdive.ops.indexing import Gather
from deepdive.ops.loss_counted import SoftmaxPickedCounted

TINY = 1e-45  # its logarithm is below -100, where that of PyTorch's cross-entropy stops


def reduced(loss: Any, reduction: str) -> Tensor:
    """The elementwise `loss` as it is, its mean, or its sum.

    Raises:
        ArgumentError: for another `reduction` than ``"none"``, ``"mean"`` and ``"sum"``.
    """
    if reduction == "mean":
        return loss.mean()  # type: ignore[no-any-return]
    if reduction == "sum":
        return loss.sum()  # type: ignore[no-any-return]
    if reduction == "none":
        return loss  # type: ignore[no-any-return]
    raise ArgumentError(
        f"loss: unknown reduction {reduction!r}", expected="'mean', 'sum' or 'none'"
    )


def _weighted(loss: Any, weight: Any, reduction: str) -> Tensor:
    """:func:`reduced` with a weight for each element; the mean is that over the weights.

    Raises:
        ShapeError: unless there is one weight for each element.
    """
    if weight is None:
        return reduced(loss, reduction)
    weight = beside(loss, weight)
    if weight.shape != loss.shape:
        raise ShapeError(
            f"loss: weight is {tuple(weight.shape)}", expected=f"{tuple(loss.shape)}, the input's"
        )
    if reduction == "mean":
        return (loss * weight).sum() / weight.sum()  # type: ignore[no-any-return]
    return reduced(loss * weight, reduction)


def _same_shape(name: str, input: Any, target: Any) -> None:
    shapes = tuple(getattr(input, "shape", ())), tuple(getattr(target, "shape", ()))
    if shapes[0] != shapes[1]:
        warnings.warn(
            f"{name}: input is {shapes[0]} and target is {shapes[1]}; they will be broadcast, "
            "which is rarely what a loss should do",
            stacklevel=3,
        )


# --- distances ---------------------------------------------------------------------------------
@register("mse")
class Mse(Operator):
    """``(x - y)²``, elementwise."""

    promotes = "float"

    def forward(self, xp, x, y):
        difference = x - y
        return difference * difference

    def backward(self, xp, grad, x, y, needs):
        dx = (x - y) * (2 * grad)
        return dx, -dx if needs[1] else None


@register("mae")
class Mae(Operator):
    """``|x - y|``, elementwise; its slope at 0 is taken as 0."""

    promotes = "float"

    def forward(self, xp, x, y):
        return xp.abs(x - y)

    def backward(self, xp, grad, x, y, needs):
        dx = grad * xp.sign(x - y)
        return dx, -dx if needs[1] else None


class Huber(Operator):
    """``d²/2`` where ``|d| ≤ δ``, ``δ (|d| - δ/2)`` further out, with d = x - y (Huber 1964)."""

    promotes = "float"
    delta: float = 1.0

    def forward(self, xp, x, y):
        difference = x - y
        near = xp.clip(difference, -self.delta, self.delta)
        return near * (difference - 0.5 * near)

    def backward(self, xp, grad, x, y, needs):
        dx = grad * xp.clip(x - y, -self.delta, self.delta)
        return dx, -dx if needs[1] else None


@derive("mse_loss", method=False)
def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """``(input - target)²``, reduced; `weight` has the input's shape.

    >>> import deepdive as dd
    >>> mse_loss(dd.tensor([1.0, 3.0]), dd.tensor([1.0, 1.0]))
    tensor(2.)
    """
    _same_shape("mse_loss", input, target)
    return _weighted(Mse()(input, target), weight, reduction)


@derive("l1_loss", method=False)
def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """``|input - target|``, reduced; `weight` has the input's shape."""
    _same_shape("l1_loss", input, target)
    return _weighted(Mae()(input, target), weight, reduction)


@derive("huber_loss", method=False)
def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """``d²/2`` where ``|d| ≤ δ``, ``δ (|d| - δ/2)`` further out; reduced."""
    _positive("huber_loss: delta", delta)
    _same_shape("huber_loss", input, target)
    loss: Any = Huber(float(delta))(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)  # as in PyTorch


@derive("smooth_l1_loss", method=False)
def smooth_l1_loss(
    input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """``d²/2β`` where ``|d| ≤ β``, ``|d| - β/2`` further out; reduced."""
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    _positive("smooth_l1_loss: beta", beta)
    _same_shape("smooth_l1_loss", input, target)
    loss: Any = Huber(float(beta))(input, target)
    return reduced(loss / beta, reduction)


def _positive(what: str, number: float) -> None:
    if not number > 0:
        raise ArgumentError(f"{what} must be positive", got=number)


# --- classes -----------------------------------------------------------------------------------
class PickedMean(Operator):
    """``-mean_i x[i, target_i]`` for log-probabilities x (B, C) and class numbers (B,)."""

    def forward(self, xp, x, target):
        return -xp.mean(xp.getitem(x, (xp.arange(x.shape[0]), target)))

    def backward(self, xp, grad, target, x_shape):
        rows = xp.arange(x_shape[0])
        zeros = xp.zeros(x_shape, grad.dtype)
        return xp.setitem(zeros, (rows, target), grad * (-1 / x_shape[0]))


class SoftmaxPickedMean(Operator):
    """``-mean_i log_softmax(x)[i, target_i]`` for logits x (B, C) and class numbers (B,)."""

    def forward(self, xp, x, target):
        rows = xp.arange(x.shape[0])
        shifted = x - xp.max(x, axis=1, keepdims=True)
        share = xp.exp(shifted)
        total = xp.sum(share, axis=1, keepdims=True)
        share /= total
        self.keep(share=share, rows=rows)
        return xp.mean(xp.log(total)) - xp.mean(xp.getitem(shifted, (rows, target)))

    def backward(self, xp, grad, target, share, rows):
        place = (rows, target)
        dx = xp.setitem(share, place, xp.getitem(share, place) - 1)
        dx *= grad * (1 / share.shape[0])
        return dx


@derive("nll_loss", method=False)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """``-w[target] · input[target]`` for log-probabilities (B, C, …) and class numbers (B, …).

    The mean is that over the weights: ``Σ w[target] · loss / Σ w[target]``.

    Args:
        weight: a weight for each class, (C,).
        ignore_index: targets of this number do not count.

    Raises:
        DTypeError: for targets that are no integers (any width will do).
        ShapeError: for shapes that do not fit, and class numbers outside [0, C).

    >>> import deepdive as dd
    >>> nll_loss(dd.tensor([[-0.5, -2.0]]), dd.tensor([1]))
    tensor(2.)
    """
    classes, ignores = _classes("nll_loss", input, target, ignore_index)
    if input.ndim == 2 and weight is None and reduction == "mean" and not ignores:
        return PickedMean()(input, classes)
    return _picked(input, classes, weight, ignore_index, reduction)


def _classes(name: str, input: Any, target: Any, ignore_index: int) -> tuple[Tensor, bool]:
    """The checked class numbers, and whether some of them are `ignore_index`."""
    shape = tuple(input.shape)
    dim = min(1, len(shape) - 1)
    expected = shape[:dim] + shape[dim + 1 :]
    target = beside(input, target)
    if target.shape != expected:
        squeezed = tuple(target.shape) == (*expected, 1)
        raise ShapeError(
            f"{name}: input is {shape} and target is {tuple(target.shape)}",
            expected=f"one class number per sample: {expected}",
            fix="target.squeeze(-1)" if squeezed else None,
        )
    array = data_of(target)
    if array.dtype.kind not in "iu":
        indices(name, target, shape[dim], "classes")  # refuses them

    def ignores(values: Any) -> bool:
        flags = getattr(values, "flags", None)  # NumPy's alone
        if values.dtype == "int64" and flags and flags.c_contiguous and values.size:
            if values.view("uint64").max() < shape[dim] and ignore_index < 0:
                return False  # seen as unsigned, negative numbers are large: one look is enough
        if ignore_index < 0 and not (values.size and values.min() < 0):
            check_range(name, values, shape[dim], "classes")
            return False
        ignored = values == ignore_index
        check_range(name, values[~ignored], shape[dim], "classes")
        return bool(ignored.any())

    return wrap(array), asked(array, ignores, now=False) is not False


def _picked(input: Any, classes: Any, weight: Any, ignore_index: int, reduction: str) -> Tensor:
    """:func:`nll_loss` with all its parameters: gather, weigh, reduce."""
    dim = min(1, input.ndim - 1)
    counts = classes != ignore_index
    safe = classes * counts  # 0 for the ignored, which then weigh nothing
    weights = counts.to(input.dtype) if weight is None else beside(input, weight)[safe] * counts
    chosen: Any = Gather(dim)(input, safe.long().unsqueeze(dim))
    loss = -chosen.squeeze(dim) * weights
    if reduction == "mean":
        return loss.sum() / weights.sum()  # type: ignore[no-any-return]
    return reduced(loss, reduction)


@derive("cross_entropy", method=False)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``-log softmax(input)[target]`` for logits (B, C, …) and class numbers (B, …).

    A floating target of the shape of `input` has the probability of each class instead:
    ``-Σ_c target_c · log softmax(input)_c``.

    Args:
        weight: a weight for each class, (C,); the mean is that over the weights.
        ignore_index: targets of this number do not count.
        label_smoothing: this share of the target is spread evenly over all classes.

    Raises:
        DTypeError: for class numbers in floats.
        ShapeError: for shapes that do not fit, and class numbers outside [0, C).

    >>> import deepdive as dd
    >>> cross_entropy(dd.tensor([[0.0, 0.0]]), dd.tensor([1]))
    tensor(0.6931)
    """
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError("cross_entropy: label_smoothing is a share", got=label_smoothing)
    target = beside(input, target)
    dim = min(1, input.ndim - 1)
    if target.is_floating_point() and target.shape == input.shape:
        logs = LogSoftmax(dim)(input)
        return _against_shares(logs, target, weight, reduction, label_smoothing)
    classes, ignores = _classes("cross_entropy", input, target, ignore_index)
    plain = weight is None and reduction == "mean" and not label_smoothing
    if plain and input.ndim == 2:
        operator = SoftmaxPickedCounted(ignore_index) if ignores else SoftmaxPickedMean()
        return operator(input, classes)
    logs = LogSoftmax(dim)(input)
    loss = _picked(logs, classes, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    even = _evenly(logs, classes, weight, ignore_index, reduction)
    return loss * (1 - label_smoothing) + even * label_smoothing  # type: ignore[operator]


def _columns(weight: Any, logs: Any) -> Any:
    """The weights of the classes, shaped to broadcast along the other axes of `logs`."""
    return beside(logs, weight).reshape((-1, *(1 for _ in logs.shape[2:])))


def _against_shares(
    logs: Any, target: Any, weight: Any, reduction: str, smoothing: float
) -> Tensor:
    dim = min(1, logs.ndim - 1)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / logs.shape[dim]
    terms = logs * target if weight is None else logs * target * _columns(weight, logs)
    return reduced(-terms.sum(dim), reduction)


def _evenly(logs: Any, classes: Any, weight: Any, ignore_index: int, reduction: str) -> Tensor:
    """The cross-entropy with a target that spreads evenly over all classes."""
    dim = min(1, logs.ndim - 1)
    counts = classes != ignore_index
    terms = logs if weight is None else logs * _columns(weight, logs)
    loss = -terms.mean(dim) * counts
    if reduction != "mean":
        return reduced(loss, reduction)
    weights = counts.to(logs.dtype)
    if weight is not None:
        weights = beside(logs, weight)[classes * counts] * counts
    return loss.sum() / weights.sum()  # type: ignore[no-any-return]


@derive("softmax_loss", method=False)
def softmax_loss(logits: Any, one_hot: Any) -> Tensor:
    """The mean of ``log Σ e^z - Σ y·z`` for logits z (B, C) and one-hot rows y (B, C)."""
    rows: Any = beside(logits, one_hot)
    return cross_entropy(logits, rows.to(logits.dtype))


# --- probabilities -----------------------------------------------------------------------------
class BinaryCrossEntropy(Operator):
    """``-(y log x + (1 - y) log(1 - x))``, both logarithms cut off at -100 as in PyTorch."""

    def forward(self, xp, x, y):
        yes = xp.clip(xp.log(xp.clip(x, TINY)), -100.0)
        no = xp.clip(xp.log(xp.clip(1 - x, TINY)), -100.0)
        return -(y * yes + (1 - y) * no)

    def backward(self, xp, grad, x, y, needs):
        dx = dy = None
        if needs[0]:
            dx = grad * (x - y) / xp.clip(x * (1 - x), 1e-12)
        if needs[1]:
            dy = grad * (xp.log(xp.clip(1 - x, TINY)) - xp.log(xp.clip(x, TINY)))
        return dx, dy


class LogitsBinaryCrossEntropy(Operator):
    """``max(x, 0) - x·y + log(1 + e^-|x|)``: the above for ``σ(x)``, from x itself."""

    promotes = "float"

    def forward(self, xp, x, y):
        return xp.maximum(x, 0) - x * y + xp.log1p(xp.exp(-xp.abs(x)))

    def backward(self, xp, grad, x, y, needs):
        dx = grad * (xp.sigmoid(x) - y) if needs[0] else None
        return dx, -grad * x if needs[1] else None


def _like_input(name: str, input: Any, target: Any) -> Any:
    target = beside(input, target)
    if target.shape != input.shape:
        raise ShapeError(
            f"{name}: input is {tuple(input.shape)} and target is {tuple(target.shape)}",
            expected="equal shapes",
            fix=f"target.reshape({tuple(input.shape)})"
            if target.numel() == input.numel()
            else None,
        )
    return target.to(input.dtype)  # type: ignore[attr-defined]


def _check_probabilities(values: Any) -> None:
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ArgumentError(
            "binary_cross_entropy: the input has probabilities",
            got=f"values from {float(values.min()):.4g} to {float(values.max()):.4g}",
            expected="0 <= input <= 1",
            fix="binary_cross_entropy_with_logits, which takes any numbers",
        )


@derive("binary_cross_entropy", method=False)
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """``-(y log x + (1 - y) log(1 - x))`` for probabilities x and targets y in [0, 1].

    Raises:
        ShapeError: unless both have one shape.
        ArgumentError: for an x outside [0, 1].
    """
    target = _like_input("binary_cross_entropy", input, target)
    asked(data_of(input), _check_probabilities, now=False)
    loss: Any = BinaryCrossEntropy()(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


@derive("binary_cross_entropy_with_logits", method=False)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """:func:`binary_cross_entropy` of ``σ(input)``, stable for any number.

    Args:
        weight: multiplies the loss of each element.
        pos_weight: multiplies the part of the positive answers, ``y log σ(x)``.
    """
    target = _like_input("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss: Any = LogitsBinaryCrossEntropy()(input, target)
    else:
        share = 1 + (beside(input, pos_weight) - 1) * target  # type: ignore[operator]
        loss = (1 - target) * input - share * LogSigmoid()(input)
    return reduced(loss if weight is None else loss * weight, reduction)


@derive("kl_div", method=False)
def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """``t (log t - input)`` for log-probabilities `input` and probabilities t, reduced.

    ``"batchmean"`` divides the sum by the first extent: the divergence as mathematics has it.
    """
    _same_shape("kl_div", input, target)
    target = beside(input, target)
    if log_target:
        loss = target.exp() * (target - input)
    else:  # 0 log 0 = 0
        loss = target * ((target + (target == 0)).log() - input)
    if reduction == "batchmean":
        return loss.sum() / input.shape[0]  # type: ignore[no-any-return]
    return reduced(loss, reduction)

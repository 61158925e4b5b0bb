"""Losses that want a margin: right answers ahead of wrong ones, like things nearer than others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.activation import LogSigmoid, Relu, Softplus
from deepdive.ops.elementwise import Where
from deepdive.ops.embedding import indices
from deepdive.ops.loss import reduced
from deepdive.ops.similarity import pairwise_distance


def _hinge(x: Any) -> Any:
    """``max(x, 0)``."""
    return Relu()(x)


# --- signs: +1 for like or in front, -1 for unlike or behind ------------------------------------
@derive("margin_ranking_loss", method=False)
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """``max(0, -y (x₁ - x₂) + margin)``: x₁ is ahead where y = 1, behind where y = -1."""
    return reduced(_hinge((input2 - input1) * target + margin), reduction)


@derive("hinge_embedding_loss", method=False)
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """The distance x itself where y = 1, ``max(0, margin - x)`` where y = -1."""
    target = creation.beside(input, target)
    near = Where()(target != -1, input, 0.0)
    far = Where()(target != 1, _hinge(margin - input), 0.0)
    return reduced(near + far, reduction)  # type: ignore[operator]


@derive("cosine_embedding_loss", method=False)
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """``1 - cos(x₁, x₂)`` where y = 1, ``max(0, cos(x₁, x₂) - margin)`` where y = -1.

    x₁ and x₂ are (B, D) with y (B,), or (D,) with a single y.
    """
    target = creation.beside(input1, target)
    if input1.ndim != target.ndim + 1:
        raise ShapeError(
            f"cosine_embedding_loss: inputs {tuple(input1.shape)}, target {tuple(target.shape)}",
            expected="(B, D) and (B,), or (D,) and ()",
        )
    tiny = 1e-12  # added to the squared lengths, as in PyTorch
    sizes = ((input1 * input1).sum(-1) + tiny) * ((input2 * input2).sum(-1) + tiny)
    cosine = (input1 * input2).sum(-1) / sizes.sqrt()
    unlike = Where()(target == -1, _hinge(cosine - margin), 0.0)
    return reduced(Where()(target == 1, 1 - cosine, unlike), reduction)


@derive("soft_margin_loss", method=False)
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """``log(1 + e^(-y x))`` for y of 1 and -1."""
    sign: Any = creation.beside(input, target)
    return reduced(Softplus(1.0, 1e30)(-sign * input), reduction)


# --- classes -----------------------------------------------------------------------------------
@derive("multi_margin_loss", method=False)
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ_{j≠y} w_y max(0, margin - x_y + x_j)^p / C`` for scores x (B, C) and classes y (B,).

    Raises:
        ArgumentError: for another p than 1 and 2.
    """
    if p not in (1, 2):
        raise ArgumentError("multi_margin_loss: p is 1 or 2", got=p)
    if margin < 0:
        raise ArgumentError("multi_margin_loss: margin is 0 or more", got=margin)
    single = input.ndim == 1
    scores = input.unsqueeze(0) if single else input  # (B, C)
    C = scores.shape[1]
    numbers: Any = wrap(indices("multi_margin_loss", target, C, "classes"))
    classes = numbers.reshape(-1, 1)
    gaps = _hinge(scores - scores.gather(1, classes) + margin)
    gaps = gaps if p == 1 else gaps * gaps
    if weight is not None:
        gaps = gaps * creation.beside(input, weight)[classes]  # type: ignore[index]
    others = creation.arange(C, device=input.device) != classes
    loss = (gaps * others).sum(1) / C
    return reduced(loss[0] if single else loss, reduction)


@derive("multilabel_margin_loss", method=False)
def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """``Σ_{j,i} max(0, 1 - x_{y_j} + x_i) / C`` over right classes y_j and wrong ones i.

    x is (B, C) or (C,), and so is `target`, which lists right classes up to the first -1.
    """
    shape = tuple(input.shape)
    target = creation.beside(input, target)
    if tuple(target.shape) != shape:
        raise ShapeError(
            f"multilabel_margin_loss: input is {shape}, target {tuple(target.shape)}",
            expected="equal shapes: a row of class numbers, then -1",
        )
    C = shape[-1]
    listed = wrap(indices("multilabel_margin_loss", target, C, "classes", low=-1))
    counts = ((listed < 0).long().cumsum(-1) == 0).reshape(-1, C)  # type: ignore[operator]
    labels = listed.reshape(-1, C) * counts  # type: ignore[attr-defined]
    scores = input.reshape(-1, C)
    places = creation.arange(C, device=input.device)
    right = ((labels.unsqueeze(-1) == places) * counts.unsqueeze(-1)).any(1)  # (B, C)
    chosen = scores.gather(1, labels)  # (B, C): the scores of the listed classes
    gaps = _hinge(1 - chosen.unsqueeze(2) + scores.unsqueeze(1))  # (B, listed, all)
    counted = counts.unsqueeze(2) * ~right.unsqueeze(1)
    loss = (gaps * counted).sum((1, 2)) / C
    return reduced(loss.reshape(shape[:-1]), reduction)


@derive("multilabel_soft_margin_loss", method=False)
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """``-Σ_c (y_c log σ(x_c) + (1 - y_c) log σ(-x_c)) / C`` for x and y of 0 and 1, (B, C)."""
    y: Any = creation.beside(input, target)
    loss = -(y * LogSigmoid()(input) + (1 - y) * LogSigmoid()(-input))
    if weight is not None:
        loss = loss * creation.beside(input, weight)
    return reduced(loss.mean(-1), reduction)


# --- three of a kind ---------------------------------------------------------------------------
@derive("triplet_margin_loss", method=False)
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, ‖a - p‖ - ‖a - n‖ + margin)``: the like nearer than the unlike, (B, D) each.

    With `swap` the unlike one is also kept away from the positive (Balntas et al. 2016).
    """

    def distance(x: Any, y: Any) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


@derive("triplet_margin_with_distance_loss", method=False)
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with any distance, :func:`pairwise_distance` unless given."""
    distance = distance_function or pairwise_distance
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    anchor: Any, positive: Any, negative: Any, distance: Any, margin: float, swap: bool, how: str
) -> Tensor:
    if margin <= 0:
        raise ArgumentError("triplet_margin_loss: margin is greater than 0", got=margin)
    far = distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced(_hinge(distance(anchor, positive) - far + margin), how)

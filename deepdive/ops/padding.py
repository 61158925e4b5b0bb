"""pad: a frame around the last axes, constant, reflected, repeated or taken from the other end."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.ops.joining import at
from deepdive.ops.shape import BroadcastTo, Cat, ConstantPad, Flip, Shape

MODES = ("constant", "reflect", "replicate", "circular")


@derive("pad", method=False, word="pad_last_first")
def pad(
    input: Tensor,
    pad: Shape,
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """Padding in PyTorch's order: ``(left, right, top, bottom, …)``, last axis first.

    Negative widths cut away.

    Args:
        mode: ``"constant"`` (`value`, 0 unless given), ``"reflect"`` (the edge not repeated),
            ``"replicate"`` (the edge repeated), ``"circular"`` (from the other end).

    Raises:
        ArgumentError: for another mode, an odd number of widths, or a frame that reaches further
            than what it is made from.

    >>> import deepdive as dd
    >>> x = dd.tensor([[1.0, 2.0, 3.0]])
    >>> pad(x, (1, 2), "reflect"), pad(x, (2, 0), "circular")
    (tensor([[2., 1., 2., 3., 2., 1.]]), tensor([[2., 3., 1., 2., 3.]]))
    """
    x: Any = input
    if mode not in MODES:
        raise ArgumentError("pad: mode", got=repr(mode), expected=", ".join(MODES))
    if len(pad) % 2 or len(pad) // 2 > x.ndim:
        raise ArgumentError(
            "pad: (before, after) for each of the last axes",
            got=tuple(pad),
            expected=f"an even number of at most {2 * x.ndim}",
        )
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    if mode in ("constant", "circular"):
        x = _cut(x, pairs)
    wider = [(max(before, 0), max(after, 0)) for before, after in pairs]
    if mode == "constant" and not any(map(any, wider)):
        return x  # type: ignore[no-any-return]
    if mode == "constant":
        return ConstantPad(tuple(wider), float(value or 0.0))(x)
    frame = {"reflect": _reflected, "replicate": _replicated, "circular": _around}[mode]
    for axis, (before, after) in enumerate(wider):
        if before or after:
            _check_reach(mode, x.shape[axis], max(before, after))
            x = Cat(axis)(*frame(x, axis, before, after))
    return x if mode == "circular" else _cut(x, pairs)  # type: ignore[no-any-return]


def _cut(x: Any, pairs: list[tuple[int, int]]) -> Any:
    """What negative widths leave."""
    if all(width >= 0 for pair in pairs for width in pair):
        return x
    index = []
    for (before, after), n in zip(pairs, x.shape, strict=True):
        index.append(slice(max(-before, 0), n - max(-after, 0)))
    return x[tuple(index)]


def _check_reach(mode: str, n: int, width: int) -> None:
    most = {"reflect": n - 1, "circular": n, "replicate": width if n else 0}[mode]
    if width > most:
        raise ArgumentError(
            f"pad: mode {mode!r} makes at most {most} elements of {n}",
            got=f"a width of {width}",
        )


def _reflected(
    x: Any,
    axis: int,
    before: int,
    after: int,
) -> list[Any]:
    n = x.shape[axis]
    turn = Flip((axis,))
    head = turn(x[at(axis, slice(1, before + 1))])
    tail = turn(x[at(axis, slice(n - 1 - after, n - 1))])
    return [head, x, tail]


def _replicated(
    x: Any,
    axis: int,
    before: int,
    after: int,
) -> list[Any]:
    n = x.shape[axis]
    lead, rest = x.shape[:axis], x.shape[axis + 1 :]
    head = BroadcastTo((*lead, before, *rest))(x[at(axis, slice(0, 1))])
    tail = BroadcastTo((*lead, after, *rest))(x[at(axis, slice(n - 1, n))])
    return [head, x, tail]


def _around(x: Any, axis: int, before: int, after: int) -> list[Any]:
    n = x.shape[axis]
    head = x[at(axis, slice(n - before, n))]
    tail = x[at(axis, slice(0, after))]
    return [head, x, tail]

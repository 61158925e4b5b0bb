"""Sequences of different lengths in one array: padded, or packed step by step as in PyTorch.

A packed sequence holds, for each time step, only the sequences that last so long: with the
longest first, step t has rows 0 … batch_sizes[t] - 1.  The recurrent layers take both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.shape import Cat, Stack


class PackedSequence(NamedTuple):
    """What :func:`pack_padded_sequence` makes.

    Attributes:
        data: (Σ lengths, …), step after step.
        batch_sizes: how many sequences each step has.
        sorted_indices: sequence → place when sorted by length, longest first; None if it was.
        unsorted_indices: the way back.
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of (T, B, …), or (B, T, …), without what stands behind their ends.

    Args:
        lengths: (B,), numbers from 1 to T.
        enforce_sorted: whether they are in descending order already; otherwise they are sorted.

    Raises:
        ArgumentError: for lengths out of range, or out of order.

    >>> import deepdive as dd
    >>> packed = pack_padded_sequence(dd.arange(6).reshape(3, 2), [3, 1])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([0, 1, 2, 4], [2, 1, 1])
    """
    x = input.transpose(0, 1) if batch_first else input
    T, B = x.shape[:2]
    sizes = np.asarray(creation.as_tensor(lengths).numpy(), np.int64).reshape(-1)
    if sizes.shape != (B,) or sizes.min(initial=1) < 1 or sizes.max(initial=1) > T:
        raise ArgumentError(
            "pack_padded_sequence: lengths do not fit the input",
            got=f"{sizes.tolist()} for input {tuple(input.shape)}",
            expected=f"{B} numbers from 1 to {T}",
        )
    order = np.argsort(-sizes, kind="stable")
    if enforce_sorted and (np.diff(sizes) > 0).any():
        raise ArgumentError(
            "pack_padded_sequence: lengths are not in descending order",
            got=sizes.tolist(),
            fix="enforce_sorted=False",
        )
    counts = np.array([(sizes > t).sum() for t in range(int(sizes.max(initial=0)))])
    rows = [order[:count] for count in counts]
    steps = [np.full(count, t) for t, count in enumerate(counts)]
    data = x[np.concatenate(steps), np.concatenate(rows)]
    if enforce_sorted:
        return PackedSequence(data, creation.as_tensor(counts))
    back = np.argsort(order, kind="stable")
    numbers = (creation.as_tensor(n) for n in (counts, order, back))
    return PackedSequence(data, *numbers)


def lengths_of(packed: PackedSequence) -> Any:
    """The lengths of the sequences, in their first order, as an array."""
    counts = np.asarray(packed.batch_sizes.numpy())
    places = np.arange(counts[0] if len(counts) else 0)
    lengths = (counts[:, None] > places).sum(0)
    if packed.unsorted_indices is not None:
        lengths = lengths[packed.unsorted_indices.numpy()]
    return lengths


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The way back: (T, B, …), or (B, T, …), and the lengths (B,).

    Args:
        padding_value: stands behind the ends.
        total_length: T, if more than the longest.
    """
    lengths = lengths_of(sequence)
    longest = int(lengths.max(initial=0))
    T = longest if total_length is None else total_length
    if longest > T:
        raise ArgumentError(
            "pad_packed_sequence: total_length is too short", got=T, expected=f"≥ {longest}"
        )
    counts = np.asarray(sequence.batch_sizes.numpy())
    B = len(lengths)
    order = np.arange(B)
    if sequence.sorted_indices is not None:
        order = np.asarray(sequence.sorted_indices.numpy())
    steps = np.repeat(np.arange(len(counts)), counts)
    rows = np.concatenate([order[:count] for count in counts])
    data = sequence.data
    blank = creation.full((T, B, *data.shape[1:]), padding_value, dtype=data.dtype)
    blank[steps, rows] = data  # type: ignore[index]
    padded: Any = blank
    out = padded.transpose(0, 1) if batch_first else padded
    return out, creation.as_tensor(lengths)


def pad_sequence(
    sequences: Sequence[Any],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Tensors (T_i, …) as one, (T, B, …) or (B, T, …), shorter ones filled up.

    Raises:
        ShapeError: for no sequences, or ones that differ beyond their first axis.

    >>> import deepdive as dd
    >>> pad_sequence([dd.tensor([1, 2]), dd.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not len(sequences):
        raise ShapeError("pad_sequence: there are no sequences")
    if padding_side not in ("left", "right"):
        raise ArgumentError(
            "pad_sequence: unknown side", got=padding_side, expected="'left' or 'right'"
        )
    longest = max(x.shape[0] for x in sequences)
    rows = []
    for x in sequences:
        missing = (longest - x.shape[0], *x.shape[1:])
        filling = creation.full(missing, padding_value, dtype=x.dtype, device=x.device)
        parts = (x, filling) if padding_side == "right" else (filling, x)
        rows.append(Cat(0)(*parts))
    return Stack(0 if batch_first else 1)(*rows)


def unpad_sequence(padded: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The tensors (T_i, …) that :func:`pad_sequence` filled up on the right."""
    rows = padded if batch_first else padded.transpose(0, 1)
    numbers = creation.as_tensor(lengths).tolist()
    return [row[:n] for row, n in zip(rows, numbers, strict=True)]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Tensors (T_i, …), packed."""
    lengths = [x.shape[0] for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, False, enforce_sorted)

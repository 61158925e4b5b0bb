"""Sequences of different lengths in one array: padded, or packed step by step as in PyTorch.

A packed sequence holds, for each time step, only the sequences that last so long: with the
longest first, step t has rows 0 … batch_sizes[t] - 1.  The recurrent layers take both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
    sizes = _numbers(lengths)
    longest = max(sizes, default=0)
    if len(sizes) != B or min(sizes, default=1) < 1 or longest > T:
        raise ArgumentError(
            "pack_padded_sequence: lengths do not fit the input",
            got=f"{sizes} for input {tuple(input.shape)}",
            expected=f"{B} numbers from 1 to {T}",
        )
    order = sorted(range(B), key=lambda i: -sizes[i])
    if enforce_sorted and order != [*range(B)]:
        raise ArgumentError(
            "pack_padded_sequence: lengths are not in descending order",
            got=sizes,
            fix="enforce_sorted=False",
        )
    counts = [sum(size > t for size in sizes) for t in range(longest)]
    data = x[_places(counts, order, x.device)]
    if enforce_sorted:
        return PackedSequence(data, creation.as_tensor(counts))
    back = sorted(range(B), key=lambda i: order[i])
    numbers = (creation.as_tensor(n) for n in (counts, order, back))
    return PackedSequence(data, *numbers)


def _numbers(given: Any) -> list[int]:
    """Tensor, array or list as a list of integers."""
    tensor: Any = creation.as_tensor(given)
    return [int(number) for number in tensor.reshape(-1).tolist()]


def _places(counts: list[int], order: list[int], device: str) -> tuple[Tensor, Tensor]:
    """Step and sequence of each row of a packed sequence."""
    steps = [t for t, count in enumerate(counts) for _ in range(count)]
    rows = [sequence for count in counts for sequence in order[:count]]
    step, row = (creation.as_tensor(n, device=device) for n in (steps, rows))
    return step, row


def lengths_of(packed: PackedSequence) -> list[int]:
    """The lengths of the sequences, in their first order."""
    counts = _numbers(packed.batch_sizes)
    lengths = [sum(count > i for count in counts) for i in range(max(counts, default=0))]
    if packed.unsorted_indices is not None:
        lengths = [lengths[i] for i in _numbers(packed.unsorted_indices)]
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
    longest = max(lengths, default=0)
    T = longest if total_length is None else total_length
    if longest > T:
        raise ArgumentError(
            "pad_packed_sequence: total_length is too short", got=T, expected=f"≥ {longest}"
        )
    B = len(lengths)
    order = [*range(B)]
    if sequence.sorted_indices is not None:
        order = _numbers(sequence.sorted_indices)
    data = sequence.data
    shape = (T, B, *data.shape[1:])
    padded: Any = creation.full(shape, padding_value, dtype=data.dtype, device=data.device)
    padded[_places(_numbers(sequence.batch_sizes), order, data.device)] = data
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

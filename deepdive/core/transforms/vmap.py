"""vmap: a function of one sample becomes a function of a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from deepdive.core.operator import tensor_words
from deepdive.core.tensor import Tensor, wrap
from deepdive.core.transforms import rules, rules_index, rules_matrices, trees
from deepdive.core.transforms.batched import Frame
from deepdive.core.transforms.crossing import enter, leave
from deepdive.errors import ArgumentError, ShapeError

RULES = (rules, rules_index, rules_matrices)  # loaded: the rules enter themselves
POLICIES = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """`func`, written for one sample, for a whole batch of them at once.

    ``vmap(f)(x)[i] = f(x[i])``, computed by one pass through `f` with arrays of all samples.
    Nested calls add axes; inside other transforms and around them it gives what the loop gives.

    Args:
        func: from Tensors (in nested tuples, lists and dicts, too) to Tensors.
        in_dims: the axis of each argument that counts the samples, None for one they share; one
            number for all, or a nesting of them like that of the arguments.
        out_dims: where that axis is put in the results.
        randomness: what random numbers inside are: an ``"error"``, ``"different"`` for every
            sample, or the ``"same"``.
        chunk_size: at most so many samples at a time, to save memory.

    Raises:
        ArgumentError: for `in_dims` that do not fit, an unknown `randomness`.
        ShapeError: if the arguments disagree on the number of samples.
        GraphError: where `func` looks at a value, such as in an ``if``.

    >>> import deepdive as dd
    >>> x, y = dd.tensor([[1.0, 2.0], [3.0, 4.0]]), dd.tensor([10.0, 1.0])
    >>> vmap(lambda a, b: a @ b, in_dims=(0, None))(x, y)
    tensor([12., 34.])
    """
    if randomness not in POLICIES:
        raise ArgumentError(
            "vmap: unknown randomness", got=repr(randomness), expected=" or ".join(POLICIES)
        )
    if chunk_size is not None and chunk_size < 1:
        raise ArgumentError("vmap: chunk_size must be positive", got=chunk_size)

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        dims = _dims(in_dims, args, kwargs)
        values = (args, kwargs)
        size = _size(values, dims)
        if chunk_size is None or size <= chunk_size:
            return _run(func, values, dims, out_dims, Frame(size, randomness))
        outs = []
        for start in range(0, size, chunk_size):
            part = slice(start, min(start + chunk_size, size))
            chunk = trees.mapped(functools.partial(_cut, part), values, dims)
            frame = Frame(part.stop - part.start, randomness)
            outs.append(_run(func, chunk, dims, out_dims, frame))
        return _joined(outs, out_dims)

    return batched


def _run(func: Any, values: Any, dims: Any, out_dims: Any, frame: Frame) -> Any:
    args, kwargs = trees.mapped(functools.partial(_entered, frame), values, dims)
    with frame.inside():
        out = func(*args, **kwargs)
    return trees.mapped(functools.partial(_left, frame), out, _spread_out(out_dims, out))


def _dims(in_dims: Any, args: Any, kwargs: Any) -> Any:
    """A number or None for every argument; arguments by name have their samples first."""
    by_name = trees.mapped(lambda leaf: 0 if isinstance(leaf, Tensor) else None, kwargs)
    if isinstance(in_dims, int):
        in_dims = trees.mapped(lambda leaf: in_dims, args)
    elif isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    return trees.spread(in_dims, args, "vmap: in_dims"), by_name


def _size(values: Any, dims: Any) -> int:
    """The number of samples, on which all arguments agree."""
    sizes: dict[int, str] = {}
    for i, (leaf, dim) in enumerate(zip(trees.leaves(values), trees.leaves(dims), strict=True)):
        if dim is None:
            continue
        if not hasattr(leaf, "shape"):
            raise ArgumentError(
                f"vmap: argument {i} is no Tensor, and in_dims names an axis of it",
                got=f"{type(leaf).__name__}, in_dims {dim!r}",
                fix="give None in in_dims for what is the same for all samples",
            )
        if not -len(leaf.shape) <= dim < len(leaf.shape):
            raise ShapeError(
                f"vmap: argument {i} of shape {tuple(leaf.shape)} has no axis {dim}",
                fix="give None in in_dims for what is the same for all samples",
            )
        sizes.setdefault(leaf.shape[dim], f"argument {i} of shape {tuple(leaf.shape)}")
    if len(sizes) != 1:
        raise ShapeError(
            "vmap: the arguments disagree on the number of samples"
            if sizes
            else "vmap: no argument has an axis of samples",
            got="; ".join(f"{size} in {where}" for size, where in sizes.items()) or None,
            expected="one size along the axes named by in_dims",
        )
    return next(iter(sizes))


def _cut(part: slice, leaf: Any, dim: int | None) -> Any:
    if dim is None:
        return leaf
    leaf = leaf if isinstance(leaf, Tensor) else wrap(leaf)
    return leaf[(slice(None),) * (dim % leaf.ndim) + (part,)]


def _entered(frame: Frame, leaf: Any, dim: int | None) -> Any:
    """The argument as the function sees it: without its axis of samples."""
    return leaf if dim is None else enter(frame, leaf, dim)


def _spread_out(out_dims: Any, out: Any) -> Any:
    if isinstance(out_dims, list):
        out_dims = tuple(out_dims)
    return trees.spread(out_dims, out, "vmap: out_dims")


def _left(frame: Frame, leaf: Any, dim: int | None) -> Any:
    """A result as the caller sees it: with its axis of samples."""
    if not isinstance(leaf, Tensor):
        raise ArgumentError(
            "vmap: the function gives Tensors, nested in tuples, lists and dicts at most",
            got=type(leaf).__name__,
        )
    if dim is None and frame.over(leaf._data):
        raise ArgumentError(
            "vmap: out_dims is None for a result of which every sample has its own",
            fix="give the axis where the samples shall be",
        )
    return leave(frame, leaf, dim)


def _joined(outs: list[Any], out_dims: Any) -> Any:
    dims = _spread_out(out_dims, outs[0])

    def join(dim: int | None, *parts: Any) -> Any:
        return parts[0] if dim is None else tensor_words.concat(list(parts), axis=dim)

    return trees.mapped(join, dims, *outs)

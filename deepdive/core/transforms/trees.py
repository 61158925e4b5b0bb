"""Nested tuples, lists and dicts of Tensors: what functions under a transform take and give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError


def leaves(tree: Any) -> Iterator[Any]:
    """What is inside, in order.

    >>> list(leaves(({"a": 1, "b": [2, 3]}, 4)))
    [1, 2, 3, 4]
    """
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        for item in tree:
            yield from leaves(item)
    else:
        yield tree


def mapped(change: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """``change(leaf, …)`` in place of every leaf; `others` are nested alike.

    >>> mapped(lambda a, b: a + b, {"x": (1, 2)}, {"x": (10, 20)})
    {'x': (11, 22)}
    """
    if isinstance(tree, dict):
        return {key: mapped(change, tree[key], *(o[key] for o in others)) for key in tree}
    if isinstance(tree, (tuple, list)):
        items = [mapped(change, *parts) for parts in zip(tree, *others, strict=True)]
        return _like(tree, items)
    return change(tree, *others)


def _like(tree: Any, items: list[Any]) -> Any:
    if hasattr(tree, "_fields"):
        return type(tree)(*items)
    try:
        return type(tree)(items)
    except TypeError:  # a tuple with a constructor of its own, such as ``values, indices``
        return type(tree)(*items)


def spread(prefix: Any, tree: Any, what: str) -> Any:
    """`prefix` with the nesting of `tree`: a value stands for all that is below it.

    Raises:
        ArgumentError: if the nesting does not fit.

    >>> spread((0, None), ([1, 2], {"w": 3}), "in_dims")
    ([0, 0], {'w': None})
    """
    if isinstance(prefix, dict) and isinstance(tree, dict) and prefix.keys() == tree.keys():
        return {key: spread(prefix[key], tree[key], what) for key in tree}
    if isinstance(prefix, (tuple, list)) and isinstance(tree, (tuple, list)):
        if len(prefix) == len(tree):
            pairs = zip(prefix, tree, strict=True)
            return _like(tree, [spread(p, t, what) for p, t in pairs])
    elif not isinstance(prefix, (tuple, list, dict)):
        return mapped(lambda leaf: prefix, tree)
    raise ArgumentError(
        f"{what} does not fit what it is for",
        got=f"{prefix!r} for {_outline(tree)}",
        expected="one number or None, or a nesting of them like that of the arguments",
    )


def _outline(tree: Any) -> str:
    return repr(mapped(lambda leaf: type(leaf).__name__, tree))


def tensors_in(tree: Any) -> list[Tensor]:
    """The Tensors among the leaves, in order."""
    return [leaf for leaf in leaves(tree) if isinstance(leaf, Tensor)]

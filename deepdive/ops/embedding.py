"""Numbers that name things: rows of a table, and vectors with a single one."""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor, array_of, asked, data_of, wrap
from deepdive.errors import DTypeError, GraphError, ShapeError
from deepdive.ops.creation import zeros
from deepdive.ops.elementwise import Where
from deepdive.ops.indexing import IndexAddAt


def indices(
    name: str, given: Any, count: int, of_what: str, low: int = 0, device: str | None = None
) -> Any:
    """The array of integer `given`, all in [low, count).

    Raises:
        DTypeError: for anything but integers.
        ShapeError: naming the first index that is out of range.
    """
    if isinstance(given, Tensor):
        array = given._data
    else:
        array = array_of(given, speakers.of_device(device or config.defaults.device))
    if array.dtype.kind not in "iu":
        raise DTypeError(
            f"{name}: class numbers and indices are integers",
            got=f"dtype {array.dtype}",
            expected="integers of any width",
            fix="use integers: target.long()",
        )
    asked(array, lambda values: check_range(name, values, count, of_what, low), now=False)
    return array


def check_range(name: str, array: Any, count: int, of_what: str, low: int = 0) -> None:
    """Refuse an index outside [low, count), naming the first one."""
    if array.size and (array.max() >= count or array.min() < low):
        flat = array.reshape(-1)
        wrong = [int(i) for i in flat if not low <= i < count]
        raise ShapeError(
            f"{name}: index {wrong[0]} is out of range for {count} {of_what}",
            expected=f"{low} <= index < {count}",
            fix=f"subtract 1 if yours count from 1 to {count}" if wrong[0] == count else None,
        )


class Embedding(Operator):
    """Row ``index[i]`` of `weight` (V, D) for each index: (…) → (…, D).

    The row `padding_idx` gets no gradient; with `by_freq` a row named n times gets an n-th of its.
    """

    padding_idx: int | None = None
    by_freq: bool = False

    def forward(self, xp, index, weight):
        return xp.getitem(weight, index)

    def backward(self, xp, grad, index, weight_shape):
        if self.padding_idx is not None:
            grad = xp.where((index != self.padding_idx)[..., None], grad, 0.0)
        if self.by_freq:
            named = xp.index_add(xp.zeros(weight_shape[:1], grad.dtype), index, 1.0)
            grad = grad / xp.getitem(named, index)[..., None]
        return None, xp.index_add(xp.zeros(weight_shape, grad.dtype), index, grad)


@derive("embedding", method=False)
def embedding(
    input: Any,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` (V, D) that `input` names, as ``(*input.shape, D)``.

    Args:
        input: integers in [0, V), of any shape.
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: rows named here are first shortened to this length, in place, by the norm of
            `norm_type`.
        scale_grad_by_freq: the gradient of a row is divided by how often it is named.
        sparse: PyTorch's, accepted; gradients are always dense.

    Raises:
        DTypeError: for indices that are no integers.
        ShapeError: for an index out of range, naming it.

    >>> import deepdive as dd
    >>> embedding([2, 0], dd.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    tensor([[3., 3.],
            [1., 1.]])
    """
    rows = weight.shape[0]
    index = indices("embedding", input, rows, "rows", device=weight.device)
    if padding_idx is not None:
        padding_idx = padding_idx % rows
    if max_norm is not None:
        shorten(weight, wrap(index), max_norm, norm_type)
    return Embedding(padding_idx, scale_grad_by_freq)(wrap(index), weight)


def shorten(weight: Tensor, index: Tensor, longest: float, p: float) -> None:
    """The named rows of `weight` brought to at most that length, in place (PyTorch's renorm)."""
    table: Any = weight.detach()
    named = zeros(table.shape[0], dtype="bool", device=table.device)
    named = IndexAddAt(data_of(index))(named.long(), 1) > 0  # type: ignore[attr-defined]
    sizes = (table.abs() ** p).sum(1) ** (1 / p)  # (V,)
    factor = Where()(named * (sizes > longest), longest / (sizes + 1e-7), 1.0)
    with config.no_grad():
        weight.copy_(table * factor.unsqueeze(1))  # type: ignore[attr-defined]


@derive("one_hot")
def one_hot(x: Any, num_classes: int = -1) -> Tensor:
    """A 1 at each class number, 0 elsewhere: (…) → (…, C), as int64.

    `num_classes` of -1 takes the largest number plus one.

    Raises:
        DTypeError: for numbers that are no integers.
        ShapeError: for a class out of range.

    >>> one_hot([0, 2])
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    array = indices("one_hot", x, num_classes if num_classes >= 0 else 2**63, "classes")
    if num_classes < 0:
        found = asked(array, lambda values: int(values.max()) + 1 if values.size else 0)
        if found is None:
            raise GraphError(
                "one_hot: the largest class is not known while a function is being compiled",
                fix="one_hot(x, num_classes)",
            )
        num_classes = found
    speaker = speakers.BY_TYPE[type(array)]
    hit = array[..., None] == speaker.arange(num_classes)
    return wrap(speaker.astype(hit, "int64"))

"""How the words of linear algebra are said to a batch: they take stacks of matrices as they are."""

from __future__ import annotations

from typing import Any

from deepdive.core.transforms.batched import Frame
from deepdive.core.transforms.saying import says


@says("cholesky", "qr_rows", "eigh_rows", "svd_rows")
def decomposed(lane: Frame, name: str, a: Any) -> Any:
    """The samples' axis is one more in front."""
    return lane.call(name, a.array)


@says("slogdet_rows")
def slogdet_rows(lane: Frame, name: str, a: Any) -> Any:
    """Sign and size come first in each sample, behind the samples' axis."""
    both = lane.call(name, a.array)  # (2, samples, …)
    rest = range(2, len(both.shape))
    return lane.ordered(both, 1, 0, *rest)


@says("solve")
def solve(
    lane: Frame,
    name: str,
    a: Any,
    b: Any,
) -> Any:
    """Leading axes are broadcast: a sample of fewer gets some of size 1."""
    rank = max(a.ndim, b.ndim)
    left = lane.lifted(a, rank)
    right = lane.lifted(b, rank)
    return lane.call(name, left, right)

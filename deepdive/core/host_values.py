"""The values of a tensor, for whoever only looks: metrics, pictures, files."""

from __future__ import annotations

from typing import Any

from deepdive import dtypes
from deepdive.backend import speakers
from deepdive.core.tensor import Tensor
from deepdive.host import np


def as_array(value: Any) -> Any:
    """A Tensor of any device, or anything array-like, as an array of the host, not copied.

    bfloat16 becomes float32, in which sums and means are right.
    """
    array = speakers.to_host(value._data) if isinstance(value, Tensor) else np.asarray(value)
    return array.astype(dtypes.float32) if array.dtype in dtypes.NARROW else array

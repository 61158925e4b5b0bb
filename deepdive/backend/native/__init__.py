"""The native speaker: an n-d array in pure Python, and every word of the vocabulary on it.

Read in this order: ``ndarray`` (a buffer seen through shape, strides and offset), ``kernels``
(map, zip, reduce and the matrix product as loops), ``scalars`` (what the loops do to a number),
``namespace`` (the words).  Nothing here imports NumPy, but where somebody asks for a NumPy array.
"""

from deepdive.backend.native.namespace import asarray
from deepdive.backend.native.ndarray import NDArray

__all__ = ["NDArray", "asarray"]

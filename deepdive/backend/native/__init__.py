"""The native speaker: an n-d array in pure Python, and every word of the vocabulary on it.

Read in this order: ``ndarray`` (a buffer seen through shape, strides and offset), ``kernels``
(map, zip, reduce and the matrix product as loops), ``scalars`` (what the loops do to a number),
``namespace`` (the words), ``standard`` (the array API standard in words).  Nothing here needs
NumPy, but where somebody asks for a NumPy array.
"""

from deepdive import host
from deepdive.backend.native import namespace, standard
from deepdive.backend.native.namespace import asarray
from deepdive.backend.native.ndarray import NDArray

__all__ = ["NDArray", "asarray"]


def _stand_in() -> None:
    """Let files, data sets and random numbers be made of native arrays."""
    for name, value in vars(standard).items():
        if name[0] != "_":
            setattr(host.np, name, value)


if not host.NUMPY:
    _stand_in()

"""Random bits for the host: NumPy's cipher or Python's integers, which find the same."""

from deepdive.host import NUMPY

if NUMPY:
    from deepdive.backend.random_numpy import fork_stream, random_bits, random_words
else:
    from deepdive.backend.native.arrays import random_bits, random_words
    from deepdive.backend.native.philox import fork_stream

__all__ = ["fork_stream", "random_bits", "random_words"]

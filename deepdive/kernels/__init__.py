"""Machine-speed kernels in Python, through Numba (extra ``[jit]``): import this package on demand.

Every kernel is an ordinary Python loop, except for one file: ``vector.py`` speaks to LLVM.
"""

from deepdive.errors import missing_extra

try:
    import numba
except ImportError as error:
    raise missing_extra("numba", "jit", "machine-speed kernels") from error

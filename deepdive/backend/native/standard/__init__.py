"""The native array's face to the world: the Python array API standard, said in words.

``x.__array_namespace__()`` is this module (https://data-apis.org/array-api/2024.12).  A word of the
vocabulary is taken as it is where the standard means the same; what the standard asks beyond is
said in words, in the files of this folder.  Where the library follows PyTorch against the
standard – promotion, sums of unsigned integers – PyTorch counts: docs/array_api.md lists it.
"""

from math import e, inf, nan, pi
from sys import modules as _modules

from deepdive.backend.native.namespace import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_or,
    bitwise_xor,
    ceil,
    cos,
    cosh,
    divide,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    pad,
    pow,
    reciprocal,
    remainder,
    round,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
)
from deepdive.backend.native.ndarray import NDArray as ndarray
from deepdive.backend.native.ndarray import as_native as _as_native
from deepdive.backend.native.ndarray import frombuffer
from deepdive.backend.native.standard.creation import (
    Info,
    arange,
    asarray,
    astype,
    can_cast,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    isdtype,
    linspace,
    meshgrid,
    ones,
    ones_like,
    result_type,
    tril,
    triu,
    zeros,
    zeros_like,
)
from deepdive.backend.native.standard.creation import _finfo as finfo
from deepdive.backend.native.standard.creation import _iinfo as iinfo
from deepdive.backend.native.standard.numbers import (
    all,
    any,
    bitwise_left_shift,
    bitwise_right_shift,
    clip,
    conj,
    copysign,
    count_nonzero,
    cumulative_prod,
    cumulative_sum,
    diff,
    hypot,
    imag,
    matrix_transpose,
    max,
    mean,
    min,
    nextafter,
    positive,
    prod,
    real,
    signbit,
    std,
    sum,
    tensordot,
    var,
    vecdot,
)
from deepdive.backend.native.standard.protocol import attach as _attach
from deepdive.backend.native.standard.shapes import (
    argmax,
    argmin,
    argsort,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    concat,
    expand_dims,
    flip,
    isin,
    moveaxis,
    nonzero,
    permute_dims,
    repeat,
    reshape,
    roll,
    searchsorted,
    sort,
    squeeze,
    stack,
    take,
    take_along_axis,
    tile,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
    unstack,
    where,
)
from deepdive.dtypes import bool_ as bool
from deepdive.dtypes import float32, float64, int8, int16, int32, int64, uint8

__array_api_version__ = "2024.12"
__array_namespace_info__ = Info
newaxis = None
uint16, uint32, uint64 = map(_as_native, ("uint16", "uint32", "uint64"))

_attach(_modules[__name__])

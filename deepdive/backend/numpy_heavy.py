"""The heavy words of the NumPy speaker: NumPy's way, or a kernel's where that is faster."""

from __future__ import annotations

from functools import partial

import numpy as np

from deepdive.backend import (
    extended,
    numpy_memory,  # noqa: F401 - arrays made from here on find their memory
)
from deepdive.backend import numpy_convolution as plain
from deepdive.backend.two_ways import (
    TwoWays,
    convolution_work,
    correlation_work,
    product_work,
    rational_work,
)

matmul = TwoWays("matmul", np.matmul, product_work)
convolution = TwoWays("convolution", plain.convolution, convolution_work)
convolution_input_grad = TwoWays(
    "convolution_input_grad", plain.convolution_input_grad, convolution_work
)
convolution_weight_grad = TwoWays(
    "convolution_weight_grad", plain.convolution_weight_grad, correlation_work
)
erf = TwoWays("erf", partial(extended.erf, np), rational_work)

"""DeepDive's table of contents, for editors and type checkers.

Made by ``make stubs`` (tools/make_stub.py); do not edit.
"""

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from deepdive import amp as amp
from deepdive import array_api as array_api
from deepdive import autograd as autograd
from deepdive import backend as backend
from deepdive import cli as cli
from deepdive import config as config
from deepdive import core as core
from deepdive import cuda as cuda
from deepdive import dash as dash
from deepdive import datautils as datautils
from deepdive import dtypes as dtypes
from deepdive import errors as errors
from deepdive import func as func
from deepdive import host as host
from deepdive import interop as interop
from deepdive import io as io
from deepdive import linalg as linalg
from deepdive import nn as nn
from deepdive import onnx as onnx
from deepdive import ops as ops
from deepdive import optim as optim
from deepdive import special as special
from deepdive import testing as testing
from deepdive import train as train
from deepdive import utils as utils
from deepdive.compiler.compile import compile as compile
from deepdive.compiler.lazyarray import is_lazy as is_lazy
from deepdive.compiler.lazyarray import lazy as lazy
from deepdive.compiler.lazyarray import set_lazy as set_lazy
from deepdive.config import enable_grad as enable_grad
from deepdive.config import get_default_dtype as get_default_dtype
from deepdive.config import is_grad_enabled as is_grad_enabled
from deepdive.config import no_grad as no_grad
from deepdive.config import set_default_device as set_default_device
from deepdive.config import set_default_dtype as set_default_dtype
from deepdive.config import set_grad_enabled as set_grad_enabled
from deepdive.core.autograd.functional import grad as grad
from deepdive.core.autograd.gradcheck import gradcheck as gradcheck
from deepdive.core.autograd.gradcheck import gradgradcheck as gradgradcheck
from deepdive.core.function import Function as Function
from deepdive.core.operator import Operator as Operator
from deepdive.core.operator import add_method as add_method
from deepdive.core.operator import register as register
from deepdive.core.random import Generator as Generator
from deepdive.core.random import get_rng_state as get_rng_state
from deepdive.core.random import initial_seed as initial_seed
from deepdive.core.random import manual_seed as manual_seed
from deepdive.core.random import set_rng_state as set_rng_state
from deepdive.core.tensor import Tensor as Tensor
from deepdive.core.transforms.vmap import vmap as vmap
from deepdive.dash.check import check as check
from deepdive.dash.profile import profile as profile
from deepdive.dash.summary import summary as summary
from deepdive.ops.autocast import autocast as autocast
from deepdive.ops.autocast import is_autocast_enabled as is_autocast_enabled
from deepdive.ops.questions import allclose as allclose
from deepdive.ops.questions import equal as equal
from deepdive.testing.needle import gradient_check as gradient_check

Operand = Any  # a Tensor, an array, a number or nested lists of numbers

__version__: str
CUPY_AVAILABLE: bool
LATE: dict
REGISTRY: dict
SUBPACKAGES: dict
def abs(x: Operand) -> Tensor:
    """``|x|``; its slope at 0 is taken as 0."""
def absolute(x: Operand) -> Tensor:
    """``|x|``; its slope at 0 is taken as 0."""
def acos(x: Operand) -> Tensor:
    """The angle in [0, π] whose cosine is x."""
def acosh(x: Operand) -> Tensor:
    """The inverse of cosh, for x ≥ 1."""
def adaptive_avg_pool1d(input: Any, output_size: builtins.int | tuple[builtins.int, ...]) -> Tensor:
    """(B, C, L) → (B, C, output_size); see :func:`adaptive_avg_pool2d`."""
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Means over so many windows that the result is ``(B, C, *output_size)``."""
def adaptive_avg_pool3d(input: Any, output_size: Any) -> Tensor:
    """Means over so many windows that the result is ``(B, C, *output_size)``."""
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: builtins.bool = False) -> Any:
    """(B, C, L) → (B, C, output_size); see :func:`adaptive_max_pool2d`."""
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: builtins.bool = False) -> Any:
    """The largest of so many windows that the result is ``(B, C, *output_size)``."""
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: builtins.bool = False) -> Any:
    """``(B, C, D, H, W)`` → ``(B, C, *output_size)``; see :func:`adaptive_max_pool2d`."""
def add(x: Any, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
    """``x + y``."""
def add_scalar(x: Operand, scalar: builtins.float) -> Tensor:
    """x + scalar."""
def addbmm(
    input: Any,
    batch1: Any,
    batch2: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · Σ batch1 @ batch2``, summed over the batch: one product."""
def addcdiv(x: Any, tensor1: Any, tensor2: Any, *, value: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
    """``x + value · tensor1 / tensor2``."""
def addcmul(x: Any, tensor1: Any, tensor2: Any, *, value: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
    """``x + value · tensor1 · tensor2``."""
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta · input + alpha · mat1 @ mat2``."""
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta · input + alpha · mat @ vec``."""
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta · input + alpha · vec1 ⊗ vec2``."""
def adjoint(input: Tensor) -> Tensor:
    """The last two axes exchanged (real numbers are their own conjugates)."""
def affine_grid(theta: Any, size: Any, align_corners: builtins.bool | None = None) -> Tensor:
    """The grid for :func:`grid_sample` that maps by matrices: theta (B, 2, 3) → (B, H, W, 2)."""
def all(
    x: Operand,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """Whether all elements along `dim` are non-zero."""
def alpha_dropout(
    x: Any,
    p: builtins.float = 0.5,
    training: builtins.bool = False,
    inplace: builtins.bool = False,
) -> Tensor:
    """While `training`, -1.758 with probability `p`, then ``a x + b``: mean and variance stay."""
def amax(
    x: Operand,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The largest element along `dim`; equal ones share the gradient evenly."""
def amin(
    x: Operand,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The smallest element along `dim`; equal ones share the gradient evenly."""
def aminmax(
    x: Any,
    *,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Any:
    """The smallest and the largest element along `dim`."""
def any(
    x: Operand,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """Whether some element along `dim` is non-zero."""
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """``start, start + step, …`` below `end`."""
def arccos(x: Operand) -> Tensor:
    """The angle in [0, π] whose cosine is x."""
def arccosh(x: Operand) -> Tensor:
    """The inverse of cosh, for x ≥ 1."""
def arcsin(x: Operand) -> Tensor:
    """The angle in [-π/2, π/2] whose sine is x."""
def arcsinh(x: Operand) -> Tensor:
    """The inverse of sinh."""
def arctan(x: Operand) -> Tensor:
    """The angle in (-π/2, π/2) whose tangent is x."""
def arctan2(x: Operand, y: Operand) -> Tensor:
    """The angle of the point (y, x): ``atan(x / y)`` in the right quadrant."""
def arctanh(x: Operand) -> Tensor:
    """The inverse of tanh, for ``|x| < 1``."""
def argmax(
    x: Operand,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The index of the largest element along `dim`, of the flattened array when None."""
def argmin(
    x: Operand,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The index of the smallest element along `dim`, of the flattened array when None."""
def argsort(
    x: Any,
    dim: builtins.int = -1,
    descending: builtins.bool = False,
    stable: builtins.bool = False,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """The indices that sort `x` along `dim`; always stable."""
def argwhere(input: Tensor) -> Any:
    """The positions of all elements that are not 0, a row for each."""
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: builtins.int = 0) -> Tensor:
    """``out[i, j] = flat[i · stride[0] + j · stride[1] + storage_offset]``, a copy."""
def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """A tensor on `data`, sharing memory where it can; a Tensor passes as it is, or is moved."""
def asin(x: Operand) -> Tensor:
    """The angle in [-π/2, π/2] whose sine is x."""
def asinh(x: Operand) -> Tensor:
    """The inverse of sinh."""
def astype(x: Operand, dtype: Any) -> Tensor:
    """Elements converted to another dtype; the gradient comes back in the old one."""
def atan(x: Operand) -> Tensor:
    """The angle in (-π/2, π/2) whose tangent is x."""
def atan2(x: Operand, y: Operand) -> Tensor:
    """The angle of the point (y, x): ``atan(x / y)`` in the right quadrant."""
def atanh(x: Operand) -> Tensor:
    """The inverse of tanh, for ``|x| < 1``."""
def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least one axis: a number becomes a vector of length 1."""
def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two axes: a vector becomes one row."""
def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three axes: a matrix (n, m) becomes (n, m, 1)."""
def avg_pool1d(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    ceil_mode: builtins.bool = False,
    count_include_pad: builtins.bool = True,
) -> Tensor:
    """The mean of each window of (B, C, L); see :func:`avg_pool2d`."""
def avg_pool2d(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    ceil_mode: builtins.bool = False,
    count_include_pad: builtins.bool = True,
    divisor_override: builtins.int | None = None,
) -> Tensor:
    """The mean of each window: (B, C, H, W) → (B, C, H', W')."""
def avg_pool3d(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    ceil_mode: builtins.bool = False,
    count_include_pad: builtins.bool = True,
    divisor_override: builtins.int | None = None,
) -> Tensor:
    """The mean of each window of (B, C, D, H, W); see :func:`avg_pool2d`."""
def baddbmm(
    input: Any,
    batch1: Any,
    batch2: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · batch1 @ batch2``, for each of a batch of matrices."""
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: builtins.bool = False,
    momentum: builtins.float = 0.1,
    eps: builtins.float = 1e-05,
) -> Tensor:
    """Mean 0 and variance 1 for each channel of input (B, C, …); then ``· w + b``."""
bfloat16: Any
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """``x₁ᵀ W_o x₂ + b_o`` for x₁ (…, I), x₂ (…, J), W (O, I, J), b (O,) → (…, O)."""
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = 'mean',
) -> Tensor:
    """``-(y log x + (1 - y) log(1 - x))`` for probabilities x and targets y in [0, 1]."""
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = 'mean',
    pos_weight: Any = None,
) -> Tensor:
    """:func:`binary_cross_entropy` of ``σ(input)``, stable for any number."""
def bitwise_and(x: Operand, y: Operand) -> Tensor:
    """Bits set in both."""
def bitwise_left_shift(x: Any, other: Any) -> Tensor:
    """``x · 2ʸ``: the bits of whole numbers moved `other` places up."""
def bitwise_not(x: Operand) -> Tensor:
    """All bits flipped."""
def bitwise_or(x: Operand, y: Operand) -> Tensor:
    """Bits set in one at least."""
def bitwise_right_shift(x: Any, other: Any) -> Tensor:
    """``⌊x / 2ʸ⌋``: the bits of whole numbers moved `other` places down."""
def bitwise_xor(x: Operand, y: Operand) -> Tensor:
    """Bits set in one."""
def block_diag(*tensors: Any) -> Tensor:
    """The matrices along a diagonal, zeros around them."""
def bmm(input: Any, mat2: Any) -> Tensor:
    """The matrix product of two matrices (or batches of them)."""
def bool(x: Tensor) -> Tensor:
    """As booleans: whether elements are non-zero."""
bool_: Any
def broadcast_shapes(*shapes: Any) -> tuple[builtins.int, ...]:
    """The shape that tensors of these shapes broadcast to."""
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors broadcast to their common shape."""
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`input` repeated along new axes and axes of extent 1, as a view of shape `size`."""
def bucketize(
    x: Any,
    boundaries: Any,
    *,
    out_int32: builtins.bool = False,
    right: builtins.bool = False,
) -> Tensor:
    """The number of the bucket each value of `x` falls into, between sorted `boundaries`."""
def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of one element of each vector, a row for each."""
def cat(tensors: Sequence[Operand], dim: builtins.int = 0, *, axis: builtins.int = ...) -> Tensor:
    """Tensors joined along an existing axis."""
def cdist(x1: Any, x2: Any, p: builtins.float = 2.0, compute_mode: str = ...) -> Tensor:
    """The p-norm distance of every row of x1 (…, P, M) to every row of x2 (…, R, M): (…, P, R)."""
def ceil(x: Operand) -> Tensor:
    """The smallest whole number ≥ x."""
def celu(x: Any, alpha: builtins.float = 1.0, inplace: builtins.bool = False) -> Tensor:
    """``x`` where positive, else ``α (e^(x/α) - 1)`` (Barron 2017)."""
def chain_matmul(tensors: Any, *more: Any) -> Tensor:
    """The product of many matrices in the order that takes the fewest multiplications."""
def channel_shuffle(input: Any, groups: builtins.int) -> Tensor:
    """Channels (B, C, …) of several groups dealt out in turn (Zhang et al. 2018)."""
def cholesky(input: Any, upper: builtins.bool = False) -> Tensor:
    """As :func:`linalg_cholesky`."""
def cholesky_inverse(L: Any, upper: builtins.bool = False) -> Tensor:
    """The inverse of ``L Lᵀ`` (of ``Uᵀ U`` if `upper`)."""
def cholesky_solve(B: Any, L: Any, upper: builtins.bool = False) -> Tensor:
    """X with ``L Lᵀ X = B`` (``Uᵀ U X = B`` if `upper`)."""
def chunk(x: Tensor, chunks: builtins.int, dim: builtins.int = 0, *, axis: builtins.int = ...) -> tuple[Tensor, ...]:
    """`x` cut along `dim` into at most `chunks` pieces of equal size but the last."""
def clamp(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """``x`` limited to [min, max]: numbers, or Tensors that broadcast; outside the gradient is the"""
def clamp_max(x: Any, max: Any) -> Tensor:
    """``x``, but at most `max`."""
def clamp_min(x: Any, min: Any) -> Tensor:
    """``x``, but at least `min`."""
def clip(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """``x`` limited to [min, max]: numbers, or Tensors that broadcast; outside the gradient is the"""
def clone(x: Operand) -> Tensor:
    """A copy with history."""
def column_stack(tensors: Any) -> Tensor:
    """Tensors side by side, vectors as columns."""
def combinations(input: Tensor, r: builtins.int = 2, with_replacement: builtins.bool = False) -> Tensor:
    """All choices of `r` elements of a vector, in order, a row for each."""
def concat(tensors: Sequence[Operand], dim: builtins.int = 0, *, axis: builtins.int = ...) -> Tensor:
    """Tensors joined along an existing axis."""
def concatenate(tensors: Sequence[Operand], dim: builtins.int = 0, *, axis: builtins.int = ...) -> Tensor:
    """Tensors joined along an existing axis."""
def constant_pad(
    x: Operand,
    widths: tuple[tuple[builtins.int, builtins.int], ...],
    value: builtins.float = 0.0,
) -> Tensor:
    """`x` set into a frame filled with `value`; widths are (before, after) per axis."""
def contiguous(x: Operand) -> Tensor:
    """The same values in row order in memory."""
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] | str = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    groups: builtins.int = 1,
) -> Tensor:
    """Input (B, C, L) with weight (O, C/groups, k) → (B, O, L'); see :func:`conv2d`."""
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] | str = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    groups: builtins.int = 1,
) -> Tensor:
    """Cross-correlation of images with kernels, plus a bias for each output channel."""
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] | str = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    groups: builtins.int = 1,
) -> Tensor:
    """Input (B, C, D, H, W) with weight (O, C/groups, k, l, m); see :func:`conv2d`."""
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    output_padding: builtins.int | tuple[builtins.int, ...] = 0,
    groups: builtins.int = 1,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
) -> Tensor:
    """Input (B, C, L) with weight (C, O/groups, k) → (B, O, L'); see :func:`conv_transpose2d`."""
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    output_padding: builtins.int | tuple[builtins.int, ...] = 0,
    groups: builtins.int = 1,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
) -> Tensor:
    """Every number of the input adds a multiple of the kernel to the output, `stride` apart."""
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    output_padding: builtins.int | tuple[builtins.int, ...] = 0,
    groups: builtins.int = 1,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
) -> Tensor:
    """Input (B, C, D, H, W) with weight (C, O/groups, k, l, m); see :func:`conv_transpose2d`."""
def copysign(x: Operand, y: Operand) -> Tensor:
    """``|x|`` with the sign of `y`, that of -0.0 too."""
def cos(x: Operand) -> Tensor:
    """``cos x``."""
def cosh(x: Operand) -> Tensor:
    """``(eˣ + e⁻ˣ) / 2``."""
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: builtins.float = 0.0,
    reduction: str = 'mean',
) -> Tensor:
    """``1 - cos(x₁, x₂)`` where y = 1, ``max(0, cos(x₁, x₂) - margin)`` where y = -1."""
def cosine_similarity(
    x1: Any,
    x2: Any,
    dim: builtins.int = 1,
    eps: builtins.float = 1e-08,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """``x₁·x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε))`` along `dim`; the shapes broadcast."""
def count_nonzero(
    x: Any,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
) -> Tensor:
    """How many elements are not 0, along `dim` or altogether."""
def cross(
    input: Any,
    other: Any,
    dim: builtins.int | None = None,
    *,
    axis: builtins.int | None = ...,
) -> Tensor:
    """The vector product along `dim`, by default along the first axis of extent 3."""
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: builtins.int = -100,
    reduction: str = 'mean',
    label_smoothing: builtins.float = 0.0,
) -> Tensor:
    """``-log softmax(input)[target]`` for logits (B, C, …) and class numbers (B, …)."""
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: builtins.int = 0,
    reduction: str = 'mean',
    zero_infinity: builtins.bool = False,
) -> Tensor:
    """``-log Σ Π_t p_t`` over all ways to spell the targets in time (Graves et al. 2006, eq. 14)."""
def cummax(x: Any, dim: builtins.int, *, axis: builtins.int = ...) -> Any:
    """The largest element up to each place along `dim`, and its index: ``values, indices``."""
def cummin(x: Any, dim: builtins.int, *, axis: builtins.int = ...) -> Any:
    """The smallest element up to each place along `dim`, and its index: ``values, indices``."""
def cumprod(x: Any, dim: builtins.int, *, dtype: Any = None, axis: builtins.int = ...) -> Tensor:
    """Running products ``Π_{j≤i} x_j`` along `dim`; right also where factors are zero."""
def cumsum(x: Any, dim: builtins.int, *, dtype: Any = None, axis: builtins.int = ...) -> Tensor:
    """Running sums ``Σ_{j≤i} x_j`` along `dim`."""
def deg2rad(x: Any) -> Tensor:
    """Degrees as radians: ``x π / 180``."""
def det(A: Operand) -> Tensor:
    """The determinant of square matrices (…, n, n); the gradient is right for singular ones, too."""
def diag(input: Tensor, diagonal: builtins.int = 0) -> Tensor:
    """The diagonal of a matrix; of a vector, the matrix with it on its diagonal."""
def diag_embed(input: Tensor, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1) -> Tensor:
    """Square matrices with the last axis of `input` on a diagonal, in the plane of two axes."""
def diagflat(input: Tensor, offset: builtins.int = 0) -> Tensor:
    """The square matrix with all elements of `input` on a diagonal."""
def diagonal(input: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
    """The elements with column = row + `offset` in the plane of two axes, on a new last axis."""
def diagonal_scatter(
    input: Tensor,
    src: Any,
    offset: builtins.int = 0,
    dim1: builtins.int = 0,
    dim2: builtins.int = 1,
) -> Tensor:
    """A copy of `input` with its diagonal replaced by `src`."""
def diff(
    input: Tensor,
    n: builtins.int = 1,
    dim: builtins.int = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    axis: builtins.int = ...,
) -> Any:
    """Differences of neighbours along `dim`, taken `n` times; of truth values: do they differ?"""
def digamma(x: Any) -> Tensor:
    """``ψ(x) = d/dx log Γ(x)``."""
def dilate(x: Tensor, axes: Any, dilation: builtins.int) -> Tensor:
    """`dilation` zeros behind each element along each of `axes`: n becomes n · (dilation + 1)."""
def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``x / other``, optionally rounded: ``rounding_mode`` is None, ``"trunc"`` or ``"floor"``."""
def divide(x: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``x / other``, optionally rounded: ``rounding_mode`` is None, ``"trunc"`` or ``"floor"``."""
def dot(input: Any, tensor: Any) -> Tensor:
    """The matrix product; of two vectors, a scalar."""
def double(x: Tensor) -> Tensor:
    """As float64."""
def dropout(x: Tensor, p: builtins.float = 0.5, training: builtins.bool = True) -> Tensor:
    """While `training`, zeros with probability `p`, and ``x / (1 - p)`` elsewhere; else `x`."""
def dropout1d(x: Tensor, p: builtins.float = 0.5, training: builtins.bool = True) -> Tensor:
    """:func:`dropout` of whole channels of x (B, C, …)."""
def dropout2d(x: Tensor, p: builtins.float = 0.5, training: builtins.bool = True) -> Tensor:
    """:func:`dropout` of whole channels of x (B, C, …)."""
def dropout3d(x: Tensor, p: builtins.float = 0.5, training: builtins.bool = True) -> Tensor:
    """:func:`dropout` of whole channels of x (B, C, …)."""
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Parts along the third axis."""
def dstack(tensors: Any) -> Tensor:
    """Tensors behind each other, along the third axis."""
def einsum(equation: Any, *operands: Any) -> Tensor:
    """Products of tensors, summed over the axes that the result does not name."""
def elu(x: Operand, alpha: builtins.float = 1.0) -> Tensor:
    """``x`` where positive, ``α (eˣ - 1)`` elsewhere (Clevert et al. 2015)."""
def embedding(
    input: Any,
    weight: Tensor,
    padding_idx: builtins.int | None = None,
    max_norm: builtins.float | None = None,
    norm_type: builtins.float = 2.0,
    scale_grad_by_freq: builtins.bool = False,
    sparse: builtins.bool = False,
) -> Tensor:
    """The rows of `weight` (V, D) that `input` names, as ``(*input.shape, D)``."""
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: builtins.float | None = None,
    norm_type: builtins.float = 2.0,
    scale_grad_by_freq: builtins.bool = False,
    mode: str = 'mean',
    sparse: builtins.bool = False,
    per_sample_weights: Any = None,
    include_last_offset: builtins.bool = False,
    padding_idx: builtins.int | None = None,
) -> Tensor:
    """The rows of `weight` (V, D) that each bag names, put together: (B, D)."""
def empty(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """Memory without values set."""
def entr(x: Any) -> Tensor:
    """``-x log x``, an outcome's share of the entropy; 0 at 0, -∞ below."""
def eq(x: Operand, y: Operand) -> Tensor:
    """``x == y``, elementwise."""
def erf(x: Operand) -> Tensor:
    """The error function ``2/√π ∫₀ˣ e^(-t²) dt``."""
def erfc(x: Operand) -> Tensor:
    """``1 - erf(x)``, with all digits where that is tiny."""
def erfcx(x: Operand) -> Tensor:
    """``e^(x²) erfc(x)``: the right tail of erfc without its underflow."""
def erfinv(x: Operand) -> Tensor:
    """The y with ``erf(y) = x``, for ``-1 ≤ x ≤ 1``; ±∞ at the ends, NaN beyond."""
def exp(x: Operand) -> Tensor:
    """``eˣ``."""
def exp2(x: Any) -> Tensor:
    """``2ˣ``."""
def expand(x: Tensor, *sizes: Any) -> Tensor:
    """`x` broadcast to `sizes`; -1 keeps an extent."""
def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """`x` broadcast to the shape of `other`."""
def expm1(x: Operand) -> Tensor:
    """``eˣ - 1``, accurate near 0."""
def eye(
    n: builtins.int,
    m: builtins.int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere."""
def feature_alpha_dropout(
    x: Any,
    p: builtins.float = 0.5,
    training: builtins.bool = False,
    inplace: builtins.bool = False,
) -> Tensor:
    """:func:`alpha_dropout` of whole channels of x (B, C, …)."""
def fix(x: Any) -> Tensor:
    """:func:`trunc` by another name."""
def flatten(x: Tensor, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` merged into one."""
def flip(x: Operand, *dims: Any) -> Tensor:
    """The order of elements reversed along `dims`."""
def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
def float(x: Tensor) -> Tensor:
    """As float32."""
float16: Any
float32: Any
float64: Any
def float_power(x: Any, exponent: Any) -> Tensor:
    """``x`` to the power of `exponent`, in float64 whatever came."""
def floor(x: Operand) -> Tensor:
    """The largest whole number ≤ x."""
def floor_divide(x: Operand, y: Operand) -> Tensor:
    """``⌊x / y⌋``, without a gradient."""
def fmax(x: Operand, y: Operand) -> Tensor:
    """The larger of two, a NaN only if both are; of equal ones the first has the gradient."""
def fmin(x: Operand, y: Operand) -> Tensor:
    """The smaller of two, a NaN only if both are; of equal ones the first has the gradient."""
def fmod(x: Operand, y: Operand) -> Tensor:
    """``x - y · trunc(x / y)``: the sign of `x`, as C's ``fmod``; exact."""
def fold(
    input: Any,
    output_size: builtins.int | tuple[builtins.int, ...],
    kernel_size: builtins.int | tuple[builtins.int, ...],
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
) -> Tensor:
    """Columns (B, C·k·l, L) added up as the windows of pictures (B, C, H, W): undoes `unfold`,"""
def frac(x: Any) -> Tensor:
    """``x - trunc(x)``: the part behind the point, with the sign of `x`."""
def from_dlpack(x: Any, *, device: str | None = None, copy: builtins.bool | None = None) -> Tensor:
    """A tensor on the memory of another library's array, which tracks nothing."""
def from_numpy(array: Any) -> Tensor:
    """A tensor on the memory of a NumPy array."""
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """`fill_value` everywhere."""
def full_like(
    x: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """`fill_value` in the shape and dtype of `x`."""
def gammaln(x: Operand) -> Tensor:
    """``log |Γ(x)|``; ∞ at the poles 0, -1, -2, …"""
def gather(x: Operand, dim: builtins.int, index: Operand, *, axis: builtins.int = ...) -> Tensor:
    """``out[i][j] = x[index[i][j]][j]`` for dim 0: one element per index (PyTorch's gather)."""
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: builtins.bool = False,
    eps: builtins.float = 1e-06,
    reduction: str = 'mean',
) -> Tensor:
    """``(log σ² + (x - y)² / σ²) / 2`` with σ² = max(var, ε) (Nix & Weigend 1994)."""
def ge(x: Operand, y: Operand) -> Tensor:
    """``x >= y``."""
def gelu(x: Operand, approximate: str = 'none') -> Tensor:
    """``x Φ(x)`` with the normal distribution Φ (Hendrycks & Gimpel 2016)."""
def ger(input: Any, vec2: Any) -> Tensor:
    """``x_i y_j`` for two vectors."""
def getitem(x: Any, index: Any) -> Tensor:
    """``x[index]``: integers, slices, None, Ellipsis, masks, and arrays of integers."""
def glu(x: Any, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
    """``a · σ(b)`` for the halves a and b of `x` along `dim` (Dauphin et al. 2017)."""
def greater(x: Operand, y: Operand) -> Tensor:
    """``x > y``."""
def greater_equal(x: Operand, y: Operand) -> Tensor:
    """``x >= y``."""
def grid_sample(
    input: Any,
    grid: Any,
    mode: str = 'bilinear',
    padding_mode: str = 'zeros',
    align_corners: builtins.bool | None = None,
) -> Tensor:
    """Pictures (B, C, H, W) read at the places `grid` (B, H', W', 2): (B, C, H', W')."""
def group_norm(
    input: Any,
    num_groups: builtins.int,
    weight: Any = None,
    bias: Any = None,
    eps: builtins.float = 1e-05,
) -> Tensor:
    """Mean 0 and variance 1 over each group of channels of each sample (Wu & He 2018)."""
def gt(x: Operand, y: Operand) -> Tensor:
    """``x > y``."""
def gumbel_softmax(
    logits: Any,
    tau: builtins.float = 1.0,
    hard: builtins.bool = False,
    eps: builtins.float = 1e-10,
    dim: builtins.int = -1,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """A random choice that has a gradient: ``softmax((logits + noise) / τ)`` (Jang et al. 2017)."""
def half(x: Tensor) -> Tensor:
    """As float16."""
def hardshrink(x: Any, lambd: builtins.float = 0.5) -> Tensor:
    """``x`` where ``|x| > λ``, else 0."""
def hardsigmoid(x: Any, inplace: builtins.bool = False) -> Tensor:
    """``x/6 + 1/2`` limited to [0, 1] (Howard et al. 2019)."""
def hardswish(x: Any, inplace: builtins.bool = False) -> Tensor:
    """``x · hardsigmoid(x)`` (Howard et al. 2019)."""
def hardtanh(x: Operand, min_val: builtins.float = -1.0, max_val: builtins.float = 1.0) -> Tensor:
    """``x`` limited to [min_val, max_val]; the slope at the bounds is 0 (PyTorch's choice)."""
def heaviside(x: Operand, values: Operand) -> Tensor:
    """0 where ``x < 0``, 1 where ``x > 0``, and `values` between; without a gradient."""
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: builtins.float = 1.0,
    reduction: str = 'mean',
) -> Tensor:
    """The distance x itself where y = 1, ``max(0, margin - x)`` where y = -1."""
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Columns in parts: along the second axis, a vector along its only one."""
def hstack(tensors: Any) -> Tensor:
    """Tensors side by side: along the second axis, vectors along their only one."""
def huber_loss(
    input: Any,
    target: Any,
    reduction: str = 'mean',
    delta: builtins.float = 1.0,
    weight: Any = None,
) -> Tensor:
    """``d²/2`` where ``|d| ≤ δ``, ``δ (|d| - δ/2)`` further out; reduced."""
def hypot(x: Operand, y: Operand) -> Tensor:
    """``√(x² + y²)``, without overflow on the way."""
def i0(x: Operand) -> Tensor:
    """``I₀(x) = Σ (x/2)^(2k) / (k!)²``."""
def i0e(x: Operand) -> Tensor:
    """``e^-|x| I₀(x)``, which does not overflow."""
def i1(x: Operand) -> Tensor:
    """``I₁(x) = Σ (x/2)^(2k+1) / (k! (k+1)!)``, the slope of I₀."""
def i1e(x: Operand) -> Tensor:
    """``e^-|x| I₁(x)``, which does not overflow."""
def im2col(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    stride: builtins.int | tuple[builtins.int, ...] = 1,
) -> Tensor:
    """All windows of pictures (B, C, H, W) as columns (B, C·k·l, L): ``nn.functional.unfold``."""
def index_add(
    input: Tensor,
    dim: builtins.int,
    index: Any,
    source: Any,
    *,
    alpha: Any = 1,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `input` with ``out[index[i]] += alpha · source[i]`` along `dim`; duplicates add up."""
def index_add_at(x: Operand, index: Any, values: Operand) -> Tensor:
    """A copy of `x` with `values` added at ``x[index]``, duplicates summed."""
def index_copy(
    input: Tensor,
    dim: builtins.int,
    index: Any,
    source: Any,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `input` with ``out[index[i]] = source[i]`` along `dim`."""
def index_fill(
    input: Tensor,
    dim: builtins.int,
    index: Any,
    value: Any,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `input` with the slices named by `index` along `dim` set to `value`."""
def index_put(input: Tensor, indices: Any, values: Any, accumulate: builtins.bool = False) -> Tensor:
    """A copy of `input` with ``out[indices] = values``, or ``+=`` with duplicates added up."""
def index_reduce(
    input: Tensor,
    dim: builtins.int,
    index: Any,
    source: Any,
    reduce: str,
    *,
    include_self: builtins.bool = True,
    axis: builtins.int = ...,
) -> Tensor:
    """:func:`scatter_reduce` of whole slices: ``source[i]`` goes to ``input[index[i]]``."""
def index_select(x: Tensor, dim: builtins.int, index: Any, *, axis: builtins.int = ...) -> Tensor:
    """The slices of `x` named by a vector of indices (or one) along `dim`."""
def inner(input: Any, other: Any) -> Tensor:
    """``Σ x · y`` over the last axes, for all pairs of the others."""
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: builtins.bool = True,
    momentum: builtins.float = 0.1,
    eps: builtins.float = 1e-05,
) -> Tensor:
    """Mean 0 and variance 1 over the pixels of each channel of each sample (Ulyanov et al. 2016)."""
def int(x: Tensor) -> Tensor:
    """As int32."""
int16: Any
int32: Any
int64: Any
int8: Any
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = 'nearest',
    align_corners: builtins.bool | None = None,
    recompute_scale_factor: builtins.bool | None = None,
    antialias: builtins.bool = False,
) -> Tensor:
    """Pictures (B, C, …) with 1 to 3 spatial axes, made larger or smaller."""
def inverse(A: Operand) -> Tensor:
    """The inverse of square matrices (…, n, n) (Giles 2008, 2.2.3)."""
def isclose(
    x: Any,
    other: Any,
    rtol: builtins.float = 1e-05,
    atol: builtins.float = 1e-08,
    equal_nan: builtins.bool = False,
) -> Tensor:
    """``|x - other| ≤ atol + rtol |other|``; infinities are close to themselves alone."""
def isfinite(x: Operand) -> Tensor:
    """True where x is a finite number."""
def isinf(x: Operand) -> Tensor:
    """True where x is infinite."""
def isnan(x: Operand) -> Tensor:
    """True where x is not a number."""
def isneginf(x: Any) -> Tensor:
    """True where x is -∞."""
def isposinf(x: Any) -> Tensor:
    """True where x is ∞."""
def kl_div(
    input: Any,
    target: Any,
    *,
    reduction: str = 'mean',
    log_target: builtins.bool = False,
) -> Tensor:
    """``t (log t - input)`` for log-probabilities `input` and probabilities t, reduced."""
def kron(input: Any, other: Any) -> Tensor:
    """Kronecker's product: every element of `input` times all of `other`, in blocks."""
def kthvalue(
    x: Any,
    k: builtins.int,
    dim: builtins.int = -1,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int = ...,
    keepdims: builtins.bool = ...,
) -> Any:
    """The k-th smallest element along `dim`, counted from 1: ``values, indices``."""
def l1_loss(
    input: Any,
    target: Any,
    *,
    reduction: str = 'mean',
    weight: Any = None,
) -> Tensor:
    """``|input - target|``, reduced; `weight` has the input's shape."""
def layer_norm(
    input: Tensor,
    normalized_shape: builtins.int | tuple[builtins.int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: builtins.float = 1e-05,
) -> Tensor:
    """Mean 0 and variance 1 over the last axes, which have `normalized_shape`; then ``· w + b``."""
def ldexp(x: Any, other: Any) -> Tensor:
    """``x · 2ʸ`` with ``y = other``."""
def le(x: Operand, y: Operand) -> Tensor:
    """``x <= y``."""
def leaky_relu(x: Operand, negative_slope: builtins.float = 0.01) -> Tensor:
    """``x`` where positive, ``negative_slope · x`` elsewhere."""
def lerp(x: Any, end: Any, weight: Any) -> Tensor:
    """``x + weight · (end - x)``, exact at both ends."""
def less(x: Operand, y: Operand) -> Tensor:
    """``x < y``."""
def less_equal(x: Operand, y: Operand) -> Tensor:
    """``x <= y``."""
def lgamma(x: Operand) -> Tensor:
    """``log |Γ(x)|``; ∞ at the poles 0, -1, -2, …"""
def linalg_cholesky(A: Any, *, upper: builtins.bool = False) -> Tensor:
    """The lower triangular L with ``L Lᵀ = A``, or its transpose if `upper`."""
def linalg_cond(A: Any, p: Any = None) -> Tensor:
    """The condition number: ``‖A‖ · ‖A⁻¹‖``, in the 2-norm (the default) the ratio of the largest"""
def linalg_cross(input: Any, other: Any, *, dim: builtins.int = -1, axis: builtins.int = ...) -> Tensor:
    """The vector product along `dim`, which has extent 3: orthogonal to both."""
def linalg_eigh(A: Any, UPLO: str = 'L') -> Any:
    """Eigenvalues, ascending, and eigenvectors (columns) of symmetric matrices."""
def linalg_eigvalsh(A: Any, UPLO: str = 'L') -> Tensor:
    """The eigenvalues of symmetric matrices, ascending."""
def linalg_lstsq(A: Any, B: Any, rcond: Any = None, *, driver: str | None = None) -> Any:
    """X that makes ``‖A X - B‖`` least, of several the shortest: ``A⁺ B``."""
def linalg_matrix_norm(
    A: Any,
    ord: Any = 'fro',
    dim: Any = (-2, -1),
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """A norm of the matrices in the axes `dim`."""
def linalg_matrix_rank(
    A: Any,
    tol: Any = None,
    *,
    atol: Any = None,
    rtol: Any = None,
    hermitian: builtins.bool = False,
) -> Tensor:
    """How many singular values are larger than ``max(atol, rtol · the largest)``."""
def linalg_multi_dot(tensors: Any, *more: Any) -> Tensor:
    """The product of many matrices in the order that takes the fewest multiplications."""
def linalg_norm(
    A: Any,
    ord: Any = None,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The 2-norm of all elements, the vector norm along one axis, or the matrix norm in two."""
def linalg_pinv(
    A: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    hermitian: builtins.bool = False,
) -> Tensor:
    """The pseudo-inverse (Moore, Penrose) of (…, m, n): (…, n, m)."""
def linalg_qr(A: Any, mode: str = 'reduced') -> Any:
    """``A = Q R`` with orthonormal columns and an upper triangle; the signs are LAPACK's."""
def linalg_solve(A: Any, B: Any, *, left: builtins.bool = True) -> Tensor:
    """X with ``A X = B`` (``X A = B`` unless `left`); B holds vectors (…, n) or columns (…, n, k)."""
def linalg_solve_triangular(
    A: Any,
    B: Any,
    *,
    upper: builtins.bool,
    left: builtins.bool = True,
    unitriangular: builtins.bool = False,
) -> Tensor:
    """X with ``A X = B``, only one triangle of A being read (its diagonal 1 if `unitriangular`)."""
def linalg_svd(A: Any, full_matrices: builtins.bool = True, *, driver: str | None = None) -> Any:
    """``A = U diag(S) Vh``, S descending; of each column of U the largest number is positive."""
def linalg_svdvals(A: Any, *, driver: str | None = None) -> Tensor:
    """The singular values, in descending order."""
def linalg_vecdot(x: Any, y: Any, *, dim: builtins.int = -1, axis: builtins.int = ...) -> Tensor:
    """``Σ x · y`` along `dim`, the other axes broadcast."""
def linalg_vector_norm(
    x: Any,
    ord: builtins.float = 2,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``(Σ |x|^ord)^(1/ord)`` over the axes `dim`, all if None; ±inf: the largest, the smallest."""
def linear(x: Operand, w: Operand, b: Operand = None) -> Tensor:
    """``x wᵀ + b`` with x (…, in), w (out, in), b (out,): a layer in one operator."""
def linspace(
    start: builtins.float,
    end: builtins.float,
    steps: builtins.int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """`steps` values from `start` to `end`, both included."""
def local_response_norm(
    input: Any,
    size: builtins.int,
    alpha: builtins.float = 0.0001,
    beta: builtins.float = 0.75,
    k: builtins.float = 1.0,
) -> Tensor:
    """``x / (k + alpha · mean of x² over `size` neighbouring channels)^beta`` (Krizhevsky 2012)."""
def log(x: Operand) -> Tensor:
    """The natural logarithm."""
def log10(x: Operand) -> Tensor:
    """The logarithm to base 10."""
def log1p(x: Operand) -> Tensor:
    """``log(1 + x)``, accurate near 0."""
def log2(x: Operand) -> Tensor:
    """The logarithm to base 2."""
def log_ndtr(x: Operand) -> Tensor:
    """``log Φ(x)``, without underflow far to the left."""
def log_softmax(x: Operand, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
    """``x_i - log Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""
def logaddexp(x: Operand, y: Operand) -> Tensor:
    """``log(eˣ + eʸ)``."""
def logaddexp2(x: Any, other: Any) -> Tensor:
    """``log₂(2ˣ + 2ʸ)``."""
def logcumsumexp(x: Any, dim: builtins.int, *, axis: builtins.int = ...) -> Tensor:
    """``log Σ_{j≤i} e^(x_j)`` along `dim`, without overflow."""
def logdet(input: Any) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
def logical_and(x: Operand, y: Operand) -> Tensor:
    """Both are non-zero."""
def logical_not(x: Operand) -> Tensor:
    """True where x is zero."""
def logical_or(x: Operand, y: Operand) -> Tensor:
    """One at least is non-zero."""
def logical_xor(x: Operand, y: Operand) -> Tensor:
    """Exactly one is non-zero."""
def logit(x: Any, eps: builtins.float | None = None) -> Tensor:
    """``log(x / (1 - x))``, the inverse of the sigmoid; `x` limited to [eps, 1 - eps] if given."""
def logsigmoid(x: Operand) -> Tensor:
    """``log σ(x) = min(x, 0) - log(1 + e^-|x|)``."""
def logsoftmax(x: Operand, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
    """``x_i - log Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""
def logsumexp(
    x: Operand,
    dim: builtins.int | tuple[builtins.int, ...] | None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``log Σ eˣ`` over `dim`, without overflow; its slope is the softmax."""
def long(x: Tensor) -> Tensor:
    """As int64."""
def lp_pool1d(
    input: Any,
    norm_type: builtins.float,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    ceil_mode: builtins.bool = False,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window of (B, C, L)."""
def lp_pool2d(
    input: Any,
    norm_type: builtins.float,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    ceil_mode: builtins.bool = False,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window of (B, C, H, W)."""
def lp_pool3d(
    input: Any,
    norm_type: builtins.float,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    ceil_mode: builtins.bool = False,
) -> Tensor:
    """``(Σ x^p)^(1/p)`` over each window of (B, C, D, H, W)."""
def lt(x: Operand, y: Operand) -> Tensor:
    """``x < y``."""
def mae(x: Operand, y: Operand) -> Tensor:
    """``|x - y|``, elementwise; its slope at 0 is taken as 0."""
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: builtins.float = 0.0,
    reduction: str = 'mean',
) -> Tensor:
    """``max(0, -y (x₁ - x₂) + margin)``: x₁ is ahead where y = 1, behind where y = -1."""
def masked_fill(x: Tensor, mask: Any, value: Any) -> Tensor:
    """`x` with `value` where `mask` holds; the dtype stays that of `x`."""
def masked_scatter(input: Tensor, mask: Any, source: Any) -> Tensor:
    """A copy of `input`, the elements where `mask` holds taken from `source` one after another."""
def masked_select(input: Tensor, mask: Any) -> Tensor:
    """The elements of `input` where `mask` holds, as a vector; the two are broadcast."""
def matmul(x: Operand, y: Operand) -> Tensor:
    """``x @ y``: vectors, matrices, or batches of matrices, whose leading axes broadcast."""
def matrix_power(input: Any, n: builtins.int) -> Tensor:
    """The product of `n` copies of square matrices, by repeated squaring; of the inverse if n < 0."""
def max(
    x: Any,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = None,
    other: Any = None,
    keepdims: builtins.bool = ...,
) -> Any:
    """The largest element: of all, of two tensors elementwise, or with its index along `dim`."""
def max_pool1d(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    ceil_mode: builtins.bool = False,
    return_indices: builtins.bool = False,
) -> Any:
    """The largest of each window of (B, C, L); see :func:`max_pool2d`."""
def max_pool1d_with_indices(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    ceil_mode: builtins.bool = False,
    return_indices: builtins.bool = True,
) -> tuple[Tensor, Tensor]:
    """``max_pool1d(…, return_indices=True)``: the largest, and their places."""
def max_pool2d(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    ceil_mode: builtins.bool = False,
    return_indices: builtins.bool = False,
) -> Any:
    """The largest of each window: (B, C, H, W) → (B, C, H', W')."""
def max_pool2d_with_indices(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    ceil_mode: builtins.bool = False,
    return_indices: builtins.bool = True,
) -> tuple[Tensor, Tensor]:
    """``max_pool2d(…, return_indices=True)``: the largest, and their places."""
def max_pool3d(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    ceil_mode: builtins.bool = False,
    return_indices: builtins.bool = False,
) -> Any:
    """The largest of each window of (B, C, D, H, W); see :func:`max_pool2d`."""
def max_pool3d_with_indices(
    input: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    dilation: builtins.int | tuple[builtins.int, ...] = 1,
    ceil_mode: builtins.bool = False,
    return_indices: builtins.bool = True,
) -> tuple[Tensor, Tensor]:
    """``max_pool3d(…, return_indices=True)``: the largest, and their places."""
def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    output_size: Any = None,
) -> Tensor:
    """What :func:`max_pool1d` made smaller, the largest at their places and zeros elsewhere."""
def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    output_size: Any = None,
) -> Tensor:
    """What :func:`max_pool2d` made smaller, the largest at their places and zeros elsewhere."""
def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: builtins.int | tuple[builtins.int, ...],
    stride: builtins.int | tuple[builtins.int, ...] | None = None,
    padding: builtins.int | tuple[builtins.int, ...] = 0,
    output_size: Any = None,
) -> Tensor:
    """What :func:`max_pool3d` made smaller, the largest at their places and zeros elsewhere."""
def maximum(x: Operand, y: Operand) -> Tensor:
    """The larger of two; equal ones share the gradient."""
def mean(
    x: Any,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``Σ x / n`` over the axes `dim`."""
def median(
    x: Any,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Any:
    """The middle element, the lower of two: of all, or ``values, indices`` along `dim`."""
def meshgrid(*tensors: Any, indexing: str = 'ij') -> tuple[Tensor, ...]:
    """The coordinates of a grid: for vectors of n and m numbers two tensors (n, m)."""
def min(
    x: Any,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | tuple[builtins.int, ...] | None = None,
    other: Any = None,
    keepdims: builtins.bool = ...,
) -> Any:
    """The smallest element; the call forms are those of :func:`max`."""
def minimum(x: Operand, y: Operand) -> Tensor:
    """The smaller of two; equal ones share the gradient."""
def mish(x: Any, inplace: builtins.bool = False) -> Tensor:
    """``x · tanh(softplus(x))`` (Misra 2019)."""
def mm(input: Any, mat2: Any) -> Tensor:
    """The matrix product of two matrices (or batches of them)."""
def mode(
    x: Any,
    dim: builtins.int = -1,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int = ...,
    keepdims: builtins.bool = ...,
) -> Any:
    """The most frequent element along `dim`, the smallest of several: ``values, indices``."""
def moveaxis(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The axes `source` at the places `destination`, the others in their order."""
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The axes `source` at the places `destination`, the others in their order."""
def mse(x: Operand, y: Operand) -> Tensor:
    """``(x - y)²``, elementwise."""
def mse_loss(
    input: Any,
    target: Any,
    *,
    reduction: str = 'mean',
    weight: Any = None,
) -> Tensor:
    """``(input - target)²``, reduced; `weight` has the input's shape."""
def msort(x: Any) -> Tensor:
    """`x` sorted along its first axis."""
def mul(x: Operand, y: Operand) -> Tensor:
    """``x · y``, elementwise."""
def mul_scalar(x: Operand, scalar: builtins.float) -> Tensor:
    """x · scalar."""
def multi_margin_loss(
    input: Any,
    target: Any,
    p: builtins.int = 1,
    margin: builtins.float = 1.0,
    weight: Any = None,
    reduction: str = 'mean',
) -> Tensor:
    """``Σ_{j≠y} w_y max(0, margin - x_y + x_j)^p / C`` for scores x (B, C) and classes y (B,)."""
def multigammaln(x: Any, p: builtins.int) -> Tensor:
    """``log π · p (p - 1) / 4 + Σ_{j<p} log Γ(x - j/2)``: the gamma function of p × p matrices."""
def multilabel_margin_loss(input: Any, target: Any, reduction: str = 'mean') -> Tensor:
    """``Σ_{j,i} max(0, 1 - x_{y_j} + x_i) / C`` over right classes y_j and wrong ones i."""
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = 'mean',
) -> Tensor:
    """``-Σ_c (y_c log σ(x_c) + (1 - y_c) log σ(-x_c)) / C`` for x and y of 0 and 1, (B, C)."""
def multiply(x: Operand, y: Operand) -> Tensor:
    """``x · y``, elementwise."""
def mv(input: Any, vec: Any) -> Tensor:
    """The product of a matrix and a vector."""
def mvlgamma(x: Any, p: builtins.int) -> Tensor:
    """``log π · p (p - 1) / 4 + Σ_{j<p} log Γ(x - j/2)``: the gamma function of p × p matrices."""
def nan_to_num(
    x: Any,
    nan: builtins.float | None = None,
    posinf: builtins.float | None = None,
    neginf: builtins.float | None = None,
) -> Tensor:
    """`x` with NaN, ∞ and -∞ replaced: by 0, and by the largest numbers of the dtype, unless given."""
def nanmean(
    x: Any,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The mean over `dim` of what is no NaN."""
def nanmedian(
    x: Any,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    *,
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Any:
    """:func:`median` of what is no NaN."""
def nanquantile(
    x: Any,
    q: Any,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    *,
    interpolation: str = 'linear',
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """:func:`quantile` of what is no NaN."""
def nansum(
    x: Any,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The sum over `dim` with 0 for NaN."""
def narrow(input: Tensor, dim: builtins.int, start: Any, length: builtins.int, *, axis: builtins.int = ...) -> Tensor:
    """``input[start : start + length]`` along `dim`."""
def ndtr(x: Any) -> Tensor:
    """The normal distribution ``Φ(x) = ½ erfc(-x/√2)``, with all digits in both tails."""
def ndtri(x: Operand) -> Tensor:
    """The y with ``Φ(y) = x``: the normal distribution's quantile, for ``0 ≤ x ≤ 1``."""
def ne(x: Operand, y: Operand) -> Tensor:
    """``x != y``."""
def neg(x: Operand) -> Tensor:
    """``-x``."""
def negate(x: Tensor) -> Tensor:
    """-x."""
def negative(x: Operand) -> Tensor:
    """``-x``."""
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: builtins.int = -100,
    reduction: str = 'mean',
) -> Tensor:
    """``-w[target] · input[target]`` for log-probabilities (B, C, …) and class numbers (B, …)."""
def nonzero(input: Tensor, *, as_tuple: builtins.bool = False) -> Any:
    """The positions of all elements that are not 0: a row for each, or a vector for each axis."""
def norm(
    x: Any,
    p: Any = 'fro',
    dim: Any = None,
    keepdim: builtins.bool = False,
    dtype: Any = None,
    *,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``(Σ |x|^p)^(1/p)`` over the axes `dim`: the length of a vector, however it is arranged."""
def normalize(
    x: Any,
    p: builtins.float = 2.0,
    dim: builtins.int = 1,
    eps: builtins.float = 1e-12,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """``x / max(‖x‖_p, ε)`` along `dim`."""
def not_equal(x: Operand, y: Operand) -> Tensor:
    """``x != y``."""
def one_hot(x: Any, num_classes: builtins.int = -1) -> Tensor:
    """A 1 at each class number, 0 elsewhere: (…) → (…, C), as int64."""
def ones(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """Ones: ``ones(2, 3)`` or ``ones((2, 3))``."""
def ones_like(x: Tensor, *, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
    """Ones in the shape and dtype of `x`."""
def outer(input: Any, vec2: Any) -> Tensor:
    """``x_i y_j`` for two vectors."""
def pad(
    input: Tensor,
    pad: tuple[builtins.int, ...],
    mode: str = 'constant',
    value: builtins.float | None = None,
) -> Tensor:
    """Padding in PyTorch's order: ``(left, right, top, bottom, …)``, last axis first."""
def pairwise_distance(
    x1: Any,
    x2: Any,
    p: builtins.float = 2.0,
    eps: builtins.float = 1e-06,
    keepdim: builtins.bool = False,
    *,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``‖x₁ - x₂ + ε‖_p`` along the last axis; the shapes broadcast."""
def pdist(x: Any, p: builtins.float = 2.0) -> Tensor:
    """``‖x_i - x_j‖_p`` for all i < j of the rows of x (N, D), as (N (N - 1) / 2,)."""
def permute(x: Operand, *dims: Any) -> Tensor:
    """Axes in another order."""
def pinverse(input: Any, rcond: builtins.float = 1e-15) -> Tensor:
    """The pseudo-inverse, singular values up to `rcond` times the largest counted as 0."""
def pixel_shuffle(input: Any, upscale_factor: builtins.int) -> Tensor:
    """(…, C·r², H, W) → (…, C, H·r, W·r): channels become pixels (Shi et al. 2016)."""
def pixel_unshuffle(input: Any, downscale_factor: builtins.int) -> Tensor:
    """(…, C, H·r, W·r) → (…, C·r², H, W): undoes :func:`pixel_shuffle`."""
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: builtins.bool = True,
    full: builtins.bool = False,
    eps: builtins.float = 1e-08,
    reduction: str = 'mean',
) -> Tensor:
    """``e^x - y x`` for counts y with the logarithm x of their expectation."""
def polygamma(n: builtins.int, x: Operand) -> Tensor:
    """The n-th derivative of the digamma function ``ψ(x) = d/dx log Γ(x)``."""
def positive(x: Tensor) -> Tensor:
    """``+x``, which is `x`."""
def pow(x: Operand, y: Operand) -> Tensor:
    """``xʸ``; a whole number as exponent is a product, so negative bases are fine."""
def power_scalar(x: Operand, scalar: builtins.float) -> Tensor:
    """x ** scalar, the exponent being a parameter of the operator."""
def prelu(x: Any, weight: Any) -> Tensor:
    """``x`` where positive, else ``w x``; w is learned, one or one for each channel of (B, C, …)."""
def prod(
    x: Any,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``Π x`` over `dim`; right also where factors are zero."""
def psi(x: Any) -> Tensor:
    """``ψ(x) = d/dx log Γ(x)``."""
def put(input: Tensor, index: Any, source: Any, accumulate: builtins.bool = False) -> Tensor:
    """A copy of `input` with its flat elements at `index` set to `source`, or it added to them."""
def qr(input: Any, some: builtins.bool = True) -> Any:
    """As :func:`linalg_qr`: reduced, or complete unless `some`."""
def quantile(
    x: Any,
    q: Any,
    dim: builtins.int | None = None,
    keepdim: builtins.bool = False,
    *,
    interpolation: str = 'linear',
    axis: builtins.int | None = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The value below which the share `q` of the elements lies, along `dim` or of all."""
def rad2deg(x: Any) -> Tensor:
    """Radians as degrees: ``x 180 / π``."""
def rand(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """Uniform in [0, 1)."""
def rand_like(x: Tensor, *, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
    """Uniform in [0, 1), in the shape and dtype of `x`."""
def randint(
    low: builtins.int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = 'int64',
    device: Any = None,
) -> Tensor:
    """Whole numbers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``."""
def randn(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """Normal with mean 0 and standard deviation 1."""
def randn_like(x: Tensor, *, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
    """Normal numbers, in the shape and dtype of `x`."""
def randperm(n: builtins.int, *, generator: Any = None, device: Any = None) -> Tensor:
    """The numbers 0 … n-1 in random order."""
def ravel(input: Tensor) -> Tensor:
    """All elements as one vector."""
def reciprocal(x: Operand) -> Tensor:
    """``1 / x``."""
def relu(x: Operand) -> Tensor:
    """``max(x, 0)``; its slope at 0 is taken as 0."""
def relu6(x: Tensor) -> Tensor:
    """``min(max(x, 0), 6)``."""
def remainder(x: Operand, y: Operand) -> Tensor:
    """``x - y ⌊x / y⌋``: the sign of `y`, as Python's ``%``."""
def repeat(input: Tensor, *sizes: Any, repeats: Any = None) -> Tensor:
    """`input` so many times over along each axis; further axes are added in front."""
def repeat_interleave(
    input: Tensor,
    repeats: Any = None,
    dim: builtins.int | None = None,
    *,
    output_size: builtins.int | None = None,
    axis: builtins.int | None = ...,
) -> Tensor:
    """Each slice along `dim` repeated in place: ``[a, b]`` twice is ``[a, a, b, b]``."""
def reshape(x: Operand, *shape: Any) -> Tensor:
    """The same elements in another shape; one extent may be -1."""
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of `other`."""
def rms_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    eps: builtins.float | None = None,
) -> Tensor:
    """``x / √(mean(x²) + ε) · w`` over the last axes, which have `normalized_shape`."""
def roll(x: Operand, shifts: Any, dims: Any = None) -> Tensor:
    """Elements shifted by `shifts` along `dims`; what leaves at one end enters at the other."""
def rot90(input: Tensor, k: builtins.int = 1, dims: Any = (0, 1)) -> Tensor:
    """The plane of `dims` turned `k` quarters, from the first axis towards the second."""
def round(x: Any, *, decimals: builtins.int = 0) -> Tensor:
    """The nearest whole number; halves go to the even one."""
def row_stack(tensors: Any) -> Tensor:
    """Tensors below each other: along the first axis, vectors as rows."""
def rrelu(
    x: Any,
    lower: builtins.float = 0.125,
    upper: builtins.float = 0.3333333333333333,
    training: builtins.bool = False,
    inplace: builtins.bool = False,
) -> Tensor:
    """A leaky ReLU, its slope drawn from [lower, upper) while `training`, else their middle."""
def rsqrt(x: Operand) -> Tensor:
    """``1 / √x``."""
def rsub(x: Any, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
    """``other - α · x``."""
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: builtins.float = 0.0,
    is_causal: builtins.bool = False,
    scale: builtins.float | None = None,
    enable_gqa: builtins.bool = False,
) -> Tensor:
    """``softmax(q kᵀ · scale + mask) v`` (Vaswani et al. 2017, equation 1)."""
def scatter(
    input: Tensor,
    dim: builtins.int,
    index: Any,
    src: Any = None,
    *,
    value: Any = None,
    reduce: Any = None,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `input` with ``out[index[i][j]][j] = src[i][j]`` for dim 0; `src` may be a number."""
def scatter_add(
    x: Operand,
    dim: builtins.int,
    index: Operand,
    src: Operand,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `x` with ``out[index[i][j]][j] += src[i][j]`` for dim 0."""
def scatter_reduce(
    input: Tensor,
    dim: builtins.int,
    index: Any,
    src: Any,
    reduce: str,
    *,
    include_self: builtins.bool = True,
    axis: builtins.int = ...,
) -> Tensor:
    """All ``src[i][j]`` with the same ``index[i][j]``, and ``input[index][j]``, made one (dim 0)."""
def searchsorted(
    sorted_sequence: Any,
    x: Any,
    *,
    out_int32: builtins.bool = False,
    right: builtins.bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """Where each value of `x` belongs in a sorted sequence so that it stays sorted."""
def select(input: Tensor, dim: builtins.int, index: builtins.int, *, axis: builtins.int = ...) -> Tensor:
    """The slice number `index` along `dim`, that axis gone."""
def select_scatter(
    input: Tensor,
    src: Any,
    dim: builtins.int,
    index: builtins.int,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `input` with ``select(input, dim, index)`` replaced by `src`."""
def selu(x: Any, inplace: builtins.bool = False) -> Tensor:
    """``1.0507 · elu(x, 1.6733)``, which keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
def setitem(x: Operand, index: Any, values: Operand) -> Tensor:
    """A copy of `x` with ``x[index] = values``."""
def sgn(x: Any) -> Tensor:
    """:func:`sign`, by the name it has for complex numbers too."""
def sigmoid(x: Operand) -> Tensor:
    """``σ(x) = 1 / (1 + e⁻ˣ)``."""
def sign(x: Operand) -> Tensor:
    """-1, 0 or 1; 0 for a NaN, as in PyTorch; the gradient is 0."""
def signbit(x: Operand) -> Tensor:
    """Whether the sign is minus, of -0.0 too."""
def silu(x: Operand) -> Tensor:
    """``x σ(x)`` with the sigmoid σ (Elfwing et al. 2017)."""
def sin(x: Operand) -> Tensor:
    """``sin x``."""
def sinc(x: Any) -> Tensor:
    """``sin(πx) / (πx)``, and 1 at 0."""
def sinh(x: Operand) -> Tensor:
    """``(eˣ - e⁻ˣ) / 2``."""
def slice_scatter(
    input: Tensor,
    src: Any,
    dim: builtins.int = 0,
    start: builtins.int | None = None,
    end: builtins.int | None = None,
    step: builtins.int = 1,
    *,
    axis: builtins.int = ...,
) -> Tensor:
    """A copy of `input` with ``input[start:end:step]`` along `dim` replaced by `src`."""
def slogdet(A: Any) -> Any:
    """The sign of the determinant and the logarithm of its size: ``det = sign · e^logabsdet``."""
def smooth_l1_loss(
    input: Any,
    target: Any,
    *,
    reduction: str = 'mean',
    beta: builtins.float = 1.0,
) -> Tensor:
    """``d²/2β`` where ``|d| ≤ β``, ``|d| - β/2`` further out; reduced."""
def soft_margin_loss(input: Any, target: Any, reduction: str = 'mean') -> Tensor:
    """``log(1 + e^(-y x))`` for y of 1 and -1."""
def softmax(x: Operand, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
    """``e^(x_i) / Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""
def softmax_loss(logits: Any, one_hot: Any) -> Tensor:
    """The mean of ``log Σ e^z - Σ y·z`` for logits z (B, C) and one-hot rows y (B, C)."""
def softmin(x: Any, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
    """``softmax(-x)`` along `dim`."""
def softplus(x: Operand, beta: builtins.float = 1.0, threshold: builtins.float = 20.0) -> Tensor:
    """``log(1 + e^(βx)) / β``, a smooth relu; ``x`` itself where ``βx`` exceeds `threshold`."""
def softshrink(x: Any, lambd: builtins.float = 0.5) -> Tensor:
    """``x`` brought nearer to 0 by λ, and 0 where ``|x| ≤ λ``."""
def softsign(x: Any) -> Tensor:
    """``x / (1 + |x|)``."""
def sort(
    x: Any,
    dim: builtins.int = -1,
    descending: builtins.bool = False,
    stable: builtins.bool = False,
    *,
    axis: builtins.int = ...,
) -> Any:
    """``values, indices`` in ascending order along `dim`; always stable."""
def split(
    x: Tensor,
    split_size_or_sections: Any,
    dim: builtins.int = 0,
    *,
    axis: builtins.int | None = None,
) -> tuple[Tensor, ...]:
    """`x` cut along `dim` into pieces of one size, or of the sizes listed."""
def split_with_sizes(
    input: Tensor,
    split_sizes: Any,
    dim: builtins.int = 0,
    *,
    axis: builtins.int = ...,
) -> tuple[Tensor, ...]:
    """`input` cut along `dim` into pieces of the sizes listed."""
def sqrt(x: Operand) -> Tensor:
    """``√x``."""
def square(x: Operand) -> Tensor:
    """``x²``."""
def squeeze(x: Operand, *dim: Any) -> Tensor:
    """Axes of extent 1 removed: all of them, or those named by `dim`."""
def stack(tensors: Sequence[Operand], dim: builtins.int = 0, *, axis: builtins.int = ...) -> Tensor:
    """Tensors of one shape joined along a new axis."""
def std(
    x: Any,
    dim: Any = None,
    unbiased: builtins.bool = True,
    keepdim: builtins.bool = False,
    *,
    correction: builtins.float | None = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """The square root of :func:`var`, with the same arguments."""
def std_mean(
    x: Any,
    dim: Any = None,
    unbiased: builtins.bool = True,
    keepdim: builtins.bool = False,
    *,
    correction: builtins.float | None = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> tuple[Tensor, Tensor]:
    """:func:`std` and the mean, with the same arguments."""
def sub(x: Any, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
    """``x - y``."""
def subtract(x: Any, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
    """``x - y``."""
def sum(
    x: Any,
    dim: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    axis: builtins.int | tuple[builtins.int, ...] | None = None,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``Σ x`` over the axes `dim` (all when None)."""
def summation(x: Tensor, axes: Any = None) -> Tensor:
    """Σ x over the given axes, or over all."""
def svd(input: Any, some: builtins.bool = True, compute_uv: builtins.bool = True) -> Any:
    """``input = U diag(S) Vᵀ`` in its older form; without `compute_uv` U and V are zeros."""
def swapaxes(input: Tensor, axis0: builtins.int, axis1: builtins.int) -> Tensor:
    """Two axes exchanged."""
def swapdims(x: Tensor, dim0: builtins.int, dim1: builtins.int) -> Tensor:
    """Two axes exchanged."""
def swish(x: Operand) -> Tensor:
    """``x σ(x)`` with the sigmoid σ (Elfwing et al. 2017)."""
def t(x: Tensor) -> Tensor:
    """The transpose of a matrix; vectors stay as they are."""
def take(input: Tensor, index: Any) -> Tensor:
    """``input.flatten()[index]``, in the shape of `index`."""
def take_along_dim(
    input: Tensor,
    indices: Any,
    dim: builtins.int | None = None,
    *,
    axis: builtins.int | None = ...,
) -> Tensor:
    """``out[.., i, ..] = input[.., indices[.., i, ..], ..]`` along `dim`, of all elements if None."""
def tan(x: Operand) -> Tensor:
    """``tan x``."""
def tanh(x: Operand) -> Tensor:
    """``(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)``."""
def tanhshrink(x: Any) -> Tensor:
    """``x - tanh x``."""
def tensor(*args: Any, **kwargs: Any) -> Tensor:
    """Call self as a function."""
def tensor_split(
    input: Tensor,
    indices_or_sections: Any,
    dim: builtins.int = 0,
    *,
    axis: builtins.int = ...,
) -> tuple[Tensor, ...]:
    """`input` cut along `dim` into so many nearly equal parts, or before each of the indices."""
def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Products summed over axes: the last `dims` of a with the first of b, or the axes listed."""
def threshold(x: Any, threshold: builtins.float, value: builtins.float, inplace: builtins.bool = False) -> Tensor:
    """``x`` where it exceeds `threshold`, else `value`."""
def tile(input: Tensor, *sizes: Any, dims: Any = None) -> Tensor:
    """As :func:`repeat`; where counts are missing in front they are 1."""
def to(
    x: Tensor,
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    copy: builtins.bool = False,
    non_blocking: builtins.bool = False,
) -> Tensor:
    """`x` on another device or in another dtype: ``to("cpu")``, ``to(dd.float64)``, ``to(y)``."""
def topk(
    x: Any,
    k: builtins.int,
    dim: builtins.int = -1,
    largest: builtins.bool = True,
    sorted: builtins.bool = True,
    *,
    axis: builtins.int = ...,
) -> Any:
    """The `k` largest elements along `dim` (the smallest if not `largest`): ``values, indices``."""
def trace(x: Tensor) -> Tensor:
    """``Σ x[i, i]`` of a matrix."""
def transpose(x: Tensor, dim0: builtins.int, dim1: builtins.int) -> Tensor:
    """Two axes exchanged."""
def tril(x: Operand, diagonal: builtins.int = 0) -> Tensor:
    """The lower triangle; `diagonal` moves its edge up."""
def tril_indices(row: builtins.int, col: builtins.int, offset: builtins.int = 0, *, device: Any = None) -> Tensor:
    """Rows and columns of the lower triangle of a (row, col) matrix, (2, n)."""
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: builtins.float = 1.0,
    p: builtins.float = 2.0,
    eps: builtins.float = 1e-06,
    swap: builtins.bool = False,
    reduction: str = 'mean',
) -> Tensor:
    """``max(0, ‖a - p‖ - ‖a - n‖ + margin)``: the like nearer than the unlike, (B, D) each."""
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: builtins.float = 1.0,
    swap: builtins.bool = False,
    reduction: str = 'mean',
) -> Tensor:
    """:func:`triplet_margin_loss` with any distance, :func:`pairwise_distance` unless given."""
def triu(x: Operand, diagonal: builtins.int = 0) -> Tensor:
    """The upper triangle; `diagonal` moves its edge up."""
def triu_indices(row: builtins.int, col: builtins.int, offset: builtins.int = 0, *, device: Any = None) -> Tensor:
    """Rows and columns of the upper triangle of a (row, col) matrix, (2, n)."""
def true_divide(x: Operand, y: Operand) -> Tensor:
    """``x / y``; integers give the default float."""
def trunc(x: Operand) -> Tensor:
    """x without its fractional part."""
def type_as(x: Tensor, other: Tensor) -> Tensor:
    """In the dtype of `other`."""
uint8: Any
def unbind(x: Tensor, dim: builtins.int = 0, *, axis: builtins.int = ...) -> tuple[Tensor, ...]:
    """The slices along `dim`, that axis gone."""
def unflatten(x: Tensor, dim: builtins.int, sizes: tuple[builtins.int, ...], *, axis: builtins.int = ...) -> Tensor:
    """The axis `dim` split into `sizes`."""
def unfold(input: Tensor, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
    """All windows of `size` along an axis, `step` apart, on a new last axis."""
def unfold_copy(input: Tensor, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
    """All windows of `size` along an axis, `step` apart, on a new last axis."""
def unique(
    x: Any,
    sorted: builtins.bool = True,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    dim: builtins.int | None = None,
    *,
    axis: builtins.int | None = ...,
) -> Any:
    """The different elements (or slices along `dim`), in ascending order."""
def unique_consecutive(
    x: Any,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    dim: builtins.int | None = None,
    *,
    axis: builtins.int | None = ...,
) -> Any:
    """`x` without elements (or slices along `dim`) that are equal to the one before."""
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates of flat `indices` in a tensor of `shape`, one tensor per axis."""
def unsqueeze(x: Operand, dim: builtins.int, *, axis: builtins.int = ...) -> Tensor:
    """A new axis of extent 1 at `dim`."""
def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = 'nearest',
    align_corners: builtins.bool | None = None,
) -> Tensor:
    """:func:`interpolate` under its older name."""
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Tensor:
    """:func:`interpolate`, bilinear, corners staying corners."""
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Tensor:
    """:func:`interpolate` to the nearest element."""
def var(
    x: Any,
    dim: Any = None,
    unbiased: builtins.bool = True,
    keepdim: builtins.bool = False,
    *,
    correction: builtins.float | None = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> Tensor:
    """``Σ (x - mean)² / (n - correction)``; correction 1, or 0 if `unbiased` is False."""
def var_mean(
    x: Any,
    dim: Any = None,
    unbiased: builtins.bool = True,
    keepdim: builtins.bool = False,
    *,
    correction: builtins.float | None = None,
    axis: Any = ...,
    keepdims: builtins.bool = ...,
) -> tuple[Tensor, Tensor]:
    """:func:`var` and the mean, with the same arguments."""
def vdot(input: Any, other: Any) -> Tensor:
    """``Σ x · y`` of two vectors."""
def view(x: Operand, *shape: Any) -> Tensor:
    """The same elements in another shape; one extent may be -1."""
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of `other`."""
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Rows in parts: along the first axis of at least two."""
def vstack(tensors: Any) -> Tensor:
    """Tensors below each other: along the first axis, vectors as rows."""
def where(condition: Any, x: Any = None, other: Any = None) -> Any:
    """``x`` where `condition` holds, ``other`` elsewhere; ``where(condition)`` are the places."""
def xlog1py(x: Operand, y: Operand) -> Tensor:
    """``x log(1 + y)``, and 0 where x is 0."""
def xlogy(x: Operand, y: Operand) -> Tensor:
    """``x log y``, and 0 where x is 0."""
def zeros(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """Zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
def zeros_like(x: Tensor, *, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
    """Zeros in the shape and dtype of `x`."""

"""What registration adds to Tensor.

Made by ``make stubs`` (tools/make_stub.py); do not edit.
"""

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from deepdive.core.tensor import Tensor

Operand = Any  # a Tensor, an array, a number or nested lists of numbers

class Registered:
    @property
    def T(self) -> Tensor:
        """All axes in reverse order."""
    def __abs__(self) -> Tensor:
        """``|x|``; its slope at 0 is taken as 0."""
    def __add__(self, y: Operand) -> Tensor:
        """``x + y``."""
    def __and__(self, y: Operand) -> Tensor:
        """Bits set in both."""
    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> Any: ...
    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any: ...
    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The Python array API standard over Tensors (:mod:`deepdive.array_api`)."""
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any: ...
    @property
    def __cuda_array_interface__(self) -> Any:
        """What CuPy, Numba and PyTorch read a GPU's array from; only Tensors on one have it."""
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[builtins.int, builtins.int] | None = None,
        dl_device: tuple[builtins.int, builtins.int] | None = None,
        copy: builtins.bool | None = None,
    ) -> Any:
        """A DLPack capsule on this tensor's memory; see the array API standard for the options."""
    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        """DLPack's device type and number: ``(1, 0)`` for the CPU and native arrays."""
    def __eq__(self, other: Any) -> Any: ...
    def __floordiv__(self, y: Operand) -> Tensor:
        """``⌊x / y⌋``, without a gradient."""
    def __ge__(self, y: Operand) -> Tensor:
        """``x >= y``."""
    def __getitem__(self, index: Any) -> Tensor:
        """``x[index]``: integers, slices, None, Ellipsis, masks, and arrays of integers."""
    def __gt__(self, y: Operand) -> Tensor:
        """``x > y``."""
    def __iadd__(self, other: Any) -> Tensor:
        """``x add= other``: in place only where nothing is tracked."""
    def __imul__(self, other: Any) -> Tensor:
        """``x multiply= other``: in place only where nothing is tracked."""
    def __invert__(self) -> Tensor:
        """All bits flipped."""
    def __ipow__(self, other: Any) -> Tensor:
        """``x pow= other``: in place only where nothing is tracked."""
    def __isub__(self, other: Any) -> Tensor:
        """``x subtract= other``: in place only where nothing is tracked."""
    def __itruediv__(self, other: Any) -> Tensor:
        """``x divide= other``: in place only where nothing is tracked."""
    def __le__(self, y: Operand) -> Tensor:
        """``x <= y``."""
    def __lshift__(self, other: Any) -> Tensor:
        """``x · 2ʸ``: the bits of whole numbers moved `other` places up."""
    def __lt__(self, y: Operand) -> Tensor:
        """``x < y``."""
    def __matmul__(self, y: Operand) -> Tensor:
        """``x @ y``: vectors, matrices, or batches of matrices, whose leading axes broadcast."""
    def __mod__(self, y: Operand) -> Tensor:
        """``x - y ⌊x / y⌋``: the sign of `y`, as Python's ``%``."""
    def __mul__(self, y: Operand) -> Tensor:
        """``x · y``, elementwise."""
    def __ne__(self, other: Any) -> Any: ...
    def __neg__(self) -> Tensor:
        """``-x``."""
    def __or__(self, y: Operand) -> Tensor:
        """Bits set in one at least."""
    def __pos__(self) -> Tensor:
        """``+x``, which is `x`."""
    def __pow__(self, y: Operand) -> Tensor:
        """``xʸ``; a whole number as exponent is a product, so negative bases are fine."""
    def __radd__(self, y: Operand) -> Tensor:
        """``x + y``."""
    def __rand__(self, y: Operand) -> Tensor:
        """Bits set in both."""
    def __rfloordiv__(self, other: Any) -> Tensor: ...
    def __rlshift__(self, other: Any) -> Tensor: ...
    def __rmatmul__(self, other: Any) -> Tensor: ...
    def __rmod__(self, other: Any) -> Tensor: ...
    def __rmul__(self, y: Operand) -> Tensor:
        """``x · y``, elementwise."""
    def __ror__(self, y: Operand) -> Tensor:
        """Bits set in one at least."""
    def __rpow__(self, other: Any) -> Tensor: ...
    def __rrshift__(self, other: Any) -> Tensor: ...
    def __rshift__(self, other: Any) -> Tensor:
        """``⌊x / 2ʸ⌋``: the bits of whole numbers moved `other` places down."""
    def __rsub__(self, other: Any) -> Tensor: ...
    def __rtruediv__(self, other: Any) -> Tensor: ...
    def __rxor__(self, y: Operand) -> Tensor:
        """Bits set in one."""
    def __setitem__(self, index: Any, values: Any) -> None:
        """``x[index] = values``: in place where nothing is tracked, else out of place with gradients."""
    def __sub__(self, y: Operand) -> Tensor:
        """``x - y``."""
    def __truediv__(self, y: Operand) -> Tensor:
        """``x / y``; integers give the default float."""
    def __xor__(self, y: Operand) -> Tensor:
        """Bits set in one."""
    def _repr_html_(self) -> str | None:
        """What a notebook shows (:mod:`deepdive.dash.notebook`); without NumPy just the text."""
    def abs(self) -> Tensor:
        """``|x|``; its slope at 0 is taken as 0."""
    def abs_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.abs(…)``, in place."""
    def absolute(self) -> Tensor:
        """``|x|``; its slope at 0 is taken as 0."""
    def absolute_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.absolute(…)``, in place."""
    def acos(self) -> Tensor:
        """The angle in [0, π] whose cosine is x."""
    def acos_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.acos(…)``, in place."""
    def acosh(self) -> Tensor:
        """The inverse of cosh, for x ≥ 1."""
    def acosh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.acosh(…)``, in place."""
    def add(self, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
        """``x + y``."""
    def add_(self, *args: Any, **kwargs: Any) -> Any:
        """``x = x.add(…)``, in place."""
    def add_scalar(self, scalar: builtins.float) -> Tensor:
        """x + scalar."""
    def addbmm(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """``beta · input + alpha · Σ batch1 @ batch2``, summed over the batch: one product."""
    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
        """``x + value · tensor1 / tensor2``."""
    def addcdiv_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.addcdiv(…)``, in place."""
    def addcmul(self, tensor1: Any, tensor2: Any, *, value: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
        """``x + value · tensor1 · tensor2``."""
    def addcmul_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.addcmul(…)``, in place."""
    def addmm(self, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """``beta · input + alpha · mat1 @ mat2``."""
    def addmv(self, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """``beta · input + alpha · mat @ vec``."""
    def addr(self, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """``beta · input + alpha · vec1 ⊗ vec2``."""
    def adjoint(self) -> Tensor:
        """The last two axes exchanged (real numbers are their own conjugates)."""
    def all(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Whether all elements along `dim` are non-zero."""
    def allclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> builtins.bool:
        """Whether :func:`isclose` holds for all elements, as a Python bool."""
    def amax(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The largest element along `dim`; equal ones share the gradient evenly."""
    def amin(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The smallest element along `dim`; equal ones share the gradient evenly."""
    def aminmax(
        self,
        *,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        axis: builtins.int | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The smallest and the largest element along `dim`."""
    def any(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Whether some element along `dim` is non-zero."""
    def arccos(self) -> Tensor:
        """The angle in [0, π] whose cosine is x."""
    def arccos_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arccos(…)``, in place."""
    def arccosh(self) -> Tensor:
        """The inverse of cosh, for x ≥ 1."""
    def arccosh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arccosh(…)``, in place."""
    def arcsin(self) -> Tensor:
        """The angle in [-π/2, π/2] whose sine is x."""
    def arcsin_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arcsin(…)``, in place."""
    def arcsinh(self) -> Tensor:
        """The inverse of sinh."""
    def arcsinh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arcsinh(…)``, in place."""
    def arctan(self) -> Tensor:
        """The angle in (-π/2, π/2) whose tangent is x."""
    def arctan2(self, y: Operand) -> Tensor:
        """The angle of the point (y, x): ``atan(x / y)`` in the right quadrant."""
    def arctan2_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arctan2(…)``, in place."""
    def arctan_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arctan(…)``, in place."""
    def arctanh(self) -> Tensor:
        """The inverse of tanh, for ``|x| < 1``."""
    def arctanh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.arctanh(…)``, in place."""
    def argmax(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The index of the largest element along `dim`, of the flattened array when None."""
    def argmin(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The index of the smallest element along `dim`, of the flattened array when None."""
    def argsort(
        self,
        dim: builtins.int = -1,
        descending: builtins.bool = False,
        stable: builtins.bool = False,
        *,
        axis: builtins.int = ...,
    ) -> Tensor:
        """The indices that sort `x` along `dim`; always stable."""
    def argwhere(self) -> Any:
        """The positions of all elements that are not 0, a row for each."""
    def as_strided(self, size: Any, stride: Any, storage_offset: builtins.int = 0) -> Tensor:
        """``out[i, j] = flat[i · stride[0] + j · stride[1] + storage_offset]``, a copy."""
    def asin(self) -> Tensor:
        """The angle in [-π/2, π/2] whose sine is x."""
    def asin_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.asin(…)``, in place."""
    def asinh(self) -> Tensor:
        """The inverse of sinh."""
    def asinh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.asinh(…)``, in place."""
    def astype(self, dtype: Any) -> Tensor:
        """Elements converted to another dtype; the gradient comes back in the old one."""
    def atan(self) -> Tensor:
        """The angle in (-π/2, π/2) whose tangent is x."""
    def atan2(self, y: Operand) -> Tensor:
        """The angle of the point (y, x): ``atan(x / y)`` in the right quadrant."""
    def atan2_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.atan2(…)``, in place."""
    def atan_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.atan(…)``, in place."""
    def atanh(self) -> Tensor:
        """The inverse of tanh, for ``|x| < 1``."""
    def atanh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.atanh(…)``, in place."""
    def backward(
        self,
        gradient: Any = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
    ) -> None:
        """Fill ``.grad`` of every tensor this one was computed from (and is still held)."""
    def baddbmm(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """``beta · input + alpha · batch1 @ batch2``, for each of a batch of matrices."""
    def bfloat16(self) -> Tensor:
        """As bfloat16, which the extra ``[bf16]`` brings: float32's range, eight bits of precision."""
    def bitwise_and(self, y: Operand) -> Tensor:
        """Bits set in both."""
    def bitwise_and_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.bitwise_and(…)``, in place."""
    def bitwise_left_shift(self, other: Any) -> Tensor:
        """``x · 2ʸ``: the bits of whole numbers moved `other` places up."""
    def bitwise_left_shift_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.bitwise_left_shift(…)``, in place."""
    def bitwise_not(self) -> Tensor:
        """All bits flipped."""
    def bitwise_not_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.bitwise_not(…)``, in place."""
    def bitwise_or(self, y: Operand) -> Tensor:
        """Bits set in one at least."""
    def bitwise_or_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.bitwise_or(…)``, in place."""
    def bitwise_right_shift(self, other: Any) -> Tensor:
        """``⌊x / 2ʸ⌋``: the bits of whole numbers moved `other` places down."""
    def bitwise_right_shift_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.bitwise_right_shift(…)``, in place."""
    def bitwise_xor(self, y: Operand) -> Tensor:
        """Bits set in one."""
    def bitwise_xor_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.bitwise_xor(…)``, in place."""
    def bmm(self, mat2: Any) -> Tensor:
        """The matrix product of two matrices (or batches of them)."""
    def bool(self) -> Tensor:
        """As booleans: whether elements are non-zero."""
    def broadcast_to(self, size: Any) -> Tensor:
        """`input` repeated along new axes and axes of extent 1, as a view of shape `size`."""
    def ceil(self) -> Tensor:
        """The smallest whole number ≥ x."""
    def ceil_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.ceil(…)``, in place."""
    def celu(self, alpha: builtins.float = 1.0, inplace: builtins.bool = False) -> Tensor:
        """``x`` where positive, else ``α (e^(x/α) - 1)`` (Barron 2017)."""
    def channel_shuffle(self, groups: builtins.int) -> Tensor:
        """Channels (B, C, …) of several groups dealt out in turn (Zhang et al. 2018)."""
    def cholesky(self, upper: builtins.bool = False) -> Tensor:
        """As :func:`linalg_cholesky`."""
    def cholesky_inverse(self, upper: builtins.bool = False) -> Tensor:
        """The inverse of ``L Lᵀ`` (of ``Uᵀ U`` if `upper`)."""
    def cholesky_solve(self, L: Any, upper: builtins.bool = False) -> Tensor:
        """X with ``L Lᵀ X = B`` (``Uᵀ U X = B`` if `upper`)."""
    def chunk(self, chunks: builtins.int, dim: builtins.int = 0, *, axis: builtins.int = ...) -> tuple[Tensor, ...]:
        """`x` cut along `dim` into at most `chunks` pieces of equal size but the last."""
    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """``x`` limited to [min, max]: numbers, or Tensors that broadcast; outside the gradient is the"""
    def clamp_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.clamp(…)``, in place."""
    def clamp_max(self, max: Any) -> Tensor:
        """``x``, but at most `max`."""
    def clamp_max_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.clamp_max(…)``, in place."""
    def clamp_min(self, min: Any) -> Tensor:
        """``x``, but at least `min`."""
    def clamp_min_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.clamp_min(…)``, in place."""
    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """``x`` limited to [min, max]: numbers, or Tensors that broadcast; outside the gradient is the"""
    def clip_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.clip(…)``, in place."""
    def clone(self) -> Tensor:
        """A copy with history."""
    def combinations(self, r: builtins.int = 2, with_replacement: builtins.bool = False) -> Tensor:
        """All choices of `r` elements of a vector, in order, a row for each."""
    def contiguous(self) -> Tensor:
        """The same values in row order in memory."""
    def conv2d(
        self,
        weight: Any,
        padding: builtins.int | tuple[builtins.int, ...] | str = 0,
        stride: builtins.int | tuple[builtins.int, ...] = 1,
        bias: Any = None,
        dilation: builtins.int | tuple[builtins.int, ...] = 1,
        groups: builtins.int = 1,
    ) -> Tensor:
        """:func:`conv2d` as a method: here the padding comes before the stride."""
    def copy_(self, source: Any) -> Tensor:
        """Overwrite the values with those of `source`, broadcast and cast."""
    def copysign(self, y: Operand) -> Tensor:
        """``|x|`` with the sign of `y`, that of -0.0 too."""
    def copysign_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.copysign(…)``, in place."""
    def cos(self) -> Tensor:
        """``cos x``."""
    def cos_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.cos(…)``, in place."""
    def cosh(self) -> Tensor:
        """``(eˣ + e⁻ˣ) / 2``."""
    def cosh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.cosh(…)``, in place."""
    def count_nonzero(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
    ) -> Tensor:
        """How many elements are not 0, along `dim` or altogether."""
    def cross(self, other: Any, dim: builtins.int | None = None, *, axis: builtins.int | None = ...) -> Tensor:
        """The vector product along `dim`, by default along the first axis of extent 3."""
    def cummax(self, dim: builtins.int, *, axis: builtins.int = ...) -> Any:
        """The largest element up to each place along `dim`, and its index: ``values, indices``."""
    def cummin(self, dim: builtins.int, *, axis: builtins.int = ...) -> Any:
        """The smallest element up to each place along `dim`, and its index: ``values, indices``."""
    def cumprod(self, dim: builtins.int, *, dtype: Any = None, axis: builtins.int = ...) -> Tensor:
        """Running products ``Π_{j≤i} x_j`` along `dim`; right also where factors are zero."""
    def cumprod_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.cumprod(…)``, in place."""
    def cumsum(self, dim: builtins.int, *, dtype: Any = None, axis: builtins.int = ...) -> Tensor:
        """Running sums ``Σ_{j≤i} x_j`` along `dim`."""
    def cumsum_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.cumsum(…)``, in place."""
    def deg2rad(self) -> Tensor:
        """Degrees as radians: ``x π / 180``."""
    def deg2rad_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.deg2rad(…)``, in place."""
    def det(self) -> Tensor:
        """The determinant of square matrices (…, n, n); the gradient is right for singular ones, too."""
    def diag(self, diagonal: builtins.int = 0) -> Tensor:
        """The diagonal of a matrix; of a vector, the matrix with it on its diagonal."""
    def diag_embed(self, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1) -> Tensor:
        """Square matrices with the last axis of `input` on a diagonal, in the plane of two axes."""
    def diagflat(self, offset: builtins.int = 0) -> Tensor:
        """The square matrix with all elements of `input` on a diagonal."""
    def diagonal(self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """The elements with column = row + `offset` in the plane of two axes, on a new last axis."""
    def diagonal_scatter(
        self,
        src: Any,
        offset: builtins.int = 0,
        dim1: builtins.int = 0,
        dim2: builtins.int = 1,
    ) -> Tensor:
        """A copy of `input` with its diagonal replaced by `src`."""
    def diff(
        self,
        n: builtins.int = 1,
        dim: builtins.int = -1,
        prepend: Any = None,
        append: Any = None,
        *,
        axis: builtins.int = ...,
    ) -> Any:
        """Differences of neighbours along `dim`, taken `n` times; of truth values: do they differ?"""
    def digamma(self) -> Tensor:
        """``ψ(x) = d/dx log Γ(x)``."""
    def digamma_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.digamma(…)``, in place."""
    def dilate(self, axes: Any, dilation: builtins.int) -> Tensor:
        """`dilation` zeros behind each element along each of `axes`: n becomes n · (dilation + 1)."""
    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """``x / other``, optionally rounded: ``rounding_mode`` is None, ``"trunc"`` or ``"floor"``."""
    def div_(self, *args: Any, **kwargs: Any) -> Any:
        """``x = x.div(…)``, in place."""
    def divide(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """``x / other``, optionally rounded: ``rounding_mode`` is None, ``"trunc"`` or ``"floor"``."""
    def divide_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.divide(…)``, in place."""
    def dot(self, tensor: Any) -> Tensor:
        """The matrix product; of two vectors, a scalar."""
    def double(self) -> Tensor:
        """As float64."""
    def draw_graph(
        self,
        namespace: Any = None,
        path: str = 'graph.png',
        format: str | None = None,
    ) -> str:
        """Draw how this tensor was computed; returns the path (:func:`deepdive.dash.draw_graph`)."""
    def dropout(self, p: builtins.float = 0.5, training: builtins.bool = True) -> Tensor:
        """While `training`, zeros with probability `p`, and ``x / (1 - p)`` elsewhere; else `x`."""
    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Parts along the third axis."""
    def elu(self, alpha: builtins.float = 1.0) -> Tensor:
        """``x`` where positive, ``α (eˣ - 1)`` elsewhere (Clevert et al. 2015)."""
    def eq(self, y: Operand) -> Tensor:
        """``x == y``, elementwise."""
    def eq_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.eq(…)``, in place."""
    def equal(self, other: Tensor) -> builtins.bool:
        """Whether two tensors have one shape and the same elements, as a Python bool."""
    def erf(self) -> Tensor:
        """The error function ``2/√π ∫₀ˣ e^(-t²) dt``."""
    def erf_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.erf(…)``, in place."""
    def erfc(self) -> Tensor:
        """``1 - erf(x)``, with all digits where that is tiny."""
    def erfc_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.erfc(…)``, in place."""
    def erfinv(self) -> Tensor:
        """The y with ``erf(y) = x``, for ``-1 ≤ x ≤ 1``; ±∞ at the ends, NaN beyond."""
    def erfinv_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.erfinv(…)``, in place."""
    def exp(self) -> Tensor:
        """``eˣ``."""
    def exp2(self) -> Tensor:
        """``2ˣ``."""
    def exp2_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.exp2(…)``, in place."""
    def exp_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.exp(…)``, in place."""
    def expand(self, *sizes: Any) -> Tensor:
        """`x` broadcast to `sizes`; -1 keeps an extent."""
    def expand_as(self, other: Tensor) -> Tensor:
        """`x` broadcast to the shape of `other`."""
    def expm1(self) -> Tensor:
        """``eˣ - 1``, accurate near 0."""
    def expm1_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.expm1(…)``, in place."""
    def fill_(self, value: builtins.float) -> Tensor:
        """Set every element to `value`."""
    def fill_diagonal_(self, fill_value: builtins.float, wrap: builtins.bool = False) -> Tensor:
        """Set the main diagonal to `fill_value`; `wrap` goes on below in tall matrices."""
    def fix(self) -> Tensor:
        """:func:`trunc` by another name."""
    def fix_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.fix(…)``, in place."""
    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """The axes from `start_dim` to `end_dim` merged into one."""
    def flip(self, *dims: Any) -> Tensor:
        """The order of elements reversed along `dims`."""
    def fliplr(self) -> Tensor:
        """Columns in reverse order."""
    def flipud(self) -> Tensor:
        """Rows in reverse order."""
    def float(self) -> Tensor:
        """As float32."""
    def float_power(self, exponent: Any) -> Tensor:
        """``x`` to the power of `exponent`, in float64 whatever came."""
    def float_power_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.float_power(…)``, in place."""
    def floor(self) -> Tensor:
        """The largest whole number ≤ x."""
    def floor_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.floor(…)``, in place."""
    def floor_divide(self, y: Operand) -> Tensor:
        """``⌊x / y⌋``, without a gradient."""
    def floor_divide_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.floor_divide(…)``, in place."""
    def fmax(self, y: Operand) -> Tensor:
        """The larger of two, a NaN only if both are; of equal ones the first has the gradient."""
    def fmin(self, y: Operand) -> Tensor:
        """The smaller of two, a NaN only if both are; of equal ones the first has the gradient."""
    def fmod(self, y: Operand) -> Tensor:
        """``x - y · trunc(x / y)``: the sign of `x`, as C's ``fmod``; exact."""
    def fmod_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.fmod(…)``, in place."""
    def frac(self) -> Tensor:
        """``x - trunc(x)``: the part behind the point, with the sign of `x`."""
    def frac_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.frac(…)``, in place."""
    def gammaln(self) -> Tensor:
        """``log |Γ(x)|``; ∞ at the poles 0, -1, -2, …"""
    def gather(self, dim: builtins.int, index: Operand, *, axis: builtins.int = ...) -> Tensor:
        """``out[i][j] = x[index[i][j]][j]`` for dim 0: one element per index (PyTorch's gather)."""
    def ge(self, y: Operand) -> Tensor:
        """``x >= y``."""
    def ge_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.ge(…)``, in place."""
    def gelu(self, approximate: str = 'none') -> Tensor:
        """``x Φ(x)`` with the normal distribution Φ (Hendrycks & Gimpel 2016)."""
    def ger(self, vec2: Any) -> Tensor:
        """``x_i y_j`` for two vectors."""
    def getitem(self, index: Any) -> Tensor:
        """``x[index]``: integers, slices, None, Ellipsis, masks, and arrays of integers."""
    def greater(self, y: Operand) -> Tensor:
        """``x > y``."""
    def greater_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.greater(…)``, in place."""
    def greater_equal(self, y: Operand) -> Tensor:
        """``x >= y``."""
    def greater_equal_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.greater_equal(…)``, in place."""
    def gt(self, y: Operand) -> Tensor:
        """``x > y``."""
    def gt_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.gt(…)``, in place."""
    def half(self) -> Tensor:
        """As float16."""
    def hardshrink(self, lambd: builtins.float = 0.5) -> Tensor:
        """``x`` where ``|x| > λ``, else 0."""
    def hardtanh(self, min_val: builtins.float = -1.0, max_val: builtins.float = 1.0) -> Tensor:
        """``x`` limited to [min_val, max_val]; the slope at the bounds is 0 (PyTorch's choice)."""
    def heaviside(self, values: Operand) -> Tensor:
        """0 where ``x < 0``, 1 where ``x > 0``, and `values` between; without a gradient."""
    def heaviside_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.heaviside(…)``, in place."""
    def hsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Columns in parts: along the second axis, a vector along its only one."""
    def hypot(self, y: Operand) -> Tensor:
        """``√(x² + y²)``, without overflow on the way."""
    def hypot_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.hypot(…)``, in place."""
    def i0(self) -> Tensor:
        """``I₀(x) = Σ (x/2)^(2k) / (k!)²``."""
    def i0_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.i0(…)``, in place."""
    def index_add(
        self,
        dim: builtins.int,
        index: Any,
        source: Any,
        *,
        alpha: Any = 1,
        axis: builtins.int = ...,
    ) -> Tensor:
        """A copy of `input` with ``out[index[i]] += alpha · source[i]`` along `dim`; duplicates add up."""
    def index_add_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.index_add(…)``, in place."""
    def index_copy(self, dim: builtins.int, index: Any, source: Any, *, axis: builtins.int = ...) -> Tensor:
        """A copy of `input` with ``out[index[i]] = source[i]`` along `dim`."""
    def index_copy_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.index_copy(…)``, in place."""
    def index_fill(self, dim: builtins.int, index: Any, value: Any, *, axis: builtins.int = ...) -> Tensor:
        """A copy of `input` with the slices named by `index` along `dim` set to `value`."""
    def index_fill_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.index_fill(…)``, in place."""
    def index_put(self, indices: Any, values: Any, accumulate: builtins.bool = False) -> Tensor:
        """A copy of `input` with ``out[indices] = values``, or ``+=`` with duplicates added up."""
    def index_put_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.index_put(…)``, in place."""
    def index_reduce(
        self,
        dim: builtins.int,
        index: Any,
        source: Any,
        reduce: str,
        *,
        include_self: builtins.bool = True,
        axis: builtins.int = ...,
    ) -> Tensor:
        """:func:`scatter_reduce` of whole slices: ``source[i]`` goes to ``input[index[i]]``."""
    def index_reduce_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.index_reduce(…)``, in place."""
    def index_select(self, dim: builtins.int, index: Any, *, axis: builtins.int = ...) -> Tensor:
        """The slices of `x` named by a vector of indices (or one) along `dim`."""
    def inner(self, other: Any) -> Tensor:
        """``Σ x · y`` over the last axes, for all pairs of the others."""
    def int(self) -> Tensor:
        """As int32."""
    def inverse(self) -> Tensor:
        """The inverse of square matrices (…, n, n) (Giles 2008, 2.2.3)."""
    def isclose(
        self,
        other: Any,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> Tensor:
        """``|x - other| ≤ atol + rtol |other|``; infinities are close to themselves alone."""
    def isfinite(self) -> Tensor:
        """True where x is a finite number."""
    def isinf(self) -> Tensor:
        """True where x is infinite."""
    def isnan(self) -> Tensor:
        """True where x is not a number."""
    def isneginf(self) -> Tensor:
        """True where x is -∞."""
    def isposinf(self) -> Tensor:
        """True where x is ∞."""
    def kron(self, other: Any) -> Tensor:
        """Kronecker's product: every element of `input` times all of `other`, in blocks."""
    def kthvalue(
        self,
        k: builtins.int,
        dim: builtins.int = -1,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The k-th smallest element along `dim`, counted from 1: ``values, indices``."""
    def layernorm(self, gamma: Any = None, beta: Any = None, eps: builtins.float = 1e-05) -> Tensor:
        """:func:`layer_norm` over the last axis, scaled by `gamma` and shifted by `beta`."""
    def ldexp(self, other: Any) -> Tensor:
        """``x · 2ʸ`` with ``y = other``."""
    def ldexp_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.ldexp(…)``, in place."""
    def le(self, y: Operand) -> Tensor:
        """``x <= y``."""
    def le_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.le(…)``, in place."""
    def leaky_relu(self, negative_slope: builtins.float = 0.01) -> Tensor:
        """``x`` where positive, ``negative_slope · x`` elsewhere."""
    def lerp(self, end: Any, weight: Any) -> Tensor:
        """``x + weight · (end - x)``, exact at both ends."""
    def lerp_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.lerp(…)``, in place."""
    def less(self, y: Operand) -> Tensor:
        """``x < y``."""
    def less_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.less(…)``, in place."""
    def less_equal(self, y: Operand) -> Tensor:
        """``x <= y``."""
    def less_equal_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.less_equal(…)``, in place."""
    def lgamma(self) -> Tensor:
        """``log |Γ(x)|``; ∞ at the poles 0, -1, -2, …"""
    def lgamma_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.lgamma(…)``, in place."""
    def log(self) -> Tensor:
        """The natural logarithm."""
    def log10(self) -> Tensor:
        """The logarithm to base 10."""
    def log10_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.log10(…)``, in place."""
    def log1p(self) -> Tensor:
        """``log(1 + x)``, accurate near 0."""
    def log1p_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.log1p(…)``, in place."""
    def log2(self) -> Tensor:
        """The logarithm to base 2."""
    def log2_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.log2(…)``, in place."""
    def log_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.log(…)``, in place."""
    def log_softmax(self, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
        """``x_i - log Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""
    def logaddexp(self, y: Operand) -> Tensor:
        """``log(eˣ + eʸ)``."""
    def logaddexp2(self, other: Any) -> Tensor:
        """``log₂(2ˣ + 2ʸ)``."""
    def logcumsumexp(self, dim: builtins.int, *, axis: builtins.int = ...) -> Tensor:
        """``log Σ_{j≤i} e^(x_j)`` along `dim`, without overflow."""
    def logdet(self) -> Tensor:
        """The logarithm of the determinant; NaN where that is negative."""
    def logical_and(self, y: Operand) -> Tensor:
        """Both are non-zero."""
    def logical_and_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.logical_and(…)``, in place."""
    def logical_not(self) -> Tensor:
        """True where x is zero."""
    def logical_not_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.logical_not(…)``, in place."""
    def logical_or(self, y: Operand) -> Tensor:
        """One at least is non-zero."""
    def logical_or_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.logical_or(…)``, in place."""
    def logical_xor(self, y: Operand) -> Tensor:
        """Exactly one is non-zero."""
    def logical_xor_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.logical_xor(…)``, in place."""
    def logit(self, eps: builtins.float | None = None) -> Tensor:
        """``log(x / (1 - x))``, the inverse of the sigmoid; `x` limited to [eps, 1 - eps] if given."""
    def logit_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.logit(…)``, in place."""
    def logsigmoid(self) -> Tensor:
        """``log σ(x) = min(x, 0) - log(1 + e^-|x|)``."""
    def logsoftmax(self, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
        """``x_i - log Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""
    def logsumexp(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """``log Σ eˣ`` over `dim`, without overflow; its slope is the softmax."""
    def long(self) -> Tensor:
        """As int64."""
    def lt(self, y: Operand) -> Tensor:
        """``x < y``."""
    def lt_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.lt(…)``, in place."""
    @property
    def mH(self) -> Tensor:
        """The matrix transpose, for real matrices."""
    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
    def mae(self, y: Operand) -> Tensor:
        """``|x - y|``, elementwise; its slope at 0 is taken as 0."""
    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """`x` with `value` where `mask` holds; the dtype stays that of `x`."""
    def masked_fill_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.masked_fill(…)``, in place."""
    def masked_scatter(self, mask: Any, source: Any) -> Tensor:
        """A copy of `input`, the elements where `mask` holds taken from `source` one after another."""
    def masked_scatter_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.masked_scatter(…)``, in place."""
    def masked_select(self, mask: Any) -> Tensor:
        """The elements of `input` where `mask` holds, as a vector; the two are broadcast."""
    def matmul(self, y: Operand) -> Tensor:
        """``x @ y``: vectors, matrices, or batches of matrices, whose leading axes broadcast."""
    def matrix_power(self, n: builtins.int) -> Tensor:
        """The product of `n` copies of square matrices, by repeated squaring; of the inverse if n < 0."""
    def max(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = None,
        other: Any = None,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The largest element: of all, of two tensors elementwise, or with its index along `dim`."""
    def maximum(self, y: Operand) -> Tensor:
        """The larger of two; equal ones share the gradient."""
    def mean(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        axis: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """``Σ x / n`` over the axes `dim`."""
    def median(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The middle element, the lower of two: of all, or ``values, indices`` along `dim`."""
    def min(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | tuple[builtins.int, ...] | None = None,
        other: Any = None,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The smallest element; the call forms are those of :func:`max`."""
    def minimum(self, y: Operand) -> Tensor:
        """The smaller of two; equal ones share the gradient."""
    def mm(self, mat2: Any) -> Tensor:
        """The matrix product of two matrices (or batches of them)."""
    def mode(
        self,
        dim: builtins.int = -1,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The most frequent element along `dim`, the smallest of several: ``values, indices``."""
    def moveaxis(self, source: Any, destination: Any) -> Tensor:
        """The axes `source` at the places `destination`, the others in their order."""
    def movedim(self, source: Any, destination: Any) -> Tensor:
        """The axes `source` at the places `destination`, the others in their order."""
    def mse(self, y: Operand) -> Tensor:
        """``(x - y)²``, elementwise."""
    def msort(self) -> Tensor:
        """`x` sorted along its first axis."""
    def mul(self, y: Operand) -> Tensor:
        """``x · y``, elementwise."""
    def mul_(self, *args: Any, **kwargs: Any) -> Any:
        """``x = x.mul(…)``, in place."""
    def mul_scalar(self, scalar: builtins.float) -> Tensor:
        """x · scalar."""
    def multigammaln(self, p: builtins.int) -> Tensor:
        """``log π · p (p - 1) / 4 + Σ_{j<p} log Γ(x - j/2)``: the gamma function of p × p matrices."""
    def multiply(self, y: Operand) -> Tensor:
        """``x · y``, elementwise."""
    def multiply_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.multiply(…)``, in place."""
    def mv(self, vec: Any) -> Tensor:
        """The product of a matrix and a vector."""
    def mvlgamma(self, p: builtins.int) -> Tensor:
        """``log π · p (p - 1) / 4 + Σ_{j<p} log Γ(x - j/2)``: the gamma function of p × p matrices."""
    def mvlgamma_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.mvlgamma(…)``, in place."""
    def nan_to_num(
        self,
        nan: builtins.float | None = None,
        posinf: builtins.float | None = None,
        neginf: builtins.float | None = None,
    ) -> Tensor:
        """`x` with NaN, ∞ and -∞ replaced: by 0, and by the largest numbers of the dtype, unless given."""
    def nan_to_num_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.nan_to_num(…)``, in place."""
    def nanmean(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The mean over `dim` of what is no NaN."""
    def nanmedian(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: builtins.int | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """:func:`median` of what is no NaN."""
    def nanquantile(
        self,
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
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The sum over `dim` with 0 for NaN."""
    def narrow(self, dim: builtins.int, start: Any, length: builtins.int, *, axis: builtins.int = ...) -> Tensor:
        """``input[start : start + length]`` along `dim`."""
    def ne(self, y: Operand) -> Tensor:
        """``x != y``."""
    def ne_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.ne(…)``, in place."""
    def neg(self) -> Tensor:
        """``-x``."""
    def neg_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.neg(…)``, in place."""
    def negate(self) -> Tensor:
        """-x."""
    def negative(self) -> Tensor:
        """``-x``."""
    def negative_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.negative(…)``, in place."""
    def nonzero(self, *, as_tuple: builtins.bool = False) -> Any:
        """The positions of all elements that are not 0: a row for each, or a vector for each axis."""
    def norm(
        self,
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
        self,
        p: builtins.float = 2.0,
        dim: builtins.int = 1,
        eps: builtins.float = 1e-12,
        *,
        axis: builtins.int = ...,
    ) -> Tensor:
        """``x / max(‖x‖_p, ε)`` along `dim`."""
    def not_equal(self, y: Operand) -> Tensor:
        """``x != y``."""
    def not_equal_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.not_equal(…)``, in place."""
    def one_hot(self, num_classes: builtins.int = -1) -> Tensor:
        """A 1 at each class number, 0 elsewhere: (…) → (…, C), as int64."""
    def outer(self, vec2: Any) -> Tensor:
        """``x_i y_j`` for two vectors."""
    def permute(self, *dims: Any) -> Tensor:
        """Axes in another order."""
    def pinverse(self, rcond: builtins.float = 1e-15) -> Tensor:
        """The pseudo-inverse, singular values up to `rcond` times the largest counted as 0."""
    def pixel_shuffle(self, upscale_factor: builtins.int) -> Tensor:
        """(…, C·r², H, W) → (…, C, H·r, W·r): channels become pixels (Shi et al. 2016)."""
    def pixel_unshuffle(self, downscale_factor: builtins.int) -> Tensor:
        """(…, C, H·r, W·r) → (…, C·r², H, W): undoes :func:`pixel_shuffle`."""
    def polygamma(self, n: builtins.int) -> Tensor:
        """``x.polygamma(n)``: the method's first argument is x (see :class:`Polygamma`)."""
    def polygamma_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.polygamma(…)``, in place."""
    def positive(self) -> Tensor:
        """``+x``, which is `x`."""
    def pow(self, y: Operand) -> Tensor:
        """``xʸ``; a whole number as exponent is a product, so negative bases are fine."""
    def pow_(self, *args: Any, **kwargs: Any) -> Any:
        """``x = x.pow(…)``, in place."""
    def power_scalar(self, scalar: builtins.float) -> Tensor:
        """x ** scalar, the exponent being a parameter of the operator."""
    def prelu(self, weight: Any) -> Tensor:
        """``x`` where positive, else ``w x``; w is learned, one or one for each channel of (B, C, …)."""
    def prod(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        axis: builtins.int | tuple[builtins.int, ...] | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """``Π x`` over `dim`; right also where factors are zero."""
    def psi(self) -> Tensor:
        """``ψ(x) = d/dx log Γ(x)``."""
    def put(self, index: Any, source: Any, accumulate: builtins.bool = False) -> Tensor:
        """A copy of `input` with its flat elements at `index` set to `source`, or it added to them."""
    def put_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.put(…)``, in place."""
    def qr(self, some: builtins.bool = True) -> Any:
        """As :func:`linalg_qr`: reduced, or complete unless `some`."""
    def quantile(
        self,
        q: Any,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        interpolation: str = 'linear',
        axis: builtins.int | None = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The value below which the share `q` of the elements lies, along `dim` or of all."""
    def rad2deg(self) -> Tensor:
        """Radians as degrees: ``x 180 / π``."""
    def rad2deg_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.rad2deg(…)``, in place."""
    def ravel(self) -> Tensor:
        """All elements as one vector."""
    def reciprocal(self) -> Tensor:
        """``1 / x``."""
    def reciprocal_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.reciprocal(…)``, in place."""
    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Any:
        """Call ``hook(tensor)`` after a backward pass has added to this leaf's ``.grad``."""
    def relu(self) -> Tensor:
        """``max(x, 0)``; its slope at 0 is taken as 0."""
    def relu6(self) -> Tensor:
        """``min(max(x, 0), 6)``."""
    def remainder(self, y: Operand) -> Tensor:
        """``x - y ⌊x / y⌋``: the sign of `y`, as Python's ``%``."""
    def remainder_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.remainder(…)``, in place."""
    def repeat(self, *sizes: Any, repeats: Any = None) -> Tensor:
        """`input` so many times over along each axis; further axes are added in front."""
    def repeat_interleave(
        self,
        repeats: Any = None,
        dim: builtins.int | None = None,
        *,
        output_size: builtins.int | None = None,
        axis: builtins.int | None = ...,
    ) -> Tensor:
        """Each slice along `dim` repeated in place: ``[a, b]`` twice is ``[a, a, b, b]``."""
    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape; one extent may be -1."""
    def reshape_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of `other`."""
    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        """Elements shifted by `shifts` along `dims`; what leaves at one end enters at the other."""
    def rot90(self, k: builtins.int = 1, dims: Any = (0, 1)) -> Tensor:
        """The plane of `dims` turned `k` quarters, from the first axis towards the second."""
    def round(self, *, decimals: builtins.int = 0) -> Tensor:
        """The nearest whole number; halves go to the even one."""
    def round_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.round(…)``, in place."""
    def rsqrt(self) -> Tensor:
        """``1 / √x``."""
    def rsqrt_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.rsqrt(…)``, in place."""
    def scatter(
        self,
        dim: builtins.int,
        index: Any,
        src: Any = None,
        *,
        value: Any = None,
        reduce: Any = None,
        axis: builtins.int = ...,
    ) -> Tensor:
        """A copy of `input` with ``out[index[i][j]][j] = src[i][j]`` for dim 0; `src` may be a number."""
    def scatter_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.scatter(…)``, in place."""
    def scatter_add(self, dim: builtins.int, index: Operand, src: Operand, *, axis: builtins.int = ...) -> Tensor:
        """A copy of `x` with ``out[index[i][j]][j] += src[i][j]`` for dim 0."""
    def scatter_add_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.scatter_add(…)``, in place."""
    def scatter_reduce(
        self,
        dim: builtins.int,
        index: Any,
        src: Any,
        reduce: str,
        *,
        include_self: builtins.bool = True,
        axis: builtins.int = ...,
    ) -> Tensor:
        """All ``src[i][j]`` with the same ``index[i][j]``, and ``input[index][j]``, made one (dim 0)."""
    def scatter_reduce_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.scatter_reduce(…)``, in place."""
    def select(self, dim: builtins.int, index: builtins.int, *, axis: builtins.int = ...) -> Tensor:
        """The slice number `index` along `dim`, that axis gone."""
    def select_scatter(self, src: Any, dim: builtins.int, index: builtins.int, *, axis: builtins.int = ...) -> Tensor:
        """A copy of `input` with ``select(input, dim, index)`` replaced by `src`."""
    def selu(self, inplace: builtins.bool = False) -> Tensor:
        """``1.0507 · elu(x, 1.6733)``, which keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    def sgn(self) -> Tensor:
        """:func:`sign`, by the name it has for complex numbers too."""
    def sgn_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sgn(…)``, in place."""
    def sigmoid(self) -> Tensor:
        """``σ(x) = 1 / (1 + e⁻ˣ)``."""
    def sigmoid_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sigmoid(…)``, in place."""
    def sign(self) -> Tensor:
        """-1, 0 or 1; 0 for a NaN, as in PyTorch; the gradient is 0."""
    def sign_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sign(…)``, in place."""
    def signbit(self) -> Tensor:
        """Whether the sign is minus, of -0.0 too."""
    def silu(self) -> Tensor:
        """``x σ(x)`` with the sigmoid σ (Elfwing et al. 2017)."""
    def sin(self) -> Tensor:
        """``sin x``."""
    def sin_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sin(…)``, in place."""
    def sinc(self) -> Tensor:
        """``sin(πx) / (πx)``, and 1 at 0."""
    def sinc_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sinc(…)``, in place."""
    def sinh(self) -> Tensor:
        """``(eˣ - e⁻ˣ) / 2``."""
    def sinh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sinh(…)``, in place."""
    def slice_scatter(
        self,
        src: Any,
        dim: builtins.int = 0,
        start: builtins.int | None = None,
        end: builtins.int | None = None,
        step: builtins.int = 1,
        *,
        axis: builtins.int = ...,
    ) -> Tensor:
        """A copy of `input` with ``input[start:end:step]`` along `dim` replaced by `src`."""
    def slogdet(self) -> Any:
        """The sign of the determinant and the logarithm of its size: ``det = sign · e^logabsdet``."""
    def softmax(self, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
        """``e^(x_i) / Σ_j e^(x_j)`` along `dim`, the last axis if none is given."""
    def softmin(self, dim: builtins.int = -1, *, axis: builtins.int = ...) -> Tensor:
        """``softmax(-x)`` along `dim`."""
    def softplus(self, beta: builtins.float = 1.0, threshold: builtins.float = 20.0) -> Tensor:
        """``log(1 + e^(βx)) / β``, a smooth relu; ``x`` itself where ``βx`` exceeds `threshold`."""
    def sort(
        self,
        dim: builtins.int = -1,
        descending: builtins.bool = False,
        stable: builtins.bool = False,
        *,
        axis: builtins.int = ...,
    ) -> Any:
        """``values, indices`` in ascending order along `dim`; always stable."""
    def split(
        self,
        split_size_or_sections: Any,
        dim: builtins.int = 0,
        *,
        axis: builtins.int | None = None,
    ) -> tuple[Tensor, ...]:
        """`x` cut along `dim` into pieces of one size, or of the sizes listed."""
    def split_with_sizes(
        self,
        split_sizes: Any,
        dim: builtins.int = 0,
        *,
        axis: builtins.int = ...,
    ) -> tuple[Tensor, ...]:
        """`input` cut along `dim` into pieces of the sizes listed."""
    def sqrt(self) -> Tensor:
        """``√x``."""
    def sqrt_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.sqrt(…)``, in place."""
    def square(self) -> Tensor:
        """``x²``."""
    def square_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.square(…)``, in place."""
    def squeeze(self, *dim: Any) -> Tensor:
        """Axes of extent 1 removed: all of them, or those named by `dim`."""
    def squeeze_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.squeeze(…)``, in place."""
    def std(
        self,
        dim: Any = None,
        unbiased: builtins.bool = True,
        keepdim: builtins.bool = False,
        *,
        correction: builtins.float | None = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The square root of :func:`var`, with the same arguments."""
    def sub(self, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
        """``x - y``."""
    def sub_(self, *args: Any, **kwargs: Any) -> Any:
        """``x = x.sub(…)``, in place."""
    def subtract(self, other: Any, *, alpha: builtins.int | builtins.float | builtins.bool = 1) -> Tensor:
        """``x - y``."""
    def subtract_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.subtract(…)``, in place."""
    def sum(
        self,
        dim: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        axis: builtins.int | tuple[builtins.int, ...] | None = None,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """``Σ x`` over the axes `dim` (all when None)."""
    def summation(self, axes: Any = None) -> Tensor:
        """Σ x over the given axes, or over all."""
    def svd(self, some: builtins.bool = True, compute_uv: builtins.bool = True) -> Any:
        """``input = U diag(S) Vᵀ`` in its older form; without `compute_uv` U and V are zeros."""
    def swapaxes(self, axis0: builtins.int, axis1: builtins.int) -> Tensor:
        """Two axes exchanged."""
    def swapaxes_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.swapaxes(…)``, in place."""
    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two axes exchanged."""
    def swapdims_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.swapdims(…)``, in place."""
    def swish(self) -> Tensor:
        """``x σ(x)`` with the sigmoid σ (Elfwing et al. 2017)."""
    def t(self) -> Tensor:
        """The transpose of a matrix; vectors stay as they are."""
    def t_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.t(…)``, in place."""
    def take(self, index: Any) -> Tensor:
        """``input.flatten()[index]``, in the shape of `index`."""
    def take_along_dim(
        self,
        indices: Any,
        dim: builtins.int | None = None,
        *,
        axis: builtins.int | None = ...,
    ) -> Tensor:
        """``out[.., i, ..] = input[.., indices[.., i, ..], ..]`` along `dim`, of all elements if None."""
    def tan(self) -> Tensor:
        """``tan x``."""
    def tan_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.tan(…)``, in place."""
    def tanh(self) -> Tensor:
        """``(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)``."""
    def tanh_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.tanh(…)``, in place."""
    def tensor_split(
        self,
        indices_or_sections: Any,
        dim: builtins.int = 0,
        *,
        axis: builtins.int = ...,
    ) -> tuple[Tensor, ...]:
        """`input` cut along `dim` into so many nearly equal parts, or before each of the indices."""
    def tile(self, *sizes: Any, dims: Any = None) -> Tensor:
        """As :func:`repeat`; where counts are missing in front they are 1."""
    def to(
        self,
        *args: Any,
        device: Any = None,
        dtype: Any = None,
        copy: builtins.bool = False,
        non_blocking: builtins.bool = False,
    ) -> Tensor:
        """`x` on another device or in another dtype: ``to("cpu")``, ``to(dd.float64)``, ``to(y)``."""
    def to_device(self, device: Any, *, stream: Any = None) -> Tensor:
        """The array API standard's name for ``x.to(device)``."""
    def topk(
        self,
        k: builtins.int,
        dim: builtins.int = -1,
        largest: builtins.bool = True,
        sorted: builtins.bool = True,
        *,
        axis: builtins.int = ...,
    ) -> Any:
        """The `k` largest elements along `dim` (the smallest if not `largest`): ``values, indices``."""
    def trace(self) -> Tensor:
        """``Σ x[i, i]`` of a matrix."""
    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two axes exchanged."""
    def transpose_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.transpose(…)``, in place."""
    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """The lower triangle; `diagonal` moves its edge up."""
    def tril_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.tril(…)``, in place."""
    def triu(self, diagonal: builtins.int = 0) -> Tensor:
        """The upper triangle; `diagonal` moves its edge up."""
    def triu_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.triu(…)``, in place."""
    def true_divide(self, y: Operand) -> Tensor:
        """``x / y``; integers give the default float."""
    def true_divide_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.true_divide(…)``, in place."""
    def trunc(self) -> Tensor:
        """x without its fractional part."""
    def trunc_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.trunc(…)``, in place."""
    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of `other`."""
    def unbind(self, dim: builtins.int = 0, *, axis: builtins.int = ...) -> tuple[Tensor, ...]:
        """The slices along `dim`, that axis gone."""
    def unflatten(self, dim: builtins.int, sizes: tuple[builtins.int, ...], *, axis: builtins.int = ...) -> Tensor:
        """The axis `dim` split into `sizes`."""
    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """All windows of `size` along an axis, `step` apart, on a new last axis."""
    def unfold_copy(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """All windows of `size` along an axis, `step` apart, on a new last axis."""
    def unique(
        self,
        sorted: builtins.bool = True,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
        *,
        axis: builtins.int | None = ...,
    ) -> Any:
        """The different elements (or slices along `dim`), in ascending order."""
    def unique_consecutive(
        self,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
        *,
        axis: builtins.int | None = ...,
    ) -> Any:
        """`x` without elements (or slices along `dim`) that are equal to the one before."""
    def unravel_index(self, shape: Any) -> tuple[Tensor, ...]:
        """The coordinates of flat `indices` in a tensor of `shape`, one tensor per axis."""
    def unsqueeze(self, dim: builtins.int, *, axis: builtins.int = ...) -> Tensor:
        """A new axis of extent 1 at `dim`."""
    def unsqueeze_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.unsqueeze(…)``, in place."""
    def var(
        self,
        dim: Any = None,
        unbiased: builtins.bool = True,
        keepdim: builtins.bool = False,
        *,
        correction: builtins.float | None = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """``Σ (x - mean)² / (n - correction)``; correction 1, or 0 if `unbiased` is False."""
    def vdot(self, other: Any) -> Tensor:
        """``Σ x · y`` of two vectors."""
    def view(self, *shape: Any) -> Tensor:
        """The same elements in another shape; one extent may be -1."""
    def view_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of `other`."""
    def vsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Rows in parts: along the first axis of at least two."""
    def where(self, condition: Any, other: Any) -> Tensor:
        """`self` where `condition` holds, ``other`` elsewhere."""
    def xlogy(self, y: Operand) -> Tensor:
        """``x log y``, and 0 where x is 0."""
    def xlogy_(self, *args: Any, **kwargs: Any) -> Tensor:
        """``x = x.xlogy(…)``, in place."""
    def zero_(self) -> Tensor:
        """Set every element to 0."""

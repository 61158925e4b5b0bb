"""Derivatives of functions: grad, vjp, jvp, whole Jacobians and Hessians, as in ``torch.func``.

Each takes a function and gives a function, so that they can be put into one another and into
vmap; arguments and results may be nested tuples, lists and dicts of Tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core.autograd import functional
from deepdive.core.operator import tensor_words
from deepdive.core.tensor import Tensor, wrap
from deepdive.core.transforms import trees
from deepdive.core.transforms.vmap import vmap
from deepdive.errors import ArgumentError, DTypeError, GraphError, ShapeError

Argnums = int | tuple[int, ...]
Function = Callable[..., Any]


# --- fresh leaves --------------------------------------------------------------------------------
def _watched(value: Any, name: str) -> Any:
    """A Tensor to differentiate by, apart from the caller's: its history goes on behind it."""
    tensor = value if isinstance(value, Tensor) else Tensor(value, requires_grad=False)
    if not dtypes.is_floating(tensor.dtype):
        raise DTypeError(
            f"{name}: only floating Tensors can be differentiated by",
            got=f"dtype {tensor.dtype}",
            fix="x.float()",
        )
    if tensor.requires_grad:
        return tensor * 1
    return tensor.detach().requires_grad_()


def _picked(name: str, args: tuple[Any, ...], argnums: Argnums) -> tuple[Any, ...]:
    places = (argnums,) if isinstance(argnums, int) else argnums
    if any(not -len(args) <= i < len(args) for i in places):
        raise ArgumentError(
            f"{name}: argnums names an argument that is not there",
            got=f"{argnums!r} with {len(args)} arguments",
        )
    return tuple(args[i] for i in places)


def _put(args: tuple[Any, ...], argnums: Argnums, values: Any) -> tuple[Any, ...]:
    places = (argnums,) if isinstance(argnums, int) else argnums
    out = list(args)
    for i, value in zip(places, values, strict=True):
        out[i] = value
    return tuple(out)


@contextmanager
def _recording() -> Iterator[None]:
    with config.enable_grad():
        yield


def _with_aux(name: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise ArgumentError(
            f"{name}: with has_aux the function gives (result, more)", got=type(out).__name__
        )
    return out[0], trees.mapped(_detached, out[1])


def _detached(leaf: Any) -> Any:
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def _has_more_history(outputs: list[Tensor], inputs: list[Tensor]) -> bool:
    """Whether derivatives themselves have a history: of leaves that are not among `inputs`."""
    known = {leaf._node for leaf in inputs}
    if any(node is not None and node.operator is not None for node in known):
        return True
    seen: set[Any] = set(known)
    stack = [out._node for out in outputs]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.operator is None:
            return True
        stack.extend(node.parents)
    return False


def _pulled(
    outputs: list[Tensor], inputs: list[Tensor], seeds: list[Any], keep: bool, create: bool
) -> list[Tensor]:
    """The gradients of `outputs` for all `inputs`, zeros where there is no way."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
    found: Any = [None] * len(inputs)
    if pairs:
        found = functional.grad(
            [o for o, _ in pairs],
            inputs,
            [s for _, s in pairs],
            retain_graph=keep or create,
            create_graph=create,
            allow_unused=True,
        )
    return [_zeros(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _zeros(x: Tensor) -> Tensor:
    return wrap(speakers.BY_TYPE[type(x._data)].zeros_like(x._data))


def _ones(x: Tensor) -> Tensor:
    return wrap(speakers.BY_TYPE[type(x._data)].ones_like(x._data))


def _filled(tree: Any, values: Any) -> Any:
    """`tree` with the next of `values` in place of every leaf."""
    items = iter(values)
    return trees.mapped(lambda leaf: next(items), tree)


# --- backward ------------------------------------------------------------------------------------
def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """As :func:`grad`, giving ``(gradient, value)``, or ``(gradient, (value, more))``."""

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        create = config.grad_mode.get()
        with _recording():
            picked = _picked("grad", args, argnums)
            watched = trees.mapped(lambda leaf: _watched(leaf, "grad"), picked)
            out = func(*_put(args, argnums, watched), **kwargs)
            out, aux = _with_aux("grad", out, has_aux)
            _demand_number(out)
            inputs = list(trees.leaves(watched))
            create = create and _has_more_history([out], inputs)
            found = _pulled([out], inputs, [_ones(out)], False, create)
        result = _filled(watched, found)
        value = out if create else out.detach()
        gradient = result[0] if isinstance(argnums, int) else result
        return gradient, ((value, aux) if has_aux else value)

    return differentiated


def _demand_number(out: Any) -> None:
    if not isinstance(out, Tensor):
        raise ArgumentError("grad: the function gives one Tensor", got=type(out).__name__)
    if out.ndim:
        raise ShapeError(
            "grad: the function gives a number",
            got=f"shape {tuple(out.shape)}",
            expected="shape ()",
            fix="reduce it (.sum(), .mean()), or use jacrev for all derivatives",
        )


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function ``x ↦ df/dx`` of a function whose value is a number.

    Args:
        func: from Tensors (in nested tuples, lists and dicts, too) to a Tensor of shape ().
        argnums: the argument to differentiate by, or several: a tuple of gradients.
        has_aux: `func` gives ``(value, more)``, and the result is ``(gradient, more)``.

    Raises:
        ShapeError: if the value is no number.
        DTypeError: for an argument that is not floating.

    >>> import deepdive as dd
    >>> grad(grad(lambda x: x**3))(dd.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def value_and_grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """As :func:`grad_and_value` with the value first, as in JAX."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[::-1]

    return differentiated


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """``func(*primals)`` and the function v → (vᵀJ for each primal), to be called at will.

    With `has_aux`, `func` gives ``(result, more)`` and there is a third value, `more`.

    >>> import deepdive as dd
    >>> out, pull = vjp(lambda x: x**2, dd.tensor([1.0, 2.0]))
    >>> pull(dd.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    create = config.grad_mode.get()
    with _recording():
        watched = trees.mapped(lambda leaf: _watched(leaf, "vjp"), primals)
        out, aux = _with_aux("vjp", func(*watched), has_aux)
    inputs, outputs = list(trees.leaves(watched)), trees.tensors_in(out)
    create = create and _has_more_history(outputs, inputs)

    def pull(*cotangents: Any) -> Any:
        seeds = list(trees.leaves(cotangents))
        if len(seeds) != len(outputs):
            raise ArgumentError(
                "vjp: one cotangent for each result", got=len(seeds), expected=len(outputs)
            )
        again = create or any(s.requires_grad for s in seeds if isinstance(s, Tensor))
        return _filled(watched, _pulled(outputs, inputs, seeds, True, again))

    value = out if create else trees.mapped(_detached, out)
    return (value, pull, aux) if has_aux else (value, pull)


# --- forward -------------------------------------------------------------------------------------
def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """``func(*primals)`` and its change along `tangents`, J·t: forward mode.

    ``u ↦ uᵀJ`` is linear in u, so that its own vjp in the direction t is J·t.

    Args:
        primals, tangents: tuples with one value per argument of `func`, shaped alike.
        strict: refuse a result on which the primals have no influence, instead of giving zeros.
        has_aux: `func` gives ``(result, more)``; there is a third value, `more`.

    Raises:
        ArgumentError: if primals and tangents do not go together.

    >>> import deepdive as dd
    >>> jvp(lambda x: x**2, (dd.tensor([1.0, 2.0]),), (dd.tensor([1.0, 10.0]),))[1]
    tensor([ 2., 40.])
    """
    _check_tangents(primals, tangents)
    create = config.grad_mode.get()
    with _recording():
        watched = trees.mapped(lambda leaf: _watched(leaf, "jvp"), tuple(primals))
        out, aux = _with_aux("jvp", func(*watched), has_aux)
        inputs, outputs = list(trees.leaves(watched)), trees.tensors_in(out)
        create = create and (
            _has_more_history(outputs, inputs)
            or any(isinstance(t, Tensor) and t.requires_grad for t in trees.leaves(tangents))
        )
        pushed = _pushed(outputs, inputs, list(trees.leaves(tangents)), strict, create)
    value = out if create else trees.mapped(_detached, out)
    result = _filled(out, pushed)
    return (value, result, aux) if has_aux else (value, result)


def _pushed(
    outputs: list[Tensor], inputs: list[Tensor], tangents: list[Any], strict: bool, create: bool
) -> list[Tensor]:
    """J·t for every output: the vjp of the vjp, which is linear in its cotangents."""
    dummies = [_zeros(out).requires_grad_() for out in outputs]
    pulled = _pulled(outputs, inputs, dummies, True, True)
    used = [(p, t) for p, t in zip(pulled, tangents, strict=True) if p.requires_grad]
    found: Any = [None] * len(outputs)
    if used:
        found = functional.grad(
            [p for p, _ in used],
            dummies,
            [t for _, t in used],
            retain_graph=create,
            create_graph=create,
            allow_unused=True,
        )
    if strict and any(f is None for f in found):
        raise GraphError("jvp: strict, and a result does not depend on the primals")
    return [_zeros(o) if f is None else f for f, o in zip(found, outputs, strict=True)]


def _check_tangents(primals: Any, tangents: Any) -> None:
    given = [
        [tuple(leaf.shape) for leaf in trees.leaves(side) if hasattr(leaf, "shape")]
        for side in (primals, tangents)
    ]
    if not isinstance(primals, (tuple, list)) or given[0] != given[1]:
        raise ArgumentError(
            "jvp: primals and tangents are tuples of Tensors shaped alike",
            got=f"{type(primals).__name__} of shapes {given[0]}, tangents of {given[1]}",
            fix="jvp(f, (x,), (t,))",
        )


# --- whole matrices of derivatives ---------------------------------------------------------------
def jacrev(
    func: Function,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
) -> Function:
    """The function ``x ↦ J``, ``J[i, j] = ∂f_i / ∂x_j``, row by row from behind: for few outputs.

    All rows are pulled back at once, by vmap.  J has the axes of the output, then those of the
    input; nested results and arguments give nested Jacobians.

    >>> import deepdive as dd
    >>> jacrev(lambda x: x**2)(dd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        picked = _picked("jacrev", args, argnums)

        def of_picked(*values: Any) -> Any:
            return func(*_put(args, argnums, values), **kwargs)

        out, pull, *aux = vjp(of_picked, *picked, has_aux=has_aux)
        results = trees.tensors_in(out)
        rows = vmap(lambda *seeds: pull(*_filled((out,), seeds)), chunk_size=chunk_size)(
            *_bases(results)
        )
        jacobian = _of_outputs(out, results, rows, isinstance(argnums, int))
        return (jacobian, *aux) if has_aux else jacobian

    return differentiated


def jacfwd(
    func: Function,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Function:
    """As :func:`jacrev`, column by column from the front (by :func:`jvp`): for few inputs."""

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        picked = _picked("jacfwd", args, argnums)
        more: list[Any] = []

        def of_picked(*values: Any) -> Any:
            out = func(*_put(args, argnums, values), **kwargs)
            if has_aux:
                out, aux = _with_aux("jacfwd", out, True)
                more[:] = [aux]
            return out

        def pushed(*tangents: Any) -> Any:
            return jvp(of_picked, picked, _filled(picked, tangents))[1]

        inputs = trees.tensors_in(picked)
        columns = vmap(pushed, randomness=randomness, chunk_size=chunk_size)(*_bases(inputs))
        jacobian = trees.mapped(
            lambda block: _of_inputs(picked, inputs, block, isinstance(argnums, int)), columns
        )
        return (jacobian, *more) if has_aux else jacobian

    return differentiated


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """The function ``x ↦ H``, ``H[i, j] = ∂²f / ∂x_i ∂x_j``: forward over backward.

    >>> import deepdive as dd
    >>> hessian(lambda x: (x**3).sum())(dd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def hvp(func: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of `func` and ``H·t``, H its Hessian, at the cost of a few evaluations.

    Raises:
        ShapeError: if the value is no number.

    >>> import deepdive as dd
    >>> hvp(lambda x: (x**3).sum(), (dd.tensor([1.0, 2.0]),), (dd.tensor([1.0, 1.0]),))[1]
    (tensor([ 6., 12.]),)
    """
    count = len(primals)
    both = grad_and_value(func, tuple(range(count)))
    values: list[Any] = []

    def slope(*args: Any) -> Any:
        gradient, value = both(*args)
        values[:] = [value]
        return gradient

    _, second = jvp(slope, primals, tangents)
    return values[0].detach(), second


def _bases(tensors: list[Tensor]) -> list[Tensor]:
    """For each Tensor the directions e₀, e₁, … of all of them together, (N, *shape)."""
    total = sum(t.numel() for t in tensors)
    bases, start = [], 0
    for t in tensors:
        xp = speakers.BY_TYPE[type(t._data)]
        count = t.numel()
        rows = xp.astype(xp.eye(total, count, -start), t.dtype)
        bases.append(wrap(xp.reshape(rows, (total, *t.shape))))
        start += count
    return bases


def _cut(block: Any, tensors: list[Tensor]) -> list[Any]:
    """A block of rows (N, …) in parts, one per Tensor: (*shape, …)."""
    parts, start = [], 0
    for t in tensors:
        rows = block[start : start + t.numel()]
        parts.append(tensor_words.reshape(rows, (*t.shape, *block.shape[1:])))
        start += t.numel()
    return parts


def _of_outputs(out: Any, results: list[Tensor], rows: Any, single: bool) -> Any:
    """Rows nested like the arguments, (N, *x) each → nested like the output, then like them."""
    blocks = [_cut(block, results) for block in trees.leaves(rows)]
    nested = []
    for i in range(len(results)):
        one = _filled(rows, [parts[i] for parts in blocks])
        nested.append(one[0] if single else one)
    return _filled(out, nested)


def _of_inputs(picked: Any, inputs: list[Tensor], block: Any, single: bool) -> Any:
    """One output's columns (N, *out) → nested like the arguments, (*out, *x) each."""
    parts = []
    for part, x in zip(_cut(block, inputs), inputs, strict=True):
        rank = x.ndim
        order = (*range(rank, part.ndim), *range(rank))
        parts.append(tensor_words.permute_dims(part, order) if part.ndim else part)
    nested = _filled(picked, parts)
    return nested[0] if single else nested

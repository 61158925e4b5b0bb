"""``compile``: a function recorded once, then replayed as one generated program."""

from __future__ import annotations

import functools
from typing import Any

from deepdive.compiler.compiled import Compiled
from deepdive.compiler.history import CompiledModel
from deepdive.errors import ArgumentError


def compile(function: Any = None, *, dialect: str = "auto", keep_grads: bool = False) -> Any:
    """A function (or module) that runs as one generated program.

    The first call with arguments of given shapes and dtypes records what the function does:
    forward, backward, optimizer update.  Later calls run the program.  Parameters, buffers,
    optimizer state, learning rates, step counts and random numbers are read and written at each
    call; other Python values are constants, listed by ``explain()``.

    A compiled *module* is used as the module is, in an ordinary training loop too: its results
    have a history, and both passes are compiled programs; first derivatives only.

    Args:
        function: what to compile; None to use ``compile`` as a decorator with options.
        dialect: ``"numpy"``, ``"numba"`` (needs the extra ``[jit]``), or ``"auto"``.  On another
            device than the CPU ``"numpy"`` is a line per value in the words of that device;
            ``"auto"`` makes kernels and one launch of them, where it takes some.
        keep_grads: store the gradients of parameters in ``.grad``; else they only feed the update.

    Raises:
        GraphError: at the first call, if the function looks at a value (`if`, ``.item()`` …).

    >>> import deepdive as dd
    >>> double = dd.compile(lambda x: x * 2 + 1)
    >>> double(dd.tensor([1.0, 2.0]))
    tensor([3., 5.])
    """
    if dialect not in ("auto", "numpy", "numba"):
        raise ArgumentError(
            "compile: unknown dialect", got=repr(dialect), expected="'auto', 'numpy' or 'numba'"
        )
    if function is None:
        return functools.partial(compile, dialect=dialect, keep_grads=keep_grads)
    if hasattr(function, "named_parameters"):
        return CompiledModel(function, dialect, keep_grads)
    return Compiled(function, dialect, keep_grads)

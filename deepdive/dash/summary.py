"""What a model is made of: shapes, parameters, multiply-adds and memory, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

from deepdive import config
from deepdive.dash.table import byte_count, table
from deepdive.errors import ArgumentError
from deepdive.host import np
from deepdive.nn.modes import evaluating

Shape = tuple[int, ...]


class Layer:
    """One line of a summary.

    Attributes:
        path, type: the module's path in the model (empty for the model itself) and its class.
        output: the shape it returned; None if it did not run.
        parameters: elements of the parameters that are its own, not its children's.
        multiply_adds, activations: of the operators it ran itself; activations in bytes.
    """

    def __init__(self, path: str, module: Any) -> None:
        self.path = path
        self.type = type(module).__name__
        self.output: Any = None
        self.parameters = 0
        self.multiply_adds = 0
        self.activations = 0


class Summary:
    """The result of :func:`summary`; its text is a table.

    Attributes:
        layers: one :class:`Layer` per module.
        parameters, trainable: elements of all parameters, and of those that require a gradient.
        weight_bytes: memory of the parameters.
        multiply_adds, activation_bytes: of one forward pass.
    """

    def __init__(self, layers: list[Layer], parameters: Sequence[Any], input_shapes: Any) -> None:
        self.layers = layers
        self.input_shapes = input_shapes
        self.parameters = sum(math.prod(p.shape) for p in parameters)
        self.trainable = sum(math.prod(p.shape) for p in parameters if p.requires_grad)
        self.weight_bytes = sum(math.prod(p.shape) * p.dtype.itemsize for p in parameters)
        self.multiply_adds = sum(layer.multiply_adds for layer in layers)
        self.activation_bytes = sum(layer.activations for layer in layers)

    def __str__(self) -> str:
        heading = ["layer", "type", "output", "parameters", "multiply-adds", "activations"]
        rows = [
            [
                layer.path or "(model)",
                layer.type,
                "not run" if layer.output is None else str(layer.output),
                f"{layer.parameters:,}",
                f"{layer.multiply_adds:,}",
                byte_count(layer.activations),
            ]
            for layer in self.layers
        ]
        frozen = self.parameters - self.trainable
        totals = [
            f"input          {', '.join(map(str, self.input_shapes))}",
            f"parameters     {self.parameters:,} ({self.trainable:,} trainable, {frozen:,} frozen)",
            f"multiply-adds  {self.multiply_adds:,}",
            f"memory         weights {byte_count(self.weight_bytes)}, "
            f"forward activations {byte_count(self.activation_bytes)}",
        ]
        return "\n".join([table(heading, rows, left=3), "", *totals])

    __repr__ = __str__


def summary(
    model: Any,
    input_shape: Shape | Sequence[Shape],
    *,
    batch_size: int = 1,
    dtype: Any = None,
) -> Summary:
    """Runs the model once on zeros, in evaluation mode, and tells what each layer did.

    Args:
        model: a module.
        input_shape: of one sample, without the batch; a list of shapes for several inputs.
        batch_size: the number of samples.
        dtype: of the inputs, e.g. ``"int64"`` for a model that begins with an embedding.

    Raises:
        ArgumentError: if `input_shape` holds anything but sizes.

    Multiply-adds are those of matrix products and convolutions, counted while they run, so a
    user's own layer is counted as well.  Activations are the arrays that operators make.
    """
    from deepdive.core.tensor import Tensor
    from deepdive.dtypes import as_dtype

    shapes = [(batch_size, *shape) for shape in _shapes(input_shape)]
    kind = as_dtype(dtype or float)
    inputs = [Tensor(np.zeros(shape, kind), requires_grad=False) for shape in shapes]
    layers = {path: Layer(path, module) for path, module in model.named_modules()}
    _count_own_parameters(model, layers)
    with evaluating(model), config.no_grad(), _watching(model, layers):
        model(*inputs)
    held = [*model.parameters()]
    return Summary(list(layers.values()), held, shapes)


def _shapes(input_shape: Any) -> list[Shape]:
    given = input_shape if isinstance(input_shape, tuple | list) else (input_shape,)
    nested = list(given) if given and isinstance(given[0], tuple | list) else [given]
    for shape in nested:
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise ArgumentError(
                "summary: an input shape is a tuple of sizes, without the batch",
                got=repr(input_shape),
                fix="e.g. summary(model, (1, 28, 28))",
            )
    return [tuple(shape) for shape in nested]


def _count_own_parameters(model: Any, layers: dict[str, Layer]) -> None:
    """Each parameter counts for the deepest module that has it, a shared one only once."""
    owner: dict[int, str] = {}
    size: dict[int, int] = {}
    for path, module in model.named_modules():  # parents before children
        for parameter in module.parameters():
            key = id(parameter)
            size[key] = math.prod(parameter.shape)
            if key not in owner or path.startswith(f"{owner[key]}." if owner[key] else ""):
                owner[key] = path
    for key, path in owner.items():
        layers[path].parameters += size[key]


class _Counter:
    """Watches operators: charges what they compute to the layer that runs."""

    def __init__(self, outer: Any) -> None:
        self.outer = outer
        self.running: list[Layer] = []

    def forward(self, operator: Any, run: Any, args: Any) -> Any:
        """Runs the operator with a speaker that counts."""
        layer = self.running[-1] if self.running else Layer("", None)
        args = (_CountingSpeaker(args[0], layer), *args[1:])
        out = self.outer.forward(operator, run, args) if self.outer else run(*args)
        for part in out if isinstance(out, tuple) else (out,):
            layer.activations += getattr(part, "nbytes", 0)
        return out

    def backward(self, operator: Any, run: Any, args: Any) -> Any:
        """A model may differentiate inside its forward pass; that is not counted."""
        return self.outer.backward(operator, run, args) if self.outer else run(*args)


class _CountingSpeaker:
    """A speaker that counts the multiply-adds of its matrix products and convolutions."""

    def __init__(self, xp: Any, layer: Layer) -> None:
        self._xp = xp
        self._layer = layer

    def __getattr__(self, word: str) -> Any:
        return getattr(self._xp, word)

    def matmul(self, x: Any, y: Any) -> Any:
        """``(…, n, k) @ (…, k, m)``: n·m·k each."""
        out = self._xp.matmul(x, y)
        self._layer.multiply_adds += math.prod(out.shape) * x.shape[-1]
        return out

    def convolution(self, x: Any, w: Any, *args: Any, **options: Any) -> Any:
        """w (O, C/groups, *kernel): C/groups times the kernel for each element of the output."""
        out = self._xp.convolution(x, w, *args, **options)
        self._layer.multiply_adds += math.prod(out.shape) * math.prod(w.shape[1:])
        return out


@contextmanager
def _watching(model: Any, layers: dict[str, Layer]) -> Any:
    """Hooks on every module say which layer runs; all are removed again."""
    before, handles = config.watch, []
    counter = config.watch = _Counter(before)
    try:
        for path, module in model.named_modules():
            handles += _hooks(module, layers[path], counter.running)
        yield
    finally:
        config.watch = before
        for handle in handles:
            handle.remove()


def _hooks(module: Any, layer: Layer, running: list[Layer]) -> list[Any]:
    def enter(module: Any, inputs: Any) -> None:
        running.append(layer)

    def leave(module: Any, inputs: Any, output: Any) -> None:
        layer.output = _shape_of(output)
        running.pop()

    return [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]


def _shape_of(output: Any) -> Any:
    if isinstance(output, tuple | list):
        return [_shape_of(part) for part in output]
    return tuple(output.shape) if hasattr(output, "shape") else None

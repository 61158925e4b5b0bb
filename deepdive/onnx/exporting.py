"""A model becomes an ONNX file: recorded, folded, written, and run again to be sure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from deepdive import config
from deepdive.backend import numpy_cpu
from deepdive.compiler.compiled import Compiled
from deepdive.compiler.graph import CONSTANT, INPUT, Value, replaced, typed
from deepdive.core.host_values import as_array
from deepdive.core.tensor import Tensor, wrap
from deepdive.dtypes import NARROW
from deepdive.errors import ArgumentError, DeepDiveError, DTypeError, MissingExtraError
from deepdive.io.files import write_bytes
from deepdive.nn.modes import evaluating
from deepdive.onnx.batch import Batch, dependent
from deepdive.onnx.words import write_word
from deepdive.onnx.writer import Writer

OPSET = 18  # reductions take their axes as inputs


class Recording(NamedTuple):
    """What a model does with some arrays.

    Attributes:
        order: all values, operands first.
        outputs: those the model returns.
        arguments: those that come from outside, in the order of the arguments.
        known: for each other input its array.
    """

    order: list[Value]
    outputs: list[Value]
    arguments: list[Value]
    known: dict[Value, Any]


def export(
    model: Any,
    args: Any,
    path: str | os.PathLike[str],
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic_batch: bool = True,
    verify: bool = True,
) -> str:
    """Writes what `model` does in evaluation mode with `args` as an ONNX file; returns its path.

    Args:
        model: a Module, or a function of Tensors that returns a Tensor or several.
        args: the inputs, a Tensor or array or a tuple of them: their shapes and dtypes count.
        path: of the file, written whole or not at all.
        input_names, output_names: ``input``, ``input_1`` … and ``output`` … unless given.
        dynamic_batch: whether the first axis of all inputs and outputs may have any length.
        verify: run the file with onnxruntime, where that is installed, and compare.

    Raises:
        MissingExtraError: without the package ``onnx``.
        ArgumentError: for names that do not fit the inputs, or a model that needs the batch's
            length where ONNX wants a number (then say ``dynamic_batch=False``).
        DTypeError: for a model that computes in bfloat16.
        DeepDiveError: for a word ONNX has no operators for, or results that differ.
    """
    if find_spec("onnx") is None:
        fix = "pip install 'deepdive-ml[onnx]'"
        raise MissingExtraError("onnx.export needs the package 'onnx'", fix=fix)
    arrays = [_array(x) for x in (args if isinstance(args, (tuple, list)) else (args,))]
    expected = _eager(model, arrays)
    recording = _recorded(model, arrays)
    _check_dtypes(recording)
    batch = Batch()
    if dynamic_batch:
        twice = [np.concatenate([x, x]) for x in arrays]
        other = _recorded(model, twice)
        batch = dependent(recording.order, other.order, arrays[0].shape[0])
    inputs = _names(input_names, len(arrays), "input")
    outputs = _names(output_names, len(expected), "output")
    proto = _written(recording, inputs, outputs, batch)
    if verify and find_spec("onnxruntime") is not None:
        _verified(proto, dict(zip(inputs, arrays, strict=True)), expected)
        if dynamic_batch:
            more = [np.concatenate([x, x, x]) for x in arrays]
            _verified(proto, dict(zip(inputs, more, strict=True)), _eager(model, more))
    write_bytes(path, proto.SerializeToString())
    return os.fspath(path)


def _check_dtypes(recording: Recording) -> None:
    """Refuse what onnxruntime has no arrays of.

    Raises:
        DTypeError: naming the first bfloat16 value.
    """
    for value in recording.order:
        if value.dtype in NARROW:
            raise DTypeError(
                "onnx.export: onnxruntime takes no bfloat16 arrays",
                got=f"{value.word}: {typed(value)}",
                fix="model.float(), float inputs, and no autocast around it",
            )


def _array(x: Any) -> Any:
    array = as_array(x)
    if array.ndim == 0 or not array.size:
        raise ArgumentError(
            "onnx.export: inputs are arrays with a first axis, the batch",
            got=f"shape {array.shape}",
        )
    return array


def _names(given: Sequence[str] | None, count: int, default: str) -> list[str]:
    names = list(given or [default if i == 0 else f"{default}_{i}" for i in range(count)])
    if len(names) != count or len(set(names)) != count:
        raise ArgumentError(
            f"onnx.export: {count} different {default} names are needed", got=", ".join(names)
        )
    return names


def _eager(model: Any, arrays: list[Any]) -> list[Any]:
    """The model's results as arrays."""
    with evaluating(model), config.no_grad():
        out = model(*map(wrap, arrays))
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    if not outs or not all(isinstance(o, Tensor) for o in outs):
        raise ArgumentError(
            "onnx.export: the model returns a Tensor, or several", got=repr(out)[:80]
        )
    return [o.numpy() for o in outs]


def _recorded(model: Any, arrays: list[Any]) -> Recording:
    step = Compiled(lambda *xs: model(*xs), "numpy", False)
    tensors = [wrap(array) for array in arrays]
    with evaluating(model), config.no_grad():
        step(*tensors)
    program: Any = step.latest
    arguments, known = [], {}
    for source in program.tracer.sources:
        if source.kind == "random":
            raise DeepDiveError(
                "onnx.export: the model draws random numbers in evaluation mode, too",
                fix="leave them out of forward",
            )
        if source.kind == "argument":
            arguments.append(source.value)
        else:
            program.flat = list(tensors)
            known[source.value] = source.read()
    return Recording(program.graph.values(), program.graph.outputs, arguments, known)


def _written(recording: Recording, inputs: list[str], outputs: list[str], batch: Batch) -> Any:
    """The ModelProto."""
    from onnx import checker, helper

    writer = Writer(batch)
    used = [value for value in recording.arguments if value in set(recording.order)]
    if len(used) != len(inputs):
        raise ArgumentError("onnx.export: the model does not use all of its inputs")
    for value, name in zip(used, inputs, strict=True):
        writer.take(value, name)
    _fold(recording, writer)
    for value, name in zip(recording.outputs, outputs, strict=True):
        writer.give(value, name)
    graph = helper.make_graph(
        writer.nodes,
        "deepdive",
        [writer.described(value, name) for value, name in zip(used, inputs, strict=True)],
        [writer.described(v, name) for v, name in zip(recording.outputs, outputs, strict=True)],
        writer.initializers(),
    )
    opsets = [helper.make_opsetid("", OPSET)]
    proto = helper.make_model(graph, opset_imports=opsets, producer_name="deepdive")
    proto.ir_version = 8  # of the time of this opset: older runtimes read it, too
    checker.check_model(proto, full_check=True)
    return proto


def _fold(recording: Recording, writer: Writer) -> None:
    """Compute what does not depend on the arguments, write the rest."""
    for value in recording.order:
        if writer.knows(value):
            continue
        if value.word == CONSTANT:
            writer.constants[value] = value.array
        elif value.word == INPUT:
            writer.constants[value] = recording.known[value]
        elif value not in writer.batch.axes and writer.constants.keys() >= {*value.operands()}:
            words = tuple(value.arguments.values())
            arrays = replaced(words, lambda operand: writer.constants[operand])
            writer.constants[value] = getattr(numpy_cpu, value.word)(*arrays)
        else:
            write_word(writer, value)


def _verified(proto: Any, feeds: dict[str, Any], expected: list[Any]) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for ours, theirs in zip(expected, session.run(None, feeds), strict=True):
        scale = max(float(np.abs(ours).max(initial=0)), 1.0)
        fits = ours.shape == theirs.shape and np.allclose(
            ours, theirs, rtol=1e-3, atol=1e-4 * scale
        )
        if not fits:
            raise DeepDiveError(
                "onnx.export: onnxruntime computes something else; nothing was written",
                got=f"{theirs.shape}, up to {np.abs(theirs).max(initial=0):.4g}",
                expected=f"{ours.shape}, up to {np.abs(ours).max(initial=0):.4g}",
            )

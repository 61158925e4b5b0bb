"""The text of a call of a kernel: a matrix product or a convolution on a block of rows.

``h @ W.T`` with h of (64, 128) and W of (10, 128), on rows ``lo`` to ``hi`` of 64, becomes ::

    call(table[14], (
        memory[0] + 4 * v18 + 4 * (lo * 128), 128, 1,
        table[4], 1, 128,
        memory[0] + 4 * v20 + 4 * (lo * 10), 10, (hi - lo), 10, 128, scratch[thread],
    ))

an address and two strides for each factor (the transpose is a matter of strides), an address and
one stride for the result, three extents, and memory to work in.
"""

from __future__ import annotations

from typing import Any

from deepdive.compiler import geometry
from deepdive.compiler.fuse import Group, Product
from deepdive.compiler.graph import Value, typed
from deepdive.compiler.nodes import Node, Read
from deepdive.compiler.text import LETTERS, block_bounds, partial_size, times, total_of


def call_text(program: Any, group: Group, item: Product) -> list[str]:
    """The lines that compute a product or a convolution."""
    node = item.node
    if node.value.word != "matmul":
        return _convolution(program, group, node)
    if len(node.value.shape) == 2:
        return _product(program, group, node)
    return _products(program, group, node)


# --- convolutions ---------------------------------------------------------------------------------
def _convolution(program: Any, group: Group, node: Node) -> list[str]:
    """A call of a kernel: on a block of images, on a weight, or on rows of its gradient."""
    value = node.value
    shape = value.arguments["shape"]
    room = geometry.room(shape)
    program.work = max(program.work, room["work"])
    sizes = f"table[{program.entry(('sizes', shape))}]"
    taps = f"table[{program.entry(('taps', shape))}]"
    rows = block_bounds(node.lead, group.rows)
    x = _address(program, node, "x")
    out = program.address(value)
    kernel = value.word
    if kernel == "pack":
        arguments = f"{sizes}, {x}, {out}"
    elif kernel == "pack_turned":
        program.work = max(program.work, room["turned"])
        arguments = f"{sizes}, {x}, scratch[thread], {out}"
    elif kernel == "convolve":
        weight = _address(program, node, "weight")
        arguments = f"{sizes}, {rows}, {x}, {weight}, {taps}, {out}, scratch[thread]"
    else:
        sums = f"memory[0] + 4 * {program.names[value]}_part"
        if node.kind == "partial":
            grad = _address(program, node, "grad")
            own = f"{sums} + 4 * thread * {partial_size(value)}"
            arguments = f"{sizes}, {rows}, {x}, {grad}, {taps}, {own}, scratch[thread]"
        else:
            kernel = "collect"
            arguments = f"{sizes}, {rows}, {sums}, {program.threads}, {out}"
    return [
        f"# {program.names[value]} = {kernel} {typed(value)}",
        f"call(table[{program.entry(kernel)}], ({arguments}))",
    ]


def _address(program: Any, node: Node, argument: str) -> str:
    """The address of an operand that lies in row order; "" if this node does not read it."""
    read = node.reads.get(node.value.arguments[argument])
    if read is None:
        return ""
    base = program.address(read.base)
    return base if not read.offset else f"{base} + 4 * {read.offset}"


# --- matrix products ------------------------------------------------------------------------------
def _product(program: Any, group: Group, node: Node) -> list[str]:
    """Rows ``lo`` to ``hi`` of one matrix product."""
    x, y = _factors(node)
    each = node.lead // group.rows
    first = times("lo", each)
    starts = (
        total_of([x.offset, (first, x.strides[0])]),
        total_of([y.offset]),
        total_of([(first, node.value.shape[1])]),
    )
    head = _head(program, node)
    return [head, *_call(program, node, starts, times("(hi - lo)", each))]


def _products(program: Any, group: Group, node: Node) -> list[str]:
    """Many products: loops over the axes before the last two."""
    *lead, rows, _ = node.value.shape
    lines = [_head(program, node)]
    indent = ""
    for axis, extent in enumerate(lead):
        bounds = str(extent) if axis else block_bounds(extent, group.rows)
        lines.append(f"{indent}for {LETTERS[axis]} in range({bounds}):")
        indent += "    "

    def start(read: Read) -> str:
        steps = zip(LETTERS, read.strides[: len(lead)], strict=False)
        return total_of([read.offset, *steps])

    starts = tuple(map(start, (*_factors(node), node.store)))
    call = _call(program, node, starts, str(rows))
    return [*lines, *(indent + line for line in call)]


def _factors(node: Node) -> tuple[Read, Read]:
    arguments = node.value.arguments
    return node.reads[arguments["x"]], node.reads[arguments["y"]]


def _head(program: Any, node: Node) -> str:
    x, y = node.value.arguments["x"], node.value.arguments["y"]
    return f"# {program.names[node.value]} = {typed(x)} @ {typed(y)}"


def _call(program: Any, node: Node, starts: tuple[str, ...], rows: str) -> list[str]:
    """``product(a, ai, ak, b, bk, bj, c, ci, M, N, K, work)``, see ``kernels/entry.py``."""
    x, y = _factors(node)
    places = zip((x.base, y.base, node.value), starts, strict=True)
    a, b, c = (_moved(program, base, start) for base, start in places)
    columns = node.value.shape[-1]
    inner = node.value.arguments["x"].shape[-1]
    return [
        f"call(table[{program.entry('product')}], (",
        f"    {a}, {x.strides[-2]}, {x.strides[-1]},",
        f"    {b}, {y.strides[-2]}, {y.strides[-1]},",
        f"    {c}, {columns}, {rows}, {columns}, {inner}, scratch[thread],",
        f"))  # {typed(node.value)}",
    ]


def _moved(program: Any, base: Value, start: str) -> str:
    """The address of a value's element number `start`."""
    address = program.address(base)
    return address if start == "0" else f"{address} + 4 * ({start})"

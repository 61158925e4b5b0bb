"""The text of a call of a kernel: a matrix product or a convolution on a block of rows."""

from __future__ import annotations

from typing import Any

from deepdive.compiler import geometry
from deepdive.compiler.fuse import Group, Product
from deepdive.compiler.graph import Value, typed
from deepdive.compiler.nodes import Node
from deepdive.compiler.text import LETTERS, partial_size, total_of


def _kernel(program: Any, group: Group, node: Node) -> list[str]:
    """A call of a kernel: on a block of images, on a weight, or on rows of its gradient."""
    value = node.value
    arguments = value.arguments
    shape = arguments["shape"]
    program.work = max(program.work, geometry.room(shape)["work"])
    sizes = f"table[{program.entry(('sizes', shape))}]"
    taps = f"table[{program.entry(('taps', shape))}]"
    each = node.lead // group.rows
    rows = "lo, hi" if each == 1 else f"lo * {each}, hi * {each}"
    word = value.word
    out = program.address(value) if node.kind != "partial" else ""
    x = _address(program, node, arguments["x"])
    if word == "pack":
        inside = f"{sizes}, {x}, {out}"
    elif word == "pack_turned":
        inside = f"{sizes}, {x}, scratch[thread], {out}"
        program.work = max(program.work, geometry.room(shape)["turned"])
    elif word == "convolve":
        weight = _address(program, node, arguments["weight"])
        inside = f"{sizes}, {rows}, {x}, {weight}, {taps}, {out}, scratch[thread]"
    else:
        part = f"memory[0] + 4 * {program.names[value]}_part"
        grad = _address(program, node, arguments["grad"]) if node.kind == "partial" else ""
        if node.kind == "partial":
            own = f"{part} + 4 * thread * {partial_size(value)}"
            inside = f"{sizes}, {rows}, {x}, {grad}, {taps}, {own}, scratch[thread]"
        else:
            word = "collect"
            inside = f"{sizes}, {rows}, {part}, {program.threads}, {out}"
    lines = [f"# {program.names[value]} = {word} {typed(value)}"]
    return [*lines, f"call(table[{program.entry(word)}], ({inside}))"]


def _address(program: Any, node: Node, operand: Value) -> str:
    """The address of an operand that lies in row order."""
    if operand not in node.reads:
        return ""
    read = node.reads[operand]
    base = program.address(read.base)
    return base if not read.offset else f"{base} + 4 * {read.offset}"


def call_text(program: Any, group: Group, item: Product) -> list[str]:
    node = item.node
    if node.value.word != "matmul":
        return _kernel(program, group, node)
    x, y = node.value.arguments["x"], node.value.arguments["y"]
    left, right = node.reads[x], node.reads[y]
    *lead, M, N = node.value.shape
    K = x.shape[-1]
    each = node.lead // group.rows
    scale = "" if each == 1 else f" * {each}"
    rank = len(lead)
    pieces = [(left, program.address(left.base)), (right, program.address(right.base))]
    out = program.address(node.value)
    lines, indent = [f"# {program.names[node.value]} = {typed(x)} @ {typed(y)}"], ""
    for axis in range(rank):
        letter = LETTERS[axis]
        bounds = f"lo{scale}, hi{scale}" if axis == 0 else f"{lead[axis]}"
        lines.append(f"{indent}for {letter} in range({bounds}):")
        indent += "    "
    terms = [
        total_of([read.offset, *((LETTERS[a], read.strides[a]) for a in range(rank))])
        for read, _ in pieces
    ]
    target = total_of([(LETTERS[a], node.store.strides[a]) for a in range(rank)])
    rows = str(M)
    if not rank:
        rows = f"(hi - lo){scale}"
        terms[0] = total_of([left.offset, (f"lo{scale}", left.strides[0])])
        target = total_of([(f"lo{scale}", N)])
    a, b, c = (
        base if term == "0" else f"{base} + 4 * ({term})"
        for base, term in zip([pieces[0][1], pieces[1][1], out], [*terms, target], strict=True)
    )
    strides_a, strides_b = left.strides[-2:], right.strides[-2:]
    return [
        *lines,
        f"{indent}call(table[{program.entry('product')}], (",
        f"{indent}    {a}, {strides_a[0]}, {strides_a[1]},",
        f"{indent}    {b}, {strides_b[0]}, {strides_b[1]},",
        f"{indent}    {c}, {N}, {rows}, {N}, {K}, scratch[thread],",
        f"{indent}))  # {typed(node.value)}",
    ]

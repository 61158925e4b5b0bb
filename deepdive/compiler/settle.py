"""Settling: results and writes that must not see what other writes do.

Recorded values never change, memory does: a program writes into state at its end, and a result
that is the old state, or a view of it, would show the new one.
"""

from __future__ import annotations

from deepdive.compiler.graph import INPUT, Graph, Value

VIEWS = frozenset(
    "reshape permute_dims broadcast_to expand_dims squeeze flip getitem windows asarray".split()
)


def root(value: Value) -> Value:
    """The value in whose memory a view lies.

    >>> x = Value(INPUT, {}, (2, 3), None)
    >>> root(Value("reshape", {"x": x, "shape": (6,)}, (6,), None)) is x
    True
    """
    while value.word in VIEWS and isinstance(value.arguments["x"], Value):
        value = value.arguments["x"]
    return value


def settled(graph: Graph) -> Graph:
    """The same graph, with copies of old state where it is returned or written elsewhere."""
    written = {target for target, _ in graph.writes}
    copies: dict[Value, Value] = {}

    def safe(value: Value) -> Value:
        base = root(value)
        if base.word != INPUT or base not in written:
            return value
        if value not in copies:
            copies[value] = Value("copy", {"x": value}, value.shape, value.dtype)
        return copies[value]

    outputs = [safe(value) for value in graph.outputs]
    return Graph(graph.inputs, outputs, [(target, safe(value)) for target, value in graph.writes])

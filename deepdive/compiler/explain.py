"""What a compiled program is: what runs together, what it took for constant, what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from deepdive.compiler.graph import CONSTANT, INPUT, Graph, Value, typed
from deepdive.compiler.picture import used_by
from deepdive.compiler.roofline import predicted
from deepdive.compiler.settle import VIEWS

PLAIN = (bool, int, float, str)
CONVOLUTIONS = {  # of (result, operands …): what has the output's shape, and the weights'
    "convolution": itemgetter(0, 2),
    "convolution_input_grad": itemgetter(1, 2),
    "convolution_weight_grad": itemgetter(2, 0),
}
MOST = 12  # names a line shows


def explained(program: Any) -> str:
    """The story of one program, in lines."""
    graph = program.graph
    return "\n".join(
        [
            *_times(program),
            *_size(graph),
            *_predicted(program),
            *_fused(program.code),
            *_inputs(program.tracer),
            *_constants(program),
        ]
    )


def facts_of(program: Any) -> dict[str, str]:
    """What is kept beside a program on disk: whose it is, and its story before the first call."""
    function = getattr(program.function, "forward", program.function)
    name = getattr(function, "__qualname__", type(function).__name__).rpartition(".")[2]
    code = getattr(function, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    given = [typed(source.value) for source in program.tracer.sources if source.kind == "argument"]
    return {
        "what": f"{name}{where} of {', '.join(given) or 'nothing'}",
        "explain": program.explain(),
    }


def _times(program: Any) -> Iterator[str]:
    yield f"traced in {program.traced * 1e3:.1f} ms, ready in {program.made * 1e3:.1f} ms"
    if program.calls:
        best = f"{program.fastest * 1e6:,.0f} µs"
        yield f"{program.calls} calls, the first {program.first * 1e3:.1f} ms, the fastest {best}"


def _size(graph: Graph) -> Iterator[str]:
    """Values by word, arithmetic and memory."""
    values = [value for value in graph.values() if value.word not in (INPUT, CONSTANT)]
    yield f"{len(values)} values: {_counted(value.word for value in values)}"
    yield f"{len(graph.writes)} writes to state, {len(graph.outputs)} results"
    flops = sum(map(flops_of, values))
    state = {target for target, _ in graph.writes}
    outside = sum(v.nbytes for v in [*graph.inputs, *graph.outputs, *state])
    inside = sum(v.nbytes for v in values if v.word not in VIEWS)
    yield (
        f"{flops / 1e6:,.3f} Mflop; {outside / 1e6:,.3f} MB come in or go out, "
        f"{inside / 1e6:,.3f} MB lie between"
    )


def flops_of(value: Value) -> int:
    """Multiplications and additions of one value, roughly: one per element of a map.

    >>> x, w = (Value(INPUT, {}, shape, None) for shape in ((64, 784), (784, 10)))
    >>> flops_of(Value("matmul", {"x": x, "y": w}, (64, 10), None)) == 2 * 64 * 784 * 10
    True
    """
    operands = value.operands()
    if value.word in VIEWS or not operands:
        return 0
    if value.word == "matmul":
        return 2 * value.size * operands[0].shape[-1]
    if value.word in ("convolve", "correlate"):  # the kernels' words for the same
        return int(value.arguments["shape"].flops)
    if value.word in CONVOLUTIONS:  # each place of the output meets all weights
        places, weights = CONVOLUTIONS[value.word]([value, *operands])
        return 2 * places.size // max(places.shape[1], 1) * weights.size
    return max(value.size, *(operand.size for operand in operands))


def _predicted(program: Any) -> Iterator[str]:
    """The roofline's time beside the measured one, once there is one: that measures the machine."""
    if program.calls and program.tracer.home.DEVICE == "cpu":
        seconds, speeds = predicted(program.code, flops_of)
        yield (
            f"predicted {seconds * 1e6:,.0f} µs at {speeds}; "
            f"the fastest call took {program.fastest / seconds:.1f} times that"
        )


def _fused(code: Any) -> Iterator[str]:
    """What runs together, in either dialect, or stage by stage in both."""
    if hasattr(code, "parts"):
        yield f"{len(code.parts)} stages; called as they are: {', '.join(code.called)}"
        for title, part in zip(code.titles(), code.parts, strict=True):
            first, *rest = _fused(part)
            yield f"{title}: {first}"
            yield from rest
        return
    plan = getattr(code, "plan", None)
    if plan is None:
        yield code.told()
        return
    levels = plan.levels()
    yield (
        f"Numba: {len(plan.nodes)} values in {len(plan.groups)} groups, {len(levels)} levels, "
        f"{code.text.threads} threads"
    )
    for i, groups in enumerate(levels):
        for group in groups:
            words = _counted(node.value.word for node in group.nodes)
            why = f"; apart: {group.why}" if group.why else ""
            yield f"  level {i}, {group.rows} rows in turn, {len(group.items)} loops: {words}{why}"
    yield from _places(code.text)


def _places(text: Any) -> Iterator[str]:
    """How much memory the values take, level by level."""
    memory = text.memory
    alive = ", ".join(f"{nbytes / 1e6:,.3f}" for nbytes in memory.alive())
    rooms = memory.in_rooms() / 1e6
    yield f"memory: {alive} MB level by level, {rooms:,.3f} MB for blocks of rows"


def _inputs(tracer: Any) -> Iterator[str]:
    """What is read anew at each call."""
    kinds = Counter(source.kind for source in tracer.sources if source.kind != "number")
    numbers = _counted(source.name for source in tracer.sources if source.kind == "number")
    yield "read at each call: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    if numbers:
        yield f"numbers read at each call: {numbers}"


def _constants(program: Any) -> Iterator[str]:
    """Python values the program has frozen; another value of an argument means another program."""
    given = [repr(leaf) for leaf in program.others if type(leaf) in PLAIN]
    if given:
        yield f"constants among the arguments: {', '.join(given[:MOST])}"
    if program.closed:
        shown = [f"{name}={value!r}" for name, value in program.closed.items()]
        yield f"constants the function read: {', '.join(shown[:MOST])}"
    if program.lost:
        yield f"not in Numba's loops: {program.lost}"


def closed_over(function: Any) -> dict[str, Any]:
    """The plain values a function takes from outside: they are constants of its programs.

    >>> rate = 3
    >>> closed_over(lambda x: x * rate)
    {'rate': 3}
    """
    return {name: value for name, value in used_by(function).items() if type(value) in PLAIN}


def _counted(words: Any) -> str:
    counts = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))
    shown = [word if n == 1 else f"{word} {n}" for word, n in counts[:MOST]]
    return ", ".join([*shown, *(["…"] if len(counts) > MOST else [])])

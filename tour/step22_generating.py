"""Step 22: a program that writes a program.

Running a list of lines still asks at every line: which word, which inputs?  To ask that
once and for all we *write the source text* of a function, and let Python compile it.  It can be
read, printed, stored, stepped through – generated code is code one should be proud of.

A value with a single use is written where it is used: v5 = x @ w, v6 = v5 + b, v7 = tanh(v6) become
one expression.  Here that spares names; in machine code it is called *fusing* and spares the way to
memory and back, which costs far more than the arithmetic: three loops over an array become one.

In the library: `deepdive/compiler/fuse.py` and `numpy_dialect.py`; `numba_dialect.py` writes loops,
which Numba turns into machine code.  `step.source` shows the text.
"""

from collections import Counter
from timeit import timeit

import numpy as np

from step21_program import Line, program_of, record_layer, run
from verdict import Wrong, conclude, expect

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "greater": ">", "matmul": "@"}


def expression(line, written):
    """A line's right side; `written`: what stands for each name."""
    inputs = [str(written.get(i, i)) for i in line.inputs]
    if line.word in SIGNS:
        return "(" + f" {SIGNS[line.word]} ".join(inputs) + ")"
    inputs += [f"{key}={value}" for key, value in line.settings.items()]
    return f"np.{line.word}({', '.join(inputs)})"


def source_of(lines, inputs, outputs, width=72):
    """The text of a function of `inputs` (names) that returns `outputs` (names)."""
    uses = Counter(i for line in lines for i in line.inputs)
    text, written = [f"def program({', '.join(inputs)}):"], {}
    for line in lines:
        right = expression(line, written)
        if uses[line.name] == 1 and line.name not in outputs and len(right) < width:
            written[line.name] = right
        else:
            bare = right[1:-1] if line.word in SIGNS else right
            text.append(f"    {line.name} = {bare}  # {line.shape}")
    text.append(f"    return {', '.join(outputs)},")
    return "\n".join(text)


def generated(source):
    """The function a source text defines.  Only for texts we have written ourselves."""
    space = {"np": np}
    exec(compile(source, "<generated>", "exec"), space)
    return space["program"]


def main():
    shapes = {"x": (8, 16), "w": (16, 4), "b": (4,)}
    inputs, grads = record_layer(shapes)
    lines, outputs = program_of(inputs, [grads["w"], grads["b"]])
    source = source_of(lines, inputs, outputs)
    print(f"{len(lines)} lines became\n\n{source}\n")

    draw = np.random.default_rng(0)
    arrays = {name: draw.normal(size=shape) for name, shape in shapes.items()}
    program = generated(source)
    dw, db = program(**arrays)
    known = run(lines, arrays)
    worst = max(np.abs(dw - known[outputs[0]]).max(), np.abs(db - known[outputs[1]]).max())
    loop = timeit(lambda: run(lines, arrays), number=200) / 200
    text = timeit(lambda: program(**arrays), number=200) / 200
    print(f"line by line {1e6 * loop:.0f} µs, generated {1e6 * text:.0f} µs")
    print(f"the results differ by {worst:.0e}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(lines):
    """Compute nothing twice: the lines without repetitions (*common subexpressions*).

    Two lines with the same word, the same inputs and the same settings make the same.  Keep the
    first; who used the second must use the first – and may become a repetition by that.
    Returns the new list and {name left out: name to use instead}.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Repetitions, one that shows only after another is gone, and what only looks like one."""

    def line(name, word, *inputs, **settings):
        return Line(name, word, inputs, settings, ())

    lines = [
        line("v0", "exp", "x"),
        line("v1", "exp", "x"),
        line("v2", "add", "v0", 1.0),
        line("v3", "add", "v1", 1.0),
        line("v4", "sum", "x", axis=0),
        line("v5", "sum", "x", axis=1),
        line("v6", "multiply", "v2", "v3"),
    ]
    shorter, instead = solution(lines)
    kept = [kept.name for kept in shorter]
    if not {"v4", "v5"} <= set(kept):
        raise Wrong("sum(x, axis=0) and sum(x, axis=1) are two different things")
    expect("v1" in kept, False, "is v1 kept, which repeats v0")
    expect("v3" in kept, False, "is v3 kept, which repeats v2, once v1 is v0")
    expect(kept, ["v0", "v2", "v4", "v5", "v6"], "the names that are kept")
    expect(shorter[-1].inputs, ("v2", "v2"), "what v6 multiplies now")
    expect((instead.get("v1"), instead.get("v3")), ("v0", "v2"), "what to use for v1 and v3")
    expect(len(lines), 7, "the length of the list that was given, afterwards")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

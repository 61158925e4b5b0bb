"""Step 21: from notes to a program.

A list of lines, each `name = word(inputs)`, is the plainest program there is – and the most useful:
compilers of all languages work on such lists.  What would be hard in source code is easy here.

*Dead code*: we start from the outputs and collect what they need; a line nobody needs is never
written.  Backward has computed the gradient of the input x, too – that is a matrix product which
training has no use for.  Ask for dw and db only, and it is gone.

*Running* the list is a loop of three lines, an interpreter.

In the library: `deepdive/compiler/graph.py`, `simplify.py`, `memory.py`.
"""

from typing import NamedTuple

import numpy as np

from step13_laws import Tensor
from step20_recording import LazyArray, notes_of
from verdict import conclude, expect


class Line(NamedTuple):
    """name = word(inputs, settings); an input is a name, or a constant."""

    name: str
    word: str
    inputs: tuple
    settings: dict
    shape: tuple

    def __str__(self):
        return f"{self.name:3} = {self.word}({', '.join(map(str, self.inputs))})"


def program_of(inputs, outputs):
    """The lines `outputs` need, and the names of the outputs.  inputs: {name: array}."""
    names = {array: name for name, array in inputs.items()}
    lines = []
    for note in notes_of(*outputs):
        if note not in names:
            named = tuple(names.get(i, i) if isinstance(i, LazyArray) else i for i in note.inputs)
            names[note] = f"v{len(lines)}"
            lines.append(Line(names[note], note.word, named, note.settings, note.shape))
    return lines, [names[output] for output in outputs]


def run(lines, arrays):
    """Compute line by line; returns everything by name."""
    known = dict(arrays)
    for line in lines:
        values = (known[i] if isinstance(i, str) else i for i in line.inputs)
        known[line.name] = getattr(np, line.word)(*values, **line.settings)
    return known


def record_layer(shapes):
    tensors = {name: Tensor(LazyArray(shape)) for name, shape in shapes.items()}
    y = (tensors["x"] @ tensors["w"] + tensors["b"]).tanh()
    (y * y).sum().backward()
    inputs = {name: tensor.data for name, tensor in tensors.items()}
    return inputs, {name: tensor.grad for name, tensor in tensors.items()}


def main():
    shapes = {"x": (50, 64), "w": (64, 10), "b": (10,)}
    inputs, grads = record_layer(shapes)
    with_dx, _ = program_of(inputs, grads.values())
    lines, names = program_of(inputs, [grads["w"], grads["b"]])
    print("dw and db of (tanh(x @ w + b)²).sum()\n")
    for line in lines:
        print(f"  {line!s:38} # {line.shape}")
    print(f"\ndw is {names[0]}, db is {names[1]}.  With dx it would be {len(with_dx)} lines.")

    draw = np.random.default_rng(0)
    arrays = {name: draw.normal(size=shape) for name, shape in shapes.items()}
    x, w, b = (Tensor(array) for array in arrays.values())
    y = (x @ w + b).tanh()
    (y * y).sum().backward()
    by_program = run(lines, arrays)[names[0]]
    print(f"program and step 12 differ by {np.abs(by_program - w.grad).max():.0e}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(lines, outputs):
    """When is memory free?  {name: the names no longer needed after that line}, sets.

    A name may go after the last line that uses it.  The `outputs` (names) must stay, and so must
    the inputs of the program, for they are not ours: names that no line makes.
    """
    raise NotImplementedError


def check_exercise(solution):
    """A small program by hand, then a real one: forget as told, and the result must still come."""
    small = [
        Line("v0", "exp", ("x",), {}, (3,)),
        Line("v1", "multiply", ("v0", "v0"), {}, (3,)),
        Line("v2", "add", ("v1", "x"), {}, (3,)),
    ]
    free = solution(small, ["v2"])
    for name, wanted in {"v0": set(), "v1": {"v0"}, "v2": {"v1"}}.items():
        expect(free[name], wanted, f"what may be forgotten after {name}")
    expect(solution(small, ["v2", "v0"])["v1"], set(), "after v1, if v0 is an output as well")
    shapes = {"x": (50, 64), "w": (64, 10), "b": (10,)}
    inputs, grads = record_layer(shapes)
    lines, outputs = program_of(inputs, [grads["w"], grads["b"]])
    alive, most = set(), 0
    for line in lines:
        alive.add(line.name)
        most = max(most, len(alive))
        alive -= solution(lines, outputs)[line.name]
    expect(alive, set(outputs), "what is still there at the end of the layer's program")
    expect(most, 4, "the most arrays that are there at a time, in that program")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

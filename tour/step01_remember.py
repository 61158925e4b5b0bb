"""Step 1: a number that remembers how it was made.

Learning means: change the parameters of a program so that its result gets better.  To know which
way to change them we must know *how the result came about*.  So we compute with numbers that
remember: which operation made me, and from which other numbers?  Those are my parents.

What arises is a *computation graph*.  It is not written down beforehand in some special language –
it is the trace that an ordinary Python program leaves behind while it runs.

In the library: `deepdive/core/node.py` (what a graph is made of).
"""

from itertools import count

from verdict import conclude, expect

COMPUTE = {  # what each operation does with its numbers
    "+": lambda x, y: x + y,
    "*": lambda x, y: x * y,
}
ages = count()


class Value:
    """A number, the operation that made it, and the values it was made of."""

    def __init__(self, data, operation="", parents=()):
        self.data = data
        self.operation = operation  # "" for a number that was simply given: a leaf
        self.parents = parents
        self.age = next(ages)  # parents are always older: step 4 lives on that
        self.grad = None  # step 3 fills it

    def __add__(self, other):
        return apply("+", self, other)

    def __mul__(self, other):
        return apply("*", self, other)

    __radd__ = __add__  # 2 + x and 2 * x, as if they were x + 2 and x * 2
    __rmul__ = __mul__

    def __repr__(self):
        return f"Value({self.data:g})"


def apply(operation, *operands):
    """Compute, and remember."""
    parents = tuple(x if isinstance(x, Value) else type_of(operands)(x) for x in operands)
    data = COMPUTE[operation](*(parent.data for parent in parents))
    return type_of(operands)(data, operation, parents)


def type_of(operands):
    """What the result is: a Value, or the Tensor that step 8 makes of it."""
    return next(type(x) for x in operands if isinstance(x, Value))


def tree(value, names, indent=""):
    """The graph as text: each value above what it was made of."""
    made = f"= {value.data:g}"
    print(f"{indent}{names.get(value, value.operation or 'number')} {made}")
    for parent in value.parents:
        tree(parent, names, indent + "   ")


def main():
    a, b = Value(2.0), Value(1.0)
    e = (a + b) * (b + 1)
    print("e = (a + b) * (b + 1), and e knows it:\n")
    tree(e, {a: "a", b: "b", e: "e: *"})
    print("\nb stands there twice, for it is used twice.  Remember that until step 5.")


# --- exercise ------------------------------------------------------------------------------------
def exercise(value):
    """The leaves `value` was made of (values without parents), each once, the oldest first."""
    raise NotImplementedError


def check_exercise(solution):
    """On a leaf alone, on a product, and where one leaf is used three times."""
    a, b = Value(3.0), Value(4.0)
    expect(solution(a), [a], "a leaf is its own only leaf")
    expect(solution(a * b), [a, b], "the leaves of a * b, with a = 3 and b = 4")
    expect(solution(b * a), [a, b], "the leaves of b * a, the oldest first")
    expect(solution(b * b + a * b), [a, b], "the leaves of b * b + a * b, each once")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

"""Step 9: broadcasting, and why its gradient sums.

A column (3, 1) plus a row (4,) is a table (3, 4): shapes are laid side by side from the right, and
an axis of size 1, or one that is not there, is read over and over – step 7's stride of 0.  Nothing
is copied: a bias of 10 numbers is added to a batch of 1,000 rows as if there were 1,000 of it.

*Why does the gradient sum?*  Because each number of the bias is used 1,000 times, and step 5 said
what happens then: gradients of several uses add up.  So the gradient comes in the large shape, and
summing over the axes along which the number was repeated brings it home.

It is undone once, in the walk.  In the library: `unbroadcast` in `core/autograd/engine.py`.
"""

from itertools import zip_longest

import numpy as np

import step04_order
from step08_tensor import Tensor
from verdict import conclude, expect


def broadcast_shape(a, b):
    """(3, 1) and (4,) give (3, 4); shapes that do not fit, an error that shows both."""
    sizes = []
    for m, n in zip_longest(reversed(a), reversed(b), fillvalue=1):
        if m != n and 1 not in (m, n):
            raise ValueError(f"shapes {a} and {b} do not fit: {m} != {n}, and neither is 1")
        sizes.append(n if m == 1 else m)
    return tuple(reversed(sizes))


def unbroadcast(grad, shape, xp=np):
    """Sum over the axes along which numbers of `shape` were repeated."""
    if grad.shape == shape:
        return grad
    new = len(grad.shape) - len(shape)  # axes that were not there
    repeated = [new + i for i, n in enumerate(shape) if n == 1]
    axes = (*range(new), *repeated)
    return xp.reshape(xp.sum(grad, axis=axes, keepdims=True), shape)


def broadcast_to(x, shape):
    """Step 7's arrays do it by strides of 0: a view."""
    new = len(shape) - len(x.shape)
    x = x.reshape((1,) * new + x.shape)
    for axis, size in enumerate(shape):
        if x.shape[axis] != size:
            x = x.repeat(axis, size)
    return x


def parts_of(value, grad):
    """Step 4's, with the gradients brought home to their parents' shapes."""
    parts = step04_order.parts_of(value, grad)
    shapes = [parent.shape for parent in value.parents]
    return [unbroadcast(np.asarray(p), s) for p, s in zip(parts, shapes, strict=True)]


def backward(root):
    return step04_order.backward(root, np.ones(root.shape), parts_of)


def main():
    column = Tensor([[10.0], [20.0], [30.0]])
    row = Tensor([1.0, 2.0, 3.0, 4.0])
    table = column + row
    backward((table * table).sum())
    print("a column + a row:", column.shape, "+", row.shape, "=", table.shape, "\n")
    print("        " + "".join(f"{x:7g}" for x in row.data))
    for i in range(3):
        sums = "".join(f"{x:7g}" for x in table.data[i])
        print(f"  {column.data[i, 0]:6g}{sums}     gradient {table.grad[i]}")
    print(f"\n  the column's gradient: each row's sum     {column.grad[:, 0]}")
    print(f"  the row's gradient:    each column's sum  {row.grad}")

    print("\nshapes that fit, and one that does not:")
    pairs = [
        ((5, 3), (3,)),
        ((4, 1, 6), (2, 1)),
        ((), (7,)),
        ((5, 3), (5,)),
    ]
    for a, b in pairs:
        try:
            print(f"  {a!s:>10} with {b!s:<7} gives {broadcast_shape(a, b)}")
        except ValueError as error:
            print(f"  {error}\n  (a column was meant? then say (5, 1))")


# --- exercise ------------------------------------------------------------------------------------
def exercise(a, b):
    """How often is each number used when arrays of the shapes `a` and `b` meet?

    Two whole numbers, one for the first array and one for the second: (4, 3) for (3, 1) and (4,).
    Shapes that do not fit: let `broadcast_shape` complain.
    """
    raise NotImplementedError


def check_exercise(solution):
    """The gradient of (a + b).sum() counts the uses."""
    pairs = ((3, 1), (4,)), ((2, 3), (2, 3)), ((), (5, 2)), ((6, 1, 5), (1, 4, 1))
    for shapes in pairs:
        a, b = (Tensor(np.zeros(shape)) for shape in shapes)
        backward((a + b).sum())
        counts = int(a.grad.flat[0]), int(b.grad.flat[0])
        expect(solution(*shapes), counts, f"uses for the shapes {shapes[0]} and {shapes[1]}")
    try:
        answer = solution((5, 3), (5,))
    except ValueError:
        return
    expect(answer, "a ValueError", "the shapes (5, 3) and (5,)")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

"""Step 10: the matrix product, and why backward is not a table of slopes.

So far each number of a result hung on one number of each operand: a slope was an array.  In x @ w
each of the B*H results hangs on D numbers of x and D of w.  All slopes together – the *Jacobian* –
would be tables of B*H times B*D and D*H numbers: over a billion for one layer of a small network.

Nobody needs it.  The walk only asks what the Jacobian makes of *one* gradient, the vector-Jacobian
product or **vjp**, and that has a short formula.  You need not learn it, the shapes dictate it:
dx must look like x, (B, D); at hand are grad (B, H) and w (D, H).  One product fits: grad @ w.T.

So from now on an operation comes with a function backward(grad, ...) instead of slopes.

In the library: `class MatMul` in `deepdive/ops/linalg.py`.
"""

import numpy as np

import step04_order
import step09_broadcasting
from step01_remember import COMPUTE, apply
from step08_tensor import Tensor
from verdict import Wrong, conclude, expect, nearly, nudge_all

BACKWARD = {  # from the gradient of the result to the gradients of the operands
    "@": lambda grad, x, w: (grad @ w.T, x.T @ grad),
}
COMPUTE["@"] = np.matmul
Tensor.__matmul__ = lambda self, other: apply("@", self, other)


def product_of_loops(x, w):
    """What @ means, number by number: (B, D) @ (D, H) gives (B, H)."""
    rows, columns = len(x), len(w[0])
    out = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            out[i][j] = sum(x[i][k] * w[k][j] for k in range(len(w)))
    return out


def parts_of(value, grad):
    """By vjp where there is one, else by slopes."""
    vjp = BACKWARD.get(value.operation)
    if vjp is None:
        return step09_broadcasting.parts_of(value, grad)
    return vjp(grad, *(parent.data for parent in value.parents))


def backward(root):
    return step04_order.backward(root, np.ones(root.shape), parts_of)


def fit(x, y, steps=50, lr=0.1):
    """Linear regression: the w and b for which x @ w + b comes closest to y."""
    w, b = Tensor(np.zeros((x.shape[1], 1))), Tensor(np.zeros(1))
    for step in range(steps):
        error = x @ w + b - y  # (B, 1)
        loss = (error * error).mean()
        backward(loss)
        for parameter in (w, b):
            parameter.data = parameter.data - lr * parameter.grad
        if step % 10 == 9:
            found = f"w {w.data[:, 0]}   b {b.data}"
            print(f"  step {step + 1:2}   loss {loss.data:8.5f}   {found}")
    return w, b


def main():
    np.set_printoptions(precision=3, suppress=True)
    x = [[1.0, 2.0], [3.0, 4.0]]
    w = [[5.0, 6.0], [7.0, 8.0]]
    by_numpy = Tensor(x) @ Tensor(w)
    print("(x @ w), by NumPy: ", by_numpy.data.tolist())
    print("and by three loops:", product_of_loops(x, w))

    batch, inside, outside = 64, 784, 128
    jacobian = (batch * outside) * (batch * inside + inside * outside)
    vjp = 2 * 2 * batch * inside * outside
    print(f"\na layer of {outside} neurons, {batch} images of {inside} pixels")
    print(f"  its Jacobians: {jacobian:17,} numbers to store")
    print(f"  its vjp:       {vjp:17,} operations, some 1 ms\n")

    draw = np.random.default_rng(0)
    x = Tensor(draw.normal(size=(200, 3)))
    noise = 0.05 * draw.normal(size=(200, 1))
    print("y = 2 x0 - 3 x1 + 0.5 x2 + 1, found from 200 noisy points")
    fit(x, Tensor(x.data @ [[2.0], [-3.0], [0.5]] + 1 + noise))


# --- exercise ------------------------------------------------------------------------------------
def exercise(grad, x, w, b):
    """Backward of PyTorch's linear layer, out = x @ w.T + b.  Returns dx, dw, db, all arrays.

    Shapes: x (B, D), w (H, D), b (H,), grad (B, H).  The shapes tell you nearly everything.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Shapes first, then every number by nudging."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=(4, 3))
    w = draw.normal(size=(2, 3))
    b = np.zeros(2)
    grad = draw.normal(size=(4, 2))
    answers = solution(grad, x, w, b)
    tried = nudge_all(lambda x, w, b: (grad * (x @ w.T + b)).sum(), x, w, b)
    for name, answer, slopes in zip("xwb", answers, tried, strict=True):
        expect(np.shape(answer), slopes.shape, f"the shape of d{name}")
        if not nearly(answer, slopes):
            raise Wrong(f"d{name}: nudging gives {slopes.tolist()}, not {answer.tolist()}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

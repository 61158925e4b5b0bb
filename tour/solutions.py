"""One solution of every exercise.  Try first: an idea you found yourself stays.

python tour/solutions.py        puts each solution before the check of its step
"""

from importlib import import_module
from math import inf, prod

import numpy as np

from deepdive import nn
from step02_slopes import SLOPE
from step04_order import backward
from step07_strides import NDArray
from step09_broadcasting import broadcast_shape, broadcast_to
from step13_laws import Tensor, sample, worst_error
from step14_speakers import Plain
from step19_second_order import gradient
from step20_recording import notes_of
from verdict import verdict


def leaves(value):
    """Step 1: walk down with a list of what is still to be seen."""
    found, waiting = set(), [value]
    while waiting:
        value = waiting.pop()
        waiting += value.parents
        if not value.parents:
            found.add(value)
    return sorted(found, key=lambda leaf: leaf.age)


def slopes_of_division(out, x, y):
    """Step 2: 1/y, and -x/y², which is -out/y."""
    return 1 / y, -out / y


def forward_derivative(value, x):
    """Step 3: slopes times the derivatives of the parents, added up."""
    if value is x:
        return 1.0
    if not value.parents:
        return 0.0
    numbers = [parent.data for parent in value.parents]
    slopes = SLOPE[value.operation](value.data, *numbers)
    pairs = zip(slopes, value.parents, strict=True)
    return sum(slope * forward_derivative(parent, x) for slope, parent in pairs)


def order_by_counting(root):
    """Step 4: a value is ready when as many uses were met as there are."""
    uses, waiting = {root: 0}, [root]
    while waiting:
        for parent in waiting.pop().parents:
            if parent not in uses:
                uses[parent] = 0
                waiting.append(parent)
            uses[parent] += 1
    order = [root]
    for value in order:  # grows while we walk along it
        for parent in value.parents:
            uses[parent] -= 1
            if uses[parent] == 0:
                order.append(parent)
    return order


def gradient_of_all(loss_of, w, batches):
    """Step 5: a batch counts as much as it has examples."""
    total = 0.0
    for batch in batches:
        backward(loss_of(w, batch))
        total += w.grad * len(batch)
    return total / sum(len(batch) for batch in batches)


def weight_decay(loss, parameters, strength):
    """Step 6: ordinary arithmetic; backward finds its way through it."""
    return loss + strength * sum(w * w for w in parameters)


def diagonal(matrix):
    """Step 7: one step along the diagonal is one down and one to the right."""
    down, right = matrix.strides
    return NDArray(matrix.buffer, (min(matrix.shape),), (down + right,), matrix.offset)


def slope_of_softplus(out, x):
    """Step 8: never the exponential of something large."""
    small = np.exp(-np.abs(x))
    return np.where(x > 0, 1, small) / (1 + small)


def uses(a, b):
    """Step 9: as often as the result is larger."""
    size = prod(broadcast_shape(a, b))
    return size // prod(a), size // prod(b)


def backward_of_linear(grad, x, w, b):
    """Step 10: the only products that fit; b was broadcast over the rows."""
    return grad @ w, grad.T @ x, grad.sum(0)


def backward_of_soft_step(xp, grad, x):
    """Step 11: the quotient rule, and both signs in one."""
    return grad / (1 + xp.abs(x)) ** 2


def backward_of_softmax(xp, grad, out):
    """Step 12: the mean of grad, weighted by the probabilities, has no effect."""
    return out * (grad - xp.sum(grad * out, axis=-1, keepdims=True))


def lawbreakers(classes):
    """Step 13: nudging finds a wrong backward, comparing finds a changed operand."""
    draw, names = np.random.default_rng(0), []
    for cls in classes:
        operands = sample(cls, draw)
        before = [operand.copy() for operand in operands]
        cls()(*map(Tensor, operands))
        changed = any((x != y).any() for x, y in zip(operands, before, strict=True))
        if changed or worst_error(cls(), *before) > 1e-6:
            names.append(cls.__name__)
    return names


def largest(x, axis):
    """Step 14: as `total` does it, with max instead of plus."""
    shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
    result = Plain([-inf] * prod(shape), shape)
    for place, number in zip(broadcast_to(result, x.shape).places(), x.numbers(), strict=True):
        result.buffer[place] = max(result.buffer[place], number)
    return result


def load(module, arrays):
    """Step 15: look at everything before changing anything."""
    parameters = dict(module.named_parameters())
    both = [name for name in parameters if name in arrays]
    for name in both:
        if parameters[name].shape != arrays[name].shape:
            shapes = f"{arrays[name].shape}, expected {parameters[name].shape}"
            raise ValueError(f"{name}: got shape {shapes}")
    for name in both:
        parameters[name].data = arrays[name]
    missing = [name for name in parameters if name not in arrays]
    return missing, [name for name in arrays if name not in parameters]


def binary_cross_entropy(x, truth):
    """Step 16: -log(p) is log(1 + exp(-x)), and -log(1 - p) is that plus x."""
    return (np.logaddexp(0, x) - truth * x).mean()


def rmsprop(w, g, v, lr):
    """Step 17: the formula."""
    v = 0.99 * v + 0.01 * g * g
    return w - lr * g / (np.sqrt(v) + 1e-8), v


def confusion(said, truth):
    """Step 18: add one at each pair; `table[truth, said] += 1` would count a pair only once."""
    table = np.zeros((10, 10), dtype=int)
    np.add.at(table, (truth, said), 1)
    return table


def hessian_times(f, x, v):
    """Step 19: gradient, product, gradient."""
    x = Tensor(x)
    along = (gradient(f(x), x) * Tensor(v)).sum()
    return gradient(along, x).data


def multiplications(array):
    """Step 20: each note once."""
    products = [note for note in notes_of(array) if note.word == "matmul"]
    return sum(x.shape[0] * x.shape[1] * w.shape[1] for x, w in (p.inputs for p in products))


def forget(lines, outputs):
    """Step 21: from the end; the first use met there is the last one."""
    kept = set(outputs)
    made = {line.name for line in lines}
    free = {}
    for line in reversed(lines):
        used = {line.name, *(i for i in line.inputs if i in made)}
        free[line.name] = used - kept
        kept |= used
    return free


def without_repetitions(lines):
    """Step 22: names are replaced before lines are compared, so one pass is enough."""
    kept, instead, seen = [], {}, {}
    for line in lines:
        inputs = tuple(instead.get(i, i) for i in line.inputs)
        key = line.word, inputs, str(line.settings)
        if key in seen:
            instead[line.name] = seen[key]
        else:
            seen[key] = line.name
            kept.append(line._replace(inputs=inputs))
    return kept, instead


def step_in_halves(model, optimizer, x, y):
    """Step 23: step 5 in the library's words."""
    optimizer.zero_grad()
    total = 0.0
    for start in range(0, len(x), 5):
        some = slice(start, start + 5)
        loss = nn.functional.cross_entropy(model(x[some]), y[some])
        part = loss * (len(x[some]) / len(x))
        part.backward()
        total = total + part.detach()
    optimizer.step()
    return total


SOLUTIONS = {
    "step01_remember": leaves,
    "step02_slopes": slopes_of_division,
    "step03_recursion": forward_derivative,
    "step04_order": order_by_counting,
    "step05_reuse": gradient_of_all,
    "step06_moons": weight_decay,
    "step07_strides": diagonal,
    "step08_tensor": slope_of_softplus,
    "step09_broadcasting": uses,
    "step10_matmul": backward_of_linear,
    "step11_contract": backward_of_soft_step,
    "step12_operators": backward_of_softmax,
    "step13_laws": lawbreakers,
    "step14_speakers": largest,
    "step15_modules": load,
    "step16_cross_entropy": binary_cross_entropy,
    "step17_optimizers": rmsprop,
    "step18_digits": confusion,
    "step19_second_order": hessian_times,
    "step20_recording": multiplications,
    "step21_program": forget,
    "step22_generating": without_repetitions,
    "step23_compiled": step_in_halves,
}


def main():
    for step, solution in SOLUTIONS.items():
        check = import_module(step).check_exercise
        print(f"{step:22} {solution.__name__:24} {verdict(solution, check)}")


if __name__ == "__main__":
    main()

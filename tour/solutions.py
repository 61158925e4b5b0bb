"""One solution of every exercise.  Try first: an idea you found yourself stays.

python tour/solutions.py        puts each solution before the check of its step
"""

from importlib import import_module

from step02_slopes import SLOPE
from step04_order import backward
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


SOLUTIONS = {
    "step01_remember": leaves,
    "step02_slopes": slopes_of_division,
    "step03_recursion": forward_derivative,
    "step04_order": order_by_counting,
    "step05_reuse": gradient_of_all,
    "step06_moons": weight_decay,
}


def main():
    for step, solution in SOLUTIONS.items():
        check = import_module(step).check_exercise
        print(f"{step:22} {solution.__name__:22} {verdict(solution, check)}")


if __name__ == "__main__":
    main()

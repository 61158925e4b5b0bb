"""Step 4: backward in topological order, with a heap.

A value may pass its gradient on only when it is complete: when everybody who used the value has
reported.  So we need an order in which every value comes after all of its uses.  Such an order is
called *topological*, and we have it for free: parents are older than their children, so "the
youngest first" is one.  A heap hands out the youngest waiting value, the gradients wait in a dict.

Each value is met once, however many paths lead to it, and no call goes deep.

In the library: `walk` in `deepdive/core/autograd/engine.py` is this very loop.
"""

from heapq import heappop, heappush

from step01_remember import Value
from step03_recursion import chain, doubled, slopes_of
from verdict import Wrong, conclude, expect


def parts_of(value, grad):
    """What each parent gets of the gradient of a value: the chain rule, one link of it."""
    return [grad * slope for slope in slopes_of(value)]


def backward(root, grad=1.0, parts_of=parts_of):
    """Fill .grad of every value the root was made of; returns the values in the order met.

    Steps 9 to 19 hand in another `parts_of`; the walk stays the same to the end.
    """
    pending = {root: grad}
    heap = [(-root.age, root)]
    order = []
    while heap:
        _, value = heappop(heap)
        value.grad = grad = pending.pop(value)
        order.append(value)
        for parent, part in zip(value.parents, parts_of(value, grad), strict=True):
            if parent in pending:
                pending[parent] = pending[parent] + part
            else:
                pending[parent] = part
                heappush(heap, (-parent.age, parent))
    return order


def main():
    a, b = Value(2.0), Value(1.0)
    e = (a + b) * (b + 1)
    print("e = (a + b) * (b + 1), from the youngest to the oldest:\n")
    for value in backward(e):
        name = {a: "a", b: "b"}.get(value, value.operation or "number")
        uses = "   <- two uses, two reports, one visit" if value is b else ""
        print(f"  age {value.age:2}   {name:6} = {value.data:g}   grad {value.grad:g}{uses}")

    x = Value(1.0)
    met = backward(doubled(x, 60))
    print(f"\n60 doublings: {len(met)} visits, dx = {x.grad:g} (which is 2 to the 60th)")
    x = Value(1.0)
    met = backward(chain(x, 20_000))
    print(f"20,000 operations in a row: {len(met):,} visits, dx = {x.grad:g}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(root):
    """A topological order of the graph without looking at ages: a list that starts with root.

    Kahn's way: count the uses of every value first; a value is ready when all are accounted for.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Every value once, and each before its parents – whatever the ages say."""
    a, b = Value(2.0), Value(3.0)
    shared = a * b
    root = (shared + a) * (shared * shared)
    everybody = backward(root)
    for value in everybody:
        value.age = 0  # no help from here
    for graph, size in ((a, 1), (root, len(everybody)), (doubled(a, 30), 31)):
        order = solution(graph)
        place = {value: i for i, value in enumerate(order)}
        expect(len(place), len(order), "the number of different values in your list")
        expect(len(order), size, "the length of your list")
        for value in order:
            for parent in value.parents:
                if place[parent] < place[value]:
                    raise Wrong(f"{parent} comes before {value}, which was made of it")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

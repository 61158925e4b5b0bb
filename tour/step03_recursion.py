"""Step 3: the chain rule walks backwards – and why not by recursion.

If e grows 3 times as fast as d, and d twice as fast as b, then e grows 6 times as fast as b: along
a path slopes multiply, and several paths add up.  That is the *chain rule*.  Going backwards from
the result, one walk gives the slope in *every* number at once.  Going forwards would cost one walk
per parameter, and networks have millions of them: this is why everybody goes backwards.

The obvious program is a recursion, five lines long and right.  It has two flaws.  It walks every
*path*, and paths double at each value that is used twice.  And Python stops at a depth of about a
thousand calls.  So: look at it, enjoy it, and do not use it.

In the library nothing recurses over graphs; a chain of 100,000 operators is a test.
"""

from step01_remember import Value
from step02_slopes import SLOPE
from verdict import conclude, expect


def slopes_of(value):
    """The slope of a value in each of its parents."""
    numbers = [parent.data for parent in value.parents]
    return SLOPE[value.operation](value.data, *numbers) if value.parents else ()


def backward(value, grad=1.0):
    """Add to .grad of everything below what one path brings; returns the number of calls."""
    value.grad = (value.grad or 0.0) + grad
    calls = 1
    for parent, slope in zip(value.parents, slopes_of(value), strict=True):
        calls += backward(parent, grad * slope)
    return calls


def doubled(x, times):
    """x + x, and that plus itself, and so on: 2**times * x, in `times` operations."""
    for _ in range(times):
        x = x + x
    return x


def chain(x, length):
    """A long, thin graph: x + 1 + 1 + 1 …"""
    for _ in range(length):
        x = x + 1
    return x


def main():
    a, b = Value(2.0), Value(1.0)
    e = (a + b) * (b + 1)
    backward(e)
    print(f"e = (a + b) * (b + 1):   de/da = {a.grad:g}   de/db = {b.grad:g}")

    print("\nflaw 1: every path is walked")
    for times in (2, 4, 8, 16):
        calls = backward(doubled(Value(1.0), times))
        print(f"  {times:2} operations: {calls:7,} calls")
    print("  60 operations would take longer than you live.")

    print("\nflaw 2: the depth of the graph becomes the depth of calls")
    for length in (100, 10_000):
        try:
            backward(chain(Value(1.0), length))
            print(f"  {length:6,} operations in a row: fine")
        except RecursionError as error:
            print(f"  {length:6,} operations in a row: RecursionError, {error}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(value, x):
    """The same chain rule forwards: dvalue/dx, from the slopes and the dparent/dx.

    A recursion is welcome here.  The derivative of x in x is 1; of any other leaf it is 0.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Against derivatives known from school."""
    x, y = Value(3.0), Value(5.0)
    expect(solution(x, x), 1.0, "dx/dx")
    expect(solution(y, x), 0.0, "dy/dx, where y does not depend on x")
    expect(solution(x * x, x), 6.0, "d(x * x)/dx at x = 3")
    expect(solution(x * y + x, x), 6.0, "d(x * y + x)/dx at y = 5")
    expect(solution(x * x * x * y, x), 135.0, "d(x * x * x * y)/dx at x = 3, y = 5")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

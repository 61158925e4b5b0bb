"""Step 2: the derivative, by nudging and by thinking.

The derivative of f at x answers: if x grows by a tiny h, by how many times h does f(x) grow?
That can simply be tried out: (f(x + h) - f(x - h)) / 2h, a *finite difference*.  It works for
every program, but it is slow (two runs per parameter) and never exact: with a large h the curve
bends away, with a tiny one the two results agree in all digits the computer keeps.

So we think once per operation and write the answer in a table.  The trial by nudging stays with
us for life, as the judge: a derivative nobody nudged is a rumour.

In the library: `deepdive/core/autograd/gradcheck.py` nudges every operator there is.
"""

import math

from step01_remember import COMPUTE
from verdict import Wrong, conclude, nearly

COMPUTE["tanh"] = math.tanh
COMPUTE["exp"] = math.exp

SLOPE = {  # for each operand: by how much does the result grow when only this one grows?
    "+": lambda out, x, y: (1.0, 1.0),
    "*": lambda out, x, y: (y, x),
    "tanh": lambda out, x: (1 - out * out,),
    "exp": lambda out, x: (out,),
}


def nudged(function, numbers, which, h=1e-5):
    """The slope of function(*numbers) in one of its numbers, by trying."""
    more, less = list(numbers), list(numbers)
    more[which] += h
    less[which] -= h
    return (function(*more) - function(*less)) / (2 * h)


def check_slopes(operation, *numbers):
    """Thought and trial side by side, one row per operand."""
    function = COMPUTE[operation]
    thought = SLOPE[operation](function(*numbers), *numbers)
    for which, slope in enumerate(thought):
        tried = nudged(function, numbers, which)
        agree = "agree" if nearly(slope, tried) else "DIFFER"
        print(f"{operation:>6} {numbers!s:<12}{which:>4}{slope:12.6f}{tried:12.6f}   {agree}")


def main():
    print("d tanh / dx at 0.7, tried with smaller and smaller h; a longer bar is a worse error\n")
    exact = 1 - math.tanh(0.7) ** 2
    for digits in range(1, 15):
        error = abs(nudged(math.tanh, [0.7], 0, h=10.0**-digits) - exact)
        bar = "#" * max(1, round(3 * (14 + math.log10(error + 1e-14))))
        print(f"  h = 1e-{digits:<3} error {error:.0e}  {bar}")
    print("\n  operation      operand     thought       tried")
    check_slopes("+", 2.0, 3.0)
    check_slopes("*", 2.0, 3.0)
    check_slopes("tanh", 0.7)
    check_slopes("exp", 0.7)


# --- exercise ------------------------------------------------------------------------------------
def exercise(out, x, y):
    """The two slopes of out = x / y: how out grows with x, and how it grows with y."""
    raise NotImplementedError


def check_exercise(solution):
    """Nudges x and y at several places, negative ones too."""
    for x, y in ((1.0, 2.0), (3.0, -0.5), (-2.0, 4.0)):
        slopes = solution(x / y, x, y)
        if not isinstance(slopes, tuple) or len(slopes) != 2:
            raise Wrong(f"two slopes are wanted, one for x and one for y; got {slopes!r}")
        for which, name in enumerate("xy"):
            tried = nudged(lambda x, y: x / y, (x, y), which)
            if not nearly(slopes[which], tried):
                where = f"the slope in {name} at x = {x:g}, y = {y:g}"
                raise Wrong(f"{where}: nudging gives {tried:.6f}, you said {slopes[which]:.6f}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

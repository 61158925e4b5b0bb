"""Step 7: an array is a row of numbers and a way of reading it.

Computer memory is one long row.  A matrix in it is an agreement: the *strides* say how far to jump
for the next row and for the next column.  Number (i, j) lies at offset + i*stride0 + j*stride1.

From this follows something wonderful: transposing, slicing, reversing, even repeating move no
number at all.  They only read the same memory differently – such arrays are called *views*.  They
cost nothing, however large the array; and who writes into a view writes into the original.

In the library: `deepdive/backend/native/ndarray.py`, and NumPy, PyTorch and CuPy all the same.
"""

from itertools import product
from math import prod

from verdict import conclude, expect


def packed(shape):
    """The strides of numbers that lie row after row: (12, 4, 1) for the shape (2, 3, 4)."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


class NDArray:
    """A buffer shared by all views of it, and this view's shape, strides and offset."""

    def __init__(self, buffer, shape, strides=None, offset=0):
        self.buffer = buffer
        self.shape = tuple(shape)
        self.strides = packed(shape) if strides is None else tuple(strides)
        self.offset = offset

    def places(self):
        """Where in the buffer the numbers lie, in reading order."""
        for index in product(*map(range, self.shape)):
            jumps = (i * stride for i, stride in zip(index, self.strides, strict=True))
            yield self.offset + sum(jumps)

    def numbers(self):
        return [self.buffer[place] for place in self.places()]

    def permute(self, *axes):
        """The axes in another order; (1, 0) transposes a matrix."""
        shape = [self.shape[axis] for axis in axes]
        strides = [self.strides[axis] for axis in axes]
        return type(self)(self.buffer, shape, strides, self.offset)

    def cut(self, axis, part):
        """A slice along one axis: each `step`-th number, from `start`."""
        start, stop, step = part.indices(self.shape[axis])
        shape = list(self.shape)
        strides = list(self.strides)
        shape[axis] = len(range(start, stop, step))
        strides[axis] *= step
        offset = self.offset + start * self.strides[axis]
        return type(self)(self.buffer, shape, strides, offset)

    def repeat(self, axis, times):
        """A stride of 0: an axis of size 1 read over and over.  Step 9 lives on it."""
        shape = list(self.shape)
        strides = list(self.strides)
        shape[axis] = times
        strides[axis] = 0
        return type(self)(self.buffer, shape, strides, self.offset)

    def reshape(self, shape):
        """Another shape: a view if the numbers lie in reading order, else they must be copied."""
        if self.strides == packed(self.shape):
            return type(self)(self.buffer, shape, None, self.offset)
        return type(self)(self.numbers(), shape)


def show(name, array):
    """Shape and strides, and the rows of a matrix."""
    print(f"\n{name}: shape {array.shape}, strides {array.strides}, offset {array.offset}")
    numbers = iter(array.numbers())
    for _ in range(array.shape[0]):
        row = [f"{next(numbers):3}" for _ in range(array.shape[1])]
        print("  ", *row)


def main():
    memory = list(range(12))
    a = NDArray(memory, (3, 4))
    print("one row of memory, read in six ways:", *memory)
    turned = a.permute(1, 0)
    column = a.cut(1, slice(0, 1))
    show("a", a)
    show("a transposed", turned)
    show("every second column", a.cut(1, slice(None, None, 2)))
    show("rows backwards", a.cut(0, slice(None, None, -1)))
    show("the first column four times", column.repeat(1, 4))
    show("a transposed, as (2, 6): the only copy", turned.reshape((2, 6)))


# --- exercise ------------------------------------------------------------------------------------
def exercise(matrix):
    """The diagonal of a matrix as a view of shape (n,): no number may be moved."""
    raise NotImplementedError


def check_exercise(solution):
    """Square, wide, transposed and shifted matrices; and the memory must be the same object."""
    a = NDArray(list(range(12)), (3, 4))
    lower = a.cut(0, slice(1, None))
    cases = {
        "a (3, 4) matrix": (a, [0, 5, 10]),
        "it transposed": (a.permute(1, 0), [0, 5, 10]),
        "its rows from 1 on": (lower, [4, 9]),
        "these transposed": (lower.permute(1, 0), [4, 9]),
    }
    for name, (matrix, wanted) in cases.items():
        diagonal = solution(matrix)
        expect(diagonal.numbers(), wanted, f"the diagonal of {name}")
        expect(diagonal.buffer is a.buffer, True, "the diagonal shares the matrix's memory")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)

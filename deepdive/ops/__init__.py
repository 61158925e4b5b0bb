"""Level 3: the operators. Importing this package registers all of them."""

from deepdive.ops import (
    compare,
    creation,
    elementwise,
    indexing,
    inplace,
    linalg,
    reduce,
    shape,
    trigonometry,
)

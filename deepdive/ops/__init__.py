"""Level 3: the operators. Importing this package registers all of them."""

from deepdive.ops import (
    activation,
    compare,
    conv,
    convert,
    creation,
    dropout,
    elementwise,
    embedding,
    indexing,
    inplace,
    linalg,
    loss,
    needle,
    norm,
    pool,
    reduce,
    shape,
    trigonometry,
)

"""Level 4: recorded computations – lazy mode, and compiled programs.

The stages of compilation have a file each: lazy and trace → graph → simplify → fuse → memory →
codegen → store.
"""

from deepdive.compiler.lazyarray import (
    is_lazy,
    lazy,
    set_lazy,
)
